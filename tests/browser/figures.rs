//! A leader reads a report, the live board moves while a call runs, an administrator imports days off.

use crate::house::House;
use crate::peer::call::Dial;
use crate::peer::phone::Phone;
use crate::peer::service::book;
use crate::peer::time::seconds;

#[test]
fn a_leader_reads_a_report_and_the_tickets_behind_a_figure() {
    let house = House::new(400);
    let mut browser = house.browser("leader");
    browser.open("/reports?by=unit&span=year");
    browser.is_accessible("a report");
    browser.picture("report");
    browser.screen("report");
    browser.run("document.querySelector('select[name=by]').value = 'group'");
    browser.send("form.filters button");
    assert!(browser.place().contains("by=group"), "{}", browser.place());
    let shown = browser.run("return document.querySelector('.report tfoot a').innerText");
    assert!(shown.as_str().is_some_and(|number| !number.is_empty()), "{shown}");
    browser.send(".report tfoot a");
    assert!(browser.place().starts_with("/reports/group/tickets"), "{}", browser.place());
    browser.is_accessible("the tickets behind a figure");
    browser.picture("report-tickets");
    browser.open("/reports/print?kind=month");
    browser.is_accessible("a printed report");
    browser.picture("report-print");
    browser.open("/reports/trends");
    browser.is_accessible("trends");
    browser.open("/tickets");
    browser.screen("inbox");
    browser.is_clean();
}

#[test]
fn the_live_board_moves_while_a_call_runs() {
    let house = House::new(60);
    let mut browser = house.browser("supervisor");
    browser.open("/live");
    browser.wait("return document.getElementById('link').classList.contains('ok')", seconds(5));
    let phone = Phone::udp(&book());
    let call = phone.call(&Dial::new(house.service.sip, "13989000042"));
    call.answered(seconds(5));
    browser.wait("return document.querySelectorAll('#calls tr').length === 1", seconds(5));
    assert!(browser.text().contains("昌都"), "{}", browser.text());
    // whoever calls is on nobody's wall
    assert!(!browser.text().contains("13989000042") && !browser.text().contains("0042"));
    let place = browser.run("return document.querySelector('#calls tr td:nth-child(4)').innerText");
    call.press("2");
    browser.wait(
        &format!(
            "const is = document.querySelector('#calls tr td:nth-child(4)'); return is && is.innerText !== {place}"
        ),
        seconds(5),
    );
    browser.is_accessible("the live board");
    browser.picture("live");
    call.hang_up();
    browser.wait("return document.querySelectorAll('#calls tr').length === 0", seconds(5));
    browser.open("/live?big=1");
    browser.picture("live-big");
    browser.is_clean();
}

#[test]
fn an_administrator_imports_days_off_after_a_look_at_what_moves() {
    let house = House::new(60);
    let mut browser = house.browser("administrator");
    for (path, name) in [
        ("/admin/units", "admin-units"),
        ("/admin/units/edit?code=chamdo-housing", "admin-unit"),
        ("/admin/knowledge", "admin-knowledge"),
        ("/admin/users", "admin-users"),
        ("/admin/clients", "admin-clients"),
        ("/admin/lines", "admin-lines"),
        ("/admin/thresholds", "admin-thresholds"),
        ("/admin/retention", "admin-retention"),
        ("/admin/outbox", "admin-outbox"),
        ("/admin/prompts", "admin-prompts"),
        ("/admin/prompts/menu.head", "admin-prompt"),
        ("/admin/flow", "admin-flow"),
    ] {
        browser.open(path);
        browser.is_accessible(name);
        browser.picture(name);
    }
    browser.open("/admin/units/edit");
    browser.fill("input[name=code]", "chamdo-parks");
    browser.fill("input[name=zh]", "园林局");
    browser.fill("input[name=bo]", "གླིང་ཁ།");
    browser.fill("input[name=classes]", "9999");
    browser.send("form[action='/admin/units'] button");
    assert!(browser.text().contains("没有这样的大类或小类。"), "{}", browser.text());
    browser.is_accessible("a refused form");
    browser.picture("admin-refused");
    browser.open("/admin/calendar");
    browser.is_accessible("the calendar");
    browser.fill("textarea[name=text]", "[chamdo.2027]\noff = [\"2027-03-08\"]\n");
    browser.send("form[action='/admin/calendar/preview'] button");
    assert!(browser.text().contains("还没有改动任何内容"), "{}", browser.text());
    browser.is_accessible("the preview");
    browser.send("form[action='/admin/calendar'] button");
    assert!(browser.text().contains("已保存。") && browser.text().contains("2027-03-08"), "{}", browser.text());
    browser.picture("admin-calendar");
    browser.is_clean();
}

#[test]
fn a_supervisor_holds_the_recordings_of_a_ticket_and_lets_them_go() {
    let house = House::new(60);
    let mut browser = house.browser("supervisor");
    browser.open("/tickets?order=created");
    let path = browser.run("return document.querySelector('.inbox .what a').getAttribute('href')");
    let path = path.as_str().expect("a ticket").to_owned();
    browser.open("/admin/retention");
    browser.fill("form[action='/admin/retention/hold'] input[name=ticket]", path.trim_start_matches("/tickets/"));
    browser.fill("form[action='/admin/retention/hold'] input[name=reason]", "诉讼");
    browser.send("form[action='/admin/retention/hold'] button");
    assert!(browser.text().contains("已封存。"), "{}", browser.text());
    browser.is_accessible("holds");
    browser.picture("holds");
    browser.fill("form[action='/admin/retention/release'] input[name=reason]", "结案");
    browser.send("form[action='/admin/retention/release'] button");
    assert!(browser.text().contains("已解除封存。"), "{}", browser.text());
    browser.open(&path);
    browser.is_accessible("a ticket with its complaints");
    browser.picture("ticket-complaints");
    browser.is_clean();
}

#[test]
fn an_auditor_finds_who_did_what() {
    let house = House::new(60);
    let mut browser = house.browser("auditor");
    browser.open("/audit");
    browser.is_accessible("the audit");
    browser.picture("audit");
    browser.fill("input[name=person]", "auditor");
    browser.send("form.filters button");
    assert!(browser.text().contains("(auditor)"), "{}", browser.text());
    browser.is_clean();
}
