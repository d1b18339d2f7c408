//! The code beside the password: asked for when somebody signs in, set up by who has none and needs one.
//!
//! Between the password and the code a session is there but good for nothing else. When it becomes whole it gets another
//! token: one that somebody planted or saw before is worth nothing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::accounts::{AccountRow, COLUMNS, OtpSecret};
use super::audit::{self, Act};
use super::row::{micros, text};
use super::sessions::{self, SignInError, SignedIn, throttled};
use super::throttle::{self, Guesser};
use super::token::{self, Token};
use super::{Account, AccountError, AccountName, By, Store, StoreError, Transaction, accounts, on};
use crate::ticket::fields::{UnknownName, names};
use crate::ticket::{Action, Actor, Change};

/// So long the code, or setting it up, may take.
const HALF: TimeDelta = TimeDelta::minutes(10);

names! {
    /// How far somebody has signed in.
    Stage {
        Whole = "whole",
        /// The password was right; the code is to come.
        Code = "code",
        /// The password was right; the role needs a second factor, which is to be set up.
        Setup = "setup",
    }
}

/// Why no second factor is set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSetUp {
    #[error("the code is not the one that this secret gives now")]
    WrongCode,
    #[error("the session is over")]
    NoSession,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(sqlx::FromRow)]
struct HalfRow {
    #[sqlx(flatten)]
    account: AccountRow,
    stage: String,
    began_at: DateTime<Utc>,
    otp_secret: Option<String>,
    otp_step: Option<i64>,
}

/// What a session is of, whatever its stage.
struct Half {
    account: Account,
    stage: Stage,
    secret: Option<OtpSecret>,
    step: Option<i64>,
}

impl Store {
    /// Whose session this is while something is still to come.
    pub async fn half_session(&self, token: &str, now: DateTime<Utc>) -> Result<Option<(Account, Stage)>, StoreError> {
        let found = self.found(token, now).await?.filter(|half| half.stage != Stage::Whole);
        Ok(found.map(|half| (half.account, half.stage)))
    }

    /// Makes the session whole, under another token that `secret` gives, if this is the code that its account's telephone
    /// shows. Each code is taken once (RFC 6238 §5.2).
    ///
    /// # Errors
    /// [`SignInError::Wrong`] for a wrong code and for a session that waits for none; wrong codes are counted as wrong
    /// passwords are, and apart from them.
    pub async fn prove_code(
        &self,
        token: &str,
        code: &str,
        address: IpAddr,
        now: DateTime<Utc>,
        secret: [u8; 32],
    ) -> Result<SignedIn, SignInError> {
        let now = micros(now);
        let found = self.found(token, now).await?.filter(|half| half.stage == Stage::Code);
        let Some(Half { account, secret: Some(own), step, .. }) = found else { return Err(SignInError::Wrong) };
        let guesser = Guesser::code(&account.name, &self.rules.access);
        let tries = self.claim(&guesser, now).await?.map_err(|until| throttled(until, now))?;
        let taken = own.step_of(code, now).filter(|given| step.is_none_or(|last| *given > last));
        let mut transaction = self.begin().await?;
        let taken = match taken {
            Some(step) => take(&mut transaction, &account, step).await?,
            None => false,
        };
        if !taken {
            let last = tries.count >= self.rules.access.login_failures;
            let words = if last { "wrong code; further tries have to wait" } else { "wrong code" };
            let by = By { actor: Actor::System, address: Some(address.to_canonical().to_string()) };
            let subject = account.subject();
            let act = Act { reason: Some(words), ..by.act(&subject, now, Action::LoginRefused) };
            audit::append(&mut transaction, &act).await?;
            transaction.commit().await?;
            return Err(SignInError::Wrong);
        }
        throttle::forget(&mut transaction, &guesser).await?;
        let new = whole(&mut transaction, token, now, secret).await?.ok_or(SignInError::Wrong)?;
        sessions::write_down(&mut transaction, &account, address, now, Action::LoggedIn).await?;
        transaction.commit().await?;
        Ok(SignedIn { token: new, account, expires_at: now + self.rules.access.absolute(), stage: Stage::Whole })
    }

