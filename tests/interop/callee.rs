//! SIPp as those who are called: one outcome a callee, any number of calls, and a log of them all.

use std::fmt::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::peer::call::Dial;
use super::peer::child::{Guarded, TempFolder};
use super::peer::compare::assert_same_sound;
use super::peer::dialog::Ended;
use super::peer::net::free_ports;
use super::peer::phone::{Phone, Settings};
use super::peer::signal::{key, keys_in, silence, sine, talk};
use super::peer::time::{left, millis, now, seconds};
use super::peer::tones::Book;
use super::sipp::{PACKAGE, capture};

/// SIP, and RTP of as many calls as one test has with sound at a time.
const PORTS: u16 = 60;
const KEYS: &str = "/usr/share/sip-tester/dtmf_2833_";

/// What comes before the refusal.
#[derive(Clone, Debug)]
pub enum Early {
    /// Only 100 Trying.
    Nothing,
    /// 180.
    Rings,
    /// 183 with a description, and this sound.
    Sound(Vec<i16>),
}

/// Somebody who does not answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub early: Early,
    pub after: Duration,
    pub status: u16,
    /// The cause in a Reason header.
    pub q850: Option<u8>,
}

impl Refusal {
    pub fn at_once(status: u16) -> Refusal {
        Refusal { early: Early::Nothing, after: millis(20), status, q850: None }
    }

    pub fn ringing(after: Duration) -> Refusal {
        Refusal { early: Early::Rings, after, status: 480, q850: None }
    }
}

/// What somebody does who has answered.
#[derive(Clone, Debug)]
pub enum Act {
    Wait(Duration),
    Say(Vec<i16>),
    /// RFC 4733.
    Press(char),
    /// INFO with `application/dtmf-relay`.
    PressByInfo(char),
    HangUp,
}

/// Somebody who answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub after: Duration,
    /// Takes telephone events.
    pub events: bool,
    pub acts: Vec<Act>,
}

/// One call as the callee saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    pub number: String,
    pub call_id: String,
    /// The port in the caller's Contact.
    pub caller: u16,
    /// Microseconds of the callee's own clock, the day's.
    pub at: u64,
    /// The CANCEL, the BYE or our final refusal.
    pub ended_at: Option<u64>,
}

/// A SIPp that is called until it is dropped.
pub struct Callee {
    process: Guarded,
    folder: TempFolder,
    pub address: SocketAddr,
}

impl Callee {
    pub fn refuses(refusal: &Refusal) -> Callee {
        let folder = TempFolder::new("callee");
        let early = match &refusal.early {
            Early::Nothing => String::new(),
            Early::Rings => provisional(180, ""),
            Early::Sound(sound) => {
                let path = folder.file("early.pcap", capture(sound));
                format!("{}{}", provisional(183, &description(true)), play(&path.to_string_lossy()))
            }
        };
        let reason = refusal.q850.map(|cause| format!("Reason: Q.850;cause={cause}\n")).unwrap_or_default();
        let text = scenario("callee_refuses.xml")
            .replace("{early}", &early)
            .replace("{after_ms}", &refusal.after.as_millis().to_string())
            .replace("{status}", &refusal.status.to_string())
            .replace("{reason}", &reason);
        Callee::start(folder, &text)
    }

    pub fn answers(answer: &Answer) -> Callee {
        let folder = TempFolder::new("callee");
        let acts: String = answer.acts.iter().enumerate().map(|(index, act)| act.written(index, &folder)).collect();
        let text = scenario("callee_answers.xml")
            .replace("{after_ms}", &answer.after.as_millis().to_string())
            .replace("{sdp}", &description(answer.events))
            .replace("{acts}", &acts);
        Callee::start(folder, &text)
    }

    fn start(folder: TempFolder, text: &str) -> Callee {
        let scenario = folder.file("scenario.xml", text);
        let port = free_ports(PORTS);
        let mut command = Command::new("sipp");
        command
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-t", "u1"])
            .args(["-p", &port.to_string(), "-mp", &(port + 4).to_string(), "-trace_err", "-trace_msg"])
            .args(["-message_file", "messages.log", "-message_overwrite", "false"])
            .arg("-sf")
            .arg(scenario)
            .current_dir(folder.path());
        let process = Guarded::start(command, PACKAGE);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let deadline = now() + seconds(10);
        while UdpSocket::bind(address).is_ok() {
            assert!(!left(deadline).is_zero(), "SIPp does not listen:\n{}", process.log());
            std::thread::park_timeout(millis(20));
        }
        Callee { process, folder, address }
    }

