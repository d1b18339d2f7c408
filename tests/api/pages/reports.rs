//! The pages of reports show what the API counts, of one's own cities, and lead to the lists behind it.

use hotline::access::Role;
use hotline::app::simulate::fill;
use hotline::report;
use hotline::simulate::Plan;
use serde_json::Value;

use crate::people::person;
use crate::service::Service;

const EVERYWHERE: &[&str] = &["lhasa", "shigatse", "shannan", "nyingchi", "chamdo", "nagqu", "ngari"];
const MONTH: &str = "from=2026-09-01&to=2026-09-30";

fn filled(service: &Service) {
    let plan = Plan::new(600, 60, 5, "2026-08-15".parse().expect("a day")).expect("a plan");
    service.block_on(fill(&service.store, &plan, |_| {})).expect("filled");
}

fn table(service: &Service, query: &str) -> Value {
    serde_json::from_str(service.get(query).text()).expect("JSON")
}

#[test]
fn every_figure_of_a_page_is_the_apis_and_leads_to_its_list() {
    let service = Service::start();
    filled(&service);
    person(&service, "tashi", Role::Supervisor, EVERYWHERE, false);
    let tashi = service.browser("tashi");
    let page = tashi.page(&format!("/reports?by=city&span=any&{MONTH}"));
    let api = table(&service, &format!("/api/v1/reports/city?{MONTH}"));
    let rows = api["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 7, "a row a city");
    for row in rows {
        let key = row["key"].as_str().expect("a key");
        for (figure, number) in row["figures"].as_object().expect("figures") {
            let cell = format!(
                "/reports/city/tickets?{}&#38;figure={figure}&#38;key={key}\">{number}</a>",
                MONTH.replace('&', "&#38;")
            );
            assert!(page.contains(&cell), "{cell}");
        }
    }
    for rate in ["on_time", "resolution", "satisfaction"] {
        let share = api["total"]["rates"][rate]["rate"].as_f64().expect("a share");
        assert!(page.contains(&format!("{:.1}%", share * 100.0)), "{rate}");
    }
    let list = tashi.page(&format!("/reports/city/tickets?{MONTH}&figure=received&key=nagqu"));
    let counted = table(&service, &format!("/api/v1/reports/city/tickets?{MONTH}&figure=received&key=nagqu&limit=50"));
    let numbers: Vec<&str> = counted["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["number"].as_str().expect("a number"))
        .collect();
    assert!(!numbers.is_empty());
    assert_eq!(list.matches("class=\"mono\" href=\"/tickets/").count(), numbers.len());
    assert!(numbers.iter().all(|number| list.contains(number)));
}

#[test]
fn charts_have_words_and_their_numbers_as_a_table() {
    let service = Service::start();
    filled(&service);
    person(&service, "tashi", Role::Leader, EVERYWHERE, false);
    let tashi = service.browser("tashi");
    for by in ["city", "unit", "group", "class", "channel", "language", "type", "day"] {
        let page = tashi.page(&format!("/reports?by={by}&span=month&on=2026-09-20"));
        let charts = page.matches("<svg class=\"chart\"").count();
        assert_eq!(page.matches("\" aria-labelledby=\"chart-").count(), charts);
        assert!(charts >= 3 && page.contains("<desc id=\"chart-heat-desc\">"), "{by}: {charts}");
        assert!(!page.contains("style=") && !page.contains("NaN"), "{by}");
    }
    let page = tashi.page("/reports?by=total&span=year&on=2026-09-20");
    let api = table(&service, "/api/v1/reports/total?period=2026");
    let hours = page.split("<caption>受理时段").nth(1).and_then(|rest| rest.split("</table>").next()).expect("a table");
    let cells = hours.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().expect("a number"));
    let sum: u64 = cells.map(|number| number.parse::<u64>().expect("a number")).sum();
    assert_eq!(Some(sum), api["total"]["figures"]["received"].as_u64());
}

#[test]
fn another_citys_figures_are_not_there() {
    let service = Service::start();
    filled(&service);
    person(&service, "dolma", Role::Agent, &["lhasa"], false);
    let dolma = service.browser("dolma");
    let page = dolma.page(&format!("/reports?by=city&span=any&{MONTH}"));
    let api = table(&service, &format!("/api/v1/reports/city?{MONTH}&city=lhasa"));
    assert!(page.contains("拉萨") && !page.contains("key=nagqu") && !page.contains("那曲"));
    assert!(page.contains(&format!(">{}</a>", api["total"]["figures"]["received"])));
    assert_eq!(dolma.get("/reports?city=nagqu").status, 403);
    assert_eq!(dolma.get("/reports/trends?city=nagqu").status, 403);
    assert_eq!(dolma.get(&format!("/reports/city/tickets?{MONTH}&figure=received&city=nagqu")).status, 403);
    let list = dolma.page(&format!("/reports/city/tickets?{MONTH}&figure=received&key=nagqu"));
    assert!(!list.contains("href=\"/tickets/"), "a key of another city counts nothing");
    assert_eq!(
        dolma.get(&format!("/reports/city/file?{MONTH}&format=csv")).status,
        403,
        "no right to take files along"
    );
}

#[test]
fn a_report_is_taken_along_as_a_file_which_is_on_record() {
    let service = Service::start();
    filled(&service);
    person(&service, "tashi", Role::Supervisor, &["lhasa"], false);
    let tashi = service.browser("tashi");
    let csv = tashi.get(&format!("/reports/unit/file?{MONTH}&format=csv"));
    assert_eq!(
        csv.header("content-disposition"),
        Some("attachment; filename=\"report-unit-2026-09-01-2026-09-30.csv\"")
    );
    let same = service.get(&format!("/api/v1/reports/unit?{MONTH}&city=lhasa&format=csv"));
    assert_eq!(csv.text(), same.text());
    assert!(tashi.get(&format!("/reports/unit/file?{MONTH}&format=xlsx")).body.starts_with(b"PK"));
    assert!(tashi.get("/exports/tickets?format=csv&city=lhasa").text().starts_with("\u{feff}number,"));
    let audit = service.get("/api/v1/audit?action=exported").text().to_owned();
    assert_eq!(audit.matches("report unit").count(), 3, "{audit}");
}

#[test]
fn a_report_prints_and_what_cannot_be_asked_is_said() {
    let service = Service::start();
    filled(&service);
    person(&service, "tashi", Role::Leader, EVERYWHERE, false);
    person(&service, "karma", Role::Administrator, EVERYWHERE, false);
    let tashi = service.browser("tashi");
    for (kind, title, first) in
        [("day", "日报", "2026-09-20"), ("week", "周报", "2026-09-14"), ("month", "月报", "2026-09-01")]
    {
        let page = tashi.page(&format!("/reports/print?kind={kind}&on=2026-09-20"));
        assert!(page.contains(title) && page.contains(first) && page.contains("上升趋势"), "{page}");
    }
    let of_unit = tashi.page("/reports/print?kind=week&on=2026-09-20&unit=lhasa-housing");
    assert!(of_unit.contains("周报") && !of_unit.contains("上升趋势"), "classes rise in cities: {of_unit}");
    assert!(tashi.page("/reports/trends").contains("上升趋势"));
    for wrong in ["by=colour", "span=decade", "span=any&from=2026-09-30&to=2026-09-01", "on=yesterday", "city=atlantis"]
    {
        assert_eq!(tashi.get(&format!("/reports?{wrong}")).status, 400, "{wrong}");
    }
    assert_eq!(tashi.get("/reports/colour/tickets?figure=received").status, 404);
    assert_eq!(service.browser("karma").get("/reports").status, 403);
    assert_eq!(service.ask("GET", "/reports", &[]).status, 303);
}

#[test]
fn names_that_hold_script_are_shown_as_text() {
    let service = Service::start();
    filled(&service);
    let unit = serde_json::json!({ "city": "lhasa", "zh": "<script>alert(1)</script>", "bo": "<img src=x>" });
    let headers = [
        ("authorization", format!("Bearer {}", crate::service::TOKEN)),
        ("content-type", "application/json".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let put = service.send_bytes("PUT", "/api/v1/units/lhasa-housing", &headers, unit.to_string().as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    person(&service, "tashi", Role::Leader, EVERYWHERE, false);
    let page = service.browser("tashi").page("/reports?by=unit&span=year&on=2026-09-20");
    assert!(!page.contains("<script>alert") && page.contains("script&#62;alert(1)"), "names are escaped");
    assert!(!page.contains("<img src=x"), "in charts, too");
}

#[test]
fn figures_that_are_not_counted_yet_are_not_shown() {
    let service = Service::start_reporting(report::Config { count_for_ms: 0, ..report::Config::default() });
    for city in ["lhasa", "shigatse", "chamdo", "nyingchi", "shannan"] {
        let request = serde_json::json!({ "city": city, "channel": "weibo", "type": "help", "title": "路灯", "content": "不亮。", "class": "0101" });
        assert_eq!(service.post("/api/v1/tickets", &[], &request).status, 201);
    }
    person(&service, "tashi", Role::Leader, EVERYWHERE, false);
    let tashi = service.browser("tashi");
    let today = hotline::clock::beijing_day(crate::people::now());
    let path = format!("/reports?by=city&span=any&from={today}&to={}", today + chrono::Days::new(60));
    let first = tashi.page(&path);
    assert!(first.contains("没有统计完") && !first.contains("<table"), "{first}");
    let mut asked = 1;
    while tashi.page(&path).contains("没有统计完") {
        asked += 1;
        assert!(asked < 20, "each look counts some more");
    }
    assert!(tashi.page(&path).contains("<table"));
}

#[test]
fn a_report_of_an_event_counts_its_tickets_alone_and_leads_to_their_list() {
    let service = Service::start();
    person(&service, "tashi", Role::Supervisor, EVERYWHERE, false);
    let request = serde_json::json!({ "city": "lhasa", "channel": "weibo", "type": "help", "title": "路灯", "content": "不亮。", "class": "0101" });
    let numbers: Vec<String> = (0..3)
        .map(|_| {
            let made = service.post("/api/v1/tickets", &[], &request);
            made.json()["number"].as_str().expect("a number").to_owned()
        })
        .collect();
    let event = "<b>住建局</b> 听民声";
    let edit = serde_json::json!({ "command": "edit", "version": 1, "event": event });
    let edited = service.post(&format!("/api/v1/tickets/{}/commands", numbers[1]), &[], &edit);
    assert_eq!(edited.status, 200, "{}", edited.text());
    let of = serde_urlencoded::to_string([("event", event)]).expect("a query");
    let whole = table(&service, "/api/v1/reports/city");
    let part = table(&service, &format!("/api/v1/reports/city?{of}"));
    let received = |table: &Value| table["total"]["figures"]["received"].as_u64();
    assert_eq!((received(&whole), received(&part)), (Some(3), Some(1)));
    let list = table(&service, &format!("/api/v1/reports/city/tickets?figure=received&{of}"));
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["items"][0]["number"], numbers[1].as_str());

    let tashi = service.browser("tashi");
    let page = tashi.page(&format!("/reports?by=city&{of}"));
    assert!(page.contains("<option value=\"&#60;b&#62;住建局") && !page.contains("<b>住建局"), "{page}");
    let is_figure = |link: &&str| link.contains("figure=received") && link.contains(">1</a>");
    let figure = page.split("href=\"").find(is_figure).expect("a figure");
    let address = figure.split('"').next().expect("an address").replace("&#38;", "&");
    assert!(address.contains(&of), "{address}");
    let list = tashi.page(&address);
    assert!(list.contains(&numbers[1]) && !list.contains(&numbers[0]), "{list}");
    let file = page.split("href=\"").find(|link| link.starts_with("/reports/city/file?")).expect("a file");
    assert!(file.contains(&of), "{file}");
    assert!(tashi.page(&format!("/reports/print?kind=month&{of}")).contains("听民声"));
    assert!(!tashi.page("/reports?by=city&event=nobody").contains(">1</a>"));
}
