//! Who acted, for a person to read.

use crate::store::ActorNames;
use crate::ticket::Actor;

/// `account ID 卓玛 (dolma.t)`; the actor alone where there is no name.
pub(super) fn named(actor: Actor, names: &ActorNames) -> String {
    let Some(of) = names.get(&actor) else { return actor.to_string() };
    match &of.account {
        Some(account) => format!("{actor} {} ({account})", of.name),
        None => format!("{actor} {}", of.name),
    }
}
