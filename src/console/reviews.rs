//! `/api/v1/reviews`: how well requests are handled (质检).

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::body::Body;
use super::guard::forbidden;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::{Parameters, bad};
use super::segment::Segment;
use crate::access::{Caller, Denied, Right};
use crate::city::City;
use crate::clock::beijing_day;
use crate::store::{NewScore, NotReviewed, Review, ReviewFile, ReviewFilter, Score, StoreError};
use crate::ticket::catalogue::UnitCode;
use crate::ticket::quality::{self, BadForm, Fatal, Form, Points, ReviewState, Why, week_of};
use crate::ticket::{AccountId, Actor, Number, ReviewId, Text};

pub const KEYS: &[&str] = &["city", "week", "review_state", "limit", "cursor"];
pub const AGREEMENT_KEYS: &[&str] = &["city", "from_week", "to_week"];

/// What is written beside a score.
pub type Words = Text<2_000>;

/// A ticket that is looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub struct ReviewOut {
    pub id: ReviewId,
    pub ticket: Number,
    pub city: City,
    /// Its Monday.
    pub week: NaiveDate,
    pub why: Why,
    /// The account whose work it is; null when nobody of the hotline touched the ticket.
    #[schema(value_type = Option<String>)]
    pub person: Option<AccountId>,
    /// That led when it was drawn.
    #[schema(value_type = Option<String>)]
    pub unit: Option<UnitCode>,
    pub state: ReviewState,
    pub scored_at: Option<DateTime<Utc>>,
    /// What counts, 0 to 100; null before that, and for whoever may still give a second score.
    pub total: Option<u8>,
}

impl ReviewOut {
    pub fn new(review: Review, caller: &Caller) -> ReviewOut {
        let hidden = may_still_score(&review, caller);
        ReviewOut {
            id: review.id,
            ticket: review.ticket,
            city: review.city,
            week: review.week,
            why: review.why,
            person: review.person,
            unit: review.unit,
            state: review.state,
            scored_at: review.scored_at,
            total: review.total.filter(|_| !hidden),
        }
    }
}

/// A form that somebody filled in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReviewScore)]
pub struct ScoreOut {
    /// 1 or 2.
    pub place: u8,
    pub scorer: Actor,
    pub at: DateTime<Utc>,
    #[schema(value_type = Vec<ItemPoints>)]
    pub points: Vec<Points>,
    pub fatal: Vec<Fatal>,
    pub total: u8,
    pub note: String,
}

impl From<Score> for ScoreOut {
    fn from(score: Score) -> ScoreOut {
        let Score { place, scorer, at, points, fatal, total, note } = score;
        ScoreOut { place, scorer, at, points, fatal, total, note }
    }
}

/// What somebody wrote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReviewWords)]
pub struct SaidOut {
    pub text: String,
    pub actor: Actor,
    pub at: DateTime<Utc>,
}

/// A review with all that was said in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReviewFile)]
pub struct FileOut {
    #[serde(flatten)]
    pub review: ReviewOut,
    /// The first one first; none for whoever may still give the second.
    pub scores: Vec<ScoreOut>,
    pub appeal: Option<SaidOut>,
    pub decision: Option<SaidOut>,
    pub upheld: Option<bool>,
}

impl FileOut {
    pub fn new(file: ReviewFile, caller: &Caller) -> FileOut {
        let said = |said: Option<crate::store::Said>| {
            said.map(|said| SaidOut { text: said.text, actor: said.actor, at: said.at })
        };
        let ReviewFile { review, scores } = file;
        // a second score is worth nothing when its giver has seen the first
        let blind = scores.len() == 1
            && may_still_score(&review, caller)
            && scores.first().is_some_and(|score| score.scorer != caller.actor);
        FileOut {
            scores: if blind { Vec::new() } else { scores.into_iter().map(ScoreOut::from).collect() },
            appeal: said(review.appeal.clone()),
            decision: said(review.decision.clone()),
            upheld: review.upheld,
            review: ReviewOut::new(review, caller),
        }
    }
}

/// Whether this caller could be the second who scores it: then the first score is not shown in lists.
fn may_still_score(review: &Review, caller: &Caller) -> bool {
    let own = caller.actor.to_string() == review.person.map_or(String::new(), |person| format!("account {person}"));
    caller.has(Right::Score) && !own && matches!(review.state, ReviewState::Scored | ReviewState::Appealed)
}

/// A line of the form.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemPoints {
    pub item: quality::Item,
    pub points: u8,
}

/// A form as it is filled in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReviewScore)]
pub struct ScoreIn {
    /// Every line once: greeting 15, listening 15, completeness 25, classification 20, answer 15, ending 10 at most.
    #[schema(value_type = Vec<ItemPoints>)]
    points: Vec<Points>,
    /// Any of these and the score is 0.
    #[serde(default)]
    fatal: Vec<Fatal>,
    /// What whoever is scored is told.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    note: Option<Words>,
}

