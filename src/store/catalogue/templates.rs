//! Texts that replies begin with.

use chrono::{DateTime, Utc};

use super::super::row::{optional_text, text};
use super::super::{By, Store, StoreError, Transaction, on};
use super::units::unit_in;
use super::{Conflict, Fields, Kept, NotKept, hold, kept, shown, write_down};
use crate::city::City;
use crate::ticket::catalogue::{ReplyTemplate, TemplateId};

const SELECT: &str = "select id, city, unit, kind, title, text_zh, text_bo, active from reply_template where true";

impl Store {
    /// The templates of a city with those of every city, or all, by kind and title; retired ones among them.
    pub async fn reply_templates(&self, city: Option<City>) -> Result<Vec<ReplyTemplate>, StoreError> {
        let rows: Vec<TemplateRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            if let Some(city) = city {
                query.push(" and (city is null or city = ").push_bind(city.slug()).push(")");
            }
            query.push(" order by kind, title, id").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(ReplyTemplate::try_from).collect()
    }

    /// One template.
    pub async fn reply_template(&self, id: &TemplateId) -> Result<Option<ReplyTemplate>, StoreError> {
        let row: Option<TemplateRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" and id = ").push_bind(id.as_str());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(ReplyTemplate::try_from).transpose()
    }

    /// Adds the template, or changes it.
    ///
    /// # Errors
    /// Its unit is unknown, retired, or of another city.
    pub async fn keep_reply_template(
        &self,
        template: &ReplyTemplate,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Kept, NotKept> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let unit = match &template.unit {
            Some(unit) => unit_in(&mut transaction, unit).await?,
            None => None,
        };
        template.fit(unit.as_ref().map(|unit| unit.city))?;
        if template.active && unit.is_some_and(|unit| !unit.active) {
            return Err(Conflict::UnitRetired.into());
        }
        let was = template_in(&mut transaction, &template.id).await?;
        let (was, is) = (was.as_ref().map(fields), fields(template));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            write(&mut transaction, template).await?;
            write_down(&mut transaction, &format!("reply_template {}", template.id), was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

async fn template_in(transaction: &mut Transaction, id: &TemplateId) -> Result<Option<ReplyTemplate>, StoreError> {
    let row: Option<TemplateRow> = on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(SELECT);
        query.push(" and id = ").push_bind(id.as_str());
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?;
    row.map(ReplyTemplate::try_from).transpose()
}

async fn write(transaction: &mut Transaction, template: &ReplyTemplate) -> Result<(), StoreError> {
    const SQL: &str = "insert into reply_template (id, city, unit, kind, title, text_zh, text_bo, active) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict (id) do update set city = excluded.city, unit = excluded.unit, kind = excluded.kind, \
         title = excluded.title, text_zh = excluded.text_zh, text_bo = excluded.text_bo, active = excluded.active";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(template.id.as_str())
        .bind(template.city.map(|city| city.slug()))
        .bind(template.unit.as_ref().map(|unit| unit.as_str()))
        .bind(template.kind.name())
        .bind(template.title.as_str())
        .bind(template.text_zh.as_str())
        .bind(template.text_bo.as_ref().map(|text| text.as_str()))
        .bind(template.active)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

fn fields(template: &ReplyTemplate) -> Fields {
    vec![
        ("city", template.city.and_then(shown)),
        ("unit", template.unit.as_ref().and_then(shown)),
        ("kind", shown(template.kind)),
        ("title", shown(&template.title)),
        ("text_zh", shown(&template.text_zh)),
        ("text_bo", template.text_bo.as_ref().and_then(shown)),
        ("active", shown(template.active)),
    ]
}

#[derive(sqlx::FromRow)]
struct TemplateRow {
    id: String,
    city: Option<String>,
    unit: Option<String>,
    kind: String,
    title: String,
    text_zh: String,
    text_bo: Option<String>,
    active: bool,
}

impl TryFrom<TemplateRow> for ReplyTemplate {
    type Error = StoreError;

    fn try_from(row: TemplateRow) -> Result<ReplyTemplate, StoreError> {
        Ok(ReplyTemplate {
            id: text("reply_template.id", &row.id)?,
            city: optional_text("reply_template.city", row.city.as_deref())?,
            unit: optional_text("reply_template.unit", row.unit.as_deref())?,
            kind: text("reply_template.kind", &row.kind)?,
            title: text("reply_template.title", &row.title)?,
            text_zh: text("reply_template.text_zh", &row.text_zh)?,
            text_bo: optional_text("reply_template.text_bo", row.text_bo.as_deref())?,
            active: row.active,
        })
    }
}
