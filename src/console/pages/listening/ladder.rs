//! What a call's rows tell: the SIP messages as a ladder, what was heard and pressed as a time line, and how well it was
//! heard. Pure: made of `call_event` rows alone.

use serde::Deserialize;

use crate::console::pages::Frame;
use crate::prompt::Prompts;
use crate::store::CallEvent;
use crate::ticket::EventKind;

/// Letters of a prompt that are enough to know it by.
const SPOKEN: usize = 28;

/// The questions of return visits: the node that asks it, its field, and what its keys stand for, from 1 on.
const QUESTIONS: [(&str, &str, &[&str]); 4] = [
    ("q1", "contacted", &["in_time", "late", "no"]),
    ("q2", "solved", &["yes", "partly", "no"]),
    ("q3", "satisfaction", &["5", "4", "3", "2", "1"]),
    ("again_wanted", "redo", &["yes", "no"]),
];

/// A call as a page shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    pub ladder: Vec<Message>,
    pub moments: Vec<Moment>,
    /// `None` when the call ended before any sound, or when its figures were lost.
    pub quality: Option<Quality>,
}

/// One SIP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Since the call's start.
    pub offset_ms: u64,
    /// From us to the other side.
    pub sent: bool,
    /// Its method, or its status.
    pub line: String,
}

/// One thing that was heard, pressed or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since the call's start.
    pub offset_ms: u64,
    pub kind: MomentKind,
    pub text: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentKind {
    Node,
    Prompt,
    Key,
    /// A key that answers a question of a return visit; the text is the field and what was answered.
    Answer,
    Recording,
    Ticket,
    Fault,
}

impl MomentKind {
    pub const fn name(self) -> &'static str {
        match self {
            MomentKind::Node => "node",
            MomentKind::Prompt => "prompt",
            MomentKind::Key => "key",
            MomentKind::Answer => "answer",
            MomentKind::Recording => "recording",
            MomentKind::Ticket => "ticket",
            MomentKind::Fault => "fault",
        }
    }
}

/// How well the other side's sound came in, by the figures of our own receiver (RFC 3550).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    pub packets_in: u64,
    pub packets_out: u64,
    pub lost: u64,
    /// Came too late to be heard.
    pub late: u64,
    /// Lost and late, of all that was sent to us.
    pub loss_percent: f64,
    pub jitter_ms: f64,
    pub round_trip_ms: Option<f64>,
    /// What the other side says it lost of ours.
    pub peer_lost: Option<u64>,
    /// 1 to 4.5.
    pub mos: f64,
}

impl Quality {
    /// `good` from 4.0, `fair` from 3.6, `poor` from 3.1, else `bad`: the steps of user satisfaction of G.107, Annex B.
    pub fn grade(&self) -> &'static str {
        match self.mos {
            mos if mos >= 4.0 => "good",
            mos if mos >= 3.6 => "fair",
            mos if mos >= 3.1 => "poor",
            _ => "bad",
        }
    }
}

/// What a call's events tell, in their order. Which keys were pressed is told only to those whom it is for: keys may be a
/// phone number.
pub fn story(events: &[CallEvent], keys_are_shown: bool) -> Story {
    let mut story = Story::default();
    let mut node = "";
    for event in events {
        let offset_ms = event.offset_ms;
        let mut moment = |kind, text: &str| story.moments.push(Moment { offset_ms, kind, text: text.to_owned() });
        match event.kind {
            EventKind::Sip => {
                let sent = event.text.starts_with("->");
                let line = event.text.trim_start_matches(['-', '<', '>', ' ']).to_owned();
                story.ladder.push(Message { offset_ms, sent, line });
            }
            EventKind::Rtp => story.quality = quality(&event.text),
            EventKind::Node => {
                node = &event.text;
                moment(MomentKind::Node, &event.text);
            }
            EventKind::Prompt => moment(MomentKind::Prompt, &event.text),
            EventKind::Key => {
                let key = event.text.split(' ').next().unwrap_or_default();
                match answer(node, key) {
                    Some(answer) => moment(MomentKind::Answer, &answer),
                    None => moment(MomentKind::Key, if keys_are_shown { key } else { "*" }),
                }
            }
            EventKind::Recording => moment(MomentKind::Recording, event.text.split(' ').nth(1).unwrap_or_default()),
            EventKind::Ticket => moment(MomentKind::Ticket, &event.text),
            EventKind::Fault => moment(MomentKind::Fault, &event.text),
        }
    }
    story.moments.sort_by_key(|moment| moment.offset_ms);
    story
}

/// A moment in words: answers and places of the menu by their names, prompts by what they say, everything else as it was
/// written down.
pub fn said(frame: &Frame, kind: &str, text: &str) -> String {
    match text.split_once(' ') {
        Some((field, answer)) if kind == MomentKind::Answer.name() => {
            format!("{}：{}", frame.name("answer", field), frame.name(field, answer))
        }
        Some((language, id)) if kind == MomentKind::Prompt.name() => {
            spoken(language, id).unwrap_or_else(|| text.to_owned())
        }
        None if kind == MomentKind::Node.name() => frame.name("node", text),
        _ => text.to_owned(),
    }
}

/// The beginning of what a built-in prompt says.
fn spoken(language: &str, id: &str) -> Option<String> {
    let prompts = Prompts::embedded();
    let text = &prompts.line(language.parse().ok()?, id)?.text;
    let short: String = text.chars().take(SPOKEN).collect();
    Some(if short.len() < text.len() { short + "…" } else { short })
}

/// What a key says in this node, if it asks a question.
fn answer(node: &str, key: &str) -> Option<String> {
    let (_, field, answers) = QUESTIONS.iter().find(|(asks, ..)| *asks == node)?;
    let at = key.parse::<usize>().ok()?.checked_sub(1)?;
    answers.get(at).map(|answer| format!("{field} {answer}"))
}

