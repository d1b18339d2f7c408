//! Answers to common questions.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::row::{count, optional_text, text};
use super::super::{By, Store, StoreError, Transaction, on};
use super::units::unit_in;
use super::{Conflict, Fields, Kept, NotKept, hold, kept, shown, write_down};
use crate::city::City;
use crate::ticket::catalogue::{Knowledge, KnowledgeId, PromptId};

const SELECT: &str = "select id, city, unit, position, title_zh, title_bo, text_zh, text_bo, review_on, choice, prompt, \
     active from knowledge where true";

/// An entry and its place in lists and in the consult menu: lower ones come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub entry: Knowledge,
    pub position: u32,
}

impl Store {
    /// The entries of a city with those of every city, or all, by position; retired ones among them.
    pub async fn knowledge(&self, city: Option<City>) -> Result<Vec<Placed>, StoreError> {
        let rows: Vec<KnowledgeRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            if let Some(city) = city {
                query.push(" and (city is null or city = ").push_bind(city.slug()).push(")");
            }
            query.push(" order by position, id").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Placed::try_from).collect()
    }

    /// One entry.
    pub async fn knowledge_entry(&self, id: &KnowledgeId) -> Result<Option<Placed>, StoreError> {
        let row: Option<KnowledgeRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(SELECT);
            query.push(" and id = ").push_bind(id.as_str());
            query.build_query_as().fetch_optional(pool).await
        })?;
        row.map(Placed::try_from).transpose()
    }

    /// Adds the entry, or changes it. Without a position it stays where it is; a new one comes last.
    ///
    /// # Errors
    /// Its unit is unknown, retired, or of another city; one of the two prompts is there alone.
    pub async fn keep_knowledge(
        &self,
        entry: &Knowledge,
        position: Option<u32>,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Kept, NotKept> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let unit = unit_in(&mut transaction, &entry.unit).await?;
        entry.fit(unit.as_ref().map(|unit| unit.city))?;
        if entry.active && unit.is_some_and(|unit| !unit.active) {
            return Err(Conflict::UnitRetired.into());
        }
        let was = entry_in(&mut transaction, &entry.id).await?;
        let position = match (position, &was) {
            (Some(position), _) => position,
            (None, Some(was)) => was.position,
            (None, None) => next_position(&mut transaction).await?,
        };
        let (was, is) = (was.map(|was| fields(&was.entry, was.position)), fields(entry, position));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            write(&mut transaction, entry, position).await?;
            write_down(&mut transaction, &format!("knowledge {}", entry.id), was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }

    /// Has an entry name these prompts, whatever else of it has changed meanwhile. One that is not there stays so.
    pub async fn name_prompts(
        &self,
        id: &KnowledgeId,
        [choice, prompt]: &[PromptId; 2],
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Kept, StoreError> {
        const SQL: &str = "update knowledge set choice = $2, prompt = $3 where id = $1";
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let Some(Placed { entry, position }) = entry_in(&mut transaction, id).await? else {
            return Ok(Kept::Unchanged);
        };
        let was = fields(&entry, position);
        let named = Knowledge { choice: Some(choice.clone()), prompt: Some(prompt.clone()), ..entry };
        let is = fields(&named, position);
        let done = kept(Some(&was), &is);
        if done != Kept::Unchanged {
            on!(&mut transaction, transaction => sqlx::query(SQL)
                .bind(id.as_str())
                .bind(choice.as_str())
                .bind(prompt.as_str())
                .execute(&mut **transaction)
                .await
                .map(drop))?;
            write_down(&mut transaction, &format!("knowledge {id}"), Some(was), is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

async fn entry_in(transaction: &mut Transaction, id: &KnowledgeId) -> Result<Option<Placed>, StoreError> {
    let row: Option<KnowledgeRow> = on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(SELECT);
        query.push(" and id = ").push_bind(id.as_str());
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?;
    row.map(Placed::try_from).transpose()
}

async fn next_position(transaction: &mut Transaction) -> Result<u32, StoreError> {
    const SQL: &str = "select coalesce(max(position), 0) + 1 from knowledge";
    let next: i64 = on!(transaction, transaction => sqlx::query_scalar(SQL).fetch_one(&mut **transaction).await)?;
    count("knowledge.position", next)
}

async fn write(transaction: &mut Transaction, entry: &Knowledge, position: u32) -> Result<(), StoreError> {
    const SQL: &str = "insert into knowledge (id, city, unit, position, title_zh, title_bo, text_zh, text_bo, \
         review_on, choice, prompt, active) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (id) do update set city = excluded.city, unit = excluded.unit, position = excluded.position, \
         title_zh = excluded.title_zh, title_bo = excluded.title_bo, text_zh = excluded.text_zh, \
         text_bo = excluded.text_bo, review_on = excluded.review_on, choice = excluded.choice, \
         prompt = excluded.prompt, active = excluded.active";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(entry.id.as_str())
        .bind(entry.city.map(|city| city.slug()))
        .bind(entry.unit.as_str())
        .bind(i64::from(position))
        .bind(entry.title_zh.as_str())
        .bind(entry.title_bo.as_str())
        .bind(entry.text_zh.as_str())
        .bind(entry.text_bo.as_str())
        .bind(entry.review_on)
        .bind(entry.choice.as_ref().map(|prompt| prompt.as_str()))
        .bind(entry.prompt.as_ref().map(|prompt| prompt.as_str()))
        .bind(entry.active)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

fn fields(entry: &Knowledge, position: u32) -> Fields {
    vec![
        ("city", entry.city.and_then(shown)),
        ("unit", shown(&entry.unit)),
        ("position", shown(position)),
        ("title_zh", shown(&entry.title_zh)),
        ("title_bo", shown(&entry.title_bo)),
        ("text_zh", shown(&entry.text_zh)),
        ("text_bo", shown(&entry.text_bo)),
        ("review_on", shown(entry.review_on)),
        ("choice", entry.choice.as_ref().and_then(shown)),
        ("prompt", entry.prompt.as_ref().and_then(shown)),
        ("active", shown(entry.active)),
    ]
}

#[derive(sqlx::FromRow)]
struct KnowledgeRow {
    id: String,
    city: Option<String>,
    unit: String,
    position: i64,
    title_zh: String,
    title_bo: String,
    text_zh: String,
    text_bo: String,
    review_on: NaiveDate,
    choice: Option<String>,
    prompt: Option<String>,
    active: bool,
}

impl TryFrom<KnowledgeRow> for Placed {
    type Error = StoreError;

    fn try_from(row: KnowledgeRow) -> Result<Placed, StoreError> {
        let entry = Knowledge {
            id: text("knowledge.id", &row.id)?,
            city: optional_text("knowledge.city", row.city.as_deref())?,
            unit: text("knowledge.unit", &row.unit)?,
            title_zh: text("knowledge.title_zh", &row.title_zh)?,
            title_bo: text("knowledge.title_bo", &row.title_bo)?,
            text_zh: text("knowledge.text_zh", &row.text_zh)?,
            text_bo: text("knowledge.text_bo", &row.text_bo)?,
            review_on: row.review_on,
            choice: optional_text("knowledge.choice", row.choice.as_deref())?,
            prompt: optional_text("knowledge.prompt", row.prompt.as_deref())?,
            active: row.active,
        };
        Ok(Placed { entry, position: count("knowledge.position", row.position)? })
    }
}
