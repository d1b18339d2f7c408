//! `/api/openapi.json`: what utoipa reads from the handlers, completed from the table of routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};

use super::observe::REQUEST_ID;
use super::problem::{Kind, ProblemDocument};
use super::query::{DEFAULT_LIMIT, MAX_LIMIT};
use super::routes::{self, Access, Rule};
use super::{
    accounts, audit, calendar, calls, catalogue, clients, exports, health, holds, live, open311, outbox, overview,
    recordings, reports, reviews, schema, sessions, supervision, tickets, visits,
};
use crate::city::City;
use crate::language::Language;
use crate::store::VisitStep;
use crate::ticket::quality::ReviewState;
use crate::ticket::{Action, Alarm, Channel, Direction, ReasonKind, RecordingKind, RequestType, TemplateKind, Urgency};

const SCHEME: &str = "token";

/// Problems that any route can answer with.
const EVERYWHERE: [Kind; 2] = [Kind::Internal, Kind::TimedOut];
const WITHOUT_BODY: [Kind; 2] = [Kind::BadQuery, Kind::BodyNotAccepted];
const WITH_BODY: [Kind; 3] = [Kind::BadBody, Kind::BodyTooLarge, Kind::MediaType];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "hotline",
        description = "The government service hotline 12345: tickets, recordings and calls.\n\n\
            HEAD answers as GET does, without a body. Times are RFC 3339 in UTC, days are of Beijing. Phone numbers are \
            masked. Lists have the newest first and answer `items` and `next`: ask again with \
            `cursor` set to `next` and all else unchanged until it is null. Errors are problem documents (RFC 9457) \
            whose `type` leads into this document. Every answer has an `X-Request-Id`, under which the log knows it.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        health::alive,
        health::ready,
        health::metrics,
        serve,
        tickets::list,
        tickets::one,
        tickets::file,
        tickets::due,
        tickets::give,
        tickets::reveal,
        tickets::attach,
        tickets::download,
        catalogue::classes,
        catalogue::put_class,
        catalogue::units,
        catalogue::put_unit,
        catalogue::reasons,
        catalogue::put_reason,
        catalogue::knowledge,
        catalogue::put_knowledge,
        catalogue::templates,
        catalogue::put_template,
        calendar::read,
        calendar::import,
        tickets::matches,
        overview::read,
        supervision::list,
        supervision::open,
        supervision::step,
        supervision::end,
        audit::list,
        outbox::list,
        outbox::retry,
        open311::discovery,
        open311::list,
        open311::one,
        open311::file,
        sessions::sign_in,
        sessions::sign_out,
        sessions::end_all,
        sessions::me,
        sessions::change_password,
        accounts::list,
        accounts::add,
        accounts::change,
        accounts::end_sessions,
        accounts::remove_second_factor,
        clients::list,
        clients::add,
        clients::revoke,
        recordings::audio,
        recordings::list,
        recordings::peaks,
        recordings::download,
        reviews::list,
        reviews::agreement,
        reviews::one,
        reviews::score,
        reviews::appeal,
        reviews::decide,
        holds::list,
        holds::hold,
        holds::release,
        reports::trends,
        reports::report,
        reports::behind,
        exports::tickets,
        calls::list,
        calls::one,
        live::calls,
        live::events,
        visits::list,
        visits::tasks,
        visits::one,
        visits::skip,
        visits::answers,
        visits::paused,
        visits::pause,
        visits::resume,
        visits::opt_outs,
        visits::opt_out,
        visits::opt_back,
        visits::sms_reply
    ),
    components(schemas(ProblemDocument)),
    tags(
        (name = "tickets", description = "Requests of citizens and enterprises (工单)."),
        (name = "visits", description = "Return visits (回访): plans, attempts, answers."),
        (name = "quality", description = "How well requests are handled (质检): samples, scores, appeals."),
        (name = "reports", description = "Figures and rates, and lists as files."),
        (name = "catalogue", description = "Classes, units, reasons, knowledge, and announced days off."),
        (name = "access", description = "Sessions, accounts of people, tokens of other systems."),
        (name = "supervision", description = "Matters and units that many complain about (督办)."),
        (name = "audit", description = "Who did what, when."),
        (name = "open311", description = "Open311 GeoReport v2, JSON and XML; errors are `[{code, description}]`."),
        (name = "calls", description = "Calls and what happened in them."),
        (name = "live", description = "What is happening now."),
        (name = "operation", description = "For the machine that watches this one.")
    )
)]
struct Document;

/// The whole document as JSON.
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> =
        LazyLock::new(|| complete().to_pretty_json().expect("an OpenAPI document is made of strings and numbers"));
    &DOCUMENT
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "read_openapi",
    tag = "operation",
    responses((status = 200, body = serde_json::Value, content_type = "application/json"))
)]
pub async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}

