//! Administration by forms: the API's rules and rights, what is shown once, what is shown as text.

use hotline::access::Role;
use hotline::call::line::{Line, Mode};
use hotline::city::City;
use hotline::console::{Settings, TrunkSettings};
use hotline::live::TrunkNow;
use hotline::store::RecordingsChecked;
use hotline::ticket::Action;

use crate::people::{PASSWORD, person};
use crate::service::{Service, TOKEN};

const EVERYWHERE: &[&str] = &["lhasa", "shigatse", "shannan", "nyingchi", "chamdo", "nagqu", "ngari"];

fn started() -> Service {
    let service = Service::start();
    person(&service, "karma", Role::Administrator, EVERYWHERE, false);
    service
}

#[test]
fn an_entry_of_the_catalogue_is_added_changed_and_retired() {
    let service = started();
    let karma = service.browser("karma");
    let unit = [
        ("code", "lhasa-parks"),
        ("city", "lhasa"),
        ("zh", "<b>园林局</b>"),
        ("bo", "གླིང་ཁ་ལས་ཁུངས།"),
        ("classes", "01, 0203"),
        ("active", "yes"),
    ];
    assert_eq!(karma.sent("/admin/units", &unit), "/admin/units?done=saved");
    let page = karma.page("/admin/units?city=lhasa");
    assert!(page.contains("&#60;b&#62;园林局") && page.contains("lhasa-parks") && !page.contains("<b>园"), "{page}");
    let edit = karma.page("/admin/units/edit?code=lhasa-parks");
    assert!(edit.contains("value=\"01, 0203\"") && edit.contains("name=\"active\" value=\"yes\" checked"), "{edit}");
    assert_eq!(karma.sent("/admin/units", &unit[..5]), "/admin/units?done=saved");
    let units = service.get("/api/v1/units?city=lhasa&active=false").json();
    assert_eq!(units["items"][0]["code"], "lhasa-parks");

    assert_eq!(
        karma.sent(
            "/admin/classes",
            &[("code", "0199"), ("zh", "路灯"), ("bo", "ལམ་སྒྲོན།"), ("keywords", "路灯 灯"), ("active", "yes")]
        ),
        "/admin/classes?done=saved"
    );
    assert!(
        karma.page("/admin/classes").contains("0199")
            && karma.page("/admin/classes/edit?code=01").contains("value=\"01\"")
    );
    let reason =
        [("kind", "return"), ("code", "not_ours"), ("zh", "不归本单位"), ("bo", "ང་ཚོའི་མིན།"), ("active", "yes")];
    assert_eq!(karma.sent("/admin/reasons", &reason), "/admin/reasons?done=saved");
    assert!(karma.page("/admin/reasons/edit?kind=return&code=not_ours").contains("不归本单位"));
    let entry = [
        ("id", "park-hours"),
        ("city", "lhasa"),
        ("unit", "lhasa-housing"),
        ("title_zh", "公园几点开门"),
        ("title_bo", "གླིང་ཁ་ནམ་ཕྱེ།"),
        ("text_zh", "早上七点。"),
        ("text_bo", "ཞོགས་པའི་ཆུ་ཚོད་བདུན་པ།"),
        ("review_on", "2027-01-01"),
        ("active", "yes"),
    ];
    assert_eq!(karma.sent("/admin/knowledge", &entry), "/admin/knowledge?done=saved");
    assert!(karma.page("/admin/knowledge").contains("公园几点开门"));
    assert!(karma.page("/admin/knowledge/edit?id=park-hours").contains("早上七点。"));

    let wrong = karma.post("/admin/classes", &[("code", "0199"), ("zh", ""), ("bo", "x"), ("active", "yes")]);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert_eq!(karma.get("/admin/units/edit?code=nowhere").status, 404);
}

