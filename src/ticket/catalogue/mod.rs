//! What requests are sorted by, who handles them, why a step is taken and what is answered: classes, units, reasons and
//! knowledge, as data.
//!
//! The files of `seed/` are the start; an administrator edits the entries afterwards and retires those that tickets
//! already have.

mod entry;
mod misfit;
mod read;
mod value;

use std::sync::LazyLock;

pub use entry::{Class, Group, Knowledge, Reason, ReasonKind, ReplyTemplate, Subject, TemplateKind, Unit};
pub use misfit::Misfit;
pub use read::{CatalogueError, classes, knowledge, reasons, units};
pub use value::{
    BadValue, Body, ClassCode, GroupCode, KnowledgeId, PromptId, ReasonCode, TemplateId, Title, UnitCode, UnitPhone,
};

/// All entries, in the order of their files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    pub groups: Vec<Group>,
    pub classes: Vec<Class>,
    pub units: Vec<Unit>,
    pub reasons: Vec<Reason>,
    pub knowledge: Vec<Knowledge>,
}

impl Catalogue {
    /// The one this program carries: what an empty store is filled with.
    pub fn built_in() -> &'static Catalogue {
        static BUILT_IN: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::embedded().expect("a test reads the embedded files"));
        &BUILT_IN
    }

    fn embedded() -> Result<Catalogue, CatalogueError> {
        let (groups, classes) = classes(include_str!("../../../seed/classes.toml"))?;
        let units = units(include_str!("../../../seed/units.toml"), &groups, &classes)?;
        let reasons = reasons(include_str!("../../../seed/reasons.toml"))?;
        let knowledge = knowledge(include_str!("../../../seed/knowledge.toml"), &units)?;
        Ok(Catalogue { groups, classes, units, reasons, knowledge })
    }
}

#[cfg(test)]
mod tests;
