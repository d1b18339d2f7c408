//! A ticket in a list.

use super::clock::Clock;
use super::failed;
use super::named::Named;
use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::ticket::{State, Ticket, Urgency};

/// Of a content without a title so many characters are shown.
const SHORT: usize = 60;

/// A line of a list.
pub struct Row {
    pub number: String,
    pub version: u32,
    pub href: String,
    pub title: String,
    /// What the title is written in.
    pub lang: &'static str,
    /// Class and place.
    pub about: String,
    pub unit: Option<String>,
    pub city: String,
    pub state: String,
    pub created: String,
    pub clock: Option<Clock>,
    pub contact: Option<Clock>,
    /// Class and words of each.
    pub badges: Vec<(&'static str, String)>,
    /// Ready to be dispatched in bulk.
    pub dispatchable: bool,
}

/// The tickets as lines, in their order.
pub async fn rows(shared: &Shared, frame: &Frame, named: &Named, tickets: &[Ticket]) -> Result<Vec<Row>, Problem> {
    let now = shared.clock.wall();
    let clocks = shared.store.clocks(tickets, now).await.map_err(failed)?;
    let row = |(ticket, clocks): (&Ticket, crate::store::Clocks)| {
        let (matter, handling) = (&ticket.matter, &ticket.handling);
        let title = title(frame, ticket);
        let about =
            [matter.class.map(|class| named.class(&class.to_string())), matter.place.as_ref().map(ToString::to_string)];
        Row {
            number: ticket.number.to_string(),
            version: ticket.version,
            href: format!("/tickets/{}", ticket.number),
            lang: lang(&title),
            title,
            about: about.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            unit: handling.lead.as_ref().map(|unit| named.unit(unit.as_str())),
            city: frame.name("city", ticket.city),
            state: frame.name("state", ticket.state),
            created: frame.time(ticket.created_at),
            clock: clocks.limit.map(|time| Clock::of(frame, &time)),
            contact: clocks.contact.map(|(due, light)| Clock::of_contact(frame, due, light, now)),
            badges: badges(frame, ticket),
            dispatchable: ticket.state == State::Received && matter.title.is_some() && matter.class.is_some(),
        }
    };
    Ok(tickets.iter().zip(clocks).map(row).collect())
}

/// The title, or what there is instead of one.
pub fn title(frame: &Frame, ticket: &Ticket) -> String {
    let matter = &ticket.matter;
    if let Some(title) = &matter.title {
        return title.to_string();
    }
    let words = matter.summary.as_ref().or(matter.content.as_ref()).map(|words| words.as_str().replace('\n', " "));
    match words {
        Some(words) if words.chars().count() > SHORT => words.chars().take(SHORT).chain(['…']).collect(),
        Some(words) => words,
        None => frame.t("inbox.untitled").to_owned(),
    }
}

/// What a text is written in, for whoever shows it or reads it aloud: Tibetan has a script of its own.
pub fn lang(text: &str) -> &'static str {
    if text.chars().any(|letter| ('\u{f00}'..='\u{fff}').contains(&letter)) { "bo" } else { "zh-CN" }
}

fn badges(frame: &Frame, ticket: &Ticket) -> Vec<(&'static str, String)> {
    let mut badges = Vec::new();
    let mut badge = |class, words: String| badges.push((class, words));
    match ticket.urgency {
        Urgency::Normal => {}
        Urgency::Urgent => badge("warn", frame.name("urgency", ticket.urgency)),
        Urgency::Critical => badge("late", frame.name("urgency", ticket.urgency)),
    }
    if let Some(level) = ticket.supervision.level {
        badge("late", frame.fill("ticket.supervised_at", &[&frame.name("level", level.get())]));
    }
    if ticket.handling.asked.is_some() {
        badge("warn", frame.t("ticket.asked_badge").to_owned());
    }
    if ticket.needs_tibetan_speaker() {
        badge("warn", frame.t("ticket.needs_tibetan").to_owned());
    }
    for alarm in &ticket.handling.raised {
        badge("late", frame.name("alarm", alarm));
    }
    if ticket.handling.round > 1 {
        badge("quiet", frame.fill("ticket.round_badge", &[&ticket.handling.round]));
    }
    if !ticket.confirmed {
        badge("quiet", frame.t("ticket.unconfirmed").to_owned());
    }
    if ticket.is_shielded() || ticket.anonymous {
        badge("quiet", frame.t("ticket.shielded").to_owned());
    }
    badges
}
