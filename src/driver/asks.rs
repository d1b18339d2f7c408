//! The flow's questions, put to the store.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::consult::{self, Unspoken};
use crate::clock::beijing_day;
use crate::ivr::{Reply, Request, Stage, Status};
use crate::phone::Phone;
use crate::prompt::Prompts;
use crate::store::{self, Progress, Store, StoreError, Urged, Verification};
use crate::ticket::{Number, State};

/// A caller waits for the reply: longer than this counts as no reply.
const LIMIT: Duration = Duration::from_secs(3);

/// What a question of the flow is put to.
pub struct Asked {
    pub store: Store,
    /// What the line can say.
    pub prompts: Arc<Prompts>,
    pub unspoken: Arc<Unspoken>,
}

/// What the store says to a question of the flow; `None` for a request that wants no reply. `Submit`,
/// `Said` and `DirectAnswer` belong to the call's keeper and are not for here.
pub async fn answer(asked: &Asked, request: Request, now: DateTime<Utc>) -> Option<Reply> {
    let wanted = !matches!(request, Request::RememberLanguage { .. });
    let reply = match timeout(LIMIT, ask(asked, request, now)).await {
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

async fn ask(asked: &Asked, request: Request, now: DateTime<Utc>) -> Result<Reply, StoreError> {
    let store = &asked.store;
    Ok(match request {
        Request::Latest { phone } => {
            store.latest_ticket(&phone).await?.map_or(Reply::NotFound, |status| Reply::Found(told(&status, now)))
        }
        Request::Lookup { number, caller } => looked_up(store.status_for(caller.as_ref(), number, now).await?, now),
        Request::Verify { number, last_four, caller } => {
            verified(store, caller.as_ref(), number, &last_four, now).await?
        }
        Request::Urge { number } => urged(store.urge(number, now).await?),
        Request::Consult { city } => {
            let entries = store.knowledge(Some(city)).await?;
            let entries = entries.iter().map(|placed| &placed.entry);
            Reply::Topics(consult::topics(entries, city, &asked.prompts, &asked.unspoken))
        }
        Request::RememberLanguage { phone, language } => {
            store.remember_language(&phone, language, now).await?;
            Reply::Failed
        }
        Request::Submit(_) | Request::Said(_) | Request::DirectAnswer { .. } => Reply::Failed,
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
        Verification::Verified(status) => Reply::Found(told(&status, now)),
        Verification::Wrong { .. } => Reply::Mismatch,
        Verification::Locked { .. } => Reply::Locked,
    })
}

/// A ticket that may not be read out is as good as none: not even its existence is told.
fn looked_up(progress: Progress, now: DateTime<Utc>) -> Reply {
    match progress {
        Progress::Readable(status) => Reply::Found(told(&status, now)),
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

/// A day is promised while the ticket is worked on and the day has not passed.
fn told(status: &store::Status, now: DateTime<Utc>) -> Status {
    let due = status.due_day.filter(|day| status.state.is_timed() && *day >= beijing_day(now));
    let stage = match status.state {
        State::InProgress if status.round > 1 => Stage::Redo,
        State::InProgress if status.extended => Stage::Extended,
        state => state.into(),
    };
    Status { number: status.number, stage, due }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::ticket::Requester;

    fn status(state: State) -> store::Status {
        let now = now();
        store::Status {
            number: "126112200012".parse().expect("a number"),
            state,
            requester: Requester::Citizen,
            language: Language::Bo,
            created_at: now,
            created_day: beijing_day(now),
            due_day: "2026-11-27".parse().ok(),
            round: 1,
            extended: false,
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-27T15:59:59Z".parse().expect("a time")
    }

    #[test]
    fn a_day_is_promised_while_the_ticket_is_worked_on() {
        let due = |state| told(&status(state), now()).due.is_some();
        let promised: Vec<State> = State::ALL.iter().copied().filter(|state| due(*state)).collect();
        let worked_on =
            [State::Received, State::Dispatched, State::InProgress, State::ReturnUnderReview, State::UnderReview];
        assert_eq!(promised, worked_on);
    }

    #[test]
    fn a_day_that_has_passed_is_no_promise() {
        let late = now() + chrono::TimeDelta::seconds(1);
        assert_eq!(told(&status(State::InProgress), late).due, None);
    }

    #[test]
    fn what_is_extended_or_handled_again_is_told_so_while_it_is_handled() {
        let extended = |state| store::Status { extended: true, ..status(state) };
        assert_eq!(told(&extended(State::InProgress), now()).stage, Stage::Extended);
        assert_eq!(told(&extended(State::Archived), now()).stage, Stage::Closed);
        let redone = store::Status { round: 2, ..extended(State::InProgress) };
        assert_eq!(told(&redone, now()).stage, Stage::Redo);
    }
}
