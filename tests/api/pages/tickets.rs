//! The pages of tickets: each role's way through its day, what nobody else sees, and what is said when it can't be.

use hotline::access::Role;
use hotline::store::Order;
use hotline::ticket::{Actor, Command, Level, Side};
use serde_json::{Value, json};

use crate::pages::browser::{Browser, hidden};
use crate::people::person;
use crate::service::{Reply, Service};

/// A request from WeChat that can be dispatched.
fn request() -> Value {
    json!({
        "city": "lhasa",
        "channel": "wechat",
        "type": "complaint",
        "title": "路灯不亮",
        "content": "宇拓路的路灯三天不亮。",
        "class": "0101",
        "place": "宇拓路",
        "name": "扎西",
        "phone": "13812345678",
    })
}

fn filed(service: &Service, request: &Value) -> String {
    let reply = service.post("/api/v1/tickets", &[], request);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["number"].as_str().expect("a number").to_owned()
}

/// Gives commands to a ticket through the API.
fn moved(service: &Service, number: &str, commands: &[Value]) {
    for command in commands {
        let path = format!("/api/v1/tickets/{number}");
        let mut command = command.clone();
        command["version"] = service.get(&path).json()["version"].clone();
        let reply = service.post(&format!("{path}/commands"), &[], &command);
        assert_eq!(reply.status, 200, "{command}: {}", reply.text());
    }
}

fn staffed() -> Service {
    let service = Service::start();
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    person(&service, "tsering", Role::Unit, &["lhasa"], false);
    person(&service, "tashi", Role::Supervisor, &["lhasa"], false);
    person(&service, "pema", Role::Leader, &["lhasa"], false);
    person(&service, "norbu", Role::Agent, &["ngari"], false);
    service
}

/// Sends a command's form as the ticket's page holds it.
fn give(browser: &Browser<'_>, number: &str, command: &str, fields: &[(&str, &str)]) -> Reply {
    let page = browser.page(&format!("/tickets/{number}"));
    assert!(page.contains(&format!("action=\"/tickets/{number}/{command}\"")), "{command} is not offered: {page}");
    let seen = [
        ("version", hidden(&page, "version").expect("a version")),
        ("sequence", hidden(&page, "sequence").expect("a sequence")),
    ];
    browser.post(&format!("/tickets/{number}/{command}"), &[&seen, fields].concat())
}

fn given(browser: &Browser<'_>, number: &str, command: &str, fields: &[(&str, &str)]) {
    let reply = give(browser, number, command, fields);
    assert_eq!(
        reply.header("location"),
        Some(format!("/tickets/{number}?done=given").as_str()),
        "{command}: {}",
        reply.text()
    );
}

