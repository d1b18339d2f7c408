//! `/tickets/{number}/form`: an agent hears a request and fills in what it is about; it can be dispatched in the same go.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::named::{Choice, ChoiceGroup, Named};
use super::{failed, give, row, seen};
use crate::console::Shared;
use crate::console::asking::no_ticket;
use crate::console::guard::forbidden;
use crate::console::pages::listening::heard::Heard;
use crate::console::pages::sent::bad;
use crate::console::pages::{Fields, Frame, Sent, done, render};
use crate::console::problem::Problem;
use crate::console::segment::Segment;
use crate::console::tickets::{self, TicketOut};
use crate::store::NotDone;
use crate::ticket::{Command, RequestType, Requester, State as TicketState, Ticket, UnitCode, Urgency};

/// Fields of text, as they are called on the wire.
const TEXTS: [&str; 8] =
    ["title", "content", "summary", "place", "complained_party", "name", "enterprise_name", "phone"];
/// Fields with a choice.
const CHOICES: [&str; 4] = ["class", "urgency", "type", "requester"];

#[derive(Template)]
#[template(path = "tickets/form.html")]
struct FormPage {
    frame: Frame,
    ticket: TicketOut,
    title: String,
    values: Values,
    classes: Vec<ChoiceGroup>,
    types: Vec<Choice>,
    urgencies: Vec<Choice>,
    requesters: Vec<Choice>,
    units: Vec<Choice>,
    /// A key and words of what went wrong.
    wrong: Option<String>,
    needs_tibetan: bool,
    hidden: bool,
    heard: Heard,
}

/// What stands in the fields.
#[derive(Clone, Default)]
struct Values {
    title: String,
    content: String,
    summary: String,
    place: String,
    complained_party: String,
    name: String,
    enterprise_name: String,
    class: String,
    urgency: String,
    request_type: String,
    requester: String,
    unit: String,
    assisting: Vec<String>,
    confidential: bool,
    anonymous: bool,
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let values = Values::of(&ticket, frame.asking.caller.sees_requester(&ticket).is_ok());
    page(&shared, frame, ticket, values, None).await
}