#[test]
fn a_refused_form_comes_back_with_what_was_typed_and_the_problem_at_its_field() {
    let service = started();
    let karma = service.browser("karma");
    let refused = |path: &str, status: u16, fields: &[(&str, &str)]| {
        let reply = karma.post(path, fields);
        assert_eq!(reply.status, status, "{path} {fields:?}: {}", reply.text());
        reply.text().to_owned()
    };
    let unit =
        [("code", "lhasa-parks"), ("city", "lhasa"), ("zh", "<b>园林"), ("bo", "གླིང་ཁ།"), ("classes", "9999, 01")];
    let page = refused("/admin/units", 400, &unit);
    for kept in [
        "name=\"code\" value=\"lhasa-parks\" required",
        "<option value=\"lhasa\" selected",
        "value=\"&#60;b&#62;园林\"",
        "name=\"classes\" value=\"9999, 01\" aria-invalid=\"true\" aria-describedby=\"wrong-classes\"",
        "id=\"wrong-classes\">没有这样的大类或小类。",
        "name=\"active\" value=\"yes\"> ",
    ] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    // what names an entry that is there is not changed by a mistake
    let known = [("known", "code"), ("code", "lhasa-housing"), ("city", "nagqu"), ("zh", "住建"), ("bo", "སྡོད་ཁང་།")];
    let page = refused("/admin/units", 409, &known);
    assert!(
        page.contains("id=\"wrong-city\">单位不能换市地") && page.contains("<h1>承办单位 · lhasa-housing"),
        "{page}"
    );
    assert!(
        page.contains("name=\"known\" value=\"code\"")
            && !page.contains("name=\"code\" value=\"lhasa-housing\" required")
    );

    let page = refused("/admin/classes", 400, &[("code", "1"), ("zh", ""), ("bo", "x"), ("active", "yes")]);
    assert!(page.contains("id=\"wrong-zh\">这一项要填写。") && page.contains("value=\"1\""), "{page}");
    let page = refused("/admin/classes", 400, &[("code", "012"), ("zh", "灯"), ("bo", "x")]);
    assert!(page.contains("id=\"wrong-code\"") && page.contains("value=\"012\""), "{page}");
    let reason = [("kind", "refusal"), ("code", "far_away"), ("zh", "不在本区"), ("bo", "ས་མཐའ།")];
    let page = refused("/admin/reasons", 400, &reason);
    assert!(page.contains("id=\"wrong-told_to_requester\"") && page.contains("<option value=\"refusal\" selected"));
    let entry = [
        ("id", "park-hours"),
        ("city", "lhasa"),
        ("unit", "nagqu-housing"),
        ("title_zh", "几点开门"),
        ("title_bo", "ནམ་ཕྱེ།"),
        ("text_zh", "早上\n七点。"),
        ("text_bo", "བདུན་པ།"),
        ("review_on", "2027-01-01"),
    ];
    let page = refused("/admin/knowledge", 400, &entry);
    assert!(page.contains("id=\"wrong-unit\"") && page.contains("早上\n七点。</textarea>"), "{page}");

    let user =
        [("name", "karma"), ("display_name", "另一个"), ("role", "agent"), ("cities", "ngari"), ("password", PASSWORD)];
    let page = refused("/admin/users", 409, &user);
    assert!(
        page.contains("id=\"wrong-name\">已经有这个名称了。") && page.contains("value=\"ngari\" checked"),
        "{page}"
    );
    assert!(page.contains("value=\"另一个\"") && !page.contains(PASSWORD), "a password is typed anew");
    let page = refused("/admin/users/karma", 400, &[("display_name", "噶玛"), ("role", "unit"), ("active", "yes")]);
    assert!(page.contains("id=\"wrong-unit\"") && page.contains("<option value=\"unit\" selected"), "{page}");
    let page = refused("/admin/clients", 400, &[("name", "portal"), ("cities", "lhasa")]);
    assert!(page.contains("id=\"wrong-scopes\"") && page.contains("name=\"name\" value=\"portal\""), "{page}");
    assert_eq!(karma.post("/admin/users/nobody", &user[1..]).status, 404);
}

