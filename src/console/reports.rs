//! `/api/v1/reports`: figures and rates of a period, the tickets behind each, and what rises.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::Shared;
use super::asking::Asking;
use super::exports::{Form, file, took};
use super::guard::forbidden;
use super::page::Page;
use super::problem::{Kind, Problem};
use super::query::{Parameters, bad};
use super::segment::Segment;
use crate::access::{Caller, Cities, Right};
use crate::city::City;
use crate::clock::beijing_day;
use crate::report::{Period, Sheet, Table, csv, rising, table};
use crate::store::{Behind, Counted, Dimension, ReportQuery, TREND_DAYS};
use crate::ticket::{Number, State as TicketState, Ticket};

pub const KEYS: &[&str] = &["period", "from", "to", "city", "unit", "event", "compare", "format"];
pub const BEHIND_KEYS: &[&str] = &["figure", "key", "period", "from", "to", "city", "unit", "event", "limit", "cursor"];
pub const TREND_KEYS: &[&str] = &["city"];

/// A ticket that a figure counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountedTicket)]
pub struct CountedOut {
    number: Number,
    city: City,
    created_at: DateTime<Utc>,
    state: TicketState,
    /// The class's code.
    class: Option<String>,
    /// The unit's code.
    lead_unit: Option<String>,
    due_day: Option<NaiveDate>,
}

/// A class that brings far more requests than it used to (未诉先办).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trend)]
pub struct TrendOut {
    pub city: City,
    /// The class's code.
    pub class: String,
    pub zh: Option<String>,
    pub bo: Option<String>,
    /// Valid requests in the seven days that end today.
    pub week: u32,
    /// Those in the 28 days before.
    pub four_weeks_before: u32,
}

/// Figures and rates by total, city, day, unit, class, group, channel, language or type.
///
/// Each row has `figures`, `rates` with `numerator`, `denominator` and `left_out` (suspended and excluded, in neither),
/// `now` (open, suspended, overdue, supervised; null for days) and, with `compare`, `before`. A rate of nothing is null. A
/// figure counts on the day of its event, in Beijing; due days and contacts once their day is over. A row with `ranked`
/// false has fewer than 10 answers. A unit sees its own figures. `event` is a leaders'
/// event (一把手听民声) as its tickets name it: they alone are counted. With `format` the same as a file, which needs the right
/// `export` and is on record.
#[utoipa::path(
    get,
    path = "/api/v1/reports/{dimension}",
    operation_id = "read_report",
    tag = "reports",
    params(("dimension" = String, Path, description = "What the rows are.")),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn report(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Segment(dimension): Segment,
) -> Result<Response, Problem> {
    let today = beijing_day(shared.clock.wall());
    let period = period(&query, today)?;
    let compared = match query.text("compare") {
        None => None,
        Some("previous") => Some(period.previous().map_err(|wrong| bad("compare", format!("{wrong}.")))?),
        Some(_) => return Err(bad("compare", "`compare` is `previous`.")),
    };
    let asked = asked(&query, &asking.caller, &dimension, period, today)?;
    let form: Option<Form> = query.value("format")?;
    if form.is_some() {
        asking.caller.needs(Right::Export).map_err(|denied| forbidden(&denied))?;
    }
    counted(&shared, &asked, [Some(period), compared]).await?;
    let table = table(&shared.store, &asked, period, compared).await.map_err(failed)?;
    match form {
        None => Ok(Json(table.document()).into_response()),
        Some(form) => as_file(&shared, &asking, table, form).await,
    }
}

