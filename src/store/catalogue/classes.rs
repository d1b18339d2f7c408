//! The two levels that requests are sorted by.

use chrono::{DateTime, Utc};

use super::super::row::text;
use super::super::{By, Store, StoreError, Transaction, on};
use super::{Conflict, Fields, Kept, NotKept, hold, kept, listed, shown, write_down};
use crate::ticket::catalogue::{Class, Group, GroupCode, Misfit};

const GROUPS: &str = "select code, zh, bo, keywords, active from class where parent is null";
const CLASSES: &str = "select code, zh, bo, keywords, active from class where parent is not null";

impl Store {
    /// The groups by code, retired ones among them.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let rows: Vec<ClassRow> = on!(&self.read, pool => {
            sqlx::QueryBuilder::new(GROUPS).push(" order by code").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Group::try_from).collect()
    }

    /// The classes by code, retired ones among them.
    pub async fn classes(&self) -> Result<Vec<Class>, StoreError> {
        let rows: Vec<ClassRow> = on!(&self.read, pool => {
            sqlx::QueryBuilder::new(CLASSES).push(" order by code").build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Class::try_from).collect()
    }

    /// Adds the group, or changes it.
    ///
    /// # Errors
    /// It is to be retired while classes in use stand below it.
    pub async fn keep_group(&self, group: &Group, by: &By, now: DateTime<Utc>) -> Result<Kept, NotKept> {
        const IN_USE: &str = "select 1 from class where parent = $1 and active limit 1";
        let code = group.code.to_string();
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let was = group_row(&mut transaction, group.code).await?.map(Group::try_from).transpose()?;
        let in_use: Option<i32> = on!(&mut transaction, transaction => sqlx::query_scalar(IN_USE)
            .bind(&code)
            .fetch_optional(&mut **transaction)
            .await)
        .map_err(StoreError::from)?;
        if !group.active && in_use.is_some() {
            return Err(Conflict::ClassesInUse.into());
        }
        let (was, is) = (was.as_ref().map(group_fields), group_fields(group));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            write(&mut transaction, &code, None, [group.zh.as_str(), group.bo.as_str(), ""], group.active).await?;
            write_down(&mut transaction, &format!("class {code}"), was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }

    /// Adds the class to the group that its code names, or changes it.
    ///
    /// # Errors
    /// There is no such group, or it is retired and the class is not.
    pub async fn keep_class(&self, class: &Class, by: &By, now: DateTime<Utc>) -> Result<Kept, NotKept> {
        let code = class.code.to_string();
        let mut transaction = self.begin().await?;
        hold(&mut transaction).await?;
        let group = group_row(&mut transaction, class.code.group()).await?.ok_or(Misfit::NoGroup)?;
        if class.active && !group.active {
            return Err(Conflict::GroupRetired.into());
        }
        let was: Option<ClassRow> = on!(&mut transaction, transaction => {
            let mut query = sqlx::QueryBuilder::new(CLASSES);
            query.push(" and code = ").push_bind(&code);
            query.build_query_as().fetch_optional(&mut **transaction).await
        })
        .map_err(StoreError::from)?;
        let was = was.map(Class::try_from).transpose()?;
        let (was, is) = (was.as_ref().map(class_fields), class_fields(class));
        let done = kept(was.as_ref(), &is);
        if done != Kept::Unchanged {
            let texts = [class.zh.as_str(), class.bo.as_str(), &listed(&class.keywords, "\n")];
            write(&mut transaction, &code, Some(class.code.group()), texts, class.active).await?;
            write_down(&mut transaction, &format!("class {code}"), was, is, by, now).await?;
        }
        transaction.commit().await?;
        Ok(done)
    }
}

async fn group_row(transaction: &mut Transaction, code: GroupCode) -> Result<Option<ClassRow>, StoreError> {
    Ok(on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(GROUPS);
        query.push(" and code = ").push_bind(code.to_string());
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?)
}

/// The texts are zh, bo and the keywords.
async fn write(
    transaction: &mut Transaction,
    code: &str,
    group: Option<GroupCode>,
    texts: [&str; 3],
    active: bool,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into class (code, parent, zh, bo, keywords, active) values ($1, $2, $3, $4, $5, $6) \
         on conflict (code) do update set zh = excluded.zh, bo = excluded.bo, keywords = excluded.keywords, \
         active = excluded.active";
    let [zh, bo, keywords] = texts;
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(code)
        .bind(group.map(|group| group.to_string()))
        .bind(zh)
        .bind(bo)
        .bind(keywords)
        .bind(active)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

fn group_fields(group: &Group) -> Fields {
    vec![("zh", shown(&group.zh)), ("bo", shown(&group.bo)), ("active", shown(group.active))]
}

fn class_fields(class: &Class) -> Fields {
    vec![
        ("zh", shown(&class.zh)),
        ("bo", shown(&class.bo)),
        ("keywords", shown(listed(&class.keywords, " "))),
        ("active", shown(class.active)),
    ]
}

#[derive(sqlx::FromRow)]
struct ClassRow {
    code: String,
    zh: String,
    bo: String,
    keywords: String,
    active: bool,
}

impl TryFrom<ClassRow> for Group {
    type Error = StoreError;

    fn try_from(row: ClassRow) -> Result<Group, StoreError> {
        let (code, zh) = (text("class.code", &row.code)?, text("class.zh", &row.zh)?);
        Ok(Group { code, zh, bo: text("class.bo", &row.bo)?, active: row.active })
    }
}

impl TryFrom<ClassRow> for Class {
    type Error = StoreError;

    fn try_from(row: ClassRow) -> Result<Class, StoreError> {
        let keywords = row.keywords.lines().map(|word| text("class.keywords", word));
        Ok(Class {
            code: text("class.code", &row.code)?,
            zh: text("class.zh", &row.zh)?,
            bo: text("class.bo", &row.bo)?,
            keywords: keywords.collect::<Result<_, _>>()?,
            active: row.active,
        })
    }
}
