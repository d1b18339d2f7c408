//! Who may come in, and how far.

use hotline::access::{Right, Role, Scope};
use hotline::console::{self, Access, Config};
use serde_json::{Value, json};

use crate::service::{self, Reply, Service, TOKEN};

const PASSWORD: &str = "yaks on the pass";

fn ask(service: &Service, token: &str, method: &str, path: &str, document: Option<&Value>) -> Reply {
    let bearer = format!("Bearer {token}");
    let own = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    match document {
        None => service.ask(method, path, &own[..1]),
        Some(document) => service.send_bytes(method, path, &own, document.to_string().as_bytes()),
    }
}

fn account(name: &str, role: Role) -> Value {
    let mut account = json!({
        "name": name, "display_name": "卓玛", "role": role, "cities": ["lhasa", "ngari"], "password": PASSWORD,
    });
    if role == Role::Unit {
        account["unit"] = "lhasa-housing".into();
    }
    account
}

fn add(service: &Service, name: &str, role: Role) {
    let reply = service.post("/api/v1/accounts", &[], &account(name, role));
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn try_to_sign_in(service: &Service, name: &str, password: &str, headers: &[(&str, &str)]) -> Reply {
    let credentials = json!({ "account": name, "password": password }).to_string();
    let headers = [&[("content-type", "application/json")], headers].concat();
    service.send_bytes("POST", "/api/v1/session", &headers, credentials.as_bytes())
}

fn sign_in(service: &Service, name: &str, password: &str) -> String {
    let reply = try_to_sign_in(service, name, password, &[]);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["token"].as_str().expect("a token").to_owned()
}

#[test]
fn somebody_signs_in_looks_around_and_signs_out() {
    let service = Service::start();
    add(&service, "dolma", Role::Agent);
    let reply = try_to_sign_in(&service, "dolma", PASSWORD, &[]);
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (201, Some("no-store")));
    let session = reply.json();
    let token = session["token"].as_str().expect("a token");
    assert!(session["expires_at"].is_string());
    let me = ask(&service, token, "GET", "/api/v1/me", None).json();
    assert_eq!((&me["name"], &me["cities"]), (&json!("dolma"), &json!(["lhasa", "ngari"])));
    assert_eq!(me["account"], session["account"]);
    assert_eq!((&me["account"]["role"], &me["account"]["display_name"]), (&json!("agent"), &json!("卓玛")));
    assert!(me["rights"].as_array().expect("rights").contains(&json!("receive")));
    assert_eq!(ask(&service, token, "GET", "/api/v1/tickets", None).status, 200);
    assert_eq!(ask(&service, token, "DELETE", "/api/v1/session", None).status, 204);
    assert_eq!(ask(&service, token, "GET", "/api/v1/me", None).status, 401);

    let audit = service.get("/api/v1/audit?limit=3").json();
    let acts: Vec<&str> =
        audit["items"].as_array().expect("acts").iter().filter_map(|act| act["action"].as_str()).collect();
    assert_eq!(acts, ["logged_out", "logged_in", "added"]);
    assert!(service::logged().contains("path=\"/api/v1/session\""));
    for secret in [token, PASSWORD, "argon2id$"] {
        assert!(!service::logged().contains(secret), "{secret}");
        assert!(!audit.to_string().contains(secret), "{secret}");
    }
}

#[test]
fn the_operators_token_is_no_account() {
    let service = Service::start();
    let me = service.get("/api/v1/me").json();
    assert_eq!((&me["actor"], &me["account"]), (&json!("operator"), &Value::Null));
    assert_eq!(me["rights"].as_array().map(Vec::len), Some(Right::ALL.len()));
    let password = json!({ "current": TOKEN, "new": PASSWORD });
    assert_eq!(ask(&service, TOKEN, "PUT", "/api/v1/me/password", Some(&password)).status, 409);
    assert_eq!(ask(&service, TOKEN, "DELETE", "/api/v1/session", None).status, 409);
    assert_eq!(ask(&service, TOKEN, "DELETE", "/api/v1/sessions", None).status, 409);
}

#[test]
fn a_wrong_password_and_an_unknown_account_answer_alike() {
    let service = Service::start();
    add(&service, "dolma", Role::Agent);
    let wrong = try_to_sign_in(&service, "dolma", "yaks on the path", &[]);
    let unknown = try_to_sign_in(&service, "nobody", PASSWORD, &[]);
    assert_eq!(wrong.show(), unknown.show());
    insta::assert_snapshot!("wrong_password", wrong.show());
    for _ in 1..5 {
        assert_eq!(try_to_sign_in(&service, "dolma", "yaks on the path", &[]).status, 401);
        assert_eq!(try_to_sign_in(&service, "nobody", PASSWORD, &[]).status, 401);
    }
    let (known, unknown) =
        (try_to_sign_in(&service, "dolma", PASSWORD, &[]), try_to_sign_in(&service, "nobody", "x", &[]));
    for reply in [known, unknown] {
        assert_eq!((reply.status.as_u16(), &reply.json()["title"]), (429, &json!("Too many tries")));
        let wait: u32 = reply.header("retry-after").expect("a wait").parse().expect("seconds");
        assert!((1..=900).contains(&wait), "{wait}");
    }
}

