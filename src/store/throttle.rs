//! Wrong passwords are counted, by account and by address; too many make everybody wait who tries.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::row::count;
use super::{Store, StoreError, Transaction, on};
use crate::access::Role;

/// The section `[access]` of the configuration: how long people stay signed in, and how often they may mistype.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// A session that nobody uses for so long is over.
    pub session_idle_minutes: u32,
    /// A session is over so long after it began.
    pub session_hours: u32,
    /// After so many wrong passwords of one account it has to wait.
    pub login_failures: u32,
    /// After so many wrong passwords from one address it has to wait.
    pub address_failures: u32,
    /// How long the wait is, and how long a wrong password counts.
    pub login_wait_minutes: u32,
    /// Who needs a code of their telephone beside the password; others may have one.
    pub second_factor: Vec<Role>,
}

impl Default for AccessConfig {
    fn default() -> AccessConfig {
        AccessConfig {
            session_idle_minutes: 30,
            session_hours: 12,
            login_failures: 5,
            address_failures: 20,
            login_wait_minutes: 15,
            second_factor: vec![Role::Supervisor, Role::Administrator],
        }
    }
}

impl AccessConfig {
    pub(super) fn idle(&self) -> TimeDelta {
        TimeDelta::minutes(self.session_idle_minutes.into())
    }

    pub(super) fn absolute(&self) -> TimeDelta {
        TimeDelta::hours(self.session_hours.into())
    }

    pub(super) fn wait(&self) -> TimeDelta {
        TimeDelta::minutes(self.login_wait_minutes.into())
    }
}

/// An account or an address, and how often it may fail.
#[derive(Clone, Debug)]
pub(super) struct Guesser {
    subject: String,
    limit: u32,
    wait: TimeDelta,
}

impl Guesser {
    pub fn account(name: &super::AccountName, config: &AccessConfig) -> Guesser {
        Guesser { subject: format!("account {name}"), limit: config.login_failures, wait: config.wait() }
    }

    /// Wrong codes count apart: who knows the password may not try codes anew after each right one.
    pub fn code(name: &super::AccountName, config: &AccessConfig) -> Guesser {
        Guesser { subject: format!("code {name}"), ..Guesser::account(name, config) }
    }

    /// Who has one address of IPv6 has 2^64 of them: its network is counted.
    pub fn address(address: IpAddr, config: &AccessConfig) -> Guesser {
        let subject = match address.to_canonical() {
            IpAddr::V4(address) => format!("address {address}"),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("address {}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        };
        Guesser { subject, limit: config.address_failures, wait: config.wait() }
    }

    /// When the next try is let in, if it is not now.
    fn waits_until(&self, failures: &Failures, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = failures.last_at + self.wait;
        (failures.count >= self.limit && now < until).then_some(until)
    }
}

/// Wrong passwords so far.
pub(super) struct Failures {
    pub count: u32,
    last_at: DateTime<Utc>,
}

impl Failures {
    fn read((failures, last_at): (i64, DateTime<Utc>)) -> Result<Failures, StoreError> {
        Ok(Failures { count: count("login_failure.failures", failures)?, last_at })
    }
}

impl Store {
    pub(super) async fn waits_until(
        &self,
        guesser: &Guesser,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        const SQL: &str = "select failures, last_at from login_failure where subject = $1";
        let row: Option<(i64, DateTime<Utc>)> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(&guesser.subject).fetch_optional(pool).await)?;
        Ok(row.map(Failures::read).transpose()?.and_then(|failures| guesser.waits_until(&failures, now)))
    }

    /// Counts a try as a failure before it is known to be one, so that of many at once no more are let in than one
    /// after the other. `Err`: it is not let in, until then.
    pub(super) async fn claim(
        &self,
        guesser: &Guesser,
        now: DateTime<Utc>,
    ) -> Result<Result<Failures, DateTime<Utc>>, StoreError> {
        let mut transaction = self.begin().await?;
        let failures = count_failure(&mut transaction, guesser, now).await?;
        transaction.commit().await?;
        Ok(if failures.count > guesser.limit { Err(failures.last_at + guesser.wait) } else { Ok(failures) })
    }

    /// Takes away what counts no more.
    pub(super) async fn forget_old_failures(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        const SQL: &str = "delete from login_failure where last_at <= $1";
        let until = now - self.rules.access.wait();
        on!(&self.write, pool => sqlx::query(SQL).bind(until).execute(pool).await.map(drop))?;
        Ok(())
    }
}

/// One more failure. Those from before the wait are forgotten; one that comes while the limit is reached does not make
/// the wait longer.
pub(super) async fn count_failure(
    transaction: &mut Transaction,
    guesser: &Guesser,
    now: DateTime<Utc>,
) -> Result<Failures, StoreError> {
    const SQL: &str = "insert into login_failure (subject, failures, last_at) values ($1, 1, $2) \
         on conflict (subject) do update set \
         failures = case when login_failure.last_at <= $3 then 1 else login_failure.failures + 1 end, \
         last_at = case when login_failure.last_at > $3 and login_failure.failures >= $4 \
         then login_failure.last_at else excluded.last_at end \
         returning failures, last_at";
    let row: (i64, DateTime<Utc>) = on!(transaction, transaction => sqlx::query_as(SQL)
        .bind(&guesser.subject)
        .bind(now)
        .bind(now - guesser.wait)
        .bind(i64::from(guesser.limit))
        .fetch_one(&mut **transaction)
        .await)?;
    Failures::read(row)
}

/// The right password was given.
pub(super) async fn forget(transaction: &mut Transaction, guesser: &Guesser) -> Result<(), StoreError> {
    const SQL: &str = "delete from login_failure where subject = $1";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(&guesser.subject)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_by_its_network() {
        let subject =
            |address: &str| Guesser::address(address.parse().expect("an address"), &AccessConfig::default()).subject;
        assert_eq!(subject("192.0.2.7"), "address 192.0.2.7");
        assert_eq!(subject("::ffff:192.0.2.7"), "address 192.0.2.7");
        assert_eq!(subject("2001:db8:1:2:3:4:5:6"), "address 2001:db8:1:2::/64");
        assert_eq!(subject("2001:db8:1:2::9"), "address 2001:db8:1:2::/64");
    }
}
