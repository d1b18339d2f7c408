//! Recordings on pages: found, heard, drawn, taken away, and refused to those whom they are not for.

use std::fs;

use hotline::access::Role;
use hotline::store::{RecordingFilter, Whose};
use serde_json::{Value, json};

use crate::people::{person, sign_in};
use crate::reading::fill;
use crate::service::Service;

/// A call with its ticket and its two recordings on disk: the ids of the request's and of the whole call's.
struct Recorded {
    number: String,
    request: String,
    whole: String,
}

fn recorded(service: &Service, n: u8) -> Recorded {
    let number = fill(service, n);
    let filter = RecordingFilter { ticket: Some(number), ..RecordingFilter::default() };
    let whose = Whose { shielded: true, ..Whose::default() };
    let found = service.block_on(service.store.search_recordings(&filter, &whose, 10, None)).expect("read").items;
    for recording in &found {
        let path = service.folder.join(&recording.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let spec = hound::WavSpec {
            channels: recording.channels.into(),
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).expect("a file");
        for at in 0..24_000i32 * i32::from(recording.channels) {
            file.write_sample((at % 9_000) as i16).expect("written");
        }
        file.finalize().expect("a file");
    }
    let id = |channels: u8| {
        let one = found.iter().find(|recording| recording.channels == channels).expect("a recording");
        one.id.to_string()
    };
    Recorded { number: number.to_string(), request: id(1), whole: id(2) }
}

fn command(service: &Service, number: &str, command: &Value) {
    let reply = service.post(&format!("/api/v1/tickets/{number}/commands"), &[], command);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Acts upon the ticket: action and reason.
fn told(service: &Service, number: &str) -> Vec<(String, String)> {
    let acts = service.get(&format!("/api/v1/audit?subject={number}")).json();
    let text = |act: &Value, key: &str| act[key].as_str().unwrap_or_default().to_owned();
    acts["items"].as_array().expect("acts").iter().map(|act| (text(act, "action"), text(act, "reason"))).collect()
}

#[test]
fn recordings_are_found_and_opened() {
    let service = Service::start();
    let (of_shigatse, of_lhasa) = (recorded(&service, 1), recorded(&service, 2));
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    person(&service, "agent", Role::Agent, &["lhasa"], false);
    let (sonam, agent) = (service.browser("sonam"), service.browser("agent"));
    let page = sonam.page("/recordings");
    for id in [&of_shigatse.request, &of_lhasa.whole] {
        assert!(page.contains(&format!("/recordings/{id}")), "{page}");
    }
    assert!(!page.contains("08916323111") && page.contains("089****3111"), "{page}");
    let narrowed = sonam.page("/recordings?city=lhasa&from=&to=&ticket=&recording_kind=call&min_s=&answered=");
    assert!(narrowed.contains(&of_lhasa.whole) && !narrowed.contains(&of_lhasa.request));
    assert!(narrowed.contains("value=\"call\" selected") && !narrowed.contains(&of_shigatse.whole));
    let by_end = sonam.page("/recordings?phone_end=3111");
    assert!(by_end.contains(&of_lhasa.whole));
    let first = sonam.page("/recordings?city=lhasa&limit=1");
    let next = first.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("more");
    assert!(next.contains("city=lhasa") && next.contains("cursor="), "{next}");
    assert!(sonam.page(&next.replace("&#38;", "&").replace("&amp;", "&")).contains("/recordings/"));
    let own = agent.page("/recordings");
    assert!(own.contains(&of_lhasa.whole) && !own.contains(&of_shigatse.whole));
    assert!(!own.contains("name=\"phone\"") && !own.contains("name=\"phone_end\"") && !own.contains("****3111"));
    assert_eq!(agent.get("/recordings?phone_end=3111").status, 403);
    assert_eq!(agent.get("/recordings?min_s=short").status, 400);

    let page = sonam.page(&format!("/recordings/{}", of_lhasa.whole));
    assert!(page.contains(&format!("src=\"/recordings/{}/audio\"", of_lhasa.whole)), "plays without script");
    assert!(page.contains("data-peaks=") && page.contains("preload=\"none\""));
    assert!(page.contains("greet.hello") && page.contains("下载"));
    let page = agent.page(&format!("/recordings/{}", of_lhasa.whole));
    assert!(!page.contains("/download"), "an agent listens and takes nothing away");
    let list = service.get("/api/v1/recordings?city=lhasa&limit=1").json();
    assert_eq!((list["items"].as_array().map(Vec::len), list["next"].is_string()), (Some(1), true));
}

#[test]
fn sound_comes_by_ranges_and_each_listening_is_on_record_once() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    let sonam = service.browser("sonam");
    let path = format!("/recordings/{}/audio", one.request);
    let cookie = sonam.cookie.clone();
    let range = |range: &str| service.ask("GET", &path, &[("cookie", cookie.as_str()), ("range", range)]);
    // who begins in the middle has listened too
    assert_eq!(range("bytes=1000-1999").status, 206);
    assert_eq!(range("bytes=2000-2999").body.len(), 1000);
    let listened = |service: &Service| {
        told(service, &one.number).iter().filter(|(action, _)| action == "listened").cloned().collect::<Vec<_>>()
    };
    assert_eq!(listened(&service).len(), 1);
    let all = range("bytes=0-");
    assert_eq!((all.status.as_u16(), all.body.len()), (206, 44 + 2 * 24_000));
    assert_eq!(listened(&service).len(), 2);
    assert_eq!(sonam.get(&format!("/recordings/{}/peaks", one.request)).status, 200);
    assert_eq!(listened(&service).len(), 2, "a waveform is not heard");
}

#[test]
fn a_waveform_has_at_most_two_thousand_points_and_is_made_once() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    let sonam = service.browser("sonam");
    let path = format!("/recordings/{}/peaks", one.whole);
    let made = sonam.get(&path).json();
    let channels = made["channels"].as_array().expect("channels");
    assert_eq!((channels.len(), made["ms_a_point"].as_f64()), (2, Some(10.0)));
    assert!(channels.iter().all(|points| points.as_array().is_some_and(|points| points.len() == 300)));
    let filter = RecordingFilter::default();
    let found = service.block_on(service.store.search_recordings(
        &filter,
        &Whose { shielded: true, ..Whose::default() },
        10,
        None,
    ));
    for recording in found.expect("read").items {
        fs::remove_file(service.folder.join(&recording.path)).expect("deleted");
    }
    assert_eq!(sonam.get(&path).json(), made, "kept when it was made");
    assert_eq!(service.get(&format!("/api/v1/recordings/{}/peaks", one.whole)).json(), made);
}

