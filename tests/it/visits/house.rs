//! A hotline that calls back, built from its parts, and a ticket whose requester is a softphone.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::call::Setup;
use hotline::call::line::Line;
use hotline::city::City;
use hotline::clock::Clock;
use hotline::driver::calls::{Calls, Lines, Placing, Running, Served, Stage};
use hotline::driver::keeper::Keeping;
use hotline::driver::media::{self, Media};
use hotline::driver::recorder::{self, Recorder};
use hotline::driver::route::{Route, Verdict};
use hotline::driver::sip;
use hotline::ivr::Flow;
use hotline::language::Language;
use hotline::live::Live;
use hotline::media::tone;
use hotline::phone::Phone as Number;
use hotline::prompt::Prompts;
use hotline::sip::{Hop, Party, Transport, Uri};
use hotline::store::{
    self, Ceilings, Holder, NewCall, NewTicket, Order, Recording, RecordingFolder, Store, VisitAttempt,
};
use hotline::ticket::{
    Actor, CallId, Command, Direction, Edit, RequestType, Requester, Side, Ticket, Urgency, VisitCall,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Semaphore, watch};

use crate::peer::call::Call;
use crate::peer::child::TempFolder;
use crate::peer::net::free_ports;
use crate::peer::phone::{Incoming, Phone};
use crate::peer::sdp::Offer;
use crate::peer::service::book;
use crate::peer::sip::Sip;
use crate::peer::time::{now, seconds};

const INBOUND: &str = include_str!("../../../prompts/flows/inbound.toml");
const VISIT: &str = include_str!("../../../prompts/flows/visit.toml");
const RTP_PORTS: u16 = 24;
pub const CITIZEN: &str = "13989005501";

/// The parts, and the citizen's phone.
pub struct House {
    pub phone: Phone,
    pub calls: Arc<Calls>,
    pub store: Store,
    runtime: Runtime,
    stage: watch::Sender<Stage>,
    holder: Holder,
    _folder: TempFolder,
}

/// A call that was placed.
pub struct Placed {
    pub ticket: hotline::ticket::Number,
    pub verdicts: UnboundedReceiver<(Arc<str>, Verdict)>,
}

impl House {
    pub fn open() -> House {
        let runtime = Runtime::new().expect("a runtime");
        let folder = TempFolder::new("visits");
        book().write(&folder.path().join("prompts"));
        let (stage, stages) = watch::channel(Stage::Serving);
        let holder = Holder { node: "test".to_owned(), start: "first".to_owned() };
        let (calls, store) = runtime.block_on(parts(&folder, stages, holder.clone()));
        House { phone: Phone::udp(&book()), calls, store, runtime, stage, holder, _folder: folder }
    }

    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A request of the citizen is handled, and their visit leased for a call.
    pub fn due(&self, language: Language) -> VisitCall {
        let begun: DateTime<Utc> = "2026-11-25T03:00:00Z".parse().expect("a time");
        self.wait(async {
            let call = NewCall {
                id: CallId::new(begun, [7; 10]),
                node: "test".to_owned(),
                direction: Direction::Inbound,
                sip_call_id: None,
                city: City::Lhasa,
                line: "12345".to_owned(),
                phone: Number::parse(CITIZEN),
                language: None,
                started_at: begun,
                answered_at: Some(begun),
            };
            self.store.insert_call(&call).await.expect("a call");
            let new = NewTicket {
                call: call.id,
                recordings: Vec::new(),
                city: call.city,
                line: call.line.clone(),
                language,
                requester: Requester::Citizen,
                phone: call.phone.clone(),
                other_phone: None,
                confidential: false,
                request_type: Some(RequestType::Help),
                urgency: Urgency::Normal,
                confirmed: true,
                actor: Actor::Caller,
            };
            let number = self.store.submit_ticket(&new, begun).await.expect("a ticket").number;
            let unit = "lhasa-housing".parse().expect("a unit");
            let text = "灯修好了";
            let edit = Edit { title: "路灯不亮".parse().ok(), class: "0101".parse().ok(), ..Edit::default() };
            for (side, command) in [
                (Side::Hotline, Command::Edit(Box::new(edit))),
                (Side::Hotline, Command::Dispatch { unit, assisting: Vec::new() }),
                (Side::Unit, Command::Sign),
                (Side::Unit, Command::RecordContact { told: text.parse().expect("a text"), at: None }),
                (Side::Unit, Command::Reply { text: text.parse().expect("a text") }),
                (Side::Hotline, Command::Pass),
            ] {
                let order = Order { number, version: None, command, actor: Actor::System, side, address: None };
                self.store.execute(&order, begun).await.expect("handled");
            }
            // eleven in the morning, Beijing
            let due = begun + TimeDelta::days(2);
            self.store.plan_visits(due).await.expect("planned");
            let ceilings = Ceilings { live: 10, per_second: 10 };
            let leased = self.store.lease_visits(&self.holder, 10, ceilings, due).await.expect("leased");
            leased.into_iter().next().expect("a visit is due")
        })
    }

    /// Has the visit called, by one trunk after the other; each leads to one of these phones.
    pub fn places(&self, visit: VisitCall, phones: &[SocketAddr], ring_timeout: Duration) -> Placed {
        let ticket = visit.ticket;
        let (routes, verdicts) = self.routes(phones, ring_timeout);
        self.wait(self.calls.place(Placing { visit, routes })).expect("placed");
        Placed { ticket, verdicts }
    }

