//! What a list of tickets is narrowed to, and how it is ordered.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::Cursor;
use super::page::Filter;
use super::sql::Sql;
use super::ticket_words::{Grams, Words};
use crate::city::City;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::catalogue::Subject;
use crate::ticket::{Alarm, Channel, Level, Number, NumberPrefix, RequestType, State, Ticket, UnitCode, Urgency};

/// What a list of tickets is narrowed to; nothing set: every ticket.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// Any of these; none named: all.
    pub states: Vec<State>,
    /// Not at their end.
    pub open: bool,
    /// Any of these: what the reader may see. `Some` of none at all finds nothing.
    pub cities: Option<Vec<City>>,
    /// The unit leads or assists.
    pub unit: Option<UnitCode>,
    /// The unit leads; beside `unit`, both have to be true.
    pub lead: Option<UnitCode>,
    /// A class, or all classes of a group.
    pub class: Option<Subject>,
    pub request_type: Option<RequestType>,
    pub channel: Option<Channel>,
    pub language: Option<Language>,
    pub urgency: Option<Urgency>,
    /// The first digits of the number.
    pub number: Option<NumberPrefix>,
    pub phone: Option<Phone>,
    /// Words that title, place, party, summary or content hold, all of them; the first twelve count. A word of
    /// Chinese is two neighbouring characters.
    pub text: Option<String>,
    /// The first moment of creation that counts.
    pub from: Option<DateTime<Utc>>,
    /// The first moment of creation that no longer counts.
    pub to: Option<DateTime<Utc>>,
    pub due_before: Option<NaiveDate>,
    /// Due before this day, the day it is, and not answered yet.
    pub overdue_on: Option<NaiveDate>,
    /// With a unit that has not contacted the requester, who should have been by then.
    pub contact_due_before: Option<DateTime<Utc>>,
    /// Recorded in Tibetan, and nobody has summed it up in Chinese.
    pub needs_tibetan_speaker: bool,
    /// An extension, a suspension or an exclusion waits for a decision.
    pub asked: bool,
    /// Supervised at this level or higher.
    pub supervised: Option<Level>,
    /// The clock has raised this in the present round.
    pub alarm: Option<Alarm>,
    pub repeat_of: Option<Number>,
    pub merged_into: Option<Number>,
}

/// How a list of tickets is ordered. A cursor of one order is none of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketOrder {
    /// By creation, newest first.
    #[default]
    Created,
    /// By the due day, the most urgent first. Unless states are named, only open tickets have time left; one that has
    /// no due day yet is not listed.
    Due,
}

/// One range of an index: lists are put together of a few.
#[derive(Clone, Copy)]
pub(super) struct Range<'a> {
    pub handler: Handler<'a>,
    pub cities: Option<&'a [City]>,
    pub states: Option<&'a [State]>,
    /// It has few tickets, which no index has in the list's order: all are read.
    pub whole: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Handler<'a> {
    Any,
    Lead(&'a UnitCode),
    Assistant(&'a UnitCode),
}

impl From<Filter> for TicketFilter {
    fn from(filter: Filter) -> TicketFilter {
        let Filter { phone, cities, from, to } = filter;
        TicketFilter { phone, cities, from, to, ..TicketFilter::default() }
    }
}

/// Marks the keys of cursors by due day.
const DUE: &str = "due-";

impl TicketOrder {
    /// The place after this ticket.
    pub(super) fn place(self, ticket: &Ticket) -> Cursor {
        match self {
            TicketOrder::Created => Cursor { at: ticket.created_at, key: ticket.number.to_string() },
            TicketOrder::Due => {
                let day = ticket.handling.due_day.unwrap_or_default();
                Cursor { at: day.and_time(NaiveTime::MIN).and_utc(), key: format!("{DUE}{}", ticket.number) }
            }
        }
    }

    /// The number in a cursor that a list in this order gave out.
    pub(super) fn number(self, cursor: &Cursor) -> Option<Number> {
        let number = match self {
            TicketOrder::Created => Some(cursor.key.as_str()),
            TicketOrder::Due => cursor.key.strip_prefix(DUE),
        };
        number?.parse().ok()
    }

    fn columns(self) -> &'static str {
        match self {
            TicketOrder::Created => "created_at, number",
            TicketOrder::Due => "due_day, number",
        }
    }

    fn clause(self) -> &'static str {
        match self {
            TicketOrder::Created => " order by created_at desc, number desc",
            TicketOrder::Due => " order by due_day, number",
        }
    }

    fn after(self, cursor: &Cursor, sql: &mut Sql) {
        let Some(number) = self.number(cursor) else { return };
        match self {
            TicketOrder::Created => sql.push(" and (created_at, number) < (").bind(cursor.at),
            TicketOrder::Due => sql.push(" and (due_day, number) > (").bind(cursor.at.date_naive()),
        };
        sql.push(", ").bind(number.to_string()).push(")");
    }
}

