//! `hotline ticket list`.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use serde_json::json;

use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Opened, Stored};
use crate::app::table::{beijing, table};
use crate::city::City;
use crate::clock::beijing_day;
use crate::store::{TicketFilter, TicketOrder};
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{State, Ticket};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// Only in this state; may be given again
    #[arg(long, value_name = "STATE")]
    state: Vec<State>,
    /// Only what is not at its end
    #[arg(long)]
    open: bool,
    /// Only of this city; may be given again
    #[arg(long, value_name = "CITY")]
    city: Vec<City>,
    /// Only what this unit leads or assists
    #[arg(long, value_name = "UNIT")]
    unit: Option<UnitCode>,
    /// Only what holds these words
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only what is overdue
    #[arg(long)]
    overdue: bool,
    /// Only what was created on this day or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Only what was created on this day or earlier
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// Newest first, or by the time left
    #[arg(long, value_enum, default_value = "created")]
    order: Order,
    /// How many at most, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// One JSON document in place of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Order {
    Created,
    Due,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.stored.with(async |opened| self.list(opened).await)
    }

    async fn list(&self, opened: Opened) -> Result<(), Failure> {
        let order = match self.order {
            Order::Created => TicketOrder::Created,
            Order::Due => TicketOrder::Due,
        };
        let filter = self.filter(beijing_day(opened.now));
        let found = opened.store.tickets(&filter, order, self.limit, None).await;
        let page = found.map_err(|error| Failure::Environment(error.to_string()))?;
        let tickets: Vec<Ticket> = page.items.into_iter().map(|listed| listed.ticket).collect();
        if self.json {
            let items: Vec<_> = tickets.iter().map(document).collect();
            return print([format!("{:#}", json!({ "items": items, "more": page.next.is_some() }))]);
        }
        let rows: Vec<[String; 7]> = tickets.iter().map(row).collect();
        let mut lines = table(["number", "created", "state", "due", "unit", "class", "title"], &rows);
        if page.next.is_some() {
            lines.push(format!("the first {}; there are more: --limit, or narrow the list", self.limit));
        }
        print(lines)
    }

    fn filter(&self, today: NaiveDate) -> TicketFilter {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8);
        TicketFilter {
            states: self.state.clone(),
            open: self.open,
            cities: Some(self.city.clone()).filter(|cities| !cities.is_empty()),
            unit: self.unit.clone(),
            text: self.q.clone(),
            overdue_on: self.overdue.then_some(today),
            from: self.from.map(midnight),
            to: self.to.and_then(|day| day.checked_add_days(Days::new(1))).map(midnight),
            ..TicketFilter::default()
        }
    }
}

fn row(ticket: &Ticket) -> [String; 7] {
    let handling = &ticket.handling;
    let provisional = if handling.due_provisional { " ?" } else { "" };
    [
        ticket.number.to_string(),
        beijing(ticket.created_at),
        ticket.state.to_string(),
        handling.due_day.map(|day| format!("{day}{provisional}")).unwrap_or_default(),
        handling.lead.as_ref().map(ToString::to_string).unwrap_or_default(),
        ticket.matter.class.map(|class| class.to_string()).unwrap_or_default(),
        ticket.matter.title.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

/// The members have the API's names.
pub(super) fn document(ticket: &Ticket) -> serde_json::Value {
    json!({
        "number": ticket.number,
        "version": ticket.version,
        "city": ticket.city,
        "channel": ticket.channel,
        "created_at": ticket.created_at,
        "language": ticket.language,
        "requester": ticket.requester,
        "phone": ticket.phone.as_ref().map(crate::phone::Phone::masked),
        "confidential": ticket.confidential,
        "type": ticket.request_type,
        "urgency": ticket.urgency,
        "title": ticket.matter.title,
        "class": ticket.matter.class,
        "place": ticket.matter.place,
        "state": ticket.state,
        "lead_unit": ticket.handling.lead,
        "assisting_units": ticket.handling.assisting,
        "round": ticket.handling.round,
        "contact_due_at": ticket.handling.contact_due_at,
        "contact_at": ticket.handling.contact_at,
        "due_day": ticket.handling.due_day,
        "due_provisional": ticket.handling.due_provisional,
        "raised": ticket.handling.raised,
        "supervision": ticket.supervision.level,
        "closed_at": ticket.handling.closed_at,
        "solved": ticket.visit.solved,
        "satisfaction": ticket.visit.satisfaction,
    })
}
