//! How long what is kept, what goes soon, and what is under legal hold.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, Utc};

use super::refused::Refused;
use super::sheet::{Button, Cell, Field, Form, Sheet, Table, columns, show as sheet};
use super::thresholds::{Setting, table};
use crate::access::Right;
use crate::city::City;
use crate::console::Shared;
use crate::console::holds::{keep, listed};
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::{Kind, Problem};
use crate::console::query::Parameters;
use crate::store::{Cursor, LegalHold, RecordingsChecked, StoreError};
use crate::ticket::{Line, Number};

/// What will be deleted within so many days is counted.
const SOON_DAYS: u64 = 30;

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    page(&shared, &frame, query.cursor()?.as_ref(), None).await
}

/// Keeps a ticket's recordings beyond their time.
pub async fn hold(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    change(&shared, &frame, fields, true).await
}

/// Lets them go.
pub async fn release(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    change(&shared, &frame, fields, false).await
}

async fn change(shared: &Shared, frame: &Frame, fields: Fields, held: bool) -> Result<Response, Problem> {
    let changed = kept(shared, frame, &fields, held).await;
    match Refused::of(changed, fields)? {
        None => done("/admin/retention", if held { "held" } else { "released" }),
        Some(refused) => page(shared, frame, None, Some((&refused, held))).await,
    }
}

async fn kept(shared: &Shared, frame: &Frame, fields: &Fields, held: bool) -> Result<(), Problem> {
    let ticket: Number = fields.needed("ticket")?;
    let reason: Line = fields.needed("reason")?;
    let kept = keep(shared, &frame.asking, ticket, &reason, held).await;
    kept.map(drop).map_err(|problem| match problem.kind() {
        Kind::NotFound => problem.parameter("ticket"),
        _ => problem,
    })
}

/// `refused` is the form to hold, or to release, that has come back.
async fn page(
    shared: &Shared,
    frame: &Frame,
    cursor: Option<&Cursor>,
    refused: Option<(&Refused, bool)>,
) -> Result<Response, Problem> {
    let holds = listed(shared, &frame.asking, crate::console::query::DEFAULT_LIMIT, cursor).await?;
    let actors = holds.items.iter().map(|hold| hold.actor);
    let names = shared.store.actor_names(actors).await.map_err(|error| failed(&error))?;
    let row = |hold: &LegalHold| {
        let who = names.get(&hold.actor).map_or_else(|| hold.actor.to_string(), |actor| actor.name.clone());
        held(frame, hold, who)
    };
    let held = Table {
        caption: frame.t("admin.holds").to_owned(),
        columns: columns(frame, &["ticket", "city", "since", "actor", "reason", "release"]),
        rows: holds.items.iter().map(row).collect(),
    };
    let form = Form {
        title: frame.t("admin.hold_one").to_owned(),
        action: "/admin/retention/hold".to_owned(),
        fields: vec![Field::line(frame, "ticket", "").needed(), Field::line(frame, "reason", "").needed()],
        button: frame.t("listening.hold").to_owned(),
        ..Form::default()
    };
    let form = form.after(frame, refused.filter(|(_, to_hold)| *to_hold).map(|(refused, _)| refused));
    let not_released = refused.filter(|(_, to_hold)| !to_hold).map(|(refused, _)| refused.words(frame));
    let page = Sheet {
        title: frame.t("admin.retention").to_owned(),
        hint: frame.t("admin.retention_hint").to_owned(),
        warning: not_released.unwrap_or_default(),
        tables: vec![periods(shared, frame), outlook(shared, frame).await?, checked(shared, frame).await?, held],
        forms: vec![form],
        links: holds
            .next
            .map(|next| vec![(format!("/admin/retention?cursor={next}"), frame.t("admin.more_holds").to_owned())])
            .unwrap_or_default(),
        ..Sheet::default()
    };
    sheet(frame, page.after(refused.map(|(refused, _)| refused)))
}

fn failed(error: &StoreError) -> Problem {
    Problem::internal("retention", error)
}

fn held(frame: &Frame, hold: &LegalHold, who: String) -> Vec<Cell> {
    let ticket = match frame.may(Right::ReadTickets) {
        true => Cell::link(hold.ticket, format!("/tickets/{}", hold.ticket)),
        false => Cell::text(hold.ticket),
    };
    let release = Button {
        action: "/admin/retention/release".to_owned(),
        label: frame.t("listening.release_do").to_owned(),
        danger: true,
        hidden: vec![("ticket", hold.ticket.to_string())],
        asks: Some(("reason", frame.name("column", "reason"))),
    };
    vec![
        ticket,
        Cell::text(frame.name("city", hold.ticket.city())),
        Cell::text(frame.time(hold.at)),
        Cell::text(who),
        Cell::text(&hold.reason),
        Cell::button(release),
    ]
}

/// What is in force.
fn periods(shared: &Shared, frame: &Frame) -> Table {
    let settings = &shared.settings;
    let rows = [
        Setting::everywhere("retention.recordings_days", settings.recordings_days),
        Setting::everywhere("retention.delivered_days", settings.delivered_days),
        Setting::everywhere("retention.idempotency_days", settings.idempotency_days),
    ];
    table(frame, "admin.periods", &rows)
}

/// Recordings of the cities of whoever looks.
async fn outlook(shared: &Shared, frame: &Frame) -> Result<Table, Problem> {
    let kept = Days::new(shared.settings.recordings_days.into());
    let soon = shared.clock.wall() + Days::new(SOON_DAYS);
    let before = soon.checked_sub_days(kept).unwrap_or(chrono::DateTime::<Utc>::UNIX_EPOCH);
    let outlook = shared.store.recordings_outlook(before).await.map_err(|error| failed(&error))?;
    let cities = City::ALL.into_iter().filter(|city| frame.asking.caller.cities.contains(*city));
    let row = |city: City| {
        let of = outlook.get(&city).copied().unwrap_or_default();
        vec![Cell::text(frame.name("city", city)), Cell::text(of.due), Cell::text(of.held)]
    };
    Ok(Table {
        caption: frame.fill("admin.outlook", &[&SOON_DAYS]),
        columns: columns(frame, &["city", "due", "held"]),
        rows: cities.map(row).collect(),
    })
}

/// What was found when this machine's files were last held against the rows.
async fn checked(shared: &Shared, frame: &Frame) -> Result<Table, Problem> {
    let checked = shared.store.recordings_checked(&shared.settings.node).await.map_err(|error| failed(&error))?;
    let count = |found: u64| match found {
        0 => Cell::badge("0", "ok"),
        found => Cell::badge(found, "late"),
    };
    let row = |found: RecordingsChecked| {
        vec![Cell::text(frame.time(found.at)), count(found.without_row), count(found.without_file)]
    };
    Ok(Table {
        caption: frame.t("admin.checked").to_owned(),
        columns: columns(frame, &["at", "without_row", "without_file"]),
        rows: checked.into_iter().map(row).collect(),
    })
}
