//! Whether the audit is what was sealed.
//!
//! Each seal is computed again from its rows and from the hash that the seal before it has now: one altered row breaks
//! one seal, and all the others still say that theirs are whole.

use super::row::{bigint, count};
use super::seals::{Seal, bytes, hex};
use super::{Store, StoreError, on};

/// Seals read at once.
const PAGE: u32 = 500;
/// So much is listed; the rest is counted.
const MAX_LISTED: usize = 1_000;

/// What the audit's seals say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub seals: u64,
    /// Rows under a seal.
    pub rows: u64,
    /// Rows that wait for their seal.
    pub unsealed: u64,
    /// The newest seal.
    pub last: Option<Seal>,
    /// Whether a seal has the hash that was asked for.
    pub expected_found: bool,
    /// The first thousand.
    pub broken: Vec<Broken>,
    /// How many more there are.
    pub more: u64,
}

/// A place where the audit is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("seal {seal}: a row under it, or the seal itself or the one before, was altered")]
    Altered { seal: u64 },
    #[error("seal {seal}: {} of its {entries} rows are gone", .entries - .found)]
    Deleted { seal: u64, entries: u64, found: u64 },
    #[error("seal {seal}: {} rows were put under it, which had {entries}", .found - .entries)]
    Inserted { seal: u64, entries: u64, found: u64 },
    #[error("seal {seal} is gone")]
    SealMissing { seal: u64 },
    #[error("{rows} rows are under seal {seal}, which is not there")]
    SealUnknown { seal: u64, rows: u64 },
    #[error("{subject}: {found} rows of {last}, the last with sequence {newest}")]
    Gap { subject: String, last: u64, found: u64, newest: u64 },
    #[error("{subject}: {rows} rows, and the list of subjects does not have it")]
    SubjectUnknown { subject: String, rows: u64 },
}

impl Verified {
    /// Nothing is broken.
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }

    fn add(&mut self, broken: Broken) {
        if self.broken.len() < MAX_LISTED {
            self.broken.push(broken);
        } else {
            self.more += 1;
        }
    }
}

impl Store {
    /// Computes every seal again and counts the rows of each subject. `expect` is a hash that somebody wrote down.
    pub async fn verify_audit(&self, expect: Option<&str>) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let (mut before, mut next) = (Some([0; 32]), 1);
        loop {
            let seals = self.seals_after(next - 1, PAGE).await?;
            if seals.is_empty() {
                break;
            }
            for seal in seals {
                for missing in next..seal.id {
                    verified.add(Broken::SealMissing { seal: missing });
                }
                // after a gap nothing can be computed: what the lost seal's hash was is not known
                let known = if next == seal.id { before } else { None };
                self.verify_seal(&seal, known, &mut verified).await?;
                before = bytes(&seal.hash).ok();
                next = seal.id + 1;
                verified.expected_found |= expect.is_some_and(|hash| seal.hash.eq_ignore_ascii_case(hash));
                verified.last = Some(seal);
            }
        }
        for broken in self.under_no_seal().await?.into_iter().chain(self.gaps().await?) {
            verified.add(broken);
        }
        verified.unsealed = self.unsealed().await?;
        Ok(verified)
    }

    async fn verify_seal(
        &self,
        seal: &Seal,
        before: Option<[u8; 32]>,
        verified: &mut Verified,
    ) -> Result<(), StoreError> {
        let (hash, found) = self.hash_again(seal, before.unwrap_or_default()).await?;
        verified.seals += 1;
        verified.rows += found;
        let (id, entries) = (seal.id, seal.entries);
        if found < entries {
            verified.add(Broken::Deleted { seal: id, entries, found });
        } else if found > entries {
            verified.add(Broken::Inserted { seal: id, entries, found });
        } else if before.is_some() && hex(&hash) != seal.hash {
            verified.add(Broken::Altered { seal: id });
        }
        Ok(())
    }

    async fn under_no_seal(&self) -> Result<Vec<Broken>, StoreError> {
        const SQL: &str = "select seal, count(*) from audit \
             where seal is not null and not exists (select 1 from audit_seal where id = audit.seal) \
             group by seal order by seal limit $1";
        let rows: Vec<(i64, i64)> =
            on!(&self.read, pool => sqlx::query_as(SQL).bind(bigint(MAX_LISTED as u64)).fetch_all(pool).await)?;
        let broken = |(seal, rows)| {
            Ok(Broken::SealUnknown { seal: count("audit.seal", seal)?, rows: count("audit.seal", rows)? })
        };
        rows.into_iter().map(broken).collect()
    }

    /// A subject's rows have the sequences from 1 to the last it was given.
    async fn gaps(&self) -> Result<Vec<Broken>, StoreError> {
        const GAPS: &str = "select s.subject, s.last, count(a.sequence), coalesce(max(a.sequence), 0) \
             from audit_subject s left join audit a on a.subject = s.subject \
             group by s.subject, s.last \
             having count(a.sequence) <> s.last or max(a.sequence) <> s.last or min(a.sequence) <> 1 \
             order by s.subject limit $1";
        const UNKNOWN: &str = "select subject, count(*) from audit \
             where not exists (select 1 from audit_subject s where s.subject = audit.subject) \
             group by subject order by subject limit $1";
        let limit = bigint(MAX_LISTED as u64);
        let gaps: Vec<(String, i64, i64, i64)> =
            on!(&self.read, pool => sqlx::query_as(GAPS).bind(limit).fetch_all(pool).await)?;
        let unknown: Vec<(String, i64)> =
            on!(&self.read, pool => sqlx::query_as(UNKNOWN).bind(limit).fetch_all(pool).await)?;
        let gap = |(subject, last, found, newest)| {
            Ok(Broken::Gap {
                subject,
                last: count("audit_subject.last", last)?,
                found: count("audit.sequence", found)?,
                newest: count("audit.sequence", newest)?,
            })
        };
        let stray = |(subject, rows)| Ok(Broken::SubjectUnknown { subject, rows: count("audit.sequence", rows)? });
        gaps.into_iter().map(gap).chain(unknown.into_iter().map(stray)).collect()
    }

    async fn unsealed(&self) -> Result<u64, StoreError> {
        const SQL: &str = "select count(*) from audit where seal is null";
        let rows: i64 = on!(&self.read, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?;
        count("audit.seal", rows)
    }
}
