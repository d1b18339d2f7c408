//! What the hotline goes by: the values that act now, and the key of the configuration that changes each.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::sheet::{Cell, Sheet, Table, show as sheet};
use crate::city::City;
use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::store::Rules;
use crate::ticket::deadline::Limits;
use crate::ticket::supervision::Thresholds;

/// A value, where it differs, and what it is called in the configuration.
pub struct Setting {
    key: &'static str,
    value: String,
    /// Cities with a value of their own.
    own: Vec<(City, String)>,
}

impl Setting {
    pub fn everywhere(key: &'static str, value: impl ToString) -> Setting {
        Setting { key, value: value.to_string(), own: Vec::new() }
    }

    /// `of` gives a city's value, or with `None` that of cities without one of their own.
    fn by_city(key: &'static str, of: impl Fn(Option<City>) -> String) -> Setting {
        let value = of(None);
        let own = City::ALL.into_iter().map(|city| (city, of(Some(city)))).filter(|(_, own)| *own != value).collect();
        Setting { key, value, own }
    }

    fn cell(&self, frame: &Frame, column: &str) -> Cell {
        let own = || self.own.iter().map(|(city, value)| format!("{} {value}", frame.name("city", *city)));
        match column {
            "setting" => Cell::text(frame.name("setting", self.key)),
            "value" if self.value.is_empty() => Cell::text("—"),
            "value" => Cell::text(&self.value),
            "elsewhere" => Cell::text(own().collect::<Vec<_>>().join("，")),
            _ => Cell::text(self.key),
        }
    }
}

/// Settings with their keys; where cities differ, if any does.
pub fn table(frame: &Frame, caption: &str, settings: &[Setting]) -> Table {
    let columns: &[&str] = match settings.iter().any(|setting| !setting.own.is_empty()) {
        true => &["setting", "value", "elsewhere", "key"],
        false => &["setting", "value", "key"],
    };
    let row = |setting: &Setting| columns.iter().map(|column| setting.cell(frame, column)).collect();
    Table {
        caption: frame.t(caption).to_owned(),
        columns: columns.iter().map(|column| frame.name("column", *column)).collect(),
        rows: settings.iter().map(row).collect(),
    }
}

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let rules = shared.store.rules();
    let settings = &shared.settings;
    let disk = vec![
        Setting::everywhere("disk.warn_percent", settings.disk_warn_percent),
        Setting::everywhere("disk.stop_percent", settings.disk_stop_percent),
    ];
    let tables = vec![
        table(&frame, "admin.supervision", &supervision(&frame, rules)),
        table(&frame, "admin.limits", &limits(rules)),
        table(&frame, "admin.visit_limits", &visits(&frame, rules)),
        table(&frame, "admin.sign_in_limits", &signing_in(&frame, rules)),
        table(&frame, "admin.quality_limits", &quality(rules)),
        table(&frame, "admin.disk", &disk),
    ];
    let title = frame.t("admin.thresholds").to_owned();
    let hint = frame.t("admin.thresholds_hint").to_owned();
    sheet(&frame, Sheet { title, hint, tables, ..Sheet::default() })
}

fn supervision(frame: &Frame, rules: &Rules) -> Vec<Setting> {
    let everywhere = crate::ticket::supervision::Config { city: Default::default(), ..rules.supervision.clone() };
    let of = |of: &dyn Fn(&Thresholds<'_>) -> String, city: Option<City>| match city {
        Some(city) => of(&rules.supervision.of(city)),
        None => of(&everywhere.of(City::Lhasa)),
    };
    let types = |thresholds: &Thresholds<'_>| {
        thresholds.types.iter().map(|of| frame.name("type", of)).collect::<Vec<_>>().join("、")
    };
    vec![
        Setting::by_city("supervision.matter_tickets", |city| of(&|by| by.matter_tickets.to_string(), city)),
        Setting::by_city("supervision.unit_tickets", |city| of(&|by| by.unit_tickets.to_string(), city)),
        Setting::by_city("supervision.window_days", |city| of(&|by| by.window_days.to_string(), city)),
        Setting::by_city("supervision.types", |city| of(&types, city)),
    ]
}