#[test]
fn entries_of_every_city_are_changed_by_whoever_is_given_every_city() {
    let service = started();
    person(&service, "sonam", Role::Administrator, &EVERYWHERE[..6], false);
    let (karma, sonam) = (service.browser("karma"), service.browser("sonam"));
    let entry = [
        ("id", "park-hours"),
        ("unit", "lhasa-housing"),
        ("title_zh", "公园几点开门"),
        ("title_bo", "ནམ་ཕྱེ།"),
        ("text_zh", "早上七点。"),
        ("text_bo", "བདུན་པ།"),
        ("review_on", "2027-01-01"),
        ("active", "yes"),
    ];
    assert!(karma.page("/admin/knowledge/edit").contains("<option value=\"\">全部</option>"));
    assert_eq!(karma.sent("/admin/knowledge", &entry), "/admin/knowledge?done=saved");
    let edit = karma.page("/admin/knowledge/edit?id=park-hours");
    assert!(edit.contains("<option value=\"\" selected>全部</option>"), "{edit}");
    let page = sonam.page("/admin/knowledge");
    assert!(page.contains("park-hours") && !page.contains("edit?id=park-hours"), "{page}");
    assert_eq!(sonam.get("/admin/knowledge/edit?id=park-hours").status, 404);
    assert_eq!(sonam.post("/admin/knowledge", &entry).status, 403);
    for days in ["[national.2027]\noff = [\"2027-01-01\"]\n", "[region.2027]\noff = [\"2027-03-08\"]\n"] {
        assert_eq!(sonam.post("/admin/calendar", &[("text", days)]).status, 403);
        assert_eq!(karma.sent("/admin/calendar", &[("text", days)]), "/admin/calendar?done=saved");
    }
}

