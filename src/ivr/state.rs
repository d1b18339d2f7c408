//! Where a call is in its flow, and what has been told so far.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;

use super::event::{Caller, Draft, PromptId, Request, Status, Take, Topic};
use super::flow::{AskKind, Choice, Fact, FactKind, Flow, NodeIndex, Set, SetLanguage, TellKind};
use crate::digit::Digit;
use crate::language::Language;
use crate::phone::{Masked, Phone};
use crate::ticket::{Given, Number, Outcome, RequestType, Requester, Said};

/// A request has no more recordings than the first and its additions.
pub(super) const MOST_TAKES: usize = 6;

/// Where one call is. Begin with [`State::default`] and [`Event::Start`](super::Event::Start).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(super) place: Place,
    pub(super) known: Option<Known>,
}

/// What the interpreter is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Place {
    #[default]
    BeforeStart,
    In {
        node: NodeIndex,
        phase: Phase,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A node speaks: what a say node has to say, a menu and its choices, the words before the beep.
    Speaking,
    /// A key is waited for.
    Listening,
    /// The last "no key came" is being said; a key still counts until its end.
    Parting {
        to: NodeIndex,
    },
    /// Only the beep is left.
    Beeping,
    Recording,
    Asking {
        ask: u32,
    },
}

/// What is known of a call that has started. `Debug` masks what was typed.
#[derive(Clone, PartialEq)]
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) language: Language,
    pub(super) matter: Matter,
    /// The ticket that is made or asked about.
    pub(super) ticket: Option<Number>,
    pub(super) status: Option<Status>,
    pub(super) last_four: String,
    /// What the consult menu offers.
    pub(super) topics: Arc<[Topic]>,
    pub(super) topic: Option<Arc<str>>,
    /// The answer of the topic that was chosen.
    pub(super) answer: Option<PromptId>,
    /// Wrong and missing keys, or too short recordings, in this node.
    pub(super) misses: u8,
    /// Digits of a number so far.
    pub(super) typed: String,
    /// Keys typed before the menu they are for.
    pub(super) ahead: Vec<Digit>,
    pub(super) visits: BTreeMap<NodeIndex, u8>,
    pub(super) asked: u32,
    pub(super) submitted: bool,
    pub(super) visited: Visited,
    /// The line has carried speech for four seconds on end.
    pub(super) long_speech: bool,
    /// The caller hung up.
    pub(super) gone: bool,
}

/// What has come of a return visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Visited {
    /// Now and before.
    pub(super) given: Given,
    /// Some question was answered in this call.
    pub(super) answered: bool,
    /// What the flow makes of it.
    pub(super) outcome: Option<Outcome>,
    pub(super) message_left: bool,
}

impl Visited {
    pub(super) fn hear(&mut self, said: Said) {
        self.given.hear(said);
        self.answered |= said != Said::Willing;
    }
}

/// How a return visit has ended, as far as the flow can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitEnd {
    pub outcome: Outcome,
    pub message_left: bool,
}

/// What will be the ticket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matter {
    pub(super) requester: Requester,
    pub(super) request_type: Option<RequestType>,
    pub(super) confidential: Option<bool>,
    pub(super) phone: Option<Phone>,
    pub(super) confirmed: bool,
    pub(super) event: bool,
    pub(super) takes: Vec<(Take, u32)>,
}

impl Matter {
    const NONE: Matter = Matter {
        requester: Requester::Citizen,
        request_type: None,
        confidential: None,
        phone: None,
        confirmed: false,
        event: false,
        takes: Vec::new(),
    };
}

impl State {
    /// The caller's language, once the call has started.
    pub fn language(&self) -> Option<Language> {
        self.known.as_ref().map(|known| known.language)
    }

    /// What would be submitted now, once the call has started; without takes there is nothing to submit.
    pub fn draft(&self) -> Option<Draft> {
        self.known.as_ref().map(Known::draft)
    }

    /// Whether a key that comes now is, or may become, one of a number: the caller's phone, a ticket's. Keys typed
    /// ahead over the words before the question count too.
    pub fn is_collecting(&self, flow: &Flow) -> bool {
        let Place::In { node, .. } = self.place else { return false };
        flow.comes_to_a_number(node)
    }

