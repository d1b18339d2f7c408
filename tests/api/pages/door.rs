//! Signing in and out, and what stands before every page.

use hotline::access::Role;
use hotline::console::{self, Access};

use crate::pages::browser::hidden;
use crate::people::{PASSWORD, person};
use crate::service::{self, Service};

#[test]
fn somebody_signs_in_by_the_form_and_out_again() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let door = service.ask("GET", "/", &[]);
    assert_eq!((door.status.as_u16(), door.header("location")), (303, Some("/sign-in")));
    let page = service.ask("GET", "/account", &[]);
    assert_eq!((page.status.as_u16(), page.header("location")), (303, Some("/sign-in?next=%2Faccount")));

    let form = [("account", "dolma"), ("password", PASSWORD), ("next", "/account")];
    let reply = service.submit("/sign-in", &[], &form);
    assert_eq!(reply.header("location"), Some("/sign-in?check=1&next=%2Faccount"));
    let cookie = reply.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-session=hls_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair");
    let checked = service.ask("GET", "/sign-in?check=1&next=%2Faccount", &[("cookie", cookie)]);
    assert_eq!((checked.status.as_u16(), checked.header("location")), (303, Some("/account")));
    let without = service.ask("GET", "/sign-in?check=1&next=%2Faccount", &[]);
    assert!(without.text().contains("浏览器没有保存登录凭据"));

    let dolma = service.browser("dolma");
    let account = dolma.page("/account");
    assert!(account.contains("话务员") && account.contains("拉萨"), "{account}");
    assert_eq!(dolma.sent("/sign-out", &[]), "/sign-in?done=signed_out");
    assert_eq!(dolma.get("/account").status, 303, "the session is over");
    assert_eq!(service.ask("GET", "/account", &[("cookie", cookie)]).status, 200, "the other one is not");
}

#[test]
fn whoever_signs_in_is_led_to_what_they_work_on() {
    let service = Service::start();
    for role in Role::ALL {
        person(&service, role.name(), *role, &["lhasa"], false);
        let reply = service.submit("/sign-in", &[], &[("account", role.name()), ("password", PASSWORD)]);
        let cookie =
            reply.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned();
        let mut place = reply.header("location").expect("a place").to_owned();
        let shown = (0..5).any(|_| {
            let reply = service.ask("GET", &place, &[("cookie", &cookie)]);
            let on = reply.header("location").map(str::to_owned);
            place = on.unwrap_or_else(|| place.clone());
            reply.status == 200
        });
        let begins = if *role == Role::Administrator { "/admin" } else { "/tickets" };
        assert!(shown && place.starts_with(begins), "{role} is led to {place}");
    }
}

#[test]
fn wrong_passwords_are_told_and_throttled() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let wrong = || service.submit("/sign-in", &[], &[("account", "dolma"), ("password", "yak")]);
    for _ in 0..5 {
        let reply = wrong();
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (401, None));
        assert!(reply.text().contains("账号或密码不对。") && reply.text().contains("value=\"dolma\""));
    }
    let reply = service.submit("/sign-in", &[], &[("account", "dolma"), ("password", PASSWORD)]);
    assert_eq!(reply.status, 429);
    assert!(reply.text().contains("分钟后再试"), "{}", reply.text());
}

#[test]
fn a_new_password_and_signing_out_everywhere_end_all_sessions() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let (one, other) = (service.browser("dolma"), service.browser("dolma"));
    let change = |current: &str, new: &str, again: &str| {
        one.post("/account/password", &[("current", current), ("new", new), ("again", again)])
    };
    assert!(change("wrong", "barley and butter 9", "barley and butter 9").text().contains("现在的密码不对。"));
    assert!(change(PASSWORD, "barley and butter 9", "barley and butter 8").text().contains("两次输入的新密码不一样。"));
    assert!(change(PASSWORD, "short", "short").text().contains("新密码不能用"));
    let changed = change(PASSWORD, "barley and butter 9", "barley and butter 9");
    assert_eq!(changed.header("location"), Some("/sign-in?done=password"));
    assert_eq!((one.get("/account").status.as_u16(), other.get("/account").status.as_u16()), (303, 303));

    person(&service, "tashi", Role::Agent, &["lhasa"], false);
    let (one, other) = (service.browser("tashi"), service.browser("tashi"));
    assert_eq!(one.sent("/account/sessions/end", &[]), "/sign-in?done=signed_out");
    assert_eq!(other.get("/account").status, 303);
}

