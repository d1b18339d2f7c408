//! One call of the service, joined as the driver joins it: the pure call, its session, its ports and its keeper.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotline::call::{Call, Input, Output};
use hotline::clock::Mono;
use hotline::ivr::{Reply, Request, Stage, Status, Take, Topic};
use hotline::media::command::{Command, Cue};
use hotline::media::config::Config;
use hotline::media::event::Event;
use hotline::media::frame::Frame;
use hotline::media::session::{Outlet, Session};
use hotline::sdp::Negotiated;
use hotline::{sip, ticket::Number};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::ledger::Ledger;
use super::setup::sound;
use super::{now, number};

/// How the machine and its store are doing.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// One order to the keeper takes so long.
    pub store_ms: (u64, u64),
    /// Shares of a hundred questions.
    pub fails: u32,
    pub never_answers: u32,
    /// Of a thousand visits of the media thread, so many come up to 1.5 s late.
    pub late_visits: u32,
    /// From then on the media thread does nothing.
    pub media_dies: Option<Mono>,
    pub rtp_timeout_ms: u32,
}

/// What the store's consult menu offers.
fn topics() -> Vec<Topic> {
    let topic = |name: &str| Topic {
        id: name.into(),
        choice: format!("kb.{name}").into(),
        answer: format!("kbans.{name}").into(),
    };
    ["social", "id", "home", "traffic", "tour", "work"].map(topic).into()
}

#[derive(Debug)]
pub struct Line {
    pub leg: sip::Leg,
    pub port: u16,
    pub caller: SocketAddr,
    pub ledger: Ledger,
    pub node: Option<Arc<str>>,
    call: Call,
    sound: Option<Sound>,
    inputs: BTreeMap<(Mono, u64), Input>,
    counted: u64,
    /// While the remembered language is waited for, what comes is not looked at.
    held_until: Mono,
    keeper_busy_until: Mono,
    health: Health,
    rng: StdRng,
}

/// The media thread's side.
struct Sound {
    session: Session,
    commands: VecDeque<Command>,
    socket: Vec<(SocketAddr, Vec<u8>)>,
    visit_at: Mono,
    sequence: Option<u16>,
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sound").field("visit_at", &self.visit_at).field("commands", &self.commands).finish()
    }
}

impl Line {
    pub fn new(
        call: Call,
        leg: sip::Leg,
        port: u16,
        caller: SocketAddr,
        health: Health,
        at: Mono,
        seed: [u8; 32],
    ) -> Line {
        Line {
            leg,
            port,
            caller,
            ledger: Ledger::default(),
            node: None,
            call,
            sound: None,
            inputs: BTreeMap::new(),
            counted: 0,
            held_until: at,
            keeper_busy_until: at,
            health,
            rng: StdRng::from_seed(seed),
        }
    }

    pub fn is_over(&self) -> bool {
        self.call.is_over()
    }

    pub fn next(&self) -> Option<Mono> {
        let input = self.inputs.first_key_value().map(|((at, _), _)| *at);
        let visit = self.sound.as_ref().filter(|sound| !sound.session.is_closed()).map(|sound| sound.visit_at);
        let visit = visit.filter(|at| self.health.media_dies.is_none_or(|dies| *at < dies));
        let wake = self.call.wake_at().map(|at| at.max(self.held_until));
        [input, visit, wake].into_iter().flatten().min()
    }

    pub fn input(&mut self, at: Mono, input: Input) {
        self.counted += 1;
        self.inputs.insert((at.max(self.held_until), self.counted), input);
    }

    /// The answer's ACK: from here the language is waited for.
    pub fn answered(&mut self, at: Mono, event: sip::Event, language: Option<hotline::language::Language>) {
        self.held_until = at + Duration::from_millis(self.rng.random_range(0..=300));
        self.ledger.answered = true;
        self.call.remember(language);
        self.input(at, Input::Sip(event));
    }

    pub fn packet(&mut self, from: SocketAddr, bytes: Vec<u8>) {
        if let Some(sound) = &mut self.sound {
            sound.socket.push((from, bytes));
        }
    }