#[test]
fn lines_and_thresholds_are_shown_as_they_act_with_the_keys_that_change_them() {
    let telecom = TrunkSettings {
        name: "telecom".to_owned(),
        registers: true,
        address: "registrar.example:5060".to_owned(),
        number: Some("12345".to_owned()),
        calls_out: true,
        priority: 10,
        channels: 30,
        kept_for_inbound: 15,
        caller_ids: vec![(None, "12345".to_owned()), (Some(City::Chamdo), "089512345".to_owned())],
    };
    let backup =
        TrunkSettings { name: "backup".to_owned(), address: "192.0.2.1".to_owned(), ..TrunkSettings::default() };
    let line = Line { city: City::Chamdo, mode: Mode::SubCentre, ..Line::default() };
    let trunks = vec![telecom, backup];
    let settings = Settings { lines: vec![line], trunks, networks: 2, disk_warn_percent: 17, ..Settings::default() };
    let service = Service::start_set_to(settings);
    person(&service, "karma", Role::Administrator, EVERYWHERE, false);
    let karma = service.browser("karma");
    let now = |name: &str, ailment| TrunkNow { name: name.to_owned(), ailment, calls: 3 };
    service.live.set_trunks(vec![now("telecom", Some("silent"))]);
    let page = karma.page("/admin/lines");
    for shown in [
        "昌都",
        "分中心",
        "先语音菜单",
        "registrar.example:5060",
        "没有应答",
        "外呼占用 3，共 30",
        ">15<",
        "昌都 089512345",
        "其他市地 12345",
        "还不知道",
        "不外呼",
        "sip.allow",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let page = karma.page("/admin/thresholds");
    for shown in [
        "supervision.matter_tickets",
        "投诉、举报",
        "limits.contact_minutes",
        "visits.calls_a_number_a_day",
        "access.login_failures",
        "access.second_factor",
        "09:30-12:30、15:30-20:00",
        ">17<",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("不同的市地"), "no city differs");
}

#[test]
fn holds_are_listed_to_whoever_may_know_of_them_made_and_lifted() {
    let settings = Settings { recordings_days: 1_096, node: "lhasa-1".to_owned(), ..Settings::default() };
    let service = Service::start_set_to(settings);
    let found = RecordingsChecked { at: crate::people::now(), without_row: 3, without_file: 0 };
    service.block_on(service.store.set_recordings_checked("lhasa-1", &found)).expect("kept");
    person(&service, "karma", Role::Administrator, EVERYWHERE, false);
    person(&service, "tashi", Role::Supervisor, &["lhasa"], true);
    person(&service, "nima", Role::Supervisor, &["lhasa"], false);
    person(&service, "pasang", Role::Supervisor, &["nagqu"], true);
    let file = |more: serde_json::Value| {
        let mut request = serde_json::json!({
            "city": "lhasa", "channel": "weibo", "type": "help", "title": "路灯", "content": "不亮。", "class": "0101"
        });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let reply = service.post("/api/v1/tickets", &[], &request);
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["number"].as_str().expect("a number").to_owned()
    };
    let plain = file(serde_json::json!({}));
    let shielded = file(serde_json::json!({ "confidential": true }));
    let (karma, tashi) = (service.browser("karma"), service.browser("tashi"));
    let hold = |number: &str| [("ticket", number.to_owned()), ("reason", "<b>诉讼</b>".to_owned())];
    for number in [&plain, &shielded] {
        let fields = hold(number);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(karma.sent("/admin/retention/hold", &fields), "/admin/retention?done=held");
    }
    let page = tashi.page("/admin/retention");
    assert!(page.contains(&format!("/tickets/{plain}")) && page.contains(&format!("/tickets/{shielded}")), "{page}");
    assert!(page.contains("<span class=\"badge late\">3</span>"), "{page}");
    assert!(page.contains("&#60;b&#62;诉讼") && page.contains("karma") && page.contains(">1096<"), "{page}");
    let nima = service.browser("nima").page("/admin/retention");
    assert!(nima.contains(&plain) && !nima.contains(&shielded), "{nima}");
    let of_karma = karma.page("/admin/retention");
    assert!(of_karma.contains(&plain) && !of_karma.contains("/tickets/"), "an administrator reads no ticket");
    let elsewhere = service.browser("pasang").page("/admin/retention");
    assert!(!elsewhere.contains(&plain) && !elsewhere.contains("拉萨"), "{elsewhere}");
    let lists = |name: &str| {
        let bearer = format!("Bearer {}", crate::people::sign_in(&service, name));
        service.ask("GET", "/api/v1/holds", &[("authorization", &bearer)]).json()["items"].as_array().map(Vec::len)
    };
    assert_eq!((lists("tashi"), lists("nima"), lists("pasang")), (Some(2), Some(1), Some(0)));

    let again = karma.post("/admin/retention/hold", &[("ticket", &plain), ("reason", "再次")]);
    assert!(again.status == 409 && again.text().contains("已经封存") && again.text().contains("value=\"再次\""));
    let unknown = karma.post("/admin/retention/hold", &[("ticket", "426112201378"), ("reason", "诉讼")]);
    assert!(unknown.status == 404 && unknown.text().contains("id=\"wrong-ticket\""), "{}", unknown.text());
    let mute = tashi.post("/admin/retention/release", &[("ticket", &plain), ("reason", "x")]);
    assert!(mute.status == 400 && mute.text().contains("没有保存"), "{}", mute.text());
    let release = [("ticket", plain.as_str()), ("reason", "结案")];
    assert_eq!(tashi.sent("/admin/retention/release", &release), "/admin/retention?done=released");
    assert!(!tashi.page("/admin/retention").contains(&plain));
    assert_eq!(service.browser("pasang").post("/admin/retention/release", &release).status, 404);
}

#[test]
fn people_are_let_in_changed_and_their_sessions_ended() {
    let service = started();
    let karma = service.browser("karma");
    let new = [
        ("name", "pema"),
        ("display_name", "<i>白玛</i>"),
        ("role", "agent"),
        ("cities", "lhasa"),
        ("cities", "nagqu"),
        ("password", PASSWORD),
    ];
    assert_eq!(karma.sent("/admin/users", &new), "/admin/users?done=saved");
    let page = karma.page("/admin/users");
    assert!(page.contains("&#60;i&#62;白玛") && page.contains("拉萨 那曲") && !page.contains(PASSWORD), "{page}");
    let pema = service.browser("pema");
    assert_eq!(karma.sent("/admin/users/pema/sessions/end", &[]), "/admin/users/pema?done=saved");
    assert_eq!(pema.get("/account").status, 303, "the session is over");
    let change = [("display_name", "白玛"), ("role", "leader"), ("cities", "lhasa")];
    assert_eq!(karma.sent("/admin/users/pema", &change), "/admin/users/pema?done=saved");
    let accounts = service.get("/api/v1/accounts").text().to_owned();
    assert!(accounts.contains("\"role\":\"leader\"") && accounts.contains("\"active\":false"), "{accounts}");
    assert_eq!(karma.post("/admin/users", &new).status, 409, "the name is taken");
    assert_eq!(karma.get("/admin/users/nobody").status, 404);
}

#[test]
fn a_clients_token_is_shown_once() {
    let service = started();
    let karma = service.browser("karma");
    let made = karma.post("/admin/clients", &[("name", "city-site"), ("scopes", "tickets:read"), ("cities", "lhasa")]);
    assert_eq!(made.status, 200, "{}", made.text());
    let token =
        made.text().split("<pre class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a token");
    let bearer = format!("Bearer {token}");
    let asked = || service.ask("GET", "/api/v1/tickets", &[("authorization", &bearer)]).status.as_u16();
    assert_eq!(asked(), 200);
    let page = karma.page("/admin/clients");
    assert!(page.contains("city-site") && !page.contains(token) && page.contains("读工单"));
    assert_eq!(karma.sent("/admin/clients/city-site/revoke", &[]), "/admin/clients?done=saved");
    assert_eq!(asked(), 401);
}

#[test]
fn days_off_are_shown_before_they_are_imported() {
    let service = started();
    let request = serde_json::json!({ "city": "lhasa", "channel": "weibo", "type": "help", "title": "路灯", "content": "不亮。", "class": "0101" });
    assert_eq!(service.post("/api/v1/tickets", &[], &request).status, 201);
    let karma = service.browser("karma");
    assert!(karma.page("/admin/calendar").contains("2026"));
    let today = hotline::clock::beijing_day(crate::people::now());
    // every day of the next two weeks, as far as they are of one year: whatever is open moves
    let days: Vec<String> = (1..15).map(|days| format!("\"{}\"", today + chrono::Days::new(days))).collect();
    let year = (today + chrono::Days::new(1)).format("%Y");
    let days: Vec<String> = days.into_iter().filter(|day| day.starts_with(&format!("\"{year}"))).collect();
    let text = format!("[lhasa.{year}]\noff = [{}]\n", days.join(", "));
    let preview = karma.hand_in("/admin/calendar/preview", &[("text", &text)], None);
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert!(
        preview.text().contains("期限会变的在办工单") && preview.text().contains("还没有改动"),
        "{}",
        preview.text()
    );
    let before = service.get("/api/v1/calendar").text().to_owned();
    assert_eq!(karma.sent("/admin/calendar", &[("text", &text)]), "/admin/calendar?done=saved");
    assert_ne!(service.get("/api/v1/calendar").text(), before);
    let bad = "[lhasa.2026]\noff = [\"2026-02-30\"]\n# <Losar>\n";
    let refused = [
        karma.hand_in("/admin/calendar/preview", &[("text", bad)], None),
        karma.hand_in("/admin/calendar/preview", &[], Some(("days.toml", "text/plain", bad.as_bytes()))),
        karma.post("/admin/calendar", &[("text", bad)]),
    ];
    for refused in refused {
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("Line 2: "), "{}", refused.text());
        assert!(refused.text().contains("off = [&#34;2026-02-30&#34;]\n# &#60;Losar&#62;"), "{}", refused.text());
        assert!(refused.text().contains("节假日"), "{}", refused.text());
    }
    let latin = karma.hand_in("/admin/calendar/preview", &[], Some(("days.toml", "text/plain", b"# L\xf6sar")));
    assert_eq!(latin.status, 400);
    assert!(latin.text().contains("id=\"wrong-file\""), "{}", latin.text());
}

