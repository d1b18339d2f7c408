//! The numbers that are served and the trunks that bring calls: as the configuration has them, and how they are now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::sheet::{Cell, Sheet, Table, columns, show as sheet};
use super::thresholds::{Setting, table};
use crate::call::line::{Line, Mode};
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::console::{Shared, TrunkSettings};
use crate::ivr::Profile;
use crate::live::TrunkNow;

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let settings = &shared.settings;
    let numbers = Table {
        caption: frame.t("admin.numbers").to_owned(),
        columns: columns(&frame, &["number", "city", "mode", "profile", "flow", "visit_flow"]),
        rows: settings.lines.iter().map(|line| number(&frame, line)).collect(),
    };
    let now = shared.live.trunks();
    let row = |of: &TrunkSettings| trunk(&frame, of, now.iter().find(|now| now.name == of.name));
    let names =
        ["trunk", "state", "address", "number", "registers", "priority", "channels", "kept_for_inbound", "caller_ids"];
    let trunks = Table {
        caption: frame.t("admin.trunks").to_owned(),
        columns: columns(&frame, &names),
        rows: settings.trunks.iter().map(row).collect(),
    };
    let limits = [
        Setting::everywhere("sip.allow", settings.networks),
        Setting::everywhere("calls.max_calls", settings.max_calls),
        Setting::everywhere("dialer.max_calls", settings.dialer_max_calls),
        Setting::everywhere("dialer.calls_per_second", settings.dialer_calls_per_second),
    ];
    let limits = table(&frame, "admin.line_limits", &limits);
    let title = frame.t("admin.lines").to_owned();
    let hint = frame.t("admin.lines_hint").to_owned();
    sheet(&frame, Sheet { title, hint, tables: vec![numbers, trunks, limits], ..Sheet::default() })
}

fn number(frame: &Frame, line: &Line) -> Vec<Cell> {
    let mode = match line.mode {
        Mode::Absorbed => "absorbed",
        Mode::Parallel => "parallel",
        Mode::SubCentre => "sub_centre",
    };
    let profile = match line.profile {
        Profile::SelfService => "self_service",
        Profile::HumanFirst => "human_first",
    };
    let flow = |own: Option<&std::path::PathBuf>| match own {
        Some(path) => Cell::text(path.display()),
        None => Cell::text(frame.t("admin.built_in")),
    };
    vec![
        Cell::text(&line.number),
        Cell::text(frame.name("city", line.city)),
        Cell::text(frame.name("line_mode", mode)),
        Cell::text(frame.name("line_profile", profile)),
        flow(line.flow.as_ref()),
        flow(line.visit_flow.as_ref()),
    ]
}

fn trunk(frame: &Frame, of: &TrunkSettings, now: Option<&TrunkNow>) -> Vec<Cell> {
    let state = match now.map(|now| now.ailment) {
        Some(None) => Cell::badge(frame.t("board.up"), "ok"),
        Some(Some(ailment)) => Cell::badge(frame.name("ailment", ailment), "late"),
        None => Cell::badge(frame.t("admin.not_yet_known"), "quiet"),
    };
    let shown = |(city, number): &(Option<crate::city::City>, String)| {
        let whose = city.map_or_else(|| frame.t("admin.other_cities").to_owned(), |city| frame.name("city", city));
        format!("{whose} {number}")
    };
    let caller_ids: Vec<String> = of.caller_ids.iter().map(shown).collect();
    let [priority, channels, kept] = match of.calls_out {
        true => {
            let used = frame.fill("admin.channels_used", &[&now.map_or(0, |now| now.calls), &of.channels]);
            [of.priority.to_string(), used, of.kept_for_inbound.to_string()]
        }
        false => [frame.t("admin.no_calls_out").to_owned(), String::new(), String::new()],
    };
    vec![
        Cell::text(&of.name),
        state,
        Cell::text(&of.address),
        Cell::text(of.number.as_deref().unwrap_or_default()),
        Cell::text(if of.registers { frame.t("admin.yes") } else { "" }),
        Cell::text(priority),
        Cell::text(channels),
        Cell::text(kept),
        Cell::text(caller_ids.join("，")),
    ]
}
