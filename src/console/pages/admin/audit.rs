//! `/audit`: who did what, narrowed as one likes, and whether its seals are whole.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::sheet::{Cell, Field, Form, Input, Sheet, Table, choices, show as sheet};
use crate::console::Shared;
use crate::console::audit::{acts, filter, place};
use crate::console::exports::{Form as FileForm, file as saved, took};
use crate::console::pages::Frame;
use crate::console::pages::tickets::history;
use crate::console::pages::tickets::named::Named;
use crate::console::problem::Problem;
use crate::console::query::{Parameters, bad};
use crate::console::tickets::AuditOut;
use crate::report::{Cell as FileCell, Column, csv};
use crate::store::{AccountName, AuditFilter, ClientName};
use crate::ticket::{Action, Actor};

pub const KEYS: &[&str] = &["subject", "person", "action", "from", "to", "address", "cursor", "verify"];

/// Of a file.
const MOST_ROWS: usize = 20_000;
const PAGE: u32 = 500;
/// Longer than this nobody waits for seals: `hotline audit verify` takes its time.
const VERIFYING: Duration = Duration::from_secs(8);

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let asked = asked(&shared, &frame, &query).await?;
    let page = acts(&shared, &asked, query.limit()?).await?;
    let named = Named::read(&shared, &frame).await?;
    let title = frame.t("admin.audit").to_owned();
    let columns = ["at", "actor", "action", "subject", "changes", "reason", "address"];
    let table = Table {
        caption: title.clone(),
        columns: columns.iter().map(|of| frame.name("column", *of)).collect(),
        rows: page.items.iter().map(|act| row(&frame, &named, act)).collect(),
    };
    let with = |more: &[(&str, &str)]| {
        let kept = KEYS.iter().filter(|key| !["cursor", "verify"].contains(key));
        let mut pairs: Vec<(&str, &str)> = kept.filter_map(|key| query.text(key).map(|value| (*key, value))).collect();
        pairs.extend(more);
        serde_urlencoded::to_string(pairs).expect("texts have a form")
    };
    let mut links = vec![
        (format!("/audit/file?{}", with(&[])), frame.t("admin.csv").to_owned()),
        (format!("/audit?{}", with(&[("verify", "1")])), frame.t("admin.verify").to_owned()),
    ];
    links.extend(
        page.next.map(|next| (format!("/audit?{}", with(&[("cursor", &next)])), frame.t("admin.more").to_owned())),
    );
    let (hint, warning) = seals(&shared, &frame, query.text("verify").is_some()).await?;
    let forms = vec![question(&frame, &query)];
    sheet(&frame, Sheet { title, hint, warning, tables: vec![table], forms, links, ..Sheet::default() })
}

fn row(frame: &Frame, named: &Named, act: &AuditOut) -> Vec<Cell> {
    let subject = match act.subject.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Cell::link(&act.subject, format!("/tickets/{}", act.subject)),
        false => Cell::text(&act.subject),
    };
    let changes = act.changes.iter().map(|change| history::changed(frame, named, change));
    let changes = changes.map(|(field, was, is)| format!("{field}：{was} → {is}")).collect::<Vec<_>>().join("；");
    let reason = act.reason.as_deref().map(|reason| match (act.action, act.actor) {
        (Action::Raised, _) => frame.name("alarm", reason),
        (_, Actor::System) => history::in_our_words(frame, named, reason),
        _ => reason.to_owned(),
    });
    vec![
        Cell::text(frame.time(act.at)),
        Cell::text(who(act)),
        Cell::text(frame.name("action", act.action)),
        subject,
        Cell::text(changes),
        Cell::text(reason.unwrap_or_default()),
        Cell::text(act.address.as_deref().unwrap_or_default()),
    ]
}

fn who(act: &AuditOut) -> String {
    match (&act.actor_name, &act.actor_account) {
        (Some(name), Some(account)) => format!("{name} ({account})"),
        (Some(name), None) => name.clone(),
        _ => act.actor.to_string(),
    }
}

fn changes(act: &AuditOut) -> String {
    let value = |value: &Option<String>| value.as_deref().unwrap_or("–").to_owned();
    let words = act.changes.iter().map(|of| format!("{}: {} → {}", of.field, value(&of.was), value(&of.is)));
    words.collect::<Vec<_>>().join("; ")
}

