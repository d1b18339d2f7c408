//! Addresses with a query.

use crate::console::problem::Problem;
use crate::console::query::Parameters;

/// What stands behind the `?`, in the order of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// Keys that say which part of a list is shown, not which list.
const OF_A_PAGE: [&str; 2] = ["cursor", "limit"];

impl Query {
    /// The parameters that a page was asked with.
    pub fn of(parameters: &Parameters, keys: &[&str]) -> Query {
        let pair = |key: &&str| Some(((*key).to_owned(), parameters.text(key)?.to_owned()));
        Query(keys.iter().filter_map(pair).collect())
    }

    pub fn named(pairs: &[(&str, &str)]) -> Query {
        Query(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    /// As it was written behind a `?`; what is not of these keys, or says which part of the list is shown, is left out.
    pub fn read(text: &str, keys: &[&str]) -> Query {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
        let is_kept = |(key, value): &(String, String)| keys.contains(&key.as_str()) && !value.is_empty();
        Query(pairs.into_iter().filter(is_kept).collect()).whole()
    }

    /// Of the whole list, from its first page.
    pub fn whole(mut self) -> Query {
        self.0.retain(|(key, _)| !OF_A_PAGE.contains(&key.as_str()));
        self
    }

    pub fn with(&self, key: &str, value: &str) -> Query {
        let mut query = self.clone();
        query.0.retain(|(other, _)| other != key);
        query.0.push((key.to_owned(), value.to_owned()));
        query
    }

    /// What is asked for here and there.
    pub fn and(mut self, other: Query) -> Query {
        self.0.extend(other.0);
        self
    }

    pub fn value(&self, key: &str) -> &str {
        self.0.iter().find(|(other, _)| other == key).map_or("", |(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all that the other asks for is asked for here.
    pub fn holds(&self, other: &Query) -> bool {
        other.0.iter().all(|pair| self.0.contains(pair))
    }

    /// For a list's own functions.
    pub fn parameters(&self, keys: &[&str]) -> Result<Parameters, Problem> {
        let uri = self.at("/").parse().expect("a path with an encoded query");
        Parameters::read(&uri, keys)
    }

    pub fn text(&self) -> String {
        serde_urlencoded::to_string(&self.0).expect("pairs of texts")
    }

    /// The path with this query.
    pub fn at(&self, path: &str) -> String {
        if self.0.is_empty() { path.to_owned() } else { format!("{path}?{}", self.text()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[&str] = &["q", "state", "cursor"];

    #[test]
    fn a_query_survives_its_address_without_the_page() {
        let query = Query::read("state=received&q=%E6%B0%B4+%26+%E7%94%B5&cursor=abc&evil=1&q=", KEYS);
        assert_eq!(query.text(), "state=received&q=%E6%B0%B4+%26+%E7%94%B5");
        assert_eq!(Query::read(&query.text(), KEYS), query);
        assert_eq!((query.value("q"), query.value("cursor")), ("水 & 电", ""));
        assert_eq!(query.parameters(KEYS).expect("parameters").text("q"), Some("水 & 电"));
    }

    #[test]
    fn a_narrower_query_holds_a_wider_one() {
        let tab = Query::named(&[("state", "received")]);
        assert!(tab.with("q", "x").holds(&tab) && !tab.holds(&tab.with("q", "x")));
        assert!(!tab.with("state", "closed").holds(&tab));
        assert_eq!(
            (Query::default().at("/tickets"), tab.at("/tickets")),
            ("/tickets".to_owned(), "/tickets?state=received".to_owned())
        );
    }
}
