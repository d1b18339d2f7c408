//! Classes, units, reasons, knowledge and reply templates, as they are now, and their changes. Nothing is taken away: what tickets have
//! is retired.

mod classes;
mod knowledge;
mod reasons;
mod templates;
mod units;

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::row::micros;
use super::{By, StoreError, Transaction, on};
use crate::ticket::catalogue::{Misfit, ReasonKind};
use crate::ticket::{Action, Change};

pub use knowledge::Placed;

/// What was done to keep an entry as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Added,
    Changed,
    /// It was so already.
    Unchanged,
}

/// Why an entry is not kept as it was given. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The data are wrong.
    #[error("{0}")]
    Misfit(#[from] Misfit),
    /// The data are right, but something that is there stands against them.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What stands against an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    #[error("its group is retired: bring that back first")]
    GroupRetired,
    #[error("classes in use stand below it: retire those first")]
    ClassesInUse,
    #[error("the code belongs to a reason of the kind {0}")]
    OtherKind(ReasonKind),
    #[error("a unit stays in its city: retire it and add another")]
    OtherCity,
    #[error("its unit is retired: name another")]
    UnitRetired,
    #[error("knowledge in use is the unit's: give it to another first")]
    KnowledgeInUse,
}

impl Conflict {
    /// What programs call it.
    pub const fn name(self) -> &'static str {
        match self {
            Conflict::GroupRetired => "group_retired",
            Conflict::ClassesInUse => "classes_in_use",
            Conflict::OtherKind(_) => "other_kind",
            Conflict::OtherCity => "other_city",
            Conflict::UnitRetired => "unit_retired",
            Conflict::KnowledgeInUse => "knowledge_in_use",
        }
    }

    /// The member of the entry that it stands against.
    pub const fn field(self) -> &'static str {
        match self {
            Conflict::GroupRetired | Conflict::ClassesInUse | Conflict::KnowledgeInUse => "active",
            Conflict::OtherKind(_) => "code",
            Conflict::OtherCity => "city",
            Conflict::UnitRetired => "unit",
        }
    }
}

/// An entry's fields as the audit names them.
type Fields = Vec<(&'static str, Option<String>)>;

/// Changes of the catalogue come one after the other, so that what one has checked still holds when it is kept.
async fn hold(transaction: &mut Transaction) -> Result<(), StoreError> {
    const SQL: &str = "insert into meta (name, value) values ('catalogue', '1') \
         on conflict (name) do update set value = meta.value";
    on!(transaction, transaction => sqlx::query(SQL).execute(&mut **transaction).await.map(drop))?;
    Ok(())
}

/// What keeping `is` in the place of `was` does.
fn kept(was: Option<&Fields>, is: &Fields) -> Kept {
    match was {
        None => Kept::Added,
        Some(was) if was == is => Kept::Unchanged,
        Some(_) => Kept::Changed,
    }
}

async fn write_down(
    transaction: &mut Transaction,
    subject: &str,
    was: Option<Fields>,
    is: Fields,
    by: &By,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let action = if was.is_some() { Action::Changed } else { Action::Added };
    let before = was.unwrap_or_else(|| is.iter().map(|(field, _)| (*field, None)).collect());
    let changes: Vec<Change> = before
        .into_iter()
        .zip(is)
        .filter(|(was, is)| was.1 != is.1)
        .map(|((field, was), (_, is))| Change { field, was, is })
        .collect();
    let act =
        Act { changes: &changes, address: by.address.as_deref(), ..Act::new(subject, micros(now), by.actor, action) };
    audit::append(transaction, &act).await
}

fn shown(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn listed<T: ToString>(values: &[T], between: &str) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(between)
}
