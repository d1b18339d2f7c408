//! How likely two tickets come from one caller or are about one matter. A person decides what follows from it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Ticket, grams};

/// What is compared, and what is worth proposing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Tickets are compared with those of so many days before.
    pub window_days: u32,
    /// The most that are proposed, best first.
    pub most: usize,
    /// The least score that is proposed, of 1000.
    pub least_score: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { window_days: 90, most: 10, least_score: 250 }
    }
}

impl Config {
    /// Since when tickets are looked at.
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.checked_sub_signed(TimeDelta::days(self.window_days.into())).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// What speaks for a repeat, each part out of its own most; together out of 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// The same number to call back: [`PHONE`]. Nothing when the caller of one of the two is hidden, since it would tell who called.
    pub phone: u32,
    /// The same class: [`CLASS`].
    pub class: u32,
    /// The same place: [`PLACE`].
    pub place: u32,
    /// The shared part of their words, up to [`TEXT`].
    pub text: u32,
    /// How near in time, up to [`TIME`] when made at once; never proposes anything alone.
    pub time: u32,
}

pub const PHONE: u32 = 400;
pub const CLASS: u32 = 100;
pub const PLACE: u32 = 150;
pub const TEXT: u32 = 300;
pub const TIME: u32 = 50;

impl Parts {
    pub const fn score(&self) -> u32 {
        self.phone + self.class + self.place + self.text + self.time
    }
}

/// Compares two tickets by their fields and the words they are found by.
pub fn compare(one: (&Ticket, &BTreeSet<String>), other: (&Ticket, &BTreeSet<String>), window: TimeDelta) -> Parts {
    let ((ticket, words), (other, other_words)) = (one, other);
    let hidden = is_hidden(ticket) || is_hidden(other);
    let place = ticket.matter.place_key();
    let given = |same: bool, points: u32| if same { points } else { 0 };
    Parts {
        phone: given(!hidden && same_phone(ticket, other), PHONE),
        class: given(ticket.matter.class.is_some() && ticket.matter.class == other.matter.class, CLASS),
        place: given(place.is_some() && place == other.matter.place_key(), PLACE),
        text: grams::likeness(words, other_words) * TEXT / 1_000,
        time: nearness((ticket.created_at - other.created_at).abs(), window),
    }
}

/// Whoever made it is for named people only.
pub fn is_hidden(ticket: &Ticket) -> bool {
    ticket.is_shielded() || ticket.anonymous
}

/// Either number of the one is either of the other.
fn same_phone(ticket: &Ticket, other: &Ticket) -> bool {
    let numbers = |ticket| -> Vec<_> {
        let Ticket { phone, other_phone, .. }: &Ticket = ticket;
        phone.iter().chain(other_phone).collect()
    };
    let others = numbers(other);
    numbers(ticket).iter().any(|number| others.contains(number))
}

fn nearness(distance: TimeDelta, window: TimeDelta) -> u32 {
    let (distance, window) = (distance.num_minutes(), window.num_minutes().max(1));
    u32::try_from((window - distance).max(0) * i64::from(TIME) / window).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::City;
    use crate::clock::beijing_day;
    use crate::language::Language;
    use crate::phone::Phone;
    use crate::ticket::{Channel, Handling, Heard, Matter, RequestType, Requester, State, Supervision, Urgency};

    fn ticket(phone: &str, class: &str, place: &str, request_type: RequestType) -> Ticket {
        let now: DateTime<Utc> = "2026-11-26T02:00:00Z".parse().expect("a time");
        Ticket {
            number: "126112200012".parse().expect("a number"),
            city: City::Lhasa,
            channel: Channel::Phone,
            line: None,
            call: None,
            client: None,
            created_at: now,
            created_day: beijing_day(now),
            language: Language::Zh,
            requester: Requester::Citizen,
            name: None,
            enterprise_name: None,
            phone: Phone::parse(phone),
            other_phone: None,
            anonymous: false,
            confidential: false,
            request_type: Some(request_type),
            urgency: Urgency::Normal,
            confirmed: true,
            matter: Matter { class: class.parse().ok(), place: place.parse().ok(), ..Matter::default() },
            state: State::Received,
            state_since: now,
            handling: Handling { round: 1, ..Handling::default() },
            supervision: Supervision::default(),
            visit: Heard::default(),
            version: 1,
        }
    }

    fn compared(one: &Ticket, words: &str, other: &Ticket, other_words: &str) -> Parts {
        compare((one, &grams::grams(words)), (other, &grams::grams(other_words)), TimeDelta::days(90))
    }

    #[test]
    fn the_same_request_made_twice_at_once_has_every_point() {
        let one = ticket("13812345678", "0105", "江苏路3号", RequestType::Help);
        let parts = compared(&one, "路灯不亮", &one, "路灯不亮");
        assert_eq!(parts, Parts { phone: PHONE, class: CLASS, place: PLACE, text: TEXT, time: TIME });
        assert_eq!(parts.score(), 1_000);
    }

    #[test]
    fn what_differs_gives_no_points() {
        let one = ticket("13812345678", "0105", "江苏路3号", RequestType::Help);
        let mut other = ticket("13900000000", "0101", "北京路1号", RequestType::Help);
        other.created_at -= TimeDelta::days(90);
        assert_eq!(compared(&one, "路灯不亮", &other, "停水"), Parts::default());
        let empty = ticket("", "", "", RequestType::Help);
        assert_eq!(compared(&empty, "", &empty, "").score(), TIME, "nothing is not the same as nothing");
    }

    #[test]
    fn the_number_called_from_is_a_number_of_the_caller() {
        let one = ticket("13812345678", "", "", RequestType::Help);
        let other =
            Ticket { other_phone: Phone::parse("13812345678"), ..ticket("13900000000", "", "", RequestType::Help) };
        assert_eq!(compared(&one, "", &other, "").phone, PHONE);
    }

    #[test]
    fn a_hidden_caller_is_not_recognised() {
        let one = ticket("13812345678", "0105", "江苏路3号", RequestType::Help);
        let report = ticket("13812345678", "0105", "江苏路３号", RequestType::Report);
        let anonymous =
            Ticket { anonymous: true, ..ticket("13812345678", "0105", "江苏路３号", RequestType::Help) };
        for (one, other) in [(&one, &report), (&report, &one), (&one, &anonymous)] {
            let parts = compared(one, "", other, "");
            assert_eq!((parts.phone, parts.class, parts.place), (0, CLASS, PLACE));
        }
    }

    #[test]
    fn time_alone_proposes_nothing() {
        assert!(TIME < Config::default().least_score);
    }
}
