//! Ways out over real sockets: trunks that are the tests' own softphones, INVITEs made of routes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotline::callback::dial_plan::Why;
use hotline::city::City;
use hotline::clock::Clock;
use hotline::driver::route::{Route, Verdict};
use hotline::driver::sip::{self, Sip as Agent};
use hotline::driver::trunk::{self, NoRoute, Trunk, Trunks, WaysOut};
use hotline::live::Live;
use hotline::phone::Phone as Number;
use hotline::sip::{Command, Event, Invite, Leg, Why as Because};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::peer::dialog::challenge;
use super::peer::phone::Phone;
use super::peer::sdp::Offer;
use super::peer::service::book;
use super::peer::sip::Sip;
use super::peer::time::{left, millis, now, seconds};

/// An endpoint with trunks and nothing else.
struct Exchange {
    runtime: tokio::runtime::Runtime,
    agent: Agent,
    ways: Arc<WaysOut>,
    live: Arc<Live>,
}

impl Exchange {
    fn start(trunks: &[(&str, String)]) -> Exchange {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let clock = Clock::start();
        let mut config = sip::Config { listen: "127.0.0.1:0".parse().expect("an address"), ..sip::Config::default() };
        config.agent.t1_ms = 20;
        let started = runtime.block_on(sip::start(&config, [1; 32], clock));
        let (agent, _incoming, others) = started.expect("a port is free");
        let set_up = |(name, text): &(&str, String)| {
            let config = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
            Trunk::new(name, &config).unwrap_or_else(|bad| panic!("{}: {bad}", bad.key))
        };
        let trunks: Vec<Trunk> = trunks.iter().map(set_up).collect();
        let (ways, told) = WaysOut::new(&trunks, trunk::plan(Default::default(), &[], &trunks), 30_000, [2; 32], clock);
        let (ways, live) = (Arc::new(ways), Arc::new(Live::default()));
        let task = Trunks {
            trunks,
            ways: Arc::clone(&ways),
            told,
            allow: config.allow,
            sip: agent.clone(),
            live: Arc::clone(&live),
            clock,
            random: Mutex::new(StdRng::from_seed([3; 32])),
        };
        runtime.spawn(task.run(others));
        Exchange { runtime, agent, ways, live }
    }

    /// Waits until the trunks to be tried for a mobile phone of Lhasa are these, in any order.
    #[track_caller]
    fn wait_for(&self, wanted: &[&str]) {
        let deadline = now() + seconds(15);
        loop {
            let mut found: Vec<Arc<str>> = self.routes("13989004001").into_iter().map(|route| route.trunk).collect();
            found.sort();
            if found.iter().map(|name| &**name).eq(wanted.iter().copied()) {
                return;
            }
            assert!(!left(deadline).is_zero(), "{found:?}, {:?}", self.live.health());
            std::thread::park_timeout(millis(50));
        }
    }

    /// Waits until the operator reads this, and that the service is ready all the same.
    #[track_caller]
    fn wait_told(&self, detail: &str) {
        let deadline = now() + seconds(5);
        loop {
            let health = self.live.health();
            if health.get("trunks").is_some_and(|trunks| trunks.ok && trunks.detail == detail) {
                return;
            }
            assert!(!left(deadline).is_zero(), "{health:?}");
            std::thread::park_timeout(millis(20));
        }
    }

    fn routes(&self, number: &str) -> Vec<Route> {
        self.ways.routes(City::Lhasa, &Number::parse(number).expect("a number")).unwrap_or_default()
    }

    /// Sends an INVITE by a route; the events of its leg until the end, or until it is answered.
    fn place(&self, n: u64, route: &Route) -> Vec<Event> {
        let leg = Leg::outgoing(n);
        let invite = Invite {
            leg,
            hops: route.hops.clone(),
            uri: route.uri.clone(),
            from: route.from.clone(),
            to: route.to.clone(),
            asserted: route.asserted.clone(),
            private: false,
            offer: Offer::default().text("127.0.0.1:40000".parse().expect("an address"), 1).into_bytes(),
            credentials: route.credentials.clone(),
            ring_timeout_ms: Some(route.ring_timeout_ms),
        };
        self.runtime.block_on(async {
            let mut inbox = self.agent.follow(leg).await;
            self.agent.command(Command::Invite(Box::new(invite))).await;
            let mut events = Vec::new();
            while let Ok(Some(event)) = tokio::time::timeout(seconds(10), inbox.recv()).await {
                let last = matches!(event, Event::Ended { .. } | Event::Accepted { .. });
                events.push(event);
                if last {
                    break;
                }
            }
            events
        })
    }
}

fn calls_out(phone: &Phone, more: &str) -> String {
    format!("peer = \"sip:{}\"\ncalls_out = true\nchannels = 2\nnumber = \"12345\"\n{more}", phone.address())
}

