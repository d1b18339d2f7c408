//! A ticket as the API shows it: masked, and without the requester where only named people see them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::city::City;
use crate::clock::end_of_beijing_day;
use crate::console::recordings::RecordingOut;
use crate::language::Language;
use crate::phone::Phone;
use crate::store::{self, ActorNames, Attachment, AuditChange, AuditEntry, Contact, TicketFile, Visit};
use crate::ticket::{
    Action, Actor, Alarm, AttachmentId, CallId, Channel, Contacted, Means, Number, RequestType, Requester, Solved,
    State, Ticket, Urgency, Wish,
};

/// Audit fields that hold a phone number or a name.
const OF_THE_REQUESTER: [&str; 3] = ["phone", "name", "enterprise_name"];

/// A request of a citizen or an enterprise (工单).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketOut {
    /// City, day, sequence and a Luhn digit.
    pub number: Number,
    /// 1, 2, 3 … with every change; a command names the one it was decided upon.
    pub version: u32,
    pub city: City,
    pub channel: Channel,
    /// The called number; null for a channel without one.
    pub line: Option<String>,
    /// The id of the call it was made in.
    pub call: Option<CallId>,
    pub created_at: DateTime<Utc>,
    /// The day in Beijing.
    pub created_day: NaiveDate,
    /// The number is one of a later day, since those of the day were used up.
    pub numbered_ahead: bool,
    pub language: Language,
    pub requester: Requester,
    /// Null when unknown or hidden.
    pub name: Option<String>,
    pub enterprise_name: Option<String>,
    /// Masked; null when withheld or hidden.
    #[schema(examples("138****5678"))]
    pub phone: Option<String>,
    /// The caller ID, when the caller gave another number to be reached by; masked.
    pub other_phone: Option<String>,
    pub anonymous: bool,
    /// Name and phone are kept from the unit.
    pub confidential: bool,
    /// The requester is shown to named people only, and this caller is not one.
    pub requester_hidden: bool,
    /// Null when the caller never came to the question.
    #[serde(rename = "type")]
    pub request_type: Option<RequestType>,
    pub urgency: Urgency,
    /// The caller pressed the key that submits; false after a timeout or a hang-up.
    pub confirmed: bool,
    pub title: Option<String>,
    pub content: Option<String>,
    /// In Chinese, of a recording in Tibetan.
    pub summary: Option<String>,
    pub needs_tibetan_speaker: bool,
    /// The class's code.
    pub class: Option<String>,
    pub place: Option<String>,
    /// Degrees, WGS 84.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub complained_party: Option<String>,
    pub event: Option<String>,
    pub media: bool,
    pub valid: bool,
    pub repeat_of: Option<Number>,
    pub merged_into: Option<Number>,
    pub state: State,
    pub state_since: DateTime<Utc>,
    /// The unit's code.
    pub lead_unit: Option<String>,
    pub assisting_units: Vec<String>,
    /// 1, 2 or 3.
    pub round: u8,
    pub dispatched_at: Option<DateTime<Utc>>,
    pub contact_due_at: Option<DateTime<Utc>>,
    pub contact_at: Option<DateTime<Utc>>,
    /// The last day in Beijing.
    pub due_day: Option<NaiveDate>,
    /// The end of that day.
    pub due_at: Option<DateTime<Utc>>,
    /// The day may move: a year on the way has not been announced.
    pub due_provisional: bool,
    /// Working days of the one extension.
    pub extended_by: Option<u32>,
    pub asked: Option<AskedOut>,
    pub review_day: Option<NaiveDate>,
    pub returns: u8,
    /// Why it was refused: a reason's code.
    pub reason: Option<String>,
    pub reply: Option<String>,
    pub closed_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it is left out of the rates: a reason's code.
    pub excluded: Option<String>,
    /// What the clock has raised in this round.
    pub raised: Vec<Alarm>,
    /// Level of supervision, 1 to 4.
    pub supervision: Option<u8>,
    pub supervised_since: Option<DateTime<Utc>>,
    /// The latest return visit's answers.
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    /// 5 very satisfied to 1 very unsatisfied.
    pub satisfaction: Option<u8>,
    /// The citizen's request first, then the whole call. None where the requester is hidden.
    pub recordings: Vec<RecordingOut>,
}

