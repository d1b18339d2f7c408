//! `/recordings/{id}`: one recording with its player, and what its call tells.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::ladder::{Story, story};
use super::player::Player;
use crate::access::Right;
use crate::console::Shared;
use crate::console::holds::keep;
use crate::console::pages::{Frame, Sent, done, render};
use crate::console::problem::{Kind, Problem};
use crate::console::recordings::{FoundOut, heard};
use crate::console::segment::Segment;
use crate::store::{LegalHold, StoreError};
use crate::ticket::Number;

#[derive(Template)]
#[template(path = "listening/recording.html")]
struct RecordingPage {
    frame: Frame,
    one: FoundOut,
    player: Player,
    story: Story,
    hold: Option<Shown>,
}

/// What a page tells of the hold that keeps a recording.
enum Shown {
    Whole(LegalHold),
    /// Only that there is one: it is that of a ticket whose requester is not for whoever looks.
    Bare,
}

impl RecordingPage {
    fn held(&self) -> Option<String> {
        let Shown::Whole(hold) = self.hold.as_ref()? else {
            return Some(self.frame.t("listening.held_with_another").to_owned());
        };
        let since = self.frame.time(hold.at);
        if self.one.belongs_to == Some(hold.ticket) {
            return Some(self.frame.fill("listening.held_since", &[&since, &hold.reason]));
        }
        Some(self.frame.fill("listening.held_with", &[&hold.ticket, &since, &hold.reason]))
    }

    /// Whether there is a hold to place, or one to lift that is shown.
    fn may_change(&self) -> bool {
        let bare = matches!(self.hold, Some(Shown::Bare));
        self.frame.may(Right::Hold) && self.one.belongs_to.is_some() && !bare
    }
}

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Segment(id): Segment) -> Result<Response, Problem> {
    let heard = heard(&shared, &frame.asking, &id).await?;
    let failed = |error: StoreError| Problem::internal("recording", &error);
    let call = shared.store.call(heard.recording.call).await.map_err(failed)?;
    let events = shared.store.call_events(heard.recording.call).await.map_err(failed)?;
    let hold = match heard.recording.owner {
        Some(ticket) => shown(&shared, &frame, ticket).await.map_err(failed)?,
        None => None,
    };
    let story = story(&events, frame.asking.caller.named);
    let began = call.map_or(heard.recording.started_at, |call| call.started_at);
    let title = frame.name("recording_kind", heard.recording.kind);
    let caller = &frame.asking.caller;
    let player = Player::new(&heard.recording, heard.ticket.as_ref(), Some((&story, began)), caller, title);
    let one = FoundOut::new(heard.recording, &frame.asking);
    render(&RecordingPage { frame, one, player, story, hold })
}

/// The hold that keeps the recordings of a ticket, as far as whoever looks may know of it.
async fn shown(shared: &Shared, frame: &Frame, ticket: Number) -> Result<Option<Shown>, StoreError> {
    let Some(hold) = shared.store.legal_hold(ticket).await? else { return Ok(None) };
    let caller = &frame.asking.caller;
    let of = shared.store.ticket_alone(hold.ticket).await?;
    let is_known = of.is_some_and(|of| caller.sees(&of) && caller.sees_requester(&of).is_ok());
    Ok(Some(if is_known { Shown::Whole(hold) } else { Shown::Bare }))
}

/// Keeps the recordings of this one's ticket beyond their time, or lets them go: by the hold that the page shows, which may be
/// that of a ticket it is merged with.
pub async fn hold(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let heard = heard(&shared, &frame.asking, &id).await?;
    let none = || Problem::new(Kind::NotFound, "This recording belongs to no ticket.");
    let ticket = heard.recording.owner.ok_or_else(none)?;
    let held = fields.text("what") != Some("release");
    let hold = shared.store.legal_hold(ticket).await.map_err(|error| Problem::internal("hold", &error))?;
    let ticket = hold.filter(|_| !held).map_or(ticket, |hold| hold.ticket);
    keep(&shared, &frame.asking, ticket, &fields.needed("reason")?, held).await?;
    done(&format!("/recordings/{}", heard.recording.id), if held { "held" } else { "released" })
}
