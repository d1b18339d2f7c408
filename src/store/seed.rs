//! What an empty database is filled with: the catalogue and the announcements that this program carries.

use super::{Store, StoreError, Transaction, calendar, on};
use crate::ticket::calendar::Calendar;
use crate::ticket::catalogue::{Catalogue, Class, Group, Knowledge, Reason, Unit};

/// The row of `meta` that says that it was done: what an administrator takes away afterwards stays away.
const SEEDED: &str = "seeded";

impl Store {
    /// Fills what has never been filled.
    pub(super) async fn seed(&self) -> Result<(), StoreError> {
        const MARK: &str = "insert into meta (name, value) values ($1, '1') on conflict (name) do nothing";
        let mut transaction = self.begin().await?;
        let marked = on!(&mut transaction, transaction => sqlx::query(MARK)
            .bind(SEEDED)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))?;
        if marked == 0 {
            return Ok(());
        }
        let catalogue = Catalogue::built_in();
        classes(&mut transaction, &catalogue.groups, &catalogue.classes).await?;
        units(&mut transaction, &catalogue.units).await?;
        reasons(&mut transaction, &catalogue.reasons).await?;
        knowledge(&mut transaction, &catalogue.knowledge).await?;
        for announcement in Calendar::built_in().announcements() {
            calendar::announce(&mut transaction, announcement).await?;
        }
        calendar::change_version(&mut transaction).await?;
        transaction.commit().await
    }
}

async fn classes(transaction: &mut Transaction, groups: &[Group], classes: &[Class]) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("insert into class (code, parent, zh, bo, keywords, active) ");
        query.push_values(groups, |mut row, group| {
            row.push_bind(group.code.to_string()).push("null").push_bind(group.zh.as_str());
            row.push_bind(group.bo.as_str()).push("''").push_bind(group.active);
        });
        query.build().execute(&mut **transaction).await?;
        let mut query = sqlx::QueryBuilder::new("insert into class (code, parent, zh, bo, keywords, active) ");
        query.push_values(classes, |mut row, class| {
            let keywords: Vec<&str> = class.keywords.iter().map(|word| word.as_str()).collect();
            row.push_bind(class.code.to_string()).push_bind(class.code.group().to_string());
            row.push_bind(class.zh.as_str()).push_bind(class.bo.as_str());
            row.push_bind(keywords.join("\n")).push_bind(class.active);
        });
        query.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}

async fn units(transaction: &mut Transaction, units: &[Unit]) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("insert into unit (code, city, zh, bo, phone, classes, active) ");
        query.push_values(units, |mut row, unit| {
            let classes: Vec<String> = unit.classes.iter().map(ToString::to_string).collect();
            row.push_bind(unit.code.as_str()).push_bind(unit.city.slug()).push_bind(unit.zh.as_str());
            row.push_bind(unit.bo.as_str()).push_bind(unit.phone.as_ref().map(|phone| phone.as_str()));
            row.push_bind(classes.join(" ")).push_bind(unit.active);
        });
        query.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}

async fn reasons(transaction: &mut Transaction, reasons: &[Reason]) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("insert into reason (kind, code, zh, bo, told, active) ");
        query.push_values(reasons, |mut row, reason| {
            row.push_bind(reason.kind.name()).push_bind(reason.code.as_str()).push_bind(reason.zh.as_str());
            row.push_bind(reason.bo.as_str());
            row.push_bind(reason.told_to_requester.as_ref().map(|told| told.as_str())).push_bind(reason.active);
        });
        query.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}

async fn knowledge(transaction: &mut Transaction, entries: &[Knowledge]) -> Result<(), StoreError> {
    on!(transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new(
            "insert into knowledge (id, city, unit, position, title_zh, title_bo, text_zh, text_bo, review_on, choice, \
             prompt, active) ",
        );
        query.push_values(entries.iter().zip(1_i64..), |mut row, (entry, position)| {
            row.push_bind(entry.id.as_str()).push_bind(entry.city.map(|city| city.slug()));
            row.push_bind(entry.unit.as_str()).push_bind(position);
            row.push_bind(entry.title_zh.as_str()).push_bind(entry.title_bo.as_str());
            row.push_bind(entry.text_zh.as_str()).push_bind(entry.text_bo.as_str()).push_bind(entry.review_on);
            row.push_bind(entry.choice.as_ref().map(|prompt| prompt.as_str()));
            row.push_bind(entry.prompt.as_ref().map(|prompt| prompt.as_str())).push_bind(entry.active);
        });
        query.build().execute(&mut **transaction).await.map(drop)
    })?;
    Ok(())
}