#[test]
fn calls_are_paused_and_go_on_and_nothing_undelivered_is_an_empty_list() {
    let service = started();
    person(&service, "tashi", Role::Supervisor, &["lhasa"], false);
    let tashi = service.browser("tashi");
    assert_eq!(tashi.sent("/admin/visits/pause", &[("city", "lhasa"), ("why", "停电")]), "/admin/visits?done=saved");
    let page = tashi.page("/admin/visits");
    assert!(page.contains("停电") && page.contains("tashi"), "{page}");
    let elsewhere = tashi.post("/admin/visits/pause", &[("city", "nagqu"), ("why", "停电维修")]);
    assert_eq!(elsewhere.status, 404, "not theirs");
    assert!(elsewhere.text().contains("没有保存") && elsewhere.text().contains("value=\"停电维修\""));
    assert_eq!(tashi.sent("/admin/visits/resume", &[("city", "lhasa")]), "/admin/visits?done=saved");
    assert!(!tashi.page("/admin/visits").contains("停电"));
    let karma = service.browser("karma");
    assert!(karma.page("/admin/outbox").contains("没有内容"));
    assert_eq!(karma.post("/admin/outbox/nothing/retry", &[]).status, 404);
    assert!(karma.page("/admin/prompts?q=greet.hello").contains("greet.hello"));
}

