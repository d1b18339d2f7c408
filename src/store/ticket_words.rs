//! The words of a search, looked up in the index of words: which tickets have them, or how they are best asked for.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::row::text;
use super::sql::{Sql, builder};
use super::{Store, StoreError, TicketFilter, on};
use crate::city::City;
use crate::ticket::grams::grams;

/// As many grams of a search are looked for.
const MOST_GRAMS: usize = 12;

/// How a search goes about its words, by how many tickets have the rarest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordSearch {
    /// Up to here they are fetched and then named.
    pub named: u32,
    /// Up to here they are narrowed where they are; in the order that the index of words has, whatever their number.
    pub narrowed: u32,
    /// In an order that the index of words does not have, past that so many tickets of the list are walked and each asked for
    /// the words, which soon fills a page of words that every other ticket has; where it does not, the rarest word's are
    /// narrowed whatever their number.
    pub walked: u32,
}

impl Default for WordSearch {
    fn default() -> WordSearch {
        WordSearch { named: 1_000, narrowed: 5_000, walked: 2_000 }
    }
}

/// What the words of a search were found to be.
#[derive(Clone, Debug)]
pub(super) enum Words {
    /// There were none to look for.
    Unasked,
    /// The few tickets that have them.
    Few(Vec<String>),
    /// The tickets of the first gram are fetched, and asked for the others.
    Some(Grams),
    /// Each ticket of a list that has few is asked for them.
    Asked(Grams),
    /// Grams that many tickets have: so many tickets of the list are asked for them.
    Common(Grams, u32),
}

/// So far a gram is counted in each city to tell which of them leads there.
const COUNTED_IN_CITY: i64 = 200;

/// The rarest first; with a city, its tickets only.
#[derive(Clone, Debug)]
pub(super) struct Grams {
    grams: Vec<String>,
    city: Option<City>,
}

impl Words {
    /// When the walk has not filled the page: the same words by the index of words.
    pub fn narrowed(&self) -> Option<Words> {
        match self {
            Words::Common(grams, _) => Some(Words::Some(grams.clone())),
            _ => None,
        }
    }

    /// The same in a list of few tickets.
    pub fn of_few(self) -> Words {
        match self {
            Words::Some(grams) | Words::Common(grams, _) => Words::Asked(grams),
            other => other,
        }
    }

    /// Those that many tickets have.
    pub fn grams(&self) -> Option<&Grams> {
        match self {
            Words::Some(grams) | Words::Common(grams, _) => Some(grams),
            Words::Unasked | Words::Few(_) | Words::Asked(_) => None,
        }
    }

    pub fn narrow(&self, sql: &mut Sql) {
        match self {
            Words::Few(tickets) => {
                sql.push(" and number").any_of(tickets.iter().map(String::as_str));
            }
            Words::Asked(grams) => {
                sql.push(" and ");
                grams.asked("ticket", sql);
            }
            Words::Unasked | Words::Some(_) | Words::Common(..) => {}
        }
    }
}