#[test]
fn a_request_goes_through_every_hand_by_pages_alone() {
    let service = staffed();
    let (agent, unit, supervisor) = (service.browser("dolma"), service.browser("tsering"), service.browser("tashi"));

    let new = agent.page("/tickets/new");
    let once = hidden(&new, "once").expect("a key");
    let fields = [
        ("once", once),
        ("city", "lhasa"),
        ("channel", "paper"),
        ("type", "help"),
        ("content", "水管漏水。"),
        ("phone", "13812345678"),
    ];
    let place = agent.sent("/tickets/new", &fields);
    let number = place.trim_start_matches("/tickets/").split('?').next().expect("a number");
    assert_eq!(agent.sent("/tickets/new", &fields), place, "sent twice it is filed once");

    assert!(agent.page("/tickets").contains(number));
    let form = agent.page(&format!("/tickets/{number}/form"));
    let version = hidden(&form, "version").expect("a version");
    let fields = [
        ("version", version),
        ("boxes", "yes"),
        ("title", "水管漏水"),
        ("content", "水管漏水。"),
        ("class", "0101"),
        ("place", "北京路"),
        ("urgency", "urgent"),
        ("unit", "lhasa-housing"),
        ("assisting", "lhasa-transport"),
        ("do", "dispatch"),
    ];
    assert_eq!(agent.sent(&format!("/tickets/{number}/form"), &fields), format!("/tickets/{number}?done=dispatched"));

    let inbox = unit.page("/tickets");
    assert!(inbox.contains(number) && inbox.contains("水管漏水"), "{inbox}");
    assert!(inbox.contains("绿灯") && inbox.contains("联系还剩") && inbox.contains("之后 5 个工作日"), "{inbox}");
    given(&unit, number, "sign", &[]);
    let page = unit.page(&format!("/tickets/{number}"));
    assert!(page.contains("还没有联系诉求人的记录"), "the rule that stands against a reply is told: {page}");
    given(&unit, number, "record_contact", &[("told", "明天上门")]);
    given(&unit, number, "reply", &[("text", "已修好。")]);

    let review = supervisor.page("/tickets?state=under_review&order=due");
    assert!(review.contains(number));
    given(&supervisor, number, "pass", &[]);

    let visit = agent.page(&format!("/visits/{number}"));
    let version = hidden(&visit, "version").expect("a version");
    let answers = [("version", version), ("contacted", "in_time"), ("solved", "yes"), ("satisfaction", "5")];
    assert_eq!(agent.sent(&format!("/visits/{number}"), &answers), "/visits?done=answered");
    let page = agent.page(&format!("/tickets/{number}"));
    for words in ["已归档", "明天上门", "已修好。", "非常满意", "按时联系", "派单", "签收"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(service.get(&format!("/api/v1/tickets/{number}")).json()["state"], "archived");
}

#[test]
fn another_citys_and_another_units_tickets_are_not_there() {
    let service = staffed();
    let number = filed(&service, &request());
    moved(&service, &number, &[json!({ "command": "dispatch", "unit": "lhasa-health" })]);
    for name in ["norbu", "tsering"] {
        let browser = service.browser(name);
        let path = format!("/tickets/{number}");
        assert_eq!(browser.get(&path).status, 404, "{name}");
        assert!(!browser.page("/tickets").contains(&number), "{name}");
        for form in ["sign", "note", "reveal", "nonsense"] {
            let reply = browser.post(&format!("{path}/{form}"), &[("version", "1"), ("text", "x"), ("reason", "why")]);
            assert!(matches!(reply.status.as_u16(), 403 | 404), "{name} {form}: {}", reply.status);
            assert!(reply.status == 404 || !reply.text().contains("路灯"), "{name} {form}");
        }
    }
    let elsewhere = service.browser("norbu");
    for path in [format!("/tickets/{number}/form"), format!("/visits/{number}"), "/tickets/1234".to_owned()] {
        let reply = elsewhere.get(&path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("没有找到"), "{}", reply.text());
    }
}

#[test]
fn script_in_any_text_is_shown_as_text() {
    let service = staffed();
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut sent = request();
    for field in ["title", "content", "place", "name", "complained_party"] {
        sent[field] = json!(format!("{field}{evil}"));
    }
    let number = filed(&service, &sent);
    let agent = service.browser("dolma");
    let upload = attach(&agent, &number, &format!("a{evil}.txt"), "text/plain", b"words");
    assert_eq!(upload.status, 303, "{}", upload.text());
    let pages = [
        agent.page("/tickets?order=created"),
        agent.page(&format!("/tickets?order=created&q={}", "%3Cscript%3Ealert(1)%3C%2Fscript%3E")),
        agent.page(&format!("/tickets/{number}")),
        agent.page(&format!("/tickets/{number}/form")),
        agent.page(&format!("/visits/{number}")),
        agent.post(&format!("/tickets/{number}/note"), &[("version", "9"), ("text", evil)]).text().to_owned(),
    ];
    for page in pages {
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
        assert!(page.contains("alert(1)") || page.contains("没有符合条件"), "{page}");
    }
}

#[test]
fn who_was_slower_sees_who_was_quicker_and_keeps_what_was_typed() {
    let service = staffed();
    let number = filed(&service, &request());
    let (slow, quick) = (service.browser("dolma"), service.browser("tashi"));
    let page = slow.page(&format!("/tickets/{number}"));
    let seen =
        [("version", hidden(&page, "version").expect("one")), ("sequence", hidden(&page, "sequence").expect("one"))];
    given(&quick, &number, "note", &[("text", "先打过电话")]);
    let reply = slow.post(&format!("/tickets/{number}/note"), &[&seen[..], &[("text", "我的备注")]].concat());
    assert_eq!(reply.status, 409);
    let text = reply.text();
    for words in ["别人刚刚改过", "tashi", "先打过电话", "我的备注"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let meanwhile = &text[text.find("这期间的变化").expect("the heading")..];
    assert!(!meanwhile[..meanwhile.find("办理进度").expect("the bar")].contains("登记"), "only what is new");
    let version = hidden(text, "version").expect("the version of now");
    let long = "长".repeat(10_000);
    let reply = slow.post(&format!("/tickets/{number}/note"), &[("version", "1"), ("text", &long)]);
    assert!(reply.status == 409 && reply.text().contains(&long), "as long as a text may be: {}", reply.status);
    assert_eq!(
        slow.post(&format!("/tickets/{number}/note"), &[("version", version), ("text", "我的备注")]).status,
        303
    );

    let fields = [("version", "1"), ("boxes", "yes"), ("title", "另一个标题"), ("do", "save")];
    let reply = slow.post(&format!("/tickets/{number}/form"), &fields);
    assert_eq!(reply.status, 409);
    assert!(reply.text().contains("另一个标题") && reply.text().contains("您的修改没有保存"), "{}", reply.text());
}

#[test]
fn what_a_rule_forbids_and_what_cannot_be_used_is_said_in_chinese() {
    let service = staffed();
    let number = filed(&service, &request());
    moved(
        &service,
        &number,
        &[json!({ "command": "dispatch", "unit": "lhasa-housing" }), json!({ "command": "sign" })],
    );
    let unit = service.browser("tsering");
    let version = || service.get(&format!("/api/v1/tickets/{number}")).json()["version"].to_string();
    let post = |command: &str, fields: &[(&str, &str)]| {
        let version = version();
        unit.post(&format!("/tickets/{number}/{command}"), &[&[("version", version.as_str())], fields].concat())
    };
    let reply = post("reply", &[("text", "还没联系就答复")]);
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("请先记录联系") && reply.text().contains("还没联系就答复"), "{}", reply.text());
    let fields = [("working_days", "99"), ("reason", "complex"), ("note", "难")];
    let reply = post("ask_extension", &fields);
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("延期是 1 到 10 个工作日"), "{}", reply.text());
    let agent = service.browser("dolma");
    for (browser, command, fields, blamed) in [
        (&unit, "reply", &[][..], "内容"),
        (&unit, "ask_extension", &[("working_days", "many")], "工作日数"),
        (&unit, "record_contact", &[("told", "x"), ("at", "yesterday")], "时间"),
        (&agent, "correct", &[("phone", "abc")], "电话"),
    ] {
        let reply = browser.post(&format!("/tickets/{number}/{command}"), &[&[("version", "3")], fields].concat());
        assert_eq!(reply.status, 400, "{command}");
        assert!(reply.text().contains(&format!("填写的内容不能用：{blamed}")), "{command}: {}", reply.text());
    }
    assert_eq!(post("sign", &[]).status, 422);
    assert_eq!(post("pass", &[]).status, 403, "a supervisor's");
    assert_eq!(post("step_up", &[]).status, 404, "the clock's is no form");
    let without_proof = service.submit(
        &format!("/tickets/{number}/note"),
        &[("cookie", &unit.cookie)],
        &[("version", "3"), ("text", "x")],
    );
    assert_eq!(without_proof.status, 403);
}