/// A report as a file to take along, which is on record.
pub async fn as_file(shared: &Shared, asking: &Asking, table: Table, form: Form) -> Result<Response, Problem> {
    let (dimension, period) = (table.dimension, table.period);
    let what = format!("{period}, {form}, {} rows", table.rows.len());
    took(shared, asking, format!("report {dimension}"), what).await?;
    let name = format!("report-{dimension}-{}-{}", period.from(), period.to());
    match form {
        Form::Csv => {
            let mut text = String::from(csv::BYTE_ORDER_MARK);
            text.push_str(&csv::head(Table::columns()));
            text.extend(table.grid().map(|cells| csv::line(&cells)));
            Ok(file(form, &name, Body::from(text)))
        }
        Form::Xlsx => {
            let folder = shared.recordings.clone();
            let written = tokio::task::spawn_blocking(move || {
                let mut sheet = Sheet::new(&folder, Table::columns())?;
                table.grid().try_for_each(|cells| sheet.append(&cells))?;
                sheet.finish()
            });
            let written = written.await.map_err(|error| Problem::internal("report", &error))?;
            let sheet = written.map_err(|error| Problem::internal("report", &error))?;
            let stream = ReaderStream::new(tokio::fs::File::from_std(sheet));
            Ok(file(form, &name, Body::from_stream(stream)))
        }
    }
}

/// The tickets behind one figure of one row, newest first. Without `key`: of all rows together.
#[utoipa::path(
    get,
    path = "/api/v1/reports/{dimension}/tickets",
    operation_id = "list_counted_tickets",
    tag = "reports",
    params(("dimension" = String, Path, description = "What the rows are.")),
    responses((status = 200, body = Page<CountedOut>))
)]
pub async fn behind(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
    Segment(dimension): Segment,
) -> Result<Json<Page<CountedOut>>, Problem> {
    let behind = behind_of(&query, &asking.caller, &dimension, beijing_day(shared.clock.wall()))?;
    let found = shared.store.tickets_behind(&behind, query.limit()?, query.cursor()?.as_ref()).await;
    Ok(Json(Page::of(found.map_err(failed)?, CountedOut::from)))
}

/// The figure that is asked for.
pub fn behind_of(query: &Parameters, caller: &Caller, dimension: &str, today: NaiveDate) -> Result<Behind, Problem> {
    let counted: Option<Counted> = query.value("figure")?;
    Ok(Behind {
        report: asked(query, caller, dimension, period(query, today)?, today)?,
        counted: counted.ok_or_else(|| bad("figure", "`figure` is wanted: one that the report shows."))?,
        key: query.text("key").map(str::to_owned),
    })
}