    /// Nothing more will come of this call.
    pub fn is_over(&self) -> bool {
        self.place == Place::Over
    }

    /// Who is on the line, once the call has started.
    pub fn caller(&self) -> Option<&Caller> {
        self.known.as_ref().map(|known| &known.caller)
    }

    /// The key that has decided a return visit before its questions: later, wrong person, no more calls.
    pub fn visit_decided(&self) -> Option<Outcome> {
        let outcome = self.known.as_ref()?.visited.outcome?;
        matches!(outcome, Outcome::Later | Outcome::WrongPerson | Outcome::OptOut).then_some(outcome)
    }

    /// What a return visit that ends now has come to: what the flow says, else as much as was answered.
    pub fn visit_end(&self) -> VisitEnd {
        let Some(known) = &self.known else {
            return VisitEnd { outcome: Outcome::HungUp, message_left: false };
        };
        let Visited { given, answered, outcome, message_left } = known.visited;
        let as_answered = match (given.is_complete(), answered) {
            (true, _) => Outcome::Complete,
            (false, true) => Outcome::Partial,
            (false, false) if known.gone => Outcome::HungUp,
            (false, false) => Outcome::NoKey,
        };
        VisitEnd { outcome: outcome.unwrap_or(as_answered), message_left }
    }

    /// Has a `Submit` gone out?
    pub fn has_submitted(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.submitted)
    }
}

impl Known {
    pub(super) fn new(caller: Caller) -> Known {
        Known {
            language: caller.language.or(caller.visit.map(|visit| visit.language)).unwrap_or(Language::Zh),
            topics: Arc::clone(&caller.features.topics),
            matter: Matter::NONE,
            ticket: caller.visit.map(|visit| visit.ticket),
            visited: Visited { given: caller.visit.map(|visit| visit.given).unwrap_or_default(), ..Visited::default() },
            long_speech: false,
            caller,
            status: None,
            last_four: String::new(),
            topic: None,
            answer: None,
            misses: 0,
            typed: String::new(),
            ahead: Vec::new(),
            visits: BTreeMap::new(),
            asked: 0,
            submitted: false,
            gone: false,
        }
    }

    pub(super) fn holds(&self, fact: Fact) -> bool {
        let (features, given) = (&self.caller.features, &self.visited.given);
        let holds = match fact.what {
            FactKind::Sms => features.sms && self.contact().is_some_and(is_mobile),
            FactKind::Synthetic => features.synthetic,
            FactKind::EventOpen => features.event.is_some(),
            FactKind::HumanFirst => self.caller.profile == super::event::Profile::HumanFirst,
            FactKind::LanguageKnown => self.caller.language.is_some(),
            FactKind::CallerId => self.caller.phone.is_some(),
            FactKind::Contact => self.contact().is_some(),
            FactKind::Citizen => self.matter.requester == Requester::Citizen,
            FactKind::Enterprise => self.matter.requester == Requester::Enterprise,
            FactKind::Due => self.status.as_ref().is_some_and(|status| status.due.is_some()),
            FactKind::Open => self.status.as_ref().is_some_and(|status| status.stage.is_open()),
            FactKind::Room => self.matter.takes.len() < MOST_TAKES,
            FactKind::Visit => self.caller.visit.is_some(),
            FactKind::CalledBack => self.caller.visit.is_some_and(|visit| visit.called_back),
            FactKind::Confidential => self.caller.visit.is_some_and(|visit| visit.confidential),
            FactKind::ContactedKnown => given.contacted.is_some(),
            FactKind::SolvedKnown => given.solved.is_some(),
            FactKind::SatisfactionKnown => given.satisfaction.is_some(),
            FactKind::Dissatisfied => given.is_dissatisfied(),
            FactKind::ReasonKnown => given.reason.is_some(),
            FactKind::RedoKnown => given.redo.is_some(),
            FactKind::LongSpeech => self.long_speech,
            FactKind::MayLeaveMessage => self.caller.visit.is_some_and(|visit| visit.may_leave_message),
        };
        holds == fact.holds
    }

    /// The number to reach the caller by.
    pub(super) fn contact(&self) -> Option<&Phone> {
        self.matter.phone.as_ref().or(self.caller.phone.as_ref())
    }

