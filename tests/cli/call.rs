//! `hotline call` against a started service.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::peer::child::{Guarded, TempFolder};
use super::peer::compare::align;
use super::peer::service::{Service, Setup, book};
use super::peer::signal::talk;
use super::peer::time::seconds;
use super::peer::tones::Sound;
use super::peer::wav::{self, Wav};
use super::{hotline, text};

fn uri(service: &Service) -> String {
    format!("sip:12345@{}", service.sip)
}

/// The prompts in a WAV file, in their order.
fn prompts(path: &str) -> Vec<String> {
    let sound = Wav::mono(&std::fs::read(path).expect("the recording")).expect("mono at 8 kHz");
    let heard = book().decode(&sound).into_iter();
    heard.filter_map(|heard| if let Sound::Prompt(name) = heard.sound { Some(name) } else { None }).collect()
}

fn rungs(document: &Value) -> Vec<String> {
    let ladder = document["ladder"].as_array().expect("a ladder");
    let arrow = |rung: &Value| if rung["sent"] == true { "->" } else { "<-" };
    ladder.iter().map(|rung| format!("{} {}", arrow(rung), rung["message"].as_str().expect("a message"))).collect()
}

#[test]
fn a_call_is_told_as_json_and_what_was_heard_is_written() {
    let service = Service::start();
    let folder = TempFolder::new("cli");
    let file = folder.path().join("heard.wav").display().to_string();
    let keys = ["--digits", "2@1", "--for", "5", "--record", &file, "--json"];
    let output = hotline(&[&["call", &uri(&service)], &keys[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(
        rungs(&document),
        ["-> INVITE", "<- 100 Trying (INVITE)", "<- 200 OK (INVITE)", "-> ACK", "-> BYE", "<- 200 OK (BYE)"]
    );
    assert_eq!((&document["answered"], &document["codec"]), (&Value::Bool(true), &Value::from("PCMA")));
    assert!(document["answer_ms"].as_f64().is_some_and(|ms| ms >= 0.0), "{document}");
    assert_eq!(document["pressed"][0]["keys"], "2");
    assert_eq!(document["ended"]["by"], "us");
    let rtp = &document["rtp"];
    assert!(rtp["packets_in"].as_u64().is_some_and(|packets| packets > 200), "{rtp}");
    assert!(document["heard"]["sound_ms"].as_u64().is_some_and(|ms| (1_000..5_000).contains(&ms)), "{document}");

    let heard = prompts(&file);
    assert_eq!(heard[..2], ["bo/greet.hello", "bo/city.chamdo"], "{heard:?}");
    assert!(heard.contains(&"zh/notice.record".to_owned()), "the key chose Mandarin: {heard:?}");
}

#[test]
fn a_call_over_tcp_is_told_line_by_line() {
    let service = Service::start();
    let output = hotline(&["call", &format!("{};transport=tcp", uri(&service)), "--for", "1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for line in ["→  INVITE", "←  200 OK (INVITE)", "answered: PCMA, keys as telephone-event", "←  200 OK (BYE)"]
    {
        assert!(told.contains(line), "{line} in\n{told}");
    }
    for figure in ["answered  after ", "heard     ", "rtp       ", "ended     by us after 1.0 s: BYE"] {
        assert!(told.contains(figure), "{figure} in\n{told}");
    }
}

#[test]
fn what_is_played_reaches_the_line_and_the_number_that_calls_its_ticket() {
    let service = Service::start();
    let folder = TempFolder::new("cli");
    let sound = talk(11, 20_000);
    let file = folder.file("talk.wav", wav::write(&sound)).display().to_string();
    let phone = "13908950007";
    // language, report, citizen, complaint, over the intro; a key ends the recording, submit, no, this phone
    let keys = "1@1 1@3 1@4 3@5 #@6 #@12 1@13 2@14 1@15";
    let arguments = ["--from", phone, "--play", &file, "--digits", keys, "--for", "20"];
    let output = hotline(&[&["call", &uri(&service)], &arguments[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let ticket = service.ticket(phone, seconds(10), |ticket| !ticket["recordings"][0]["sha256"].is_null());
    assert_eq!((&ticket["language"], &ticket["type"]), (&Value::from("bo"), &Value::from("complaint")));
    let id = ticket["recordings"][0]["id"].as_str().expect("an id");
    let recorded = Wav::mono(&service.recording(id)).expect("mono at 8 kHz");
    // a busy machine makes gaps: the sound is the same between them
    let best = recorded.chunks_exact(4_000).map(|part| align(&sound, part).correlation).fold(0.0, f64::max);
    assert!(best > 0.99, "{best}");
}

#[test]
fn a_refusal_is_told_with_its_status() {
    let service = Setup::default().environment("HOTLINE__CALLS__MAX_CALLS", "0").start();
    let output = hotline(&["call", &uri(&service), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "hotline: not answered: 486 Busy Here\n");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!((&document["answered"], &document["refusal"]), (&Value::Bool(false), &Value::from("486 Busy Here")));
    assert_eq!(rungs(&document).last().map(String::as_str), Some("<- 486 Busy Here (INVITE)"));
}

#[test]
fn an_interrupt_hangs_up() {
    let service = Service::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["call", &uri(&service), "--for", "60"]);
    let mut call = Guarded::start(command, "(built by cargo)");
    call.line(seconds(10), |line| line.contains("answered:").then_some(())).expect("an answer");
    call.signal(Signal::INT);
    let status = call.exit(seconds(10)).expect("it ends");
    assert!(status.success(), "{}", call.log());
    call.line(seconds(2), |line| line.contains("200 OK (BYE)").then_some(())).expect("a polite end");
}