#[test]
fn a_new_password_ends_all_sessions() {
    let service = Service::start();
    add(&service, "dolma", Role::Agent);
    let (token, other) = (sign_in(&service, "dolma", PASSWORD), sign_in(&service, "dolma", PASSWORD));
    let change = |current: &str, new: &str| {
        ask(&service, &token, "PUT", "/api/v1/me/password", Some(&json!({ "current": current, "new": new })))
    };
    let wrong = change("yaks on the path", "a river of snow water");
    assert_eq!((wrong.status.as_u16(), &wrong.json()["parameter"]), (403, &json!("current")));
    let short = change(PASSWORD, "short");
    assert_eq!((short.status.as_u16(), &short.json()["parameter"]), (400, &json!("new")));
    assert_eq!(change(PASSWORD, "a river of snow water").status, 204);
    for token in [&token, &other] {
        assert_eq!(ask(&service, token, "GET", "/api/v1/me", None).status, 401);
    }
    assert_eq!(try_to_sign_in(&service, "dolma", PASSWORD, &[]).status, 401);
    let (token, other) =
        (sign_in(&service, "dolma", "a river of snow water"), sign_in(&service, "dolma", "a river of snow water"));
    assert_eq!(ask(&service, &token, "DELETE", "/api/v1/sessions", None).status, 204);
    for token in [&token, &other] {
        assert_eq!(ask(&service, token, "GET", "/api/v1/me", None).status, 401);
    }
}

#[test]
fn an_administrator_keeps_the_accounts() {
    let service = Service::start();
    add(&service, "root", Role::Administrator);
    let root = sign_in(&service, "root", PASSWORD);
    let added = ask(&service, &root, "POST", "/api/v1/accounts", Some(&account("housing", Role::Unit)));
    assert_eq!((added.status.as_u16(), &added.json()["unit"]), (201, &json!("lhasa-housing")));
    let token = sign_in(&service, "housing", PASSWORD);
    let listed = ask(&service, &root, "GET", "/api/v1/accounts", None).json();
    let names: Vec<&Value> =
        listed["items"].as_array().expect("accounts").iter().map(|account| &account["name"]).collect();
    assert_eq!((names, &listed["next"]), (vec![&json!("housing"), &json!("root")], &Value::Null));

    let path = "/api/v1/accounts/housing";
    assert_eq!(ask(&service, &root, "DELETE", &format!("{path}/sessions"), None).status, 204);
    assert_eq!(ask(&service, &token, "GET", "/api/v1/me", None).status, 401);
    let token = sign_in(&service, "housing", PASSWORD);
    let mut change = json!({
        "display_name": "住建局", "role": "agent", "cities": ["ngari"], "named": true, "active": true,
    });
    let changed = ask(&service, &root, "PUT", path, Some(&change));
    assert_eq!((changed.status.as_u16(), &changed.json()["unit"]), (200, &Value::Null));
    assert_eq!(ask(&service, &token, "GET", "/api/v1/me", None).status, 401, "another role");
    change["password"] = "a river of snow water".into();
    assert_eq!(ask(&service, &root, "PUT", path, Some(&change)).status, 200);
    let token = sign_in(&service, "housing", "a river of snow water");
    change["active"] = false.into();
    change["password"] = Value::Null;
    assert_eq!(ask(&service, &root, "PUT", path, Some(&change)).json()["active"], false);
    assert_eq!(ask(&service, &token, "GET", "/api/v1/me", None).status, 401, "not active");
    assert_eq!(try_to_sign_in(&service, "housing", "a river of snow water", &[]).status, 401);

    let account = &changed.json()["id"];
    let audit =
        service.get(&format!("/api/v1/audit?subject=account%20{}", account.as_str().expect("an id"))).text().to_owned();
    assert!(audit.contains("\"password\"") && !audit.contains("river"), "{audit}");
}

#[test]
fn every_mistake_about_an_account_is_named() {
    let service = Service::start();
    add(&service, "dolma", Role::Agent);
    let with = |member: &str, value: Value| {
        let mut account = account("tashi", Role::Agent);
        account[member] = value;
        account
    };
    let cases = [
        with("name", json!("dolma")),
        with("name", json!("Tashi")),
        with("display_name", json!(" ")),
        with("role", json!("king")),
        with("role", json!("unit")),
        with("unit", json!("lhasa-housing")),
        with("cities", json!([])),
        with("cities", json!(["beijing"])),
        with("password", json!("tashi")),
        with("password", json!("Password123")),
        with("admin", json!(true)),
        {
            let mut unit = account("tashi", Role::Unit);
            unit["unit"] = "lhasa-moon".into();
            unit
        },
        {
            let mut unit = account("tashi", Role::Unit);
            unit["named"] = true.into();
            unit
        },
    ];
    let mut told = String::new();
    for case in &cases {
        let reply = service.post("/api/v1/accounts", &[], case);
        let problem = reply.json();
        told += &format!("{} {} {}\n", reply.status.as_u16(), problem["parameter"], problem["detail"]);
    }
    let change = json!({ "display_name": "x", "role": "agent", "cities": ["lhasa"], "named": false, "active": true });
    for name in ["nobody", "No%20body"] {
        let reply = ask(&service, TOKEN, "PUT", &format!("/api/v1/accounts/{name}"), Some(&change));
        told += &format!("{} {}\n", reply.status.as_u16(), reply.json()["detail"]);
    }
    insta::assert_snapshot!("account_mistakes", told);
}

