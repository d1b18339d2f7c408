//! Opening says what is wrong, and never a password.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hotline::store::{Config, DatabaseUrl, OpenError, Store};

use crate::fixture::{Fixture, Folder, on_each_database};

on_each_database!(
    opening_again_changes_nothing,
    a_newer_database_is_refused,
    an_altered_database_is_refused,
    a_database_whose_fill_was_cut_short_is_refused,
);

async fn opening_again_changes_nothing(fixture: Fixture) {
    let call = fixture.call(1).await;
    let again = fixture.reopen().await.expect("it opens again");
    assert_eq!(again.call(call.id).await.expect("read").expect("there").id, call.id);
}

async fn a_newer_database_is_refused(fixture: Fixture) {
    fixture.execute("update _sqlx_migrations set version = 9999 where version = 2").await;
    let error = fixture.reopen().await.expect_err("newer");
    assert_eq!(error.to_string(), "the database was made by a newer version of this program (migration 9999)");
}

async fn an_altered_database_is_refused(fixture: Fixture) {
    fixture.execute("update _sqlx_migrations set checksum = '\\x00' where version = 1").await;
    let error = fixture.reopen().await.expect_err("altered");
    assert_eq!(error.to_string(), "the database's migration 1 is not the one this program holds");
}

async fn a_database_whose_fill_was_cut_short_is_refused(fixture: Fixture) {
    let bulk = fixture.store.bulk().await.expect("a fresh database");
    let error = fixture.reopen().await.expect_err("words and indexes are missing");
    assert_eq!(
        error.to_string(),
        "`hotline simulate` is filling this database, or was stopped before its end: give it an empty one"
    );
    bulk.finish(|_, _| {}).await.expect("finished");
    fixture.reopen().await.expect("it opens");
}

#[tokio::test]
async fn without_a_url_it_is_a_private_file_in_the_data_folder() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    let store = Store::open(&Config::default(), &data).await.expect("it opens");
    store.ping().await.expect("it answers");
    for file in ["hotline.db", "hotline.db-wal"] {
        let mode = fs::metadata(data.join(file)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_folder_that_can_not_be_used_is_named() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").expect("written");
    let error = Store::open(&Config::default(), &file.join("data")).await.expect_err("no folder");
    assert!(matches!(&error, OpenError::Folder { path, .. } if path.ends_with("file/data")), "{error}");
    fs::create_dir_all(folder.path().join("hotline.db")).expect("a folder where the file should be");
    let error = Store::open(&Config::default(), folder.path()).await.expect_err("no file");
    assert!(matches!(&error, OpenError::File { path, .. } if path.ends_with("hotline.db")), "{error}");
}

#[tokio::test]
async fn a_wrong_url_is_refused_without_its_password() {
    let folder = Folder::new();
    for (url, expected) in [
        ("mysql://hotline:s3cret@localhost/hotline", "the database url must start with postgres: or sqlite:"),
        ("s3cret", "the database url must start with postgres: or sqlite:"),
        ("postgres://hotline:s3cret@local host:what/hotline", "the database url can't be read"),
        ("postgres://hotline:s3cret@localhost/hotline?host=/nowhere", "no connection to the database: "),
        ("sqlite:///nowhere/at/all.db", "no connection to the database: "),
    ] {
        let config = Config { url: Some(DatabaseUrl::from(url.to_owned())), wait_timeout_ms: 500, ..Config::default() };
        let error = Store::open(&config, folder.path()).await.expect_err("refused");
        assert!(error.to_string().starts_with(expected), "{error}");
        for shown in [error.to_string(), format!("{error:?}"), format!("{config:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}

#[tokio::test]
async fn every_sqlite_connection_syncs_each_commit_and_checks_references() {
    let fixture = Fixture::sqlite_file().await;
    assert_eq!(fixture.rows("select journal_mode from pragma_journal_mode").await, ["wal"]);
    let orphan = crate::fixture::recording(&crate::fixture::call(1), 1);
    assert!(fixture.store.begin_recording(&orphan).await.is_err(), "its call is not there");
}
