//! Signing in at a provider.

use hotline::access::Role;
use hotline::console::oidc::Config;
use serde_json::json;

use crate::pages::provider::{Provider, Says};
use crate::people::person;
use crate::service::{Reply, Service};

fn start(provider: &Provider, has_second_factor: bool) -> Service {
    let config: Config = serde_json::from_value(json!({
        "issuer": provider.issuer,
        "client_id": "hotline",
        "client_secret": "a secret of the tests",
        "has_second_factor": has_second_factor,
    }))
    .expect("a configuration");
    Service::start_with_provider(config, vec![Role::Supervisor])
}

fn cookie(reply: &Reply, name: &str) -> String {
    let values = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.filter_map(|value| value.split(';').next());
    pairs.find(|pair| pair.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers)).to_owned()
}

/// Where somebody is sent: the address's parameter.
fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').expect("a query").1;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).expect("a query");
    pairs.into_iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {url}")).1
}

struct Away {
    cookie: String,
    state: String,
    nonce: String,
}

fn leave(service: &Service, provider: &Provider) -> Away {
    let reply = service.ask("GET", "/sign-in/oidc", &[]);
    let url = reply.header("location").unwrap_or_else(|| panic!("{}", reply.text())).to_owned();
    assert!(url.starts_with(&format!("{}/authorize?", provider.issuer)), "{url}");
    assert_eq!(
        (parameter(&url, "client_id"), parameter(&url, "code_challenge_method")),
        ("hotline".into(), "S256".into())
    );
    assert_eq!(parameter(&url, "redirect_uri"), service.url("/sign-in/oidc/back"));
    Away { cookie: cookie(&reply, "__Host-oidc"), state: parameter(&url, "state"), nonce: parameter(&url, "nonce") }
}

fn come_back(service: &Service, away: &Away, state: &str) -> Reply {
    service.ask("GET", &format!("/sign-in/oidc/back?code=c0de&state={state}"), &[("cookie", &away.cookie)])
}

fn says(name: &str, away: &Away) -> Says {
    let (name, nonce) = (name.to_owned(), away.nonce.clone());
    Says { name, nonce, audience: "hotline".to_owned(), hours: 1, genuine: true }
}

#[test]
fn whoever_the_provider_names_is_signed_in_with_the_accounts_rights() {
    let provider = Provider::start();
    let service = start(&provider, false);
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    assert!(service.ask("GET", "/sign-in", &[]).text().contains("统一身份认证"));
    let away = leave(&service, &provider);
    provider.says(says("dolma", &away));
    let back = come_back(&service, &away, &away.state);
    assert_eq!(back.header("location"), Some("/sign-in?check=1&next=%2F"), "{}", back.text());
    let session = cookie(&back, "__Host-session");
    let account = service.ask("GET", "/account", &[("cookie", &session)]);
    assert!(account.text().contains("话务员"));
    let asked = provider.asked.lock().expect("nobody panics with it").join("\n");
    assert!(asked.contains("code_verifier=") && asked.contains("code=c0de"), "{asked}");
}

#[test]
fn what_is_not_to_be_believed_signs_nobody_in() {
    let provider = Provider::start();
    let service = start(&provider, true);
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    type Spoil = fn(&mut Says);
    let tries: [(&str, Spoil); 6] = [
        ("another nonce", |says| says.nonce = "another".to_owned()),
        ("another's token", |says| says.audience = "somebody-else".to_owned()),
        ("too old", |says| says.hours = -1),
        ("another signature", |says| says.genuine = false),
        ("an unknown name", |says| says.name = "nobody".to_owned()),
        ("no account's name", |says| says.name = "Robert'); drop table account;--".to_owned()),
    ];
    for (what, spoil) in tries {
        let away = leave(&service, &provider);
        let mut said = says("dolma", &away);
        spoil(&mut said);
        provider.says(said);
        let reply = come_back(&service, &away, &away.state);
        assert_eq!(reply.header("location"), Some("/sign-in?refused=1"), "{what}: {}", reply.text());
    }
    let away = leave(&service, &provider);
    provider.says(says("dolma", &away));
    assert_eq!(come_back(&service, &away, "another").header("location"), Some("/sign-in?refused=1"));
    let without = service.ask("GET", &format!("/sign-in/oidc/back?code=c0de&state={}", away.state), &[]);
    assert_eq!(without.header("location"), Some("/sign-in?refused=1"), "another browser asks");
    let denied = service.ask("GET", "/sign-in/oidc/back?error=access_denied", &[("cookie", &away.cookie)]);
    assert_eq!(denied.header("location"), Some("/sign-in?refused=1"));
    assert!(service.ask("GET", "/sign-in?refused=1", &[]).text().contains("统一身份认证没有通过"));
}

#[test]
fn a_second_factor_is_asked_for_unless_the_provider_has_one() {
    for (has_one, location) in [(false, "/sign-in/set-up?check=1&next=%2F"), (true, "/sign-in?check=1&next=%2F")] {
        let provider = Provider::start();
        let service = start(&provider, has_one);
        person(&service, "tenzin", Role::Supervisor, &["lhasa"], false);
        let away = leave(&service, &provider);
        provider.says(says("tenzin", &away));
        assert_eq!(come_back(&service, &away, &away.state).header("location"), Some(location));
    }
}

#[test]
fn without_a_provider_there_is_nothing() {
    let service = Service::start();
    assert_eq!(service.ask("GET", "/sign-in/oidc", &[]).status, 404);
    assert!(!service.ask("GET", "/sign-in", &[]).text().contains("统一身份认证"));
}

#[test]
fn a_provider_that_does_not_answer_is_told_and_nobody_waits_for_ever() {
    let provider = Provider::at("http://127.0.0.1:9");
    let service = start(&provider, false);
    let reply = service.ask("GET", "/sign-in/oidc", &[]);
    assert_eq!(reply.header("location"), Some("/sign-in?away=1"), "{}", reply.text());
    assert!(service.ask("GET", "/sign-in?away=1", &[]).text().contains("请用账号和密码登录"));
}