fn limits(rules: &Rules) -> Vec<Setting> {
    let by_city = |key, value: fn(&Limits) -> u32| {
        let of = |city: Option<City>| city.map_or(&rules.limits, |city| rules.limits(city));
        Setting::by_city(key, |city| value(of(city)).to_string())
    };
    vec![
        by_city("limits.contact_minutes", |limits| limits.contact_minutes),
        by_city("limits.undispatched_shown_after_minutes", |limits| limits.undispatched_shown_after_minutes),
        by_city("limits.unsigned_shown_after_minutes", |limits| limits.unsigned_shown_after_minutes),
        by_city("limits.citizen_working_days", |limits| limits.citizen_working_days.count()),
        by_city("limits.enterprise_working_days", |limits| limits.enterprise_working_days.count()),
        by_city("limits.extension_at_most_working_days", |limits| limits.extension_at_most_working_days.count()),
        by_city("limits.redo_working_days", |limits| limits.redo_working_days.count()),
        by_city("limits.return_within_working_days", |limits| limits.return_within_working_days.count()),
        by_city("limits.suspension_review_within_days", |limits| limits.suspension_review_within_days),
        by_city("limits.step_up_after_working_days", |limits| limits.step_up_after_working_days.count()),
        by_city("limits.reopen_within_days", |limits| limits.reopen_within_days),
    ]
}

fn visits(frame: &Frame, rules: &Rules) -> Vec<Setting> {
    let visits = &rules.visits;
    let own = |city: Option<City>| city.and_then(|city| visits.city.get(&city));
    let yes = |is: bool| frame.t(if is { "admin.yes" } else { "admin.no" }).to_owned();
    let windows = |city| {
        let windows = own(city).and_then(|own| own.windows.as_ref()).unwrap_or(&visits.windows);
        windows.iter().map(ToString::to_string).collect::<Vec<_>>().join("、")
    };
    vec![
        Setting::by_city("visits.calls", |city| yes(city.map_or(visits.calls, |city| visits.calls_in(city)))),
        Setting::by_city("visits.windows", windows),
        Setting::everywhere("visits.attempts", visits.attempts),
        Setting::everywhere("visits.apart_minutes", visits.apart_minutes),
        Setting::everywhere("visits.calls_a_number_a_day", visits.calls_a_number_a_day),
        Setting::everywhere("visits.surveys_a_number_a_day", visits.surveys_a_number_a_day),
        Setting::everywhere("visits.line_trouble_retries", visits.line_trouble_retries),
        Setting::everywhere("visits.ring_timeout_s", visits.ring_timeout_s),
        Setting::everywhere("visits.continue_within_hours", visits.continue_within_hours),
    ]
}

fn signing_in(frame: &Frame, rules: &Rules) -> Vec<Setting> {
    let access = &rules.access;
    let roles: Vec<String> = access.second_factor.iter().map(|role| frame.name("role", role)).collect();
    vec![
        Setting::everywhere("access.login_failures", access.login_failures),
        Setting::everywhere("access.address_failures", access.address_failures),
        Setting::everywhere("access.login_wait_minutes", access.login_wait_minutes),
        Setting::everywhere("access.session_idle_minutes", access.session_idle_minutes),
        Setting::everywhere("access.session_hours", access.session_hours),
        Setting::everywhere("access.second_factor", roles.join("、")),
    ]
}

fn quality(rules: &Rules) -> Vec<Setting> {
    let quality = &rules.quality;
    vec![
        Setting::everywhere("quality.per_person", quality.per_person),
        Setting::everywhere("quality.per_city", quality.per_city),
        Setting::everywhere("quality.pass_mark", quality.pass_mark),
        Setting::everywhere("quality.appeal_days", quality.appeal_days),
    ]
}
