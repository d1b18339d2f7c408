//! `/reports`: figures and rates as tables and charts, each with the list behind it; what rises; reports to print.

mod charts;
mod print;
mod view;
mod wanted;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{Frame, page, read, render};
use crate::access::Right;
use crate::city::City;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::exports::{self, Form};
use crate::console::problem::Problem;
use crate::console::query::{Parameters, bad};
use crate::console::reports::{self as api, TrendOut, failed, rising_now};
use crate::console::routes::Route;
use crate::console::segment::Segment;
use crate::report::{Span, table};
use crate::store::{Counted, Cursor, Dimension, ReportQuery};

use charts::Charts;
use view::{Listed, Names, Shown};
use wanted::{Choices, Wanted};

pub fn routes() -> Vec<Route> {
    vec![
        read("/reports", page(Right::ReadReports, wanted::KEYS), get(report)),
        read("/reports/print", page(Right::ReadReports, print::KEYS), get(print::show)),
        read("/reports/trends", page(Right::ReadReports, api::TREND_KEYS), get(trends)),
        read("/reports/{dimension}/tickets", page(Right::ReadReports, api::BEHIND_KEYS), get(behind)),
        read("/reports/{dimension}/file", page(Right::Export, FILE_KEYS), get(file)),
        read("/exports/tickets", page(Right::Export, exports::KEYS), get(exports::tickets)),
    ]
}

const FILE_KEYS: &[&str] = &["period", "from", "to", "city", "unit", "event", "format"];

#[derive(Template)]
#[template(path = "reports/report.html")]
struct ReportPage {
    frame: Frame,
    wanted: Wanted,
    choices: Choices,
    /// Days of cities whose figures are not counted yet; above nought there is no report.
    left: usize,
    shown: Option<(Shown, Charts)>,
}

async fn report(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let today = beijing_day(shared.clock.wall());
    let wanted = Wanted::read(&query, today)?;
    let dimension = wanted.dimension.name();
    let asked = api::asked(&query, &frame.asking.caller, dimension, wanted.period, today)?;
    let choices = Choices::read(&shared.store, &frame).await?;
    // the chart of days sums days that are counted, even where the table counts a unit's tickets itself
    let days = ReportQuery { dimension: Dimension::Day, ..asked.clone() };
    let left = api::left_to_count(&shared, &days, [Some(wanted.period), wanted.compared]).await?;
    let shown = if left == 0 { Some(shown(&shared, &frame, &wanted, &asked).await?) } else { None };
    render(&ReportPage { frame, wanted, choices, left, shown })
}

/// The table and the charts of days that are counted.
async fn shown(
    shared: &Shared,
    frame: &Frame,
    wanted: &Wanted,
    asked: &ReportQuery,
) -> Result<(Shown, Charts), Problem> {
    let table = table(&shared.store, asked, wanted.period, wanted.compared).await.map_err(failed)?;
    let hours = shared.store.hours(asked).await.map_err(failed)?;
    let days = ReportQuery { dimension: Dimension::Day, ..asked.clone() };
    let days = shared.store.report(&days).await.map_err(failed)?;
    let charts = Charts::new(frame, wanted, &table, &days, &hours);
    Ok((Shown::new(frame, wanted, &table), charts))
}

#[derive(Template)]
#[template(path = "reports/tickets.html")]
struct TicketsPage {
    frame: Frame,
    /// What is counted, in words.
    what: String,
    days: String,
    tickets: Vec<Listed>,
    /// The next page's address.
    next: Option<String>,
}

async fn behind(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
    Segment(dimension): Segment,
) -> Result<Response, Problem> {
    let today = beijing_day(shared.clock.wall());
    let behind = api::behind_of(&query, &frame.asking.caller, &dimension, today)?;
    let found = shared.store.tickets_behind(&behind, query.limit()?, query.cursor()?.as_ref()).await;
    let found = found.map_err(failed)?;
    let counted = match behind.counted {
        Counted::Figure(figure) => figure.zh(),
        Counted::Standing(standing) => standing.zh(),
    };
    let row = view::row_name(&shared.store, &frame, &behind).await?;
    let what = if row.is_empty() { counted.to_owned() } else { format!("{row} · {counted}") };
    let next = found.next.map(|cursor| next_page(&query, &dimension, &cursor));
    let days = wanted::days(&frame, api::period(&query, today)?);
    let names = Names::read(&shared.store, &frame).await?;
    let tickets = found.items.iter().map(|ticket| Listed::new(ticket, &names)).collect();
    render(&TicketsPage { frame, what, days, tickets, next })
}

fn next_page(query: &Parameters, dimension: &str, cursor: &Cursor) -> String {
    let kept = api::BEHIND_KEYS.iter().filter(|key| **key != "cursor");
    let mut pairs: Vec<(&str, String)> =
        kept.filter_map(|key| query.text(key).map(|value| (*key, value.to_owned()))).collect();
    pairs.push(("cursor", cursor.to_string()));
    format!("/reports/{dimension}/tickets?{}", view::encoded(&pairs))
}

async fn file(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
    Segment(dimension): Segment,
) -> Result<Response, Problem> {
    let today = beijing_day(shared.clock.wall());
    let form: Option<Form> = query.value("format")?;
    let form = form.ok_or_else(|| bad("format", "`format` is wanted: csv or xlsx."))?;
    let period = api::period(&query, today)?;
    let asked = api::asked(&query, &frame.asking.caller, &dimension, period, today)?;
    api::counted(&shared, &asked, [Some(period), None]).await?;
    let table = table(&shared.store, &asked, period, None).await.map_err(failed)?;
    api::as_file(&shared, &frame.asking, table, form).await
}

#[derive(Template)]
#[template(path = "reports/trends.html")]
struct TrendsPage {
    frame: Frame,
    city: Option<City>,
    cities: Vec<City>,
    trends: Vec<TrendOut>,
}

impl TrendsPage {
    fn is_city(&self, city: &City) -> bool {
        self.city == Some(*city)
    }
}

async fn trends(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let cities = api::cities(&query, &frame.asking.caller)?;
    let trends = rising_now(&shared, beijing_day(shared.clock.wall()), &cities).await?;
    let own = wanted::own_cities(&frame);
    render(&TrendsPage { city: query.value("city")?, cities: own, frame, trends })
}
