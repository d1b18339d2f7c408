//! Which command fits which state, and why one does not.

use super::super::{RequestType, State, Ticket};
use super::{Command, Edit};

/// Why a command is not carried out. The ticket is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a ticket in the state {state} can't be {command}")]
    State { state: State, command: &'static str },
    #[error("the title is missing")]
    NoTitle,
    #[error("the class is missing")]
    NoClass,
    #[error("there is no lead unit yet: dispatch it")]
    NoLead,
    #[error("the unit has it already")]
    SameUnit,
    #[error("the lead unit can't assist itself")]
    LeadAssists,
    #[error("it came back twice: the supervisor decides, and there is no third return")]
    NoThirdReturn,
    #[error("a unit returns a ticket within one working day")]
    ReturnTooLate,
    #[error("there is no phone number to contact")]
    NobodyToContact,
    #[error("the hotline makes the contact for a confidential, anonymous or reporting requester")]
    HotlineContacts,
    #[error("a contact lies between the dispatch and now")]
    ContactOutsideHandling,
    #[error("no contact with the requester is on record")]
    NoContact,
    #[error("there was an extension already")]
    ExtendedAlready,
    #[error("an extension is 1 to {most} working days")]
    ExtensionTooLong { most: u32 },
    #[error("the due day has passed: an extension is asked for before")]
    DuePassed,
    #[error("it has no due day yet")]
    NoDueDay,
    #[error("something waits for a decision already")]
    AskedAlready,
    #[error("nothing waits for a decision")]
    NothingAsked,
    #[error("who asks can't grant")]
    SamePerson,
    #[error("a suspension is reviewed on a day after today, within {most} days")]
    ReviewDay { most: u32 },
    #[error("a visit without any answer is none")]
    NoAnswers,
    #[error("handling again needs \"not solved\" or a satisfaction of 2 or less")]
    NothingToRedo,
    #[error("there is a phone number to visit")]
    HasPhone,
    #[error("after two redos a person decides otherwise: transfer it or dismiss the wish")]
    NoThirdRedo,
    #[error("a ticket is reopened within {days} days")]
    ReopenTooLate { days: u32 },
    #[error("a ticket can't be its own repeat or lead")]
    Itself,
    #[error("the lead ticket is at its end or merged itself")]
    LeadEnded,
    #[error("it is supervised at this level already")]
    SameLevel,
    #[error("it is not supervised")]
    NotSupervised,
    #[error("there is no higher level")]
    HighestLevel,
    #[error("it has moved within the last working days")]
    StillMoving,
    #[error("there is nothing to raise")]
    NothingToRaise,
    #[error("it was urged on this working day already")]
    UrgedAlready,
    #[error("there is no such {0}, or it is retired")]
    Unknown(&'static str),
}

impl Refused {
    /// A name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Refused::State { .. } => "state",
            Refused::NoTitle => "no_title",
            Refused::NoClass => "no_class",
            Refused::NoLead => "no_lead",
            Refused::SameUnit => "same_unit",
            Refused::LeadAssists => "lead_assists",
            Refused::NoThirdReturn => "no_third_return",
            Refused::ReturnTooLate => "return_too_late",
            Refused::NobodyToContact => "nobody_to_contact",
            Refused::HotlineContacts => "hotline_contacts",
            Refused::ContactOutsideHandling => "contact_outside_handling",
            Refused::NoContact => "no_contact",
            Refused::ExtendedAlready => "extended_already",
            Refused::ExtensionTooLong { .. } => "extension_too_long",
            Refused::DuePassed => "due_passed",
            Refused::NoDueDay => "no_due_day",
            Refused::AskedAlready => "asked_already",
            Refused::NothingAsked => "nothing_asked",
            Refused::SamePerson => "same_person",
            Refused::ReviewDay { .. } => "review_day",
            Refused::NoAnswers => "no_answers",
            Refused::NothingToRedo => "nothing_to_redo",
            Refused::HasPhone => "has_phone",
            Refused::NoThirdRedo => "no_third_redo",
            Refused::ReopenTooLate { .. } => "reopen_too_late",
            Refused::Itself => "itself",
            Refused::LeadEnded => "lead_ended",
            Refused::SameLevel => "same_level",
            Refused::NotSupervised => "not_supervised",
            Refused::HighestLevel => "highest_level",
            Refused::StillMoving => "still_moving",
            Refused::NothingToRaise => "nothing_to_raise",
            Refused::UrgedAlready => "urged_already",
            Refused::Unknown(_) => "unknown",
        }
    }
}