/// Classes that rise now: at least three times the weekly mean of the four weeks before, and at least five requests in
/// seven days, where nothing else is set.
#[utoipa::path(
    get,
    path = "/api/v1/reports/trends",
    operation_id = "list_trends",
    tag = "reports",
    responses((status = 200, body = Page<TrendOut>))
)]
pub async fn trends(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Json<Page<TrendOut>>, Problem> {
    let cities = cities(&query, &asking.caller)?;
    let today = beijing_day(shared.clock.wall());
    Ok(Json(Page { items: rising_now(&shared, today, &cities).await?, next: None }))
}

/// What rises in these cities.
pub async fn rising_now(shared: &Shared, today: NaiveDate, cities: &[City]) -> Result<Vec<TrendOut>, Problem> {
    let left = count(shared, [(today - Days::new(TREND_DAYS), today)].into_iter(), cities).await?;
    all_counted(left)?;
    let weeks = shared.store.class_weeks(today, cities).await.map_err(failed)?;
    let names = shared.store.names(Dimension::Class).await.map_err(failed)?;
    let items = rising(&weeks, &shared.reports).into_iter().map(|of| {
        let class = of.class.to_string();
        let name = names.get(&class);
        TrendOut {
            city: of.city,
            zh: name.map(|name| name.zh.clone()),
            bo: name.map(|name| name.bo.clone()),
            class,
            week: of.week,
            four_weeks_before: of.four_weeks_before,
        }
    });
    Ok(items.collect())
}

impl From<Ticket> for CountedOut {
    fn from(ticket: Ticket) -> CountedOut {
        CountedOut {
            number: ticket.number,
            city: ticket.city,
            created_at: ticket.created_at,
            state: ticket.state,
            class: ticket.matter.class.map(|class| class.to_string()),
            lead_unit: ticket.handling.lead.map(|unit| unit.to_string()),
            due_day: ticket.handling.due_day,
        }
    }
}

/// Counts what a report of these periods sums.
pub async fn counted(shared: &Shared, asked: &ReportQuery, periods: [Option<Period>; 2]) -> Result<(), Problem> {
    all_counted(left_to_count(shared, asked, periods).await?)
}

/// Counts for a while what a report of these periods sums; gives how many days of cities are left.
pub async fn left_to_count(
    shared: &Shared,
    asked: &ReportQuery,
    periods: [Option<Period>; 2],
) -> Result<usize, Problem> {
    if !asked.is_rolled_up() {
        return Ok(0);
    }
    let days = periods.into_iter().flatten().map(|period| (period.from(), period.to()));
    count(shared, days, &asked.cities).await
}

/// Counts what has changed of these days, each first and last, for a while: what is counted stays, and the service goes on
/// counting. Gives how many days of cities are left.
async fn count(
    shared: &Shared,
    days: impl Iterator<Item = (NaiveDate, NaiveDate)>,
    cities: &[City],
) -> Result<usize, Problem> {
    let began = shared.clock.mono();
    let go_on = || shared.clock.mono().since(began) < shared.reports.count_for();
    let mut left = 0;
    for (from, to) in days {
        left += shared.store.recount_while(from, to, cities, go_on).await.map_err(failed)?.left;
    }
    Ok(left)
}

fn all_counted(left: usize) -> Result<(), Problem> {
    if left == 0 {
        return Ok(());
    }
    let detail = format!(
        "Very much has changed: the figures of {left} days, each of one city, are still to be counted. The service goes \
         on counting; ask again in a while, or for a shorter period."
    );
    Err(Problem::new(Kind::NotCounted, detail).header(header::RETRY_AFTER, HeaderValue::from_static("10")))
}

pub fn asked(
    query: &Parameters,
    caller: &Caller,
    dimension: &str,
    period: Period,
    today: NaiveDate,
) -> Result<ReportQuery, Problem> {
    let wrong = |wrong| Problem::new(Kind::NotFound, format!("No such report: {wrong}."));
    let unit = query.value("unit")?;
    if caller.unit.is_some() && unit.is_some() && unit != caller.unit {
        return Err(bad("unit", "A unit sees its own figures only."));
    }
    Ok(ReportQuery {
        dimension: dimension.parse().map_err(wrong)?,
        from: period.from(),
        to: period.to(),
        cities: cities(query, caller)?,
        unit: caller.unit.clone().or(unit),
        event: query.value("event")?,
        today,
    })
}

/// The caller's cities, or the one that is asked for; never empty for a caller who has not all of them.
pub fn cities(query: &Parameters, caller: &Caller) -> Result<Vec<City>, Problem> {
    let denied = || Problem::new(Kind::Forbidden, "This city is not one of yours.");
    match (query.value("city")?, &caller.cities) {
        (Some(city), cities) if cities.contains(city) => Ok(vec![city]),
        (Some(_), _) => Err(denied()),
        (None, Cities::All) => Ok(Vec::new()),
        (None, Cities::Only(cities)) if cities.is_empty() => Err(denied()),
        (None, Cities::Only(cities)) => Ok(cities.iter().copied().collect()),
    }
}

/// `period`, or `from` and `to`; this month without any.
pub fn period(query: &Parameters, today: NaiveDate) -> Result<Period, Problem> {
    let day = |key: &str| {
        let read = |text: &str| {
            let day = text.parse().ok().filter(|_| text.len() == "2026-11-22".len());
            day.ok_or_else(|| bad(key, format!("`{key}` has to be a day such as 2026-11-22.")))
        };
        query.text(key).map(read).transpose()
    };
    match (query.value("period")?, day("from")?, day("to")?) {
        (Some(period), None, None) => Ok(period),
        (Some(_), ..) => Err(bad("period", "Give `period`, or `from` and `to`.")),
        (None, Some(from), Some(to)) => Period::new(from, to).map_err(|wrong| bad("to", format!("`to`: {wrong}."))),
        (None, None, None) => Period::month(today).map_err(|wrong| bad("period", format!("{wrong}."))),
        (None, Some(_), None) => Err(bad("to", "`from` wants `to` beside it.")),
        (None, None, Some(_)) => Err(bad("from", "`to` wants `from` beside it.")),
    }
}

pub fn failed(error: crate::store::StoreError) -> Problem {
    Problem::internal("report", &error)
}
