//! Tickets: their number, their fields, their life and its clocks, and the catalogue they are sorted by.

mod actor;
mod attempt;
pub mod calendar;
pub mod catalogue;
pub mod deadline;
mod due;
pub(crate) mod fields;
pub mod figure;
pub mod grams;
mod id;
mod life;
mod lifecycle;
mod light;
pub mod likeness;
mod number;
mod place;
pub mod quality;
pub mod supervision;
mod text;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;
use calendar::WorkingDays;

pub use actor::{Actor, BadActor};
pub use attempt::{Given, Outcome, Said, VisitCall, Way};
pub use catalogue::{Catalogue, ClassCode, GroupCode, ReasonCode, ReasonKind, TemplateKind, UnitCode};
pub use due::DueReasons;
pub use fields::{
    Action, Alarm, CallEnd, Channel, Contacted, Direction, EndedBy, EventKind, Means, RecordingKind, RecordingState,
    RequestType, Requester, Solved, State, UnknownName, Urgency,
};
pub use id::{
    AccountId, AttachmentId, AttemptId, BadId, CallId, ClientId, RecordingId, ReviewId, SupervisionId, ViewId,
};
pub use life::{Deed, Life};
pub use lifecycle::{
    Answers, BadPhone, Change, Command, Edit, Effect, LAST_ROUND, Level, MAX_RETURNS, Moment, NoVisit, PhoneText,
    Refused, Satisfaction, Side, Told, apply,
};
pub use light::{Light, TimeLeft};
pub use number::{BadNumber, BadPrefix, Number, NumberPrefix};
pub use place::place_key;
pub use text::{Body, Line, Text, TooLong};

/// A request of a citizen or an enterprise (工单).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: Number,
    pub city: City,
    pub channel: Channel,
    /// The called number it came in on; `None` for a channel without one.
    pub line: Option<String>,
    /// The call it was made in.
    pub call: Option<CallId>,
    /// The client of the API that filed it.
    pub client: Option<ClientId>,
    pub created_at: DateTime<Utc>,
    /// The day of `created_at` in Beijing. The number's day is later when that day's numbers were used up.
    pub created_day: NaiveDate,
    pub language: Language,
    pub requester: Requester,
    pub name: Option<Line>,
    pub enterprise_name: Option<Line>,
    /// `None` when withheld.
    pub phone: Option<Phone>,
    /// The caller ID, when the caller gave another number to be reached by.
    pub other_phone: Option<Phone>,
    pub anonymous: bool,
    /// Name and phone are kept from the unit, and the ticket is never read out on the phone.
    pub confidential: bool,
    /// `None` when the caller never came to the question (an overflow, an early hang-up).
    pub request_type: Option<RequestType>,
    pub urgency: Urgency,
    /// The caller pressed the key that submits; a ticket by timeout, hang-up or repair is unconfirmed.
    pub confirmed: bool,
    pub matter: Matter,
    pub state: State,
    pub state_since: DateTime<Utc>,
    pub handling: Handling,
    pub supervision: Supervision,
    /// What the return visit of the latest round heard.
    pub visit: Heard,
    /// 1, 2, 3 … with every command: who changes a ticket says which version they saw.
    pub version: u32,
}

/// What it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matter {
    pub title: Option<Line>,
    pub content: Option<Body>,
    /// In Chinese, of a recording in Tibetan.
    pub summary: Option<Body>,
    pub class: Option<ClassCode>,
    pub place: Option<Line>,
    pub position: Option<Position>,
    pub complained_party: Option<Line>,
    /// The leaders' event it came in at.
    pub event: Option<Line>,
    /// Followed by the media, with the requester's consent.
    pub media: bool,
    /// Not a prank or a wrong number.
    pub invalid: bool,
    pub repeat_of: Option<Number>,
}

/// A place on the map (WGS 84), in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Degrees", into = "Degrees")]
pub struct Position {
    pub latitude: i32,
    pub longitude: i32,
}

/// A position as it is written: degrees.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Degrees {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// `None` outside 90 degrees of latitude or 180 of longitude.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Option<Position> {
        let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
        on_earth.then(|| Position { latitude: millionths(latitude), longitude: millionths(longitude) })
    }

    /// Latitude and longitude in degrees.
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.latitude) / 1e6, f64::from(self.longitude) / 1e6)
    }
}

impl TryFrom<Degrees> for Position {
    type Error = &'static str;

