//! What a flow must not do: leave a caller in a dead end, or in a loop that nothing stops.

use super::flow::{By, Flow, Node, NodeIndex, Problems, Work};

/// Adds a problem for each node that can't be reached, from which no end can be reached, that is on a loop without a
/// key or a limit, or that leads a caller who hung up to a place that wants a caller.
pub(super) fn check(flow: &Flow, problems: &mut Problems<'_>) {
    let reached = forwards(flow, flow.start, |_| true);
    let ending = ends(flow);
    for (index, node) in flow.nodes.iter().enumerate() {
        let name = &node.name;
        if !reached[index] {
            problems.add(node.at, format!("`{name}` can't be reached"));
        }
        if !ending[index] {
            problems.add(node.at, format!("`{name}` leads to no end"));
        }
        if loops(flow, index) {
            problems.add(node.at, format!("`{name}` is on a loop that no key and no limit stops"));
        }
        if node.waits() && !takes_the_gone(&flow.nodes[node.hangup]) {
            let target = &flow.nodes[node.hangup].name;
            problems.add(node.at, format!("`{name}` leads a caller who hung up to `{target}`, which wants a caller"));
        }
    }
}

/// The nodes that can be reached by edges of that kind.
fn forwards(flow: &Flow, from: NodeIndex, along: impl Fn(By) -> bool) -> Vec<bool> {
    let mut reached = vec![false; flow.nodes.len()];
    let mut open = vec![from];
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut reached[index], true) {
            open.extend(flow.nodes[index].edges().into_iter().filter(|(_, by)| along(*by)).map(|(to, _)| to));
        }
    }
    reached
}

/// The nodes from which an end can be reached without hanging up.
fn ends(flow: &Flow) -> Vec<bool> {
    let mut ending: Vec<bool> = flow.nodes.iter().map(|node| matches!(node.work, Work::End { .. })).collect();
    loop {
        let before = ending.clone();
        for (index, node) in flow.nodes.iter().enumerate() {
            ending[index] |= node.edges().into_iter().any(|(to, by)| by != By::HangUp && ending[to]);
        }
        if ending == before {
            return ending;
        }
    }
}

/// Does the flow come back to this node on its own, for ever?
fn loops(flow: &Flow, index: NodeIndex) -> bool {
    let by_itself = |by| by == By::Itself;
    let next = flow.nodes[index].edges().into_iter().filter(|(_, by)| by_itself(*by));
    next.into_iter().any(|(to, _)| forwards(flow, to, by_itself)[index])
}

fn takes_the_gone(node: &Node) -> bool {
    matches!(node.work, Work::Ask(_) | Work::End { .. })
}
