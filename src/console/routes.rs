//! The table of routes: the router and the OpenAPI document are both made of it.

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::problem::Kind;
use super::{
    Shared, accounts, audit, calendar, calls, catalogue, clients, exports, health, holds, live, open311, openapi,
    outbox, overview, pages, recordings, reports, reviews, sessions, supervision, tickets, visits,
};
use crate::access::Right;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches the port. Nothing about a citizen is there.
    Open,
    /// The Open311 interface: its own keys and its own errors.
    Open311,
    /// Who has a token and with it this right.
    Right(Right),
    /// A page for whoever has signed in and has this right.
    Page(Right),
    /// A page for everybody: to sign in, and what pages look like.
    OpenPage,
}

/// What stands before a route.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub access: Access,
    /// The query parameters it takes.
    pub keys: &'static [&'static str],
    /// The most bytes of a body; `None`: no body.
    pub body: Option<usize>,
    /// The problems it answers with beside those that every route has.
    pub problems: &'static [Kind],
}

pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub rule: Rule,
    pub handler: MethodRouter<Arc<Shared>>,
}

/// A route as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    pub takes_body: bool,
}

/// Every path the API answers at.
pub fn entries() -> Vec<Entry> {
    all().into_iter().map(entry).collect()
}

/// Every path of the pages.
pub fn page_entries() -> Vec<Entry> {
    pages::routes().into_iter().map(entry).collect()
}

fn entry(route: Route) -> Entry {
    let Rule { access, body, .. } = route.rule;
    Entry { method: route.method, path: route.path, access, takes_body: body.is_some() }
}

/// Of a JSON document.
const JSON_BYTES: usize = 256 * 1024;
/// Of names and passwords, from whoever reaches the port.
pub const CREDENTIAL_BYTES: usize = 4 * 1024;

pub const OPEN: Rule = Rule { access: Access::Open, keys: &[], body: None, problems: &[] };

/// A list.
const fn list(right: Right, keys: &'static [&'static str]) -> Rule {
    Rule {
        access: Access::Right(right),
        keys,
        body: None,
        problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::Busy],
    }
}

/// One thing.
const fn one(right: Right) -> Rule {
    let problems = &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Busy];
    Rule { access: Access::Right(right), keys: &[], body: None, problems }
}

/// Something is changed by a JSON document; `problems` are the whole list.
const fn change(right: Right, problems: &'static [Kind]) -> Rule {
    Rule { access: Access::Right(right), keys: &[], body: Some(JSON_BYTES), problems }
}

const AUDIO: Rule = Rule {
    keys: recordings::KEYS,
    problems: &[
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::RecordingOpen,
        Kind::Gone,
        Kind::RangeNotSatisfiable,
        Kind::Busy,
    ],
    ..one(Right::Listen)
};
const PEAKS: Rule = Rule {
    problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::RecordingOpen, Kind::Gone, Kind::Busy],
    ..one(Right::Listen)
};
const DOWNLOAD: Rule = Rule { keys: recordings::KEYS, access: Access::Right(Right::Download), ..PEAKS };

const FILE: Rule = change(Right::FileTickets, &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::Busy]);
/// Which commands a caller may give depends on more than one right: the handler decides.
const COMMAND: Rule = change(
    Right::ReadTickets,
    &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Changed, Kind::Refused, Kind::Busy],
);
/// An entry of the catalogue is added or changed.
const ENTRY: [Kind; 5] = [Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Conflict, Kind::Busy];
const EDIT: Rule = change(Right::EditCatalogue, &ENTRY);
const CALENDAR: Rule = Rule {
    keys: calendar::KEYS,
    ..change(Right::EditCalendar, &[Kind::Unauthorized, Kind::Forbidden, Kind::BadQuery, Kind::Busy])
};
const REVEAL: Rule = change(Right::Reveal, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Busy]);
const SUPERVISE: Rule =
    change(Right::Supervise, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Refused, Kind::Busy]);
/// Who may is for the handler to decide, by the ticket.
const ATTACH: Rule = Rule {
    keys: tickets::ATTACHMENT_KEYS,
    body: Some(tickets::MAX_ATTACHMENT_BYTES),
    ..change(Right::ReadTickets, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::BadQuery, Kind::Busy])
};

const REVIEW: Rule =
    change(Right::Score, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Refused, Kind::Busy]);
/// Whose work it is decides who may: the handler.
const APPEAL: Rule = Rule { access: Access::Right(Right::ReadTickets), ..REVIEW };
const HOLD: Rule =
    change(Right::Hold, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Conflict, Kind::Busy]);

const REPORT: Rule = Rule {
    keys: reports::KEYS,
    problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Busy, Kind::NotCounted],
    ..one(Right::ReadReports)
};
const TRENDS: Rule = Rule {
    problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::Busy, Kind::NotCounted],
    ..list(Right::ReadReports, reports::TREND_KEYS)
};
const BEHIND: Rule = Rule { keys: reports::BEHIND_KEYS, ..one(Right::ReadTickets) };
const EXPORT: Rule = Rule {
    problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::Refused, Kind::Busy],
    ..list(Right::Export, exports::KEYS)
};

