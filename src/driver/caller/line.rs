//! The call as it goes: what the endpoint, the sound and the clock say, and what follows from it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::mpsc::UnboundedReceiver;

use super::report::{Answered, Message, Pressed, Progress, Report};
use super::{Heard, Order};
use crate::clock::{Clock, Mono};
use crate::driver::media::ports::Sockets;
use crate::driver::media::recording::Source;
use crate::driver::media::{CallMedia, Media, Opened};
use crate::driver::sip::Sip;
use crate::driver::sleep_until;
use crate::media::command::{Command as Ask, Cue};
use crate::media::event::{Event as Sound, Summary};
use crate::sdp::{self, Negotiated};
use crate::sip::{Command, Ended, Event, Leg, Side, Why};

/// After its end the call's last messages and figures have so long.
const PARTING_LIMIT: Duration = Duration::from_secs(4);
/// How often the recording ring, which holds 2 s, is read.
const LISTEN_EVERY: Duration = Duration::from_millis(200);
/// A media thread that takes no more orders is asked again after this.
const ASK_AGAIN: Duration = Duration::from_millis(20);

pub struct Line<Tell> {
    leg: Leg,
    sip: Sip,
    media: Media,
    sockets: Option<Sockets>,
    description: sdp::Session,
    clock: Clock,
    random: StdRng,
    tell: Tell,
    began: Mono,
    talk: Duration,
    script: VecDeque<(Duration, Order)>,
    negotiated: Option<Negotiated>,
    sound: Option<CallMedia>,
    source: Option<Source>,
    plays: u64,
    /// Not before this is the next order carried out.
    crowded_until: Mono,
    answered_at: Option<Mono>,
    ended_at: Option<Mono>,
    ladder: Vec<Message>,
    answered: Option<Answered>,
    pressed: Vec<Pressed>,
    ended: Option<Ended>,
    heard: Heard,
    rtp: Option<Summary>,
}

impl<Tell: FnMut(Progress)> Line<Tell> {
    /// Hangs up by itself `talk` after the answer.
    pub fn new(
        leg: Leg,
        talk: Duration,
        (sip, media, sockets): (Sip, Media, Sockets),
        local: IpAddr,
        clock: Clock,
        mut random: StdRng,
        tell: Tell,
    ) -> Line<Tell> {
        let rtp_port = sockets.port();
        let ours = sdp::Ours {
            address: local,
            rtp_port,
            session_id: random.random::<u64>() >> 2,
            version: 1,
            direction: sdp::Direction::SendRecv,
            own_addresses: vec![local],
            own_rtp_range: rtp_port..=rtp_port + 1,
        };
        Line {
            leg,
            sip,
            media,
            sockets: Some(sockets),
            description: sdp::Session::new(ours),
            clock,
            random,
            tell,
            began: clock.mono(),
            talk,
            script: VecDeque::new(),
            negotiated: None,
            sound: None,
            source: None,
            plays: 0,
            crowded_until: Mono::ZERO,
            answered_at: None,
            ended_at: None,
            ladder: Vec::new(),
            answered: None,
            pressed: Vec::new(),
            ended: None,
            heard: Heard::default(),
            rtp: None,
        }
    }

    /// What is done by the clock, before anybody orders more.
    pub fn with_script(mut self, script: Vec<(Duration, Order)>) -> Line<Tell> {
        self.script = script.into();
        self
    }

    pub fn offer(&mut self) -> Vec<u8> {
        self.description.offer()
    }

    /// Picks up.
    pub async fn answer(&mut self, offer: Option<&[u8]>) {
        let command = match offer.map(|offer| self.description.answer(offer)) {
            None => Command::Answer { leg: self.leg, sdp: self.description.offer() },
            Some(Ok((sdp, negotiated))) => {
                self.open(negotiated);
                Command::Answer { leg: self.leg, sdp }
            }
            Some(Err(refused)) => Command::Reject { leg: self.leg, status: refused.status(), retry_after_s: None },
        };
        self.sip.command(command).await;
    }

