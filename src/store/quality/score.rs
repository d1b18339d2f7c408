//! Scores, appeals against them, and what is decided.

use chrono::{DateTime, TimeDelta, Utc};

use super::ReviewFile;
use crate::store::audit::{self, Act};
use crate::store::row::{count, micros, text};
use crate::store::{By, Store, StoreError, Transaction, on};
use crate::ticket::quality::{Form, ReviewState, final_total};
use crate::ticket::{Action, Actor, Change, ReviewId};

/// A form with the words beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewScore {
    pub form: Form,
    pub note: String,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReviewed {
    #[error("no review has this id")]
    Unknown,
    #[error("nobody scores, or decides upon, the same twice")]
    SamePerson,
    #[error("nobody scores their own work")]
    OwnWork,
    #[error("two people have scored it already")]
    ScoredTwice,
    #[error("it is not scored yet, or appealed against already")]
    NotScored,
    #[error("the time for an appeal is over")]
    TooLate,
    #[error("nobody appeals against it")]
    NotAppealed,
    #[error("a second person has to score it first")]
    NoSecondScore,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotReviewed {
    /// For programs.
    pub const fn name(&self) -> &'static str {
        match self {
            NotReviewed::Unknown => "unknown",
            NotReviewed::SamePerson => "same_person",
            NotReviewed::OwnWork => "own_work",
            NotReviewed::ScoredTwice => "scored_twice",
            NotReviewed::NotScored => "not_scored",
            NotReviewed::TooLate => "appeal_too_late",
            NotReviewed::NotAppealed => "not_appealed",
            NotReviewed::NoSecondScore => "no_second_score",
            NotReviewed::Store(_) => "store",
        }
    }
}

/// A review that the transaction holds.
struct Locked {
    ticket: String,
    state: ReviewState,
    person: Option<String>,
    scored_at: Option<DateTime<Utc>>,
    scores: Vec<(Actor, u8)>,
}