#[test]
fn the_audit_is_narrowed_taken_along_and_its_seals_are_checked() {
    let service = started();
    person(&service, "norbu", Role::Auditor, EVERYWHERE, false);
    let karma = service.browser("karma");
    karma.sent("/admin/classes", &[("code", "0199"), ("zh", "路灯"), ("bo", "ལམ་སྒྲོན།"), ("active", "yes")]);
    let norbu = service.browser("norbu");
    let page = norbu.page("/audit?person=karma&action=added");
    assert!(page.contains("0199") && page.contains("(karma)"), "{page}");
    assert!(page.contains("中文名称：— → 路灯；") && page.contains("在用：— → 是"), "{page}");
    let here = norbu.page("/audit?person=karma&action=added&address=127.0.0.1");
    assert!(here.contains("0199"));
    assert!(!norbu.page("/audit?person=karma&action=added&address=10.1.1.1").contains("中文名称：— → 路灯；"));
    assert!(!norbu.page("/audit?action=added&to=2020-01-01").contains("中文名称：— → 路灯；"));
    let wrong = norbu.get("/audit?person=nobody-at-all");
    assert_eq!(wrong.status, 400);
    let csv = norbu.get("/audit/file?person=karma&action=added");
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert!(csv.text().contains("0199"), "{}", csv.text());
    assert!(norbu.page(&format!("/audit?action={}", Action::Exported.name())).contains("csv, "));
    service.block_on(service.store.seal_audit(crate::people::now() + chrono::TimeDelta::hours(1))).expect("sealed");
    assert!(norbu.page("/audit").contains("最近一次封存：第 1 号"));
    assert!(norbu.page("/audit?verify=1").contains("封存完好"));
    assert_eq!(karma.get("/audit").status, 403);
    assert_eq!(service.browser("norbu").post("/admin/classes", &[("code", "0198")]).status, 403);
    assert!(!service.get("/api/v1/audit").text().contains(TOKEN));
}

#[test]
fn whoever_may_administer_something_is_led_to_it() {
    let service = started();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    person(&service, "unit", Role::Unit, &["lhasa"], false);
    assert_eq!(service.browser("karma").get("/admin").header("location"), Some("/admin/units"));
    assert_eq!(service.browser("unit").get("/admin").header("location"), Some("/admin/knowledge"));
    assert_eq!(service.browser("dolma").get("/admin").status, 403);
    let unit = service.browser("unit").page("/admin/knowledge");
    assert!(!unit.contains("href=\"/admin/users\""), "no way is shown that is closed");
}

#[test]
fn the_flow_is_drawn_with_the_calls_that_went_each_way_today() {
    let service = started();
    let now = crate::people::now();
    let call = hotline::ticket::CallId::new(now, [3; 10]);
    let new = hotline::store::NewCall {
        id: call,
        node: "test".to_owned(),
        direction: hotline::ticket::Direction::Inbound,
        sip_call_id: None,
        city: hotline::city::City::Lhasa,
        line: "12345".to_owned(),
        phone: None,
        language: None,
        started_at: now,
        answered_at: Some(now),
    };
    service.block_on(service.store.insert_call(&new)).expect("the call");
    let event = |sequence, node: &str| hotline::store::CallEvent {
        call,
        sequence,
        at: now,
        offset_ms: 0,
        kind: hotline::ticket::EventKind::Node,
        text: node.to_owned(),
    };
    let events = [event(1, "answer"), event(2, "greeting"), event(3, "language")];
    service.block_on(service.store.append_events(&events)).expect("the events");
    let page = service.browser("karma").page("/admin/flow");
    assert!(page.contains("flow-edge-used") && page.contains("flow-node-used"), "{page}");
    let row = "<td data-label=\"从\">answer</td><td data-label=\"到\">greeting</td><td class=\"number\" data-label=\"通话次数\">1</td>";
    assert!(page.contains(row), "{page}");
}
