//! Messages that were given up, and cities whose return visits are paused.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::refused::Refused;
use super::sheet::{Button, Cell, Field, Form, Input, Member, Sheet, Table, body, choices, show};
use crate::city::City;
use crate::console::Shared;
use crate::console::body::{Body, of_value};
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::segment::Segment;
use crate::console::{outbox as messages, visits as calls};
use crate::store::{ListedMessage, MessageState, Paused};

pub async fn outbox(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let state = query.value("state")?.unwrap_or(MessageState::Dead);
    let page = shared.store.messages(state, query.limit()?, query.value("cursor")?.as_ref()).await;
    let page = page.map_err(|error| Problem::internal("outbox", &error))?;
    let is_dead = state == MessageState::Dead;
    let row = |of: &ListedMessage| {
        let retry = Button {
            action: format!("/admin/outbox/{}/retry", of.id),
            label: frame.t("admin.retry").to_owned(),
            danger: false,
            hidden: Vec::new(),
            asks: None,
        };
        let ticket = of.ticket.map(|ticket| Cell::link(ticket, format!("/tickets/{ticket}")));
        vec![
            Cell::text(&of.target.name),
            Cell::text(&of.event),
            ticket.unwrap_or_default(),
            Cell::text(frame.time(of.created_at)),
            Cell::text(of.attempts),
            Cell::text(of.error.as_deref().unwrap_or_default()),
            if is_dead {
                Cell::button(retry)
            } else {
                Cell::text(of.next_at.map(|at| frame.time(at)).unwrap_or_default())
            },
        ]
    };
    let title = frame.t("admin.outbox").to_owned();
    let columns = ["target", "event", "ticket", "created", "attempts", "error", "next"];
    let table = Table {
        caption: frame.t(if is_dead { "admin.dead" } else { "admin.waiting" }).to_owned(),
        columns: columns.iter().map(|of| frame.name("column", *of)).collect(),
        rows: page.items.iter().map(row).collect(),
    };
    let mut links = vec![match is_dead {
        true => ("/admin/outbox?state=waiting".to_owned(), frame.t("admin.waiting").to_owned()),
        false => ("/admin/outbox".to_owned(), frame.t("admin.dead").to_owned()),
    }];
    let state = if is_dead { "dead" } else { "waiting" };
    links.extend(
        page.next
            .map(|cursor| (format!("/admin/outbox?state={state}&cursor={cursor}"), frame.t("admin.more").to_owned())),
    );
    show(&frame, Sheet { title, tables: vec![table], links, ..Sheet::default() })
}

pub async fn retry(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    let _ = messages::retry(State(shared), frame.asking, Segment(id)).await?;
    done("/admin/outbox", "saved")
}

pub async fn visits(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    visits_page(&shared, &frame, None).await
}

async fn visits_page(shared: &Shared, frame: &Frame, refused: Option<&Refused>) -> Result<Response, Problem> {
    let failed = |error| Problem::internal("visits", &error);
    let mut paused = shared.store.paused_visits().await.map_err(failed)?;
    paused.retain(|paused| frame.asking.caller.cities.contains(paused.city));
    let names = shared.store.actor_names(paused.iter().map(|paused| paused.actor)).await.map_err(failed)?;
    let row = |of: &Paused| {
        let resume = Button {
            action: "/admin/visits/resume".to_owned(),
            label: frame.t("admin.resume").to_owned(),
            danger: false,
            hidden: vec![("city", of.city.to_string())],
            asks: None,
        };
        let actor = names.get(&of.actor).map_or_else(|| of.actor.to_string(), |actor| actor.name.clone());
        vec![
            Cell::text(frame.name("city", of.city)),
            Cell::text(frame.time(of.at)),
            Cell::text(actor),
            Cell::text(&of.why),
            Cell::button(resume),
        ]
    };
    let title = frame.t("admin.visits").to_owned();
    let table = Table {
        caption: frame.t("admin.paused").to_owned(),
        columns: ["city", "since", "actor", "why", "resume"].iter().map(|of| frame.name("column", *of)).collect(),
        rows: paused.iter().map(row).collect(),
    };
    let others: Vec<City> = City::ALL
        .into_iter()
        .filter(|city| frame.asking.caller.cities.contains(*city))
        .filter(|city| paused.iter().all(|paused| paused.city != *city))
        .collect();
    let form = Form {
        title: frame.t("admin.pause").to_owned(),
        action: "/admin/visits/pause".to_owned(),
        fields: vec![
            Field::new(frame, "city", Input::One(choices(frame, "city", &others, |_| false))).needed(),
            Field::line(frame, "why", "").needed(),
        ],
        button: frame.t("admin.pause").to_owned(),
        ..Form::default()
    };
    let hint = frame.t("admin.visits_hint").to_owned();
    show(
        frame,
        Sheet { title, hint, tables: vec![table], forms: vec![form.after(frame, refused)], ..Sheet::default() }
            .after(refused),
    )
}

pub async fn pause(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let paused = paused(Arc::clone(&shared), &frame, &fields).await;
    match Refused::of(paused, fields)? {
        None => done("/admin/visits", "saved"),
        Some(refused) => visits_page(&shared, &frame, Some(&refused)).await,
    }
}

async fn paused(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    let sent = body(fields, &[("city", Member::Text), ("why", Member::Text)])?;
    calls::pause(State(shared), frame.asking.clone(), sent).await.map(drop)
}

pub async fn resume(State(shared): State<Arc<Shared>>, frame: Frame, Sent(fields): Sent) -> Result<Response, Problem> {
    let city: City = fields.needed("city")?;
    let _ = calls::resume(State(shared), frame.asking, Body(of_value(&json!({ "city": city }))?)).await?;
    done("/admin/visits", "saved")
}
