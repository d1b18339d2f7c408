//! What a client sends: a query or a form, each key once.

use axum::http::Uri;
use chrono::{DateTime, Utc};

use super::fault::Fault;
use crate::city::City;

/// Keys and values, decoded.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub fn of_query(uri: &Uri) -> Result<Form, Fault> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
        let axum::extract::Query(pairs) = pairs.map_err(|_| Fault::bad("The query is not form encoded."))?;
        Form::new(pairs)
    }

    pub fn of_body(body: &[u8]) -> Result<Form, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault::bad("The form is not UTF-8."))?;
        // the query of an address is decoded as a form is
        let uri = Uri::builder().path_and_query(format!("/?{}", text.trim())).build();
        Form::of_query(&uri.map_err(|_| Fault::bad("The form is not form encoded."))?)
    }

    fn new(pairs: Vec<(String, String)>) -> Result<Form, Fault> {
        for (at, (key, _)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(Fault::bad("A key is given twice."));
            }
        }
        Ok(Form(pairs))
    }

    /// What is given and not empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == key).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// `attribute[KEY]`.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.text(&format!("attribute[{key}]"))
    }

    pub fn city(&self) -> Result<City, Fault> {
        let given = self.text("jurisdiction_id").ok_or_else(|| Fault::bad("jurisdiction_id was not provided."))?;
        given.parse().map_err(|_| {
            Fault::missing("The jurisdiction_id is lhasa, shigatse, shannan, nyingchi, chamdo, nagqu or ngari.")
        })
    }

    /// ISO 8601 with a zone.
    pub fn time(&self, key: &str) -> Result<Option<DateTime<Utc>>, Fault> {
        let read = |text: &str| DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        let wrong = || Fault::bad(format!("{key} has to be as 2026-11-26T08:00:00+08:00 (a + is written %2B)."));
        self.text(key).map(|text| read(text).map_err(|_| wrong())).transpose()
    }
}
