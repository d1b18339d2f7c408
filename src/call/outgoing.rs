//! A call that the hotline makes: what it comes to before somebody answers.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Call, Dial, Output, Phase, Settled, Setup};
use crate::callback::outcome::{self, of_refusal};
use crate::clock::Now;
use crate::ivr;
use crate::media::command::{Command, Record};
use crate::media::progress::Tone;
use crate::sdp;
use crate::sip::{self, Leg, Side, Why};
use crate::ticket::{CallEnd, EventKind, Outcome, RecordingKind};

/// No announcement of a network is longer.
const LONGEST_EARLY_MS: u32 = 60_000;

/// How far a call out is, and what it has come to.
#[derive(Debug)]
pub(super) struct Dialling {
    /// One for each way out that is left.
    legs: VecDeque<Leg>,
    /// Something was said between INVITE and final response.
    rung: bool,
    tone: Option<Tone>,
    /// The recording of what the network says.
    early: Option<ivr::Take>,
    answered: bool,
    status: Option<u16>,
    q850: Option<u8>,
    outcome: Option<Outcome>,
}

impl Call {
    /// Makes a call for a return visit: [`Output::Dial`] is the first thing that is to be done.
    ///
    /// # Panics
    /// Without a leg.
    pub fn outgoing(setup: Arc<Setup>, dial: Dial, now: Now, out: &mut Vec<Output>) -> Call {
        let Dial { legs, caller, ours } = dial;
        let mut legs = VecDeque::from(legs);
        let leg = legs.pop_front().expect("a call out has a way out");
        let mut call = Call::new(setup, leg, sdp::Session::new(ours), caller, now);
        call.phase = Phase::Calling;
        call.in_visit_flow = true;
        call.dialling = Some(Dialling {
            legs,
            rung: false,
            tone: None,
            early: None,
            answered: false,
            status: None,
            q850: None,
            outcome: None,
        });
        call.dial(out);
        call
    }

    fn dial(&mut self, out: &mut Vec<Output>) {
        out.push(Output::Dial { leg: self.leg, offer: self.description.offer() });
    }

    pub(super) fn ringing(&mut self, now: Now, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let Some(dialling) = self.dialling.as_mut().filter(|_| self.phase == Phase::Calling) else { return };
        dialling.rung = true;
        let Some(sdp) = sdp else { return };
        if self.agree(now, &sdp, out) && self.setup.keep_early && self.recording.is_none() && self.takes == 0 {
            self.recording_since = now.mono;
            let record = Record { max_ms: LONGEST_EARLY_MS, silence_ms: 0, stop_on_key: false };
            let take = self.record(RecordingKind::Early, record, out);
            self.dialling.iter_mut().for_each(|dialling| dialling.early = Some(take));
        }
    }

    /// Opens the sound, or changes it. False when the description can't be used.
    fn agree(&mut self, now: Now, sdp: &[u8], out: &mut Vec<Output>) -> bool {
        match self.description.accept(sdp) {
            Ok(negotiated) if self.media_open => self.reconfigure(negotiated, out),
            Ok(negotiated) => {
                self.media_open = true;
                out.push(Output::OpenMedia(negotiated));
                out.push(Output::Media(Command::Listen));
            }
            Err(refused) => {
                self.note(now, EventKind::Fault, refused.to_string(), out);
                return false;
            }
        }
        true
    }

    pub(super) fn accepted(&mut self, now: Now, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let Some(dialling) = self.dialling.as_mut().filter(|_| self.phase == Phase::Calling) else { return };
        dialling.answered = true;
        out.push(Output::Trunk { trouble: None });
        if !sdp.is_some_and(|sdp| self.agree(now, &sdp, out)) {
            return self.hang_up(now, CallEnd::Refused, out);
        }
        if self.recording.is_some() {
            out.push(Output::Media(Command::StopRecord));
        }
        // what rang before is not what the one who answers says
        out.push(Output::Media(Command::Listen));
        self.talk(now, out);
    }

