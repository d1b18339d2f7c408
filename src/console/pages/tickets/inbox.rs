//! `/tickets`: what waits for whom, by the time that is left.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::address::Query;
use super::named::{Choice, ChoiceGroup, Named};
use super::row::{Row, rows};
use super::tab::{self, Tab};
use super::views::{View, views};
use crate::access::Right;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::pages::{Frame, render};
use crate::console::problem::Problem;
use crate::console::query::{self, Parameters};
use crate::console::tickets;
use crate::language::Language;
use crate::store::ListError;
use crate::ticket::{Alarm, Channel, RequestType, State as TicketState, Urgency};

#[derive(Template)]
#[template(path = "tickets/inbox.html")]
struct InboxPage {
    frame: Frame,
    query: Query,
    tabs: Vec<Tab>,
    count: String,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    /// The address of the first page, on a later one.
    beginning: Option<String>,
    views: Vec<View>,
    choices: Choices,
    /// Some of the tickets can be dispatched from here.
    bulk: bool,
}

/// What a list can be narrowed to.
struct Choices {
    cities: Vec<Choice>,
    states: Vec<Choice>,
    types: Vec<Choice>,
    urgencies: Vec<Choice>,
    channels: Vec<Choice>,
    languages: Vec<Choice>,
    alarms: Vec<Choice>,
    levels: Vec<Choice>,
    orders: Vec<Choice>,
    classes: Vec<ChoiceGroup>,
    units: Vec<Choice>,
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(parameters): Extension<Parameters>,
) -> Result<Response, Problem> {
    let mut query = Query::of(&parameters, tickets::KEYS);
    if query.clone().whole().is_empty() {
        query = tab::first(frame.visitor.account.profile.role()).and(query);
    }
    let whole = query.clone().whole();
    let parameters = query.parameters(tickets::KEYS)?;
    let filter = tickets::filter(&parameters, beijing_day(shared.clock.wall()))?;
    let filter = tickets::seen(filter, &frame.asking.caller);
    let order = tickets::order(&parameters)?;
    let cursor = parameters.cursor()?;
    let limit = parameters.limit()?;
    let list = async {
        let found = shared.store.tickets_and_count(&filter, order, limit, cursor.as_ref(), tab::MOST_COUNTED).await;
        found.map_err(|error| match error {
            ListError::Cursor(_) => query::bad_cursor(),
            ListError::Store(error) => Problem::internal("inbox", &error),
        })
    };
    // the tabs are counted meanwhile
    let ((page, count), tabs) = tokio::try_join!(list, tab::tabs(&shared, &frame, &whole))?;
    let named = Named::read(&shared, &frame).await?;
    let tickets: Vec<_> = page.items.into_iter().map(|listed| listed.ticket).collect();
    let rows = rows(&shared, &frame, &named, &tickets).await?;
    let next = page.next.map(|next| query.with("cursor", &next.to_string()).at("/tickets"));
    render(&InboxPage {
        tabs,
        count: tab::shown(count),
        next,
        beginning: cursor.map(|_| whole.at("/tickets")),
        views: views(&shared, &frame).await?,
        choices: Choices::new(&frame, &named, &whole),
        bulk: frame.may(Right::Receive) && rows.iter().any(|row| row.dispatchable),
        rows,
        query: whole,
        frame,
    })
}

impl InboxPage {
    /// One of the conditions that are folded away is asked for.
    fn open_filters(&self) -> bool {
        let folded =
            ["city", "unit", "class", "type", "urgency", "channel", "language", "alarm", "from", "to", "due_before"];
        folded.iter().any(|key| !self.query.value(key).is_empty())
    }
}

impl Choices {
    fn new(frame: &Frame, named: &Named, query: &Query) -> Choices {
        let all = |of: &str, values: Vec<String>, key: &str| Choice::all(frame, of, values, query.value(key));
        let names = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let cities = frame.asking.caller.cities.list();
        let units = named.units(&cities, None, &[query.value("unit")]);
        Choices {
            cities: all("city", cities.iter().map(|city| city.slug().to_owned()).collect(), "city"),
            states: states(frame, query.value("state")),
            types: all("type", RequestType::ALL.iter().map(ToString::to_string).collect(), "type"),
            urgencies: all("urgency", Urgency::ALL.iter().map(ToString::to_string).collect(), "urgency"),
            channels: all("channel", Channel::ALL.iter().map(ToString::to_string).collect(), "channel"),
            languages: all("language", Language::ALL.iter().map(|of| of.code().to_owned()).collect(), "language"),
            alarms: all("alarm", Alarm::ALL.iter().map(ToString::to_string).collect(), "alarm"),
            levels: all("level", names(&["1", "2", "3", "4"]), "supervised"),
            orders: all("inbox_order", names(&["created", "due"]), "order"),
            classes: named.classes(true, query.value("class")),
            units,
        }
    }
}

/// Every state, and the several at once that are asked for.
fn states(frame: &Frame, asked: &str) -> Vec<Choice> {
    let mut states = Choice::all(frame, "state", TicketState::ALL.iter(), asked);
    if asked.contains(',') {
        let names: Vec<String> = asked.split(',').map(|state| frame.name("state", state)).collect();
        states.insert(0, Choice::new(asked, names.join(" + "), asked));
    }
    states
}