    /// Every call so far, in the order they came.
    pub fn calls(&self) -> Vec<Rung> {
        let log = std::fs::read_to_string(self.folder.path().join("messages.log")).unwrap_or_default();
        read(&log)
    }

    /// Waits until `wanted` finds something among the calls.
    #[track_caller]
    pub fn wait<T>(&self, within: Duration, wanted: impl Fn(&[Rung]) -> Option<T>) -> T {
        let deadline = now() + within;
        loop {
            let calls = self.calls();
            if let Some(found) = wanted(&calls) {
                return found;
            }
            assert!(!left(deadline).is_zero(), "within {within:?} only {calls:#?}\n{}", self.process.log());
            std::thread::park_timeout(millis(50));
        }
    }
}

impl Act {
    /// As elements of the scenario.
    fn written(&self, index: usize, folder: &TempFolder) -> String {
        match self {
            Act::Wait(time) => format!("<pause milliseconds=\"{}\"/>\n", time.as_millis()),
            Act::Say(sound) => {
                let path = folder.file(&format!("said{index}.pcap"), capture(sound));
                format!("{}<pause milliseconds=\"{}\"/>\n", play(&path.to_string_lossy()), sound.len() / 8)
            }
            Act::Press(key) => {
                let name = match key {
                    '*' => "star".to_owned(),
                    '#' => "pound".to_owned(),
                    digit => digit.to_string(),
                };
                format!("{}<pause milliseconds=\"400\"/>\n", play(&format!("{KEYS}{name}.pcap")))
            }
            Act::PressByInfo(key) => {
                let body = format!("Signal={key}\nDuration=160\n");
                request("INFO", index + 1, "application/dtmf-relay", &body)
            }
            Act::HangUp => format!("{}<nop next=\"over\"/>\n", request("BYE", index + 1, "", "")),
        }
    }
}

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn play(path: &str) -> String {
    format!("<nop><action><exec play_pcap_audio=\"{path}\"/></action></nop>\n")
}

fn description(events: bool) -> String {
    let (list, lines) = match events {
        true => (" 101", "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"),
        false => ("", ""),
    };
    format!(
        "v=0\no=callee 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n\
         m=audio [auto_media_port] RTP/AVP 8{list}\na=rtpmap:8 PCMA/8000\n{lines}a=ptime:20\n"
    )
}

fn provisional(status: u16, sdp: &str) -> String {
    let body = if sdp.is_empty() {
        "\n".to_owned()
    } else {
        format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{sdp}")
    };
    let length = if sdp.is_empty() { "Content-Length: 0\n" } else { "" };
    format!(
        "<send><![CDATA[\nSIP/2.0 {status} Under Way\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]c[call_number]\n\
         [last_Call-ID:]\n[last_CSeq:]\nContact: <sip:callee@[local_ip]:[local_port]>\n{length}{body}\n]]></send>\n"
    )
}

/// A request of the callee's and its 200.
fn request(method: &str, number: usize, kind: &str, body: &str) -> String {
    let content = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\n") };
    format!(
        "<send retrans=\"500\"><![CDATA[\n{method} [$target] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         Max-Forwards: 70\nFrom: [$called];tag=[pid]c[call_number]\nTo: [$caller]\nCall-ID: [call_id]\nCSeq: {number} {method}\n\
         {content}Content-Length: [len]\n\n{body}]]></send>\n<recv response=\"200\"/>\n"
    )
}

/// Reads SIPp's log of messages: each begins with a line of dashes and the time, then `UDP message received` or `sent`.
fn read(log: &str) -> Vec<Rung> {
    let mut calls: Vec<Rung> = Vec::new();
    for message in log.split("-----------------------------------------------").skip(1) {
        let mut lines = message.lines();
        let Some(at) = lines.next().and_then(time_of_day) else { continue };
        let received = lines.next().is_some_and(|line| line.contains("received"));
        let rest: Vec<&str> = lines.map(str::trim_end).skip_while(|line| line.is_empty()).collect();
        let header = |name: &str| rest.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let (first, call_id) = (rest.first().copied().unwrap_or_default(), header("Call-ID:"));
        let known = calls.iter_mut().find(|call| call.call_id == call_id);
        match known {
            None if received && first.starts_with("INVITE ") => {
                let number =
                    header("To:").chars().skip_while(|c| *c != ':').skip(1).take_while(|c| *c != '@').collect();
                let contact = header("Contact:").trim_end_matches('>');
                let caller = contact.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
                calls.push(Rung { number, call_id: call_id.to_owned(), caller, at, ended_at: None });
            }
            Some(call) if ends(first, header("CSeq:")) => {
                call.ended_at.get_or_insert(at);
            }
            _ => {}
        }
    }
    calls
}

