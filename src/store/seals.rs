//! Seals of the audit: every row's fields are hashed into a chain, so that whoever changes a row has to make all later
//! seals anew, and is found by anybody who wrote one of them down.
//!
//! A seal's hash is SHA-256 over a name, the hash of the seal before it (32 zeros before the first), its id, its time,
//! its rows by subject (as bytes) and sequence, and their number. Integers are 8 bytes, big-endian, times microseconds
//! since 1970; a text is its length in bytes and the bytes, behind a 1, and an absent one a 0.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::row::{bigint, count, micros};
use super::sql::{Sql, builder, explain};
use super::{Store, StoreError, Transaction, on};

/// Changes with the way a seal is computed.
const NAME: &[u8] = b"hotline audit seal 1";

/// Rows younger than this may belong to a transaction whose other rows are still on their way.
const SETTLES: TimeDelta = TimeDelta::seconds(5);

/// A seal covers so many rows at most: they lie in memory while it is made or verified.
const MAX_ENTRIES: i64 = 10_000;

type Hash = [u8; 32];

/// The last seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// 1, 2, 3 …
    pub id: u64,
    pub at: DateTime<Utc>,
    /// Rows under it.
    pub entries: u64,
    /// 64 hexadecimal digits.
    pub hash: String,
}

impl Store {
    /// Seals what has no seal and is 5 seconds old; gives the number of rows. Two nodes may do it at once.
    pub async fn seal_audit(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let now = micros(now);
        let mut sealed = 0;
        loop {
            let mut transaction = self.begin().await?;
            let last = alone(&mut transaction, now).await?;
            let id = last.as_ref().map_or(1, |last| last.id + 1);
            if claim(&mut transaction, id, now - SETTLES).await? == 0 {
                return Ok(sealed);
            }
            let rows = rows_of(&mut transaction, id).await?;
            let hash = hash(last.as_ref().map_or(Ok([0; 32]), |last| bytes(&last.hash))?, id, now, rows.iter());
            let seal = Seal { id, at: now, entries: rows.len() as u64, hash: hex(&hash) };
            insert(&mut transaction, &seal).await?;
            transaction.commit().await?;
            sealed += seal.entries;
        }
    }

    /// How the database goes about the next rows to seal, in its own words: what the tests of query plans read.
    pub async fn explain_sealing(&self, now: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
        explain(&mut self.begin().await?, unsealed(now)).await
    }

    /// The newest seal, whose hash is worth writing down elsewhere.
    pub async fn last_seal(&self) -> Result<Option<Seal>, StoreError> {
        let row: Option<SealRow> = on!(&self.read, pool => sqlx::query_as(LAST).fetch_optional(pool).await)?;
        row.map(Seal::try_from).transpose()
    }

    /// The next seals after that id, by id.
    pub(super) async fn seals_after(&self, id: u64, limit: u32) -> Result<Vec<Seal>, StoreError> {
        const SQL: &str = "select id, at, entries, hash from audit_seal where id > $1 order by id limit $2";
        let rows: Vec<SealRow> = on!(&self.read, pool => sqlx::query_as(SQL)
            .bind(bigint(id))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(Seal::try_from).collect()
    }

    /// The hash that a seal should have by the rows there are, and how many those are.
    pub(super) async fn hash_again(&self, seal: &Seal, before: Hash) -> Result<(Hash, u64), StoreError> {
        let mut rows: Vec<EntryRow> =
            on!(&self.read, pool => sqlx::query_as(ROWS).bind(bigint(seal.id)).fetch_all(pool).await)?;
        sort(&mut rows);
        Ok((hash(before, seal.id, seal.at, rows.iter()), rows.len() as u64))
    }
}

const LAST: &str = "select id, at, entries, hash from audit_seal order by id desc limit 1";
const ROWS: &str = "select subject, sequence, at, actor, action, changes, reason, address from audit where seal = $1";

/// Waits until no other node seals; gives the last seal.
async fn alone(transaction: &mut Transaction, now: DateTime<Utc>) -> Result<Option<Seal>, StoreError> {
    const LOCK: &str = "insert into meta (name, value) values ('audit_sealed_at', $1) \
         on conflict (name) do update set value = excluded.value";
    on!(&mut *transaction, transaction => sqlx::query(LOCK)
        .bind(now.to_rfc3339())
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    let row: Option<SealRow> =
        on!(transaction, transaction => sqlx::query_as(LAST).fetch_optional(&mut **transaction).await)?;
    row.map(Seal::try_from).transpose()
}

/// Puts the oldest rows without a seal under this one.
async fn claim(transaction: &mut Transaction, id: u64, until: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut sql = Sql::default();
    sql.push("update audit set seal = ").bind(bigint(id)).push(" where (subject, sequence) in (");
    sql.extend(unsealed(until)).push(")");
    Ok(on!(transaction, transaction => builder!(sql)
        .build()
        .execute(&mut **transaction)
        .await
        .map(|done| done.rows_affected()))?)
}

/// The next rows without a seal.
fn unsealed(until: DateTime<Utc>) -> Sql {
    let mut sql = Sql::default();
    sql.push("select subject, sequence from audit where seal is null and at <= ").bind(until);
    sql.push(" order by at limit ").bind(MAX_ENTRIES);
    sql
}

async fn rows_of(transaction: &mut Transaction, id: u64) -> Result<Vec<EntryRow>, StoreError> {
    let mut rows: Vec<EntryRow> =
        on!(transaction, transaction => sqlx::query_as(ROWS).bind(bigint(id)).fetch_all(&mut **transaction).await)?;
    sort(&mut rows);
    Ok(rows)
}

async fn insert(transaction: &mut Transaction, seal: &Seal) -> Result<(), StoreError> {
    const SQL: &str = "insert into audit_seal (id, at, entries, hash) values ($1, $2, $3, $4)";
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(bigint(seal.id))
        .bind(seal.at)
        .bind(bigint(seal.entries))
        .bind(&seal.hash)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}

/// Here, not in SQL: databases sort texts by the rules of a language, which change with their versions.
fn sort(rows: &mut [EntryRow]) {
    rows.sort_by(|one, other| (&one.subject, one.sequence).cmp(&(&other.subject, other.sequence)));
}

fn hash<'a>(before: Hash, id: u64, at: DateTime<Utc>, rows: impl Iterator<Item = &'a EntryRow>) -> Hash {
    let mut sum = Sha256::new();
    sum.update(NAME);
    sum.update(before);
    sum.update(id.to_be_bytes());
    sum.update(at.timestamp_micros().to_be_bytes());
    let mut entries: u64 = 0;
    for row in rows {
        row.add_to(&mut sum);
        entries += 1;
    }
    sum.update(entries.to_be_bytes());
    sum.finalize().into()
}

pub(super) fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn bytes(hex: &str) -> Result<Hash, StoreError> {
    let wrong = StoreError::OutOfRange { column: "audit_seal.hash" };
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(wrong);
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).map_err(|_| wrong.clone())?;
    }
    Ok(hash)
}

