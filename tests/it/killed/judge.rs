//! Judges by the callee's log: nobody is called twice at once, and nobody twice within the cool-down.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use hotline::store::VisitAttempt;
use hotline::ticket::Outcome;

use super::callee::{End, Logged};

/// What the callers did wrong, a line each. The cool-down is longer than any test.
pub fn faults(calls: &[Logged]) -> Vec<String> {
    let mut by_number = BTreeMap::<&str, Vec<&Logged>>::new();
    for call in calls {
        by_number.entry(&call.number).or_default().push(call);
    }
    let mut faults = Vec::new();
    for (number, calls) in &mut by_number {
        calls.sort_by_key(|call| call.begun);
        for pair in calls.windows(2) {
            let at_once = pair[0].ended.is_none_or(|(ended, _)| ended > pair[1].begun);
            let how = if at_once { "twice at once" } else { "again within the cool-down" };
            faults.push(format!("{number} was called {how}: {pair:?}"));
        }
    }
    faults
}

/// An attempt ended as the callee saw it, unless its process was killed. `call` is its number's only one.
pub fn ended_as_seen(attempt: &VisitAttempt, call: Option<&Logged>, killed: &BTreeSet<SocketAddr>) {
    let outcome = attempt.outcome.unwrap_or_else(|| panic!("still live: {attempt:?}"));
    let Some(call) = call else { return assert_eq!(outcome, Outcome::Unknown, "nothing rang: {attempt:?}") };
    assert!(attempt.call.is_some(), "rang before it was on record: {attempt:?}");
    let (_, end) = call.ended.unwrap_or_else(|| panic!("goes on: {call:?}"));
    let seen = match end {
        End::Refused(486) => Outcome::Busy,
        End::Refused(603) => Outcome::Declined,
        End::Refused(_) | End::Cancelled => Outcome::NoAnswer,
        End::HungUp => Outcome::HungUp,
        End::Cut => Outcome::Unknown,
    };
    let lost = outcome == Outcome::Unknown && killed.contains(&call.caller);
    assert!(outcome == seen || lost, "{attempt:?} for {call:?}");
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::callee::{End, Logged};
    use super::faults;
    use crate::peer::time::{now, seconds};

    #[test]
    fn a_number_that_was_called_twice_is_found() {
        let start = now();
        let call = |number: &str, from: u64, until: u64| Logged {
            id: String::new(),
            number: number.to_owned(),
            caller: SocketAddr::from(([127, 0, 0, 1], 5060)),
            begun: start + seconds(from),
            ended: Some((start + seconds(until), End::HungUp)),
        };
        assert_eq!(faults(&[call("1", 0, 2), call("2", 1, 3)]), [""; 0]);
        let found = |calls: &[Logged], how| faults(calls).iter().any(|fault| fault.contains(how));
        assert!(found(&[call("1", 0, 2), call("1", 1, 3)], "twice at once"));
        assert!(found(&[call("1", 3, 4), call("1", 0, 2)], "again within the cool-down"));
    }
}
