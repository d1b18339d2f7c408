//! One service, killed at each step of a return visit.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::callback;
use hotline::store::{self, Store};
use hotline::ticket::{Number, Outcome};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::callee::Callee;
use super::{calls_by, closings, judge};
use crate::peer::call::Call;
use crate::peer::child::TempFolder;
use crate::peer::phone::{Incoming, Phone};
use crate::peer::sdp::Offer;
use crate::peer::service::{Service, Setup, book};
use crate::peer::sip::Sip;
use crate::peer::time::{left, millis, now, seconds, wall};

/// Leases run out in it, on a busy machine too; midnight may have to be waited for.
const SETTLING: Duration = seconds(150);

/// A service that is dead, and what its database is given meanwhile.
struct Dead {
    service: Service,
    runtime: Runtime,
    closed: u32,
}

impl Dead {
    fn calling(trunk: SocketAddr) -> Dead {
        let mut service = Setup::default().config(&calls_by(trunk, 2)).start();
        service.kill();
        Dead { service, runtime: Runtime::new().expect("a runtime"), closed: 0 }
    }

    fn in_store<T>(&self, work: impl AsyncFnOnce(&Store) -> T) -> T {
        self.runtime.block_on(async {
            let store = Store::open(&store::Config::default(), &self.service.data()).await.expect("a store");
            let done = work(&store).await;
            store.close().await;
            done
        })
    }

    /// A ticket of that number is closed the day before yesterday.
    fn closes(&mut self, phone: &str) -> Number {
        self.closed += 1;
        let at = wall() - TimeDelta::days(2);
        self.in_store(async |store| closings::close(store, self.closed, phone, at).await)
    }
}

#[test]
fn a_service_that_is_killed_during_a_call_does_not_call_again_and_has_every_answer() {
    let phone = Phone::udp(&book());
    let mut dead = Dead::calling(phone.address());
    let invited = killed_when(&mut dead, &phone, "13989110001", |_, _, _| None);
    let ringing = killed_when(&mut dead, &phone, "13989110002", |service, ticket, invite| {
        phone.respond(invite, &Sip::response(&invite.request, 180, "Ringing", "r1"));
        wait(service, ticket, |visit| call_of(service, visit).is_some_and(|call| call.contains("180")));
        None
    });
    let answered = killed_when(&mut dead, &phone, "13989110003", |_, _, invite| {
        let call = phone.accept(invite, &Offer::default());
        call.answered(seconds(5));
        Some(call)
    });
    let typed = killed_when(&mut dead, &phone, "13989110004", |service, ticket, invite| {
        let call = phone.accept(invite, &Offer::default());
        for prompt in ["zh/opt.rv_start", "zh/rv.q1"] {
            call.hear_until(prompt, seconds(20));
            call.press("1");
        }
        wait(service, ticket, |visit| !visit["attempts"][0]["contacted"].is_null());
        Some(call)
    });
    dead.service.begin();
    for ticket in [invited, ringing, answered, typed] {
        let visit = wait(&dead.service, ticket, |visit| visit["visits"][0]["step"] == "call");
        let attempts = visit["attempts"].as_array().expect("attempts");
        assert_eq!((attempts.len(), &attempts[0]["outcome"]), (1, &json!("unknown")), "{visit:#}");
        // whichever ends later by the time of day
        let held = visit["visits"][0]["held"].as_str();
        assert!(matches!(held, Some("cool_down" | "half_day")), "{visit:#}");
        let time = |value: &Value| value.as_str().expect("a time").parse::<DateTime<Utc>>().expect("a time");
        let cool = time(&attempts[0]["begun_at"]) + callback::Config::default().cool_down();
        assert!(time(&visit["visits"][0]["next_at"]) >= cool, "{visit:#}");
        let said = if ticket == typed { (json!(true), json!("in_time")) } else { (json!(false), Value::Null) };
        assert_eq!((&attempts[0]["willing"], &attempts[0]["contacted"]), (&said.0, &said.1), "{visit:#}");
    }
    let again = phone.incoming(Duration::ZERO, |request| request.method() == Some("INVITE"));
    assert!(again.is_none(), "called again: {again:?}\n{}", phone.ladder());
}

