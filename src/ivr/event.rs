//! What goes into a flow and what comes out of it.

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::city::City;
use crate::digit::Digit;
use crate::language::Language;
use crate::phone::{Masked, Phone};
use crate::ticket::{Given, Number, RequestType, Requester, Said, VisitCall, Way};

/// A prompt's id in the manifest, such as `menu.head`.
pub type PromptId = Arc<str>;

/// Who calls, and what this line can do for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// `None` when the number is withheld.
    pub phone: Option<Phone>,
    pub city: City,
    /// The language this number chose before.
    pub language: Option<Language>,
    pub profile: Profile,
    pub features: Features,
    /// The return visit that the call is for, or that this number broke off a short while ago.
    pub visit: Option<Visit>,
}

/// What a return visit asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub ticket: Number,
    /// Of the ticket; spoken to a number that has chosen none.
    pub language: Language,
    /// The day of the request; not told of a confidential one.
    pub filed_on: NaiveDate,
    pub confidential: bool,
    /// What is known already, and is not asked again.
    pub given: Given,
    /// No message was left on a machine yet.
    pub may_leave_message: bool,
    /// The requester has called back, so nobody has to ask who it is.
    pub called_back: bool,
}

impl Visit {
    pub fn of(visit: &VisitCall) -> Visit {
        Visit {
            ticket: visit.ticket,
            language: visit.language,
            filed_on: visit.filed_on,
            confidential: visit.confidential,
            given: visit.given,
            may_leave_message: visit.may_leave_message,
            called_back: visit.way == Way::CallBack,
        }
    }
}

/// How a line treats its callers (domain.md §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The menu first.
    #[default]
    SelfService,
    /// A person first, the menu as the overflow (GB/T 33358-2016).
    HumanFirst,
}

/// What is switched on at the moment of the call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Ticket numbers also go out by SMS.
    pub sms: bool,
    /// Some prompt of the flow was spoken by a machine, which the law wants announced.
    pub synthetic: bool,
    /// The leader-listening event that is open now.
    pub event: Option<LeaderEvent>,
    /// What the consult menu offers when the store does not say.
    pub topics: Arc<[Topic]>,
}

/// An answer to a common question, as the consult menu offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The knowledge entry's.
    pub id: Arc<str>,
    /// The prompt that offers it.
    pub choice: PromptId,
    /// The prompt that is the answer.
    pub answer: PromptId,
}

/// A 一把手听民声 event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderEvent {
    pub id: i64,
    /// The prompt that says the unit's name; `None` leaves the name out.
    pub unit: Option<PromptId>,
}

/// What happened to the call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The call is answered. Anything before it is ignored.
    Start(Caller),
    /// A key. One that ends a recording comes before the `Recorded` that it causes.
    Digit(Digit),
    /// All utterances of the last `Say` have been played; not sent after a `Hush`.
    Played,
    /// The last `StartTimer` has run out; not sent after a `StopTimer`.
    Timer,
    /// A recording has ended. Sent exactly once for a `Record`, after a hang-up too.
    Recorded { ended_by: EndedBy, speech_ms: u32, duration_ms: u32, take: Take },
    /// The line has carried speech for four seconds on end: an answering machine talks like that.
    LongSpeech,
    /// The reply to the `Ask` of that number. A late one is ignored.
    Answer { ask: u32, reply: Reply },
    /// The call is over: the caller hung up, the line broke, or the service ends the call.
    HungUp,
}

/// Why a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    Key,
    Silence,
    Limit,
    HangUp,
}

/// One piece of a citizen's request: the nth recording of the call, as its owner counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Take(pub u32);

/// What the call must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A node is entered: for the call's event list.
    Enter(Arc<str>),
    /// Queue these; `Played` when the last has been heard. `interruptible` is for display: a `Hush` says when to stop.
    Say {
        utterances: Vec<Utterance>,
        interruptible: bool,
    },
    /// Stop speaking and drop what is queued.
    Hush,
    /// Start the one timer of the call anew.
    StartTimer {
        ms: u32,
    },
    StopTimer,
    /// Record the citizen until a key, `silence_ms` of silence after or without speech, or `max_ms`.
    Record {
        max_ms: u32,
        silence_ms: u32,
        kind: RecordKind,
    },
    /// End the recording now; `Recorded` follows. Ignored when none runs.
    StopRecord,
    /// Keep the whole call from here on, or stop keeping it.
    CallRecording(bool),
    /// Ask the store; answer with the same number.
    Ask {
        ask: u32,
        request: Request,
    },
    /// The flow is at its end: send BYE.
    HangUp,
    /// The flow is at its end: go on in the flow of return visits.
    GoOnVisiting,
}

/// What a recording does to the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    New,
    /// Takes their place, once it holds enough speech.
    Again,
    /// Follows them.
    Add,
    /// Is none of them: it says why a requester is not satisfied.
    Reason,
}

