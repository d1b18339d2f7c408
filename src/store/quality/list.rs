//! Lists of reviews, and how far those who score agree.

use chrono::{NaiveDate, NaiveTime};

use super::{Review, ReviewRow, SELECT};
use crate::city::City;
use crate::store::row::count;
use crate::store::sql::{Sql, builder};
use crate::store::{Cursor, MAX_PAGE, Page, Store, StoreError, on};
use crate::ticket::AccountId;
use crate::ticket::catalogue::UnitCode;
use crate::ticket::quality::{Agreement, ReviewState, agreement};

/// What a list of reviews is narrowed to; nothing set: all.
#[derive(Clone, Debug, Default)]
pub struct ReviewFilter {
    /// `Some` of none at all finds nothing.
    pub cities: Option<Vec<City>>,
    /// Of this person's work.
    pub person: Option<AccountId>,
    /// Of this unit's tickets.
    pub unit: Option<UnitCode>,
    /// Of the week of this Monday.
    pub week: Option<NaiveDate>,
    pub state: Option<ReviewState>,
}

impl Store {
    /// Reviews by week, the newest first; `limit` is 1 to [`MAX_PAGE`].
    pub async fn reviews(
        &self,
        filter: &ReviewFilter,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Review>, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let mut sql = Sql::default();
        sql.push(SELECT);
        sql.of_cities(filter.cities.as_deref());
        if let Some(person) = filter.person {
            sql.push(" and person = ").bind(person.to_string());
        }
        if let Some(unit) = &filter.unit {
            sql.push(" and unit = ").bind(unit.as_str());
        }
        if let Some(week) = filter.week {
            sql.push(" and week = ").bind(week);
        }
        if let Some(state) = filter.state {
            sql.push(" and state = ").bind(state.name());
        }
        if let Some(cursor) = cursor {
            sql.push(" and (week, id) < (").bind(cursor.at.date_naive()).push(", ");
            sql.bind(cursor.key.as_str()).push(")");
        }
        sql.push(" order by week desc, id desc limit ").bind(i64::from(limit) + 1);
        let rows: Vec<ReviewRow> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let reviews = rows.into_iter().map(Review::try_from).collect::<Result<Vec<Review>, _>>()?;
        let place =
            |review: &Review| Cursor { at: review.week.and_time(NaiveTime::MIN).and_utc(), key: review.id.to_string() };
        Ok(Page::cut(reviews, limit, place))
    }

    /// How far first and second scores of these weeks are apart; `None` when nothing was scored twice.
    pub async fn agreement(
        &self,
        cities: Option<&[City]>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Option<Agreement>, StoreError> {
        let mut sql = Sql::default();
        sql.push(
            "select one.total, two.total from review join review_score one on one.review = review.id and one.place = 1 \
             join review_score two on two.review = review.id and two.place = 2 where week >= ",
        );
        sql.bind(from).push(" and week <= ").bind(to);
        match cities {
            None => {}
            Some([]) => return Ok(None),
            Some(cities) => {
                sql.push(" and city").any_of(cities.iter().map(|city| city.slug()));
            }
        }
        let rows: Vec<(i64, i64)> = on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let total = |total| count::<u8>("review_score.total", total);
        let pairs = rows.into_iter().map(|(one, two)| Ok((total(one)?, total(two)?)));
        let pairs = pairs.collect::<Result<Vec<(u8, u8)>, StoreError>>()?;
        Ok(agreement(&pairs, self.rules.quality.pass_mark))
    }
}
