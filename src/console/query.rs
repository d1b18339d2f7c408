//! Query strings: each key once, only keys the path knows, and an error that says what would be right.

use std::str::FromStr;

use axum::extract::Query;
use axum::http::Uri;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::problem::{Kind, Problem};
use crate::phone::Phone;
use crate::store::{self, Cursor, Filter};

pub const DEFAULT_LIMIT: u32 = 50;
pub const MAX_LIMIT: u32 = store::MAX_PAGE;

pub type Bound = Option<DateTime<Utc>>;

/// The parameters of one request, decoded.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// # Errors
    /// A key that is not in `allowed`, a key given twice, a query that is no form encoding.
    pub fn read(uri: &Uri, allowed: &[&str]) -> Result<Parameters, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(Problem::new(Kind::BadQuery, "The query has to be written as key=value&key=value."));
        };
        for (at, (key, _)) in pairs.iter().enumerate() {
            if !allowed.contains(&key.as_str()) {
                return Err(unknown(key, allowed));
            }
            if pairs[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(bad(key, format!("`{key}` is given twice.")));
            }
        }
        Ok(Parameters(pairs))
    }

    /// As [`Parameters::read`], as forms send them: what was left empty is not asked for. `done` is every page's.
    ///
    /// # Errors
    /// As there.
    pub fn of_page(uri: &Uri, allowed: &[&str]) -> Result<Parameters, Problem> {
        let Parameters(mut pairs) = Parameters::read(uri, &[allowed, &["done"]].concat())?;
        pairs.retain(|(_, value)| !value.trim().is_empty());
        Ok(Parameters(pairs))
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// A value whose error text says what is allowed, such as a city.
    pub fn value<T: FromStr<Err: std::fmt::Display>>(&self, key: &str) -> Result<Option<T>, Problem> {
        let read = |text: &str| text.parse().map_err(|error| bad(key, format!("`{key}`: {error}.")));
        self.text(key).map(read).transpose()
    }

    /// Values with commas between them, each as [`Parameters::value`] reads it.
    pub fn values<T: FromStr<Err: std::fmt::Display>>(&self, key: &str) -> Result<Vec<T>, Problem> {
        let read = |text: &str| text.parse().map_err(|error| bad(key, format!("`{key}`: {error}.")));
        self.text(key).into_iter().flat_map(|text| text.split(',')).map(read).collect()
    }

    /// `true` or `false`; false when it is left out.
    pub fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.text(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(bad(key, format!("`{key}` is true or false."))),
        }
    }

    pub fn phone(&self, key: &str) -> Result<Option<Phone>, Problem> {
        let wrong = || bad(key, format!("`{key}` has to be a phone number of 3 to 15 digits, such as 08916323111."));
        self.text(key).map(|text| Phone::parse(text).ok_or_else(wrong)).transpose()
    }

    /// How many items a page has at most.
    pub fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = self.text("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| bad("limit", format!("`limit` has to be a number from 1 to {MAX_LIMIT}.")))
    }

    pub fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        self.text("cursor").map(|text| text.parse().map_err(|_| bad_cursor())).transpose()
    }

    /// What every list can be narrowed by: phone, city and period.
    pub fn filter(&self) -> Result<Filter, Problem> {
        let (from, to) = self.period()?;
        let cities = self.value("city")?.map(|city| vec![city]);
        Ok(Filter { phone: self.phone("phone")?, cities, from, to })
    }

    /// `from` (included) and `to` (excluded). A day is a day in Beijing, and `to` includes it.
    pub fn period(&self) -> Result<(Bound, Bound), Problem> {
        let from = self.text("from").map(|text| time("from", text, 0)).transpose()?;
        let to = self.text("to").map(|text| time("to", text, 1)).transpose()?;
        match (from, to) {
            (Some(from), Some(to)) if from >= to => Err(bad("to", "`to` has to be later than `from`.")),
            period => Ok(period),
        }
    }
}

pub fn bad_cursor() -> Problem {
    bad("cursor", "`cursor` has to be the `next` of the page before, unchanged.")
}

