//! `/quality`: what is looked at this week, the form with the player beside it, appeals, and how far those who score agree.

mod list;
mod review;

use axum::routing::{get, post};

use super::{form, page, read, send};
use crate::access::Right;
use crate::console::reviews;
use crate::console::routes::Route;

pub fn routes() -> Vec<Route> {
    vec![
        read("/quality", page(Right::ReadTickets, reviews::KEYS), get(list::show)),
        read("/quality/{id}", page(Right::ReadTickets, &[]), get(review::show)),
        send("/quality/{id}/score", form(Right::Score), post(review::score)),
        send("/quality/{id}/appeal", form(Right::ReadTickets), post(review::appeal)),
        send("/quality/{id}/decision", form(Right::Score), post(review::decide)),
    ]
}