    /// Carries out what is due; commands for the endpoint are handed back.
    pub fn act(&mut self, at: Mono) -> Vec<sip::Command> {
        self.visit(at);
        let mut commands = Vec::new();
        while !self.call.is_over() {
            let due = self.inputs.first_entry().filter(|entry| entry.key().0 <= at);
            let input = match due {
                Some(entry) => entry.remove(),
                None if self.held_until <= at && self.call.wake_at().is_some_and(|wake| wake <= at) => Input::Timeout,
                None => break,
            };
            if let Input::Media(Event::RecordEnded(ended)) = &input {
                self.ledger.recorded(ended);
            }
            if let Input::Media(Event::Digit { digit, .. }) = &input {
                self.ledger.keys.push(*digit);
            }
            if let Input::Sip(sip::Event::Ended { .. }) = &input {
                self.ledger.signalling_ended(at);
            }
            let mut outputs = Vec::new();
            self.call.handle(now(at), input, &mut outputs);
            self.carry_out(at, outputs, &mut commands);
        }
        commands
    }

    pub fn carry_out(&mut self, at: Mono, outputs: Vec<Output>, commands: &mut Vec<sip::Command>) {
        for output in outputs {
            self.ledger.output(at, &output);
            match output {
                Output::Sip(command) => {
                    if matches!(command, sip::Command::HangUp { .. }) {
                        self.ledger.signalling_ended(at);
                    }
                    commands.push(command);
                }
                Output::OpenMedia(negotiated) => self.open(at, negotiated),
                Output::Media(command) => {
                    let sound = self.sound.as_mut().expect("the session is opened before it is commanded");
                    sound.commands.push_back(command);
                }
                Output::OpenTake { .. } | Output::CloseTake { .. } | Output::OpenCallRecording => {
                    self.keeper_takes(at);
                }
                Output::Load { take } => self.load(at, take),
                Output::Ask { ask, request } => self.ask(at, ask, &request),
                Output::Board { node, .. } => self.node = Some(node),
                Output::Over(_) => self.let_go(at),
                Output::Draft(_) | Output::Note(_) => {}
                // the simulated callers have no survey to go on with
                Output::Dial { .. } | Output::Trunk { .. } | Output::Said(_) | Output::Settled(_) => {}
            }
        }
    }

    fn open(&mut self, at: Mono, negotiated: Negotiated) {
        assert!(self.sound.is_none(), "a session is opened once");
        let config = Config { rtp_timeout_ms: self.health.rtp_timeout_ms, ..Config::default() };
        let mut session = Session::new(&config, negotiated, None, self.rng.random(), now(at));
        let visit_at = at + Duration::from_millis(self.rng.random_range(1..=20));
        session.begin(visit_at);
        self.sound = Some(Sound { session, commands: VecDeque::new(), socket: Vec::new(), visit_at, sequence: None });
    }

    /// The call's task is gone: the thread closes what it finds abandoned.
    fn let_go(&mut self, at: Mono) {
        let dead = self.health.media_dies.is_some_and(|dies| dies <= at);
        let closed = self.sound.as_ref().is_none_or(|sound| sound.session.is_closed());
        assert!(dead || closed, "the call is over and its session is open");
        self.sound = None;
    }

    fn visit(&mut self, at: Mono) {
        let dead = self.health.media_dies.is_some_and(|dies| dies <= at);
        let Some(sound) = self.sound.as_mut().filter(|sound| sound.visit_at <= at && !dead) else { return };
        let mut shell =
            Shell { caller: self.caller, events: Vec::new(), ledger: &mut self.ledger, sequence: &mut sound.sequence };
        for command in sound.commands.drain(..) {
            sound.session.command(at, command, &mut shell);
        }
        for (from, bytes) in sound.socket.drain(..) {
            sound.session.receive(at, from, &bytes, &mut shell);
        }
        sound.session.advance(at, &mut shell);
        let events = shell.events;
        let late = self.rng.random_range(0..1_000) < self.health.late_visits;
        let late_ms = if late { self.rng.random_range(0..1_500) } else { 0 };
        sound.visit_at = at + Duration::from_millis(20 + late_ms);
        for event in events {
            self.input(at, Input::Media(event));
        }
    }

