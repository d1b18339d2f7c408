//! What the clocks have to do: what is late and has not been raised, and what stands still.

use chrono::{DateTime, TimeDelta, Utc};

use super::row::{micros, text};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::{Alarm, Number, State, deadline};

impl Store {
    /// Alarms that are due and not raised yet in their ticket's round: at most `most` of each kind (of the first two, in
    /// each city). The rule is the ticket's life; this finds whom it concerns.
    pub async fn late(&self, now: DateTime<Utc>, most: u32) -> Result<Vec<(Number, Alarm)>, StoreError> {
        let now = micros(now);
        let mut late = Vec::new();
        for city in City::ALL {
            let limits = self.rules.limits(city);
            for (alarm, state, minutes) in [
                (Alarm::Undispatched, State::Received, limits.undispatched_shown_after_minutes),
                (Alarm::Unsigned, State::Dispatched, limits.unsigned_shown_after_minutes),
            ] {
                late.extend(self.waiting(city, state, ago(now, minutes), alarm, most).await?);
            }
        }
        let today = beijing_day(now);
        for (alarm, states, condition) in [
            (
                Alarm::ContactBreached,
                State::is_handled as fn(State) -> bool,
                "contact_at is null and contact_due_at < ",
            ),
            (Alarm::Overdue, State::is_timed, "due_day < "),
            (Alarm::ReviewDue, |state| state == State::Suspended, "review_day <= "),
        ] {
            let numbers: Vec<String> = on!(&self.read, pool => {
                let mut query = sqlx::QueryBuilder::new("select number from ticket where state in (");
                query.push(names(states)).push(") and ").push(condition);
                match alarm {
                    Alarm::ContactBreached => query.push_bind(now),
                    _ => query.push_bind(today),
                };
                query.push(" and raised not like ").push_bind(like(alarm));
                query.push(" limit ").push_bind(i64::from(most));
                query.build_query_scalar().fetch_all(pool).await
            })?;
            late.extend(alarms(numbers, alarm)?);
        }
        Ok(late)
    }

    async fn waiting(
        &self,
        city: City,
        state: State,
        since: DateTime<Utc>,
        alarm: Alarm,
        most: u32,
    ) -> Result<Vec<(Number, Alarm)>, StoreError> {
        const SQL: &str = "select number from ticket where city = $1 and state = $2 and state_since <= $3 \
             and raised not like $4 limit $5";
        let numbers: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(SQL)
            .bind(city.slug())
            .bind(state.name())
            .bind(since)
            .bind(like(alarm))
            .bind(i64::from(most))
            .fetch_all(pool)
            .await)?;
        alarms(numbers, alarm)
    }

    /// Open supervised tickets below the highest level that have not moved for so long that they go a level up; at most
    /// `most` of each city.
    pub async fn standing_still(&self, now: DateTime<Utc>, most: u32) -> Result<Vec<Number>, StoreError> {
        let calendar = self.calendar().await?;
        let mut still = Vec::new();
        for city in City::ALL {
            let before = deadline::standing_still_before(&calendar, city, now, self.rules.limits(city));
            let numbers: Vec<String> = on!(&self.read, pool => {
                let mut query = sqlx::QueryBuilder::new("select number from ticket where state in (");
                query.push(names(State::is_open)).push(") and supervision > 0 and supervision < 4 and supervised_at < ");
                query.push_bind(before).push(" and (progressed_at is null or progressed_at < ").push_bind(before);
                query.push(") and city = ").push_bind(city.slug()).push(" limit ").push_bind(i64::from(most));
                query.build_query_scalar().fetch_all(pool).await
            })?;
            for number in numbers {
                still.push(text("ticket.number", &number)?);
            }
        }
        Ok(still)
    }
}

/// For `in (…)`: the names are ours.
pub(super) fn names(of: fn(State) -> bool) -> String {
    let names: Vec<String> =
        State::ALL.iter().filter(|state| of(**state)).map(|state| format!("'{}'", state.name())).collect();
    names.join(", ")
}

/// No alarm's name is a part of another's.
fn like(alarm: Alarm) -> String {
    format!("%{}%", alarm.name())
}

fn ago(now: DateTime<Utc>, minutes: u32) -> DateTime<Utc> {
    now.checked_sub_signed(TimeDelta::minutes(minutes.into())).unwrap_or(DateTime::UNIX_EPOCH)
}

fn alarms(numbers: Vec<String>, alarm: Alarm) -> Result<Vec<(Number, Alarm)>, StoreError> {
    numbers.iter().map(|number| Ok((text("ticket.number", number)?, alarm))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_alarms_name_is_a_part_of_anothers() {
        for one in Alarm::ALL {
            for other in Alarm::ALL {
                assert!(one == other || !one.name().contains(other.name()), "{one} {other}");
            }
        }
    }
}
