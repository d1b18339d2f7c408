//! How much time a ticket has left, in words, with its light and why.

use chrono::{DateTime, TimeDelta, Utc};

use crate::console::pages::Frame;
use crate::ticket::{Light, TimeLeft};

/// A clock as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The badge's class.
    pub class: &'static str,
    /// The light's name, for who does not see its colour.
    pub light: String,
    /// How much is left.
    pub left: String,
    /// Until when, and why then.
    pub why: String,
}

const fn class(light: Light) -> &'static str {
    match light {
        Light::Green => "ok",
        Light::Yellow => "warn",
        Light::Red => "late",
        Light::Overdue => "over",
    }
}

impl Clock {
    /// Of the round's limit.
    pub fn of(frame: &Frame, time: &TimeLeft) -> Clock {
        let (days, rest) = time.days_and_rest();
        let left = match (time.light, days) {
            (Light::Overdue, _) => frame.fill("clock.over", &[&time.working_days_over]),
            (_, 0) => frame.fill("clock.hours", &[&hours_and_minutes(rest)]),
            _ => frame.fill("clock.days", &[&days, &rest.num_hours()]),
        };
        let mut why = vec![
            frame.fill("clock.until", &[&frame.day(time.due_day)]),
            frame.fill("clock.round", &[&time.round, &frame.day(time.from), &time.limit]),
        ];
        if let Some(days) = time.extended_by {
            why.push(frame.fill("clock.extended", &[&days]));
        }
        if time.extra_days > 0 {
            why.push(frame.fill("clock.extra", &[&time.extra_days]));
        }
        if time.days_off > 0 {
            why.push(frame.fill("clock.off", &[&time.days_off]));
        }
        if time.provisional {
            why.push(frame.t("clock.provisional").to_owned());
        }
        Clock {
            class: class(time.light),
            light: frame.name("light", time.light),
            left,
            why: why.join(frame.t("clock.between")),
        }
    }

    /// Of the first contact.
    pub fn of_contact(frame: &Frame, due: DateTime<Utc>, light: Light, now: DateTime<Utc>) -> Clock {
        let left = match light {
            Light::Overdue => frame.fill("clock.contact_over", &[&hours_and_minutes(now - due)]),
            _ => frame.fill("clock.contact_left", &[&hours_and_minutes(due - now)]),
        };
        let why = frame.fill("clock.contact_until", &[&frame.time(due)]);
        Clock { class: class(light), light: frame.name("light", light), left, why }
    }
}

fn hours_and_minutes(time: TimeDelta) -> String {
    format!("{}:{:02}", time.num_hours(), time.num_minutes() % 60)
}
