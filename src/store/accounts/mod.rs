//! People's accounts. Every change is audited; what takes a right away ends the account's sessions.

mod name;
mod otp;
pub(super) mod password;
mod profile;
mod row;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::audit::{self, Act};
use super::row::{micros, text};
use super::{Store, StoreError, Transaction, on, sessions};
use crate::access::{Caller, Cities};
use crate::city::City;
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{AccountId, Action, Actor, Change};

pub use name::{AccountName, BadName, ClientName};
pub use otp::{BadSecret, OtpSecret};
pub use password::{BadPassword, Password};
pub use profile::{BadProfile, Profile};
pub(super) use row::{AccountRow, COLUMNS};

/// Somebody who can sign in while the account is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: AccountName,
    pub profile: Profile,
    pub active: bool,
    pub created_at: DateTime<Utc>,
    /// When the password was last set.
    pub password_at: DateTime<Utc>,
    /// A code is asked for beside the password.
    pub second_factor: bool,
}

impl Account {
    /// What this account may do now.
    pub fn caller(&self) -> Caller {
        Caller {
            actor: Actor::Account(self.id),
            name: self.name.to_string(),
            rights: self.profile.role().rights().iter().copied().collect(),
            cities: Cities::of(self.profile.cities().clone()),
            unit: self.profile.unit().cloned(),
            named: self.profile.named(),
        }
    }

    /// What the audit calls it.
    pub(super) fn subject(&self) -> String {
        subject(self.id)
    }
}

pub(super) fn subject(id: AccountId) -> String {
    format!("account {id}")
}

/// An account to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    pub id: AccountId,
    pub name: AccountName,
    pub profile: Profile,
}

/// Who makes a change, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    /// An IP address.
    pub address: Option<String>,
}

impl By {
    /// Somebody at the machine.
    pub const OPERATOR: By = By { actor: Actor::Operator, address: None };

    pub(super) fn act<'a>(&'a self, subject: &'a str, at: DateTime<Utc>, action: Action) -> Act<'a> {
        Act { address: self.address.as_deref(), ..Act::new(subject, at, self.actor, action) }
    }
}

/// Why an account was not made or changed; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("there is an account of this name already")]
    NameTaken,
    #[error("no account has this name")]
    Unknown,
    #[error("there is no unit {0}")]
    UnknownUnit(UnitCode),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Makes an account; `salt` is random.
    pub async fn add_account(
        &self,
        new: &NewAccount,
        password: &Password,
        salt: [u8; 16],
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Account, AccountError> {
        const SQL: &str = "insert into account \
             (id, name, display_name, role, unit, named, password, active, created_at, password_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) on conflict (name) do nothing";
        let now = micros(now);
        let kept = password::hash(password, salt).await;
        let mut transaction = self.begin().await?;
        let profile = placed(&mut transaction, &new.profile).await?;
        let inserted = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(new.id.to_string())
            .bind(new.name.as_str())
            .bind(profile.display_name().as_str())
            .bind(profile.role().name())
            .bind(profile.unit().map(UnitCode::as_str))
            .bind(profile.named())
            .bind(&kept)
            .bind(true)
            .bind(now)
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))
        .map_err(StoreError::from)?;
        if inserted == 0 {
            return Err(AccountError::NameTaken);
        }
        insert_cities(&mut transaction, new.id, profile.cities()).await?;
        let subject = subject(new.id);
        let name = Change { field: "name", was: None, is: Some(new.name.to_string()) };
        let rest = profile.fields().map(|(field, is)| Change { field, was: None, is });
        let changes: Vec<Change> = [name].into_iter().chain(rest).filter(|change| change.is.is_some()).collect();
        audit::append(&mut transaction, &Act { changes: &changes, ..by.act(&subject, now, Action::Added) }).await?;
        transaction.commit().await?;
        let (id, name) = (new.id, new.name.clone());
        Ok(Account { id, name, profile, active: true, created_at: now, password_at: now, second_factor: false })
    }

    /// Gives an account this profile and this state. Another role, and an end of being active, end its sessions.
    pub async fn change_account(
        &self,
        name: &AccountName,
        profile: &Profile,
        active: bool,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Account, AccountError> {
        const SQL: &str =
            "update account set display_name = $2, role = $3, unit = $4, named = $5, active = $6 where id = $1";
        let now = micros(now);
        let mut transaction = self.begin().await?;
        let was = lock(&mut transaction, name).await?.ok_or(AccountError::Unknown)?;
        let profile = placed(&mut transaction, profile).await?;
        let mut changes = was.profile.changes(&profile);
        if was.active != active {
            let (was, is) = (Some(was.active.to_string()), Some(active.to_string()));
            changes.push(Change { field: "active", was, is });
        }
        if changes.is_empty() {
            return Ok(was);
        }
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(was.id.to_string())
            .bind(profile.display_name().as_str())
            .bind(profile.role().name())
            .bind(profile.unit().map(UnitCode::as_str))
            .bind(profile.named())
            .bind(active)
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        replace_cities(&mut transaction, was.id, profile.cities()).await?;
        if !active || was.profile.role() != profile.role() {
            sessions::end_all(&mut transaction, was.id).await?;
        }
        let subject = was.subject();
        audit::append(&mut transaction, &Act { changes: &changes, ..by.act(&subject, now, Action::Changed) }).await?;
        transaction.commit().await?;
        Ok(Account { profile, active, ..was })
    }

    /// Nobody signs in with this account any more; its name stays taken.
    pub async fn deactivate_account(
        &self,
        name: &AccountName,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<Account, AccountError> {
        let account = self.account(name).await?.ok_or(AccountError::Unknown)?;
        self.change_account(name, &account.profile, false, by, now).await
    }

    /// Sets a new password and ends the account's sessions; `salt` is random.
    pub async fn set_password(
        &self,
        name: &AccountName,
        password: &Password,
        salt: [u8; 16],
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<(), AccountError> {
        const SQL: &str = "update account set password = $2, password_at = $3 where id = $1";
        let now = micros(now);
        let kept = password::hash(password, salt).await;
        let mut transaction = self.begin().await?;
        let account = lock(&mut transaction, name).await?.ok_or(AccountError::Unknown)?;
        on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(account.id.to_string())
            .bind(&kept)
            .bind(now)
            .execute(&mut **transaction)
            .await
            .map(drop))
        .map_err(StoreError::from)?;
        sessions::end_all(&mut transaction, account.id).await?;
        let changes = [Change { field: "password", was: None, is: None }];
        let subject = account.subject();
        audit::append(&mut transaction, &Act { changes: &changes, ..by.act(&subject, now, Action::Changed) }).await?;
        Ok(transaction.commit().await?)
    }

    pub async fn account(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(format!("select {COLUMNS} from account where name = "));
            query.push_bind(name.as_str()).build_query_as().fetch_optional(pool).await
        })?;
        let Some(row) = row else { return Ok(None) };
        let cities = self.cities_of(&row.id).await?;
        row.account(cities).map(Some)
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        const CITIES: &str = "select account, city from account_city";
        let rows: Vec<AccountRow> = on!(&self.read, pool => {
            sqlx::QueryBuilder::new(format!("select {COLUMNS} from account order by name"))
                .build_query_as()
                .fetch_all(pool)
                .await
        })?;
        let cities: Vec<(String, String)> = on!(&self.read, pool => sqlx::query_as(CITIES).fetch_all(pool).await)?;
        let of = |id: &str| {
            let of_account = cities.iter().filter(|(account, _)| account == id);
            of_account.map(|(_, city)| text("account_city.city", city)).collect::<Result<BTreeSet<City>, _>>()
        };
        rows.into_iter().map(|row| of(&row.id).and_then(|cities| row.account(cities))).collect()
    }

    pub(super) async fn cities_of(&self, id: &str) -> Result<BTreeSet<City>, StoreError> {
        let cities: Vec<String> =
            on!(&self.read, pool => sqlx::query_scalar(CITIES_OF).bind(id).fetch_all(pool).await)?;
        cities.iter().map(|city| text("account_city.city", city)).collect()
    }
}