impl Grams {
    /// The first leads; each of its tickets is asked for the others.
    pub fn tickets(&self) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ticket from gram as rarest where gram = ").bind(self.rarest());
        of_city(self.city, &mut sql);
        self.others(&mut sql);
        sql
    }

    /// As [`Grams::tickets`], by number.
    pub fn tickets_between(&self, first: &str, end: &str) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ticket from gram as rarest where gram = ").bind(self.rarest());
        sql.push(" and ticket >= ").bind(first).push(" and ticket < ").bind(end);
        self.others(&mut sql);
        sql
    }

    /// As [`Grams::tickets`], among some that have the first.
    pub fn tickets_among(&self, rarest: Sql) -> Sql {
        let mut sql = Sql::default();
        sql.push("select ticket from (").extend(rarest).push(") as rarest where true");
        self.others(&mut sql);
        sql
    }

    pub fn rarest(&self) -> &str {
        &self.grams[0]
    }

    /// Nothing has to be asked of its tickets.
    pub fn is_one(&self) -> bool {
        self.grams.len() == 1
    }

    pub fn city(&self) -> Option<City> {
        self.city
    }

    /// PostgreSQL, which may begin with another than the first, reads no more of it than the city's.
    fn others(&self, sql: &mut Sql) {
        for gram in &self.grams[1..] {
            sql.push(" and exists (select 1 from gram where ticket = rarest.ticket and gram = ").bind(gram.as_str());
            of_city(self.city, sql);
            sql.push(")");
        }
    }

    /// In the cities where none is without tickets: `counted` tells of a city and a gram how many it has, counted to a limit, and
    /// the latest of those.
    fn in_cities(&self, cities: &[City], counted: &HashMap<(City, &str), (i64, &str)>) -> Vec<Grams> {
        let in_city = |&city: &City| {
            let of_gram = |gram: &String| counted.get(&(city, gram.as_str())).copied();
            // one that is not there is not counted, and the city is left out
            let mut grams = self.grams.iter().map(|gram| Some((of_gram(gram)?, gram))).collect::<Option<Vec<_>>>()?;
            grams.sort_by(|(one, _), (other, _)| rarer(*one, *other));
            Some(Grams { grams: grams.into_iter().map(|(_, gram)| gram.clone()).collect(), city: Some(city) })
        };
        cities.iter().filter_map(in_city).collect()
    }

    /// A row of `of` has them.
    pub fn asked(&self, of: &str, sql: &mut Sql) {
        for (at, gram) in self.grams.iter().enumerate() {
            sql.push(if at == 0 { "exists" } else { " and exists" }).push(" (select 1 from gram where gram.gram = ");
            sql.bind(gram.as_str()).push(format!(" and gram.ticket = {of}.number)"));
        }
    }
}

/// Which of two is in fewer tickets; where both were counted to a limit, whose so many reach to the later ticket: the rarer a
/// gram, the further apart its tickets.
fn rarer((count, latest): (i64, &str), (other, later): (i64, &str)) -> Ordering {
    count.cmp(&other).then_with(|| later.cmp(latest))
}

/// A number begins with the digit of its city.
fn of_city(city: Option<City>, sql: &mut Sql) {
    if let Some(city) = city {
        sql.push(" and ticket >= ").bind(city.digit().to_string());
        sql.push(" and ticket < ").bind((city.digit() + 1).to_string());
    }
}

impl Store {
    /// The same database, which goes about words so.
    pub fn with_word_search(self, word_search: WordSearch) -> Store {
        Store { word_search, ..self }
    }

    /// Looks a search's grams up. `by_number`: for a list in the order that the index of words has, where it matters less
    /// how common they are.
    pub(super) async fn words(&self, filter: &TicketFilter, by_number: bool) -> Result<Words, StoreError> {
        let Some(search) = filter.text.as_deref() else { return Ok(Words::Unasked) };
        let WordSearch { named, narrowed, walked } = self.word_search;
        let grams: Vec<String> = grams(search).into_iter().take(MOST_GRAMS).collect();
        if grams.is_empty() {
            return Ok(Words::Few(Vec::new()));
        }
        let city = match filter.cities.as_deref() {
            Some([city]) => Some(*city),
            _ => None,
        };
        let mut counted = self.counted(&grams, city, named).await?;
        if counted[0].0 > i64::from(named) && !by_number {
            counted = self.counted(&grams, city, narrowed).await?;
        }
        let rarest = counted[0].0;
        let found = Grams { grams: counted.into_iter().map(|(_, gram)| gram).collect(), city };
        if rarest == 0 {
            return Ok(Words::Few(Vec::new()));
        }
        if rarest <= i64::from(named) {
            let sql = found.tickets();
            let tickets = on!(&self.read, pool => builder!(sql).build_query_scalar().fetch_all(pool).await)?;
            return Ok(Words::Few(tickets));
        }
        let common = rarest > i64::from(narrowed) && !by_number;
        Ok(if common { Words::Common(found, walked) } else { Words::Some(found) })
    }

