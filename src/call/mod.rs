//! One call's orchestration, pure: joins signalling, sound and flow, and asks for what must be kept.
//!
//! [`Call::handle`] takes what happened and the time, and appends what must be done. The driver carries the outputs
//! out in their order. A call passes through its phases: answering (or calling), talking, closing, over; whatever ends it, the flow
//! hears `HungUp` once, after the last sample is accounted for, and only then the call is over.

pub mod line;
mod outgoing;
mod ports;
mod speech;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Mono, Now};
use crate::ivr;
use crate::language::Language;
use crate::media::clip::Clip;
use crate::media::command::{Command, Record};
use crate::media::event::{self as sound, Event as Sound};
use crate::prompt::Prompts;
use crate::sdp;
use crate::sip;
use crate::ticket::{CallEnd, EndedBy, EventKind, RecordingKind};

use outgoing::Dialling;
pub use ports::{Dial, Ended, Input, Note, Opening, Output, Settled, Setup};

/// How long a closed session may take to hand over its last frames before the call goes on without them.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a call that has ended waits for the store's reply to its last question; the driver goes on trying alone.
const LAST_REPLY_LIMIT: Duration = Duration::from_secs(5);
/// The goodbye of a draining service takes no longer than this.
const GOODBYE_LIMIT: Duration = Duration::from_secs(10);

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The INVITE is out; the network may say something already.
    Calling,
    /// The 200 is out, its ACK is awaited.
    Answering,
    /// The flow runs.
    Talking,
    /// The service ends the call: the flow is over, a goodbye plays.
    Leaving,
    /// Signalling is over; the session hands over what it still has.
    Closing,
    /// The flow has heard of the end; its last questions to the store are out.
    Settling,
    Over,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    setup: Arc<Setup>,
    leg: sip::Leg,
    phase: Phase,
    description: sdp::Session,
    /// What the flow is told when the call is answered.
    caller: Option<ivr::Caller>,
    state: ivr::State,
    started: Mono,
    node: Arc<str>,
    /// The playback whose end the flow waits for.
    speaking: Option<Speaking>,
    next_token: u64,
    /// The flow's timer.
    timer: Option<Mono>,
    /// A limit of ours: the longest call, closing, last reply, goodbye.
    limit: Option<Mono>,
    media_open: bool,
    recording: Option<ivr::Take>,
    recording_since: Mono,
    failed_take: Option<ivr::Take>,
    takes: u32,
    loaded: HashMap<ivr::Take, Arc<Clip>>,
    call_recording: bool,
    /// The question that makes the ticket, and whether the end of the call still waits for its reply.
    submit: Option<u32>,
    submitting: bool,
    draft: Option<ivr::Draft>,
    ended: Option<CallEnd>,
    /// Of a call that the hotline makes.
    dialling: Option<Dialling>,
    /// The flow of return visits runs.
    in_visit_flow: bool,
    /// The call is for a return visit, or may become one; whether it has been told how that ended.
    visit_settled: Option<bool>,
}

/// A playback under way.
#[derive(Debug)]
struct Speaking {
    token: u64,
    /// Utterances that wait for a recording to be loaded.
    rest: Vec<ivr::Utterance>,
    language: Language,
    /// When all that is queued will have been heard.
    until: Mono,
    /// What has not begun yet: when it will, and how the timeline names it.
    to_begin: VecDeque<(Mono, String)>,
}

