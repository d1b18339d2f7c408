//! `hotline audit verify`.

use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::{Stored, open_existing, runtime};
use crate::store::Verified;

const EXAMPLES: &str = "\
Examples:
  hotline audit verify --data /var/lib/hotline
  hotline audit verify --expect 5b1f…

The last line is the newest seal's hash. Written down where nobody who can change the database can change it, and
given to --expect later, it shows that no older row was altered and sealed anew.

Exit code: 0 whole, 1 not whole or not readable, 2 when a setting can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    stored: Stored,
    /// Hash of a seal that was written down: it has to be there still
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect: Option<String>,
    /// One JSON document in place of the lines
    #[arg(long)]
    json: bool,
}

fn hash(text: &str) -> Result<String, &'static str> {
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| text.to_lowercase()).ok_or("a hash has 64 hexadecimal digits")
}

impl Arguments {
    pub fn run(&self) -> Result<(), Failure> {
        let config = self.stored.config()?;
        let verified = runtime()?.block_on(async {
            let store = open_existing(&config).await?;
            let verified = store.verify_audit(self.expect.as_deref()).await;
            store.close().await;
            verified.map_err(|error| Failure::Environment(error.to_string()))
        })?;
        let expected = self.expect.is_none() || verified.expected_found;
        if self.json {
            print([format!("{:#}", self.document(&verified))])?;
        } else {
            print(lines(&verified, expected))?;
        }
        if verified.is_whole() && expected {
            return Ok(());
        }
        Err(Failure::Environment("the audit is not what was sealed".to_owned()))
    }

    fn document(&self, verified: &Verified) -> Value {
        let broken: Vec<String> = verified.broken.iter().map(ToString::to_string).collect();
        json!({
            "whole": verified.is_whole(),
            "seals": verified.seals,
            "rows": verified.rows,
            "unsealed": verified.unsealed,
            "broken": broken,
            "more": verified.more,
            "expected": self.expect.as_ref().map(|_| verified.expected_found),
            "last": verified.last.as_ref().map(|seal| json!({ "id": seal.id, "at": seal.at, "hash": seal.hash })),
        })
    }
}

fn lines(verified: &Verified, expected: bool) -> Vec<String> {
    let mut lines: Vec<String> = verified.broken.iter().map(|broken| format!("broken: {broken}")).collect();
    if verified.more > 0 {
        lines.push(format!("broken: and {} more", verified.more));
    }
    if !expected {
        lines.push("broken: no seal has the expected hash".to_owned());
    }
    let (rows, seals, unsealed) = (verified.rows, verified.seals, verified.unsealed);
    lines.push(format!("{rows} rows under {seals} seals, {unsealed} not sealed yet"));
    if let Some(seal) = &verified.last {
        lines.push(format!("seal {} of {}: {}", seal.id, seal.at.format("%Y-%m-%dT%H:%M:%SZ"), seal.hash));
    }
    lines
}