    pub fn routes(
        &self,
        phones: &[SocketAddr],
        ring_timeout: Duration,
    ) -> (Vec<Route>, UnboundedReceiver<(Arc<str>, Verdict)>) {
        let (told, verdicts) = unbounded_channel();
        let local = self.calls.sip.bound();
        let route = |(n, phone): (usize, &SocketAddr)| Route {
            trunk: format!("trunk-{n}").into(),
            hops: vec![Hop { transport: Transport::Udp, local, peer: *phone }],
            uri: Uri::sip(Some(CITIZEN), *phone),
            from: Party { display: None, uri: Uri::sip(Some("12345"), local) },
            to: Uri::sip(Some(CITIZEN), *phone),
            asserted: None,
            credentials: None,
            ring_timeout_ms: u32::try_from(ring_timeout.as_millis()).expect("a short time"),
            verdicts: told.clone(),
            channel: Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a channel"),
        };
        (phones.iter().enumerate().map(route).collect(), verdicts)
    }

    /// The citizen is called about a ticket in Mandarin, once.
    pub fn calls_back(&self) -> Placed {
        let visit = self.due(Language::Zh);
        self.places(visit, &[self.phone.address()], seconds(30))
    }

    pub fn answers(&self) -> Call {
        let call = self.phone.answer(&Offer::default(), seconds(5));
        call.answered(seconds(5));
        call
    }

    #[track_caller]
    pub fn invite(&self, phone: &Phone) -> Incoming {
        let invite = phone.incoming(seconds(5), |request| request.method() == Some("INVITE"));
        invite.unwrap_or_else(|| panic!("no INVITE came:\n{}", phone.ladder()))
    }

    #[track_caller]
    pub fn refuses(&self, status: u16, header: Option<(&str, &str)>) {
        let invite = self.invite(&self.phone);
        let mut response = Sip::response(&invite.request, status, "No", "r1");
        if let Some((name, value)) = header {
            response = response.with(name, value);
        }
        self.phone.respond(&invite, &response);
    }

    /// The ticket's latest attempt, once all have ended.
    #[track_caller]
    pub fn settled(&self, placed: &Placed) -> VisitAttempt {
        self.settled_within(placed, seconds(30))
    }

    #[track_caller]
    pub fn settled_within(&self, placed: &Placed, within: Duration) -> VisitAttempt {
        let deadline = now() + within;
        loop {
            let attempts = self.wait(self.store.visit_attempts(placed.ticket)).expect("attempts");
            if attempts.iter().all(|attempt| attempt.ended_at.is_some()) {
                return attempts.into_iter().max_by_key(|attempt| attempt.ended_at).expect("an attempt");
            }
            assert!(now() < deadline, "not settled: {attempts:?}\n{}", self.phone.ladder());
            self.wait(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }

    /// Everything of the attempt's call, once it is over.
    pub fn call_row(&self, attempt: &VisitAttempt) -> store::Call {
        let id = attempt.call.expect("a call");
        let deadline = now() + seconds(10);
        loop {
            let call = self.wait(self.store.call(id)).expect("the store").expect("a row");
            if call.ended_at.is_some() {
                return call;
            }
            assert!(now() < deadline, "the call does not end");
            self.wait(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }

    pub fn recordings(&self, attempt: &VisitAttempt) -> Vec<Recording> {
        self.wait(self.store.recordings_of_call(attempt.call.expect("a call"))).expect("recordings")
    }

    pub fn ticket(&self, placed: &Placed) -> Ticket {
        self.wait(self.store.ticket(placed.ticket)).expect("the store").expect("a ticket").ticket
    }

    pub fn stage(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stage.send_replace(Stage::Aborting);
    }
}

async fn parts(folder: &TempFolder, stages: watch::Receiver<Stage>, holder: Holder) -> (Arc<Calls>, Store) {
    let clock = Clock::start();
    let store = Store::open(&store::Config::default(), folder.path()).await.expect("a store");
    let recordings = RecordingFolder::open(folder.path().join("recordings")).expect("a folder");
    let first = free_ports(RTP_PORTS);
    let ports = format!("{first}-{}", first + RTP_PORTS - 1).parse().expect("a range");
    let media = media::Config { ports, ..media::Config::default() };
    let config = sip::Config { listen: "127.0.0.1:0".parse().expect("an address"), ..sip::Config::default() };
    let (sip, incoming, _others) = sip::start(&config, [3; 32], clock).await.expect("SIP");
    let (prompts, problems) = Prompts::over(&folder.path().join("prompts"));
    assert_eq!(problems, []);
    let setup = Setup {
        flow: Flow::parse(INBOUND, "inbound.toml").expect("a flow"),
        visit: Flow::parse(VISIT, "visit.toml").expect("a flow"),
        prompts: Arc::new(prompts),
        beep: Arc::new(tone::beep()),
        record_calls: true,
        synthetic: false,
        visit_synthetic: false,
        keep_early: true,
        longest_call: seconds(600),
    };
    let recorder = Recorder::start(&recorder::Config::default(), recordings, clock).expect("a recorder");
    let live = Arc::new(Live::default());
    let calls = Arc::new(Calls {
        sip,
        media: Arc::new(Media::start(media, clock).expect("media")),
        keeping: Arc::new(Keeping { store: store.clone(), recorder, live: Arc::clone(&live), clock }),
        live,
        clock,
        lines: Arc::new(Lines::new(vec![Served { line: Line::default(), setup: Arc::new(setup) }])),
        advertise: None,
        node: "test".to_owned(),
        random: Mutex::new(StdRng::from_seed([5; 32])),
        permits: Arc::new(Semaphore::new(4)),
        unspoken: Arc::default(),
        own_ports: first..=first + RTP_PORTS - 1,
        holder,
        stage: stages,
        running: Running::default(),
    });
    tokio::spawn(Arc::clone(&calls).run(incoming));
    (calls, store)
}