impl Call {
    /// Takes an incoming call in: answers the offer, or says with which status to refuse it.
    pub fn incoming(
        setup: Arc<Setup>,
        opening: Opening,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<Call, sdp::Refusal> {
        let Opening { leg, caller, offer, ours } = opening;
        let mut description = sdp::Session::new(ours);
        let sdp = match offer {
            Some(offer) => {
                let (answer, negotiated) = description.answer(&offer)?;
                out.push(Output::OpenMedia(negotiated));
                answer
            }
            None => description.offer(),
        };
        let media_open = matches!(out.last(), Some(Output::OpenMedia(_)));
        out.push(Output::Sip(sip::Command::Answer { leg, sdp }));
        Ok(Call { media_open, ..Call::new(setup, leg, description, caller, now) })
    }

    fn new(setup: Arc<Setup>, leg: sip::Leg, description: sdp::Session, caller: ivr::Caller, now: Now) -> Call {
        Call {
            state: ivr::State::default(),
            setup,
            leg,
            phase: Phase::Answering,
            description,
            visit_settled: caller.visit.map(|_| false),
            caller: Some(caller),
            started: now.mono,
            node: Arc::from(""),
            speaking: None,
            next_token: 1,
            timer: None,
            limit: None,
            media_open: false,
            recording: None,
            recording_since: now.mono,
            failed_take: None,
            takes: 0,
            loaded: HashMap::new(),
            call_recording: false,
            submit: None,
            submitting: false,
            draft: None,
            ended: None,
            dialling: None,
            in_visit_flow: false,
        }
    }

    /// Tells the flow, before it starts, which language this number chose before.
    pub fn remember(&mut self, language: Option<Language>) {
        if let Some(caller) = &mut self.caller {
            caller.language = language;
        }
    }

    /// Tells the flow, before it starts, that this number broke a survey off a short while ago.
    pub fn may_go_on(&mut self, visit: ivr::Visit) {
        if let Some(caller) = &mut self.caller {
            caller.visit = Some(visit);
            self.visit_settled = Some(false);
        }
    }

    /// Whether the flow asks who broke a survey off to go on with it.
    pub fn offers_to_go_on(&self) -> bool {
        self.setup.flow.goes_on_visiting()
    }

    /// When [`Input::Timeout`] is due.
    pub fn wake_at(&self) -> Option<Mono> {
        match (self.timer, self.limit) {
            (Some(timer), Some(limit)) => Some(timer.min(limit)),
            (timer, limit) => timer.or(limit),
        }
    }

    pub fn leg(&self) -> sip::Leg {
        self.leg
    }

    /// What the line says.
    pub fn prompts(&self) -> &Arc<Prompts> {
        &self.setup.prompts
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.tell_begun(now, out);
        match input {
            Input::Sip(event) => self.signalling(now, event, out),
            Input::Media(event) => self.sound(now, event, out),
            Input::Reply { ask, reply } => self.reply(now, ask, reply, out),
            Input::Loaded { take, clip } => self.loaded(now, take, clip, out),
            Input::TakeFailed { take } => self.take_failed(now, take, out),
            Input::Timeout => self.timeout(now, out),
            Input::Leave => self.leave(now, out),
            Input::Abort => self.hang_up(now, CallEnd::Hotline, out),
        }
    }

    fn signalling(&mut self, now: Now, event: sip::Event, out: &mut Vec<Output>) {
        match event {
            sip::Event::Answered { answer, .. } => self.answered(now, answer, out),
            sip::Event::Ringing { sdp, .. } => self.ringing(now, sdp, out),
            sip::Event::Accepted { sdp, .. } => self.accepted(now, sdp, out),
            sip::Event::Offer { sdp, .. } => self.offered(now, sdp, out),
            sip::Event::OfferAnswered { sdp, .. } => self.renegotiated(now, &sdp, out),
            sip::Event::Digit { digit, .. } if self.media_open => {
                out.push(Output::Media(Command::InfoDigit(digit)));
            }
            sip::Event::Trace { sent, line, .. } => {
                let text = format!("{} {line}", if sent { "->" } else { "<-" });
                self.note(now, EventKind::Sip, text, out);
            }
            sip::Event::Ended { ended, .. } if self.phase == Phase::Calling => self.unanswered(now, &ended, out),
            sip::Event::Ended { ended, .. } => self.end(now, end_of(&ended), out),
            _ => {}
        }
    }

    fn answered(&mut self, now: Now, answer: Option<Vec<u8>>, out: &mut Vec<Output>) {
        if self.phase != Phase::Answering {
            return;
        }
        if let Some(sdp) = answer {
            match self.description.accept(&sdp) {
                Ok(negotiated) => {
                    self.media_open = true;
                    out.push(Output::OpenMedia(negotiated));
                }
                Err(refused) => self.note(now, EventKind::Fault, refused.to_string(), out),
            }
        }
        if !self.media_open {
            // RFC 3264 §4: an ACK that owed us an answer and brought none leaves nothing to talk over
            self.hang_up(now, CallEnd::Refused, out);
            return;
        }
        self.talk(now, out);
    }

    fn talk(&mut self, now: Now, out: &mut Vec<Output>) {
        self.phase = Phase::Talking;
        self.limit = Some(now.mono + self.setup.longest_call);
        if let Some(caller) = self.caller.take() {
            self.walk(now, ivr::Event::Start(caller), out);
        }
    }

    fn offered(&mut self, now: Now, sdp: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let leg = self.leg;
        let Some(sdp) = sdp else {
            out.push(Output::Sip(sip::Command::Accept { leg, sdp: self.description.offer() }));
            return;
        };
        match self.description.answer(&sdp) {
            Ok((answer, negotiated)) => {
                out.push(Output::Sip(sip::Command::Accept { leg, sdp: answer }));
                self.reconfigure(negotiated, out);
            }
            Err(refused) => {
                self.note(now, EventKind::Fault, refused.to_string(), out);
                out.push(Output::Sip(sip::Command::RefuseOffer { leg, status: refused.status() }));
            }
        }
    }

    fn renegotiated(&mut self, now: Now, sdp: &[u8], out: &mut Vec<Output>) {
        match self.description.accept(sdp) {
            Ok(negotiated) => self.reconfigure(negotiated, out),
            Err(refused) => self.note(now, EventKind::Fault, refused.to_string(), out),
        }
    }

    fn reconfigure(&mut self, negotiated: sdp::Negotiated, out: &mut Vec<Output>) {
        if self.media_open {
            out.push(Output::Media(Command::Reconfigure(negotiated)));
        }
    }

    fn sound(&mut self, now: Now, event: Sound, out: &mut Vec<Output>) {
        match event {
            Sound::Digit { digit, path } => {
                let way = match path {
                    sound::Path::Rfc4733 => "rfc4733",
                    sound::Path::InBand => "in_band",
                    sound::Path::Info => "info",
                };
                // of a number that is typed the timeline keeps only that a key came
                let key = if self.state.is_collecting(self.flow()) { "digit".to_owned() } else { digit.to_string() };
                self.note(now, EventKind::Key, format!("{key} {way}"), out);
                self.walk(now, ivr::Event::Digit(digit), out);
            }
            Sound::Played { token, complete, .. } => self.played(now, token, complete, out),
            Sound::RecordEnded(ended) => self.recorded(now, &ended, out),
            Sound::Tone(tone) => self.heard_tone(now, tone, out),
            Sound::LongSpeech => self.walk(now, ivr::Event::LongSpeech, out),
            // before somebody answers the network need not send anything
            Sound::RtpTimeout if self.phase == Phase::Calling => {}
            Sound::RtpTimeout => {
                self.note(now, EventKind::Fault, "no RTP from the caller".to_owned(), out);
                self.hang_up(now, CallEnd::Lost, out);
            }
            Sound::Closed(summary) => {
                self.note(now, EventKind::Rtp, ports::figures(&summary), out);
                self.media_open = false;
                self.settle(now, out);
            }
        }
    }

    fn played(&mut self, now: Now, token: u64, complete: bool, out: &mut Vec<Output>) {
        let ended = self.speaking.take_if(|speaking| speaking.token == token && speaking.rest.is_empty());
        let Some(speaking) = ended else { return };
        if complete {
            self.tell_played(now, speaking, out);
        }
        match self.phase {
            Phase::Talking => self.walk(now, ivr::Event::Played, out),
            Phase::Leaving => self.hang_up(now, CallEnd::Hotline, out),
            _ => {}
        }
    }

    fn recorded(&mut self, now: Now, ended: &sound::RecordEnded, out: &mut Vec<Output>) {
        let Some(take) = self.recording.take() else { return };
        let (ended_by, told) = match ended.ended_by {
            sound::EndedBy::Key => (EndedBy::Key, ivr::EndedBy::Key),
            sound::EndedBy::Silence => (EndedBy::Silence, ivr::EndedBy::Silence),
            sound::EndedBy::Limit => (EndedBy::Limit, ivr::EndedBy::Limit),
            // a call that the service ends is cut off like one that the citizen ends
            sound::EndedBy::Stopped | sound::EndedBy::Closed => (EndedBy::Hangup, ivr::EndedBy::HangUp),
        };
        out.push(Output::CloseTake { take, ended_by, end_frame: Some(ended.end_frame) });
        if self.is_early(take) {
            return;
        }
        let failed = self.failed_take.take() == Some(take);
        let (speech_ms, duration_ms) = if failed { (0, 0) } else { (ended.speech_ms, ended.duration_ms) };
        self.walk(now, ivr::Event::Recorded { ended_by: told, speech_ms, duration_ms, take }, out);
        if self.phase == Phase::Leaving {
            self.part(now, out);
        }
    }

    /// What can't be kept must not be taken for a request: the flow hears that nothing was said.
    fn take_failed(&mut self, now: Now, take: ivr::Take, out: &mut Vec<Output>) {
        self.note(now, EventKind::Fault, "the recording could not be written".to_owned(), out);
        if self.recording == Some(take) {
            self.failed_take = Some(take);
            out.push(Output::Media(Command::StopRecord));
        }
    }

    fn reply(&mut self, now: Now, ask: u32, reply: ivr::Reply, out: &mut Vec<Output>) {
        if self.submit == Some(ask) {
            self.submitting = false;
            // also when it comes late, after the store was away
            if let ivr::Reply::Submitted { number } = &reply {
                self.note(now, EventKind::Ticket, number.to_string(), out);
            }
        }
        if self.phase == Phase::Settling {
            self.finish(out);
        } else {
            self.walk(now, ivr::Event::Answer { ask, reply }, out);
        }
    }

    fn timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.timer.is_some_and(|at| at <= now.mono) {
            self.timer = None;
            self.walk(now, ivr::Event::Timer, out);
        }
        if self.limit.is_none_or(|at| at > now.mono) {
            return;
        }
        self.limit = None;
        match self.phase {
            // nobody needs this long: a key that is stuck, a line that was forgotten
            Phase::Talking => self.leave(now, out),
            Phase::Leaving => self.hang_up(now, CallEnd::Hotline, out),
            Phase::Closing => {
                self.media_open = false;
                self.settle(now, out);
            }
            Phase::Settling => {
                self.submitting = false;
                self.finish(out);
            }
            _ => {}
        }
    }