#[test]
fn the_count_of_every_tab_is_that_of_its_list() {
    let service = staffed();
    let many = |count: usize, commands: &[Value]| {
        for _ in 0..count {
            let number = filed(&service, &request());
            moved(&service, &number, commands);
        }
    };
    let to = |unit: &str| json!({ "command": "dispatch", "unit": unit });
    let (sign, contact) = (json!({ "command": "sign" }), json!({ "command": "record_contact", "told": "好" }));
    let reply = json!({ "command": "reply", "text": "已修复。" });
    let suspend = json!({ "command": "suspend", "until": tomorrow(), "reason": reason(&service, "suspension"), "note": "等配件" });
    let asked = json!({ "command": "ask_exclusion", "reason": reason(&service, "exclusion"), "note": "重复" });
    many(3, &[]);
    many(2, &[to("lhasa-housing")]);
    many(1, &[to("lhasa-housing"), sign.clone()]);
    many(1, &[to("lhasa-housing"), sign.clone(), asked]);
    many(1, &[to("lhasa-housing"), sign.clone(), suspend]);
    many(2, &[to("lhasa-housing"), sign.clone(), contact.clone(), reply.clone()]);
    many(1, &[to("lhasa-health"), sign, contact, reply, json!({ "command": "pass" })]);
    many(1, &[json!({ "command": "withdraw", "why": "算了" })]);
    for name in ["dolma", "tsering", "tashi", "pema"] {
        let browser = service.browser(name);
        let first = browser.page("/tickets");
        let tabs = tabs(&first);
        assert!(tabs.len() >= 5 && tabs.iter().any(|(_, count)| *count > 1), "{name}: {tabs:?}");
        for (href, count) in tabs {
            let page = browser.page(&href.replace("&#38;", "&").replace("&amp;", "&"));
            assert_eq!(page.matches("<tr data-href=").count(), count, "{name} {href}");
            assert!(page.contains(&format!("共 {count} 件")), "{name} {href}");
        }
    }
}