/// What waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Asked)]
pub struct AskedOut {
    /// `extension`, `suspension` or `exclusion`.
    pub what: &'static str,
    pub working_days: Option<u32>,
    pub until: Option<NaiveDate>,
    /// A reason's code.
    pub reason: String,
    pub note: String,
    pub by: Actor,
    pub at: DateTime<Utc>,
}

impl TicketOut {
    pub fn new(ticket: Ticket, recordings: Vec<store::Recording>, caller: &Caller) -> TicketOut {
        let hidden = caller.sees_requester(&ticket).is_err();
        let shown = |text: Option<String>| text.filter(|_| !hidden);
        let masked = |phone: Option<Phone>| phone.map(|phone| phone.masked()).filter(|_| !hidden);
        let recordings = if hidden { Vec::new() } else { recordings };
        let (latitude, longitude) = ticket.matter.position.map(|position| position.degrees()).unzip();
        let (numbered_ahead, needs_tibetan_speaker) = (ticket.numbered_ahead(), ticket.needs_tibetan_speaker());
        let (matter, handling) = (ticket.matter, ticket.handling);
        TicketOut {
            numbered_ahead,
            needs_tibetan_speaker,
            number: ticket.number,
            version: ticket.version,
            city: ticket.city,
            channel: ticket.channel,
            line: ticket.line,
            call: ticket.call,
            created_at: ticket.created_at,
            created_day: ticket.created_day,
            language: ticket.language,
            requester: ticket.requester,
            name: shown(ticket.name.map(String::from)),
            enterprise_name: shown(ticket.enterprise_name.map(String::from)),
            phone: masked(ticket.phone),
            other_phone: masked(ticket.other_phone),
            anonymous: ticket.anonymous,
            confidential: ticket.confidential,
            requester_hidden: hidden,
            request_type: ticket.request_type,
            urgency: ticket.urgency,
            confirmed: ticket.confirmed,
            title: matter.title.map(String::from),
            content: matter.content.map(String::from),
            summary: matter.summary.map(String::from),
            class: matter.class.map(|class| class.to_string()),
            place: matter.place.map(String::from),
            latitude,
            longitude,
            complained_party: matter.complained_party.map(String::from),
            event: matter.event.map(String::from),
            media: matter.media,
            valid: !matter.invalid,
            repeat_of: matter.repeat_of,
            merged_into: handling.merged_into,
            state: ticket.state,
            state_since: ticket.state_since,
            lead_unit: handling.lead.map(String::from),
            assisting_units: handling.assisting.into_iter().map(String::from).collect(),
            round: handling.round,
            dispatched_at: handling.dispatched_at,
            contact_due_at: handling.contact_due_at,
            contact_at: handling.contact_at,
            due_day: handling.due_day,
            due_at: handling.due_day.map(end_of_beijing_day),
            due_provisional: handling.due_provisional,
            extended_by: handling.extended_by.map(|days| days.count()),
            asked: handling.asked.map(AskedOut::from),
            review_day: handling.review_day,
            returns: handling.returns,
            reason: handling.reason.map(String::from),
            reply: handling.reply.map(String::from),
            closed_at: handling.closed_at,
            ended_at: handling.ended_at,
            excluded: handling.excluded.map(String::from),
            raised: handling.raised,
            supervision: ticket.supervision.level.map(|level| level.get()),
            supervised_since: ticket.supervision.since,
            contacted: ticket.visit.contacted,
            solved: ticket.visit.solved,
            satisfaction: ticket.visit.satisfaction.map(|given| given.get()),
            recordings: recordings.into_iter().map(RecordingOut::from).collect(),
        }
    }
}

impl From<crate::ticket::Asked> for AskedOut {
    fn from(asked: crate::ticket::Asked) -> AskedOut {
        let (what, working_days, until) = match asked.what {
            Wish::Extension { working_days } => ("extension", Some(working_days.count()), None),
            Wish::Suspension { until } => ("suspension", None, Some(until)),
            Wish::Exclusion => ("exclusion", None, None),
        };
        AskedOut {
            what,
            working_days,
            until,
            reason: asked.reason.into(),
            note: asked.note.into(),
            by: asked.by,
            at: asked.at,
        }
    }
}

/// A ticket with everything that belongs to it and that was done to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDetail {
    #[serde(flatten)]
    pub ticket: TicketOut,
    /// Proofs of contact, oldest first.
    pub contacts: Vec<ContactOut>,
    /// Return visits by round.
    pub visits: Vec<VisitOut>,
    pub attachments: Vec<AttachmentOut>,
    /// Oldest first.
    pub audit: Vec<AuditOut>,
}

