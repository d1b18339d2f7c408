//! Lists of visits with their plans, and a visit's attempts.

use chrono::{DateTime, Utc};

use super::VisitStep;
use super::row::EndedRow;
use crate::callback::{Because, Held, Policy};
use crate::city::City;
use crate::phone::Phone;
use crate::store::row::{count, optional_text, phone, text};
use crate::store::sql::{Sql, builder};
use crate::store::{Cursor, MAX_PAGE, Page, Store, StoreError, on};
use crate::ticket::{AttemptId, CallId, Given, Means, Number, Outcome, RecordingId, Way, may_be_read_out};

/// What a list of visits is narrowed to; nothing set: everything.
#[derive(Clone, Debug, Default)]
pub struct VisitFilter {
    /// `Some` of none at all finds nothing.
    pub cities: Option<Vec<City>>,
    pub ticket: Option<Number>,
    /// `due`, `answered` …; any of these.
    pub states: Vec<String>,
    /// Of visits that are due.
    pub step: Option<VisitStep>,
    /// The next step comes before this.
    pub due_before: Option<DateTime<Utc>>,
}

/// A return visit with its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedVisit {
    pub ticket: Number,
    pub round: u8,
    pub city: City,
    /// `due`, `answered`, `unreached`, `no_phone`, `declined` or `dropped`.
    pub state: String,
    pub closed_at: DateTime<Utc>,
    pub attempts: u32,
    pub answered_at: Option<DateTime<Utc>>,
    pub means: Option<Means>,
    pub phone: Option<Phone>,
    /// This and the next two are `None` unless it is due.
    pub step: Option<VisitStep>,
    pub next_at: Option<DateTime<Utc>>,
    /// The name of what it waits for, or of why a person makes it.
    pub held: Option<String>,
    pub sms_at: Option<DateTime<Utc>>,
    /// The city's automatic calls are paused.
    pub paused: bool,
    /// The requester is for named people only.
    pub shielded: bool,
    /// Until when the first attempt has to be made; `None` once there is one, or when it is over.
    pub first_by: Option<DateTime<Utc>>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitAttempt {
    pub id: AttemptId,
    pub round: u8,
    pub way: Way,
    pub begun_at: DateTime<Utc>,
    pub trunk: Option<String>,
    pub call: Option<CallId>,
    /// `None` while it is live.
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<Outcome>,
    pub status: Option<u16>,
    pub q850: Option<u8>,
    pub message_left: bool,
    pub early: Option<RecordingId>,
    pub given: Given,
}

/// How many visits of a city are due, by step; `None`: no plan yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitCount {
    pub city: City,
    pub step: Option<VisitStep>,
    pub visits: u64,
    /// The earliest next step.
    pub next_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "select visit.ticket, visit.round, city, visit.state, visit.closed_at, attempts, answered_at, means, phone, \
     step, next_at, held, sms_at, confidential, anonymous, request_type, city in (select city from visit_pause) as paused \
     from visit cross join ticket where number = visit.ticket";

impl PlannedVisit {
    /// Why the visit has not been made yet, in words; `None` when it is over.
    pub fn why(&self, now: DateTime<Utc>) -> Option<String> {
        if self.state != "due" {
            return None;
        }
        let later = self.next_at.filter(|at| *at > now);
        let held = || self.held.as_deref().and_then(|held| held.parse::<Held>().ok()).unwrap_or(Held::Due);
        Some(match self.step {
            None => "no plan was made yet".to_owned(),
            Some(VisitStep::Call | VisitStep::Sms) if self.paused => Held::Paused.say(None),
            Some(VisitStep::Call | VisitStep::Sms) => match later {
                Some(at) => held().say(Some(at)),
                None => Held::Due.say(None),
            },
            Some(VisitStep::Live) => "a call goes on".to_owned(),
            Some(VisitStep::Reply) => "an answer by SMS is waited for".to_owned(),
            Some(VisitStep::Final) => "the requester may still call back".to_owned(),
            Some(VisitStep::Person) => {
                let because = self.held.as_deref().and_then(|held| held.parse::<Because>().ok());
                because.unwrap_or(Because::Skipped).say().to_owned()
            }
        })
    }
}