#[test]
fn a_client_is_let_in_as_far_as_its_scopes_go() {
    let service = Service::start();
    let wechat = json!({ "name": "wechat", "scopes": ["tickets:read", "tickets:write"], "cities": ["lhasa"] });
    let reply = service.post("/api/v1/clients", &[], &wechat);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let token = reply.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(ask(&service, &token, "GET", "/api/v1/tickets", None).status, 200);
    for (method, path) in [("GET", "/api/v1/accounts"), ("GET", "/api/v1/audit"), ("GET", "/api/v1/me")] {
        assert_eq!(ask(&service, &token, method, path, None).status, 403, "{path}");
    }
    let listed = service.get("/api/v1/clients");
    assert_eq!(listed.json()["items"][0]["scopes"], wechat["scopes"]);
    assert!(!listed.text().contains("hlc_"));
    assert_eq!(service.post("/api/v1/clients", &[], &wechat).status, 409);
    let without = json!({ "name": "portal", "scopes": [], "cities": [] });
    assert_eq!(service.post("/api/v1/clients", &[], &without).json()["parameter"], "scopes");
    assert_eq!(ask(&service, TOKEN, "DELETE", "/api/v1/clients/wechat", None).status, 204);
    assert_eq!(ask(&service, &token, "GET", "/api/v1/tickets", None).status, 401);
    assert_eq!(ask(&service, TOKEN, "DELETE", "/api/v1/clients/wechat", None).status, 404);
    assert!(!service::logged().contains(&token));
}

#[test]
fn behind_a_proxy_the_address_is_the_one_that_it_names() {
    let proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let service = Service::start_with(Config { proxies, ..Config::default() });
    add(&service, "dolma", Role::Agent);
    let from = [("x-forwarded-for", "6.6.6.6, 198.51.100.7")];
    assert_eq!(try_to_sign_in(&service, "dolma", PASSWORD, &from).status, 201);
    let audit = service.get("/api/v1/audit?action=logged_in").json();
    assert_eq!(audit["items"][0]["address"], "198.51.100.7");

    let direct = Service::start();
    add(&direct, "dolma", Role::Agent);
    assert_eq!(try_to_sign_in(&direct, "dolma", PASSWORD, &from).status, 201);
    let audit = direct.get("/api/v1/audit?action=logged_in").json();
    assert_eq!(audit["items"][0]["address"], "127.0.0.1");
}

/// Each route that needs a right is refused exactly to those who lack it.
fn walk(service: &Service, who: &str, rights: &[Right], token: &mut dyn FnMut() -> String) {
    let mut current = token();
    for entry in console::entries() {
        let Access::Right(right) = entry.access else { continue };
        let path = entry.path.replace("{number}", "126112200012").replace("{name}", "nobody");
        let path = path.replace("{id}", "019aa8d2-0000-7000-8000-000000000000");
        let bearer = format!("Bearer {current}");
        let status = service.send(entry.method.as_str(), &path, &[("authorization", &bearer)]).status();
        assert_eq!(status == 403, !rights.contains(&right), "{who} {} {path}: {status}", entry.method);
        assert_ne!(status, 401, "{who} {} {path}", entry.method);
        if entry.method == "DELETE" && path.contains("/session") && status == 204 {
            current = token();
        }
    }
}

#[test]
fn every_route_is_refused_to_every_role_that_lacks_its_right() {
    let service = Service::start();
    for role in Role::ALL.iter().copied() {
        add(&service, role.name(), role);
        walk(&service, role.name(), role.rights(), &mut || sign_in(&service, role.name(), PASSWORD));
    }
    walk(&service, "operator", Right::ALL, &mut || TOKEN.to_owned());
}

#[test]
fn every_route_is_refused_to_every_client_that_lacks_its_right() {
    let service = Service::start();
    for (at, scope) in Scope::ALL.iter().copied().enumerate() {
        let client = json!({ "name": format!("client-{at}"), "scopes": [scope], "cities": [] });
        let token = service.post("/api/v1/clients", &[], &client).json()["token"].as_str().expect("a token").to_owned();
        walk(&service, scope.name(), scope.rights(), &mut || token.clone());
    }
}
