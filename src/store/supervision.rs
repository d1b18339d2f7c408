//! Supervision of matters and units: counted anew each time, opened, stepped up and ended in one transaction with its
//! audit row, its notices and the level of the tickets that belong to it.

use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit::{self, Act};
use super::commands::{has_class, units};
use super::complaints::{ENDED_BY_HAND, counted_complaints, counting, of_subject, since};
use super::late::names;
use super::row::{count, micros, optional_text, text};
use super::sql::builder;
use super::{
    Cursor, MAX_PAGE, MessageKind, NotDone, Order, Page, Store, StoreError, Transaction, follow_up, on, ticket_row,
};
use crate::city::City;
use crate::ticket::supervision::{Count, Open, Step, Subject, Thresholds, because, decide};
use crate::ticket::{Action, Actor, Change, Command, Level, Number, Side, State, SupervisionId};

/// The most tickets whose level one transaction raises; the next round goes on.
const MOST_TICKETS: i64 = 200;

/// The supervision of a matter or a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervised {
    pub id: SupervisionId,
    pub subject: Subject,
    pub level: Level,
    /// Counted at the last step.
    pub tickets: u32,
    pub opened_at: DateTime<Utc>,
    /// Since when at this level.
    pub level_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<Actor>,
}

/// Whoever supervises by hand, and why.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    pub actor: Actor,
    pub why: &'a str,
    /// Where it came from.
    pub address: Option<&'a str>,
}