/// Refuses the next INVITE that comes to the phone.
fn refuse(phone: &Phone, status: u16, within: Duration) -> Option<Sip> {
    let incoming = phone.incoming(within, |request| request.method() == Some("INVITE"))?;
    phone.respond(&incoming, &Sip::response(&incoming.request, status, "No", "t1"));
    Some(incoming.request)
}

fn status_of(events: &[Event]) -> Option<u16> {
    events.iter().find_map(|event| match event {
        Event::Ended { ended, .. } => match ended.why {
            Because::Rejected { status } => Some(status),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn an_invite_leaves_as_the_trunk_wants_it() {
    let phone = Phone::udp(&book());
    let text = calls_out(
        &phone,
        "assert = true\nnumber_format = \"e164\"\ndomain = \"ims.test\"\nusername = \"ivr\"\nrealm = \"trunk.test\"\n\
         password = \"s3cret\"\n[caller_id]\nlhasa = \"089112345\"\n",
    );
    let exchange = Exchange::start(&[("city", text)]);
    exchange.wait_for(&["city"]);
    let routes = exchange.routes("13989004002");
    std::thread::scope(|scope| {
        let placed = scope.spawn(|| exchange.place(1, &routes[0]));
        let first = phone.incoming(seconds(5), |request| request.method() == Some("INVITE")).expect("an INVITE");
        assert_eq!(first.request.first, "INVITE sip:+8613989004002@ims.test SIP/2.0");
        let header = |name| first.request.header(name).unwrap_or_default().to_owned();
        assert!(header("From").starts_with("<sip:089112345@ims.test>"), "{}", header("From"));
        assert_eq!(header("P-Asserted-Identity"), "<sip:089112345@ims.test>");
        phone.respond(&first, &challenge(&first.request, "trunk.test"));
        let again = refuse(&phone, 486, seconds(5)).expect("with credentials");
        let credentials = again.header("Authorization").unwrap_or_default();
        assert!(credentials.contains("username=\"ivr\"") && !credentials.contains("s3cret"), "{credentials}");
        assert_eq!(status_of(&placed.join().expect("no panic")), Some(486));
    });
}

#[test]
fn what_may_not_be_dialled_never_reaches_a_trunk() {
    let phone = Phone::udp(&book());
    let exchange = Exchange::start(&[("city", calls_out(&phone, "kept_for_inbound = 1\n"))]);
    exchange.wait_for(&["city"]);
    for (number, why) in [
        ("110", Why::Emergency),
        ("+86 120", Why::Emergency),
        ("12345", Why::Own),
        ("4008123456", Why::Denied),
        ("+1 315 555 1234", Why::Foreign),
        ("6323111", Why::NotInPlan),
    ] {
        let number = Number::parse(number).expect("a number");
        assert_eq!(exchange.ways.routes(City::Lhasa, &number).err(), Some(NoRoute::Undialable(why)));
    }
    let taken = exchange.routes("13989004003");
    let number = Number::parse("13989004003").expect("a number");
    assert_eq!(exchange.ways.routes(City::Lhasa, &number).err(), Some(NoRoute::NoChannel), "one of two is kept");
    drop(taken);
    exchange.wait_for(&["city"]);
}

#[test]
fn five_refusals_of_a_trunk_pause_it_and_the_calls_go_by_the_next() {
    let (poor, good) = (Phone::udp(&book()), Phone::udp(&book()));
    let exchange = Exchange::start(&[
        ("a_poor", calls_out(&poor, "priority = 1\npause_s = 3\n")),
        ("b_good", calls_out(&good, "priority = 2\n")),
    ]);
    exchange.wait_for(&["a_poor", "b_good"]);
    for n in 1..=5 {
        let routes = exchange.routes("13989004004");
        assert_eq!(routes.iter().map(|route| &*route.trunk).collect::<Vec<_>>(), ["a_poor", "b_good"], "call {n}");
        std::thread::scope(|scope| {
            let placed = scope.spawn(|| exchange.place(n, &routes[0]));
            refuse(&poor, 503, seconds(5)).expect("an INVITE");
            assert_eq!(status_of(&placed.join().expect("no panic")), Some(503));
        });
        routes[0].tell(Verdict::Trouble { status: 503 });
    }
    exchange.wait_for(&["b_good"]);
    exchange.wait_told("paused for troubles with calls out: a_poor");
    exchange.wait_for(&["a_poor", "b_good"]);
}

#[test]
fn a_trunk_that_answers_no_options_is_passed_over_until_it_does() {
    let (first, second) = (Phone::udp(&book()), Phone::udp(&book()));
    first.answer_options(None);
    let exchange = Exchange::start(&[
        ("first", calls_out(&first, "keep_alive_s = 1\n")),
        ("second", calls_out(&second, "keep_alive_s = 1\n")),
    ]);
    exchange.wait_for(&["second"]);
    first.answer_options(Some(200));
    exchange.wait_for(&["first", "second"]);
    first.answer_options(Some(503));
    exchange.wait_for(&["second"]);
}