#[test]
fn a_list_is_paged_by_a_cursor_and_kept_under_a_name() {
    let service = staffed();
    let numbers: Vec<String> = (0..5).map(|_| filed(&service, &request())).collect();
    let agent = service.browser("dolma");
    let mut next = "/tickets?order=created&limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = agent.page(&next);
        seen.extend(page.split("<tr data-href=\"/tickets/").skip(1).map(|row| row[..12].to_owned()));
        let Some((_, rest)) = page.split_once("rel=\"next\" href=\"") else { break };
        next = rest.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!(seen, numbers.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(agent.get("/tickets?cursor=nonsense").status, 400);
    assert_eq!(agent.get("/tickets?colour=red").status, 400);

    let fields = [("name", "水<b>"), ("query", "q=%E6%B0%B4&order=created&cursor=abc&evil=1&phone=13812345678")];
    assert_eq!(agent.sent("/tickets/views", &fields), "/tickets?q=%E6%B0%B4&order=created&done=view_saved");
    let page = agent.page("/tickets");
    assert!(
        page.contains("水&#60;b&#62;") && !service.browser("tashi").page("/tickets").contains("水&#60;b"),
        "{page}"
    );
    let view = hidden(&page, "view").expect("the view's id").to_owned();
    assert_eq!(service.browser("tashi").post("/tickets/views/remove", &[("view", &view)]).status, 404);
    assert_eq!(agent.sent("/tickets/views/remove", &[("view", &view)]), "/tickets?done=view_removed");
    assert!(!agent.page("/tickets").contains("水&#60;b"));
}

#[test]
fn a_recording_in_tibetan_waits_for_who_understands_it() {
    let service = staffed();
    person(&service, "yangchen", Role::Agent, &["lhasa"], true);
    let number = crate::reading::fill(&service, 2).to_string();
    let (agent, speaker) = (service.browser("dolma"), service.browser("yangchen"));
    let waiting = "/tickets?state=received&needs_tibetan_speaker=true&order=due";
    // nothing fills in the due day of what was submitted before the clock first ran
    service.block_on(service.store.fill_due_days(crate::people::now())).expect("filled");
    assert!(agent.page(waiting).contains(&number));
    let form = |browser: &Browser<'_>| browser.page(&format!("/tickets/{number}/form"));
    let version = |page: &str| hidden(page, "version").expect("a version").to_owned();
    assert!(form(&agent).contains("保存并转交懂藏语的同事"));
    let seen = version(&form(&agent));
    let fields = [("version", seen.as_str()), ("title", "听不懂"), ("do", "hand_over")];
    let place = agent.sent(&format!("/tickets/{number}/form"), &fields);
    assert_eq!(place, "/tickets?state=received&order=due&done=handed_over");
    assert!(speaker.page(&format!("/tickets/{number}")).contains("转交懂藏语的同事填写汉语摘要。"));
    let seen = version(&form(&speaker));
    let fields = [("version", seen.as_str()), ("summary", "水管破裂"), ("do", "save")];
    assert_eq!(speaker.sent(&format!("/tickets/{number}/form"), &fields), format!("/tickets/{number}/form?done=saved"));
    assert!(!agent.page(waiting).contains(&number) && !form(&speaker).contains("保存并转交懂藏语的同事"));
}

#[test]
fn a_form_that_cannot_be_used_keeps_what_was_typed() {
    let service = staffed();
    let number = filed(&service, &request());
    let agent = service.browser("dolma");
    let typed = ("title", "新的标题");
    for (field, value, blamed) in [("unit", "", "承办单位"), ("class", "99999", "分类"), ("phone", "abc", "电话")]
    {
        let fields = [("version", "1"), typed, ("do", "dispatch"), (field, value)];
        let reply = agent.post(&format!("/tickets/{number}/form"), &fields);
        assert_eq!(reply.status, 400, "{field}");
        assert!(reply.text().contains(&format!("不能用：{blamed}")), "{field}: {}", reply.text());
        assert!(reply.text().contains("新的标题"), "{field}");
    }
    let sent = [("city", "lhasa"), ("channel", "paper"), ("type", "help"), ("content", "水管漏水。"), typed];
    for (field, value, blamed) in [("class", "9999", "分类"), ("phone", "abc", "电话")] {
        let reply = agent.post("/tickets/new", &[&sent[..], &[(field, value)]].concat());
        assert_eq!(reply.status, 400, "{field}");
        assert!(reply.text().contains(&format!("不能用：{blamed}")) && reply.text().contains("新的标题"), "{field}");
    }
    let elsewhere = [("city", "ngari"), ("channel", "paper"), ("type", "help"), ("content", "水管漏水。")];
    assert_eq!(agent.post("/tickets/new", &elsewhere).status, 403);
}

#[test]
fn several_are_dispatched_at_once_and_each_says_what_became_of_it() {
    let service = staffed();
    let (ready, moved_on) = (filed(&service, &request()), filed(&service, &request()));
    let mut untitled = request();
    untitled["title"] = Value::Null;
    let untitled = filed(&service, &untitled);
    let mut elsewhere = request();
    elsewhere["city"] = json!("ngari");
    let elsewhere = filed(&service, &elsewhere);
    moved(&service, &moved_on, &[json!({ "command": "note", "text": "x" })]);
    let agent = service.browser("dolma");
    assert!(agent.page("/tickets").contains(&format!("value=\"{ready}:1\"")));
    let chosen = [&ready, &moved_on, &untitled, &elsewhere].map(|number| format!("{number}:1"));
    let mut fields: Vec<(&str, &str)> = chosen.iter().map(|one| ("ticket", one.as_str())).collect();
    fields.push(("unit", "lhasa-housing"));
    let reply = agent.post("/tickets/dispatch", &fields);
    assert_eq!(reply.status, 200);
    let text = reply.text();
    for words in ["1 件已派，共选 4 件", "别人刚刚改过", "还没有标题", "没有这件工单"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let state = |number: &str| service.get(&format!("/api/v1/tickets/{number}")).json()["state"].clone();
    assert_eq!([&ready, &moved_on, &untitled].map(|number| state(number)), ["dispatched", "received", "received"]);
    assert_eq!(service.browser("tsering").post("/tickets/dispatch", &fields).status, 403);
    assert_eq!(agent.post("/tickets/dispatch", &[("unit", "lhasa-housing")]).status, 400);
}

#[test]
fn a_requester_is_shown_whole_once_and_for_a_reason() {
    let service = staffed();
    let number = filed(&service, &request());
    let mut report = request();
    report["type"] = json!("report");
    let report = filed(&service, &report);
    let agent = service.browser("dolma");
    let path = format!("/tickets/{number}");
    assert!(agent.page(&path).contains("138****5678") && !agent.page(&path).contains("13812345678"));
    let without = agent.post(&format!("{path}/reveal"), &[("reason", "x")]);
    assert_eq!(without.status, 400);
    assert!(without.text().contains("请写明查看理由") && !without.text().contains("13812345678"));
    let whole = agent.post(&format!("{path}/reveal"), &[("reason", "核实地址")]);
    assert_eq!((whole.status.as_u16(), whole.header("cache-control")), (200, Some("no-store")));
    assert!(whole.text().contains("13812345678") && whole.text().contains("核实地址"), "{}", whole.text());
    assert!(!agent.page(&path).contains("13812345678"));
    assert_eq!(service.browser("pema").post(&format!("{path}/reveal"), &[("reason", "核实地址")]).status, 403);

    let hidden = agent.page(&format!("/tickets/{report}"));
    assert!(!hidden.contains("138****5678") && !hidden.contains("扎西"), "{hidden}");
    assert_eq!(agent.post(&format!("/tickets/{report}/reveal"), &[("reason", "核实地址")]).status, 403);
    let form = agent.page(&format!("/tickets/{report}/form"));
    assert!(!form.contains("扎西") && !form.contains("138****"), "{form}");
}

#[test]
fn a_file_is_added_and_fetched_under_its_name() {
    let service = staffed();
    let (number, other) = (filed(&service, &request()), filed(&service, &request()));
    let agent = service.browser("dolma");
    let png = b"\x89PNG\r\n\x1a\nrest";
    let reply = attach(&agent, &number, "照片.png", "image/png", png);
    assert_eq!(reply.header("location"), Some(format!("/tickets/{number}?done=attached#attachments").as_str()));
    assert_eq!(attach(&agent, &number, "x.html", "text/html", b"<p>").status, 415);
    assert_eq!(attach(&service.browser("pema"), &number, "x.png", "image/png", png).status, 403);
    let page = agent.page(&format!("/tickets/{number}"));
    let (_, rest) = page.split_once(&format!("href=\"/tickets/{number}/attachments/")).expect("a link");
    let id = rest.split('"').next().expect("an id");
    let file = agent.get(&format!("/tickets/{number}/attachments/{id}"));
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, &png[..]));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename*=UTF-8''%E7%85%A7%E7%89%87.png"));
    assert_eq!(agent.get(&format!("/tickets/{other}/attachments/{id}")).status, 404);
}