    /// Until the call is over and everything about it is known.
    pub async fn run(&mut self, mut events: UnboundedReceiver<Event>, mut orders: UnboundedReceiver<Order>) {
        let mut listen = tokio::time::interval(LISTEN_EVERY);
        while !self.is_over() {
            let wake = self.wake_at().map(|at| self.clock.instant(at));
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.signalled(event).await,
                    None => self.end(Ended { side: Side::Network, why: Why::TransportFailed, q850: None }),
                },
                sound = next(&mut self.sound) => self.sounded(sound),
                Some(order) = orders.recv() => self.ordered(order).await,
                () = sleep_until(wake) => self.due().await,
                _ = listen.tick() => self.listen(),
            }
        }
    }

    pub fn into_report(mut self) -> Report {
        self.listen();
        let lasted = self.ended_at.unwrap_or_else(|| self.clock.mono()).since(self.began);
        let lost = Ended { side: Side::Network, why: Why::TransportFailed, q850: None };
        Report {
            ladder: self.ladder,
            answered: self.answered,
            pressed: self.pressed,
            ended: self.ended.unwrap_or(lost),
            lasted,
            heard: self.heard,
            rtp: self.rtp,
        }
    }

    fn now(&self) -> Duration {
        self.clock.mono().since(self.began)
    }

    fn is_over(&self) -> bool {
        let Some(ended) = self.ended_at else { return false };
        (self.sound.is_none() && self.has_parted()) || self.clock.mono() >= ended + PARTING_LIMIT
    }

    /// Whether the request that ended the call has its answer.
    fn has_parted(&self) -> bool {
        let any = |sent: bool, line: &str| self.ladder.iter().any(|m| m.sent == sent && m.line.ends_with(line));
        let answered = |sent: bool| !any(sent, "BYE") || any(!sent, "(BYE)");
        let is_final = |m: &Message| !m.sent && !m.line.starts_with('1') && m.line.ends_with("(INVITE)");
        let cancelled = !any(true, "CANCEL") || self.ladder.iter().any(is_final);
        answered(true) && answered(false) && cancelled
    }

    fn wake_at(&self) -> Option<Mono> {
        if let Some(ended) = self.ended_at {
            return Some(ended + PARTING_LIMIT);
        }
        let answered = self.answered_at?;
        let end = answered + self.talk;
        let next = self.script.front().map(|(after, _)| (answered + *after).max(self.crowded_until));
        Some(next.map_or(end, |next| next.min(end)))
    }

    async fn signalled(&mut self, event: Event) {
        match event {
            Event::Trace { sent, line, .. } => {
                let message = Message { at: self.now(), sent, line };
                self.ladder.push(message.clone());
                (self.tell)(Progress::Message(message));
            }
            Event::Ringing { sdp: Some(sdp), .. } => self.agree(&sdp),
            // the 200 to our call, or the ACK to the answer of theirs
            Event::Accepted { sdp, .. } | Event::Answered { answer: sdp, .. } => self.accepted(sdp.as_deref()).await,
            Event::Offer { sdp, .. } => self.offered(sdp.as_deref()).await,
            Event::OfferAnswered { sdp, .. } => self.agree(&sdp),
            Event::Ended { ended, .. } => self.end(ended),
            _ => {}
        }
    }

    async fn accepted(&mut self, sdp: Option<&[u8]>) {
        if let Some(sdp) = sdp {
            self.agree(sdp);
        }
        let Some(negotiated) = &self.negotiated else {
            // an answer that can't be used leaves nothing to talk over
            return self.hang_up().await;
        };
        let key_events = negotiated.dtmf_payload.is_some();
        let answered = Answered { at: self.now(), codec: negotiated.codec, key_events };
        self.answered_at = Some(self.clock.mono());
        self.answered = Some(answered);
        (self.tell)(Progress::Answered(answered));
    }

    async fn offered(&mut self, sdp: Option<&[u8]>) {
        let command = match sdp.map(|sdp| self.description.answer(sdp)) {
            None => Command::Accept { leg: self.leg, sdp: self.description.offer() },
            Some(Ok((sdp, negotiated))) => {
                self.open(negotiated);
                Command::Accept { leg: self.leg, sdp }
            }
            Some(Err(refused)) => Command::RefuseOffer { leg: self.leg, status: refused.status() },
        };
        self.sip.command(command).await;
    }

    fn agree(&mut self, sdp: &[u8]) {
        if let Ok(negotiated) = self.description.accept(sdp) {
            self.open(negotiated);
        }
    }

    /// Opens the sound, or changes it.
    fn open(&mut self, negotiated: Negotiated) {
        self.negotiated = Some(negotiated.clone());
        if self.sound.is_some() {
            self.ask(Ask::Reconfigure(negotiated));
            return;
        }
        let Some(sockets) = self.sockets.take() else { return };
        let (recording, source) = self.media.recording().unzip();
        let seed = self.random.random();
        self.source = source;
        self.sound = self.media.open(Opened { sockets, negotiated, signalling: None, seed, recording }).ok();
        self.ask(Ask::CallRecording(true));
    }

    fn sounded(&mut self, event: Option<Sound>) {
        match event {
            Some(Sound::Played { complete: true, .. }) => (self.tell)(Progress::Played),
            Some(Sound::Closed(summary)) => self.rtp = Some(summary),
            Some(_) => {}
            None => self.sound = None,
        }
    }

    fn listen(&mut self) {
        if let Some(source) = &mut self.source {
            self.heard.drain(source);
        }
    }

    async fn ordered(&mut self, order: Order) {
        if matches!(order, Order::HangUp) {
            return self.hang_up().await;
        }
        let since = self.answered_at.map_or(Duration::ZERO, |answered| self.clock.mono().since(answered));
        let place = self.script.partition_point(|(after, _)| *after <= since);
        self.script.insert(place, (since, order));
    }

    async fn due(&mut self) {
        let (now, Some(answered)) = (self.clock.mono(), self.answered_at) else { return };
        if now >= answered + self.talk {
            return self.hang_up().await;
        }
        if self.script.front().is_none_or(|(after, _)| now < answered + *after) {
            return;
        }
        let Some((after, order)) = self.script.pop_front() else { return };
        let done = match &order {
            Order::HangUp => return self.hang_up().await,
            Order::Press(digits) => self.ask(Ask::SendDigits(*digits)),
            Order::Play(clip) => {
                self.plays += 1;
                self.ask(Ask::Play { token: self.plays, clips: vec![Cue::Clip(clip.clone())] })
            }
        };
        if !done {
            self.crowded_until = now + ASK_AGAIN;
            self.script.push_front((after, order));
        } else if let Order::Press(digits) = order {
            let keys = digits.as_slice().iter().map(ToString::to_string).collect();
            let pressed = Pressed { at: self.now(), keys };
            self.pressed.push(pressed.clone());
            (self.tell)(Progress::Pressed(pressed));
        }
    }

    /// False when the media thread can't take it now.
    fn ask(&mut self, ask: Ask) -> bool {
        self.sound.as_mut().is_none_or(|sound| sound.command(ask).is_ok())
    }

    async fn hang_up(&mut self) {
        if self.ended.is_none() {
            self.sip.command(Command::HangUp { leg: self.leg, reason: None }).await;
            // the endpoint says that it has ended
            self.talk = Duration::MAX;
            self.script.clear();
        }
    }

    fn end(&mut self, ended: Ended) {
        if self.ended.is_some() {
            return;
        }
        self.ended_at = Some(self.clock.mono());
        self.ended = Some(ended.clone());
        self.script.clear();
        if !self.ask(Ask::Close) {
            // dropped, the sound closes all the same; only its figures are lost
            self.sound = None;
        }
        (self.tell)(Progress::Ended(ended));
    }
}

/// The next event of the sound, `None` after its last one; never, while there is none.
async fn next(sound: &mut Option<CallMedia>) -> Option<Sound> {
    match sound {
        Some(sound) => sound.event().await,
        None => std::future::pending().await,
    }
}