impl Store {
    /// Writes a score down: the first, or after it that of a second person.
    ///
    /// # Errors
    /// [`NotReviewed`]; nothing has changed.
    pub async fn score_review(
        &self,
        id: ReviewId,
        new: &NewScore,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<ReviewFile, NotReviewed> {
        const SCORE: &str = "insert into review_score (review, place, scorer, at, points, fatal, total, note) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)";
        const FIRST: &str = "update review set state = 'scored', scored_at = $2, total = $3 where id = $1";
        let mut transaction = self.begin().await?;
        let review = lock(&mut transaction, id).await?;
        if review.person.as_ref().is_some_and(|person| by.actor.to_string() == format!("account {person}")) {
            return Err(NotReviewed::OwnWork);
        }
        match &review.scores[..] {
            [] => {}
            [(first, _)] if *first == by.actor => return Err(NotReviewed::SamePerson),
            [_] if review.state != ReviewState::Decided => {}
            _ => return Err(NotReviewed::ScoredTwice),
        }
        let (place, total) = (review.scores.len() as i64 + 1, new.form.total());
        let fatal: Vec<&str> = new.form.fatal().iter().map(|fatal| fatal.name()).collect();
        let points = serde_json::to_string(new.form.points()).expect("names and numbers");
        on!(&mut transaction, transaction => sqlx::query(SCORE)
            .bind(id.to_string())
            .bind(place)
            .bind(by.actor.to_string())
            .bind(micros(now))
            .bind(points)
            .bind(fatal.join(" "))
            .bind(i64::from(total))
            .bind(&new.note)
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        if place == 1 {
            on!(&mut transaction, transaction => sqlx::query(FIRST)
                .bind(id.to_string())
                .bind(micros(now))
                .bind(i64::from(total))
                .execute(&mut **transaction)
                .await
                .map(drop))
            .map_err(StoreError::from)?;
        }
        let changes = [Change { field: "score", was: None, is: Some(total.to_string()) }];
        self.reviewed(transaction, id, &review.ticket, Action::Scored, &changes, None, by, now).await
    }

    /// Appeals against the score; whoever is scored, or the unit, has `quality.appeal_days` for it.
    ///
    /// # Errors
    /// [`NotReviewed`]; nothing has changed.
    pub async fn appeal_review(
        &self,
        id: ReviewId,
        words: &str,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<ReviewFile, NotReviewed> {
        const SQL: &str =
            "update review set state = 'appealed', appeal = $2, appealed_by = $3, appealed_at = $4 where id = $1";
        let mut transaction = self.begin().await?;
        let review = lock(&mut transaction, id).await?;
        let Some(scored_at) = review.scored_at.filter(|_| review.state == ReviewState::Scored) else {
            return Err(NotReviewed::NotScored);
        };
        if now > scored_at + TimeDelta::days(self.rules.quality.appeal_days.into()) {
            return Err(NotReviewed::TooLate);
        }
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(id.to_string())
            .bind(words)
            .bind(by.actor.to_string())
            .bind(micros(now))
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        self.reviewed(transaction, id, &review.ticket, Action::Appealed, &[], Some(words), by, now).await
    }

    /// Decides upon an appeal; if it is upheld the second score counts. Whoever gave the first score does not decide.
    ///
    /// # Errors
    /// [`NotReviewed`]; nothing has changed.
    pub async fn decide_review(
        &self,
        id: ReviewId,
        upheld: bool,
        words: &str,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<ReviewFile, NotReviewed> {
        const SQL: &str = "update review set state = 'decided', decision = $2, decided_by = $3, decided_at = $4, upheld = $5, \
             total = $6 where id = $1";
        let mut transaction = self.begin().await?;
        let review = lock(&mut transaction, id).await?;
        if review.state != ReviewState::Appealed {
            return Err(NotReviewed::NotAppealed);
        }
        let (first, second) = (review.scores.first(), review.scores.get(1));
        if first.is_some_and(|(scorer, _)| *scorer == by.actor) {
            return Err(NotReviewed::SamePerson);
        }
        if upheld && second.is_none() {
            return Err(NotReviewed::NoSecondScore);
        }
        let was = first.map(|(_, total)| *total);
        let total = final_total(was, second.map(|(_, total)| *total), upheld);
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(id.to_string())
            .bind(words)
            .bind(by.actor.to_string())
            .bind(micros(now))
            .bind(upheld)
            .bind(total.map(i64::from))
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        let shown = |total: Option<u8>| total.map(|total| total.to_string());
        let changes = [Change { field: "score", was: shown(was), is: shown(total) }];
        self.reviewed(transaction, id, &review.ticket, Action::Scored, &changes, Some(words), by, now).await
    }

    #[expect(clippy::too_many_arguments, reason = "what the audit keeps of an act")]
    async fn reviewed(
        &self,
        mut transaction: Transaction,
        id: ReviewId,
        ticket: &str,
        action: Action,
        changes: &[Change],
        reason: Option<&str>,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<ReviewFile, NotReviewed> {
        let act = Act { changes, reason, ..by.act(ticket, now, action) };
        audit::append(&mut transaction, &act).await?;
        transaction.commit().await?;
        self.review(id).await?.ok_or(NotReviewed::Unknown)
    }
}

/// Its ticket, its state, whose work it is, when it was scored.
type LockedRow = (String, String, Option<String>, Option<DateTime<Utc>>);

/// Holds the review until the end of the transaction, so that two who score come one after the other.
async fn lock(transaction: &mut Transaction, id: ReviewId) -> Result<Locked, NotReviewed> {
    const LOCK: &str = "update review set state = state where id = $1 returning ticket, state, person, scored_at";
    const SCORES: &str = "select scorer, total from review_score where review = $1 order by place";
    let row: Option<LockedRow> = on!(&mut *transaction, transaction => sqlx::query_as(LOCK)
            .bind(id.to_string())
            .fetch_optional(&mut **transaction)
            .await)
    .map_err(StoreError::from)?;
    let (ticket, state, person, scored_at) = row.ok_or(NotReviewed::Unknown)?;
    let scores: Vec<(String, i64)> = on!(transaction, transaction => sqlx::query_as(SCORES)
        .bind(id.to_string())
        .fetch_all(&mut **transaction)
        .await)
    .map_err(StoreError::from)?;
    let read = |(scorer, total): (String, i64)| {
        Ok((text("review_score.scorer", &scorer)?, count("review_score.total", total)?))
    };
    let scores = scores.into_iter().map(read).collect::<Result<_, StoreError>>()?;
    Ok(Locked { ticket, state: text("review.state", &state)?, person, scored_at, scores })
}