    fn try_from(degrees: Degrees) -> Result<Position, &'static str> {
        Position::from_degrees(degrees.latitude, degrees.longitude)
            .ok_or("a latitude is -90 to 90 degrees, a longitude -180 to 180")
    }
}

impl From<Position> for Degrees {
    fn from(position: Position) -> Degrees {
        let (latitude, longitude) = position.degrees();
        Degrees { latitude, longitude }
    }
}

/// How it is handled, and by when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    pub lead: Option<UnitCode>,
    pub assisting: Vec<UnitCode>,
    /// 1, 2 or 3.
    pub round: u8,
    /// When this round began; `None` in the first, whose days count from the creation.
    pub round_started_at: Option<DateTime<Utc>>,
    pub dispatched_at: Option<DateTime<Utc>>,
    /// `None` before the dispatch, and where there is nobody to contact.
    pub contact_due_at: Option<DateTime<Utc>>,
    /// The first contact of the lead unit.
    pub contact_at: Option<DateTime<Utc>>,
    /// The last day; it is due when that day ends in Beijing. `None` only in a ticket of an older version, until the
    /// clock fills it in.
    pub due_day: Option<NaiveDate>,
    /// The due day lies in or behind a year whose days off nobody has announced.
    pub due_provisional: bool,
    /// Working days of this round beyond its limit: by the extension, by suspensions, and those that had gone by when a
    /// contact that was due later moved the due day.
    pub extra_days: u32,
    /// The one extension.
    pub extended_by: Option<WorkingDays>,
    /// What waits for a decision.
    pub asked: Option<Asked>,
    pub suspended_at: Option<DateTime<Utc>>,
    /// A suspension is looked at again on this day.
    pub review_day: Option<NaiveDate>,
    /// How often it came back from a unit.
    pub returns: u8,
    /// Why it was refused.
    pub reason: Option<ReasonCode>,
    pub reply: Option<Body>,
    /// When the reply passed review, or the hotline answered directly.
    pub closed_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it is left out of the rates.
    pub excluded: Option<ReasonCode>,
    pub merged_into: Option<Number>,
    /// What the clock has raised in this round.
    pub raised: Vec<Alarm>,
}

/// What a unit asks for, until somebody else decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    pub what: Wish,
    pub reason: ReasonCode,
    pub note: Body,
    pub by: Actor,
    pub at: DateTime<Utc>,
}

impl Asked {
    /// For the audit: `extension 10 staff_short`.
    fn summary(&self) -> String {
        match self.what {
            Wish::Extension { working_days } => format!("extension {working_days} {}", self.reason),
            Wish::Suspension { until } => format!("suspension {until} {}", self.reason),
            Wish::Exclusion => format!("exclusion {}", self.reason),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Wish {
    /// 延期
    Extension { working_days: WorkingDays },
    /// 挂账
    Suspension { until: NaiveDate },
    /// To be left out of the rates.
    Exclusion,
}

/// 督办
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supervision {
    /// `None`: not supervised.
    pub level: Option<Level>,
    /// Since when at this level.
    pub since: Option<DateTime<Utc>>,
    /// When the handling last moved.
    pub progressed_at: Option<DateTime<Utc>>,
}

/// The answers of a return visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    pub satisfaction: Option<Satisfaction>,
}

impl Matter {
    /// The place as it is compared with others.
    pub fn place_key(&self) -> Option<String> {
        self.place.as_ref().map(|place| place_key(place.as_str())).filter(|key| !key.is_empty())
    }
}

impl Ticket {
    /// The number is one of a later day, since those of the day it was created were used up.
    pub fn numbered_ahead(&self) -> bool {
        self.number.day() != self.created_day
    }

    /// Name and phone are for named people only: confidential tickets and reports of wrongdoing (举报); one whose type
    /// is not known may be a report.
    pub fn is_shielded(&self) -> bool {
        !may_be_read_out(self.confidential, self.request_type)
    }

    /// A recording in Tibetan that nobody has summed up in Chinese.
    pub fn needs_tibetan_speaker(&self) -> bool {
        self.language == Language::Bo && self.call.is_some() && self.matter.summary.is_none()
    }
}

/// Confidential tickets and reports of wrongdoing (举报) are never read out on the phone (domain §3, progress), nor is
/// one whose type is not known: it may be a report.
pub const fn may_be_read_out(confidential: bool, request_type: Option<RequestType>) -> bool {
    !confidential && !matches!(request_type, None | Some(RequestType::Report))
}
