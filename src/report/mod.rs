//! Reports for people: tables over a period, compared with the period before, as files, and what rises.

pub mod chart;
pub mod csv;
pub mod diagram;
mod grid;
mod list;
mod name;
mod period;
mod sheet;
mod table;
mod trend;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use grid::{Cell, Column};
pub use list::{CsvTickets, TICKET_COLUMNS, ticket_cells, tickets_as_sheet};
pub use name::named;
pub use period::{BadPeriod, MAX_DAYS, Period, Span};
pub use sheet::{MAX_ROWS, Sheet, SheetError};
pub use table::{Row, Table, table};
pub use trend::{monday, rising};

pub use crate::ticket::figure;

/// The section `[reports]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A class rises when the last seven days bring at least so many times the weekly mean of the four weeks before …
    pub trend_factor: u32,
    /// … and at least so many requests.
    pub trend_at_least: u32,
    /// So long a request counts days that have changed, where nobody has counted them yet; then it gets 503 and what is
    /// counted stays. Less than a request may take in all (`http.request_timeout_ms`).
    pub count_for_ms: u64,
}

impl Config {
    pub fn count_for(&self) -> Duration {
        Duration::from_millis(self.count_for_ms)
    }
}

impl Default for Config {
    fn default() -> Config {
        Config { trend_factor: 3, trend_at_least: 5, count_for_ms: 7_000 }
    }
}