    /// The same grams city by city, the rarest of each city first: a place is named in few cities but its own. Cities without one
    /// of them are left out.
    pub(super) async fn by_city(&self, grams: &Grams, cities: &[City]) -> Result<Vec<Grams>, StoreError> {
        if grams.city.is_some() {
            return Ok(vec![grams.clone()]);
        }
        if cities.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::default();
        sql.push("with city (first, ends) as (values ");
        for (at, city) in cities.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" }).bind(city.digit().to_string());
            sql.push(", ").bind((city.digit() + 1).to_string()).push(")");
        }
        sql.push("), word (gram) as (values ");
        for (at, gram) in grams.grams.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" }).bind(gram.as_str()).push(")");
        }
        sql.push(
            ") select city.first, word.gram, (select count(*) || ' ' || max(ticket) from (select ticket from gram \
             where gram.gram = word.gram and ticket >= city.first and ticket < city.ends order by ticket limit ",
        );
        sql.bind(COUNTED_IN_CITY).push(") as found) from city cross join word");
        let rows: Vec<(String, String, Option<String>)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let city = |first: &str| cities.iter().find(|city| city.digit().to_string() == first).copied();
        let mut counted = HashMap::new();
        for (first, gram, found) in &rows {
            let Some(found) = found else { continue };
            let (count, latest) = found.split_once(' ').ok_or(StoreError::OutOfRange { column: "gram.ticket" })?;
            let city = city(first).ok_or(StoreError::OutOfRange { column: "gram.ticket" })?;
            counted.insert((city, gram.as_str()), (text("count", count)?, latest));
        }
        Ok(grams.in_cities(cities, &counted))
    }

    /// How many tickets have each gram, the rarest first, counted to one more than `most`.
    async fn counted(&self, grams: &[String], city: Option<City>, most: u32) -> Result<Vec<(i64, String)>, StoreError> {
        let mut sql = Sql::default();
        for (at, gram) in grams.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " union all " }).push("select count(*), coalesce(max(ticket), ''), ");
            sql.bind(gram.as_str()).push(" from (select ticket from gram where gram = ").bind(gram.as_str());
            of_city(city, &mut sql);
            sql.push(" order by ticket limit ").bind(i64::from(most) + 1).push(format!(") as found{at}"));
        }
        let mut counted: Vec<(i64, String, String)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        counted.sort_by(|(count, latest, _), (other, later, _)| rarer((*count, latest), (*other, later)));
        Ok(counted.into_iter().map(|(count, _, gram)| (count, gram)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_each_city_its_rarest_gram_leads_and_a_city_without_one_is_left_out() {
        let grams = Grams { grams: ["县客", "当雄", "雄县"].map(str::to_owned).to_vec(), city: None };
        let counted = HashMap::from([
            ((City::Lhasa, "县客"), (120, "126110900012")),
            ((City::Lhasa, "当雄"), (40, "126110900012")),
            ((City::Lhasa, "雄县"), (40, "126112000012")),
            ((City::Nagqu, "县客"), (200, "626010200018")),
            ((City::Nagqu, "当雄"), (200, "626010100010")),
            ((City::Nagqu, "雄县"), (200, "626010100010")),
            ((City::Ngari, "县客"), (90, "726110900016")),
            ((City::Ngari, "当雄"), (1, "726110900016")),
        ]);
        let found = grams.in_cities(&[City::Lhasa, City::Nagqu, City::Ngari, City::Shannan], &counted);
        let found: Vec<(Option<City>, Vec<&str>)> =
            found.iter().map(|of| (of.city(), of.grams.iter().map(String::as_str).collect())).collect();
        assert_eq!(
            found,
            [(Some(City::Lhasa), vec!["雄县", "当雄", "县客"]), (Some(City::Nagqu), vec!["县客", "当雄", "雄县"])]
        );
    }
}
