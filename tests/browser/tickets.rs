//! The pages of tickets: through every role's hands, and by keys.

use serde_json::json;

use crate::chromium::Chromium;
use crate::house::House;

/// Chooses in a list.
#[track_caller]
fn choose(browser: &Chromium, name: &str, value: &str) {
    let chosen = browser.run(&format!(
        "const list = document.querySelector('select[name={name}]'); list.value = '{value}'; return list.value"
    ));
    assert_eq!(chosen, json!(value), "{name}");
}

/// Opens a command's form, fills it in and sends it.
#[track_caller]
fn give(browser: &Chromium, command: &str, texts: &[(&str, &str)]) {
    browser.run(&format!("document.getElementById('{command}').open = true"));
    for (field, text) in texts {
        browser.fill(&format!("#{command} [name={field}]"), text);
    }
    browser.send(&format!("#{command} form > div:last-child button"));
    assert!(browser.run("return document.querySelector('main .status').innerText").is_string(), "{}", browser.text());
}

#[test]
fn a_request_goes_through_every_hand_and_every_page_can_be_used() {
    let house = House::new(300);
    let (mut agent, mut unit) = (house.browser("agent"), house.browser("unit"));
    let mut supervisor = house.browser("supervisor");

    agent.open("/tickets/new");
    agent.is_accessible("a new ticket");
    agent.picture("ticket-new");
    choose(&agent, "channel", "paper");
    choose(&agent, "type", "help");
    agent.fill("[name=content]", "老城区的水管漏水，路面结冰。");
    agent.fill("[name=phone]", "13812345678");
    agent.send("form[action='/tickets/new'] button");
    let place = agent.place();
    let number = place.trim_start_matches("/tickets/").split('?').next().expect("a number").to_owned();
    let path = format!("/tickets/{number}");

    agent.open("/tickets");
    agent.is_accessible("an agent's inbox");
    agent.picture("inbox-agent");
    agent.open(&format!("{path}/form"));
    agent.is_accessible("the agent's form");
    agent.picture("ticket-form");
    agent.fill("[name=title]", "老城区水管漏水");
    agent.fill("[name=place]", "茶马广场");
    choose(&agent, "class", "0101");
    choose(&agent, "unit", "chamdo-housing");
    agent.send("button[value=dispatch]");
    assert!(agent.text().contains("已保存并派单"), "{}", agent.text());

    unit.open("/tickets");
    assert!(unit.text().contains("老城区水管漏水") && unit.text().contains("联系还剩"), "{}", unit.text());
    unit.is_accessible("a unit's inbox");
    unit.picture("inbox-unit");
    unit.open(&path);
    give(&unit, "sign", &[]);
    give(&unit, "record_contact", &[("told", "明天上午上门修理。")]);
    unit.run("for (const part of document.querySelectorAll('details')) part.open = true");
    unit.is_accessible("a unit's ticket");
    unit.picture("ticket-unit");
    give(&unit, "reply", &[("text", "已修好，路面已除冰。")]);

    supervisor.open("/tickets");
    assert!(supervisor.text().contains("老城区水管漏水"), "{}", supervisor.text());
    supervisor.picture("inbox-supervisor");
    supervisor.open(&path);
    give(&supervisor, "pass", &[]);

    agent.open("/visits");
    agent.is_accessible("people's return visits");
    agent.picture("visits");
    agent.open(&format!("/visits/{number}"));
    agent.is_accessible("a return visit");
    agent.picture("visit");
    for answer in ["contacted][value=in_time", "solved][value=yes", "satisfaction][value='5'"] {
        agent.click(&format!("[name={answer}]"));
    }
    agent.send(".questions button");
    assert_eq!(agent.place(), "/visits", "{}", agent.text());
    agent.open(&path);
    agent.is_accessible("a ticket at its end");
    agent.picture("ticket-archived");
    for browser in [&mut agent, &mut unit, &mut supervisor] {
        browser.is_clean();
    }
}

#[test]
fn the_inbox_goes_by_keys() {
    let house = House::new(300);
    let mut leader = house.browser("leader");
    leader.open("/tickets?order=created");
    let at = "return document.querySelector('tr[aria-current]')?.dataset.href ?? null";
    let first = leader.run("return document.querySelector('tr[data-href]').dataset.href");
    assert_eq!(leader.run(at), json!(null));
    leader.press("jjk");
    assert_eq!(leader.run(at), first);
    leader.press("?");
    assert_eq!(leader.run("return document.querySelector('dialog').open"), json!(true));
    leader.is_accessible("the keys");
    leader.run("document.querySelector('dialog').close()");
    leader.press("/");
    assert_eq!(leader.run("return document.activeElement.name"), "q");
    leader.press("j");
    assert_eq!(leader.run("return document.activeElement.value"), "j", "who types is left alone");
    leader.run("document.activeElement.blur()");
    leader.press("o");
    leader.wait("return location.pathname !== '/tickets'", std::time::Duration::from_secs(20));
    assert_eq!(json!(leader.place()), first);
    leader.is_accessible("a leader's ticket");
    leader.is_clean();
}