fn complete() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for route in routes::all() {
        let item = document.paths.paths.get_mut(route.path);
        let operation = item.and_then(|item| operation(item, &route.method));
        let operation = operation.expect("every route is among `paths` above");
        describe(operation, &route.rule);
    }
    let sent = sent(&document);
    let components = document.components.get_or_insert_default();
    for (name, schema) in &mut components.schemas {
        if sent.contains(name) {
            continue; // what may be left out of a request is left out
        }
        if let RefOr::T(schema) = schema {
            settle(name, schema);
        }
    }
    for kind in Kind::ALL {
        components.responses.insert(kind.slug().to_owned(), RefOr::T(problem(kind)));
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session's token, a client's, or the line in the file `api-token` of the data folder."))
        .build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    document
}

/// The names of what clients send.
fn sent(document: &utoipa::openapi::OpenApi) -> BTreeSet<String> {
    let operations = document.paths.paths.values().flat_map(|item| [&item.post, &item.put].into_iter().flatten());
    let bodies = operations.filter_map(|operation| match operation.request_body.as_ref() {
        Some(RefOr::T(body)) => Some(body),
        _ => None,
    });
    let schemas = bodies.flat_map(|body| body.content.values()).filter_map(|content| match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    });
    let names = schemas.filter_map(|schema| match schema {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    });
    names.collect()
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Says what the derive can't know: a list's items are of a named type, and a member without a value is null, not
/// left out (but for a problem's).
fn settle(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) => {
            if let Some(item) = name.strip_prefix("Page_").or_else(|| name.strip_prefix("Entries_")) {
                let items = ArrayBuilder::new().items(Ref::from_schema_name(item));
                object.properties.insert("items".to_owned(), items.into());
            }
            if name != ProblemDocument::name() {
                object.required = object.properties.keys().cloned().collect();
            }
        }
        Schema::AllOf(all) => {
            for part in &mut all.items {
                if let RefOr::T(part) = part {
                    settle(name, part);
                }
            }
        }
        _ => {}
    }
}

fn describe(operation: &mut Operation, rule: &Rule) {
    if let Access::Right(right) = rule.access {
        let needs = format!("Needs the right `{right}`.");
        operation.description = Some(match operation.description.take() {
            Some(words) => format!("{words}\n\n{needs}"),
            None => needs,
        });
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, [])]);
    }
    operation.parameters.get_or_insert_default().extend(rule.keys.iter().map(|key| RefOr::T(parameter(key))));
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        // OpenAPI wants a description of every response
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description.clone_from(&summary);
        }
    }
    let of_the_body = if rule.body.is_some() { &WITH_BODY[..] } else { &WITHOUT_BODY[..] };
    let mut problems: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for kind in EVERYWHERE.iter().chain(of_the_body).chain(rule.problems) {
        problems.entry(kind.status().as_u16().to_string()).or_default().push(*kind);
    }
    for (status, kinds) in problems {
        let response = match kinds[..] {
            [kind] => RefOr::Ref(Ref::from_response_name(kind.slug())),
            _ => RefOr::T(one_of(&kinds)),
        };
        operation.responses.responses.insert(status, response);
    }
}

/// Problems that share a status: their `type` tells them apart.
fn one_of(kinds: &[Kind]) -> Response {
    let words: Vec<String> = kinds.iter().map(|kind| format!("{} (`{}`).", kind.title(), kind.slug())).collect();
    let body = Ref::from_schema_name(ProblemDocument::name().into_owned());
    ResponseBuilder::new()
        .description(words.join(" "))
        .content("application/problem+json", ContentBuilder::new().schema(Some(body)).build())
        .build()
}

fn problem(kind: Kind) -> Response {
    let body = Ref::from_schema_name(ProblemDocument::name().into_owned());
    let mut response = ResponseBuilder::new()
        .description(format!("{}.", kind.title()))
        .content("application/problem+json", ContentBuilder::new().schema(Some(body)).build());
    let header = |words: &str| {
        let mut header = utoipa::openapi::Header::new(ObjectBuilder::new().schema_type(Type::String));
        header.description = Some(words.to_owned());
        header
    };
    response = response.header(REQUEST_ID.as_str(), header("Finds the request in the log."));
    match kind {
        Kind::Unauthorized => response.header("www-authenticate", header("RFC 6750.")),
        Kind::MethodNotAllowed => response.header("allow", header("The methods that are.")),
        Kind::Busy | Kind::RecordingOpen | Kind::TooManyTries | Kind::NotCounted => {
            response.header("retry-after", header("Seconds to wait."))
        }
        Kind::RangeNotSatisfiable => response.header("content-range", header("The recording's length.")),
        _ => response,
    }
    .build()
}