fn question(frame: &Frame, query: &Parameters) -> Form {
    let text = |key: &'static str| query.text(key).unwrap_or_default().to_owned();
    let actions = choices(frame, "action", Action::ALL, |action| query.text("action") == Some(action.name()));
    let fields = vec![
        Field::line(frame, "person", text("person")),
        Field::new(frame, "action", Input::One(actions)),
        Field::line(frame, "subject", text("subject")),
        Field::new(frame, "from", Input::Line("date", text("from"))),
        Field::new(frame, "to", Input::Line("date", text("to"))),
        Field::line(frame, "address", text("address")),
    ];
    Form {
        action: "/audit".to_owned(),
        fields,
        button: frame.t("admin.show").to_owned(),
        is_question: true,
        ..Form::default()
    }
}

/// A person is asked for by the name they sign in by, another system by its own, all else as the audit writes it.
async fn asked(shared: &Shared, frame: &Frame, query: &Parameters) -> Result<AuditFilter, Problem> {
    let failed = |error| Problem::internal("audit", &error);
    let actor = match query.text("person") {
        None => None,
        Some(text) => {
            let mut actor: Option<Actor> = text.parse().ok();
            if let (None, Ok(name)) = (actor, text.parse::<AccountName>()) {
                actor = shared.store.account(&name).await.map_err(failed)?.map(|account| Actor::Account(account.id));
            }
            if let (None, Ok(name)) = (actor, text.parse::<ClientName>()) {
                let clients = shared.store.clients().await.map_err(failed)?;
                actor = clients.iter().find(|client| client.name == name).map(|client| Actor::Client(client.id));
            }
            Some(actor.ok_or_else(|| bad("person", "Nobody signs in by this name."))?)
        }
    };
    filter(query, &frame.asking, actor)
}

/// What is known of the seals, and what is wrong with them.
async fn seals(shared: &Shared, frame: &Frame, verify: bool) -> Result<(String, String), Problem> {
    let failed = |error| Problem::internal("audit", &error);
    if !verify {
        let last = shared.store.last_seal().await.map_err(failed)?;
        let hint = last.map(|seal| frame.fill("admin.last_seal", &[&seal.id, &frame.time(seal.at), &seal.hash]));
        return Ok((hint.unwrap_or_else(|| frame.t("admin.no_seal").to_owned()), String::new()));
    }
    let Ok(verified) = tokio::time::timeout(VERIFYING, shared.store.verify_audit(None)).await else {
        return Ok((String::new(), frame.t("admin.too_many_seals").to_owned()));
    };
    let verified = verified.map_err(failed)?;
    if verified.is_whole() {
        let hint = frame.fill("admin.intact", &[&verified.seals, &verified.rows, &verified.unsealed]);
        return Ok((hint, String::new()));
    }
    let broken: Vec<String> = verified.broken.iter().take(10).map(ToString::to_string).collect();
    let more = verified.broken.len() as u64 + verified.more;
    Ok((String::new(), frame.fill("admin.broken", &[&more, &broken.join("; ")])))
}

const COLUMNS: [Column; 8] = [
    column("at", "时间"),
    column("actor", "谁"),
    column("action", "做了什么"),
    column("subject", "对象"),
    column("sequence", "序号"),
    column("changes", "改动"),
    column("reason", "理由"),
    column("address", "地址"),
];

const fn column(name: &'static str, zh: &'static str) -> Column {
    Column { name, zh, width: 16 }
}

/// What is asked for as CSV, which is on record.
pub async fn file(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let mut asked = asked(&shared, &frame, &query).await?;
    let mut text = format!("{}{}", csv::BYTE_ORDER_MARK, csv::head(&COLUMNS));
    let mut rows = 0;
    loop {
        let page = acts(&shared, &asked, PAGE).await?;
        rows += page.items.len();
        text.extend(page.items.iter().map(|act| csv::line(&cells(&frame, act))));
        let Some(next) = page.next.filter(|_| rows < MOST_ROWS) else { break };
        asked.after = Some(place(&next)?);
    }
    took(&shared, &frame.asking, "audit".to_owned(), format!("csv, {rows} rows")).await?;
    Ok(saved(FileForm::Csv, "audit", Body::from(text)))
}

fn cells(frame: &Frame, act: &AuditOut) -> Vec<FileCell> {
    vec![
        FileCell::text(Some(frame.time(act.at))),
        FileCell::text(Some(who(act))),
        FileCell::text(Some(act.action)),
        FileCell::text(Some(&act.subject)),
        FileCell::Number(act.sequence.into()),
        FileCell::text(Some(changes(act))),
        FileCell::text(act.reason.as_ref()),
        FileCell::text(act.address.as_ref()),
    ]
}