/// What a requester has just said in a return visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// By a key.
    Typed(Said),
    /// Why they are not satisfied: this recording.
    Reason(Take),
}

/// Something to say, in the language it is to be said in.
#[derive(Clone, Debug, PartialEq)]
pub enum Utterance {
    Prompt(Language, PromptId),
    /// In four groups of three.
    TicketNumber(Language, Number),
    /// In groups of two and three.
    Digits(Language, String),
    Phone(Language, Phone),
    Date(Language, NaiveDate),
    Count(Language, u32),
    /// What the citizen has said: these takes, in this order.
    Recording(Vec<Take>),
    Beep,
    Pause {
        ms: u32,
    },
}

/// A question or an order to the store. `Debug` masks what a caller typed.
#[derive(Clone, PartialEq)]
pub enum Request {
    /// Make the ticket. At most one in a call. → `Submitted`
    Submit(Draft),
    /// The newest open-to-the-caller ticket of this number. → `Found`, `NotFound` (also when it is confidential)
    Latest { phone: Phone },
    /// A ticket by number. → `Found` when `caller` is its phone, else `VerifyPhone`; `NotFound`, `Locked`
    Lookup { number: Number, caller: Option<Phone> },
    /// Does the ticket's phone end in these four digits? → `Found`, `Mismatch`, `NotFound`, `Locked`
    Verify { number: Number, last_four: String, caller: Option<Phone> },
    /// 催办. → `Urged`, `AlreadyUrged`
    Urge { number: Number },
    /// The answers to common questions that a city offers. → `Topics`
    Consult { city: City },
    /// Keep what a return visit has brought, at once. No reply wanted.
    Said(Spoken),
    /// No reply wanted.
    RememberLanguage { phone: Phone, language: Language },
    /// A consult answer solved the matter: a direct answer, to be kept with the call. No reply wanted.
    DirectAnswer { topic: PromptId },
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Submit(draft) => f.debug_tuple("Submit").field(draft).finish(),
            Request::Latest { phone } => f.debug_struct("Latest").field("phone", phone).finish(),
            Request::Lookup { number, caller } => f
                .debug_struct("Lookup")
                .field("number", &Masked(&number.to_string()))
                .field("caller", &caller.as_ref().map(|phone| Masked(phone.digits())))
                .finish(),
            Request::Verify { number, last_four, caller } => f
                .debug_struct("Verify")
                .field("number", &Masked(&number.to_string()))
                .field("last_four", &Masked(last_four))
                .field("caller", &caller.as_ref().map(|phone| Masked(phone.digits())))
                .finish(),
            Request::Urge { number } => f.debug_struct("Urge").field("number", number).finish(),
            Request::Consult { city } => f.debug_struct("Consult").field("city", city).finish(),
            Request::Said(spoken) => f.debug_tuple("Said").field(spoken).finish(),
            Request::RememberLanguage { phone, language } => {
                f.debug_struct("RememberLanguage").field("phone", phone).field("language", language).finish()
            }
            Request::DirectAnswer { topic } => f.debug_struct("DirectAnswer").field("topic", topic).finish(),
        }
    }
}

/// The store's reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Submitted {
        number: Number,
    },
    Found(Status),
    VerifyPhone,
    NotFound,
    Mismatch,
    /// Too many wrong tries from this number.
    Locked,
    Urged,
    AlreadyUrged,
    /// In the order of the menu; those beyond the sixth are not offered.
    Topics(Vec<Topic>),
    /// The store is away, or refused for a reason the caller can't mend.
    Failed,
}

/// What a caller may hear about a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub number: Number,
    pub stage: Stage,
    /// Left out when there is none to promise.
    pub due: Option<NaiveDate>,
}

/// A ticket's state, as far as it is told to a caller: the `st.*` prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Accepted,
    Assigned,
    Processing,
    Extended,
    Resolved,
    Closed,
    Redo,
    Suspended,
    Refused,
    Withdrawn,
    Merged,
}

/// What the caller has told so far: what becomes a ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub language: Language,
    pub requester: Requester,
    /// `None` when the caller never came to the question (a leader's event, the overflow of the agents).
    pub request_type: Option<RequestType>,
    /// As answered; without an answer, 举报 is confidential and nothing else is.
    pub confidential: bool,
    /// The number to reach them by: typed, else the caller ID.
    pub phone: Option<Phone>,
    /// The caller ID, when another number was typed.
    pub other_phone: Option<Phone>,
    /// They pressed 1 in the review. Without it the ticket is made all the same, and marked.
    pub confirmed: bool,
    /// The recordings that are the request, in order. Never empty in a `Submit`.
    pub takes: Vec<Take>,
    /// Speech in all of them.
    pub speech_ms: u32,
    /// The leader's event they spoke to.
    pub event: Option<i64>,
}
