//! Tickets that are looked at for their quality (质检): drawn once a week and city, scored, appealed against, decided.

mod draw;
mod list;
mod score;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::row::{count, optional_text, text};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::ticket::catalogue::UnitCode;
use crate::ticket::quality::{Fatal, Points, ReviewState, Why};
use crate::ticket::{AccountId, Actor, Number, ReviewId};

pub use list::ReviewFilter;
pub use score::{NewScore, NotReviewed};

/// A ticket that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub id: ReviewId,
    pub ticket: Number,
    pub city: City,
    /// Its Monday.
    pub week: NaiveDate,
    pub why: Why,
    /// Whose work it is; `None` when nobody of the hotline touched it.
    pub person: Option<AccountId>,
    /// That led when it was drawn.
    pub unit: Option<UnitCode>,
    pub state: ReviewState,
    pub drawn_at: DateTime<Utc>,
    /// When the first score was given.
    pub scored_at: Option<DateTime<Utc>>,
    /// What counts, 0 to 100.
    pub total: Option<u8>,
    pub appeal: Option<Said>,
    pub decision: Option<Said>,
    /// What was decided.
    pub upheld: Option<bool>,
}

/// Words, whose they are, and when they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub actor: Actor,
    pub at: DateTime<Utc>,
}

/// A form that somebody filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// 1 or 2.
    pub place: u8,
    pub scorer: Actor,
    pub at: DateTime<Utc>,
    pub points: Vec<Points>,
    pub fatal: Vec<Fatal>,
    pub total: u8,
    pub note: String,
}

/// A review with its scores, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFile {
    pub review: Review,
    pub scores: Vec<Score>,
}

const SELECT: &str = "select id, ticket, city, week, why, person, unit, state, drawn_at, scored_at, total, appeal, appealed_by, \
     appealed_at, decision, decided_by, decided_at, upheld from review where true";

impl Store {
    /// One review with its scores.
    pub async fn review(&self, id: ReviewId) -> Result<Option<ReviewFile>, StoreError> {
        let row: Option<ReviewRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" and id = ").push_bind(id.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        const SCORES: &str = "select place, scorer, at, points, fatal, total, note from review_score where review = $1 \
             order by place";
        let scores: Vec<ScoreRow> =
            on!(&self.read, pool => sqlx::query_as(SCORES).bind(id.to_string()).fetch_all(pool).await)?;
        let scores = scores.into_iter().map(Score::try_from).collect::<Result<Vec<Score>, _>>()?;
        Ok(Some(ReviewFile { review: row.try_into()?, scores }))
    }
}

/// A week's first moment and the one after its last.
fn bounds(week: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let monday = week.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8);
    (monday, monday + TimeDelta::days(7))
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    id: String,
    ticket: String,
    city: String,
    week: NaiveDate,
    why: String,
    person: Option<String>,
    unit: Option<String>,
    state: String,
    drawn_at: DateTime<Utc>,
    scored_at: Option<DateTime<Utc>>,
    total: Option<i64>,
    appeal: Option<String>,
    appealed_by: Option<String>,
    appealed_at: Option<DateTime<Utc>>,
    decision: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    upheld: Option<bool>,
}

impl TryFrom<ReviewRow> for Review {
    type Error = StoreError;

    fn try_from(row: ReviewRow) -> Result<Review, StoreError> {
        Ok(Review {
            id: text("review.id", &row.id)?,
            ticket: text("review.ticket", &row.ticket)?,
            city: text("review.city", &row.city)?,
            week: row.week,
            why: text("review.why", &row.why)?,
            person: optional_text("review.person", row.person.as_deref())?,
            unit: optional_text("review.unit", row.unit.as_deref())?,
            state: text("review.state", &row.state)?,
            drawn_at: row.drawn_at,
            scored_at: row.scored_at,
            total: row.total.map(|total| count("review.total", total)).transpose()?,
            appeal: said(row.appeal, row.appealed_by, row.appealed_at)?,
            decision: said(row.decision, row.decided_by, row.decided_at)?,
            upheld: row.upheld,
        })
    }
}

fn said(words: Option<String>, actor: Option<String>, at: Option<DateTime<Utc>>) -> Result<Option<Said>, StoreError> {
    let (Some(words), Some(actor), Some(at)) = (words, actor, at) else { return Ok(None) };
    Ok(Some(Said { text: words, actor: text("review.actor", &actor)?, at }))
}

#[derive(sqlx::FromRow)]
struct ScoreRow {
    place: i64,
    scorer: String,
    at: DateTime<Utc>,
    points: String,
    fatal: String,
    total: i64,
    note: String,
}

impl TryFrom<ScoreRow> for Score {
    type Error = StoreError;

    fn try_from(row: ScoreRow) -> Result<Score, StoreError> {
        let points = serde_json::from_str(&row.points);
        let fatal = row.fatal.split_whitespace().map(|name| text("review_score.fatal", name));
        Ok(Score {
            place: count("review_score.place", row.place)?,
            scorer: text("review_score.scorer", &row.scorer)?,
            at: row.at,
            points: points.map_err(|_| StoreError::OutOfRange { column: "review_score.points" })?,
            fatal: fatal.collect::<Result<_, _>>()?,
            total: count("review_score.total", row.total)?,
            note: row.note,
        })
    }
}
