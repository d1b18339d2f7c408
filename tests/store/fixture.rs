//! Stores to try, and rows to put into them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::language::Language;
use hotline::phone::Phone;
use hotline::store::{
    Config, DatabaseUrl, NewCall, NewRecording, NewTicket, OpenError, RequestFacts, Rules, Sidecar, Store,
};
use hotline::ticket::{Actor, CallId, Direction, RecordingId, RecordingKind, RequestType, Requester, Urgency};

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::cluster;

pub const NODE: &str = "lhasa-1";

/// An opened store, and a folder that goes with it.
pub struct Fixture {
    pub store: Store,
    pub folder: Folder,
    pub url: String,
}

impl Fixture {
    pub async fn sqlite_memory() -> Fixture {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = NEXT.fetch_add(1, Ordering::Relaxed);
        Fixture::open(Folder::new(), format!("sqlite://file:test-{name}?mode=memory&cache=shared")).await
    }

    pub async fn sqlite_file() -> Fixture {
        let folder = Folder::new();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Fixture::open(folder, url).await
    }

    pub async fn postgres() -> Fixture {
        Fixture::open(Folder::new(), cluster::database().await).await
    }

    pub async fn open(folder: Folder, url: String) -> Fixture {
        let store = Store::open(&config(&url), folder.path()).await.expect("the store opens");
        Fixture { store, folder, url }
    }

    /// An empty database of the same kind.
    pub async fn another(&self) -> Fixture {
        match self.url.as_str() {
            url if url.starts_with("postgres") => Fixture::postgres().await,
            url if url.contains("mode=memory") => Fixture::sqlite_memory().await,
            _ => Fixture::sqlite_file().await,
        }
    }

    /// The same database under these rules.
    pub fn with_rules(mut self, rules: Rules) -> Fixture {
        self.store = self.store.with_rules(rules);
        self
    }

    /// The same database a second time.
    pub async fn reopen(&self) -> Result<Store, OpenError> {
        Store::open(&config(&self.url), self.folder.path()).await
    }

    pub fn config(&self) -> Config {
        config(&self.url)
    }

    /// Of a new, empty database of the same kind; SQLite's is in a data folder.
    pub async fn elsewhere(&self) -> Config {
        if self.url.starts_with("sqlite") { Config::default() } else { config(&cluster::database().await) }
    }

    /// Does by hand what the store never does; gives the number of rows.
    pub async fn execute(&self, sql: &str) -> u64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.expect("connected");
            return sqlx::query(sql).execute(&mut connection).await.expect("executed").rows_affected();
        }
        let mut connection = PgConnection::connect(&self.url).await.expect("connected");
        sqlx::query(sql).execute(&mut connection).await.expect("executed").rows_affected()
    }

    /// The one text column of a query's rows.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.expect("connected");
            return sqlx::query_scalar(sql).fetch_all(&mut connection).await.expect("read");
        }
        let mut connection = PgConnection::connect(&self.url).await.expect("connected");
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.expect("read")
    }

    /// Takes every ticket away.
    pub async fn clear(&self) {
        for table in ["audit", "audit_subject", "gram", "recording", "urge", "ticket"] {
            self.execute(&format!("delete from {table}")).await;
        }
    }

    /// A call of that number, in the database.
    pub async fn call(&self, number: u32) -> NewCall {
        let call = call(number);
        self.store.insert_call(&call).await.expect("inserted");
        call
    }

    /// A call with an open recording of a request.
    pub async fn recorded_call(&self, number: u32) -> (NewCall, RecordingId) {
        let call = self.call(number).await;
        let recording = recording(&call, number);
        self.store.begin_recording(&recording).await.expect("begun");
        (call, recording.id)
    }
}

pub fn config(url: &str) -> Config {
    Config { url: Some(DatabaseUrl::from(url.to_owned())), ..Config::default() }
}

/// Runs each function against each database.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite_in_memory { $(#[tokio::test] async fn $test() {
            super::$test(crate::fixture::Fixture::sqlite_memory().await).await;
        })+ }
        mod sqlite_file { $(#[tokio::test] async fn $test() {
            super::$test(crate::fixture::Fixture::sqlite_file().await).await;
        })+ }
        mod postgres { $(#[tokio::test] async fn $test() {
            super::$test(crate::fixture::Fixture::postgres().await).await;
        })+ }
    };
}
pub(crate) use on_each_database;

/// A folder that is gone when this is.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hotline-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// 22 November 2026, 10:00 in Beijing.
pub fn morning() -> DateTime<Utc> {
    "2026-11-22T02:00:00Z".parse().expect("a time")
}

pub fn phone(number: u32) -> Phone {
    Phone::parse(&format!("138{number:08}")).expect("a phone")
}

pub fn call(number: u32) -> NewCall {
    let started_at = morning() + TimeDelta::seconds(i64::from(number));
    NewCall {
        id: CallId::new(started_at, random(number)),
        node: NODE.to_owned(),
        direction: Direction::Inbound,
        sip_call_id: Some(format!("call-{number}@192.0.2.1")),
        city: City::Lhasa,
        line: "12345".to_owned(),
        phone: Some(phone(number)),
        language: None,
        started_at,
        answered_at: Some(started_at),
    }
}

pub fn recording(call: &NewCall, number: u32) -> NewRecording {
    sidecar(call, number).new_recording(&format!("2026/11/22/{number}.wav"))
}

pub fn sidecar(call: &NewCall, number: u32) -> Sidecar {
    Sidecar {
        recording: RecordingId::new(call.started_at, random(number)),
        kind: RecordingKind::Request,
        started_at: call.started_at,
        call: call.clone(),
        request: Some(facts(call)),
        outcome: None,
    }
}

pub fn facts(call: &NewCall) -> RequestFacts {
    RequestFacts {
        language: Language::Bo,
        requester: Requester::Citizen,
        request_type: Some(RequestType::Complaint),
        urgency: Urgency::Normal,
        confidential: false,
        phone: call.phone.clone(),
        other_phone: None,
        confirmed: false,
        discarded: false,
    }
}

pub fn ticket(call: &NewCall) -> NewTicket {
    NewTicket {
        call: call.id,
        recordings: Vec::new(),
        city: call.city,
        line: call.line.clone(),
        language: Language::Bo,
        requester: Requester::Citizen,
        phone: call.phone.clone(),
        other_phone: None,
        confidential: false,
        request_type: Some(RequestType::Help),
        urgency: Urgency::Normal,
        confirmed: true,
        actor: Actor::Caller,
    }
}

fn random(number: u32) -> [u8; 10] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, 0, 0, 0, 0, 0, a, b, c, d]
}