impl Store {
    /// Visits by closing, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn planned_visits(
        &self,
        filter: &VisitFilter,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<PlannedVisit>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let mut sql = Sql::default();
        sql.push(SELECT);
        sql.of_cities(filter.cities.as_deref());
        if let Some(ticket) = filter.ticket {
            sql.push(" and visit.ticket = ").bind(ticket.to_string());
        }
        if !filter.states.is_empty() {
            sql.push(" and visit.state").any_of(filter.states.iter().map(String::as_str));
        }
        if let Some(step) = filter.step {
            sql.push(" and visit.state = 'due' and step = ").bind(step.name());
        }
        if let Some(before) = filter.due_before {
            sql.push(" and visit.state = 'due' and next_at < ").bind(before);
        }
        if let Some(cursor) = cursor {
            // TICKET-ROUND
            let (ticket, round) = cursor.key.split_once('-').unwrap_or((&cursor.key, ""));
            sql.push(" and (visit.closed_at, visit.ticket, visit.round) < (").bind(cursor.at);
            sql.push(", ").bind(ticket).push(", ").bind(round.parse::<i64>().unwrap_or_default()).push(")");
        }
        sql.push(" order by visit.closed_at desc, visit.ticket desc, visit.round desc limit ");
        sql.bind(i64::from(limit) + 1);
        let rows: Vec<PlannedRow> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let mut visits = rows.into_iter().map(PlannedVisit::try_from).collect::<Result<Vec<_>, _>>()?;
        let calendar = self.calendar().await?;
        let policy = Policy { config: &self.rules.visits, calendar: &calendar, gateway: self.rules.sms };
        for visit in visits.iter_mut().filter(|visit| visit.state == "due" && visit.attempts == 0) {
            visit.first_by = Some(policy.first_by(visit.city, visit.closed_at));
        }
        let place =
            |visit: &PlannedVisit| Cursor { at: visit.closed_at, key: format!("{}-{}", visit.ticket, visit.round) };
        Ok(Page::cut(visits, limit, place))
    }

    /// A ticket's attempts of all rounds, oldest first.
    pub async fn visit_attempts(&self, ticket: Number) -> Result<Vec<VisitAttempt>, StoreError> {
        const SQL: &str = "select id, round, way, phone, begun_at, trunk, call, ended_at, outcome, status, q850, message_left, \
             early, willing, contacted, solved, satisfaction, redo, reason from attempt where ticket = $1 \
             order by begun_at, id";
        let rows: Vec<AttemptRow> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(ticket.to_string()).fetch_all(pool).await)?;
        rows.into_iter().map(VisitAttempt::try_from).collect()
    }

    /// Due visits by city and step.
    pub async fn visit_counts(&self) -> Result<Vec<VisitCount>, StoreError> {
        const SQL: &str = "select city, step, count(*) as visits, min(next_at) as next_at from visit join ticket on number = visit.ticket \
             where visit.state = 'due' group by city, step";
        let rows: Vec<CountRow> = on!(&self.read, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
        let counted = |row: CountRow| {
            Ok(VisitCount {
                city: text("ticket.city", &row.city)?,
                step: optional_text("visit.step", row.step.as_deref())?,
                visits: count("visit.ticket", row.visits)?,
                next_at: row.next_at,
            })
        };
        let mut counts: Vec<VisitCount> = rows.into_iter().map(counted).collect::<Result<_, StoreError>>()?;
        counts.sort_by_key(|count| (count.city, count.step));
        Ok(counts)
    }
}

#[derive(sqlx::FromRow)]
struct PlannedRow {
    ticket: String,
    round: i64,
    city: String,
    state: String,
    closed_at: DateTime<Utc>,
    attempts: i64,
    answered_at: Option<DateTime<Utc>>,
    means: Option<String>,
    phone: Option<String>,
    step: Option<String>,
    next_at: Option<DateTime<Utc>>,
    held: Option<String>,
    sms_at: Option<DateTime<Utc>>,
    confidential: bool,
    anonymous: bool,
    request_type: Option<String>,
    paused: bool,
}

impl TryFrom<PlannedRow> for PlannedVisit {
    type Error = StoreError;

    fn try_from(row: PlannedRow) -> Result<PlannedVisit, StoreError> {
        let is_due = row.state == "due";
        let request_type = optional_text("ticket.request_type", row.request_type.as_deref())?;
        Ok(PlannedVisit {
            ticket: text("visit.ticket", &row.ticket)?,
            round: count("visit.round", row.round)?,
            city: text("ticket.city", &row.city)?,
            closed_at: row.closed_at,
            attempts: count("visit.attempts", row.attempts)?,
            answered_at: row.answered_at.filter(|_| !is_due),
            means: optional_text("visit.means", row.means.as_deref())?.filter(|_| !is_due),
            phone: phone("ticket.phone", row.phone.as_deref())?,
            step: optional_text("visit.step", row.step.as_deref())?.filter(|_| is_due),
            next_at: row.next_at.filter(|_| is_due),
            held: row.held.filter(|_| is_due),
            sms_at: row.sms_at,
            paused: row.paused,
            first_by: None,
            shielded: row.anonymous || !may_be_read_out(row.confidential, request_type),
            state: row.state,
        })
    }
}

#[derive(sqlx::FromRow)]
struct CountRow {
    city: String,
    step: Option<String>,
    visits: i64,
    next_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: String,
    trunk: Option<String>,
    call: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    status: Option<i64>,
    q850: Option<i64>,
    early: Option<String>,
    #[sqlx(flatten)]
    heard: EndedRow,
}

impl TryFrom<AttemptRow> for VisitAttempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<VisitAttempt, StoreError> {
        let mut given = Given::default();
        row.heard.add_to(&mut given)?;
        Ok(VisitAttempt {
            id: text("attempt.id", &row.id)?,
            round: count("attempt.round", row.heard.round)?,
            way: row.heard.way()?,
            begun_at: row.heard.begun_at,
            trunk: row.trunk,
            call: optional_text("attempt.call", row.call.as_deref())?,
            ended_at: row.ended_at,
            outcome: optional_text("attempt.outcome", row.heard.outcome.as_deref())?,
            status: row.status.map(|status| count("attempt.status", status)).transpose()?,
            q850: row.q850.map(|cause| count("attempt.q850", cause)).transpose()?,
            message_left: row.heard.message_left,
            early: optional_text("attempt.early", row.early.as_deref())?,
            given,
        })
    }
}