    /// Of a confidential request not even the day is told.
    pub(super) fn filed_on(&self) -> Option<NaiveDate> {
        self.caller.visit.filter(|visit| !visit.confidential).map(|visit| visit.filed_on)
    }

    /// Everything but `call_recording`, which is an action.
    pub(super) fn note(&mut self, set: &Set) {
        if set.cancel == Some(true) {
            self.matter = Matter::NONE;
        }
        if let Some(language) = set.language {
            self.language = match language {
                SetLanguage::Bo => Language::Bo,
                SetLanguage::Zh => Language::Zh,
                SetLanguage::Other => self.language.other(),
            };
        }
        set.said().for_each(|said| self.visited.hear(said));
        self.visited.outcome = set.outcome.or(self.visited.outcome);
        self.visited.message_left |= set.message_left.unwrap_or(false);
        let matter = &mut self.matter;
        matter.requester = set.requester.unwrap_or(matter.requester);
        matter.request_type = set.r#type.or(matter.request_type);
        matter.confidential = set.confidential.or(matter.confidential);
        matter.confirmed = set.confirmed.unwrap_or(matter.confirmed);
        matter.event = set.event.unwrap_or(matter.event);
        if let Some(topic) = &set.topic {
            self.topic = Some(topic.as_str().into());
        }
    }

    /// Notes the topic that a choice of the consult menu stands for.
    pub(super) fn note_topic(&mut self, choice: &Choice) {
        let Some(Topic { id, answer, .. }) = self.topic_of(choice).cloned() else { return };
        (self.topic, self.answer) = (Some(id), Some(answer));
    }

    /// The question itself; `None` when what it needs is not known, or must not be asked again.
    pub(super) fn request(&self, kind: AskKind) -> Option<Request> {
        let number = || self.ticket;
        let caller = || self.caller.phone.clone();
        match kind {
            AskKind::Submit => {
                let submits = !self.submitted && !self.matter.takes.is_empty();
                submits.then(|| Request::Submit(self.draft()))
            }
            AskKind::Latest => Some(Request::Latest { phone: caller()? }),
            AskKind::Lookup => Some(Request::Lookup { number: number()?, caller: caller() }),
            AskKind::Verify => {
                Some(Request::Verify { number: number()?, last_four: self.last_four.clone(), caller: caller() })
            }
            AskKind::Urge => Some(Request::Urge { number: number()? }),
            AskKind::Consult => Some(Request::Consult { city: self.caller.city }),
        }
    }

    pub(super) fn order(&self, kind: TellKind) -> Option<Request> {
        match kind {
            TellKind::RememberLanguage => {
                Some(Request::RememberLanguage { phone: self.caller.phone.clone()?, language: self.language })
            }
            TellKind::DirectAnswer => Some(Request::DirectAnswer { topic: self.topic.clone()? }),
        }
    }

    fn draft(&self) -> Draft {
        let matter = &self.matter;
        let caller = self.caller.phone.as_ref();
        Draft {
            language: self.language,
            requester: matter.requester,
            request_type: matter.request_type,
            confidential: matter.confidential.unwrap_or(matter.request_type == Some(RequestType::Report)),
            phone: self.contact().cloned(),
            other_phone: caller.filter(|caller| Some(*caller) != self.contact()).cloned(),
            confirmed: matter.confirmed,
            takes: matter.takes.iter().map(|(take, _)| *take).collect(),
            speech_ms: matter.takes.iter().fold(0, |sum, (_, ms)| sum.saturating_add(*ms)),
            event: self.caller.features.event.as_ref().filter(|_| matter.event).map(|event| event.id),
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("language", &self.language)
            .field("topic", &self.topic)
            .field("misses", &self.misses)
            .field("typed", &Masked(&self.typed))
            .field("last_four", &Masked(&self.last_four))
            .field("ahead", &self.ahead.len())
            .field("visits", &self.visits)
            .field("asked", &self.asked)
            .field("submitted", &self.submitted)
            .field("visited", &self.visited)
            .field("gone", &self.gone)
            .finish_non_exhaustive()
    }
}

/// A landline reads no SMS.
fn is_mobile(phone: &Phone) -> bool {
    phone.digits().len() == 11 && phone.digits().starts_with('1')
}
