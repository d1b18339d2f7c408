//! The call flow: a checked graph, written as data, and the function that walks it.
//!
//! [`Flow::parse`] reads `prompts/flows/*.toml` and refuses what could leave a caller stranded. [`step()`] is pure:
//! the caller of this module plays, records, keeps the timers and asks the store, and reports back with [`Event`]s.

mod check;
mod event;
mod flow;
mod keys;
mod line;
mod passages;
mod source;
mod state;
mod step;
mod words;

#[cfg(test)]
mod tests;

pub use event::{
    Action, Caller, Draft, EndedBy, Event, Features, LeaderEvent, Profile, PromptId, RecordKind, Reply, Request,
    Spoken, Stage, Status, Take, Topic, Utterance, Visit,
};
pub use flow::{Flow, Problem};
pub use line::Reading;
pub use passages::{Moment, Passage, Said};
pub use state::{State, VisitEnd};
pub use step::step;