const ANSWER: Rule = change(
    Right::Receive,
    &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Changed, Kind::Refused, Kind::Busy],
);
const PAUSE: Rule =
    change(Right::Supervise, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Conflict, Kind::Busy]);
const OPT_OUT: Rule = change(Right::Receive, &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::Busy]);
const OPT_BACK: Rule = change(Right::Supervise, &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::Busy]);
const SMS_REPLY: Rule =
    change(Right::ReplyBySms, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Refused, Kind::Busy]);

const OPEN311: Rule = Rule { access: Access::Open311, body: None, ..OPEN };
const OPEN311_FILE: Rule = Rule { body: Some(open311::FORM_BYTES), ..OPEN311 };

const SIGN_IN: Rule =
    Rule { body: Some(CREDENTIAL_BYTES), problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::TooManyTries], ..OPEN };
const END_OWN: Rule =
    Rule { problems: &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::Busy], ..one(Right::Own) };
const OWN_PASSWORD: Rule = Rule {
    body: Some(CREDENTIAL_BYTES),
    ..change(Right::Own, &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::TooManyTries, Kind::Busy])
};
const ADD_ACCESS: Rule =
    change(Right::ManageAccounts, &[Kind::Unauthorized, Kind::Forbidden, Kind::Conflict, Kind::Busy]);
const CHANGE_ACCESS: Rule =
    change(Right::ManageAccounts, &[Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::Busy]);