/// Why nothing was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSupervised {
    #[error("no supervision has this id")]
    Unknown,
    #[error("this supervision has ended")]
    Ended,
    #[error("there is no such class, or no such unit in this city")]
    NoSubject,
    #[error("it is supervised already")]
    OpenAlready,
    #[error("it is supervised at this level already")]
    SameLevel,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// What has to be looked at now: all that is supervised, and all that has reached its city's threshold.
    pub async fn to_supervise(&self, now: DateTime<Utc>) -> Result<Vec<Subject>, StoreError> {
        let open: Vec<SupervisionRow> = on!(&self.read, pool => sqlx::query_as(OPEN).fetch_all(pool).await)?;
        let mut subjects: Vec<Subject> =
            open.into_iter().map(|row| Supervised::try_from(row).map(|one| one.subject)).collect::<Result<_, _>>()?;
        for city in City::ALL {
            subjects.extend(self.many_complaints(city, micros(now)).await?);
        }
        subjects.sort();
        subjects.dedup();
        Ok(subjects)
    }

    /// Matters and units of a city with as many complaints in the window as it takes.
    async fn many_complaints(&self, city: City, now: DateTime<Utc>) -> Result<Vec<Subject>, StoreError> {
        let thresholds = self.rules.supervision.of(city);
        let (counts, since) = (counted_complaints(&thresholds), thresholds.since(now));
        let matters: Vec<(String, String)> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new("select class, place_key from ticket where city = ");
            query.push_bind(city.slug()).push(" and created_at >= ").push_bind(since).push(&counts);
            query.push(" and class is not null and place_key is not null group by class, place_key having count(*) >= ");
            query.push_bind(i64::from(thresholds.matter_tickets));
            query.build_query_as().fetch_all(pool).await
        })?;
        let units: Vec<String> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new("select lead_unit from ticket where city = ");
            query.push_bind(city.slug()).push(" and created_at >= ").push_bind(since).push(&counts);
            query.push(" and lead_unit is not null group by lead_unit having count(*) >= ");
            query.push_bind(i64::from(thresholds.unit_tickets));
            query.build_query_scalar().fetch_all(pool).await
        })?;
        let matters = matters
            .into_iter()
            .map(|(class, place)| Ok(Subject::Matter { city, class: text("ticket.class", &class)?, place }));
        let units = units.iter().map(|unit| Ok(Subject::Unit { city, unit: text("ticket.lead_unit", unit)? }));
        matters.chain(units).collect()
    }

    /// Counts, decides and carries out, for one subject; the tickets of what is supervised are raised to the first level.
    /// Whoever else does the same at the same time comes before or after, and finds it done.
    pub async fn supervise(&self, subject: &Subject, now: DateTime<Utc>) -> Result<Option<Step>, StoreError> {
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let calendar = self.calendar_in(&mut transaction).await?;
        let city = subject.city();
        let thresholds = self.rules.supervision.of(city);
        let row = lock_open(&mut transaction, subject).await?;
        let count = count_tickets(&mut transaction, subject, &thresholds, row.as_ref(), now).await?;
        let open = row.as_ref().map(|row| Open { level: row.level, level_at: row.level_at });
        let limits = self.rules.limits(city);
        let step = decide(subject, &count, open.as_ref(), &thresholds, &calendar, limits, now);
        let by = Hand { actor: Actor::System, why: "", address: None };
        match (step, &row) {
            (Some(Step::Open), None) => {
                if self.open_at(&mut transaction, subject, Level::FIRST, count.tickets, &by, now).await?.is_none() {
                    return Ok(None);
                }
            }
            (Some(step), Some(row)) => self.carry_on(&mut transaction, row, step, count.tickets, &by, now).await?,
            (None, None) => return Ok(None),
            (None, Some(_)) | (Some(_), None) => {}
        }
        let raised = if step == Some(Step::End) {
            0
        } else {
            self.raise_tickets(&mut transaction, subject, &thresholds, now).await?
        };
        if step.is_some() || raised > 0 {
            transaction.commit().await?;
        }
        Ok(step)
    }

    /// Opens a supervision by hand, at any level.
    pub async fn open_supervision(
        &self,
        subject: &Subject,
        level: Level,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Supervised, NotSupervised> {
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let there = match subject {
            Subject::Matter { class, .. } => has_class(&mut transaction, *class).await?,
            Subject::Unit { city, unit } => units(&mut transaction, *city, unit, &[]).await?.is_ok(),
        };
        if !there {
            return Err(NotSupervised::NoSubject);
        }
        let thresholds = self.rules.supervision.of(subject.city());
        let count = count_tickets(&mut transaction, subject, &thresholds, None, now).await?;
        let opened = self.open_at(&mut transaction, subject, level, count.tickets, by, now).await?;
        let opened = opened.ok_or(NotSupervised::OpenAlready)?;
        self.raise_tickets(&mut transaction, subject, &thresholds, now).await?;
        transaction.commit().await?;
        Ok(opened)
    }

    /// Puts an open supervision on another level by hand.
    pub async fn step_supervision(
        &self,
        id: SupervisionId,
        level: Level,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Supervised, NotSupervised> {
        self.by_hand(id, Step::StepUp(level), by, now).await
    }

    /// Ends a supervision by hand: only complaints made from now on count for the next one.
    pub async fn end_supervision(
        &self,
        id: SupervisionId,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Supervised, NotSupervised> {
        self.by_hand(id, Step::End, by, now).await
    }

    async fn by_hand(
        &self,
        id: SupervisionId,
        step: Step,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Supervised, NotSupervised> {
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let row: Option<SupervisionRow> = on!(&mut transaction, transaction => sqlx::query_as(LOCK)
            .bind(id.to_string())
            .fetch_optional(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        let was = row.map(Supervised::try_from).transpose()?.ok_or(NotSupervised::Unknown)?;
        if was.ended_at.is_some() {
            return Err(NotSupervised::Ended);
        }
        if step == Step::StepUp(was.level) {
            return Err(NotSupervised::SameLevel);
        }
        let thresholds = self.rules.supervision.of(was.subject.city());
        let count = count_tickets(&mut transaction, &was.subject, &thresholds, Some(&was), now).await?;
        self.carry_on(&mut transaction, &was, step, count.tickets, by, now).await?;
        transaction.commit().await?;
        Ok(after(was, step, count.tickets, by, now))
    }

    /// Supervisions of these cities, the open ones alone or all, newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn supervisions(
        &self,
        cities: &[City],
        open_only: bool,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Supervised>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        if cities.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let rows: Vec<SupervisionRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            let mut list = query.push(" where city in (").separated(", ");
            for city in cities {
                list.push_bind(city.slug());
            }
            query.push(if open_only { ") and ended_at is null" } else { ")" });
            if let Some(cursor) = cursor {
                query.push(" and (opened_at, id) < (").push_bind(cursor.at).push(", ");
                query.push_bind(cursor.key.as_str()).push(")");
            }
            query.push(" order by opened_at desc, id desc limit ").push_bind(i64::from(limit) + 1);
            query.build_query_as().fetch_all(pool).await
        })?;
        let items = rows.into_iter().map(Supervised::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, limit, |one| Cursor { at: one.opened_at, key: one.id.to_string() }))
    }

    /// One supervision, open or ended.
    pub async fn supervision(&self, id: SupervisionId) -> Result<Option<Supervised>, StoreError> {
        let row: Option<SupervisionRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" where id = ").push_bind(id.to_string());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Supervised::try_from).transpose()
    }

    /// `None` when somebody else was quicker.
    async fn open_at(
        &self,
        transaction: &mut Transaction,
        subject: &Subject,
        level: Level,
        tickets: u32,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Supervised>, StoreError> {
        const SQL: &str = "insert into supervision \
             (id, subject, city, class, place, unit, level, tickets, opened_at, level_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
             on conflict (subject) where ended_at is null do nothing";
        let opened = Supervised {
            id: id(subject, now),
            subject: subject.clone(),
            level,
            tickets,
            opened_at: now,
            level_at: now,
            ended_at: None,
            ended_by: None,
        };
        let (class, place, unit) = match subject {
            Subject::Matter { class, place, .. } => (Some(class.to_string()), Some(place.as_str()), None),
            Subject::Unit { unit, .. } => (None, None, Some(unit.as_str())),
        };
        let inserted = on!(transaction, transaction => sqlx::query(SQL)
            .bind(opened.id.to_string())
            .bind(subject.to_string())
            .bind(subject.city().slug())
            .bind(class)
            .bind(place)
            .bind(unit)
            .bind(i64::from(level.get()))
            .bind(i64::from(tickets))
            .bind(now)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if inserted == 0 {
            return Ok(None);
        }
        self.tell_of(transaction, None, &opened, Step::Open, by, now).await?;
        Ok(Some(opened))
    }

    /// A step of one that is open, and held.
    async fn carry_on(
        &self,
        transaction: &mut Transaction,
        was: &Supervised,
        step: Step,
        tickets: u32,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "update supervision set level = $2, level_at = $3, tickets = $4, ended_at = $5, ended_by = $6 \
             where id = $1";
        let is = after(was.clone(), step, tickets, by, now);
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(is.id.to_string())
            .bind(i64::from(is.level.get()))
            .bind(is.level_at)
            .bind(i64::from(tickets))
            .bind(is.ended_at)
            .bind(is.ended_by.map(|actor| actor.to_string()))
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        self.tell_of(transaction, Some(was), &is, step, by, now).await
    }

    /// The audit row, and a message a webhook.
    async fn tell_of(
        &self,
        transaction: &mut Transaction,
        was: Option<&Supervised>,
        is: &Supervised,
        step: Step,
        by: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let action = match step {
            Step::Open => Action::Supervised,
            Step::StepUp(_) => Action::SteppedUp,
            Step::End => Action::SupervisionEnded,
        };
        let level = |one: Option<&Supervised>| one.filter(|one| one.ended_at.is_none()).map(|one| one.level.get());
        let tickets = |one: Option<&Supervised>| one.map(|one| one.tickets);
        let changes: Vec<Change> = [
            ("supervision", level(was).map(u32::from), level(Some(is)).map(u32::from)),
            ("tickets", tickets(was), tickets(Some(is))),
        ]
        .into_iter()
        .filter(|(_, was, is)| was != is)
        .map(|(field, was, is)| Change { field, was: was.map(|was| was.to_string()), is: is.map(|is| is.to_string()) })
        .collect();
        let subject = is.subject.to_string();
        let reason = (!by.why.is_empty()).then_some(by.why);
        let act = Act { changes: &changes, reason, address: by.address, ..Act::new(&subject, now, by.actor, action) };
        audit::append(transaction, &act).await?;
        let body = json!({
            "event": step.event(),
            "id": is.id,
            "city": is.subject.city(),
            "of": is.subject,
            "level": is.level,
            "tickets": is.tickets,
            "at": now,
        });
        for webhook in self.rules.webhooks.iter().filter(|webhook| webhook.hears(step.event())) {
            let id = format!("{}-{}-{}-{}", is.id, step.event(), now.timestamp_micros(), webhook.name);
            let body = body.to_string();
            follow_up::send(transaction, &id, MessageKind::Webhook, &webhook.name, None, step.event(), &body, now)
                .await?;
        }
        Ok(())
    }

    /// Tickets of a supervised subject are supervised too.
    async fn raise_tickets(
        &self,
        transaction: &mut Transaction,
        subject: &Subject,
        thresholds: &Thresholds<'_>,
        now: DateTime<Utc>,
    ) -> Result<u32, StoreError> {
        let numbers = unsupervised(transaction, subject, thresholds).await?;
        // all are held, in one order, before anything else is that a command of somebody else may hold
        for number in &numbers {
            ticket_row::lock(transaction, *number).await?;
        }
        let why = because(thresholds.of(subject), subject).parse().unwrap_or_default();
        let command = Command::Supervise { level: Level::FIRST, why };
        let mut raised = 0;
        for number in numbers {
            let (command, actor, side) = (command.clone(), Actor::System, Side::System);
            let order = Order { number, version: None, command, actor, side, address: None };
            match self.execute_in(transaction, &order, now).await {
                Ok(_) => raised += 1,
                // it was closed or supervised while it was waited for
                Err(NotDone::Refused { .. } | NotDone::Changed(_) | NotDone::Unknown) => {}
                Err(NotDone::Store(error)) => return Err(error),
            }
        }
        Ok(raised)
    }
}

fn after(was: Supervised, step: Step, tickets: u32, by: &Hand<'_>, now: DateTime<Utc>) -> Supervised {
    match step {
        Step::Open => Supervised { tickets, ..was },
        Step::StepUp(level) => Supervised { level, level_at: now, tickets, ..was },
        Step::End => Supervised { tickets, ended_at: Some(now), ended_by: Some(by.actor), ..was },
    }
}

/// One subject can't be opened twice at one time, so that subject and time make the id.
fn id(subject: &Subject, now: DateTime<Utc>) -> SupervisionId {
    let digest = Sha256::digest(format!("{} {subject}", now.timestamp_micros()));
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    SupervisionId::new(now, random)
}

async fn lock_open(transaction: &mut Transaction, subject: &Subject) -> Result<Option<Supervised>, StoreError> {
    let row: Option<SupervisionRow> = on!(transaction, transaction => sqlx::query_as(LOCK_OPEN)
        .bind(subject.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    row.map(Supervised::try_from).transpose()
}

async fn count_tickets(
    transaction: &mut Transaction,
    subject: &Subject,
    thresholds: &Thresholds<'_>,
    open: Option<&Supervised>,
    now: DateTime<Utc>,
) -> Result<Count, StoreError> {
    let ended = match open {
        Some(_) => None,
        None => ended_by_hand(transaction, subject).await?,
    };
    let counting = counting(subject, thresholds, since(open.is_some(), ended, thresholds, now));
    let tickets: i64 = on!(&mut *transaction, transaction => {
        builder!(counting).build_query_scalar().fetch_one(&mut **transaction).await
    })?;
    let Some(row) = open else { return Ok(Count { tickets: count("count", tickets)?, ..Count::default() }) };
    let counts = counted_complaints(thresholds);
    let mut still_open = of_subject("select count(*) from ticket", subject);
    still_open.push(&*counts).push(" and state in (").push(names(State::is_open)).push(")");
    let open: i64 = on!(&mut *transaction, transaction => {
        builder!(still_open).build_query_scalar().fetch_one(&mut **transaction).await
    })?;
    let mut last_closed = of_subject("select max(closed_at) from ticket", subject);
    last_closed.push(" and closed_at >= ").bind(row.level_at).push(counts);
    let closed_at: Option<DateTime<Utc>> = on!(&mut *transaction, transaction => {
        builder!(last_closed).build_query_scalar().fetch_one(&mut **transaction).await
    })?;
    Ok(Count { tickets: count("count", tickets)?, open: count("count", open)?, closed_at })
}

async fn ended_by_hand(transaction: &mut Transaction, subject: &Subject) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(on!(transaction, transaction => sqlx::query_scalar(ENDED_BY_HAND)
        .bind(subject.to_string())
        .bind(Actor::System.to_string())
        .fetch_one(&mut **transaction)
        .await)?)
}

/// The subject's open tickets that nobody supervises, in order.
async fn unsupervised(
    transaction: &mut Transaction,
    subject: &Subject,
    thresholds: &Thresholds<'_>,
) -> Result<Vec<Number>, StoreError> {
    let mut sql = of_subject("select number from ticket", subject);
    sql.push(counted_complaints(thresholds)).push(" and supervision = 0 and state in (");
    sql.push(names(State::is_open)).push(") limit ").bind(MOST_TICKETS);
    let numbers: Vec<String> = on!(transaction, transaction => {
        builder!(sql).build_query_scalar().fetch_all(&mut **transaction).await
    })?;
    let mut numbers: Vec<Number> =
        numbers.iter().map(|number| text("ticket.number", number)).collect::<Result<_, _>>()?;
    numbers.sort();
    Ok(numbers)
}

macro_rules! columns {
    () => {
        "id, city, class, place, unit, level, tickets, opened_at, level_at, ended_at, ended_by"
    };
}

const SELECT: &str = concat!("select ", columns!(), " from supervision");
const OPEN: &str = concat!("select ", columns!(), " from supervision where ended_at is null");
/// These change nothing: the row is held until the end of the transaction, and read.
const LOCK: &str = concat!("update supervision set level = level where id = $1 returning ", columns!());
const LOCK_OPEN: &str =
    concat!("update supervision set level = level where subject = $1 and ended_at is null returning ", columns!());

#[derive(sqlx::FromRow)]
struct SupervisionRow {
    id: String,
    city: String,
    class: Option<String>,
    place: Option<String>,
    unit: Option<String>,
    level: i64,
    tickets: i64,
    opened_at: DateTime<Utc>,
    level_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<String>,
}

impl TryFrom<SupervisionRow> for Supervised {
    type Error = StoreError;

    fn try_from(row: SupervisionRow) -> Result<Supervised, StoreError> {
        let city = text("supervision.city", &row.city)?;
        let class = optional_text("supervision.class", row.class.as_deref())?;
        let unit = optional_text("supervision.unit", row.unit.as_deref())?;
        let subject = match (class, row.place, unit) {
            (Some(class), Some(place), None) => Subject::Matter { city, class, place },
            (None, None, Some(unit)) => Subject::Unit { city, unit },
            _ => return Err(StoreError::OutOfRange { column: "supervision.unit" }),
        };
        let column = "supervision.level";
        Ok(Supervised {
            id: text("supervision.id", &row.id)?,
            subject,
            level: Level::new(count(column, row.level)?).ok_or(StoreError::OutOfRange { column })?,
            tickets: count("supervision.tickets", row.tickets)?,
            opened_at: row.opened_at,
            level_at: row.level_at,
            ended_at: row.ended_at,
            ended_by: optional_text("supervision.ended_by", row.ended_by.as_deref())?,
        })
    }
}
