use std::fs;

use chrono::{DateTime, Utc};
use hotline::city::City;
use hotline::console::Config;
use hotline::store::{FinishedRecording, NewCall, NewRecording};
use hotline::ticket::{CallId, Direction, EndedBy, RecordingId, RecordingKind};

use crate::service::{Service, bearer, logged};

const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// More than one chunk of the transfer.
const LENGTH: usize = 200_000;

fn sound() -> Vec<u8> {
    (0..LENGTH).map(|at| (at % 251) as u8).collect()
}

/// A service with one recording, closed or still open; the path of its sound.
fn recorded(closed: bool, path: &str) -> (Service, String) {
    recorded_with(Config::default(), closed, path)
}

fn recorded_with(config: Config, closed: bool, path: &str) -> (Service, String) {
    let service = Service::start_with(config);
    let at: DateTime<Utc> = "2026-11-22T01:00:00Z".parse().expect("a time");
    let (call, id) = (CallId::new(at, [1; 10]), RecordingId::new(at, [2; 10]));
    let new_call = NewCall {
        id: call,
        node: "test".to_owned(),
        direction: Direction::Inbound,
        sip_call_id: None,
        city: City::Lhasa,
        line: "12345".to_owned(),
        phone: None,
        language: None,
        started_at: at,
        answered_at: Some(at),
    };
    let new = NewRecording {
        id,
        call,
        kind: RecordingKind::Request,
        node: "test".to_owned(),
        path: path.to_owned(),
        channels: 1,
        started_at: at,
    };
    let finished = FinishedRecording {
        id,
        duration_ms: 25_000,
        sha256: SHA256.to_owned(),
        bytes: LENGTH as u64,
        ended_by: EndedBy::Silence,
        damaged: false,
        peaks: None,
    };
    service.block_on(async {
        service.store.insert_call(&new_call).await.expect("the call");
        service.store.begin_recording(&new).await.expect("the recording");
        if closed {
            assert!(service.store.finish_recording(&finished).await.expect("its end"));
        }
    });
    fs::create_dir_all(service.folder.join("2026/11/22")).expect("a folder");
    fs::write(service.folder.join("2026/11/22/a.wav"), sound()).expect("a file");
    (service, format!("/api/v1/recordings/{id}/audio"))
}

#[test]
fn the_whole_recording_is_sent() {
    let (service, path) = recorded(true, "2026/11/22/a.wav");
    let reply = service.get(&path);
    assert_eq!(reply.body, sound());
    let head = service.ask("HEAD", &path, &[("authorization", &bearer())]);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), Some("200000"));
    insta::assert_snapshot!(head.show());
}

#[test]
fn ranges_are_answered_as_rfc_9110_says() {
    let (service, path) = recorded(true, "2026/11/22/a.wav");
    let tag = format!("\"{SHA256}\"");
    let all = sound();
    for (range, if_range, status, first, end) in [
        ("bytes=0-0", None, 206, 0, 1),
        ("bytes=100-199", None, 206, 100, 200),
        ("bytes=150000-", None, 206, 150_000, LENGTH),
        ("bytes=-44", None, 206, LENGTH - 44, LENGTH),
        ("bytes=-999999", None, 206, 0, LENGTH),
        ("bytes=199999-999999", None, 206, 199_999, LENGTH),
        ("bytes=100-199", Some(tag.as_str()), 206, 100, 200),
        ("bytes=100-199", Some("\"older\""), 200, 0, LENGTH),
        ("bytes=0-1,5-6", None, 200, 0, LENGTH),
        ("seconds=0-1", None, 200, 0, LENGTH),
        ("bytes=200000-", None, 416, 0, 0),
        ("bytes=-0", None, 416, 0, 0),
    ] {
        let condition = if_range.map(|tag| ("if-range", tag));
        let headers: Vec<_> = [("range", range)].into_iter().chain(condition).collect();
        let reply = service.get_with(&path, &headers);
        assert_eq!(reply.status, status, "{range}");
        let content_range = match status {
            206 => Some(format!("bytes {first}-{}/{LENGTH}", end - 1)),
            416 => Some(format!("bytes */{LENGTH}")),
            _ => None,
        };
        assert_eq!(reply.header("content-range").map(str::to_owned), content_range, "{range}");
        if status != 416 {
            assert_eq!(reply.header("content-length"), Some((end - first).to_string().as_str()), "{range}");
            assert!(reply.body == all[first..end], "{range}");
        }
    }
    let head = service.ask("HEAD", &path, &[("authorization", &bearer()), ("range", "bytes=0-0")]);
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, Some("200000")));
}

#[test]
fn a_client_that_has_it_is_not_sent_it_again() {
    let (service, path) = recorded(true, "2026/11/22/a.wav");
    for tag in [format!("\"{SHA256}\""), format!("W/\"{SHA256}\", \"x\""), "*".to_owned()] {
        let reply = service.get_with(&path, &[("if-none-match", &tag), ("range", "bytes=0-9")]);
        assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0), "{tag}");
        assert_eq!(reply.header("etag"), Some(format!("\"{SHA256}\"").as_str()));
    }
    assert_eq!(service.get_with(&path, &[("if-none-match", "\"x\"")]).status, 200);
}

#[test]
fn a_recording_that_is_being_written_is_a_conflict() {
    let (service, path) = recorded(false, "2026/11/22/a.wav");
    insta::assert_snapshot!(service.get(&path).show());
}

#[test]
fn a_row_without_its_file_is_the_services_fault() {
    let (service, path) = recorded(true, "2026/11/22/missing.wav");
    let reply = service.get(&path);
    insta::assert_snapshot!(reply.show());
    let request = reply.header("x-request-id").expect("an id");
    let recording = path.split('/').nth(4).expect("the recording's id");
    let reason = logged().lines().find(|line| line.contains(request) && line.contains("ERROR")).map(str::to_owned);
    assert!(reason.expect("the log has the reason").contains(recording));
}

#[test]
fn a_row_cannot_lead_to_a_file_outside() {
    for outside in ["/etc/hostname", "../../etc/hostname"] {
        let (service, path) = recorded(true, outside);
        assert_eq!(service.get(&path).status, 500, "{outside}");
    }
}

#[test]
fn only_so_many_recordings_are_sent_at_once() {
    let (service, path) = recorded_with(Config { max_streams: 1, ..Config::default() }, true, "2026/11/22/a.wav");
    for _ in 0..3 {
        assert_eq!(service.get(&path).status, 200, "a finished transfer gives its place back");
    }
    // more than the buffers of both sockets hold: it stays under way until somebody reads
    fs::File::create(service.folder.join("2026/11/22/a.wav")).and_then(|file| file.set_len(1 << 27)).expect("a file");
    let under_way = service.send("GET", &path, &[("authorization", &bearer())]);
    assert_eq!(under_way.status(), 200);
    assert_eq!(service.get(&path).status, 503);
}
