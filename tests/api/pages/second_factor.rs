//! The code beside the password.

use hotline::access::Role;
use hotline::store::OtpSecret;
use serde_json::json;

use crate::pages::browser::hidden;
use crate::people::{PASSWORD, now, person};
use crate::service::{Reply, Service};

fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned()
}

fn password(service: &Service, name: &str) -> Reply {
    service.submit("/sign-in", &[], &[("account", name), ("password", PASSWORD), ("next", "/account")])
}

/// Sets it up at the door; gives the secret and the session.
fn set_up(service: &Service, name: &str) -> (OtpSecret, String, String) {
    let reply = password(service, name);
    assert_eq!(reply.header("location"), Some("/sign-in/set-up?check=1&next=%2Faccount"), "{}", reply.text());
    let half = cookie(&reply);
    assert_eq!(service.ask("GET", "/account", &[("cookie", &half)]).status, 303, "it is good for nothing else");
    let page = service.ask("GET", "/sign-in/set-up?next=%2Faccount", &[("cookie", &half)]);
    assert!(page.text().contains("<svg class=\"qr\""), "{}", page.text());
    let text = hidden(page.text(), "secret").expect("a secret");
    let secret = OtpSecret::parse(text).expect("a secret");
    let send = |code: &str| {
        service.submit(
            "/sign-in/set-up",
            &[("cookie", &half)],
            &[("secret", text), ("code", code), ("next", "/account")],
        )
    };
    assert!(send("000000").text().contains("这组数字与二维码不符"));
    let code = secret.code(now());
    let kept = send(&code);
    assert_eq!(kept.header("location"), Some("/sign-in?check=1&next=%2Faccount"), "{}", kept.text());
    let whole = cookie(&kept);
    assert_ne!(whole, half, "a session that becomes whole has another token");
    assert_eq!(service.ask("GET", "/account", &[("cookie", &half)]).status, 303);
    (secret, whole, code)
}

#[test]
fn a_supervisor_sets_it_up_and_signs_in_with_it_once_a_code() {
    let service = Service::start_with_second_factor(vec![Role::Supervisor]);
    person(&service, "tenzin", Role::Supervisor, &["lhasa"], false);
    let (secret, whole, used) = set_up(&service, "tenzin");
    let account = service.ask("GET", "/account", &[("cookie", &whole)]);
    assert_eq!(account.status, 200);
    assert!(account.text().contains("已启用"));

    let reply = password(&service, "tenzin");
    assert_eq!(reply.header("location"), Some("/sign-in/code?check=1&next=%2Faccount"));
    let half = cookie(&reply);
    let send =
        |code: &str| service.submit("/sign-in/code", &[("cookie", &half)], &[("code", code), ("next", "/account")]);
    assert_eq!(service.ask("GET", "/sign-in/code", &[("cookie", &half)]).status, 200);
    assert_eq!(service.ask("GET", "/account", &[("cookie", &half)]).status, 303);
    let again = send(&used);
    assert_eq!(again.status, 401, "a code is taken once");
    assert!(again.text().contains("动态口令不对"));
    // the next 30 seconds' is taken too: clocks differ
    let entered = send(&secret.code(now() + chrono::TimeDelta::seconds(30)));
    assert_eq!(entered.header("location"), Some("/sign-in?check=1&next=%2Faccount"), "{}", entered.text());
    assert_eq!(service.ask("GET", "/account", &[("cookie", &cookie(&entered))]).status, 200);
}

#[test]
fn codes_are_throttled_whoever_knows_the_password() {
    let service = Service::start_with_second_factor(vec![Role::Supervisor]);
    person(&service, "tenzin", Role::Supervisor, &["lhasa"], false);
    let (secret, ..) = set_up(&service, "tenzin");
    for attempt in 0..7 {
        let half = cookie(&password(&service, "tenzin"));
        let reply = service.submit("/sign-in/code", &[("cookie", &half)], &[("code", "000000")]);
        assert_eq!(reply.status.as_u16(), if attempt < 5 { 401 } else { 429 }, "{attempt}");
    }
    let half = cookie(&password(&service, "tenzin"));
    let right = secret.code(now() + chrono::TimeDelta::seconds(30));
    assert_eq!(service.submit("/sign-in/code", &[("cookie", &half)], &[("code", &right)]).status, 429);
}

#[test]
fn the_api_needs_it_too_and_an_administrator_takes_it_away() {
    let service = Service::start_with_second_factor(vec![Role::Supervisor]);
    person(&service, "tenzin", Role::Supervisor, &["lhasa"], false);
    let enter = |code: Option<String>| {
        let body = json!({ "account": "tenzin", "password": PASSWORD, "code": code }).to_string();
        service.send_bytes("POST", "/api/v1/session", &[("content-type", "application/json")], body.as_bytes())
    };
    let reply = enter(None);
    assert_eq!(reply.status, 403, "{}", reply.text());
    let (secret, whole, _) = set_up(&service, "tenzin");
    assert_eq!(enter(None).status, 401);
    assert_eq!(enter(Some("000000".to_owned())).status, 401);
    let reply = enter(Some(secret.code(now() + chrono::TimeDelta::seconds(30))));
    assert_eq!((reply.status.as_u16(), &reply.json()["account"]["second_factor"]), (201, &json!(true)));

    let bearer = crate::service::bearer();
    let path = "/api/v1/accounts/tenzin/second-factor";
    assert_eq!(service.ask("DELETE", path, &[("authorization", &bearer)]).status, 204);
    assert_eq!(service.ask("GET", "/account", &[("cookie", &whole)]).status, 303, "its sessions have ended");
    assert_eq!(enter(None).status, 403, "it is to be set up anew");
    let audit = service.get("/api/v1/audit?action=changed").json().to_string();
    assert!(audit.contains("second_factor") && !audit.contains(&secret.reveal()), "{audit}");
    assert!(!crate::service::logged().contains(&secret.reveal()));
}

#[test]
fn an_agent_may_have_one_and_give_it_back() {
    let service = Service::start_with_second_factor(vec![Role::Supervisor]);
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let (dolma, other) = (service.browser("dolma"), service.browser("dolma"));
    let page = dolma.page("/account/second-factor");
    let text = hidden(&page, "secret").expect("a secret");
    let secret = OtpSecret::parse(text).expect("a secret");
    let code = secret.code(now());
    let keep = |password: &str| {
        dolma.post("/account/second-factor", &[("secret", text), ("code", &code), ("current", password)])
    };
    assert!(keep("wrong").text().contains("现在的密码不对"));
    let kept = keep(PASSWORD);
    assert_eq!(kept.status, 303, "{}", kept.text());
    assert_eq!(other.get("/account").status, 303, "other browsers sign in with the code");
    assert_eq!(dolma.get("/account").status, 303, "and the old token is worth nothing");
    let whole = cookie(&kept);
    let account = service.ask("GET", "/account", &[("cookie", &whole)]);
    let csrf = hidden(account.text(), "csrf").expect("a proof");
    let gone = service.submit(
        "/account/second-factor/remove",
        &[("cookie", &whole)],
        &[("csrf", csrf), ("current", PASSWORD)],
    );
    assert_eq!(gone.header("location"), Some("/sign-in?done=second_factor_removed"));
    assert_eq!(password(&service, "dolma").header("location"), Some("/sign-in?check=1&next=%2Faccount"));
}
