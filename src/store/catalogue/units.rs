//! Who handles requests.

use chrono::{DateTime, Utc};

use super::super::row::{optional_text, text};
use super::super::{By, Store, StoreError, Transaction, on};
use super::{Conflict, Fields, Kept, NotKept, hold, kept, listed, shown, write_down};
use crate::city::City;
use crate::ticket::catalogue::{Misfit, Subject, Unit, UnitCode};

const SELECT: &str = "select code, city, zh, bo, phone, classes, active from unit where true";

impl Store {
    /// The units of a city, or of all, by city and code; retired ones among them.
    pub async fn units(&self, city: Option<City>) -> Result<Vec<Unit>, StoreError> {
        let rows: Vec<UnitRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            if let Some(city) = city {
                query.push(" and city = ").push_bind(city.slug());
            }
            query.push(" order by city, code").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Unit::try_from).collect()
    }

    /// Adds the unit, or changes it.
    ///
    /// # Errors
    /// It names a class that is not listed; it is to be of another city than it is; it is to be retired while knowledge
    /// in use is its own.
    pub async fn keep_unit(&self, unit: &Unit, by: &By, now: DateTime<Utc>) -> Result<Kept, NotKept> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        for subject in &unit.classes {
            if !is_listed(&mut transaction, *subject).await? {
                return Err(Misfit::NoSubject(*subject).into());
            }
        }
        let was = unit_in(&mut transaction, &unit.code).await?;
        if was.as_ref().is_some_and(|was| was.city != unit.city) {
            return Err(Conflict::OtherCity.into());
        }
        if !unit.active && has_knowledge(&mut transaction, &unit.code).await? {
            return Err(Conflict::KnowledgeInUse.into());
        }
        let (was, is) = (was.as_ref().map(fields), fields(unit));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            write(&mut transaction, unit).await?;
            write_down(&mut transaction, &format!("unit {}", unit.code), was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

pub(super) async fn unit_in(transaction: &mut Transaction, code: &UnitCode) -> Result<Option<Unit>, StoreError> {
    let row: Option<UnitRow> = on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(SELECT);
        query.push(" and code = ").push_bind(code.as_str());
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?;
    row.map(Unit::try_from).transpose()
}

async fn is_listed(transaction: &mut Transaction, subject: Subject) -> Result<bool, StoreError> {
    const SQL: &str = "select 1 from class where code = $1";
    let found: Option<i32> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(subject.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.is_some())
}

async fn has_knowledge(transaction: &mut Transaction, code: &UnitCode) -> Result<bool, StoreError> {
    const SQL: &str = "select 1 from knowledge where unit = $1 and active limit 1";
    let found: Option<i32> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(code.as_str())
        .fetch_optional(&mut **transaction)
        .await)?;
    Ok(found.is_some())
}

async fn write(transaction: &mut Transaction, unit: &Unit) -> Result<(), StoreError> {
    const SQL: &str = "insert into unit (code, city, zh, bo, phone, classes, active) \
         values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict (code) do update set zh = excluded.zh, bo = excluded.bo, phone = excluded.phone, \
         classes = excluded.classes, active = excluded.active";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(unit.code.as_str())
        .bind(unit.city.slug())
        .bind(unit.zh.as_str())
        .bind(unit.bo.as_str())
        .bind(unit.phone.as_ref().map(|phone| phone.as_str()))
        .bind(listed(&unit.classes, " "))
        .bind(unit.active)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

fn fields(unit: &Unit) -> Fields {
    vec![
        ("city", shown(unit.city)),
        ("zh", shown(&unit.zh)),
        ("bo", shown(&unit.bo)),
        ("phone", unit.phone.as_ref().and_then(shown)),
        ("classes", shown(listed(&unit.classes, " "))),
        ("active", shown(unit.active)),
    ]
}

#[derive(sqlx::FromRow)]
struct UnitRow {
    code: String,
    city: String,
    zh: String,
    bo: String,
    phone: Option<String>,
    classes: String,
    active: bool,
}

impl TryFrom<UnitRow> for Unit {
    type Error = StoreError;

    fn try_from(row: UnitRow) -> Result<Unit, StoreError> {
        let classes = row.classes.split_whitespace().map(|class| text("unit.classes", class));
        Ok(Unit {
            code: text("unit.code", &row.code)?,
            city: text("unit.city", &row.city)?,
            zh: text("unit.zh", &row.zh)?,
            bo: text("unit.bo", &row.bo)?,
            phone: optional_text("unit.phone", row.phone.as_deref())?,
            classes: classes.collect::<Result<_, _>>()?,
            active: row.active,
        })
    }
}
