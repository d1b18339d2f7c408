//! The flow's questions, put to the store.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use crate::ivr::{Reply, Request, Status};
use crate::phone::Phone;
use crate::store::{self, Progress, Store, StoreError, Urged, Verification};
use crate::ticket::Number;

/// A caller waits for the reply: longer than this counts as no reply.
const LIMIT: Duration = Duration::from_secs(3);

/// What the store says to a question of the flow; `None` for a request that wants no reply. `Submit` and
/// `DirectAnswer` belong to the call's keeper and are not for here.
pub async fn answer(store: &Store, request: Request, now: DateTime<Utc>) -> Option<Reply> {
    let wanted = !matches!(request, Request::RememberLanguage { .. });
    let reply = match timeout(LIMIT, ask(store, request, now)).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store could not answer a caller");
            Reply::Failed
        }
        Err(_) => {
            tracing::warn!(limit_ms = LIMIT.as_millis(), "the store took too long to answer a caller");
            Reply::Failed
        }
    };
    wanted.then_some(reply)
}

async fn ask(store: &Store, request: Request, now: DateTime<Utc>) -> Result<Reply, StoreError> {
    Ok(match request {
        Request::Latest { phone } => {
            store.latest_ticket(&phone).await?.map_or(Reply::NotFound, |status| Reply::Found(told(&status)))
        }
        Request::Lookup { number, caller } => looked_up(store.status_for(caller.as_ref(), number, now).await?),
        Request::Verify { number, last_four, caller } => {
            verified(store, caller.as_ref(), number, &last_four, now).await?
        }
        Request::Urge { number } => urged(store.urge(number, now).await?),
        Request::RememberLanguage { phone, language } => {
            store.remember_language(&phone, language, now).await?;
            Reply::Failed
        }
        Request::Submit(_) | Request::DirectAnswer { .. } => Reply::Failed,
    })
}

async fn verified(
    store: &Store,
    caller: Option<&Phone>,
    number: Number,
    last_four: &str,
    now: DateTime<Utc>,
) -> Result<Reply, StoreError> {
    Ok(match store.verify(caller, number, last_four, now).await? {
        Verification::Verified(status) => Reply::Found(told(&status)),
        Verification::Wrong { .. } => Reply::Mismatch,
        Verification::Locked { .. } => Reply::Locked,
    })
}

/// A ticket that may not be read out is as good as none: not even its existence is told.
fn looked_up(progress: Progress) -> Reply {
    match progress {
        Progress::Readable(status) => Reply::Found(told(&status)),
        Progress::LastFourNeeded => Reply::VerifyPhone,
        Progress::NotReadOut | Progress::Unknown => Reply::NotFound,
        Progress::Locked { .. } => Reply::Locked,
    }
}

fn urged(urged: Urged) -> Reply {
    match urged {
        Urged::Done => Reply::Urged,
        Urged::AlreadyToday => Reply::AlreadyUrged,
        Urged::AtItsEnd | Urged::Unknown => Reply::Failed,
    }
}

fn told(status: &store::Status) -> Status {
    Status { number: status.number, stage: status.state.into(), due: None }
}
