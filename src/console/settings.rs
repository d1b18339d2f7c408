//! What the configuration says, as far as pages show it. Nothing here is a secret.

use crate::call::line::Line;
use crate::city::City;

/// Set in the configuration; the app fills it in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// This machine, as rows name it.
    pub node: String,
    /// The numbers served, as the configuration lists them.
    pub lines: Vec<Line>,
    pub trunks: Vec<TrunkSettings>,
    /// How many networks SIP is answered to.
    pub networks: usize,
    /// Calls at a time; one more hears busy.
    pub max_calls: usize,
    /// Return visits called at a time, of all nodes together.
    pub dialer_max_calls: u32,
    pub dialer_calls_per_second: u32,
    /// In percent that are free.
    pub disk_warn_percent: u8,
    pub disk_stop_percent: u8,
    pub recordings_days: u32,
    pub delivered_days: u32,
    pub idempotency_days: u32,
}

/// A provider.
#[derive(Clone, Debug, Default)]
pub struct TrunkSettings {
    pub name: String,
    /// We register there.
    pub registers: bool,
    /// Where it is: host and port.
    pub address: String,
    /// Our own number there.
    pub number: Option<String>,
    pub calls_out: bool,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Calls that it carries at a time, and how many of them calls out leave.
    pub channels: usize,
    pub kept_for_inbound: usize,
    /// What those who are called see, by city; `None`: in all others.
    pub caller_ids: Vec<(Option<City>, String)>,
}
