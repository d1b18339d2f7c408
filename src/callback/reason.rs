//! Why a return visit has not been made yet, in words that a person can read.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::{beijing_day, beijing_time};
use crate::ticket::fields::{UnknownName, names};

names! {
    /// What a call or an SMS waits for.
    Held {
        /// For nothing.
        Due = "due",
        Window = "window",
        QuietDay = "quiet_day",
        /// The next attempt is made in another half-day.
        HalfDay = "half_day",
        /// So much time lies between two attempts to one number.
        Apart = "apart",
        /// This number was called as often as it may be on one day.
        NumberCap = "number_cap",
        /// This number has answered a survey on this day.
        Surveyed = "surveyed",
        /// Nobody knows whether it rang the last time.
        CoolDown = "cool_down",
        /// The lines, not the requester, had trouble.
        LineTrouble = "line_trouble",
        /// No line was free.
        NoLine = "no_line",
        /// Another survey goes on with this number.
        Busy = "busy",
        /// The city's calls are paused.
        Paused = "paused",
    }
}

names! {
    /// Why a person makes the visit.
    Because {
        /// All automatic attempts are used up.
        Unreached = "unreached",
        /// Silence or talk at the gate, and no key.
        NoKey = "no_key",
        WrongPerson = "wrong_person",
        BadNumber = "bad_number",
        /// No line leads to the number.
        Undialable = "undialable",
        OptedOut = "opted_out",
        /// Line trouble every time.
        LinesFailed = "lines_failed",
        /// No hour for calling in sight.
        NoWindow = "no_window",
        /// Automatic calls are off.
        CallsOff = "calls_off",
        /// Somebody said so.
        Skipped = "skipped",
    }
}

impl Held {
    /// Of two reasons for one delay the one that tells more is shown: hours and days are the same for everybody.
    pub(super) const fn tells(self) -> u8 {
        match self {
            Held::Due => 0,
            Held::Window => 1,
            Held::QuietDay => 2,
            _ => 3,
        }
    }

    /// In words; `until` is when it is over, if that is known.
    pub fn say(self, until: Option<DateTime<Utc>>) -> String {
        let what = match self {
            Held::Due => return "due now".to_owned(),
            Held::Window => "outside the calling hours",
            Held::QuietDay => "no calls on a quiet day",
            Held::HalfDay => "the next attempt is for another half-day",
            Held::Apart => "too soon after the last attempt to this number",
            Held::NumberCap => "as many attempts to this number as one day may have",
            Held::Surveyed => "this number has answered a survey today",
            Held::CoolDown => "it is not known whether the last attempt rang",
            Held::LineTrouble => "the lines had trouble",
            Held::NoLine => "no line was free",
            Held::Busy => "another survey waits for this number",
            Held::Paused => return "paused".to_owned(),
        };
        match until {
            Some(until) => format!("{what}, until {} {}", beijing_day(until), beijing_time(until).format("%H:%M")),
            None => what.to_owned(),
        }
    }
}

impl Because {
    pub const fn say(self) -> &'static str {
        match self {
            Because::Unreached => "not reached automatically",
            Because::NoKey => "answered without pressing a key",
            Because::WrongPerson => "the number is somebody else's: correct it",
            Because::BadNumber => "there is no such number: correct it",
            Because::Undialable => "no line leads to this number",
            Because::OptedOut => "wants no automatic calls",
            Because::LinesFailed => "the lines failed every time",
            Because::NoWindow => "no hour for calling in sight",
            Because::CallsOff => "automatic calls are off",
            Because::Skipped => "automatic attempts were skipped by hand",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_until_when() {
        let until = "2026-11-26T07:30:00Z".parse().expect("a time");
        assert_eq!(Held::Window.say(Some(until)), "outside the calling hours, until 2026-11-26 15:30");
        assert_eq!(Held::Paused.say(Some(until)), "paused");
    }
}