impl State {
    /// A unit has it and the contact clock runs.
    pub const fn is_handled(self) -> bool {
        matches!(self, State::Dispatched | State::InProgress)
    }

    /// The due day counts: it is open, not closed and not suspended.
    pub const fn is_timed(self) -> bool {
        matches!(
            self,
            State::Received | State::Dispatched | State::InProgress | State::ReturnUnderReview | State::UnderReview
        )
    }
}

pub(super) fn permitted(ticket: &Ticket, command: &Command) -> Result<(), Refused> {
    if !fits(ticket, command) {
        return Err(Refused::State { state: ticket.state, command: command.action().name() });
    }
    match command {
        Command::Dispatch { .. } => complete(ticket),
        Command::Transfer { .. } if ticket.handling.lead.is_none() => Err(Refused::NoLead),
        Command::AskExtension { .. } | Command::AskSuspension { .. } | Command::AskExclusion { .. }
            if ticket.handling.asked.is_some() =>
        {
            Err(Refused::AskedAlready)
        }
        _ => Ok(()),
    }
}

/// The rows of the table in domain §2.
fn fits(ticket: &Ticket, command: &Command) -> bool {
    let state = ticket.state;
    match command {
        Command::Edit(_) | Command::Answer { .. } | Command::Refuse { .. } | Command::Dispatch { .. } => {
            state == State::Received
        }
        Command::Sign => state == State::Dispatched,
        Command::Return { .. } | Command::RecordContact { .. } => state.is_handled(),
        Command::AcceptReturn | Command::RejectReturn { .. } => state == State::ReturnUnderReview,
        Command::AskExtension { .. } | Command::AskSuspension { .. } | Command::Suspend { .. } => {
            state == State::InProgress
        }
        Command::Resume => state == State::Suspended,
        Command::Reply { .. } => state == State::InProgress,
        Command::Pass | Command::Fail { .. } => state == State::UnderReview,
        Command::Visited(_) | Command::EndVisit { .. } => {
            matches!(state, State::AwaitingVisit | State::Closed | State::Merged)
        }
        Command::Uphold | Command::Dismiss { .. } => state == State::Recheck,
        Command::Reopen { .. } => state == State::Archived,
        Command::Correct { .. }
        | Command::Note { .. }
        | Command::AskExclusion { .. }
        | Command::Grant
        | Command::Deny { .. }
        | Command::Merge { .. }
        | Command::Withdraw { .. }
        | Command::Urge
        | Command::Instruct { .. }
        | Command::Transfer { .. }
        | Command::Supervise { .. }
        | Command::StepUp
        | Command::Raise { .. } => state.is_open(),
    }
}

/// What a unit has to be told.
fn complete(ticket: &Ticket) -> Result<(), Refused> {
    if ticket.matter.title.is_none() {
        return Err(Refused::NoTitle);
    }
    if ticket.matter.class.is_none() {
        return Err(Refused::NoClass);
    }
    Ok(())
}

impl Edit {
    pub(super) fn write_to(&self, ticket: &mut Ticket) {
        macro_rules! text {
            ($($from:ident => $to:expr),+ $(,)?) => {$(
                if let Some(value) = &self.$from { $to = value.clone().filled(); }
            )+};
        }
        macro_rules! value {
            ($($from:ident => $to:expr),+ $(,)?) => {$(
                if let Some(value) = self.$from { $to = value.into(); }
            )+};
        }
        text!(
            title => ticket.matter.title,
            content => ticket.matter.content,
            summary => ticket.matter.summary,
            place => ticket.matter.place,
            complained_party => ticket.matter.complained_party,
            event => ticket.matter.event,
            name => ticket.name,
            enterprise_name => ticket.enterprise_name,
        );
        value!(
            class => ticket.matter.class,
            position => ticket.matter.position,
            media => ticket.matter.media,
            repeat_of => ticket.matter.repeat_of,
            urgency => ticket.urgency,
            request_type => ticket.request_type,
            requester => ticket.requester,
            anonymous => ticket.anonymous,
            confidential => ticket.confidential,
            language => ticket.language,
        );
        if let Some(valid) = self.valid {
            ticket.matter.invalid = !valid;
        }
        if let Some(phone) = &self.phone {
            ticket.phone.clone_from(&phone.0);
        }
        // 举报 is confidential unless the requester says otherwise
        if self.request_type == Some(RequestType::Report) && self.confidential.is_none() {
            ticket.confidential = true;
        }
    }
}
