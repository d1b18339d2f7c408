//! The reviews that somebody may see, and the agreement of those who score.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::access::Right;
use crate::city::City;
use crate::console::Shared;
use crate::console::pages::{Frame, render};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::reviews::{AgreementOut, KEYS, ReviewOut, agreed, filter};
use crate::store::ActorNames;
use crate::ticket::Actor;
use crate::ticket::quality::ReviewState;

#[derive(Template)]
#[template(path = "quality/list.html")]
struct ListPage {
    frame: Frame,
    asked: Parameters,
    reviews: Vec<ReviewOut>,
    names: ActorNames,
    next: Option<String>,
    /// For those who score.
    agreement: Option<AgreementOut>,
}

impl ListPage {
    fn asked(&self, key: &str) -> &str {
        self.asked.text(key).unwrap_or_default()
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.asked.text(key) == Some(value)
    }

    fn cities(&self) -> Vec<City> {
        self.frame.asking.caller.cities.list()
    }

    fn person(&self, review: &ReviewOut) -> String {
        let name = review.person.and_then(|person| self.names.get(&Actor::Account(person)));
        name.map_or_else(|| "—".to_owned(), |name| name.name.clone())
    }

    /// The address of the same list in this state.
    fn in_state(&self, state: &str) -> String {
        address(&self.asked, &["review_state", "cursor"], ("review_state", state))
    }
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let failed = |error| Problem::internal("reviews", &error);
    let caller = &frame.asking.caller;
    let filter = filter(&query, caller)?;
    let page = shared.store.reviews(&filter, query.limit()?, query.cursor()?.as_ref()).await.map_err(failed)?;
    let people = page.items.iter().filter_map(|review| review.person).map(Actor::Account);
    let names = shared.store.actor_names(people).await.map_err(failed)?;
    let next = page.next.map(|next| address(&query, &["cursor"], ("cursor", &next.to_string())));
    let reviews = page.items.into_iter().map(|review| ReviewOut::new(review, caller)).collect();
    let agreement = match caller.has(Right::Score) {
        true => Some(agreed(&shared, &frame.asking, &query).await?),
        false => None,
    };
    render(&ListPage { frame, asked: query, reviews, names, next, agreement })
}

/// The same question without these keys and with that one, if it has a value.
fn address(query: &Parameters, without: &[&str], with: (&str, &str)) -> String {
    let kept = KEYS.iter().filter(|key| !without.contains(*key));
    let mut pairs: Vec<(&str, &str)> = kept.filter_map(|key| Some((*key, query.text(key)?))).collect();
    if !with.1.is_empty() {
        pairs.push(with);
    }
    format!("/quality?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}
