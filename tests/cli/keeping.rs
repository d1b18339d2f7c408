//! `hotline audit`, `hotline backup` and `hotline restore`.

use std::fs::{self, File};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use hotline::access::Role;
use hotline::city::City;
use hotline::store::{AccountName, By, Config, NewAccount, Password, Profile, Seen, Store};
use hotline::ticket::{AccountId, Action, Actor};
use serde_json::Value;
use sqlx::Connection;
use tokio::runtime::Runtime;

use super::peer::child::TempFolder;
use super::{hotline, text};

const TICKET: &str = "126112200012";

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hotline(arguments);
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

/// What a command says that succeeds.
fn said(arguments: &[&str]) -> String {
    let (code, out, err) = run(arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

/// What a command complains of that fails so.
fn complained(arguments: &[&str], expected: i32) -> String {
    let (code, out, err) = run(arguments);
    assert_eq!(code, Some(expected), "{arguments:?}: {out}{err}");
    format!("{out}{err}")
}

fn morning() -> DateTime<Utc> {
    "2026-11-22T02:00:00Z".parse().expect("a time")
}

fn in_store<T>(data: &Path, work: impl AsyncFnOnce(Store) -> T) -> T {
    Runtime::new().expect("a runtime").block_on(async {
        let store = Store::open(&Config::default(), data).await.expect("the store opens");
        let done = work(store.clone()).await;
        store.close().await;
        done
    })
}

/// A data folder whose audit has two acts under a seal, one without, and a recording; gives the seal's hash.
fn data() -> (TempFolder, String) {
    let folder = TempFolder::new("cli-keeping");
    let hash = in_store(folder.path(), async |store| {
        let seen = Seen {
            subject: TICKET.to_owned(),
            action: Action::Revealed,
            actor: Actor::Operator,
            reason: Some("回电核实".to_owned()),
            address: Some("192.0.2.7".to_owned()),
        };
        for minute in 0..2 {
            store.record_seen(&seen, morning() + TimeDelta::minutes(minute)).await.expect("kept");
        }
        store.seal_audit(morning() + TimeDelta::hours(1)).await.expect("sealed");
        store.record_seen(&seen, morning() + TimeDelta::hours(2)).await.expect("kept");
        store.last_seal().await.expect("read").expect("a seal").hash
    });
    let day = folder.path().join("recordings/2026/11/22");
    fs::create_dir_all(&day).expect("a folder");
    fs::write(day.join("one.wav"), "sound").expect("written");
    (folder, hash)
}

#[test]
fn an_audit_is_verified_with_a_hash_that_was_written_down() {
    let (data, hash) = data();
    let place = data.path().display().to_string();
    let verify = ["audit", "verify", "--data", &place];
    let told = said(&verify);
    assert!(told.contains(" rows under 1 seals, 1 not sealed yet\nseal 1 of 2026-11-22T03:00:00Z: "), "{told}");
    assert!(told.trim_end().ends_with(&hash), "{told}");
    said(&[&verify[..], &["--expect", &hash.to_uppercase()]].concat());
    let other = "0".repeat(64);
    let told = complained(&[&verify[..], &["--expect", &other]].concat(), 1);
    assert!(told.contains("broken: no seal has the expected hash"), "{told}");
    complained(&[&verify[..], &["--expect", "00"]].concat(), 2);

    in_store(data.path(), async |_| {
        let url = format!("sqlite://{place}/hotline.db");
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("connected");
        let sql = "update audit set reason = 'nothing' where sequence = 1 and action = 'revealed'";
        sqlx::query(sql).execute(&mut connection).await.expect("altered");
    });
    let told = complained(&verify, 1);
    assert!(told.starts_with("broken: seal 1: a row under it, or the seal itself"), "{told}");
    let (code, out, _) = run(&[&verify[..], &["--json"]].concat());
    let document: Value = serde_json::from_str(&out).expect("a document");
    assert_eq!(
        (code, &document["whole"], document["broken"].as_array().map(Vec::len)),
        (Some(1), &false.into(), Some(1))
    );
}

#[test]
fn what_was_done_to_a_ticket_is_listed() {
    let (data, _) = data();
    let place = data.path().display().to_string();
    let list = ["audit", "list", "--data", &place, "--ticket", TICKET];
    let told = said(&list);
    let first = "2026-11-22 10:00:00  revealed  operator from 192.0.2.7\n    回电核实\n2026-11-22 10:01:00  ";
    assert!(told.starts_with(first), "{told}");
    let told = said(&[&list[..], &["--json", "--limit", "1"]].concat());
    let document: Value = serde_json::from_str(&told).expect("a document");
    assert_eq!((document.as_array().map(Vec::len), &document[0]["sequence"]), (Some(1), &3.into()));
    complained(&["audit", "list", "--data", &place], 2);
    let nowhere = data.path().join("nowhere").display().to_string();
    let told = complained(&["audit", "verify", "--data", &nowhere], 1);
    assert!(told.contains("no connection to the database") && !Path::new(&nowhere).exists(), "{told}");
}

#[test]
fn a_backup_is_made_checked_and_restored() {
    let (data, hash) = data();
    let place = data.path().display().to_string();
    let elsewhere = TempFolder::new("cli-backup");
    let backup = elsewhere.path().join("backup").display().to_string();
    let target = elsewhere.path().join("restored").display().to_string();
    let told = complained(&["restore", &backup, "--verify"], 1);
    assert!(told.contains("holds no complete backup"), "{told}");
    let told = said(&["backup", &backup, "--data", &place]);
    assert_eq!(told.lines().last(), Some(format!("the audit's last seal: {hash}").as_str()), "{told}");
    let told = said(&["restore", &backup, "--verify", "--json"]);
    let document: Value = serde_json::from_str(&told).expect("a document");
    assert_eq!((&document["files"], &document["seal"]), (&2.into(), &hash.as_str().into()));

    let restore = ["restore", &backup, "--data", &target];
    fs::create_dir(&target).expect("a folder");
    let lock = File::create(format!("{target}/lock")).expect("a file");
    lock.lock().expect("locked");
    let told = complained(&restore, 2);
    assert!(told.contains("is in use by another hotline"), "{told}");
    drop(lock);
    assert!(said(&restore).starts_with("restored: 2 files, "));
    assert_eq!(fs::read(format!("{target}/recordings/2026/11/22/one.wav")).expect("there"), b"sound");
    said(&["audit", "verify", "--data", &target, "--expect", &hash]);
    let told = complained(&restore, 1);
    assert!(told.contains("is not empty"), "{told}");
}

#[test]
fn who_acted_is_named_beside_the_id() {
    let folder = TempFolder::new("cli-names");
    let place = folder.path().display().to_string();
    said(&["simulate", "--data", &place, "--tickets", "1", "--days", "1", "--from", "2026-11-20", "--quiet"]);
    let id = AccountId::new(morning(), [7; 10]);
    let number = in_store(folder.path(), async |store| {
        let name: AccountName = "dolma.t".parse().expect("a name");
        let profile = Profile::new("卓玛".parse().expect("a name"), Role::Agent, None, [City::Lhasa].into(), false);
        let password = Password::new("yaks on the pass", &name).expect("a password");
        let new = NewAccount { id, name, profile: profile.expect("a profile") };
        let by = By { actor: Actor::Operator, address: None };
        store.add_account(&new, &password, [7; 16], &by, morning()).await.expect("added");
        let url = format!("sqlite://{place}/hotline.db");
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("connected");
        let number: String =
            sqlx::query_scalar("select number from ticket").fetch_one(&mut connection).await.expect("read");
        let seen = Seen {
            subject: number.clone(),
            action: Action::Revealed,
            actor: Actor::Account(id),
            reason: Some("回电核实".to_owned()),
            address: None,
        };
        store.record_seen(&seen, morning()).await.expect("kept");
        number
    });
    let named = format!("account {id} 卓玛 (dolma.t)");
    let told = said(&["ticket", "show", "--data", &place, &number]);
    assert!(told.lines().last().is_some_and(|act| act.contains(&named)), "{told}");
    let told = said(&["audit", "list", "--data", &place, "--ticket", &number, "--limit", "1"]);
    assert!(told.starts_with(&format!("2026-11-22 10:00:00  revealed  {named}\n")), "{told}");
    for command in [["ticket", "show", "--data", &place, &number], ["audit", "list", "--data", &place, "--ticket"]] {
        let number: &[&str] = if command[0] == "audit" { &[&number] } else { &[] };
        let told = said(&[&command[..], number, &["--json"]].concat());
        let document: Value = serde_json::from_str(&told).expect("a document");
        let acts = document.get("audit").unwrap_or(&document).as_array().expect("acts").clone();
        let act = acts.last().expect("an act");
        assert_eq!((&act["actor_name"], &act["actor_account"]), (&"卓玛".into(), &"dolma.t".into()), "{told}");
    }
}