impl TicketFilter {
    /// The rows of one page; `None` when nothing can be in it. Of [`Words::Common`] it is the whole page only when it is
    /// full.
    pub(super) fn page(
        &self,
        order: TicketOrder,
        words: &Words,
        cursor: Option<&Cursor>,
        limit: i64,
        select: &str,
    ) -> Option<Sql> {
        let states = self.states_of(order);
        let ranges = self.ranges(order, states.as_deref(), words)?;
        let mut sql = Sql::default();
        sql.push(select);
        if let Words::Common(grams, walked) = words {
            sql.push(" and number in (select number from (select * from (");
            self.union(&ranges, order, words, cursor, (*walked).into(), &mut sql);
            sql.push(") as found").push(order.clause()).push(" limit ").bind(i64::from(*walked)).push(") as walked");
            sql.push(" where ");
            grams.asked("walked", &mut sql);
            sql.push(order.clause()).push(" limit ").bind(limit).push(")");
        } else if let (Words::Some(grams), [range]) = (words, ranges.as_slice()) {
            sql.push(" and number in (");
            self.worded(grams, range, order, cursor, &mut sql);
            sql.push(order.clause()).push(" limit ").bind(limit).push(")");
        } else if let [range @ Range { whole: false, .. }] = ranges.as_slice() {
            self.narrow(range, order, words, cursor, &mut sql);
        } else {
            sql.push(" and number in (select number from (");
            self.union(&ranges, order, words, cursor, limit, &mut sql);
            sql.push(") as found").push(order.clause()).push(" limit ").bind(limit).push(")");
        }
        sql.push(order.clause()).push(" limit ").bind(limit);
        Some(sql)
    }

