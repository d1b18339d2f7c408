//! Whether a trunk can be used now: registered, answering, and not paused for its troubles.

use std::time::Duration;

use crate::clock::Mono;
use crate::driver::route::Verdict;

/// So many OPTIONS in a row have to say the contrary before it is believed: one lost request is no outage.
const BELIEVED_AFTER: u8 = 2;

/// When troubles pause a trunk (domain.md §4), and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Pausing {
    /// In a row; 0: never.
    pub after_troubles: u32,
    pub first: Duration,
    pub longest: Duration,
}

/// Why calls don't go out by a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    NotRegistered,
    /// Its name leads to no address.
    Nowhere,
    /// OPTIONS is not answered, or by 408 or 503.
    Silent,
    Paused,
}

impl Ailment {
    pub const fn name(self) -> &'static str {
        match self {
            Ailment::NotRegistered => "not_registered",
            Ailment::Nowhere => "nowhere",
            Ailment::Silent => "silent",
            Ailment::Paused => "paused",
        }
    }
}

/// What is known of a trunk.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// `None`: there is nothing to register.
    registered: Option<bool>,
    answering: Answering,
    /// Whether its name leads anywhere.
    found: bool,
    pausing: Pausing,
    troubles: u32,
    /// Pauses since the last call that was carried.
    pauses: u32,
    paused_until: Option<Mono>,
}

/// What OPTIONS say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answering {
    /// Nobody asks.
    Unasked,
    Unknown,
    Known {
        alive: bool,
        /// Answers in a row that say the contrary.
        contrary: u8,
    },
}

impl Condition {
    pub fn new(registers: bool, asked: bool, pausing: Pausing) -> Condition {
        Condition {
            registered: registers.then_some(false),
            answering: if asked { Answering::Unknown } else { Answering::Unasked },
            found: false,
            pausing,
            troubles: 0,
            pauses: 0,
            paused_until: None,
        }
    }

    pub fn set_registered(&mut self, registered: bool) {
        self.registered = Some(registered);
    }

    pub fn set_found(&mut self, found: bool) {
        self.found = found;
    }

    /// An OPTIONS was answered, or not. The first one is believed, a change only when it is said again.
    pub fn heard(&mut self, alive: bool) {
        self.answering = match self.answering {
            Answering::Known { alive: known, contrary } if known != alive && contrary + 1 < BELIEVED_AFTER => {
                Answering::Known { alive: known, contrary: contrary + 1 }
            }
            _ => Answering::Known { alive, contrary: 0 },
        };
    }

    /// The last OPTIONS agrees with what is believed: there is no hurry to ask again.
    pub fn is_settled(&self) -> bool {
        matches!(self.answering, Answering::Known { contrary: 0, .. })
    }

    /// Takes in how a call went. The pause, when this begins one.
    pub fn judge(&mut self, now: Mono, verdict: Verdict) -> Option<Duration> {
        match verdict {
            Verdict::Carried => {
                (self.troubles, self.pauses, self.paused_until) = (0, 0, None);
                return None;
            }
            // a call that left before the pause says nothing new
            Verdict::Trouble { .. } if self.is_paused(now) => return None,
            Verdict::Trouble { .. } => self.troubles = self.troubles.saturating_add(1),
        }
        if self.pausing.after_troubles == 0 || self.troubles < self.pausing.after_troubles {
            return None;
        }
        let pause = self.pausing.first.saturating_mul(1 << self.pauses.min(16)).min(self.pausing.longest);
        self.paused_until = Some(now + pause);
        self.pauses = self.pauses.saturating_add(1);
        Some(pause)
    }

    pub fn is_paused(&self, now: Mono) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    pub fn is_registered(&self) -> Option<bool> {
        self.registered
    }

    /// What keeps calls from going out by it.
    pub fn ailment(&self, now: Mono) -> Option<Ailment> {
        let silent = !matches!(self.answering, Answering::Unasked | Answering::Known { alive: true, .. });
        match () {
            () if self.registered == Some(false) => Some(Ailment::NotRegistered),
            () if !self.found => Some(Ailment::Nowhere),
            () if silent => Some(Ailment::Silent),
            () if self.is_paused(now) => Some(Ailment::Paused),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TROUBLE: Verdict = Verdict::Trouble { status: 503 };

    fn found(registers: bool, asked: bool) -> Condition {
        let pausing = Pausing { after_troubles: 5, first: Duration::from_secs(60), longest: Duration::from_secs(200) };
        let mut condition = Condition::new(registers, asked, pausing);
        condition.set_found(true);
        condition
    }

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_answer_is_believed_and_a_change_only_when_it_is_said_again() {
        let mut trunk = found(false, true);
        assert_eq!(trunk.ailment(at(0)), Some(Ailment::Silent));
        let mut after = |alive| {
            trunk.heard(alive);
            (trunk.ailment(at(0)).is_none(), trunk.is_settled())
        };
        assert_eq!(after(true), (true, true));
        assert_eq!(after(false), (true, false));
        assert_eq!(after(true), (true, true));
        assert_eq!(after(false), (true, false));
        assert_eq!(after(false), (false, true));
        assert_eq!(after(true), (false, false));
        assert_eq!(after(true), (true, true));
    }

    #[test]
    fn what_must_register_is_not_used_before() {
        let mut trunk = found(true, false);
        assert_eq!(trunk.ailment(at(0)), Some(Ailment::NotRegistered));
        trunk.set_registered(true);
        assert_eq!(trunk.ailment(at(0)), None);
        trunk.set_found(false);
        assert_eq!(trunk.ailment(at(0)), Some(Ailment::Nowhere));
    }

    #[test]
    fn five_troubles_in_a_row_pause_it_and_each_pause_is_longer() {
        let mut trunk = found(false, false);
        let judged: Vec<Option<Duration>> = (0..5).map(|_| trunk.judge(at(0), TROUBLE)).collect();
        assert_eq!(judged, [None, None, None, None, Some(Duration::from_secs(60))]);
        assert_eq!((trunk.ailment(at(59)), trunk.ailment(at(60))), (Some(Ailment::Paused), None));
        assert_eq!(trunk.judge(at(30), TROUBLE), None, "it left before the pause");
        assert!(trunk.judge(at(60), TROUBLE).is_some(), "the trial call failed");
        assert_eq!((trunk.is_paused(at(179)), trunk.is_paused(at(180))), (true, false));
        assert_eq!(trunk.judge(at(180), TROUBLE), Some(Duration::from_secs(200)));
        assert_eq!((trunk.is_paused(at(379)), trunk.is_paused(at(380))), (true, false));
    }

    #[test]
    fn a_call_that_is_carried_makes_everything_good() {
        let mut trunk = found(false, false);
        for _ in 0..4 {
            trunk.judge(at(0), TROUBLE);
        }
        trunk.judge(at(0), Verdict::Carried);
        assert!((0..4).all(|_| trunk.judge(at(1), TROUBLE).is_none()));
        assert!(trunk.judge(at(1), TROUBLE).is_some());
        trunk.judge(at(2), Verdict::Carried);
        assert_eq!(trunk.ailment(at(2)), None, "it was carried in the pause");
    }

    #[test]
    fn without_a_limit_it_is_never_paused() {
        let pausing = Pausing { after_troubles: 0, first: Duration::from_secs(60), longest: Duration::from_secs(60) };
        let mut trunk = Condition::new(false, false, pausing);
        assert!((0..1_000).all(|_| trunk.judge(at(0), TROUBLE).is_none()));
    }
}
