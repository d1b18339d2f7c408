//! The recordings of a ticket as other pages play them, and what their calls tell.

use super::ladder::{Story, story};
use super::player::Player;
use crate::access::Right;
use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::store::StoreError;
use crate::ticket::{CallId, Ticket};

/// What this person may hear and see of a ticket's calls.
#[derive(Default)]
pub struct Heard {
    pub players: Vec<Player>,
    /// One a call, for who reads calls.
    pub stories: Vec<Story>,
}

impl Heard {
    /// Nothing where the requester is hidden from this person.
    pub async fn of(shared: &Shared, frame: &Frame, ticket: &Ticket) -> Result<Heard, Problem> {
        let caller = &frame.asking.caller;
        let mut heard = Heard::default();
        if caller.sees_requester(ticket).is_err() || !caller.has(Right::Listen) {
            return Ok(heard);
        }
        let mut told: Vec<CallId> = Vec::new();
        for recording in shared.store.recordings_of_ticket(ticket).await.map_err(failed)? {
            let call = shared.store.call(recording.call).await.map_err(failed)?;
            let events = shared.store.call_events(recording.call).await.map_err(failed)?;
            let story = story(&events, caller.named);
            let began = call.map_or(recording.started_at, |call| call.started_at);
            let title = frame.name("recording_kind", recording.kind);
            heard.players.push(Player::new(&recording, Some(ticket), Some((&story, began)), caller, title));
            if caller.has(Right::ReadCalls) && !told.contains(&recording.call) {
                told.push(recording.call);
                heard.stories.push(story);
            }
        }
        Ok(heard)
    }
}

fn failed(error: StoreError) -> Problem {
    Problem::internal("recordings", &error)
}