#[test]
fn a_download_names_who_took_it_and_why() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    person(&service, "agent", Role::Agent, &["lhasa", "shigatse"], true);
    let (sonam, agent) = (service.browser("sonam"), service.browser("agent"));
    let path = format!("/recordings/{}/download", one.whole);
    assert_eq!(agent.get(&format!("{path}?reason=%E6%A0%B8%E5%AE%9E")).status, 403);
    for without in [path.clone(), format!("{path}?reason="), format!("{path}?reason=x")] {
        assert_eq!(sonam.get(&without).status, 400, "{without}");
    }
    let reply = sonam.get(&format!("{path}?reason=%E6%A0%B8%E5%AE%9E"));
    assert_eq!(reply.status, 200);
    let name = reply.header("content-disposition").expect("a name");
    assert!(name.starts_with(&format!("attachment; filename=\"recording-{}-sonam-2", one.whole)), "{name}");
    let has = |text: &str| reply.body.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("sonam") && has(&one.number) && has("核实"));
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    let read = hound::WavReader::new(reply.body.as_slice()).expect("a WAV file");
    assert_eq!((read.spec().channels, read.duration()), (2, 24_000));
    let downloaded: Vec<_> =
        told(&service, &one.number).into_iter().filter(|(action, _)| action == "downloaded").collect();
    assert_eq!(downloaded, [("downloaded".to_owned(), format!("{}: 核实", one.whole))]);
}

#[test]
fn recordings_of_others_are_not_there() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "far", Role::Supervisor, &["ngari"], true);
    person(&service, "unit", Role::Unit, &["lhasa", "shigatse"], false);
    person(&service, "pema", Role::Supervisor, &["lhasa", "shigatse"], false);
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    let [far, unit, pema, sonam] = ["far", "unit", "pema", "sonam"].map(|name| service.browser(name));
    let parts = ["", "/audio", "/peaks", "/download?reason=%E6%A0%B8%E5%AE%9E"];
    for part in parts {
        let path = format!("/recordings/{}{part}", one.whole);
        assert_eq!(far.get(&path).status, 404, "{path}");
        assert_eq!(unit.get(&path).status.as_u16(), if part.starts_with("/download") { 403 } else { 404 }, "{path}");
        for guessed in ["019aa8d2-0000-7000-8000-000000000000", "x", "..%2F..%2Fhotline.db", "%2e%2e", "%ff"] {
            assert_eq!(sonam.get(&format!("/recordings/{guessed}{part}")).status, 404, "{guessed}{part}");
        }
    }
    assert!(far.page("/recordings").contains("没有符合条件的录音。"));
    assert!(unit.page("/recordings").contains("没有符合条件的录音。"));

    let edit = json!({ "command": "edit", "version": 1, "confidential": true, "title": "x", "class": "0105" });
    command(&service, &one.number, &edit);
    for part in parts {
        assert_eq!(pema.get(&format!("/recordings/{}{part}", one.whole)).status, 403, "{part}");
    }
    assert!(!pema.page("/recordings").contains(&one.whole) && sonam.page("/recordings").contains(&one.whole));
    let page = sonam.page(&format!("/recordings/{}", one.whole));
    assert!(
        page.contains("data-reason") && !page.contains(" src=\"/recordings/"),
        "nothing is fetched before a reason"
    );
    let audio = format!("/recordings/{}/audio", one.whole);
    assert_eq!(sonam.get(&audio).status, 400);
    assert_eq!(sonam.get(&format!("{audio}?reason=%E5%A4%8D%E6%A0%B8")).status, 200);
    let listened = told(&service, &one.number).into_iter().find(|(action, _)| action == "listened");
    assert_eq!(listened.map(|(_, reason)| reason), Some(format!("{}: 复核", one.whole)));
    let dispatch = json!({ "command": "dispatch", "version": 2, "unit": "lhasa-housing" });
    command(&service, &one.number, &dispatch);
    assert_eq!(unit.get(&audio).status, 403, "a unit never hears a shielded requester");
    assert!(unit.page("/recordings").contains("没有符合条件的录音。"));
}

