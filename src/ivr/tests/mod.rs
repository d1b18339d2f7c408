//! The inbound flow, rule by rule (domain: the call).

mod caller;
mod properties;
mod refusals;
mod rules;
mod visits;
mod walks;

use std::sync::Arc;

use super::{Flow, Topic};

const INBOUND: &str = include_str!("../../../prompts/flows/inbound.toml");
const VISIT: &str = include_str!("../../../prompts/flows/visit.toml");

/// What a consult menu offers without a store.
pub(super) fn topics() -> Arc<[Topic]> {
    let topic = |name: &str| Topic {
        id: format!("about-{name}").into(),
        choice: format!("kb.{name}").into(),
        answer: format!("kbans.{name}").into(),
    };
    ["social", "id", "home", "traffic", "tour", "work"].map(topic).into()
}

pub(super) fn inbound() -> Flow {
    flow(INBOUND, "prompts/flows/inbound.toml")
}

pub(super) fn visit() -> Flow {
    flow(VISIT, "prompts/flows/visit.toml")
}

fn flow(text: &str, name: &str) -> Flow {
    Flow::parse(text, name).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}