/// Why the score is wrong.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewAppeal)]
pub struct AppealIn {
    #[schema(value_type = String)]
    text: Words,
}

/// What is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewDecision)]
pub struct DecisionIn {
    upheld: bool,
    #[schema(value_type = String)]
    text: Words,
}

/// How far first and second scores agree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agreement)]
pub struct AgreementOut {
    pub from_week: NaiveDate,
    pub to_week: NaiveDate,
    /// Reviews that two people scored.
    pub pairs: u32,
    /// The mean of how far the totals are apart, in points.
    pub mean_difference: Option<f64>,
    /// The share of pairs that both passed or both failed.
    pub same_verdict: Option<f64>,
    /// Cohen's kappa of passed and failed; null when all verdicts are the same.
    pub kappa: Option<f64>,
}

/// Reviews by week, newest first: whoever scores sees those of their cities, a unit those of its tickets, everybody else those of
/// their own work.
#[utoipa::path(
    get,
    path = "/api/v1/reviews",
    operation_id = "list_reviews",
    tag = "quality",
    responses((status = 200, body = Page<ReviewOut>))
)]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<ReviewOut>>, Problem> {
    let filter = filter(&query, &asking.caller)?;
    let found = shared.store.reviews(&filter, query.limit()?, query.cursor()?.as_ref()).await;
    let page = found.map_err(failed)?;
    Ok(Json(Page::of(page, |review| ReviewOut::new(review, &asking.caller))))
}

/// One review with its scores, the appeal, and what was decided.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/{id}",
    operation_id = "read_review",
    tag = "quality",
    params(("id" = String, Path, description = "The id of the review.")),
    responses((status = 200, body = FileOut))
)]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
) -> Result<Json<FileOut>, Problem> {
    let file = seen(&shared, &asking, &id).await?;
    Ok(Json(FileOut::new(file, &asking.caller)))
}

/// Gives the first score, or after it, as another person, the second.
#[utoipa::path(
    post,
    path = "/api/v1/reviews/{id}/scores",
    operation_id = "score_review",
    tag = "quality",
    params(("id" = String, Path, description = "The id of the review.")),
    request_body = ScoreIn,
    responses((status = 200, body = FileOut))
)]
pub async fn score(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
    Body(ScoreIn { points, fatal, note }): Body<ScoreIn>,
) -> Result<Json<FileOut>, Problem> {
    let note = note.map(String::from).unwrap_or_default();
    let file = give_score(&shared, &asking, &id, points, fatal, note).await?;
    Ok(Json(FileOut::new(file, &asking.caller)))
}

/// Appeals against a score: whoever is scored may, and the unit whose ticket it is.
#[utoipa::path(
    post,
    path = "/api/v1/reviews/{id}/appeal",
    operation_id = "appeal_review",
    tag = "quality",
    params(("id" = String, Path, description = "The id of the review.")),
    request_body = AppealIn,
    responses((status = 200, body = FileOut))
)]
pub async fn appeal(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
    Body(AppealIn { text }): Body<AppealIn>,
) -> Result<Json<FileOut>, Problem> {
    let file = give_appeal(&shared, &asking, &id, &text).await?;
    Ok(Json(FileOut::new(file, &asking.caller)))
}

/// Decides upon an appeal. Whoever gave the first score does not; upholding it takes a second score, which then counts.
#[utoipa::path(
    post,
    path = "/api/v1/reviews/{id}/decision",
    operation_id = "decide_review",
    tag = "quality",
    params(("id" = String, Path, description = "The id of the review.")),
    request_body = DecisionIn,
    responses((status = 200, body = FileOut))
)]
pub async fn decide(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Segment(id): Segment,
    Body(DecisionIn { upheld, text }): Body<DecisionIn>,
) -> Result<Json<FileOut>, Problem> {
    let file = give_decision(&shared, &asking, &id, upheld, &text).await?;
    Ok(Json(FileOut::new(file, &asking.caller)))
}