    /// When the keeper has done one more order.
    fn keeper_takes(&mut self, at: Mono) -> Mono {
        let (low, high) = self.health.store_ms;
        let begins = self.keeper_busy_until.max(at);
        self.keeper_busy_until = begins + Duration::from_millis(self.rng.random_range(low..=high));
        self.keeper_busy_until
    }

    fn load(&mut self, at: Mono, take: Take) {
        let done = self.keeper_takes(at);
        let there = self.rng.random_range(0..100) >= self.health.fails;
        let ms = self.rng.random_range(20..400);
        self.input(done, Input::Loaded { take, clip: there.then(|| Arc::new(sound(ms))) });
    }

    fn ask(&mut self, at: Mono, ask: u32, request: &Request) {
        let throw = self.rng.random_range(0..100);
        let fails = throw < self.health.fails;
        let silent = throw < self.health.fails + self.health.never_answers && !fails;
        let submits = matches!(request, Request::Submit(_));
        let done = if submits { self.keeper_takes(at) } else { self.another_question(at) };
        if silent || matches!(request, Request::RememberLanguage { .. }) {
            return;
        }
        let reply = if fails { Reply::Failed } else { self.reply(request) };
        self.input(done, Input::Reply { ask, reply });
        if submits && fails && self.rng.random_bool(0.5) {
            // the store comes back, and the keeper tells it
            let later = done + Duration::from_millis(self.rng.random_range(0..8_000));
            let reply = Reply::Submitted { number: number(&mut self.rng) };
            self.input(later, Input::Reply { ask, reply });
        }
    }

    /// Questions do not go through the keeper.
    fn another_question(&mut self, at: Mono) -> Mono {
        let (low, high) = self.health.store_ms;
        at + Duration::from_millis(self.rng.random_range(low..=high).min(3_000))
    }

    fn reply(&mut self, request: &Request) -> Reply {
        let chance = self.rng.random_range(0..10);
        let found = |number: Number| Reply::Found(Status { number, stage: Stage::ALL[chance], due: None });
        match (request, chance) {
            (Request::Submit(_), _) => Reply::Submitted { number: number(&mut self.rng) },
            (Request::Latest { .. }, 0..3) => Reply::NotFound,
            (Request::Latest { .. }, _) => found(number(&mut self.rng)),
            (Request::Lookup { number, .. }, 0..4) => found(*number),
            (Request::Lookup { .. }, 4..8) => Reply::VerifyPhone,
            (Request::Lookup { .. }, 8) | (Request::Verify { .. }, 8) => Reply::Locked,
            (Request::Lookup { .. }, _) => Reply::NotFound,
            (Request::Verify { number, .. }, 0..4) => found(*number),
            (Request::Verify { .. }, _) => Reply::Mismatch,
            (Request::Urge { .. }, 0..5) => Reply::Urged,
            (Request::Urge { .. }, _) => Reply::AlreadyUrged,
            (Request::Consult { .. }, 0) => Reply::Topics(Vec::new()),
            (Request::Consult { .. }, _) => Reply::Topics(topics()),
            (Request::RememberLanguage { .. } | Request::DirectAnswer { .. } | Request::Said(_), _) => Reply::Failed,
        }
    }
}

struct Shell<'a> {
    caller: SocketAddr,
    events: Vec<Event>,
    ledger: &'a mut Ledger,
    sequence: &'a mut Option<u16>,
}

impl Outlet for Shell<'_> {
    fn send_rtp(&mut self, to: SocketAddr, packet: &[u8]) {
        assert_eq!(to.ip(), self.caller.ip(), "sound for somebody else");
        assert!(packet.len() == 172 && matches!(packet[1] & 0x7F, 0 | 8), "sound that nobody offered");
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        assert!(self.sequence.is_none_or(|latest| latest.wrapping_add(1) == sequence), "a hole in what is sent");
        *self.sequence = Some(sequence);
    }

    fn send_rtcp(&mut self, to: SocketAddr, _packet: &[u8]) {
        assert_eq!(to.ip(), self.caller.ip(), "a report for somebody else");
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn record(&mut self, frame: &Frame) -> bool {
        self.ledger.frame(frame);
        true
    }

    fn discard(&mut self, _cues: Vec<Cue>) {}
}