    /// How many there are, counted up to `limit`; `None` when there can be none.
    pub(super) fn count(&self, order: TicketOrder, words: &Words, limit: i64) -> Option<Sql> {
        let states = self.states_of(order);
        let ranges = self.ranges(order, states.as_deref(), words)?;
        let mut sql = Sql::default();
        sql.push("select count(*) from (select number from (");
        for (at, range) in ranges.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " union " }).push("select number from (");
            if let Words::Some(grams) = words {
                self.worded(grams, range, order, None, &mut sql);
            } else {
                sql.push("select number from ticket where true");
                self.narrow(range, order, words, None, &mut sql);
            }
            sql.push(" limit ").bind(limit).push(format!(") as range{at}"));
        }
        sql.push(") as found limit ").bind(limit).push(") as counted");
        Some(sql)
    }

    /// The tickets of grams: SQLite keeps to the order of a cross join, and both begin with the index of words.
    fn worded(&self, grams: &Grams, range: &Range<'_>, order: TicketOrder, cursor: Option<&Cursor>, sql: &mut Sql) {
        sql.push("select number from (").extend(grams.tickets());
        sql.push(") as worded cross join ticket where number = worded.ticket");
        self.narrow(range, order, &Words::Unasked, cursor, sql);
    }

    /// The first tickets of each range, in any order.
    fn union(
        &self,
        ranges: &[Range<'_>],
        order: TicketOrder,
        words: &Words,
        cursor: Option<&Cursor>,
        limit: i64,
        sql: &mut Sql,
    ) {
        let columns = order.columns();
        for (at, range) in ranges.iter().enumerate() {
            let between = if at == 0 { "" } else { " union " };
            sql.push(format!("{between}select {columns} from (select {columns} from ticket where true"));
            self.narrow(range, order, words, cursor, sql);
            if !range.whole {
                sql.push(order.clause()).push(" limit ").bind(limit);
            }
            sql.push(format!(") as range{at}"));
        }
    }

    /// The list has few tickets beside those that have common words: none that has ended, or those of a unit.
    pub(super) fn has_few(&self, order: TicketOrder) -> bool {
        are_open(self.states_of(order).as_deref()) || self.unit.is_some() || self.lead.is_some()
    }

    /// `None`: all of them.
    pub(super) fn states_of(&self, order: TicketOrder) -> Option<Vec<State>> {
        let open = self.open || (order == TicketOrder::Due && self.states.is_empty());
        let is_wanted = |state: &State| {
            (self.states.is_empty() || self.states.contains(state))
                && (!open || state.is_open())
                && (self.overdue_on.is_none() || state.is_timed())
                && (self.contact_due_before.is_none() || state.is_handled())
        };
        let wanted: Vec<State> = State::ALL.iter().copied().filter(is_wanted).collect();
        Some(wanted).filter(|wanted| wanted.len() < State::ALL.len())
    }

    /// The ranges that are read: each in the list's order by an index, where one column's value is not enough to find a
    /// page soon. `None` when nothing fits.
    pub(super) fn ranges<'a>(
        &'a self,
        order: TicketOrder,
        states: Option<&'a [State]>,
        words: &Words,
    ) -> Option<Vec<Range<'a>>> {
        let cities = self.cities.as_deref();
        let found_nothing = matches!(words, Words::Few(tickets) if tickets.is_empty());
        if cities.is_some_and(<[City]>::is_empty) || states.is_some_and(<[State]>::is_empty) || found_nothing {
            return None;
        }
        let range = |handler, cities, states| Range { handler, cities, states, whole: false };
        if matches!(words, Words::Some(_)) {
            debug_assert!(
                self.unit.is_none() && self.lead.is_none(),
                "a unit's tickets are few, and asked for the words"
            );
            return Some(vec![range(Handler::Any, cities, states)]);
        }
        if self.finds_few() || matches!(words, Words::Few(_)) {
            return Some(self.handlers().into_iter().map(|handler| range(handler, cities, states)).collect());
        }
        let one_by_one = |all: &'a [State]| all.chunks(1).map(Some).collect::<Vec<_>>();
        if self.unit.is_some() || self.lead.is_some() {
            let split = match (order, states) {
                (TicketOrder::Due, Some(states)) => one_by_one(states),
                _ => vec![states],
            };
            // nearly all of a unit's tickets are archived
            let few = states.is_some_and(|states| !states.contains(&State::Archived));
            let whole = few && order == TicketOrder::Created;
            // a unit assists in few: they are read all at once
            let of = |handler| match handler {
                Handler::Assistant(_) => vec![range(handler, cities, states)],
                _ if whole => vec![Range { whole, ..range(handler, cities, states) }],
                _ => split.iter().map(|states| range(handler, cities, *states)).collect(),
            };
            return Some(self.handlers().into_iter().flat_map(of).collect());
        }
        if self.is_of_few(states) {
            return Some(vec![Range { whole: true, ..range(Handler::Any, cities, states) }]);
        }
        let states = states.map_or(vec![None], one_by_one);
        let by_city = cities.is_some() || states != [None];
        let cities = match cities {
            _ if !by_city => vec![None],
            cities => cities.unwrap_or(&City::ALL).chunks(1).map(Some).collect(),
        };
        let of = |cities| states.iter().map(move |states| range(Handler::Any, cities, *states)).collect::<Vec<_>>();
        Some(cities.into_iter().flat_map(of).collect())
    }

    /// An index has those that are asked for and none else.
    fn is_of_few(&self, states: Option<&[State]>) -> bool {
        self.asked || self.supervised.is_some() && are_open(states)
    }

    fn handlers(&self) -> Vec<Handler<'_>> {
        match (&self.unit, &self.lead) {
            (Some(unit), _) => vec![Handler::Lead(unit), Handler::Assistant(unit)],
            (None, Some(lead)) => vec![Handler::Lead(lead)],
            (None, None) => vec![Handler::Any],
        }
    }

    /// A condition that leaves few tickets has an index of its own.
    pub(super) fn finds_few(&self) -> bool {
        let several = self.number.as_ref().is_some_and(NumberPrefix::names_a_day);
        self.phone.is_some() || several || self.repeat_of.is_some() || self.merged_into.is_some()
    }

    pub(super) fn narrow(
        &self,
        range: &Range<'_>,
        order: TicketOrder,
        words: &Words,
        cursor: Option<&Cursor>,
        sql: &mut Sql,
    ) {
        range.narrow(order, sql);
        self.narrow_matter(range.is_of_few(), sql);
        self.narrow_handling(range.is_open(), sql);
        self.narrow_times(sql);
        words.narrow(sql);
        if order == TicketOrder::Due {
            sql.push(" and due_day is not null");
        }
        if let Some(cursor) = cursor {
            order.after(cursor, sql);
        }
    }

    fn narrow_matter(&self, few: bool, sql: &mut Sql) {
        for (column, name) in [
            ("request_type", self.request_type.map(RequestType::name)),
            ("channel", self.channel.map(Channel::name)),
            ("language", self.language.map(Language::code)),
            ("urgency", self.urgency.map(Urgency::name)),
            ("phone", self.phone.as_ref().map(Phone::digits)),
        ] {
            if let Some(name) = name {
                sql.push(format!(" and {column} = ")).bind(name);
            }
        }
        if let Some(prefix) = &self.number {
            let (first, last) = prefix.range();
            sql.push(" and number >= ").bind(first).push(" and number <= ").bind(last);
        }
        match self.class {
            Some(Subject::Class(class)) => {
                sql.push(if few { " and class || '' = " } else { " and class = " }).bind(class.to_string());
            }
            Some(Subject::Group(group)) => {
                // every eighth ticket or so: no index begins with it
                sql.push(" and class || '' >= ").bind(format!("{group}00"));
                sql.push(" and class || '' <= ").bind(format!("{group}99"));
            }
            None => {}
        }
        for (column, number) in [("repeat_of", self.repeat_of), ("merged_into", self.merged_into)] {
            if let Some(number) = number {
                sql.push(format!(" and {column} = ")).bind(number.to_string());
            }
        }
        if self.needs_tibetan_speaker {
            sql.push(" and language = 'bo' and call is not null and summary is null");
        }
    }

    fn narrow_handling(&self, open: bool, sql: &mut Sql) {
        if let (Some(_), Some(lead)) = (&self.unit, &self.lead) {
            sql.push(" and lead_unit = ").bind(lead.as_str());
        }
        if self.asked {
            sql.push(" and number in (select number from ticket where asked is not null)");
        }
        if let Some(level) = self.supervised {
            // what stands before the level is the condition of an index
            sql.push(if open {
                " and number in (select number from ticket where state <> 'archived' and supervision >= "
            } else {
                " and (supervision > 0 and supervision >= "
            });
            sql.bind(i64::from(level.get())).push(")");
        }
        if let Some(alarm) = self.alarm {
            sql.push(format!(" and ' ' || raised || ' ' like '% {alarm} %'"));
        }
        if self.contact_due_before.is_some() {
            sql.push(" and contact_at is null");
        }
    }

    fn narrow_times(&self, sql: &mut Sql) {
        for (text, time) in [
            (" and created_at >= ", self.from),
            (" and created_at < ", self.to),
            (" and contact_due_at < ", self.contact_due_before),
        ] {
            if let Some(time) = time {
                sql.push(text).bind(time);
            }
        }
        for day in [self.due_before, self.overdue_on].into_iter().flatten() {
            sql.push(" and due_day < ").bind(day);
        }
    }
}

