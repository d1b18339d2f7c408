//! Signing in, staying signed in, and the ends of it.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::accounts::{self, AccountRow, COLUMNS, password};
use super::audit::{self, Act};
use super::row::micros;
use super::second_factor::Stage;
use super::throttle::{self, Guesser};
use super::token::{self, Token};
use super::{Account, AccountError, AccountName, By, Store, StoreError, Transaction, on};
use crate::ticket::{AccountId, Action, Actor};

/// How exactly it is known when a session was last used: it is written so often at most.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The subject of the audit's rows about names that no account has.
const NOBODY: &str = "login";

/// Digits of a session's id.
const ID: usize = 12;

/// Somebody has just signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub token: Token,
    pub account: Account,
    /// However busy the session is, it is over then.
    pub expires_at: DateTime<Utc>,
    /// What is still to come before the token is good for anything.
    pub stage: Stage,
}

/// Why somebody is not signed in. A wrong name, a wrong password and an account that is not active are one thing, and
/// take the same time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error("the account or the password is wrong")]
    Wrong,
    #[error("there were too many wrong tries: the next is taken in {wait_s} s")]
    Throttled { wait_s: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The first 12 digits of the token's hash.
    pub id: String,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub seen_at: DateTime<Utc>,
    /// Where it began.
    pub address: String,
    /// However busy it is, it is over then.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// Signs somebody in by name and password; `secret` is random.
    ///
    /// # Errors
    /// [`SignInError::Throttled`] after too many wrong passwords of this account or from this address.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        now: DateTime<Utc>,
        secret: [u8; 32],
    ) -> Result<SignedIn, SignInError> {
        let now = micros(now);
        let (account, kept) = self.prove(name, password, address, now).await?;
        let stage = self.stage_of(&account);
        let mut transaction = self.begin().await?;
        if !still_so(&mut transaction, account.id, &kept).await? {
            return Err(SignInError::Wrong);
        }
        let signed_in = self.begin_session(&mut transaction, account, stage, address, now, secret).await?;
        transaction.commit().await?;
        Ok(signed_in)
    }

    /// Signs in whom a provider that is believed has named; `None` when no active account has the name. `whole`: the
    /// provider has asked for a second factor itself.
    pub async fn sign_in_as(
        &self,
        name: &str,
        whole: bool,
        address: IpAddr,
        now: DateTime<Utc>,
        secret: [u8; 32],
    ) -> Result<Option<SignedIn>, StoreError> {
        let now = micros(now);
        let Ok(name) = name.parse::<AccountName>() else { return Ok(None) };
        let mut transaction = self.begin().await?;
        let account = accounts::lock(&mut transaction, &name).await?.filter(|account| account.active);
        let Some(account) = account else { return Ok(None) };
        let stage = if whole { Stage::Whole } else { self.stage_of(&account) };
        let signed_in = self.begin_session(&mut transaction, account, stage, address, now, secret).await?;
        transaction.commit().await?;
        Ok(Some(signed_in))
    }

    async fn begin_session(
        &self,
        transaction: &mut Transaction,
        account: Account,
        stage: Stage,
        address: IpAddr,
        now: DateTime<Utc>,
        secret: [u8; 32],
    ) -> Result<SignedIn, StoreError> {
        const SQL: &str = "insert into session (hash, account, created_at, seen_at, address, stage) \
             values ($1, $2, $3, $3, $4, $5)";
        let token = Token::of_session(secret);
        on!(transaction, transaction => sqlx::query(SQL)
            .bind(token.hash())
            .bind(account.id.to_string())
            .bind(now)
            .bind(address.to_canonical().to_string())
            .bind(stage.name())
            .execute(&mut **transaction)
            .await
            .map(drop))?;
        if stage == Stage::Whole {
            write_down(transaction, &account, address, now, Action::LoggedIn).await?;
        }
        Ok(SignedIn { token, account, expires_at: now + self.rules.access.absolute(), stage })
    }

    /// The account, if this is its password: for what somebody who is signed in has to prove once more. Counts wrong
    /// passwords as [`Store::sign_in`] does.
    pub async fn check_password(
        &self,
        name: &AccountName,
        password: &str,
        address: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<Account, SignInError> {
        self.prove(name.as_str(), password, address, micros(now)).await.map(|(account, _)| account)
    }

    /// The account and what is kept of its password.
    async fn prove(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(Account, String), SignInError> {
        let config = &self.rules.access;
        let from = Guesser::address(address, config);
        let name: Option<AccountName> = name.parse().ok();
        let guesser = name.as_ref().map(|name| Guesser::account(name, config));
        for guesser in [Some(&from), guesser.as_ref()].into_iter().flatten() {
            if let Some(until) = self.waits_until(guesser, now).await? {
                return Err(throttled(until, now));
            }
        }
        let mut tries = 0;
        if let Some(guesser) = &guesser {
            tries = self.claim(guesser, now).await?.map_err(|until| throttled(until, now))?.count;
        }
        let found = match &name {
            Some(name) => self.with_password(name).await?,
            None => None,
        };
        let active = found.as_ref().filter(|(account, _)| account.active);
        let right = password::verify(password, active.map(|(_, kept)| kept.as_str())).await;
        let mut transaction = self.begin().await?;
        if let (true, Some(found), Some(guesser)) = (right, &found, &guesser) {
            throttle::forget(&mut transaction, guesser).await?;
            transaction.commit().await?;
            self.forget_old_failures(now).await?;
            self.forget_old_sessions(now).await?;
            return Ok(found.clone());
        }
        throttle::count_failure(&mut transaction, &from, now).await?;
        let last = tries >= config.login_failures;
        refuse(&mut transaction, found.map(|(account, _)| account).as_ref(), address, now, last).await?;
        transaction.commit().await?;
        Err(SignInError::Wrong)
    }

    async fn with_password(&self, name: &AccountName) -> Result<Option<(Account, String)>, StoreError> {
        const SQL: &str = "select password from account where name = $1";
        let kept: Option<String> =
            on!(&self.read, pool => sqlx::query_scalar(SQL).bind(name.as_str()).fetch_optional(pool).await)?;
        Ok(self.account(name).await?.zip(kept))
    }

    /// Whose session's token this is, while the session lasts. Notes that it is in use.
    pub async fn session(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Account>, StoreError> {
        let now = micros(now);
        let Some(hash) = token::hash_of_session(token) else { return Ok(None) };
        let row: Option<SessionRow> = on!(&self.read, pool => {
            let sql = format!(
                "select {COLUMNS}, session.created_at as began_at, seen_at \
                 from session join account on account.id = session.account where active and stage = 'whole' and hash = "
            );
            sqlx::QueryBuilder::new(sql).push_bind(&hash).build_query_as().fetch_optional(pool).await
        })?;
        let Some(SessionRow { account, began_at, seen_at }) = row else { return Ok(None) };
        let config = &self.rules.access;
        if now >= seen_at + config.idle() || now >= began_at + config.absolute() {
            return Ok(None);
        }
        if now >= seen_at + SEEN_EVERY {
            self.seen(&hash, now).await?;
        }
        let cities = self.cities_of(&account.id).await?;
        account.account(cities).map(Some)
    }

    async fn seen(&self, hash: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "update session set seen_at = $2 where hash = $1 and seen_at < $2";
        on!(&self.write, pool => sqlx::query(SQL).bind(hash).bind(now).execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Ends the session of this token. `false`: there was none.
    pub async fn sign_out(&self, token: &str, by: &By, now: DateTime<Utc>) -> Result<bool, StoreError> {
        const SQL: &str = "delete from session where hash = $1 returning account";
        let Some(hash) = token::hash_of_session(token) else { return Ok(false) };
        let mut transaction = self.begin().await?;
        let account: Option<String> = on!(&mut transaction, transaction => sqlx::query_scalar(SQL)
            .bind(&hash)
            .fetch_optional(&mut **transaction)
            .await)?;
        let Some(account) = account else { return Ok(false) };
        let subject = format!("account {account}");
        audit::append(&mut transaction, &by.act(&subject, micros(now), Action::LoggedOut)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends an account's sessions, or the one with this id; gives their number.
    pub async fn end_sessions(
        &self,
        name: &AccountName,
        id: Option<&str>,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<u64, AccountError> {
        let mut transaction = self.begin().await?;
        let account = accounts::lock(&mut transaction, name).await?.ok_or(AccountError::Unknown)?;
        let ended = match id {
            None => end_all(&mut transaction, account.id).await?,
            Some(id) => end_one(&mut transaction, account.id, id).await?,
        };
        if ended > 0 {
            let words = format!("sessions ended: {ended}");
            let subject = account.subject();
            let act = Act { reason: Some(&words), ..by.act(&subject, micros(now), Action::LoggedOut) };
            audit::append(&mut transaction, &act).await?;
        }
        transaction.commit().await?;
        Ok(ended)
    }

    /// An account's sessions that are not over, the newest first.
    pub async fn sessions(&self, account: AccountId, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        const SQL: &str = "select hash, created_at, seen_at, address from session \
             where account = $1 and stage = 'whole' and seen_at > $2 and created_at > $3 order by created_at desc, hash";
        let (config, now) = (&self.rules.access, micros(now));
        let rows: Vec<(String, DateTime<Utc>, DateTime<Utc>, String)> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(account.to_string())
            .bind(now - config.idle())
            .bind(now - config.absolute())
            .fetch_all(pool)
            .await)?;
        let session = |(hash, created_at, seen_at, address): (String, _, _, _)| Session {
            id: hash.chars().take(ID).collect(),
            created_at,
            seen_at,
            address,
            expires_at: created_at + config.absolute(),
        };
        Ok(rows.into_iter().map(session).collect())
    }

    async fn forget_old_sessions(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "delete from session where seen_at <= $1 or created_at <= $2";
        let config = &self.rules.access;
        on!(&self.write, pool => sqlx::query(SQL)
            .bind(now - config.idle())
            .bind(now - config.absolute())
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }
}

pub(super) fn throttled(until: DateTime<Utc>, now: DateTime<Utc>) -> SignInError {
    let wait = (until - now).num_milliseconds().max(0).cast_unsigned().div_ceil(1000).max(1);
    SignInError::Throttled { wait_s: u32::try_from(wait).unwrap_or(u32::MAX) }
}

/// Whether the password is still the one that was proven and the account still active; holds it so until the end of the
/// transaction.
async fn still_so(transaction: &mut Transaction, id: AccountId, kept: &str) -> Result<bool, StoreError> {
    const SQL: &str = "update account set active = active where id = $1 and active and password = $2";
    let held = on!(transaction, transaction => sqlx::query(SQL)
        .bind(id.to_string())
        .bind(kept)
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(held == 1)
}

pub(super) async fn write_down(
    transaction: &mut Transaction,
    account: &Account,
    address: IpAddr,
    now: DateTime<Utc>,
    action: Action,
) -> Result<(), StoreError> {
    let by = By { actor: Actor::Account(account.id), address: Some(address.to_canonical().to_string()) };
    audit::append(transaction, &by.act(&account.subject(), now, action)).await
}

/// A refused try. A name that no account has is not written down: it may be a password in the wrong field.
async fn refuse(
    transaction: &mut Transaction,
    account: Option<&Account>,
    address: IpAddr,
    now: DateTime<Utc>,
    last: bool,
) -> Result<(), StoreError> {
    let words = match account {
        None => "unknown account",
        Some(account) if !account.active => "account not active",
        Some(_) if last => "wrong password; further tries have to wait",
        Some(_) => "wrong password",
    };
    let subject = account.map_or_else(|| NOBODY.to_owned(), Account::subject);
    let by = By { actor: Actor::System, address: Some(address.to_canonical().to_string()) };
    audit::append(transaction, &Act { reason: Some(words), ..by.act(&subject, now, Action::LoginRefused) }).await
}

/// Ends every session of an account; gives their number.
pub(super) async fn end_all(transaction: &mut Transaction, account: AccountId) -> Result<u64, StoreError> {
    const SQL: &str = "delete from session where account = $1";
    Ok(on!(transaction, transaction => sqlx::query(SQL)
        .bind(account.to_string())
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?)
}

async fn end_one(transaction: &mut Transaction, account: AccountId, id: &str) -> Result<u64, StoreError> {
    const SQL: &str = "delete from session where account = $1 and substr(hash, 1, 12) = $2";
    Ok(on!(transaction, transaction => sqlx::query(SQL)
        .bind(account.to_string())
        .bind(id)
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?)
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    account: AccountRow,
    began_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}
