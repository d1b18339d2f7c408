//! Lists that somebody keeps under a name.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::address::Query;
use super::{failed, not_found};
use crate::console::Shared;
use crate::console::pages::{Frame, Sent, done};
use crate::console::problem::{Kind, Problem};
use crate::console::tickets;
use crate::store::{NotSaved, SavedView};
use crate::ticket::{Line, ViewId};

const PATH: &str = "/tickets";

pub struct View {
    pub id: String,
    pub name: String,
    pub href: String,
}

/// A number that somebody looked for is nobody's to keep.
fn kept() -> Vec<&'static str> {
    tickets::KEYS.iter().copied().filter(|key| *key != "phone").collect()
}

/// The views of whoever looks.
pub async fn views(shared: &Shared, frame: &Frame) -> Result<Vec<View>, Problem> {
    let kept = shared.store.saved_views(frame.visitor.account.id, PATH).await.map_err(failed)?;
    let view = |view: SavedView| View {
        id: view.id.to_string(),
        name: view.name.to_string(),
        href: Query::read(&view.query, tickets::KEYS).at(PATH),
    };
    Ok(kept.into_iter().map(view).collect())
}

/// Keeps the list under a name.
pub async fn save(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let name: Line = fields.needed("name")?;
    let query = Query::read(fields.text("query").unwrap_or_default(), &kept());
    let now = shared.clock.wall();
    let view = SavedView {
        id: ViewId::new(now, shared.request_ids.random()),
        account: frame.visitor.account.id,
        name,
        path: PATH.to_owned(),
        query: query.text(),
        created_at: now,
    };
    match shared.store.save_view(&view).await {
        Ok(()) => done(&query.at(PATH), "view_saved"),
        Err(NotSaved::TooMany) => {
            let detail = "An account keeps 50 views at most: take one away first.";
            Err(Problem::new(Kind::Refused, detail).refused("too_many_views"))
        }
        Err(NotSaved::Store(error)) => Err(failed(error)),
    }
}

/// Takes a view away.
pub async fn remove(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let id: ViewId = fields.needed("view")?;
    let gone = shared.store.remove_view(frame.visitor.account.id, id).await.map_err(failed)?;
    if gone { done(PATH, "view_removed") } else { Err(not_found()) }
}
