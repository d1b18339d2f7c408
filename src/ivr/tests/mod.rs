//! The inbound flow, rule by rule (domain: the call).

mod caller;
mod properties;
mod refusals;
mod rules;
mod walks;

use super::Flow;

const INBOUND: &str = include_str!("../../../prompts/flows/inbound.toml");

pub(super) fn inbound() -> Flow {
    Flow::parse(INBOUND, "prompts/flows/inbound.toml").unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}