/// Whether this first line, in either direction, ends a call.
fn ends(first: &str, cseq: &str) -> bool {
    let status = first.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    let refused = status.is_some_and(|status| status >= 300) && cseq.ends_with("INVITE");
    refused || first.starts_with("CANCEL ") || first.starts_with("BYE ")
}

/// ` 2026-11-26 03:00:00.123456`
fn time_of_day(line: &str) -> Option<u64> {
    let time = line.split_whitespace().nth(1)?;
    let (clock, micros) = time.split_once('.')?;
    let seconds = clock.split(':').try_fold(0, |sum, part| Some(sum * 60 + part.parse::<u64>().ok()?))?;
    Some(seconds * 1_000_000 + micros.get(..6)?.parse::<u64>().ok()?)
}

fn caller() -> Phone {
    Phone::start(Settings { strict: false, ..Settings::new(&Book::of(["greet.hello"])) })
}

const NUMBER: &str = "13989005001";

fn dial(callee: &Callee) -> Dial {
    Dial { uri: Some(format!("sip:{NUMBER}@{}", callee.address)), ..Dial::new(callee.address, "089512345") }
}

#[test]
fn a_callee_refuses_with_the_status_it_is_told() {
    for (status, q850) in [(486, Some(17)), (480, None), (603, Some(21)), (404, Some(1)), (503, None)] {
        let callee = Callee::refuses(&Refusal { q850, ..Refusal::at_once(status) });
        let (phone, dial) = (caller(), dial(&callee));
        let call = phone.call(&dial);
        assert_eq!(call.ended(seconds(10)), Ended::Refused(status));
        let reason = call.final_response(seconds(1)).and_then(|response| response.header("Reason").map(str::to_owned));
        assert_eq!(reason, q850.map(|cause| format!("Q.850;cause={cause}")));
        let rung = callee.wait(seconds(5), |calls| calls.iter().find(|call| call.ended_at.is_some()).cloned());
        assert_eq!((rung.number.as_str(), callee.calls().len()), (NUMBER, 1));
    }
}

#[test]
fn a_callee_who_does_not_answer_is_cancelled() {
    let callee = Callee::refuses(&Refusal::ringing(seconds(60)));
    let phone = caller();
    let call = phone.call(&dial(&callee));
    assert!(phone.response(seconds(5), |response| response.status() == Some(180)).is_some());
    assert_eq!(call.cancel(), Ended::Refused(487));
    callee.wait(seconds(5), |calls| calls.first()?.ended_at);
}

#[test]
fn a_callee_sounds_busy_before_it_refuses() {
    let tone: Vec<i16> = (0..6).flat_map(|_| [sine(450.0, 8_000.0, 350), silence(350)].concat()).collect();
    let callee = Callee::refuses(&Refusal { early: Early::Sound(tone), after: seconds(5), status: 486, q850: None });
    let phone = caller();
    let call = phone.call(&dial(&callee));
    assert!(phone.response(seconds(5), |response| response.status() == Some(183)).is_some());
    assert_eq!(call.ended(seconds(15)), Ended::Refused(486));
    assert!(call.audio().packets() > 150, "{} packets of 4 s\n{}", call.audio().packets(), call.trace());
}

#[test]
fn a_callee_answers_and_says_nothing() {
    let callee = Callee::answers(&Answer { after: millis(300), events: true, acts: Vec::new() });
    let phone = caller();
    let call = phone.call(&dial(&callee));
    assert!(call.answered(seconds(5)) >= millis(300));
    call.hang_up();
    let lasted = callee.wait(seconds(5), |calls| Some(calls.first()?.ended_at? - calls[0].at));
    assert!((300_000..20_000_000).contains(&lasted), "{lasted}");
}