/// The number's visit is called by a service that is killed when `step` has been taken.
fn killed_when(
    dead: &mut Dead,
    phone: &Phone,
    number: &str,
    step: impl FnOnce(&Service, Number, &Incoming) -> Option<Call>,
) -> Number {
    let ticket = dead.closes(number);
    dead.service.begin();
    let invite =
        phone.incoming(seconds(120), |request| request.method() == Some("INVITE") && request.uri().contains(number));
    let invite = invite.unwrap_or_else(|| panic!("{number} is not called:\n{}", dead.service.log()));
    let call = step(&dead.service, ticket, &invite);
    dead.service.kill();
    if let Some(call) = call {
        call.abandon();
    }
    ticket
}

/// Waits until the ticket's visits and attempts are so.
#[track_caller]
fn wait(service: &Service, ticket: Number, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = now() + SETTLING;
    loop {
        let visit = service.json(&format!("/api/v1/visits/{ticket}"));
        if wanted(&visit) {
            return visit;
        }
        assert!(!left(deadline).is_zero(), "after {SETTLING:?} {visit:#}\n{}", service.log());
        std::thread::park_timeout(millis(100));
    }
}

/// Everything that is stored of the call of the first attempt.
fn call_of(service: &Service, visit: &Value) -> Option<String> {
    let call = visit["attempts"][0]["call"].as_str()?;
    Some(service.json(&format!("/api/v1/calls/{call}"))["events"].to_string())
}

#[test]
fn a_service_that_is_killed_around_its_intent_to_call_does_not_call_twice() {
    let callee = Callee::start();
    let mut dead = Dead::calling(callee.address);
    let folder = TempFolder::new("killed");
    let log = folder.path().join("strace");
    let mut tickets = BTreeMap::new();
    let mut close = |dead: &mut Dead| {
        // of people who are busy
        let phone = format!("1398912{:03}0", tickets.len());
        let ticket = dead.closes(&phone);
        tickets.insert(phone, ticket);
        ticket
    };

    // on record, and not a byte has left
    let written = close(&mut dead);
    assert!(dead.service.dies_at("sendto", 1, &log, SETTLING), "no datagram left");
    let attempts = dead.in_store(async |store| store.visit_attempts(written).await.expect("attempts"));
    assert!(matches!(attempts.as_slice(), [attempt] if attempt.call.is_some() && attempt.ended_at.is_none()));
    assert_eq!(callee.calls().len(), 0);

    let writes = std::fs::read_to_string(&log).expect("strace writes it").matches("pwrite64(").count();
    let mut killed = BTreeSet::new();
    for nth in (writes.saturating_sub(48)..=writes + 32).step_by(8) {
        close(&mut dead);
        // with too few writes it is killed after its time
        dead.service.dies_at("pwrite64", nth, &log, seconds(15));
        killed.extend(callee.calls().iter().map(|call| call.caller));
        killed.iter().for_each(|caller| callee.killed(*caller));
    }
    dead.service.begin();
    for ticket in tickets.values() {
        wait(&dead.service, *ticket, |visit| visit["attempts"][0]["ended_at"].is_string());
    }
    dead.service.kill();
    let calls = callee.calls();
    assert_eq!(judge::faults(&calls), [""; 0]);
    let (mut rang, mut unknown) = (0, 0);
    for (phone, ticket) in &tickets {
        let attempts = dead.in_store(async |store| store.visit_attempts(*ticket).await.expect("attempts"));
        let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
        let call = calls.iter().find(|call| call.number == *phone);
        judge::ended_as_seen(attempt, call, &killed);
        rang += usize::from(call.is_some());
        unknown += usize::from(attempt.outcome == Some(Outcome::Unknown));
    }
    println!("{} visits, {rang} rang, {unknown} attempts unknown", tickets.len());
    assert!(rang > 0 && unknown > 0);
}