    /// The network tells by its tones what no response tells.
    pub(super) fn heard_tone(&mut self, now: Now, tone: Tone, out: &mut Vec<Output>) {
        let name = match tone {
            Tone::RingBack => "ring_back",
            Tone::Busy => "busy",
            Tone::Congestion => "congestion",
        };
        self.note(now, EventKind::Node, format!("tone {name}"), out);
        let Some(dialling) = self.dialling.as_mut().filter(|_| self.phase == Phase::Calling) else { return };
        dialling.tone = Some(tone);
        if tone != Tone::RingBack {
            let trouble = (tone == Tone::Congestion).then_some(503);
            out.push(Output::Trunk { trouble });
            self.hang_up(now, CallEnd::Cancelled, out);
        }
    }

    /// Nobody answered this leg: the next way out, or the end.
    pub(super) fn unanswered(&mut self, now: Now, ended: &sip::Ended, out: &mut Vec<Output>) {
        let Some(dialling) = &mut self.dialling else { return };
        let (outcome, trouble) = judge(ended, dialling);
        if ended.side != Side::Local || ended.why == Why::Cancel {
            out.push(Output::Trunk { trouble });
        }
        let elsewhere = !dialling.rung && trouble.is_some_and(|status| status == 408 || status >= 500);
        if let Some(leg) = dialling.legs.pop_front_if(|_| elsewhere) {
            self.leg = leg;
            return self.dial(out);
        }
        if let Why::Rejected { status } = ended.why {
            dialling.status = Some(status);
        }
        (dialling.q850, dialling.outcome) = (ended.q850, Some(outcome));
        self.end(now, super::end_of(ended), out);
    }

    /// Whether what is recorded comes from the network, not from a person.
    pub(super) fn is_early(&self, take: ivr::Take) -> bool {
        self.dialling.as_ref().is_some_and(|dialling| dialling.early == Some(take))
    }

    /// What is known of the visit at the end of its call.
    pub(super) fn settled(&self) -> Settled {
        let ivr::VisitEnd { outcome, message_left } = self.state.visit_end();
        // who did not hang up has not broken it off
        let answered = match outcome {
            Outcome::HungUp if self.ended != Some(CallEnd::Caller) => Outcome::LineTrouble,
            outcome => outcome,
        };
        let Some(dialling) = self.dialling.as_ref().filter(|dialling| !dialling.answered) else {
            return Settled { outcome: answered, status: None, q850: None, message_left, early: None };
        };
        let &Dialling { status, q850, early, .. } = dialling;
        let outcome = dialling.outcome.unwrap_or_else(|| given_up(dialling));
        Settled { outcome, status, q850, message_left: false, early }
    }
}

/// What it came to, and with which status the trunk is to blame for it.
fn judge(ended: &sip::Ended, dialling: &Dialling) -> (Outcome, Option<u16>) {
    match ended.why {
        Why::Rejected { status } => {
            let outcome = of_refusal(Some(status), ended.q850, dialling.tone.map(named));
            let trouble = outcome == Outcome::LineTrouble || status == 408 && !dialling.rung;
            (outcome, trouble.then_some(status))
        }
        Why::Cancel => (given_up(dialling), None),
        Why::NoAnswer => (Outcome::LineTrouble, Some(408)),
        _ => (Outcome::LineTrouble, Some(503)),
    }
}

/// We stopped it: it rang long enough, a tone said the rest, or the service ends.
fn given_up(dialling: &Dialling) -> Outcome {
    match dialling.tone {
        Some(Tone::Busy | Tone::Congestion) => of_refusal(None, None, dialling.tone.map(named)),
        _ if dialling.rung => Outcome::NoAnswer,
        _ => Outcome::LineTrouble,
    }
}

fn named(tone: Tone) -> outcome::Tone {
    match tone {
        Tone::RingBack => outcome::Tone::RingBack,
        Tone::Busy => outcome::Tone::Busy,
        Tone::Congestion => outcome::Tone::Congestion,
    }
}