/// How far those who score agree, over the last twelve weeks unless others are asked for.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/agreement",
    operation_id = "read_agreement",
    tag = "quality",
    responses((status = 200, body = AgreementOut))
)]
pub async fn agreement(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<AgreementOut>, Problem> {
    agreed(&shared, &asking, &query).await.map(Json)
}

/// As [`agreement`], for pages too.
///
/// # Errors
/// A week that can't be read.
pub async fn agreed(shared: &Shared, asking: &Asking, query: &Parameters) -> Result<AgreementOut, Problem> {
    let this = week_of(beijing_day(shared.clock.wall()));
    let to_week = query.value::<NaiveDate>("to_week")?.map_or(this, week_of);
    let from_week = query.value::<NaiveDate>("from_week")?.map_or(to_week - chrono::Days::new(12 * 7), week_of);
    if from_week > to_week {
        return Err(bad("to_week", "`to_week` has to be as late as `from_week`, or later."));
    }
    let cities = asking.caller.cities.among(query.value("city")?.map(|city| vec![city]));
    let found = shared.store.agreement(cities.as_deref(), from_week, to_week).await.map_err(failed)?;
    Ok(AgreementOut {
        from_week,
        to_week,
        pairs: found.map_or(0, |found| found.pairs),
        mean_difference: found.map(|found| found.mean_difference),
        same_verdict: found.map(|found| found.same_verdict),
        kappa: found.and_then(|found| found.kappa),
    })
}

/// What is asked for, of what this caller may see.
///
/// # Errors
/// A value that can't be read.
pub fn filter(query: &Parameters, caller: &Caller) -> Result<ReviewFilter, Problem> {
    let all = caller.has(Right::Score) || caller.has(Right::ReadAudit);
    let person = match caller.actor {
        Actor::Account(person) if !all && caller.unit.is_none() => Some(person),
        _ => None,
    };
    Ok(ReviewFilter {
        cities: caller.cities.among(query.value("city")?.map(|city| vec![city])),
        person,
        unit: caller.unit.clone(),
        week: query.value::<NaiveDate>("week")?.map(week_of),
        state: query.value("review_state")?,
    })
}

/// The review of this id, if it is there for this caller.
///
/// # Errors
/// It is not.
pub async fn seen(shared: &Shared, asking: &Asking, id: &str) -> Result<ReviewFile, Problem> {
    let missing = || Problem::new(Kind::NotFound, "No review has this id.");
    let id: ReviewId = id.parse().map_err(|_| missing())?;
    let file = shared.store.review(id).await.map_err(failed)?.ok_or_else(missing)?;
    let (caller, review) = (&asking.caller, &file.review);
    let theirs = match &caller.unit {
        Some(unit) => review.unit.as_ref() == Some(unit),
        None => caller.has(Right::Score) || caller.has(Right::ReadAudit) || is_of(review, caller),
    };
    if theirs && caller.cities.contains(review.city) { Ok(file) } else { Err(missing()) }
}

fn is_of(review: &Review, caller: &Caller) -> bool {
    review.person.is_some_and(|person| caller.actor == Actor::Account(person))
}

/// Whether this caller may appeal against it.
pub fn may_appeal(review: &Review, caller: &Caller) -> bool {
    is_of(review, caller) || (caller.unit.is_some() && caller.unit == review.unit)
}

pub async fn give_score(
    shared: &Shared,
    asking: &Asking,
    id: &str,
    points: Vec<Points>,
    fatal: Vec<Fatal>,
    note: String,
) -> Result<ReviewFile, Problem> {
    let review = seen(shared, asking, id).await?.review;
    let ticket = shared.store.ticket_alone(review.ticket).await.map_err(failed)?;
    if let Some(ticket) = &ticket {
        // who may not hear a requester can't say how they were heard
        asking.sees_requester(ticket)?;
    }
    let wrong = |wrong: BadForm| Problem::new(Kind::BadBody, format!("The form: {wrong}.")).parameter("points");
    let new = NewScore { form: Form::new(points, fatal).map_err(wrong)?, note };
    let scored = shared.store.score_review(review.id, &new, &asking.by(), shared.clock.wall()).await;
    scored.map_err(not_reviewed)
}

pub async fn give_appeal(shared: &Shared, asking: &Asking, id: &str, words: &Words) -> Result<ReviewFile, Problem> {
    let review = seen(shared, asking, id).await?.review;
    if !may_appeal(&review, &asking.caller) {
        return Err(forbidden(&Denied::OtherUnit));
    }
    let words = in_words(words)?;
    let appealed = shared.store.appeal_review(review.id, words, &asking.by(), shared.clock.wall()).await;
    appealed.map_err(not_reviewed)
}

pub async fn give_decision(
    shared: &Shared,
    asking: &Asking,
    id: &str,
    upheld: bool,
    words: &Words,
) -> Result<ReviewFile, Problem> {
    let review = seen(shared, asking, id).await?.review;
    let words = in_words(words)?;
    let decided = shared.store.decide_review(review.id, upheld, words, &asking.by(), shared.clock.wall()).await;
    decided.map_err(not_reviewed)
}

fn in_words(words: &Words) -> Result<&str, Problem> {
    match words.as_str().trim() {
        words if words.chars().count() >= 2 => Ok(words),
        _ => Err(Problem::new(Kind::BadBody, "Say why, in two characters or more.").parameter("text")),
    }
}

fn not_reviewed(error: NotReviewed) -> Problem {
    match error {
        NotReviewed::Unknown => Problem::new(Kind::NotFound, "No review has this id."),
        NotReviewed::Store(error) => failed(error),
        refused => {
            let mut words = refused.to_string();
            words[..1].make_ascii_uppercase();
            Problem::new(Kind::Refused, words + ".").refused(refused.name())
        }
    }
}

fn failed(error: StoreError) -> Problem {
    Problem::internal("review", &error)
}
