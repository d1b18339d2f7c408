//! The latest tickets that have common words: the index of words holds each word's tickets by number, which is by city and
//! day, so that a page is read from its end and not one ticket is looked at that another day's would come before.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::sql::{Sql, builder, explain};
use super::ticket_filter::Range;
use super::ticket_words::{Grams, Words};
use super::{Cursor, Store, StoreError, TicketFilter, TicketOrder, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::{Number, NumberPrefix};

/// The numbers of one city that are read: the first that counts and the first that no longer does.
struct Between {
    city: City,
    grams: Grams,
    first: String,
    end: String,
    /// As many at most, from the end.
    most: Option<i64>,
}

impl Store {
    /// The numbers of a page of [`TicketOrder::Created`], and of some tickets more.
    pub(super) async fn latest(
        &self,
        filter: &TicketFilter,
        by_city: &[Grams],
        most: i64,
        cursor: Option<&Cursor>,
    ) -> Result<Vec<String>, StoreError> {
        let cities = filter.latest_of_cities(by_city, most, cursor);
        let Some(sql) = filter.with_words(cursor, &cities) else { return Ok(Vec::new()) };
        let mut found = self.numbers(sql).await?;
        let mut days: Vec<NaiveDate> = found.iter().map(Number::day).collect();
        days.sort();
        let page = usize::try_from(most).unwrap_or(usize::MAX);
        let Some(last_day) = days.len().checked_sub(page).map(|at| days[at]) else { return Ok(texts(found)) };
        // number and creation agree on the day, but not within it; past 9,999 tickets a number is of the next day
        let first_day = last_day.pred_opt().unwrap_or(last_day);
        found.retain(|number| number.day() >= first_day);
        let rest: Vec<Between> = cities.iter().filter_map(|city| city.rest(&found, page, first_day)).collect();
        if let Some(sql) = filter.with_words(cursor, &rest) {
            found.extend(self.numbers(sql).await?);
        }
        Ok(texts(found))
    }

    async fn numbers(&self, sql: Sql) -> Result<Vec<Number>, StoreError> {
        let numbers: Vec<String> = on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?;
        numbers.iter().map(|number| super::row::text("gram.ticket", number)).collect()
    }

    pub(super) async fn explain_latest(
        &self,
        filter: &TicketFilter,
        by_city: &[Grams],
        most: i64,
    ) -> Result<Vec<String>, StoreError> {
        match filter.with_words(None, &filter.latest_of_cities(by_city, most, None)) {
            Some(sql) => explain(&mut self.begin().await?, sql).await,
            None => Ok(Vec::new()),
        }
    }
}

fn texts(numbers: Vec<Number>) -> Vec<String> {
    numbers.iter().map(Number::to_string).collect()
}

impl Between {
    /// What the city has from that day on below a page of its own that was cut.
    fn rest(&self, found: &[Number], page: usize, first_day: NaiveDate) -> Option<Between> {
        let of_city = found.iter().filter(|number| number.city() == self.city);
        let end = of_city.clone().min().filter(|_| of_city.count() >= page)?;
        let first = first_number(self.city, first_day).max(self.first.clone());
        Some(Between { city: self.city, grams: self.grams.clone(), first, end: end.to_string(), most: None })
    }

    /// The latest tickets that have the rarest word.
    fn of_rarest(&self, most: i64) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ticket from gram where gram = ").bind(self.grams.rarest());
        sql.push(" and ticket >= ").bind(self.first.as_str()).push(" and ticket < ").bind(self.end.as_str());
        sql.push(" order by ticket desc limit ").bind(most);
        sql
    }
}

impl TicketFilter {
    /// A page of each city: its tickets before those of the list's end and of the cursor.
    fn latest_of_cities(&self, by_city: &[Grams], most: i64, cursor: Option<&Cursor>) -> Vec<Between> {
        let before = cursor.map(|cursor| cursor.at).into_iter().chain(self.to).min();
        let between = |grams: &Grams, city: City| Between {
            city,
            grams: grams.clone(),
            first: self.from.map_or_else(|| city.digit().to_string(), |from| first_number(city, beijing_day(from))),
            end: before.map_or_else(|| (city.digit() + 1).to_string(), |before| first_after(city, before)),
            most: Some(most),
        };
        by_city.iter().filter_map(|grams| Some(between(grams, grams.city()?))).collect()
    }

    /// How many of the latest tickets of each city's rarest word have all words, counted up to `limit`: of each city `share` are
    /// asked. And how many a city has of it, counted to one more than that. `None` when there can be none.
    pub(super) fn count_with_words(
        &self,
        order: TicketOrder,
        by_city: &[Grams],
        limit: i64,
        share: i64,
    ) -> Option<Sql> {
        let states = self.states_of(order);
        let words = Words::Some(by_city.first()?.clone());
        let range = self.ranges(order, states.as_deref(), &words)?.pop()?;
        let cities = self.latest_of_cities(by_city, share, None);
        let mut sql = Sql::default();
        sql.push("select (select count(*) from (select ticket from (");
        for (at, city) in cities.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " union all " });
            sql.extend(city.grams.tickets_among(city.of_rarest(share)));
        }
        sql.push(") as rarest where true");
        self.narrow_ticket(&Range { cities: None, ..range }, order, None, &mut sql);
        sql.push(" limit ").bind(limit).push(") as counted), (select max(has) from (");
        for (at, city) in cities.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " union all " }).push("select count(*) as has from (");
            sql.extend(city.of_rarest(share + 1)).push(format!(") as has{at}"));
        }
        sql.push(") as cities)");
        Some(sql)
    }

    /// As many cities as the list is of.
    pub(super) fn cities(&self) -> &[City] {
        self.cities.as_deref().unwrap_or(&City::ALL)
    }

    /// `None` when there is nothing to read.
    fn with_words(&self, cursor: Option<&Cursor>, numbers: &[Between]) -> Option<Sql> {
        let states = self.states_of(TicketOrder::Created);
        let words = Words::Some(numbers.first()?.grams.clone());
        let range = self.ranges(TicketOrder::Created, states.as_deref(), &words)?.pop()?;
        let mut sql = Sql::default();
        for (at, between) in numbers.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " union all " })
                .push("select ticket from (")
                .extend(between.grams.tickets_between(&between.first, &between.end));
            self.narrow_ticket(&Range { cities: None, ..range }, TicketOrder::Created, cursor, &mut sql);
            if let Some(most) = between.most {
                sql.push(" order by ticket desc limit ").bind(most);
            }
            sql.push(format!(") as city{at}"));
        }
        Some(sql)
    }

    /// By what the ticket itself has to be, if anything.
    fn narrow_ticket(&self, range: &Range<'_>, order: TicketOrder, cursor: Option<&Cursor>, sql: &mut Sql) {
        let mut narrowed = Sql::default();
        self.narrow(range, order, &Words::Unasked, cursor, &mut narrowed);
        if !narrowed.pieces().is_empty() {
            sql.push(" and exists (select 1 from ticket where number = rarest.ticket").extend(narrowed).push(")");
        }
    }
}

fn first_number(city: City, day: NaiveDate) -> String {
    NumberPrefix::of_day(city, day).range().0
}

/// Past the numbers of tickets that were created before then.
fn first_after(city: City, before: DateTime<Utc>) -> String {
    let day = beijing_day(before);
    first_number(city, day.checked_add_days(Days::new(2)).unwrap_or(day))
}