async fn page(
    shared: &Shared,
    frame: Frame,
    ticket: Ticket,
    values: Values,
    wrong: Option<(StatusCode, String)>,
) -> Result<Response, Problem> {
    let named = Named::read(shared, &frame).await?;
    let class = Some(values.class.as_str()).filter(|class| !class.is_empty());
    let mut chosen: Vec<&str> = values.assisting.iter().map(String::as_str).collect();
    chosen.push(&values.unit);
    let (status, wrong) = wrong.map_or((StatusCode::OK, None), |(status, words)| (status, Some(words)));
    let recordings = shared.store.recordings_of_ticket(&ticket).await.map_err(failed)?;
    let page = FormPage {
        title: row::title(&frame, &ticket),
        classes: named.classes(false, &values.class),
        types: Choice::all(&frame, "type", RequestType::ALL.iter(), &values.request_type),
        urgencies: Choice::all(&frame, "urgency", Urgency::ALL.iter(), &values.urgency),
        requesters: Choice::all(&frame, "requester", Requester::ALL.iter(), &values.requester),
        units: named.units(&[ticket.city], class, &chosen),
        needs_tibetan: ticket.needs_tibetan_speaker(),
        heard: Heard::of(shared, &frame, &ticket).await?,
        hidden: frame.asking.caller.sees_requester(&ticket).is_err(),
        ticket: TicketOut::new(ticket, recordings, &frame.asking.caller),
        values,
        wrong,
        frame,
    };
    let mut response = render(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

/// Saves what was filled in; `do` says what else is wanted: `save`, `dispatch` or `hand_over`.
pub async fn save(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(number): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let version: u32 = fields.needed("version")?;
    let commands = match commands(&frame, &ticket, &fields) {
        Ok(commands) => commands,
        Err(problem) => {
            let name = frame.name("field", problem.parameter_name().unwrap_or_default());
            let wrong = (StatusCode::BAD_REQUEST, frame.fill("ticket.unusable", &[&name]));
            return page(&shared, frame, ticket, Values::typed(&fields), Some(wrong)).await;
        }
    };
    let (mut at, mut saved) = (version, false);
    for command in commands {
        frame.asking.caller.may_give(&command, &ticket).map_err(|denied| forbidden(&denied))?;
        let order = tickets::ordered(&frame.asking, ticket.number, Some(at), command);
        match shared.store.execute(&order, shared.clock.wall()).await {
            Ok(after) => at = after.version,
            Err(error) => return not_saved(&shared, frame, &fields, error, saved).await,
        }
        saved = true;
    }
    match fields.text("do") {
        Some("dispatch") => done(&format!("/tickets/{}", ticket.number), "dispatched"),
        Some("hand_over") => done("/tickets?state=received&order=due", "handed_over"),
        _ => done(&format!("/tickets/{}/form", ticket.number), "saved"),
    }
}

/// The form again with what was typed, at the version that the ticket has now: who sends it again has seen why.
async fn not_saved(
    shared: &Shared,
    frame: Frame,
    fields: &Fields,
    error: NotDone,
    saved: bool,
) -> Result<Response, Problem> {
    let named = Named::read(shared, &frame).await?;
    let (ticket, status, words) = match error {
        NotDone::Unknown => return Err(no_ticket()),
        NotDone::Store(error) => return Err(failed(error)),
        NotDone::Changed(ticket) => {
            let ticket = frame.asking.seen(Some(*ticket))?;
            let detail = tickets::detail(shared, &frame.asking, ticket.number).await?;
            let last = super::history::acts(&frame, &named, &detail.audit).into_iter().next();
            let words = match last {
                Some(act) => frame.fill("form.changed", &[&act.who, &frame.time(act.at), &act.action]),
                None => frame.t("ticket.changed").to_owned(),
            };
            (ticket, StatusCode::CONFLICT, words)
        }
        NotDone::Refused { why, ticket } => {
            let words = give::words(&frame, &named, why, &ticket);
            let words = if saved { frame.fill("form.saved_only", &[&words]) } else { words };
            (*ticket, StatusCode::UNPROCESSABLE_ENTITY, words)
        }
    };
    page(shared, frame, ticket, Values::typed(fields), Some((status, words))).await
}

/// What was filled in, and what else is wanted.
fn commands(frame: &Frame, ticket: &Ticket, fields: &Fields) -> Result<Vec<Command>, Problem> {
    let mut commands = vec![edit(frame, ticket, fields)?];
    match fields.text("do") {
        Some("dispatch") => commands.push(dispatch(fields)?),
        Some("hand_over") => commands.push(Command::Note {
            text: frame.t("form.handed_over").parse().map_err(|_| bad("do", "The text is too long."))?,
        }),
        _ => {}
    }
    Ok(commands)
}

/// The fields that were on the form.
fn edit(frame: &Frame, ticket: &Ticket, fields: &Fields) -> Result<Command, Problem> {
    let hidden = frame.asking.caller.sees_requester(ticket).is_err();
    let mut edit = Map::new();
    for name in TEXTS.iter().chain(&CHOICES) {
        let Some(value) = fields.raw(name).map(str::trim) else { continue };
        // an empty choice or number changes nothing; an empty text takes what was there away
        let kept = value.is_empty() && (CHOICES.contains(name) || *name == "phone");
        let covered = hidden && ["name", "enterprise_name", "phone"].contains(name);
        if kept || covered {
            continue;
        }
        edit.insert((*name).to_owned(), json!(value));
    }
    if fields.ticked("boxes") {
        edit.insert("anonymous".to_owned(), json!(fields.ticked("anonymous")));
        edit.insert("confidential".to_owned(), json!(fields.ticked("confidential")));
    }
    serde_path_to_error::deserialize(Value::Object(edit))
        .map(|edit| Command::Edit(Box::new(edit)))
        .map_err(|error| bad(&error.path().to_string(), "A field can't be used as it was filled in."))
}

fn dispatch(fields: &Fields) -> Result<Command, Problem> {
    let unit: UnitCode = fields.needed("unit")?;
    let assisting: Result<Vec<UnitCode>, Problem> = fields
        .all("assisting")
        .map(|code| code.parse().map_err(|wrong| bad("assisting", format!("{wrong}."))))
        .collect();
    Ok(Command::Dispatch { assisting: assisting?.into_iter().filter(|code| *code != unit).collect(), unit })
}

impl Values {
    fn of(ticket: &Ticket, requester: bool) -> Values {
        let matter = &ticket.matter;
        let shown = |text: Option<String>| text.filter(|_| requester).unwrap_or_default();
        let text = |text: Option<String>| text.unwrap_or_default();
        Values {
            title: text(matter.title.clone().map(String::from)),
            content: text(matter.content.clone().map(String::from)),
            summary: text(matter.summary.clone().map(String::from)),
            place: text(matter.place.clone().map(String::from)),
            complained_party: text(matter.complained_party.clone().map(String::from)),
            name: shown(ticket.name.clone().map(String::from)),
            enterprise_name: shown(ticket.enterprise_name.clone().map(String::from)),
            class: text(matter.class.map(|class| class.to_string())),
            urgency: ticket.urgency.to_string(),
            request_type: text(ticket.request_type.map(|of| of.to_string())),
            requester: ticket.requester.to_string(),
            unit: String::new(),
            assisting: Vec::new(),
            confidential: ticket.confidential,
            anonymous: ticket.anonymous,
        }
    }

    fn typed(fields: &Fields) -> Values {
        let text = |key: &str| fields.raw(key).unwrap_or_default().to_owned();
        Values {
            title: text("title"),
            content: text("content"),
            summary: text("summary"),
            place: text("place"),
            complained_party: text("complained_party"),
            name: text("name"),
            enterprise_name: text("enterprise_name"),
            class: text("class"),
            urgency: text("urgency"),
            request_type: text("type"),
            requester: text("requester"),
            unit: text("unit"),
            assisting: fields.all("assisting").map(str::to_owned).collect(),
            confidential: fields.ticked("confidential"),
            anonymous: fields.ticked("anonymous"),
        }
    }
}

impl FormPage {
    fn is_received(&self) -> bool {
        self.ticket.state == TicketState::Received
    }
}