impl TicketDetail {
    pub fn new(file: TicketFile, caller: &Caller, names: &ActorNames) -> TicketDetail {
        let hidden = caller.sees_requester(&file.ticket).is_err();
        TicketDetail {
            audit: file.audit.into_iter().map(|entry| AuditOut::new(entry, hidden, names)).collect(),
            contacts: file.contacts.into_iter().map(ContactOut::from).collect(),
            visits: file.visits.into_iter().map(VisitOut::from).collect(),
            attachments: file.attachments.into_iter().map(AttachmentOut::from).collect(),
            ticket: TicketOut::new(file.ticket, file.recordings, caller),
        }
    }
}

/// A contact of the unit, or of the hotline for it, with the requester.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contact)]
pub struct ContactOut {
    pub round: u8,
    pub at: DateTime<Utc>,
    pub by: Actor,
    pub told: String,
}

impl From<Contact> for ContactOut {
    fn from(contact: Contact) -> ContactOut {
        let Contact { round, at, actor, told } = contact;
        ContactOut { round, at, by: actor, told }
    }
}

/// A return visit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Visit)]
pub struct VisitOut {
    pub round: u8,
    /// `due`, `answered`, `unreached`, `no_phone`, `declined` or `dropped`.
    pub state: String,
    pub due_at: DateTime<Utc>,
    pub attempts: u32,
    pub answered_at: Option<DateTime<Utc>>,
    pub means: Option<Means>,
    pub contacted: Option<Contacted>,
    pub solved: Option<Solved>,
    pub satisfaction: Option<u8>,
    pub redo: Option<bool>,
}

impl From<Visit> for VisitOut {
    fn from(visit: Visit) -> VisitOut {
        let Visit { round, state, due_at, attempts, answered_at, means, contacted, solved, satisfaction, redo } = visit;
        VisitOut { round, state, due_at, attempts, answered_at, means, contacted, solved, satisfaction, redo }
    }
}

/// A file that belongs to a ticket; its bytes are at `/api/v1/attachments/{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentOut {
    pub id: AttachmentId,
    pub name: String,
    pub media_type: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
    pub added_at: DateTime<Utc>,
    pub by: Actor,
}

impl From<Attachment> for AttachmentOut {
    fn from(attachment: Attachment) -> AttachmentOut {
        let Attachment { id, name, media_type, bytes, sha256, added_at, actor, .. } = attachment;
        AttachmentOut { id, name, media_type, bytes, sha256, added_at, by: actor }
    }
}

/// One act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditOut {
    /// What was acted upon: a ticket's number, or `account ID`, `calendar` and the like.
    pub subject: String,
    /// 1, 2, 3 … within the subject.
    pub sequence: u32,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// What the person is called, or the other system; null for other systems that ask.
    pub actor_name: Option<String>,
    /// What the person signs in by.
    pub actor_account: Option<String>,
    pub action: Action,
    pub changes: Vec<ChangeOut>,
    /// The words given with it.
    pub reason: Option<String>,
    /// The IP address it came from.
    pub address: Option<String>,
}

/// A field that was changed. Phone numbers are masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeOut {
    pub field: String,
    pub was: Option<String>,
    pub is: Option<String>,
}

impl AuditOut {
    pub fn new(entry: AuditEntry, hidden: bool, names: &ActorNames) -> AuditOut {
        let AuditEntry { subject, sequence, at, actor, action, changes, reason, address } = entry;
        let changes = changes.into_iter().map(|change| ChangeOut::new(change, hidden)).collect();
        let name = names.get(&actor).cloned();
        let (actor_name, actor_account) = name.map_or((None, None), |of| (Some(of.name), of.account));
        AuditOut { subject, sequence, at, actor, actor_name, actor_account, action, changes, reason, address }
    }
}

impl ChangeOut {
    fn new(change: AuditChange, hidden: bool) -> ChangeOut {
        let AuditChange { field, was, is } = change;
        let covered = hidden && OF_THE_REQUESTER.contains(&field.as_str());
        let show = |text: Option<String>| match field.as_str() {
            _ if covered => text.map(|_| "***".to_owned()),
            "phone" => text.and_then(|digits| Phone::from_national(&digits)).map(|phone| phone.masked()),
            _ => text,
        };
        ChangeOut { was: show(was), is: show(is), field }
    }
}
