//! What a report page is asked for, and what there is to choose from.

use chrono::NaiveDate;

use super::failed;
use super::view::encoded;
use crate::city::City;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::console::query::{Parameters, bad};
use crate::language::Language;
use crate::report::{Period, Span};
use crate::store::{Dimension, Store};
use crate::ticket::{Line, UnitCode};

pub const KEYS: &[&str] = &["by", "span", "on", "from", "to", "city", "unit", "event"];

/// A report as the page's address names it.
pub struct Wanted {
    pub dimension: Dimension,
    /// `None`: from any day to any day.
    pub span: Option<Span>,
    /// A day of the span.
    pub on: NaiveDate,
    pub period: Period,
    pub compared: Option<Period>,
    pub city: Option<City>,
    pub unit: Option<UnitCode>,
    /// The leaders' event.
    pub event: Option<Line>,
}

impl Wanted {
    /// This month by unit, where nothing else is asked for.
    pub fn read(query: &Parameters, today: NaiveDate) -> Result<Wanted, Problem> {
        let dimension = query.value("by")?.unwrap_or(Dimension::Unit);
        let on = query.value("on")?.unwrap_or(today);
        let span = match query.text("span") {
            Some("any") => None,
            None if query.text("from").is_some() || query.text("to").is_some() => None,
            None => Some(Span::Month),
            Some(_) => query.value("span")?,
        };
        let period = match span {
            Some(span) => Period::around(span, on).map_err(|wrong| bad("on", format!("`on`: {wrong}.")))?,
            None => Period::new(query.value("from")?.unwrap_or(on), query.value("to")?.unwrap_or(today))
                .map_err(|wrong| bad("to", format!("`to`: {wrong}.")))?,
        };
        let compared = period.previous().ok();
        let (city, unit, event) = (query.value("city")?, query.value("unit")?, query.value("event")?);
        Ok(Wanted { dimension, span, on, period, compared, city, unit, event })
    }

    /// The query of what is asked for, for lists and files, and more: `from=…&to=…&…`
    pub fn with(&self, more: &[(&'static str, String)]) -> String {
        let mut pairs = vec![("from", self.period.from().to_string()), ("to", self.period.to().to_string())];
        pairs.extend(self.narrowed());
        pairs.extend(more.iter().map(|(key, value)| (*key, value.clone())));
        encoded(&pairs)
    }

    /// City, unit and event, those that are asked for.
    fn narrowed(&self) -> impl Iterator<Item = (&'static str, String)> {
        let unit = self.unit.as_ref().map(|unit| ("unit", unit.to_string()));
        let event = self.event.as_ref().map(|event| ("event", event.to_string()));
        self.city.map(|city| ("city", city.to_string())).into_iter().chain(unit).chain(event)
    }

    pub fn file(&self, format: &str) -> String {
        format!("/reports/{}/file?{}", self.dimension, self.with(&[("format", format.to_owned())]))
    }

    /// The same by something else, by days of the same period.
    pub fn by(&self, dimension: &Dimension) -> String {
        format!("/reports?span=any&{}", self.with(&[("by", dimension.to_string())]))
    }

    /// The period before or behind this one.
    pub fn neighbour(&self, later: bool) -> Option<String> {
        let edge = if later { self.period.to().succ_opt() } else { self.period.from().pred_opt() }?;
        let mut pairs = vec![("by", self.dimension.to_string()), ("span", self.span?.name().to_owned())];
        pairs.push(("on", edge.to_string()));
        pairs.extend(self.narrowed());
        Some(format!("/reports?{}", encoded(&pairs)))
    }

    pub fn print(&self) -> Option<String> {
        let kind = self.span.filter(|span| matches!(span, Span::Day | Span::Week | Span::Month))?;
        let mut pairs = vec![("kind", kind.name().to_owned()), ("on", self.on.to_string())];
        pairs.extend(self.narrowed());
        Some(format!("/reports/print?{}", encoded(&pairs)))
    }

    pub fn days(&self, frame: &Frame) -> String {
        days(frame, self.period)
    }

    pub fn days_before(&self, frame: &Frame) -> String {
        let words = |period: Period| frame.fill("reports.compared", &[&period.from(), &period.to()]);
        self.compared.map(words).unwrap_or_default()
    }

    pub fn is_city(&self, city: &City) -> bool {
        self.city == Some(*city)
    }

    pub fn is_unit(&self, code: &str) -> bool {
        self.unit.as_ref().is_some_and(|unit| unit.as_str() == code)
    }

    pub fn is_event(&self, name: &str) -> bool {
        self.event.as_ref().is_some_and(|event| event.as_str() == name)
    }

    pub fn span_name(&self) -> &'static str {
        self.span.map_or("any", Span::name)
    }
}

pub fn days(frame: &Frame, period: Period) -> String {
    frame.fill("reports.period", &[&period.from(), &period.to()])
}

/// What the selections offer.
pub struct Choices {
    pub cities: Vec<City>,
    /// Codes and names; empty for who is of a unit.
    pub units: Vec<(String, String)>,
    /// Leaders' events, the latest first.
    pub events: Vec<String>,
}

impl Choices {
    pub async fn read(store: &Store, frame: &Frame) -> Result<Choices, Problem> {
        let cities = own_cities(frame);
        let mut units = Vec::new();
        if frame.asking.caller.unit.is_none() {
            for city in &cities {
                let of_city = store.units(Some(*city)).await.map_err(failed)?;
                units.extend(of_city.into_iter().map(|unit| {
                    let name = if frame.language() == Language::Bo { &unit.bo } else { &unit.zh };
                    (unit.code.to_string(), name.to_string())
                }));
            }
        }
        let events = store.events(&cities, frame.asking.caller.unit.as_ref()).await.map_err(failed)?;
        Ok(Choices { cities, units, events })
    }
}

/// The cities that whoever asks sees.
pub fn own_cities(frame: &Frame) -> Vec<City> {
    City::ALL.into_iter().filter(|city| frame.asking.caller.cities.contains(*city)).collect()
}

/// Every dimension a page offers.
pub const DIMENSIONS: [Dimension; 8] = [
    Dimension::City,
    Dimension::Unit,
    Dimension::Group,
    Dimension::Class,
    Dimension::Channel,
    Dimension::Language,
    Dimension::RequestType,
    Dimension::Day,
];
