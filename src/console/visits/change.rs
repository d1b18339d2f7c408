//! What people do about one visit: make it themselves, or leave it to a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::out::VisitFile;
use super::{file, reason, seen};
use crate::console::Shared;
use crate::console::asking::{Asking, no_ticket};
use crate::console::body::Body;
use crate::console::guard::forbidden;
use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segment;
use crate::store::{NotDone, NotSkipped, Order};
use crate::ticket::{Answers, Command, Contacted, Line, Means, NoVisit, Number, Satisfaction, Solved};

/// Why it is skipped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisitSkip)]
pub struct SkipIn {
    /// 2 to 200 characters, for the audit.
    #[schema(value_type = String)]
    why: Line,
}

/// The three answers as a person heard them, or why there are none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisitAnswers)]
pub struct AnswersIn {
    #[schema(required = false)]
    contacted: Option<Contacted>,
    #[schema(required = false)]
    solved: Option<Solved>,
    /// 5 very satisfied to 1 very unsatisfied.
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 5, required = false)]
    satisfaction: Option<Satisfaction>,
    /// The requester wants it handled again; only with `solved` no or `satisfaction` 1 or 2.
    #[serde(default)]
    redo: bool,
    /// Instead of answers.
    #[schema(required = false)]
    none_because: Option<NoAnswers>,
}

/// Why a person's visit has no answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswers {
    Unreached,
    /// The requester wants no visit.
    Declined,
}

/// No more automatic attempts: a person makes the visit. A call that goes on is not cut off, and its answers count.
#[utoipa::path(
    post,
    path = "/api/v1/visits/{number}/skip",
    operation_id = "skip_visit",
    tag = "visits",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body = SkipIn,
    responses((status = 200, body = VisitFile))
)]
pub async fn skip(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(SkipIn { why }): Body<SkipIn>,
) -> Result<Json<VisitFile>, Problem> {
    let ticket = seen(&shared, &asking, &text).await?;
    let skipped = shared.store.skip_visit(ticket.number, reason(&why)?, &asking.by(), shared.clock.wall()).await;
    skipped.map_err(|error| match error {
        NotSkipped::Unknown => no_ticket(),
        NotSkipped::NotDue => Problem::new(Kind::Refused, "No return visit of this ticket is due.").refused("not_due"),
        NotSkipped::PersonAlready => {
            Problem::new(Kind::Refused, "A person makes this visit already.").refused("person_already")
        }
        NotSkipped::Store(error) => Problem::internal("visit", &error),
    })?;
    file(&shared, &asking, &ticket).await.map(Json)
}

/// The answers of a visit that a person made, or that it came to nothing.
#[utoipa::path(
    post,
    path = "/api/v1/visits/{number}/answers",
    operation_id = "answer_visit",
    tag = "visits",
    params(("number" = Number, Path, description = "The number of the ticket.")),
    request_body = AnswersIn,
    responses((status = 200, body = VisitFile))
)]
pub async fn answers(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(text): Segment,
    Body(given): Body<AnswersIn>,
) -> Result<Json<VisitFile>, Problem> {
    let ticket = seen(&shared, &asking, &text).await?;
    let command = given.command()?;
    asking.caller.may_give(&command, &ticket).map_err(|denied| forbidden(&denied))?;
    let order = Order {
        number: ticket.number,
        version: None,
        command,
        actor: asking.caller.actor,
        side: asking.caller.side(),
        address: asking.address.clone(),
    };
    let done = shared.store.execute(&order, shared.clock.wall()).await;
    done.map_err(|error| match error {
        NotDone::Unknown => no_ticket(),
        NotDone::Changed(_) => Problem::new(Kind::Changed, "The ticket has changed since."),
        NotDone::Refused { why, .. } => {
            let mut words = why.to_string();
            words[..1].make_ascii_uppercase();
            Problem::new(Kind::Refused, words + ".").refused(why.name())
        }
        NotDone::Store(error) => Problem::internal("visit", &error),
    })?;
    file(&shared, &asking, &ticket).await.map(Json)
}

impl AnswersIn {
    /// The command that they are.
    pub fn command(self) -> Result<Command, Problem> {
        let AnswersIn { contacted, solved, satisfaction, redo, none_because } = self;
        let answered = contacted.is_some() || solved.is_some() || satisfaction.is_some() || redo;
        match none_because {
            Some(_) if answered => {
                let detail = "Either there are answers, or there is a reason why not.";
                Err(Problem::new(Kind::BadBody, detail).parameter("none_because"))
            }
            Some(NoAnswers::Unreached) => Ok(Command::EndVisit { because: NoVisit::Unreached }),
            Some(NoAnswers::Declined) => Ok(Command::EndVisit { because: NoVisit::Declined }),
            None => {
                let means = Means::Person;
                Ok(Command::Visited(Answers { means, contacted, solved, satisfaction, redo, recording: None }))
            }
        }
    }
}
