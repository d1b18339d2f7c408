//! Counts of classes by week, and which of them somebody has been told of.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Store, StoreError, on, slugs};
use crate::city::City;
use crate::store::audit::{self, Act};
use crate::store::row::{count, text};
use crate::store::sql::{Sql, builder};
use crate::ticket::{Action, Actor, ClassCode};

/// So many days before today [`Store::class_weeks`] looks back: a week, and the four before it.
pub const TREND_DAYS: u64 = 35;

/// How many valid requests of a class came in: in the seven days that end with this one, and in the 28 before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassWeeks {
    pub city: City,
    pub class: ClassCode,
    pub week: u32,
    pub four_weeks_before: u32,
}

impl Store {
    /// Every class that came in during the last seven days.
    pub async fn class_weeks(&self, today: NaiveDate, cities: &[City]) -> Result<Vec<ClassWeeks>, StoreError> {
        let (week, before) = (today - Days::new(7), today - Days::new(TREND_DAYS));
        self.recount(before, today, cities).await?;
        let mut sql = Sql::default();
        sql.push("select city, key, cast(sum(case when day > ").bind(week);
        sql.push(" then valid else 0 end) as bigint), cast(sum(case when day <= ").bind(week);
        sql.push(" then valid else 0 end) as bigint) from report_day where dimension = 'class' and key <> ''");
        sql.push(" and day > ").bind(before).push(" and day <= ").bind(today);
        sql.push(" and city").any_of(slugs(cities).into_iter());
        sql.push(" group by city, key having sum(case when day > ").bind(week);
        sql.push(" then valid else 0 end) > 0 order by city, key");
        let rows: Vec<(String, String, i64, i64)> =
            on!(&self.read, pool => builder!(sql).build_query_as().fetch_all(pool).await)?;
        let weeks = rows.into_iter().map(|(city, class, week, before)| {
            Ok(ClassWeeks {
                city: text("report_day.city", &city)?,
                class: text("report_day.key", &class)?,
                week: count("report_day.valid", week)?,
                four_weeks_before: count("report_day.valid", before)?,
            })
        });
        weeks.collect()
    }

    /// Writes down that a class rises in a city, and tells the other systems, once a week; whether it was new.
    pub async fn raise_trend(
        &self,
        trend: &ClassWeeks,
        monday: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "insert into meta (name, value) values ($1, $2) \
             on conflict (name) do update set value = excluded.value where meta.value <> excluded.value";
        let subject = format!("trend {} {}", trend.city, trend.class);
        let mut transaction = self.begin().await?;
        let new = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(&subject)
            .bind(monday.to_string())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if new == 0 {
            return Ok(false);
        }
        let why = format!("{} in seven days, {} in the four weeks before", trend.week, trend.four_weeks_before);
        let act = Act { reason: Some(&why), ..Act::new(&subject, now, Actor::System, Action::Raised) };
        audit::append(&mut transaction, &act).await?;
        self.announce_trend(&mut transaction, trend, monday, now).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
