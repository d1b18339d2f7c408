//! A statement put together piece by piece, its values apart from its text.

use chrono::{DateTime, NaiveDate, Utc};

use super::database::Database;
use super::row::micros;
use super::{StoreError, Transaction};
use crate::city::City;

/// A statement for either database.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql(Vec<Piece>);

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Bound(Value),
}

/// A value that is bound, never written into the text.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Day(NaiveDate),
    Time(DateTime<Utc>),
}

impl Sql {
    pub fn push(&mut self, text: impl Into<String>) -> &mut Sql {
        self.0.push(Piece::Text(text.into()));
        self
    }

    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Sql {
        self.0.push(Piece::Bound(value.into()));
        self
    }

    pub fn extend(&mut self, other: Sql) -> &mut Sql {
        self.0.extend(other.0);
        self
    }

    /// ` = value`, or ` in (values)` when there are several.
    pub fn any_of(&mut self, values: impl ExactSizeIterator<Item = impl Into<Value>>) -> &mut Sql {
        let (before, after) = if values.len() == 1 { (" = ", "") } else { (" in (", ")") };
        let mut between = before;
        for value in values {
            self.push(between).bind(value);
            between = ", ";
        }
        self.push(after)
    }

    /// ` and city …` of the cities that are asked for, if not all are; of none there is nothing.
    pub fn of_cities(&mut self, cities: Option<&[City]>) -> &mut Sql {
        match cities {
            None => self,
            Some([]) => self.push(" and false"),
            Some(cities) => self.push(" and city").any_of(cities.iter().map(|city| city.slug())),
        }
    }

    /// `values (…), (…)`
    pub fn values<const N: usize>(&mut self, rows: impl Iterator<Item = [Value; N]>) -> &mut Sql {
        let mut before = "values (";
        for row in rows {
            for value in row {
                self.push(before).bind(value);
                before = ", ";
            }
            before = "), (";
        }
        self.push(")")
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<NaiveDate> for Value {
    fn from(day: NaiveDate) -> Value {
        Value::Day(day)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(at: DateTime<Utc>) -> Value {
        Value::Time(micros(at))
    }
}

/// The statement as sqlx's builder of the database it is run on.
macro_rules! builder {
    ($sql:expr) => {{
        use $crate::store::sql::{Piece, Value};
        let mut query = sqlx::QueryBuilder::new("");
        for piece in $sql.pieces() {
            match piece {
                Piece::Text(text) => query.push(text),
                Piece::Bound(Value::Text(text)) => query.push_bind(text.as_str()),
                Piece::Bound(Value::Integer(number)) => query.push_bind(*number),
                Piece::Bound(Value::Day(day)) => query.push_bind(*day),
                Piece::Bound(Value::Time(at)) => query.push_bind(*at),
            };
        }
        query
    }};
}
pub(super) use builder;

/// How the database goes about a statement, in its own words: what the tests of query plans read.
pub(super) async fn explain(transaction: &mut Transaction, statement: Sql) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::default();
    Ok(match transaction {
        Database::Sqlite(transaction) => {
            sql.push("explain query plan ").extend(statement);
            let rows: Vec<(i64, i64, i64, String)> =
                builder!(sql).build_query_as().fetch_all(&mut **transaction).await?;
            rows.into_iter().map(|(.., what)| what).collect()
        }
        Database::Postgres(transaction) => {
            sql.push("explain ").extend(statement);
            builder!(sql).build_query_scalar().fetch_all(&mut **transaction).await?
        }
    })
}