#[test]
fn a_callee_answers_and_talks() {
    let said = talk(41, 4_500);
    let callee = Callee::answers(&Answer { after: millis(100), events: true, acts: vec![Act::Say(said.clone())] });
    let phone = caller();
    let call = phone.call(&dial(&callee));
    call.answered(seconds(5));
    assert!(call.audio().wait_audio(4_400, seconds(15)), "{}", call.trace());
    assert_same_sound(&said, &call.audio().heard_audio(), 4_000);
    call.hang_up();
}

#[test]
fn a_callee_presses_keys_by_events_by_info_and_in_band_and_hangs_up() {
    let acts = vec![Act::Wait(millis(200)), Act::Press('1'), Act::Press('3'), Act::HangUp];
    let callee = Callee::answers(&Answer { after: millis(100), events: true, acts });
    let phone = caller();
    let call = phone.call(&dial(&callee));
    assert_eq!(call.ended(seconds(15)), Ended::ByPeer);
    assert_eq!(call.audio().keys(), "13", "{}", call.trace());
    callee.wait(seconds(5), |calls| calls.first()?.ended_at);

    let acts = vec![Act::PressByInfo('2'), Act::PressByInfo('5'), Act::HangUp];
    let callee = Callee::answers(&Answer { after: millis(100), events: false, acts });
    let call = phone.call(&dial(&callee));
    assert_eq!(call.ended(seconds(15)), Ended::ByPeer);
    let info = call.peer_request("INFO", seconds(1)).expect("an INFO");
    assert!(info.body.starts_with(b"Signal=2\r\n"), "{info:?}");

    let pressed = [silence(200), key('4', 120), silence(120), key('9', 120), silence(400)].concat();
    let callee =
        Callee::answers(&Answer { after: millis(100), events: false, acts: vec![Act::Say(pressed), Act::HangUp] });
    let call = phone.call(&dial(&callee));
    assert_eq!(call.ended(seconds(15)), Ended::ByPeer);
    assert_eq!(keys_in(&call.audio().heard_audio()), "49", "{}", call.trace());
}

#[test]
fn many_calls_of_a_callee_are_told_apart() {
    let callee = Callee::refuses(&Refusal::at_once(486));
    let phone = caller();
    for n in 0..10 {
        let number = format!("139890051{n:02}");
        let call = phone.call(&Dial { uri: Some(format!("sip:+86{number}@{}", callee.address)), ..dial(&callee) });
        assert_eq!(call.ended(seconds(5)), Ended::Refused(486));
    }
    let calls = callee.wait(seconds(5), |calls| {
        (calls.len() == 10 && calls.iter().all(|call| call.ended_at.is_some())).then(|| calls.to_vec())
    });
    assert!(calls.windows(2).all(|two| two[0].at <= two[1].at && two[0].number < two[1].number), "{calls:#?}");
    assert_eq!(calls[7].number, "+8613989005107");
}

#[test]
fn the_log_of_messages_is_read() {
    let mut log = String::new();
    for (at, what, text) in [
        (
            "03:00:01.000005",
            "received",
            "INVITE sip:1@a SIP/2.0\r\nTo: <sip:1@a>\r\nContact: <sip:127.0.0.1:5070>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n",
        ),
        ("03:00:01.000006", "received", "INVITE sip:1@a SIP/2.0\r\nTo: <sip:1@a>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"),
        ("03:00:02.500000", "sent", "SIP/2.0 486 Busy\r\nTo: <sip:1@a>;tag=1\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"),
        ("03:00:03.000000", "received", "INVITE sip:2@a SIP/2.0\r\nTo: <sip:2@a>\r\nCall-ID: y\r\nCSeq: 1 INVITE\r\n"),
    ] {
        writeln!(
            log,
            "----------------------------------------------- 2026-11-26 {at}\nUDP message {what} [9] bytes:\n\n{text}"
        )
        .expect("a string takes all");
    }
    let second = 1_000_000;
    let rung = |number: &str, call_id: &str, caller, at, ended_at| Rung {
        number: number.into(),
        call_id: call_id.into(),
        caller,
        at,
        ended_at,
    };
    let base = 3 * 3_600 * second;
    assert_eq!(
        read(&log),
        [
            rung("1", "x", 5_070, base + second + 5, Some(base + 2 * second + 500_000)),
            rung("2", "y", 0, base + 3 * second, None)
        ]
    );
}