/// A row as it lies there: what is hashed is never read as anything.
#[derive(sqlx::FromRow)]
struct EntryRow {
    subject: String,
    sequence: i64,
    at: DateTime<Utc>,
    actor: String,
    action: String,
    changes: Option<String>,
    reason: Option<String>,
    address: Option<String>,
}

impl EntryRow {
    fn add_to(&self, sum: &mut Sha256) {
        add_text(sum, Some(&self.subject));
        sum.update(self.sequence.to_be_bytes());
        sum.update(self.at.timestamp_micros().to_be_bytes());
        for text in [&self.actor, &self.action] {
            add_text(sum, Some(text));
        }
        for text in [&self.changes, &self.reason, &self.address] {
            add_text(sum, text.as_deref());
        }
    }
}

fn add_text(sum: &mut Sha256, text: Option<&str>) {
    let Some(text) = text else { return sum.update([0]) };
    sum.update([1]);
    sum.update((text.len() as u64).to_be_bytes());
    sum.update(text);
}

#[derive(sqlx::FromRow)]
struct SealRow {
    id: i64,
    at: DateTime<Utc>,
    entries: i64,
    hash: String,
}

impl TryFrom<SealRow> for Seal {
    type Error = StoreError;

    fn try_from(row: SealRow) -> Result<Seal, StoreError> {
        Ok(Seal {
            id: count("audit_seal.id", row.id)?,
            at: row.at,
            entries: count("audit_seal.entries", row.entries)?,
            hash: row.hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str, actor: &str) -> EntryRow {
        EntryRow {
            subject: subject.to_owned(),
            sequence: 1,
            at: "2026-11-22T02:00:00Z".parse().expect("a time"),
            actor: actor.to_owned(),
            action: "created".to_owned(),
            changes: None,
            reason: None,
            address: None,
        }
    }

    fn hash_of(rows: &[EntryRow]) -> String {
        hex(&hash([0; 32], 1, "2026-11-22T02:01:00Z".parse().expect("a time"), rows.iter()))
    }

    #[test]
    fn the_hash_is_the_one_that_was_computed_elsewhere() {
        // by Python's hashlib and struct, from the description above
        let mut row = row("126112200018", "caller");
        row.reason = Some("噪音".to_owned());
        assert_eq!(hash_of(&[row]), "e582c1448ef04ddb55864ff189c50bb2eb8d4f344c0df2513b1f4cfd694dcc05");
    }

    #[test]
    fn text_that_moves_from_one_field_to_the_next_changes_the_hash() {
        let absent = row("1", "caller");
        let mut empty = row("1", "caller");
        empty.changes = Some(String::new());
        let mut moved = row("1", "caller");
        moved.reason = Some(String::new());
        let hashes = [hash_of(&[row("1c", "aller")]), hash_of(&[absent]), hash_of(&[empty]), hash_of(&[moved])];
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{hashes:?}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = std::array::from_fn(|at| at as u8 * 7);
        assert_eq!(bytes(&hex(&hash)), Ok(hash));
        for wrong in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