/// The figures as the call wrote them down.
#[derive(Deserialize)]
struct Figures {
    packets_in: u64,
    packets_out: u64,
    lost: u64,
    late: u64,
    jitter_ms: f64,
    round_trip_ms: Option<f64>,
    peer_lost: Option<u64>,
}

fn quality(json: &str) -> Option<Quality> {
    let Figures { packets_in, packets_out, lost, late, jitter_ms, round_trip_ms, peer_lost } =
        serde_json::from_str(json).ok()?;
    if packets_in == 0 {
        return None;
    }
    let loss_percent = 100.0 * (lost + late) as f64 / (packets_in + lost) as f64;
    let mos = mos(loss_percent, jitter_ms, round_trip_ms);
    Some(Quality { packets_in, packets_out, lost, late, loss_percent, jitter_ms, round_trip_ms, peer_lost, mos })
}

/// An estimate of the mean opinion score by the E-model of ITU-T G.107 (06/2015), with its default values but for delay and
/// loss: R = 93.2 - Id - Ie,eff. Ie,eff is §7.4's with the values of G.711 without concealment (G.113, Appendix I:
/// Ie = 0, Bpl = 4.3) and random loss; Id is the simplification of Cole and Rosenbluth (2001). The delay one way is half a round
/// trip, where one is known, with a packet of 20 ms and a buffer of twice the jitter. MOS of R is Annex B's.
fn mos(loss_percent: f64, jitter_ms: f64, round_trip_ms: Option<f64>) -> f64 {
    const ROBUSTNESS: f64 = 4.3;
    const KNEE_MS: f64 = 177.3;
    let delay = round_trip_ms.unwrap_or(0.0) / 2.0 + 20.0 + 2.0 * jitter_ms;
    let by_delay = 0.024 * delay + 0.11 * (delay - KNEE_MS).max(0.0);
    let by_loss = 95.0 * loss_percent / (loss_percent + ROBUSTNESS);
    let r = (93.2 - by_delay - by_loss).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn events(of: &[(u64, EventKind, &str)]) -> Vec<CallEvent> {
        let at = DateTime::UNIX_EPOCH;
        let call = crate::ticket::CallId::new(at, [1; 10]);
        (0u32..)
            .zip(of)
            .map(|(sequence, (offset_ms, kind, text))| CallEvent {
                call,
                sequence,
                at,
                offset_ms: *offset_ms,
                kind: *kind,
                text: (*text).to_owned(),
            })
            .collect()
    }

    #[test]
    fn the_score_falls_with_loss_delay_and_jitter() {
        for (loss, jitter, round_trip, expected) in [
            (0.0, 0.0, None, 4.40),
            (0.0, 5.0, Some(40.0), 4.38),
            (1.0, 5.0, Some(40.0), 3.78),
            (3.0, 5.0, Some(40.0), 2.73),
            (10.0, 5.0, Some(40.0), 1.44),
            (0.0, 5.0, Some(600.0), 3.53),
            (0.0, 40.0, Some(300.0), 3.99),
            (100.0, 0.0, None, 1.0),
        ] {
            let mos = mos(loss, jitter, round_trip);
            assert!((mos - expected).abs() < 0.01, "{loss} % {jitter} ms {round_trip:?}: {mos}");
        }
    }

    #[test]
    fn a_call_is_told_from_its_rows() {
        let rows = events(&[
            (0, EventKind::Sip, "<- INVITE"),
            (2, EventKind::Sip, "-> 200 OK"),
            (10, EventKind::Node, "answer"),
            (900, EventKind::Prompt, "bo greet.hello"),
            (1_500, EventKind::Key, "1 rfc4733"),
            (2_000, EventKind::Node, "q3"),
            (2_500, EventKind::Key, "2 inband"),
            (1_000, EventKind::Recording, "019aa8d2-0000-7000-8000-000000000000 begins"),
            (
                9_000,
                EventKind::Rtp,
                r#"{"packets_in":990,"packets_out":1000,"lost":10,"late":0,"discarded":0,"foreign":0,"jitter_ms":1.5,"round_trip_ms":null,"peer_lost":3,"skipped":0,"overruns":0}"#,
            ),
        ]);
        let told = story(&rows, true);
        assert_eq!(told.ladder[0], Message { offset_ms: 0, sent: false, line: "INVITE".to_owned() });
        assert_eq!(told.ladder[1], Message { offset_ms: 2, sent: true, line: "200 OK".to_owned() });
        let moments: Vec<_> =
            told.moments.iter().map(|one| (one.offset_ms, one.kind.name(), one.text.as_str())).collect();
        let expected = [
            (10, "node", "answer"),
            (900, "prompt", "bo greet.hello"),
            (1_000, "recording", "begins"),
            (1_500, "key", "1"),
            (2_000, "node", "q3"),
            (2_500, "answer", "satisfaction 4"),
        ];
        assert_eq!(moments, expected);
        let quality = told.quality.expect("figures");
        assert_eq!((quality.loss_percent, quality.peer_lost), (1.0, Some(3)));
        assert_eq!(quality.grade(), "fair");
        let hidden: Vec<String> = story(&rows, false).moments.into_iter().map(|one| one.text).collect();
        assert!(hidden.contains(&"*".to_owned()) && !hidden.contains(&"1".to_owned()), "{hidden:?}");
    }

    #[test]
    fn figures_that_are_none_make_no_score() {
        for text in ["", "{}", r#"{"packets_in":0,"packets_out":0,"lost":0,"late":0,"jitter_ms":0.0}"#] {
            assert_eq!(story(&events(&[(0, EventKind::Rtp, text)]), true).quality, None, "{text}");
        }
    }
}
