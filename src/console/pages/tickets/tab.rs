//! The tabs over the inbox: the lists that each role works through.

use super::address::Query;
use super::failed;
use crate::access::Role;
use crate::clock::beijing_day;
use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::console::tickets;
use crate::store::Count;

/// Past so many a count says only that there are more.
pub const MOST_COUNTED: u32 = 1_000;

/// A tab as pages show it. Its number is that of the list behind it.
pub struct Tab {
    pub label: String,
    pub href: String,
    pub count: String,
    pub here: bool,
}

type Pairs = &'static [(&'static str, &'static str)];

const RECEIVED: (&str, Pairs) = ("received", &[("state", "received"), ("order", "due")]);
const TIBETAN: (&str, Pairs) =
    ("tibetan", &[("state", "received"), ("needs_tibetan_speaker", "true"), ("order", "due")]);
const UNDISPATCHED: (&str, Pairs) = ("undispatched", &[("state", "received"), ("alarm", "undispatched")]);
const UNSIGNED: (&str, Pairs) = ("unsigned", &[("state", "dispatched"), ("order", "due")]);
const HANDLED: (&str, Pairs) = ("handled", &[("state", "in_progress"), ("order", "due")]);
const IN_HAND: (&str, Pairs) = ("in_hand", &[("state", "dispatched,in_progress"), ("order", "due")]);
const LATE: (&str, Pairs) = ("late", &[("overdue", "true"), ("order", "due")]);
const SUSPENDED: (&str, Pairs) = ("suspended", &[("state", "suspended")]);
const REVIEW: (&str, Pairs) = ("review", &[("state", "under_review"), ("order", "due")]);
const RETURNED: (&str, Pairs) = ("returned", &[("state", "return_under_review"), ("order", "due")]);
const ASKED: (&str, Pairs) = ("asked", &[("asked", "true"), ("open", "true")]);
const RECHECK: (&str, Pairs) = ("recheck", &[("state", "recheck")]);
const SUPERVISED: (&str, Pairs) = ("supervised", &[("supervised", "1"), ("open", "true")]);
const OPEN: (&str, Pairs) = ("open", &[("open", "true"), ("order", "created")]);
const ALL: (&str, Pairs) = ("all", &[("order", "created")]);

fn tabs_of(role: Role) -> &'static [(&'static str, Pairs)] {
    match role {
        Role::Agent => &[RECEIVED, TIBETAN, UNDISPATCHED, OPEN, ALL],
        Role::Unit => &[IN_HAND, UNSIGNED, HANDLED, LATE, SUSPENDED, REVIEW, ALL],
        Role::Supervisor => &[REVIEW, RETURNED, ASKED, RECHECK, SUPERVISED, LATE, RECEIVED, ALL],
        Role::Leader | Role::Auditor | Role::Administrator => &[ALL, OPEN, LATE, SUPERVISED, RECHECK],
    }
}

/// What the inbox shows when nothing is asked for.
pub fn first(role: Role) -> Query {
    Query::named(tabs_of(role)[0].1)
}

/// The tabs of a role with their counts; here is the narrowest that the query holds.
pub async fn tabs(shared: &Shared, frame: &Frame, query: &Query) -> Result<Vec<Tab>, Problem> {
    let of_role = tabs_of(frame.visitor.account.profile.role());
    let held = |pairs: Pairs| Some(Query::named(pairs)).filter(|tab| query.holds(tab)).map(|tab| tab.len());
    let narrowest = of_role.iter().filter_map(|(_, pairs)| held(pairs)).max();
    let mut tabs = Vec::new();
    for (key, pairs) in of_role {
        let tab = Query::named(pairs);
        tabs.push(Tab {
            label: frame.name("inbox_tab", key),
            href: tab.at("/tickets"),
            count: shown(count(shared, frame, &tab).await?),
            here: narrowest.is_some() && held(pairs) == narrowest,
        });
    }
    Ok(tabs)
}

/// How many tickets the list of this query has.
async fn count(shared: &Shared, frame: &Frame, query: &Query) -> Result<Count, Problem> {
    let parameters = query.parameters(tickets::KEYS)?;
    let filter = tickets::filter(&parameters, beijing_day(shared.clock.wall()))?;
    let filter = tickets::seen(filter, &frame.asking.caller);
    shared.store.count_tickets(&filter, tickets::order(&parameters)?, MOST_COUNTED).await.map_err(failed)
}

pub fn shown(count: Count) -> String {
    format!("{}{}", count.tickets, if count.more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_is_a_list_that_the_api_knows_and_no_two_of_a_role_are_one() {
        for role in Role::ALL.iter().copied() {
            let tabs: Vec<Query> = tabs_of(role).iter().map(|(_, pairs)| Query::named(pairs)).collect();
            for (at, tab) in tabs.iter().enumerate() {
                let parameters = tab.parameters(tickets::KEYS).expect("known keys");
                tickets::filter(&parameters, chrono::NaiveDate::MIN).expect("known values");
                tickets::order(&parameters).expect("a known order");
                assert!(!tab.is_empty() && !tabs[..at].contains(tab), "{role}");
            }
        }
    }
}