fn parameter(key: &str) -> Parameter {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let flag = || ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
    let (words, schema) = match key {
        "phone" => ("Only of this phone number, in any of its spellings.", text()),
        "city" => ("Only of this city.", schema::names(City::ALL)),
        "from" => ("Not before this RFC 3339 time, or this day (YYYY-MM-DD) in Beijing.", text()),
        "to" => ("Before this RFC 3339 time, or not after this day (YYYY-MM-DD) in Beijing.", text()),
        "subject" => ("Only acts upon this: a ticket's number, `account ID`, `calendar` and the like.", text()),
        "actor" => ("Only acts of this actor, as `account ID` or `system`.", text()),
        "action" => ("Only this action.", schema::names(Action::ALL)),
        "name" => ("The file's name.", text()),
        "reason" => ("Why, for the audit.", text()),
        "week" => ("Only of the week that this day (YYYY-MM-DD) is in.", text()),
        "from_week" => ("From the week on that this day is in.", text()),
        "to_week" => ("Up to the week that this day is in.", text()),
        "review_state" => ("Only in this state.", schema::names(ReviewState::ALL)),
        "ticket" => ("Only of this ticket.", text()),
        "phone_end" => ("Only of numbers that end with these four digits.", text().pattern(Some("^[0-9]{4}$"))),
        "direction" => ("Only of calls that came in, or went out.", schema::names(Direction::ALL)),
        "recording_kind" => ("Only of this kind.", schema::names(RecordingKind::ALL)),
        "min_s" => ("At least so many seconds long.", ObjectBuilder::new().schema_type(Type::Integer)),
        "max_s" => ("At most so many seconds long.", ObjectBuilder::new().schema_type(Type::Integer)),
        "satisfaction" => {
            ("Only of tickets whose requester is so satisfied, 5 to 1; several with commas between them.", text())
        }
        "answered" => ("Only of calls in which questions of a return visit were answered.", flag()),
        "period" => {
            ("A day, a week, a month or a year: 2026-11-22, 2026-W48, 2026-11 or 2026. This month without it.", text())
        }
        "compare" => ("The same of the period before.", schema::names(["previous"])),
        "format" => ("As a file.", schema::names(exports::Form::ALL)),
        "figure" => ("The name of a figure that the report shows.", text()),
        "key" => ("The key of a row; empty for what has no value.", text()),
        "kind" => ("Only of this kind.", schema::names(ReasonKind::ALL)),
        "template_kind" => ("Only of this kind.", schema::names(TemplateKind::ALL)),
        "active" => ("Only those in use, or only those that are retired.", schema::names([true, false])),
        "dry_run" => ("Show what would change, and change nothing.", schema::names([true, false])),
        "ended" => ("Also those that have ended.", ObjectBuilder::new().schema_type(Type::Boolean)),
        "q" => ("Only with all these words in title, place, party, summary or content.", text()),
        "number" => ("Only numbers that begin with these digits.", text().pattern(Some("^[0-9]{1,12}$"))),
        "state" => ("Only in this state, or in one of several with commas between them.", text()),
        "open" => ("Only what is not at its end.", flag()),
        "overdue" => ("Only what should have been answered by now and is not.", flag()),
        "step" => ("Only due visits whose next step this is.", schema::names(VisitStep::ALL)),
        "due" => ("Only visits whose next step is due by now.", flag()),
        "due_before" => ("Only what is due before this day (YYYY-MM-DD).", text()),
        "event" => ("Only what came in at this leaders' event.", text()),
        "unit" => ("Only what this unit leads or assists.", text()),
        "class" => ("Only of this class, or of this group: four digits or two.", text()),
        "type" => ("Only of this type.", schema::names(RequestType::ALL)),
        "channel" => ("Only through this channel.", schema::names(Channel::ALL)),
        "language" => ("Only in this language.", schema::names(Language::ALL.map(Language::code))),
        "urgency" => ("Only of this urgency.", schema::names(Urgency::ALL)),
        "asked" => ("Only where an extension, a suspension or an exclusion waits for a decision.", flag()),
        "supervised" => ("Only what is supervised at this level or higher, 1 to 4.", text()),
        "alarm" => ("Only what the clock has raised this about.", schema::names(Alarm::ALL)),
        "needs_tibetan_speaker" => ("Only Tibetan recordings that have no summary in Chinese yet.", flag()),
        "repeat_of" => ("Only repeats of the ticket with this number.", text()),
        "merged_into" => ("Only what was merged into the ticket with this number.", text()),
        "order" => (
            "`created`: newest first. `due`: by the time left; without `state`, open tickets only. A cursor belongs to \
             its order.",
            text().enum_values(Some(["created", "due"])).default(Some("created".into())),
        ),
        "cursor" => ("The `next` of the page before.", text()),
        _ => (
            "How many items at most.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(Some(1))
                .maximum(Some(MAX_LIMIT))
                .default(Some(DEFAULT_LIMIT.into())),
        ),
    };
    ParameterBuilder::new()
        .name(key)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(schema))
        .build()
}