#[test]
fn a_form_of_another_page_changes_nothing() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    let other = service.browser("dolma");
    let cookie = ("cookie", dolma.cookie.as_str());
    let own = [("csrf", dolma.csrf.as_str())];
    for (headers, fields) in [
        (vec![cookie], vec![]),
        (vec![cookie], vec![("csrf", other.csrf.as_str())]),
        (vec![cookie, ("origin", "https://evil.example")], own.to_vec()),
        (vec![cookie, ("sec-fetch-site", "cross-site")], own.to_vec()),
    ] {
        let reply = service.submit("/account/sessions/end", &headers, &fields);
        assert_eq!(reply.status, 403, "{headers:?}");
        assert!(reply.text().contains("没有权限"));
    }
    assert_eq!(dolma.get("/account").status, 200);
    let planted = format!("{}; {}", dolma.cookie, other.cookie);
    assert_eq!(service.ask("GET", "/account", &[("cookie", &planted)]).status, 303, "two sessions are none");
    let foreign = service.submit(
        "/sign-in",
        &[("sec-fetch-site", "cross-site")],
        &[("account", "dolma"), ("password", PASSWORD)],
    );
    assert_eq!((foreign.status.as_u16(), foreign.header("set-cookie")), (403, None));
}

#[test]
fn language_and_light_are_kept_and_lead_nowhere_else() {
    let service = Service::start();
    let reply = service.submit("/preferences", &[], &[("language", "bo"), ("back", "/sign-in")]);
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/sign-in")));
    let cookie = reply.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
    let reply = service.ask("GET", "/sign-in", &[("cookie", &cookie)]);
    let page = reply.text();
    assert!(page.contains("<html lang=\"bo\"") && page.contains("གསང་ཨང་།"), "{page}");
    assert!(page.contains("忘记密码时"), "what is not written in Tibetan is Chinese");
    let away = service.submit("/preferences", &[], &[("theme", "dark"), ("back", "//evil.example/")]);
    assert_eq!(away.header("location"), Some("/"));
}

#[test]
fn every_page_has_a_policy_that_lets_nothing_foreign_in() {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    for (path, cookie) in [("/sign-in", ""), ("/account", dolma.cookie.as_str()), ("/nothing-here", "")] {
        let reply = service.ask("GET", path, &[("cookie", cookie)]);
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(!reply.text().contains(" style=") && !reply.text().contains("<script>"), "{path}");
    }
    let missing = dolma.get("/nothing-here");
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("没有这个页面"));
    let page = dolma.page("/account");
    let style =
        page.split("rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a style");
    let reply = service.ask("GET", style, &[]);
    assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(service.ask("GET", "/assets/000000000000/app.css", &[]).status, 404);
    assert!(hidden(&page, "csrf").is_some());
}

/// Each page that needs a right is refused exactly to the roles that lack it, and nobody sees one without a session.
#[test]
fn every_page_is_refused_to_whoever_lacks_its_right() {
    let service = Service::start();
    for role in Role::ALL {
        person(&service, role.name(), *role, &["lhasa"], false);
        let browser = service.browser(role.name());
        for entry in console::page_entries() {
            let Access::Page(right) = entry.access else { continue };
            let path =
                entry.path.replace("{number}", "126112200012").replace("{name}", "nobody").replace("{language}", "zh");
            let path = path.replace("{id}", "019aa8d2-0000-7000-8000-000000000000");
            if entry.path.ends_with("/stream") && role.rights().contains(&right) {
                // it has no end to wait for
                let begun = service.send("GET", &path, &[("cookie", &browser.cookie)]);
                assert_eq!(begun.status(), 200, "{role} {path}");
                continue;
            }
            let reply = match entry.takes_body {
                // without the proof nothing is changed: what is refused for want of the right says so first
                true => service.submit(&path, &[("cookie", &browser.cookie)], &[]),
                false => browser.get(&path),
            };
            let lacks = reply.status == 403 && reply.text().contains("needs the right");
            assert_eq!(lacks, !role.rights().contains(&right), "{role} {path}: {}", reply.status);
            let nobody =
                if entry.takes_body { service.submit(&path, &[], &[]) } else { service.ask("GET", &path, &[]) };
            let turned_away = if entry.takes_body { 401 } else { 303 };
            assert_eq!(nobody.status, turned_away, "{path}");
        }
    }
    assert!(!service::logged().contains(PASSWORD));
}
