//! `/reports/print`: the report of a day, a week or a month on paper (日报, 周报, 月报).

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::charts::Charts;
use super::view::Shown;
use super::wanted::Wanted;
use super::{api, shown};
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::pages::{Frame, render};
use crate::console::problem::Problem;
use crate::console::query::{Parameters, bad};
use crate::console::reports::{TrendOut, rising_now};
use crate::report::{Period, Span};
use crate::store::{Dimension, ReportQuery};

pub const KEYS: &[&str] = &["kind", "on", "city", "unit", "event"];

/// The tables of a printed report, in their order.
const TABLES: [Dimension; 4] = [Dimension::City, Dimension::Unit, Dimension::Group, Dimension::Channel];

#[derive(Template)]
#[template(path = "reports/print.html")]
struct PrintPage {
    frame: Frame,
    title: String,
    wanted: Wanted,
    printed: String,
    /// Days of cities whose figures are not counted yet; above nought there is no report.
    left: usize,
    tables: Vec<(String, Shown)>,
    charts: Option<Charts>,
    /// What rises; nothing is said of it where nothing else is told of whole cities.
    trends: Option<Vec<TrendOut>>,
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let now = shared.clock.wall();
    let today = beijing_day(now);
    let span: Span = query.value("kind")?.unwrap_or(Span::Day);
    let on = query.value("on")?.unwrap_or(today);
    let period = Period::around(span, on).map_err(|wrong| bad("on", format!("`on`: {wrong}.")))?;
    let compared = period.previous().ok();
    let caller = &frame.asking.caller;
    let asked = api::asked(&query, caller, Dimension::Total.name(), period, today)?;
    let left = api::left_to_count(&shared, &asked, [Some(period), compared]).await?;
    let (city, unit, event) = (query.value("city")?, query.value("unit")?, query.value("event")?);
    let mut wanted = Wanted { dimension: Dimension::Total, span: Some(span), on, period, compared, city, unit, event };
    let (mut tables, mut charts, mut trends) = (Vec::new(), None, None);
    if left == 0 {
        for dimension in TABLES {
            let of = ReportQuery { dimension, ..asked.clone() };
            wanted.dimension = dimension;
            let (table, drawn) = shown(&shared, &frame, &wanted, &of).await?;
            charts.get_or_insert(drawn);
            tables.push((frame.name("by", dimension), table));
        }
        // what rises is told of whole cities
        if asked.unit.is_none() && asked.event.is_none() {
            trends = Some(rising_now(&shared, today, &api::cities(&query, caller)?).await?);
        }
    }
    let title = frame.name("print", span.name());
    let printed = frame.fill("reports.printed", &[&frame.time(now)]);
    render(&PrintPage { frame, title, wanted, printed, left, tables, charts, trends })
}