#[test]
fn a_form_begins_with_a_template() {
    let service = staffed();
    let number = filed(&service, &request());
    moved(&service, &number, &[json!({ "command": "dispatch", "unit": "lhasa-housing" })]);
    let sent = json!({ "unit": "lhasa-housing", "city": "lhasa", "kind": "contact", "title": "首次联系", "text_zh": "您好，已受理。" });
    let headers = [("authorization", crate::service::bearer()), ("content-type", "application/json".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let put = service.send_bytes("PUT", "/api/v1/reply-templates/first", &headers, sent.to_string().as_bytes());
    assert_eq!(put.status, 201, "{}", put.text());
    let unit = service.browser("tsering");
    let page = unit.page(&format!("/tickets/{number}"));
    assert!(
        page.contains("首次联系")
            && !page.contains("<textarea id=\"record_contact-told\" name=\"told\" maxlength=\"10000\" required>\n您好")
    );
    let page = unit.page(&format!("/tickets/{number}?command=record_contact&template=first"));
    assert!(page.contains("required>\n您好，已受理。</textarea>"), "{page}");
}

#[test]
fn likely_repeats_are_proposed_and_merged() {
    let service = staffed();
    let (first, second) = (filed(&service, &request()), filed(&service, &request()));
    let agent = service.browser("dolma");
    let page = agent.page(&format!("/tickets/{second}"));
    assert!(page.contains("可能重复的工单") && page.contains(&first) && page.contains("同一号码"), "{page}");
    given(&agent, &second, "merge", &[("into", &first)]);
    assert!(agent.page(&format!("/tickets/{second}")).contains("已并案"));
}

#[test]
fn a_ticket_shows_how_many_complain_about_the_same_and_a_visit_is_left_to_a_person() {
    let service = staffed();
    person(&service, "lobsang", Role::Supervisor, &["ngari"], false);
    let number = filed(&service, &request());
    filed(&service, &request());
    moved(&service, &number, &[json!({ "command": "answer", "reply": "已修复" })]);
    service.block_on(service.store.plan_visits(crate::people::now())).expect("planned");
    let (agent, tashi) = (service.browser("dolma"), service.browser("tashi"));
    let supervised = filed(&service, &request());
    let by_system = Order {
        number: supervised.parse().expect("a number"),
        version: None,
        command: Command::Supervise {
            level: Level::FIRST,
            why: "10 complaints: matter lhasa 0101 宇拓路".parse().expect("a text"),
        },
        actor: Actor::System,
        side: Side::System,
        address: None,
    };
    service.block_on(service.store.execute(&by_system, crate::people::now())).expect("supervised");
    let class = service.get("/api/v1/classes").json();
    let class = class["items"].as_array().and_then(|items| items.iter().find(|item| item["code"] == "0101")).cloned();
    let class = class.expect("a class")["zh"].as_str().expect("a name").to_owned();
    let page = tashi.page(&format!("/tickets/{supervised}"));
    assert!(page.contains(&format!("拉萨 {class} 宇拓路：投诉满 10 件")) && !page.contains("10 complaints"), "{page}");
    let page = tashi.page(&format!("/tickets/{number}"));
    assert!(page.contains("同一事项：") && page.contains("30 天内 3 件，满 10 件督办"), "{page}");
    let action = format!("/visits/{number}/skip");
    assert!(page.contains(&action) && !agent.page(&format!("/tickets/{number}")).contains(&action));
    assert_eq!(agent.post(&action, &[("why", "住院")]).status, 403);
    assert_eq!(service.browser("lobsang").post(&action, &[("why", "住院")]).status, 404);
    let short = tashi.post(&action, &[("why", "<")]);
    assert!(short.status == 400 && short.text().contains("name=\"why\" value=\"&#60;\""), "{}", short.text());
    assert_eq!(tashi.sent(&action, &[("why", "住院")]), format!("/tickets/{number}?done=skipped#visits"));
    let page = tashi.page(&format!("/tickets/{number}?done=skipped"));
    assert!(page.contains("已改由人工回访。") && !page.contains(&action), "{page}");
    assert!(tashi.page("/visits").contains(&number));
    let again = tashi.post(&action, &[("why", "住院")]);
    assert!(again.status == 422 && again.text().contains("这次回访已经是人工的。"), "{}", again.text());
}

fn attach(browser: &Browser<'_>, number: &str, name: &str, of: &str, bytes: &[u8]) -> Reply {
    browser.hand_in(&format!("/tickets/{number}/attachments"), &[], Some((name, of, bytes)))
}

/// Address and number of each tab.
fn tabs(page: &str) -> Vec<(String, usize)> {
    let (_, rest) = page.split_once("<ul class=\"tabs\">").expect("tabs");
    let (list, _) = rest.split_once("</ul>").expect("their end");
    let tab = |item: &str| {
        let href = item.split('"').next().expect("an address").to_owned();
        let (_, count) = item.split_once("class=\"count\">").expect("a count");
        (href, count.split('<').next().expect("a number").parse().expect("a number"))
    };
    list.split("<a href=\"").skip(1).map(tab).collect()
}

fn tomorrow() -> String {
    let today = hotline::clock::beijing_day(crate::people::now());
    today.succ_opt().expect("a day").to_string()
}

fn reason(service: &Service, kind: &str) -> String {
    let reply = service.get(&format!("/api/v1/reasons?kind={kind}"));
    reply.json()["items"][0]["code"].as_str().expect("a code").to_owned()
}
