//! Open311 GeoReport v2: the members that the published specification names, in both formats, and what is never given out.

use hotline::access::Scope;
use hotline::store::{By, NewClient};
use hotline::ticket::{Actor, ClientId};
use serde_json::{Value, json};

use crate::people::now;
use crate::service::{Reply, Service};

/// Lets a client in; gives its key.
fn key(service: &Service, name: &str, scopes: &[Scope], cities: &[&str]) -> String {
    let now = now();
    let new = NewClient {
        id: ClientId::new(now, [name.len() as u8; 10]),
        name: name.parse().expect("a name"),
        scopes: scopes.iter().copied().collect(),
        cities: cities.iter().map(|city| city.parse().expect("a city")).collect(),
    };
    let by = By { actor: Actor::Operator, address: None };
    let added = service.block_on(service.store.add_client(&new, [name.len() as u8; 32], &by, now));
    let (_, token) = added.expect("let in");
    token.reveal().to_owned()
}

fn file(service: &Service, format: &str, fields: &[(&str, &str)]) -> Reply {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    service.send_bytes("POST", &format!("/open311/v2/requests.{format}"), &headers, body.join("&").as_bytes())
}

fn get(service: &Service, path: &str) -> Reply {
    service.ask("GET", path, &[])
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn discovery_names_the_endpoint_in_both_formats() {
    let service = Service::start();
    let json = get(&service, "/open311/discovery.json").json();
    assert_eq!(members(&json), ["changeset", "contact", "endpoints", "key_service"]);
    let endpoint = &json["endpoints"][0];
    assert_eq!(members(endpoint), ["changeset", "formats", "specification", "type", "url"]);
    let xml = get(&service, "/open311/discovery.xml");
    assert_eq!(xml.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(xml.text().contains("<discovery><changeset>") && xml.text().contains("<endpoint><specification>"));
}

#[test]
fn services_are_the_classes_with_their_groups() {
    let service = Service::start();
    let list = get(&service, "/open311/v2/services.json").json();
    let list = list.as_array().expect("services");
    assert!(list.len() >= 60, "{}", list.len());
    for item in list {
        let expected = ["description", "group", "keywords", "metadata", "service_code", "service_name", "type"];
        assert_eq!(members(item), expected);
    }
    let code = list[0]["service_code"].as_str().expect("a code");
    let definition = get(&service, &format!("/open311/v2/services/{code}.json")).json();
    let expected =
        ["code", "datatype", "datatype_description", "description", "order", "required", "values", "variable"];
    assert_eq!(members(&definition["attributes"][0]), expected);
    let xml = get(&service, "/open311/v2/services.xml");
    assert!(xml.text().starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<services><service><service_code>"));
    assert_eq!(get(&service, "/open311/v2/services/9999.json").status, 404);
}

#[test]
fn a_request_is_filed_and_followed() {
    let service = Service::start();
    let key = key(&service, "wechat-lhasa", &[Scope::Open311], &["lhasa"]);
    let fields = [
        ("api_key", key.as_str()),
        ("jurisdiction_id", "lhasa"),
        ("service_code", "0101"),
        ("lat", "29.6543"),
        ("long", "91.1175"),
        ("address_string", "宇拓路 12 号"),
        ("description", "路灯 & <灯> 不亮\n三天了"),
        ("phone", "13812345678"),
        ("first_name", "扎西"),
        ("attribute[channel]", "wechat"),
        ("attribute[type]", "complaint"),
    ];
    let filed = file(&service, "json", &fields);
    assert_eq!(filed.status, 201, "{}", filed.text());
    let number = filed.json()[0]["service_request_id"].as_str().expect("an id").to_owned();
    assert!(filed.json()[0]["service_notice"].as_str().is_some_and(|notice| notice.contains(&number)));

    let own = service.get(&format!("/api/v1/tickets/{number}")).json();
    assert_eq!((&own["channel"], &own["type"], &own["name"]), (&json!("wechat"), &json!("complaint"), &json!("扎西")));

    let one = get(&service, &format!("/open311/v2/requests/{number}.json?api_key={key}"));
    let request = &one.json()[0];
    let specified = [
        "service_request_id",
        "status",
        "status_notes",
        "service_name",
        "service_code",
        "description",
        "agency_responsible",
        "service_notice",
        "requested_datetime",
        "updated_datetime",
        "expected_datetime",
        "address",
        "address_id",
        "zipcode",
        "lat",
        "long",
        "media_url",
    ];
    assert!(members(request).iter().all(|member| specified.contains(member)), "{request}");
    assert_eq!((&request["status"], &request["service_code"]), (&json!("open"), &json!("0101")));
    assert_eq!((&request["lat"], &request["address"]), (&json!(29.6543), &json!("宇拓路 12 号")));
    assert!(request["requested_datetime"].as_str().is_some_and(|at| at.ends_with("+08:00")));
    for secret in ["13812345678", "138****5678", "扎西"] {
        assert!(!one.text().contains(secret), "{}", one.text());
    }
    let token = get(&service, &format!("/open311/v2/tokens/{number}.json?api_key={key}")).json();
    assert_eq!(token[0], json!({ "service_request_id": number, "token": number }));

    let xml = get(&service, &format!("/open311/v2/requests.xml?api_key={key}&jurisdiction_id=lhasa&status=open"));
    assert!(
        xml.text().contains(&format!("<service_requests><request><service_request_id>{number}<")),
        "{}",
        xml.text()
    );
    assert!(xml.text().contains("<zipcode></zipcode>"));
    let closed = get(&service, &format!("/open311/v2/requests.json?api_key={key}&jurisdiction_id=lhasa&status=closed"));
    assert_eq!(closed.json(), json!([]));
}

#[test]
fn confidential_requests_and_reports_are_never_given_out() {
    let service = Service::start();
    let key = key(&service, "site", &[Scope::Open311], &[]);
    let base = [
        ("api_key", key.as_str()),
        ("jurisdiction_id", "chamdo"),
        ("service_code", "0101"),
        ("address_id", "541000"),
        ("description", "秘密的事"),
    ];
    for extra in [("attribute[type]", "report"), ("attribute[confidential]", "true")] {
        let filed = file(&service, "json", &[base.as_slice(), &[extra]].concat());
        let number = filed.json()[0]["service_request_id"].as_str().expect("an id").to_owned();
        assert_eq!(get(&service, &format!("/open311/v2/requests/{number}.json?api_key={key}")).status, 404);
        assert_eq!(get(&service, &format!("/open311/v2/tokens/{number}.json?api_key={key}")).status, 404);
    }
    let list = get(&service, &format!("/open311/v2/requests.json?api_key={key}&jurisdiction_id=chamdo"));
    assert_eq!(list.json(), json!([]));
}

#[test]
fn errors_are_those_of_the_specification() {
    let service = Service::start();
    let key_of_lhasa = key(&service, "lhasa-only", &[Scope::Open311], &["lhasa"]);
    let key_of_reports = key(&service, "reports", &[Scope::ReadReports], &[]);
    let good = |key: &str| {
        vec![
            ("api_key", key.to_owned()),
            ("jurisdiction_id", "lhasa".to_owned()),
            ("service_code", "0101".to_owned()),
            ("address_string", "宇拓路".to_owned()),
            ("description", "x".to_owned()),
        ]
    };
    let with = |key: &str, value: &str| {
        let mut fields = good(&key_of_lhasa);
        fields.retain(|(name, _)| *name != key);
        if !value.is_empty() {
            fields.push((Box::leak(key.to_owned().into_boxed_str()), value.to_owned()));
        }
        fields
    };
    for (fields, status) in [
        (with("api_key", ""), 403),
        (with("api_key", "wrong"), 403),
        (good(&key_of_reports), 403),
        (with("jurisdiction_id", ""), 400),
        (with("jurisdiction_id", "beijing"), 404),
        (with("jurisdiction_id", "chamdo"), 403),
        (with("service_code", ""), 400),
        (with("service_code", "9999"), 404),
        (with("address_string", ""), 400),
        (with("lat", "29.65"), 400),
        (with("phone", "x13812345678"), 400),
        (with("attribute[type]", "shout"), 400),
        (with("attribute[channel]", "phone"), 400),
    ] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let json = file(&service, "json", &fields);
        assert_eq!(json.status, status, "{fields:?}: {}", json.text());
        assert_eq!(json.json()[0]["code"], status.to_string());
        assert!(!json.text().contains("138"), "{}", json.text());
        let xml = file(&service, "xml", &fields);
        assert!(xml.text().contains(&format!("<errors><error><code>{status}</code><description>")), "{}", xml.text());
    }
    let long = "/open311/v2/requests.json?jurisdiction_id=lhasa&start_date=2026-01-01T00:00:00Z\
                &end_date=2026-06-01T00:00:00Z&api_key=";
    assert_eq!(get(&service, &format!("{long}{key_of_lhasa}")).status, 400);
    assert_eq!(get(&service, "/open311/v2/requests.json?jurisdiction_id=lhasa").status, 403);
    assert_eq!(get(&service, "/open311/v2/nothing.json").status, 404);
    assert_eq!(get(&service, "/open311/v2/services").status, 404);
}
