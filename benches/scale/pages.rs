//! The console's pages over many tickets, as a browser asks for them: over HTTP, with a session.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use hotline::access::Role;
use hotline::city::City;
use hotline::clock::Clock;
use hotline::console::{self, ApiToken, Console, Studio};
use hotline::ivr::Flow;
use hotline::live::Live;
use hotline::prompt::Prompts;
use hotline::store::{AccessConfig, AttachmentFolder, By, NewAccount, Password, Profile, Rules, Store};
use hotline::ticket::catalogue::Catalogue;
use hotline::ticket::{AccountId, Actor, Ticket};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "yak-butter-and-barley-7";
/// Each is asked so often.
const ASKED: usize = 100;

type Path = fn(&Ticket, usize) -> String;

/// Who asks, for what, by which address.
const PAGES: [(Role, &str, Path); 14] = [
    (Role::Agent, "what an agent sees first", |_, _| "/tickets".to_owned()),
    (Role::Unit, "a unit's inbox by time left", |_, _| "/tickets".to_owned()),
    (Role::Supervisor, "what a supervisor sees first", |_, _| "/tickets".to_owned()),
    (Role::Supervisor, "open tickets of a city by time left", |ticket, _| {
        format!("/tickets?open=true&order=due&city={}", ticket.city)
    }),
    (Role::Supervisor, "search by number", |ticket, _| format!("/tickets?number={}", ticket.number)),
    (Role::Supervisor, "search by phone", |ticket, _| {
        format!("/tickets?phone={}", ticket.phone.as_ref().map(|phone| phone.digits()).unwrap_or_default())
    }),
    (Role::Supervisor, "search by four characters", |ticket, _| search(ticket, 2, 4)),
    (Role::Supervisor, "search by a whole title", |ticket, _| search(ticket, 0, 40)),
    (Role::Supervisor, "one ticket", |ticket, _| format!("/tickets/{}", ticket.number)),
    (Role::Leader, "a month by unit", |_, at| format!("/reports?by=unit&span=month&on={}", day(at))),
    (Role::Leader, "a month by city", |_, at| format!("/reports?by=city&span=month&on={}", day(at))),
    (Role::Leader, "a quarter by class, of a city", |ticket, at| {
        format!("/reports?by=class&span=quarter&on={}&city={}", day(at), ticket.city)
    }),
    (Role::Leader, "the year by unit", |_, _| "/reports?by=unit&from=2025-11-20&to=2026-11-19".to_owned()),
    (Role::Leader, "the tickets behind a figure", |_, at| {
        let unit = &Catalogue::built_in().units[at % Catalogue::built_in().units.len()].code;
        format!("/reports/unit/tickets?figure=received&key={unit}&from=2026-01-01&to=2026-10-31")
    }),
];

fn day(at: usize) -> String {
    format!("2026-{:02}-15", 1 + at % 10)
}

fn search(ticket: &Ticket, from: usize, count: usize) -> String {
    let title = ticket.matter.title.as_ref().map(|title| title.as_str()).unwrap_or_default();
    let words: String = title.chars().skip(from).take(count).collect();
    format!("/tickets?{}", serde_urlencoded::to_string([("q", words)]).expect("words"))
}

/// Asks each page; a page that is refused ends the bench.
pub async fn measure(store: &Store, sample: &[Ticket], report: impl Fn(&str, Vec<std::time::Duration>, usize)) {
    let access = AccessConfig { second_factor: Vec::new(), ..AccessConfig::default() };
    let store = store.clone().with_rules(Rules { access, ..Rules::default() });
    let closing = CancellationToken::new();
    let base = serve(store.clone(), closing.clone()).await;
    for role in [Role::Agent, Role::Unit, Role::Supervisor, Role::Leader] {
        add(&store, role).await;
    }
    let sample = sample.to_vec();
    let asking = tokio::task::spawn_blocking(move || {
        let browser = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
        let mut all = Vec::new();
        for (role, what, path) in PAGES {
            let cookie = sign_in(&browser, &base, role);
            let mut bytes = 0;
            let mut times = Vec::with_capacity(ASKED);
            for at in 0..ASKED {
                let url = format!("{base}{}", path(&sample[at % sample.len()], at));
                let asked = Instant::now();
                let mut page = browser.get(&url).header("cookie", &cookie).call().expect("a page");
                bytes += page.body_mut().read_to_vec().expect("the whole page").len();
                times.push(asked.elapsed());
                assert_eq!(page.status(), 200, "{url}");
            }
            all.push((what, times, bytes));
        }
        all
    });
    for (what, times, bytes) in asking.await.expect("asked") {
        report(what, times, bytes);
    }
    closing.cancel();
}

async fn serve(store: Store, closing: CancellationToken) -> String {
    let folder = std::env::temp_dir().join(format!("hotline-scale-attachments-{}", std::process::id()));
    let flow = Flow::parse(include_str!("../../prompts/flows/inbound.toml"), "inbound.toml").expect("a flow");
    let router = console::router(Console {
        config: console::Config::default(),
        store,
        recordings: folder.clone(),
        attachments: AttachmentFolder::open(folder.clone()).expect("a folder"),
        token: ApiToken::new("a-token-of-this-bench-0123456789abcdef"),
        live: Arc::new(Live::default()),
        reports: hotline::report::Config::default(),
        settings: console::Settings::default(),
        studio: Arc::new(Studio::new(None, Prompts::embedded, |_| Ok(()))),
        flows: vec![("12345".to_owned(), flow)],
        metrics: Box::new(String::new),
        oidc: None,
        clock: Clock::start(),
        seed: [7; 32],
        closing: closing.clone(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(console::serve(listener, console::Config::default().max_connections, None, router, closing));
    std::fs::remove_dir(folder).expect("an empty folder");
    base
}

/// One of the role, for all cities; a unit's is of Lhasa's housing bureau.
async fn add(store: &Store, role: Role) {
    let now = Clock::start().wall();
    let unit = (role == Role::Unit).then(|| "lhasa-housing".parse().expect("a code"));
    let cities = if role == Role::Unit { BTreeSet::new() } else { City::ALL.into_iter().collect() };
    let name: hotline::store::AccountName = role.to_string().parse().expect("a name");
    let profile = Profile::new(name.as_str().parse().expect("a name"), role, unit, cities, false).expect("a profile");
    let new = NewAccount { id: AccountId::new(now, [role as u8; 10]), profile, name };
    let password = Password::new(PASSWORD, &new.name).expect("a password");
    let by = By { actor: Actor::Operator, address: None };
    store.add_account(&new, &password, [7; 16], &by, now).await.expect("added");
}

fn sign_in(browser: &ureq::Agent, base: &str, role: Role) -> String {
    let form = [("account", role.to_string()), ("password", PASSWORD.to_owned())];
    let answer = browser.post(format!("{base}/sign-in")).header("origin", base).send_form(form).expect("signed in");
    let cookie = answer.headers().get("set-cookie").expect("a session").to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}