/// A query parameter is to blame.
pub fn bad(key: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Kind::BadQuery, detail).parameter(key)
}

fn unknown(key: &str, allowed: &[&str]) -> Problem {
    let known = match allowed {
        [] => "This path takes no query parameters.".to_owned(),
        keys => format!("This path takes {}.", keys.join(", ")),
    };
    // what is no plain word may be a value in the wrong place, and is not repeated
    if !key.is_empty() && key.len() <= 32 && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') {
        bad(key, format!("There is no query parameter `{key}`. {known}"))
    } else {
        Problem::new(Kind::BadQuery, format!("The query holds an unknown key. {known}"))
    }
}

fn time(key: &str, text: &str, days: u64) -> Result<DateTime<Utc>, Problem> {
    let day = Some(text).filter(|t| t.len() == "2026-11-22".len()).and_then(|t| t.parse::<NaiveDate>().ok());
    let read = match day {
        Some(day) => day.checked_add_days(Days::new(days)).map(beijing_midnight),
        None => DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()),
    };
    read.ok_or_else(|| {
        let wanted = "a time such as 2026-11-22T08:00:00Z or a day in Beijing such as 2026-11-22";
        let plus = if text.contains(' ') { " A + in a query is written %2B." } else { "" };
        bad(key, format!("`{key}` has to be {wanted}.{plus}"))
    })
}

fn beijing_midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::City;

    const KEYS: [&str; 6] = ["phone", "city", "from", "to", "limit", "cursor"];

    fn read(query: &str) -> Result<Parameters, Problem> {
        let uri: Uri = format!("/api/v1/tickets?{query}").parse().expect("a URI");
        Parameters::read(&uri, &KEYS)
    }

    fn given(query: &str) -> Parameters {
        read(query).unwrap_or_else(|problem| panic!("{query}: {problem:?}"))
    }

    #[test]
    fn a_day_is_a_beijing_day_and_to_includes_it() {
        let (from, to) = given("from=2026-11-22&to=2026-11-22").period().expect("a period");
        assert_eq!(from, "2026-11-21T16:00:00Z".parse().ok());
        assert_eq!(to, "2026-11-22T16:00:00Z".parse().ok());
        let (from, to) = given("from=2026-11-22T08:00:00%2B08:00").period().expect("a period");
        assert_eq!((from, to), ("2026-11-22T00:00:00Z".parse().ok(), None));
    }

    #[test]
    fn what_is_given_is_read() {
        let all = given("city=nagqu&phone=138-1234-5678&limit=500");
        assert_eq!(all.value::<City>("city").expect("a city"), Some(City::Nagqu));
        assert_eq!(all.phone("phone").expect("a phone"), Phone::parse("13812345678"));
        assert_eq!(all.limit().expect("a limit"), 500);
        assert_eq!(given("").limit().expect("a limit"), DEFAULT_LIMIT);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for query in ["limit=0", "limit=501", "limit=-1", "limit=", "limit=ten", "limit=99999999999"] {
            assert!(given(query).limit().is_err(), "{query}");
        }
        for query in ["from=", "from=yesterday", "to=2026-02-30", "from=2026-11-22T08:00:00", "to=1795305600"] {
            assert!(given(query).period().is_err(), "{query}");
        }
        assert!(given("from=2026-11-23&to=2026-11-22").period().is_err());
        assert!(given("city=beijing").value::<City>("city").is_err());
        assert!(given("phone=anonymous").phone("phone").is_err());
        assert!(read("city=lhasa&city=ngari").is_err());
        assert!(read("offset=3").is_err());
        assert!(read("=").is_err());
    }

    #[test]
    fn an_error_never_repeats_a_phone_number() {
        let in_the_key = read("13812345678=").err().map(|problem| format!("{problem:?}"));
        let in_the_value = given("phone=13812345678x").phone("phone").err().map(|problem| format!("{problem:?}"));
        for text in [in_the_key, in_the_value] {
            assert!(!text.expect("a problem").contains("138"));
        }
    }
}