    /// The service ends: what was said is kept, the caller hears goodbye.
    fn leave(&mut self, now: Now, out: &mut Vec<Output>) {
        match self.phase {
            Phase::Calling | Phase::Answering => self.hang_up(now, CallEnd::Hotline, out),
            Phase::Talking => {
                self.hush(out);
                self.timer = None;
                self.phase = Phase::Leaving;
                self.limit = Some(now.mono + GOODBYE_LIMIT);
                if self.recording.is_some() {
                    out.push(Output::Media(Command::StopRecord));
                } else {
                    self.part(now, out);
                }
            }
            _ => {}
        }
    }

    /// Tells the flow that it is over and says goodbye.
    fn part(&mut self, now: Now, out: &mut Vec<Output>) {
        self.walk(now, ivr::Event::HungUp, out);
        let language = self.state.language().unwrap_or(Language::Zh);
        self.say(now, language, vec![ivr::Utterance::Prompt(language, Arc::from("greet.bye"))], out);
    }

    fn hang_up(&mut self, now: Now, end: CallEnd, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Closing | Phase::Settling | Phase::Over) {
            return;
        }
        out.push(Output::Sip(sip::Command::HangUp { leg: self.leg, reason: None }));
        self.end(now, end, out);
    }

    /// Signalling is over, whoever ended it. The first to say so is right.
    fn end(&mut self, now: Now, end: CallEnd, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Closing | Phase::Settling | Phase::Over) {
            return;
        }
        self.ended = Some(end);
        self.timer = None;
        self.speaking = None;
        self.phase = Phase::Closing;
        self.limit = Some(now.mono + CLOSE_LIMIT);
        if self.media_open {
            out.push(Output::Media(Command::Close));
        } else {
            self.settle(now, out);
        }
    }

    /// The last sample is accounted for: the flow hears of the end and submits what must be submitted.
    fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.phase != Phase::Closing {
            // the session went first: its thread is gone or its socket failed
            self.hang_up(now, CallEnd::Lost, out);
            return;
        }
        if let Some(take) = self.recording.take() {
            // the session never told how much of it was speech: all of it may have been
            let ms = u32::try_from(now.mono.since(self.recording_since).as_millis()).unwrap_or(u32::MAX);
            out.push(Output::CloseTake { take, ended_by: EndedBy::Hangup, end_frame: None });
            let ended_by = ivr::EndedBy::HangUp;
            if !self.is_early(take) {
                self.walk(now, ivr::Event::Recorded { ended_by, speech_ms: ms, duration_ms: ms, take }, out);
            }
        }
        self.walk(now, ivr::Event::HungUp, out);
        self.phase = Phase::Settling;
        self.limit = Some(now.mono + LAST_REPLY_LIMIT);
        self.finish(out);
    }

    fn finish(&mut self, out: &mut Vec<Output>) {
        if !self.submitting && self.phase == Phase::Settling {
            self.phase = Phase::Over;
            self.limit = None;
            self.loaded.clear();
            self.settle_visit(out);
            out.push(Output::Over(Ended { by: self.ended.unwrap_or(CallEnd::Lost), language: self.state.language() }));
        }
    }

    /// Says once how the return visit has ended.
    fn settle_visit(&mut self, out: &mut Vec<Output>) {
        if let Some(settled) = self.visit_settled.as_mut().filter(|settled| !**settled) {
            *settled = true;
            out.push(Output::Settled(self.settled()));
        }
    }

    fn flow(&self) -> &ivr::Flow {
        if self.in_visit_flow { &self.setup.visit } else { &self.setup.flow }
    }

    /// One step of the flow.
    fn walk(&mut self, now: Now, event: ivr::Event, out: &mut Vec<Output>) {
        let state = std::mem::take(&mut self.state);
        let (state, actions) = ivr::step(self.flow(), state, event);
        self.state = state;
        for action in actions {
            self.act(now, action, out);
        }
        if self.state.visit_decided().is_some() {
            // a wish to be left alone must not wait for the end of the call
            self.settle_visit(out);
        }
        self.look_at_draft(out);
    }

    fn act(&mut self, now: Now, action: ivr::Action, out: &mut Vec<Output>) {
        let live = self.phase == Phase::Talking;
        match action {
            ivr::Action::Enter(node) => {
                self.note(now, EventKind::Node, node.to_string(), out);
                self.node = Arc::clone(&node);
                out.push(Output::Board { node, language: self.state.language() });
            }
            ivr::Action::Say { utterances, .. } if live => {
                let language = self.state.language().unwrap_or(Language::Zh);
                self.say(now, language, utterances, out);
            }
            ivr::Action::Hush if live => self.hush(out),
            ivr::Action::StartTimer { ms } if live => {
                self.timer = Some(now.mono + Duration::from_millis(ms.into()));
            }
            ivr::Action::StopTimer => self.timer = None,
            ivr::Action::Record { max_ms, silence_ms, kind } if live => {
                self.recording_since = now.mono;
                let what = if kind == ivr::RecordKind::Reason { RecordingKind::Reason } else { RecordingKind::Request };
                self.record(what, Record { max_ms, silence_ms, stop_on_key: true }, out);
            }
            ivr::Action::StopRecord if live => out.push(Output::Media(Command::StopRecord)),
            ivr::Action::CallRecording(on) if live && self.setup.record_calls => self.keep_call(on, out),
            ivr::Action::Ask { request: ivr::Request::DirectAnswer { topic }, .. } => {
                self.note(now, EventKind::Node, format!("direct_answer {topic}"), out);
            }
            ivr::Action::Ask { request: ivr::Request::Said(spoken), .. } => out.push(Output::Said(spoken)),
            ivr::Action::Ask { ask, request } => {
                if matches!(request, ivr::Request::Submit(_)) {
                    (self.submit, self.submitting) = (Some(ask), true);
                }
                out.push(Output::Ask { ask, request });
            }
            ivr::Action::HangUp => self.hang_up(now, CallEnd::Hotline, out),
            ivr::Action::GoOnVisiting if live => self.go_on_visiting(now, out),
            _ => {}
        }
    }

    /// From the menu into the survey.
    fn go_on_visiting(&mut self, now: Now, out: &mut Vec<Output>) {
        let state = std::mem::take(&mut self.state);
        self.in_visit_flow = true;
        if let Some(caller) = state.caller() {
            let features = ivr::Features { synthetic: self.setup.visit_synthetic, ..caller.features.clone() };
            let caller = ivr::Caller { language: state.language(), features, ..caller.clone() };
            self.walk(now, ivr::Event::Start(caller), out);
        }
    }

    fn record(&mut self, kind: RecordingKind, record: Record, out: &mut Vec<Output>) -> ivr::Take {
        self.takes += 1;
        let take = ivr::Take(self.takes);
        self.recording = Some(take);
        out.push(Output::OpenTake { take, kind });
        out.push(Output::Media(Command::Record(record)));
        take
    }

    fn keep_call(&mut self, on: bool, out: &mut Vec<Output>) {
        if on && !self.call_recording {
            self.call_recording = true;
            out.push(Output::OpenCallRecording);
        }
        out.push(Output::Media(Command::CallRecording(on)));
    }

    /// Hands on what is known of the request when it has changed, so that the files beside the recordings can tell
    /// it if this program can't.
    fn look_at_draft(&mut self, out: &mut Vec<Output>) {
        let draft = self.state.draft().filter(|_| !self.in_visit_flow);
        if draft.is_some() && draft != self.draft {
            out.extend(draft.clone().map(|draft| Output::Draft(Box::new(draft))));
            self.draft = draft;
        }
    }

    fn note(&self, now: Now, kind: EventKind, text: String, out: &mut Vec<Output>) {
        self.note_at(now, now.mono, kind, text, out);
    }

    /// Notes what happened a moment ago.
    fn note_at(&self, now: Now, at: Mono, kind: EventKind, text: String, out: &mut Vec<Output>) {
        let offset_ms = u64::try_from(at.since(self.started).as_millis()).unwrap_or(u64::MAX);
        out.push(Output::Note(Note { at: now.wall - now.mono.since(at), offset_ms, kind, text }));
    }
}

/// How the store names the end that signalling reports.
fn end_of(ended: &sip::Ended) -> CallEnd {
    match (ended.side, &ended.why) {
        (_, sip::Why::Cancel) => CallEnd::Cancelled,
        (_, sip::Why::Rejected { .. }) => CallEnd::Refused,
        (sip::Side::Peer, sip::Why::Bye) => CallEnd::Caller,
        (sip::Side::Local, sip::Why::Bye) => CallEnd::Hotline,
        _ => CallEnd::Lost,
    }
}