    /// Gives the account of this session this second factor, proven by a code, ends its other sessions and makes this one
    /// whole, under another token that `random` gives.
    ///
    /// # Errors
    /// The code is not the secret's, or the session is over.
    pub async fn set_up_second_factor(
        &self,
        token: &str,
        secret: &OtpSecret,
        code: &str,
        address: IpAddr,
        now: DateTime<Utc>,
        random: [u8; 32],
    ) -> Result<SignedIn, NotSetUp> {
        const SQL: &str = "update account set otp_secret = $2, otp_step = $3 where id = $1";
        const OTHERS: &str = "delete from session where account = $1 and hash <> $2";
        let now = micros(now);
        let found = self.found(token, now).await?.filter(|half| half.stage != Stage::Code);
        let Some(Half { account, stage, .. }) = found else { return Err(NotSetUp::NoSession) };
        let step = secret.step_of(code, now).ok_or(NotSetUp::WrongCode)?;
        let hash = token::hash_of_session(token).ok_or(NotSetUp::NoSession)?;
        let mut transaction = self.begin().await?;
        on!(&mut transaction, transaction => {
            let id = account.id.to_string();
            let set = sqlx::query(SQL).bind(&id).bind(secret.reveal()).bind(step).execute(&mut **transaction).await;
            match set {
                Ok(_) => sqlx::query(OTHERS).bind(&id).bind(&hash).execute(&mut **transaction).await.map(drop),
                Err(error) => Err(error),
            }
        })
        .map_err(StoreError::from)?;
        let new = whole(&mut transaction, token, now, random).await?.ok_or(NotSetUp::NoSession)?;
        let by = By { actor: Actor::Account(account.id), address: Some(address.to_canonical().to_string()) };
        change(&mut transaction, &account, "set", &by, now).await?;
        if stage == Stage::Setup {
            sessions::write_down(&mut transaction, &account, address, now, Action::LoggedIn).await?;
        }
        transaction.commit().await?;
        Ok(SignedIn { token: new, account, expires_at: now + self.rules.access.absolute(), stage: Stage::Whole })
    }

    /// Takes an account's second factor away, say because the telephone is lost, and ends its sessions. `false`: there was
    /// none.
    pub async fn remove_second_factor(
        &self,
        name: &AccountName,
        by: &By,
        now: DateTime<Utc>,
    ) -> Result<bool, AccountError> {
        const SQL: &str =
            "update account set otp_secret = null, otp_step = null where id = $1 and otp_secret is not null";
        let mut transaction = self.begin().await?;
        let account = accounts::lock(&mut transaction, name).await?.ok_or(AccountError::Unknown)?;
        let removed = on!(&mut transaction, transaction => sqlx::query(SQL)
            .bind(account.id.to_string())
            .execute(&mut **transaction)
            .await
            .map(|done| done.rows_affected()))
        .map_err(StoreError::from)?;
        if removed == 0 {
            return Ok(false);
        }
        sessions::end_all(&mut transaction, account.id).await?;
        change(&mut transaction, &account, "removed", by, micros(now)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// How far somebody of this account is with a right password.
    pub(super) fn stage_of(&self, account: &Account) -> Stage {
        let needed = self.rules.access.second_factor.contains(&account.profile.role());
        match (account.second_factor, needed) {
            (true, _) => Stage::Code,
            (false, true) => Stage::Setup,
            (false, false) => Stage::Whole,
        }
    }

    async fn found(&self, token: &str, now: DateTime<Utc>) -> Result<Option<Half>, StoreError> {
        let Some(hash) = token::hash_of_session(token) else { return Ok(None) };
        let row: Option<HalfRow> = on!(&self.read, pool => {
            let sql = format!(
                "select {COLUMNS}, stage, session.created_at as began_at, otp_secret, otp_step \
                 from session join account on account.id = session.account where active and hash = "
            );
            sqlx::QueryBuilder::new(sql).push_bind(&hash).build_query_as().fetch_optional(pool).await
        })?;
        let Some(HalfRow { account, stage, began_at, otp_secret, otp_step }) = row else { return Ok(None) };
        let stage: Stage = text("session.stage", &stage)?;
        let lasts = if stage == Stage::Whole { self.rules.access.absolute() } else { HALF };
        if now >= began_at + lasts {
            return Ok(None);
        }
        let broken = |_| StoreError::OutOfRange { column: "account.otp_secret" };
        let secret = otp_secret.map(|text| OtpSecret::parse(&text)).transpose().map_err(broken)?;
        let cities = self.cities_of(&account.id).await?;
        Ok(Some(Half { account: account.account(cities)?, stage, secret, step: otp_step }))
    }
}

/// A code is of a step that none has been taken of, whoever is first. `false`: somebody was.
async fn take(transaction: &mut Transaction, account: &Account, step: i64) -> Result<bool, StoreError> {
    const SQL: &str =
        "update account set otp_step = $2 where id = $1 and active and (otp_step is null or otp_step < $2)";
    let taken = on!(transaction, transaction => sqlx::query(SQL)
        .bind(account.id.to_string())
        .bind(step)
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(taken == 1)
}

/// The session goes on under another token, from now.
async fn whole(
    transaction: &mut Transaction,
    token: &str,
    now: DateTime<Utc>,
    secret: [u8; 32],
) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "update session set hash = $2, stage = 'whole', created_at = $3, seen_at = $3 where hash = $1";
    let Some(hash) = token::hash_of_session(token) else { return Ok(None) };
    let new = Token::of_session(secret);
    let changed = on!(transaction, transaction => sqlx::query(SQL)
        .bind(&hash)
        .bind(new.hash())
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?;
    Ok((changed == 1).then_some(new))
}

async fn change(
    transaction: &mut Transaction,
    account: &Account,
    is: &str,
    by: &By,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let changes = [Change { field: "second_factor", was: None, is: Some(is.to_owned()) }];
    let subject = account.subject();
    audit::append(transaction, &Act { changes: &changes, ..by.act(&subject, now, Action::Changed) }).await
}
