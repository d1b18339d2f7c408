//! A page of a list, and the cursor that leads to the next.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store;

/// One page. `next` is the `cursor` of the following page, null on the last.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Page<T> {
    pub fn of<Row>(page: store::Page<Row>, show: impl Fn(Row) -> T) -> Page<T> {
        Page { items: page.items.into_iter().map(show).collect(), next: page.next.map(|next| next.to_string()) }
    }
}