pub fn all() -> Vec<Route> {
    let read = |path, rule, handler| Route { method: Method::GET, path, rule, handler };
    let send = |path, rule, handler| Route { method: Method::POST, path, rule, handler };
    let replace = |path, rule, handler| Route { method: Method::PUT, path, rule, handler };
    let remove = |path, rule, handler| Route { method: Method::DELETE, path, rule, handler };
    vec![
        read("/healthz", OPEN, get(health::alive)),
        read("/readyz", Rule { problems: &[Kind::NotReady], ..OPEN }, get(health::ready)),
        read("/metrics", OPEN, get(health::metrics)),
        read("/api/openapi.json", OPEN, get(openapi::serve)),
        read("/api/v1/tickets", list(Right::ReadTickets, tickets::KEYS), get(tickets::list)),
        read("/api/v1/tickets/{number}", one(Right::ReadTickets), get(tickets::one)),
        send("/api/v1/tickets", FILE, post(tickets::file)),
        read("/api/v1/tickets/{number}/due", one(Right::ReadTickets), get(tickets::due)),
        send("/api/v1/tickets/{number}/commands", COMMAND, post(tickets::give)),
        send("/api/v1/tickets/{number}/reveal", REVEAL, post(tickets::reveal)),
        send("/api/v1/tickets/{number}/attachments", ATTACH, post(tickets::attach)),
        read("/api/v1/attachments/{id}", one(Right::Listen), get(tickets::download)),
        read("/api/v1/classes", list(Right::ReadCatalogue, catalogue::CLASS_KEYS), get(catalogue::classes)),
        replace("/api/v1/classes/{code}", EDIT, put(catalogue::put_class)),
        read("/api/v1/units", list(Right::ReadCatalogue, catalogue::UNIT_KEYS), get(catalogue::units)),
        replace("/api/v1/units/{code}", EDIT, put(catalogue::put_unit)),
        read("/api/v1/reasons", list(Right::ReadCatalogue, catalogue::REASON_KEYS), get(catalogue::reasons)),
        replace("/api/v1/reasons/{kind}/{code}", EDIT, put(catalogue::put_reason)),
        read("/api/v1/knowledge", list(Right::ReadCatalogue, catalogue::KNOWLEDGE_KEYS), get(catalogue::knowledge)),
        replace("/api/v1/knowledge/{id}", change(Right::EditKnowledge, &ENTRY), put(catalogue::put_knowledge)),
        read(
            "/api/v1/reply-templates",
            list(Right::ReadCatalogue, catalogue::TEMPLATE_KEYS),
            get(catalogue::templates),
        ),
        replace("/api/v1/reply-templates/{id}", change(Right::EditKnowledge, &ENTRY), put(catalogue::put_template)),
        read("/api/v1/calendar", list(Right::ReadCatalogue, &[]), get(calendar::read)),
        replace("/api/v1/calendar", CALENDAR, put(calendar::import)),
        read("/api/v1/tickets/{number}/matches", one(Right::Receive), get(tickets::matches)),
        read("/api/v1/overview", list(Right::ReadTickets, &[]), get(overview::read)),
        read("/api/v1/supervision", list(Right::ReadTickets, supervision::KEYS), get(supervision::list)),
        send("/api/v1/supervision", SUPERVISE, post(supervision::open)),
        send("/api/v1/supervision/{id}/step", SUPERVISE, post(supervision::step)),
        send("/api/v1/supervision/{id}/end", SUPERVISE, post(supervision::end)),
        read("/api/v1/audit", list(Right::ReadAudit, audit::KEYS), get(audit::list)),
        read("/api/v1/outbox", list(Right::Operate, outbox::KEYS), get(outbox::list)),
        send("/api/v1/outbox/{id}/retry", one(Right::Operate), post(outbox::retry)),
        send("/api/v1/session", SIGN_IN, post(sessions::sign_in)),
        remove("/api/v1/session", END_OWN, delete(sessions::sign_out)),
        remove("/api/v1/sessions", END_OWN, delete(sessions::end_all)),
        read("/api/v1/me", list(Right::Own, &[]), get(sessions::me)),
        replace("/api/v1/me/password", OWN_PASSWORD, put(sessions::change_password)),
        read("/api/v1/accounts", list(Right::ManageAccounts, &[]), get(accounts::list)),
        send("/api/v1/accounts", ADD_ACCESS, post(accounts::add)),
        replace("/api/v1/accounts/{name}", CHANGE_ACCESS, put(accounts::change)),
        remove("/api/v1/accounts/{name}/sessions", one(Right::ManageAccounts), delete(accounts::end_sessions)),
        remove(
            "/api/v1/accounts/{name}/second-factor",
            one(Right::ManageAccounts),
            delete(accounts::remove_second_factor),
        ),
        read("/api/v1/clients", list(Right::ManageAccounts, &[]), get(clients::list)),
        send("/api/v1/clients", ADD_ACCESS, post(clients::add)),
        remove("/api/v1/clients/{name}", one(Right::ManageAccounts), delete(clients::revoke)),
        read("/api/v1/recordings/{id}/audio", AUDIO, get(recordings::audio)),
        read("/api/v1/recordings", list(Right::Listen, recordings::SEARCH_KEYS), get(recordings::list)),
        read("/api/v1/recordings/{id}/peaks", PEAKS, get(recordings::peaks)),
        read("/api/v1/recordings/{id}/download", DOWNLOAD, get(recordings::download)),
        read("/api/v1/reviews", list(Right::ReadTickets, reviews::KEYS), get(reviews::list)),
        read("/api/v1/reviews/agreement", list(Right::Score, reviews::AGREEMENT_KEYS), get(reviews::agreement)),
        read("/api/v1/reviews/{id}", one(Right::ReadTickets), get(reviews::one)),
        send("/api/v1/reviews/{id}/scores", REVIEW, post(reviews::score)),
        send("/api/v1/reviews/{id}/appeal", APPEAL, post(reviews::appeal)),
        send("/api/v1/reviews/{id}/decision", REVIEW, post(reviews::decide)),
        read("/api/v1/holds", list(Right::Hold, holds::KEYS), get(holds::list)),
        send("/api/v1/holds/{number}", HOLD, post(holds::hold)),
        send("/api/v1/holds/{number}/release", HOLD, post(holds::release)),
        read("/api/v1/reports/trends", TRENDS, get(reports::trends)),
        read("/api/v1/reports/{dimension}", REPORT, get(reports::report)),
        read("/api/v1/reports/{dimension}/tickets", BEHIND, get(reports::behind)),
        read("/api/v1/exports/tickets", EXPORT, get(exports::tickets)),
        read("/open311/{discovery}", OPEN311, get(open311::discovery)),
        read("/open311/v2/{list}", OPEN311, get(open311::list)),
        send("/open311/v2/{list}", OPEN311_FILE, post(open311::file)),
        read("/open311/v2/{list}/{one}", OPEN311, get(open311::one)),
        read("/api/v1/calls", list(Right::ReadCalls, calls::KEYS), get(calls::list)),
        read("/api/v1/calls/{id}", one(Right::ReadCalls), get(calls::one)),
        read("/api/v1/live/calls", list(Right::ReadLive, &[]), get(live::calls)),
        read("/api/v1/visits", list(Right::ReadVisits, visits::KEYS), get(visits::list)),
        read("/api/v1/visits/tasks", list(Right::Receive, visits::TASK_KEYS), get(visits::tasks)),
        read("/api/v1/visits/{number}", one(Right::ReadVisits), get(visits::one)),
        send("/api/v1/visits/{number}/skip", SUPERVISE, post(visits::skip)),
        send("/api/v1/visits/{number}/answers", ANSWER, post(visits::answers)),
        read("/api/v1/visits/pauses", list(Right::ReadVisits, &[]), get(visits::paused)),
        send("/api/v1/visits/pause", PAUSE, post(visits::pause)),
        send("/api/v1/visits/resume", PAUSE, post(visits::resume)),
        read("/api/v1/visits/opt-outs", list(Right::Receive, visits::OPT_OUT_KEYS), get(visits::opt_outs)),
        send("/api/v1/visits/opt-outs", OPT_OUT, post(visits::opt_out)),
        send("/api/v1/visits/opt-outs/remove", OPT_BACK, post(visits::opt_back)),
        send("/api/v1/visits/sms-reply", SMS_REPLY, post(visits::sms_reply)),
        read("/api/v1/live/events", list(Right::ReadLive, &[]), get(live::events)),
    ]
}