#[test]
fn a_unit_hears_what_it_handles() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "unit", Role::Unit, &["lhasa", "shigatse"], false);
    let edit = json!({ "command": "edit", "version": 1, "title": "路灯", "class": "0105" });
    command(&service, &one.number, &edit);
    command(&service, &one.number, &json!({ "command": "dispatch", "version": 2, "unit": "lhasa-housing" }));
    let unit = service.browser("unit");
    assert!(unit.page("/recordings").contains(&one.request));
    assert_eq!(unit.get(&format!("/recordings/{}/audio", one.request)).status, 200);
}

#[test]
fn a_hold_is_set_and_lifted_with_a_reason_that_is_shown_as_text() {
    let service = Service::start();
    let one = recorded(&service, 2);
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    person(&service, "agent", Role::Agent, &["lhasa", "shigatse"], true);
    let (sonam, agent) = (service.browser("sonam"), service.browser("agent"));
    let (page, path) = (format!("/recordings/{}", one.whole), format!("/recordings/{}/hold", one.whole));
    let script = "<script>alert(1)</script>";
    assert_eq!(agent.post(&path, &[("what", "hold"), ("reason", script)]).status, 403);
    assert_eq!(sonam.post(&path, &[("what", "hold"), ("reason", "x")]).status, 400);
    assert_eq!(sonam.sent(&path, &[("what", "hold"), ("reason", script)]), format!("{page}?done=held"));
    let shown = sonam.page(&format!("{page}?done=held"));
    assert!(shown.contains("已封存。") && shown.contains("value=\"release\""));
    assert!(!shown.contains(script) && shown.contains("script&#62;alert(1)"), "{shown}");
    assert_eq!(sonam.post(&path, &[("what", "hold"), ("reason", "再次")]).status, 409);
    assert_eq!(service.get("/api/v1/holds").json()["items"][0]["ticket"], json!(one.number));
    assert_eq!(sonam.sent(&path, &[("what", "release"), ("reason", "结案")]), format!("{page}?done=released"));
    assert_eq!(service.get("/api/v1/holds").json()["items"], json!([]));
}

#[test]
fn a_hold_of_a_shielded_ticket_tells_no_more_than_that_it_is_there() {
    let service = Service::start();
    let (plain, shielded) = (recorded(&service, 2), recorded(&service, 4));
    person(&service, "sonam", Role::Supervisor, &["lhasa", "shigatse"], true);
    person(&service, "pema", Role::Supervisor, &["lhasa", "shigatse"], false);
    person(&service, "karma", Role::Administrator, &["lhasa", "shigatse"], false);
    let [sonam, pema, karma] = ["sonam", "pema", "karma"].map(|name| service.browser(name));
    command(&service, &shielded.number, &json!({ "command": "edit", "version": 1, "confidential": true }));
    command(&service, &shielded.number, &json!({ "command": "merge", "version": 2, "into": plain.number }));
    let holds = format!("/api/v1/holds/{}", shielded.number);
    assert_eq!(service.post(&holds, &[], &json!({ "reason": "纪委调取" })).status, 200);

    let path = format!("/recordings/{}", plain.whole);
    let whole = sonam.page(&path);
    assert!(whole.contains(&shielded.number) && whole.contains("纪委调取") && whole.contains("value=\"release\""));
    let bare = pema.page(&path);
    assert!(bare.contains("随一张并案工单封存。"), "{bare}");
    for kept in [shielded.number.as_str(), "纪委调取", "value=\"release\"", "/hold\""] {
        assert!(!bare.contains(kept), "{kept}: {bare}");
    }
    let release = [("what", "release"), ("reason", "结案")];
    assert_eq!(pema.post(&format!("{path}/hold"), &release).status, 403);
    let by_number = [("ticket", shielded.number.as_str()), ("reason", "结案")];
    assert_eq!(karma.post("/admin/retention/release", &by_number).status, 403);
    let bearer = format!("Bearer {}", sign_in(&service, "pema"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let by_the_api =
        service.send_bytes("POST", &format!("{holds}/release"), &headers, r#"{ "reason": "结案" }"#.as_bytes());
    assert_eq!(by_the_api.status, 403, "{}", by_the_api.text());
    assert_eq!(sonam.sent(&format!("{path}/hold"), &release), format!("{path}?done=released"));
}
