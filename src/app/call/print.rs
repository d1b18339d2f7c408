//! How a call is told: line by line as it goes, then in figures; or as one JSON document.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::seconds;
use crate::driver::caller::{Answered, Message, Pressed, Progress, Report};
use crate::media::event::Summary;
use crate::sip::{Ended, Side, Uri, Why};

/// One line for one thing that happened.
pub fn progress(progress: &Progress) {
    match progress {
        Progress::Message(Message { at, sent, line }) => {
            say(&format!("{:>9}  {}  {line}", seconds(*at), if *sent { "→" } else { "←" }));
        }
        Progress::Answered(answered) => {
            say(&format!("{:>9}     answered: {}, keys as {}", seconds(answered.at), codec(answered), keys(answered)));
        }
        Progress::Pressed(Pressed { at, keys }) => say(&format!("{:>9}     key {keys}", seconds(*at))),
        Progress::Played | Progress::Ended(_) => {}
    }
}

/// What remains to be said after a call.
pub fn summary(report: &Report, record: Option<&Path>) {
    say("");
    if let Some(answered) = report.answered {
        say(&format!("answered  after {:.1} ms", ms(answered.at)));
        let heard = &report.heard;
        let (sound, all) = (heard.sound_ms() as f64 / 1e3, heard.duration_ms() as f64 / 1e3);
        say(&format!("heard     {sound:.1} s of sound in {all:.1} s"));
    }
    if let Some(rtp) = &report.rtp {
        say(&format!(
            "rtp       {} packets in, {} out, {} lost ({:.2} %), {} late, jitter {:.1} ms",
            rtp.packets_in,
            rtp.packets_out,
            rtp.lost,
            loss(rtp) * 100.0,
            rtp.late,
            rtp.jitter_ms,
        ));
    }
    say(&format!(
        "ended     by {} after {:.1} s: {}",
        side(&report.ended),
        report.lasted.as_secs_f64(),
        why(&report.ended)
    ));
    if let (Some(path), Some(_)) = (record, report.answered) {
        say(&format!("recorded  {}", path.display()));
    }
}

/// The whole call. Times are milliseconds since the INVITE.
pub fn document(uri: &Uri, report: &Report) {
    let document = Document {
        host: uri.host().map(ToString::to_string),
        answered: report.answered.is_some(),
        answer_ms: report.answered.map(|answered| ms(answered.at)),
        refusal: report.refusal(),
        codec: report.answered.as_ref().map(codec),
        keys_as: report.answered.as_ref().map(keys),
        ladder: (report.ladder.iter()).map(|m| Rung { at_ms: ms(m.at), sent: m.sent, message: &m.line }).collect(),
        pressed: report.pressed.iter().map(|p| Key { at_ms: ms(p.at), keys: &p.keys }).collect(),
        heard: Sound { duration_ms: report.heard.duration_ms(), sound_ms: report.heard.sound_ms() },
        rtp: report.rtp.as_ref().map(Rtp::from),
        ended: End { by: side(&report.ended), why: why(&report.ended), at_ms: ms(report.lasted) },
    };
    say(&serde_json::to_string(&document).expect("plain fields"));
}

#[derive(Serialize)]
struct Document<'a> {
    host: Option<String>,
    answered: bool,
    answer_ms: Option<f64>,
    refusal: Option<&'a str>,
    codec: Option<&'static str>,
    keys_as: Option<&'static str>,
    ladder: Vec<Rung<'a>>,
    pressed: Vec<Key<'a>>,
    heard: Sound,
    rtp: Option<Rtp>,
    ended: End,
}

#[derive(Serialize)]
struct Rung<'a> {
    at_ms: f64,
    sent: bool,
    message: &'a str,
}

#[derive(Serialize)]
struct Key<'a> {
    at_ms: f64,
    keys: &'a str,
}

#[derive(Serialize)]
struct Sound {
    duration_ms: u64,
    sound_ms: u64,
}

#[derive(Serialize)]
struct Rtp {
    packets_in: u64,
    packets_out: u64,
    lost: u64,
    /// The part of what was sent to us, from 0 to 1.
    loss: f64,
    late: u64,
    discarded: u64,
    foreign: u64,
    jitter_ms: f64,
    round_trip_ms: Option<f32>,
    peer_lost: Option<u64>,
}

#[derive(Serialize)]
struct End {
    by: &'static str,
    why: String,
    at_ms: f64,
}

impl From<&Summary> for Rtp {
    fn from(rtp: &Summary) -> Rtp {
        Rtp {
            packets_in: rtp.packets_in,
            packets_out: rtp.packets_out,
            lost: rtp.lost,
            loss: (loss(rtp) * 1e4).round() / 1e4,
            late: rtp.late,
            discarded: rtp.discarded,
            foreign: rtp.foreign,
            jitter_ms: (f64::from(rtp.jitter_ms) * 100.0).round() / 100.0,
            round_trip_ms: rtp.round_trip_ms,
            peer_lost: rtp.peer_lost,
        }
    }
}

/// The part of the peer's packets that did not come.
fn loss(rtp: &Summary) -> f64 {
    rtp.lost as f64 / ((rtp.lost + rtp.packets_in) as f64).max(1.0)
}

fn codec(answered: &Answered) -> &'static str {
    answered.codec.encoding()
}

fn keys(answered: &Answered) -> &'static str {
    if answered.key_events { "telephone-event" } else { "tones" }
}

fn side(ended: &Ended) -> &'static str {
    match ended.side {
        Side::Local => "us",
        Side::Peer => "the line",
        Side::Network => "the network",
    }
}

fn why(ended: &Ended) -> String {
    match ended.why {
        Why::Bye => "BYE".to_owned(),
        Why::Cancel => "CANCEL".to_owned(),
        Why::Rejected { status } => format!("status {status}"),
        Why::NoAck => "no ACK".to_owned(),
        Why::NoPrack => "no PRACK".to_owned(),
        Why::NoAnswer => "no response".to_owned(),
        Why::SessionExpired => "session expired".to_owned(),
        Why::DialogLost => "the peer forgot the call".to_owned(),
        Why::TransportFailed => "transport failed".to_owned(),
    }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

fn say(line: &str) {
    // a line on a closed pipe is nobody's loss
    let _ = writeln!(stdout(), "{line}");
}
