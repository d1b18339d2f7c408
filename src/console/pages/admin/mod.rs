//! `/admin` and `/audit`: what the hotline works by, who may enter, what went wrong, who did what.

mod audit;
mod calendar;
mod catalogue;
mod flow;
mod knowledge;
mod lines;
mod operate;
mod people;
mod prompts;
mod refused;
mod retention;
mod sheet;
mod spoken;
mod thresholds;
mod voice;

use axum::response::Response;
use axum::routing::{get, post};

use super::{Frame, form, page, read, see, send, upload};
use crate::access::Right;
use crate::console::problem::Problem;
use crate::console::routes::Route;

/// Of a calendar's file.
const FILE_BYTES: usize = 256 * 1024;

/// Of a recording: two minutes of a studio's 48 kHz, 24 bits and two channels.
const RECORDING_BYTES: usize = 36 << 20;

/// The sections, in their order, with the right that each asks for.
const SECTIONS: &[(&str, &str, Right)] = &[
    ("/admin/units", "admin.units", Right::EditCatalogue),
    ("/admin/classes", "admin.classes", Right::EditCatalogue),
    ("/admin/reasons", "admin.reasons", Right::EditCatalogue),
    ("/admin/knowledge", "admin.knowledge", Right::EditKnowledge),
    ("/admin/users", "admin.users", Right::ManageAccounts),
    ("/admin/clients", "admin.clients", Right::ManageAccounts),
    ("/admin/lines", "admin.lines", Right::Operate),
    ("/admin/thresholds", "admin.thresholds", Right::Operate),
    ("/admin/calendar", "admin.calendar", Right::EditCalendar),
    ("/admin/retention", "admin.retention", Right::Hold),
    ("/admin/visits", "admin.visits", Right::Supervise),
    ("/admin/outbox", "admin.outbox", Right::Operate),
    ("/admin/prompts", "admin.prompts", Right::EditCatalogue),
    ("/admin/flow", "admin.flow", Right::EditCatalogue),
    ("/audit", "admin.audit", Right::ReadAudit),
];

pub fn routes() -> Vec<Route> {
    use Right::*;
    vec![
        read("/admin", page(Own, &[]), get(first)),
        read("/admin/units", page(EditCatalogue, &["city"]), get(catalogue::units)),
        read("/admin/units/edit", page(EditCatalogue, &["code"]), get(catalogue::edit_unit)),
        send("/admin/units", form(EditCatalogue), post(catalogue::keep_unit)),
        read("/admin/classes", page(EditCatalogue, &[]), get(catalogue::classes)),
        read("/admin/classes/edit", page(EditCatalogue, &["code"]), get(catalogue::edit_class)),
        send("/admin/classes", form(EditCatalogue), post(catalogue::keep_class)),
        read("/admin/reasons", page(EditCatalogue, &[]), get(catalogue::reasons)),
        read("/admin/reasons/edit", page(EditCatalogue, &["kind", "code"]), get(catalogue::edit_reason)),
        send("/admin/reasons", form(EditCatalogue), post(catalogue::keep_reason)),
        read("/admin/knowledge", page(EditKnowledge, &["city"]), get(knowledge::list)),
        read("/admin/knowledge/edit", page(EditKnowledge, &["id"]), get(knowledge::edit)),
        send("/admin/knowledge", form(EditKnowledge), post(knowledge::keep)),
        read("/admin/knowledge/{id}/spoken", page(EditKnowledge, &[]), get(spoken::show)),
        send("/admin/knowledge/{id}/spoken", upload(EditKnowledge, RECORDING_BYTES), post(spoken::replace)),
        read("/admin/users", page(ManageAccounts, &[]), get(people::users)),
        send("/admin/users", form(ManageAccounts), post(people::add_user)),
        read("/admin/users/{name}", page(ManageAccounts, &[]), get(people::user)),
        send("/admin/users/{name}", form(ManageAccounts), post(people::change_user)),
        send("/admin/users/{name}/sessions/end", form(ManageAccounts), post(people::end_sessions)),
        send("/admin/users/{name}/second-factor/remove", form(ManageAccounts), post(people::remove_second_factor)),
        read("/admin/clients", page(ManageAccounts, &[]), get(people::clients)),
        send("/admin/clients", form(ManageAccounts), post(people::add_client)),
        send("/admin/clients/{name}/revoke", form(ManageAccounts), post(people::revoke_client)),
        read("/admin/calendar", page(EditCalendar, &[]), get(calendar::show)),
        send("/admin/calendar/preview", upload(EditCalendar, FILE_BYTES), post(calendar::preview)),
        send("/admin/calendar", form(EditCalendar), post(calendar::import)),
        read("/admin/lines", page(Operate, &[]), get(lines::show)),
        read("/admin/thresholds", page(Operate, &[]), get(thresholds::show)),
        read("/admin/retention", page(Hold, &["cursor"]), get(retention::show)),
        send("/admin/retention/hold", form(Hold), post(retention::hold)),
        send("/admin/retention/release", form(Hold), post(retention::release)),
        read("/admin/visits", page(Supervise, &[]), get(operate::visits)),
        send("/admin/visits/pause", form(Supervise), post(operate::pause)),
        send("/admin/visits/resume", form(Supervise), post(operate::resume)),
        read("/admin/outbox", page(Operate, &["state", "cursor"]), get(operate::outbox)),
        send("/admin/outbox/{id}/retry", form(Operate), post(operate::retry)),
        read("/admin/prompts", page(EditCatalogue, prompts::KEYS), get(prompts::show)),
        read("/admin/prompts/{id}", page(EditCatalogue, &[]), get(prompts::one)),
        read("/admin/prompts/{id}/{language}/audio", page(EditKnowledge, &[]), get(voice::audio)),
        send("/admin/prompts/{id}/{language}", upload(EditCatalogue, RECORDING_BYTES), post(prompts::replace)),
        send("/admin/prompts/{id}/{language}/restore", form(EditCatalogue), post(prompts::restore)),
        read("/admin/flow", page(EditCatalogue, &["name"]), get(flow::show)),
        read("/audit", page(ReadAudit, audit::KEYS), get(audit::show)),
        read("/audit/file", page(ReadAudit, audit::KEYS), get(audit::file)),
    ]
}

/// To the first section that whoever looks may enter.
async fn first(frame: Frame) -> Result<Response, Problem> {
    match sheet::tabs(&frame).first() {
        Some(tab) => see(tab.path),
        None => Err(Problem::new(crate::console::problem::Kind::Forbidden, "There is nothing to administer for you.")),
    }
}