/// None of them is an end.
fn are_open(states: Option<&[State]>) -> bool {
    states.is_some_and(|states| states.iter().all(|state| state.is_open()))
}

impl Range<'_> {
    /// The state is written so that no index begins with it, where SQLite would take one that has very many: what a unit assists
    /// in is named already, and nearly all that it leads is archived, so that its newest are walked.
    fn state(&self, order: TicketOrder) -> &'static str {
        let archived = self.states.is_some_and(|states| states.contains(&State::Archived));
        let looked_at = match self.handler {
            Handler::Any => self.is_of_few(),
            Handler::Lead(_) => archived && order == TicketOrder::Created,
            Handler::Assistant(_) => true,
        };
        if looked_at { " and state || ''" } else { " and state" }
    }

    fn is_open(&self) -> bool {
        are_open(self.states)
    }

    /// An index that has nothing else leads to them.
    fn is_of_few(&self) -> bool {
        self.whole && matches!(self.handler, Handler::Any)
    }

    fn narrow(&self, order: TicketOrder, sql: &mut Sql) {
        match self.handler {
            Handler::Any => {}
            Handler::Lead(unit) => {
                sql.push(" and lead_unit = ").bind(unit.as_str());
            }
            Handler::Assistant(unit) => {
                sql.push(" and number in (select ticket from assisting where unit = ").bind(unit.as_str());
                sql.push(if self.is_open() { " and is_open)" } else { ")" });
            }
        }
        if let Some(cities) = self.cities {
            // a unit is of a city
            let looked_at = self.is_of_few() || !matches!(self.handler, Handler::Any);
            sql.push(if looked_at { " and city || ''" } else { " and city" });
            sql.any_of(cities.iter().map(|city| city.slug()));
        }
        if let Some(states) = self.states {
            sql.push(self.state(order)).any_of(states.iter().map(|state| state.name()));
        }
    }
}