const CITIES_OF: &str = "select city from account_city where account = $1";

/// The account, held until the end of the transaction.
pub(super) async fn lock(transaction: &mut Transaction, name: &AccountName) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = on!(&mut *transaction, transaction => {
        let mut query = sqlx::QueryBuilder::new("update account set active = active where name = ");
        query.push_bind(name.as_str()).push(format!(" returning {COLUMNS}"));
        query.build_query_as().fetch_optional(&mut **transaction).await
    })?;
    let Some(row) = row else { return Ok(None) };
    let cities: Vec<String> = on!(transaction, transaction => sqlx::query_scalar(CITIES_OF)
        .bind(&row.id)
        .fetch_all(&mut **transaction)
        .await)?;
    let cities = cities.iter().map(|city| text("account_city.city", city)).collect::<Result<_, _>>()?;
    row.account(cities).map(Some)
}

/// The profile with the city of its unit, which has to be there.
async fn placed(transaction: &mut Transaction, profile: &Profile) -> Result<Profile, AccountError> {
    const SQL: &str = "select city from unit where code = $1";
    let Some(unit) = profile.unit() else { return Ok(profile.clone()) };
    let city: Option<String> = on!(transaction, transaction => sqlx::query_scalar(SQL)
        .bind(unit.as_str())
        .fetch_optional(&mut **transaction)
        .await)
    .map_err(StoreError::from)?;
    let city = city.ok_or_else(|| AccountError::UnknownUnit(unit.clone()))?;
    Ok(profile.clone().in_city(text("unit.city", &city)?))
}

async fn replace_cities(
    transaction: &mut Transaction,
    id: AccountId,
    cities: &BTreeSet<City>,
) -> Result<(), StoreError> {
    const SQL: &str = "delete from account_city where account = $1";
    on!(&mut *transaction, transaction => sqlx::query(SQL)
        .bind(id.to_string())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    insert_cities(transaction, id, cities).await
}

async fn insert_cities(
    transaction: &mut Transaction,
    id: AccountId,
    cities: &BTreeSet<City>,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into account_city (account, city) values ($1, $2)";
    for city in cities {
        on!(&mut *transaction, transaction => sqlx::query(SQL)
            .bind(id.to_string())
            .bind(city.slug())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
    }
    Ok(())
}
