//! `hotline demo`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::peer::child::{Guarded, TempFolder};
use super::peer::time::seconds;
use super::text;

#[test]
fn the_demo_ends_with_two_tickets_and_their_visits_and_leaves_nothing() {
    let temporary = TempFolder::new("demo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    let output = command.args(["demo", "--json"]).env("TMPDIR", temporary.path()).output().expect("the binary starts");
    assert!(output.status.success(), "{}\n{}", text(&output.stderr), text(&output.stdout));
    let told: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let steps = |step: &str| told.iter().filter(|line| line["step"] == step).cloned().collect::<Vec<_>>();

    assert_eq!(steps("answered").len(), 4, "two calls and two calls back");
    for who in ["bo", "zh"] {
        let nodes = told.iter().filter(|line| line["who"] == who && line["step"] == "node");
        let nodes: Vec<&str> = nodes.filter_map(|line| line["node"].as_str()).collect();
        let ways: Vec<&[&str]> = nodes.split_inclusive(|node| ["promise", "thanks"].contains(node)).collect();
        let ends: Vec<_> = ways.iter().map(|way| (way[0], way[way.len() - 1])).collect();
        assert_eq!(ends, [("greeting", "promise"), ("hello", "thanks")], "{who}: {nodes:?}");
    }
    let tickets = steps("ticket");
    let of = |key: &str| tickets.iter().map(|ticket| ticket[key].as_str().expect(key).to_owned()).collect::<Vec<_>>();
    assert_eq!(of("language"), ["bo", "zh"]);
    assert_eq!(of("city"), ["lhasa", "chamdo"]);
    assert_eq!(of("type"), ["complaint", "help"]);
    for ticket in &tickets {
        let recordings = ticket["recordings"].as_array().expect("recordings");
        let request = recordings.iter().find(|one| one["kind"] == "request").expect("the request");
        assert!(request["duration_ms"].as_u64().is_some_and(|ms| ms >= 4_000), "{request}");
        assert_eq!(request["ended_by"], "key");
        assert_eq!(ticket["confirmed"], true);
    }
    let visited = steps("visited");
    let visit = |at: usize| {
        let visit = &visited[at]["visit"];
        let text = |key: &str| visit[key].as_str().unwrap_or_default().to_owned();
        (visited[at]["state"].as_str(), text("contacted"), text("solved"), visit["satisfaction"].as_u64())
    };
    assert_eq!(visit(0), (Some("archived"), "in_time".to_owned(), "yes".to_owned(), Some(5)));
    assert_eq!(visit(1), (Some("recheck"), "late".to_owned(), "no".to_owned(), Some(2)));
    assert!(steps("api")[0]["curl"].as_str().is_some_and(|line| line.starts_with("curl -H ")));
    assert_eq!(entries(temporary.path()), 0, "the folder of the tour is gone");
}

#[test]
fn a_demo_without_a_place_says_so() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    let output = command.arg("demo").env("TMPDIR", "/no/such/folder").output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("hotline: no temporary folder: "), "{}", text(&output.stderr));
}

#[test]
fn the_console_is_shown_with_a_year_behind_it_and_leaves_nothing() {
    let temporary = TempFolder::new("demo-console");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["demo", "--console", "--json", "--tickets", "300"]).env("TMPDIR", temporary.path());
    let mut demo = Guarded::start(command, "(built by cargo)");
    let told = demo
        .line(seconds(60), |line| serde_json::from_str::<Value>(line).ok().filter(|told| told["step"] == "console"));
    let told = told.unwrap_or_else(|log| panic!("{log}"));
    let (url, password) = (told["url"].as_str().expect("a URL"), told["password"].as_str().expect("a password"));
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    for account in told["accounts"].as_array().expect("accounts") {
        let account = account.as_str().expect("a name");
        let form = [("account", account), ("password", password)];
        let entered = agent.post(format!("{url}sign-in")).send_form(form).expect("an answer");
        assert_eq!(entered.status(), 303, "{account}");
        let cookie =
            entered.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        if account == "supervisor" {
            let list = agent.get(format!("{url}recordings")).header("cookie", &cookie).call();
            let page = list.expect("an answer").body_mut().read_to_string().expect("a page");
            assert!(page.contains("藏语") && page.contains("普通话"), "{page}");
        }
    }
    demo.signal(rustix::process::Signal::INT);
    assert!(demo.exit(seconds(20)).is_some_and(|status| status.success()), "{}", demo.log());
    assert_eq!(entries(temporary.path()), 0, "the folder of the demo is gone");
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("the folder").count()
}
