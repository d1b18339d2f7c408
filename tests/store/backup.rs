//! A backup of a running service, and what comes back from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use hotline::store::{
    BackupError, Config, OpenError, RecordingFolder, RecordingWriter, SidecarFile, Store, backup, check_backup, repair,
    restore,
};
use hotline::ticket::{EndedBy, Number, RecordingState};
use sha2::{Digest, Sha256};

use crate::fixture::{Fixture, Folder, NODE, call, morning, sidecar, ticket};

/// Each of these on SQLite in a file and on PostgreSQL: a database in memory is not backed up.
macro_rules! on_each_lasting_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite_file { $(#[tokio::test] async fn $test() { super::$test(Fixture::sqlite_file().await).await; })+
            use crate::fixture::Fixture;
        }
        mod postgres { $(#[tokio::test] async fn $test() { super::$test(Fixture::postgres().await).await; })+
            use crate::fixture::Fixture;
        }
    };
}

on_each_lasting_database!(
    what_was_committed_before_a_backup_comes_back_from_it,
    a_second_backup_copies_only_what_is_new,
    a_backup_that_is_not_what_its_manifest_says_is_refused,
    a_backup_without_its_end_is_none,
    nothing_is_restored_over_anything,
    a_restore_that_did_not_end_is_no_data,
);

#[tokio::test]
async fn a_database_in_memory_is_refused() {
    let (fixture, to) = (Fixture::sqlite_memory().await, Folder::new());
    let refused = backup(&fixture.store, &fixture.config(), fixture.folder.path(), to.path(), morning()).await;
    assert!(matches!(refused, Err(BackupError::InMemory)), "{refused:?}");
    assert_eq!(fs::read_dir(to.path()).expect("a folder").count(), 0);
}

/// What a service had: tickets with their recordings, and one recording that is being written.
struct Running {
    numbers: Vec<Number>,
    open: RecordingWriter,
    beside: SidecarFile,
}

fn recordings(fixture: &Fixture) -> RecordingFolder {
    RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder")
}

/// A recording of a request of a second and more, with its row.
async fn recording(fixture: &Fixture, number: u32) -> (RecordingWriter, SidecarFile) {
    let call = fixture.call(number).await;
    let (mut writer, beside) = recordings(fixture).create(sidecar(&call, number)).expect("created");
    fixture.store.begin_recording(&beside.sidecar().new_recording(writer.path())).await.expect("begun");
    for at in 0..50 + number {
        let octet = u8::try_from(at % 200).expect("small");
        writer.append(&[octet; 160], &[0xd5; 160]).expect("written");
    }
    writer.flush().expect("flushed");
    (writer, beside)
}

async fn running(fixture: &Fixture) -> Running {
    let mut numbers = Vec::new();
    for number in 1..=5 {
        let (writer, mut beside) = recording(fixture, number).await;
        let finished = writer.finish(EndedBy::Key).expect("finished");
        beside.finish(&finished).expect("noted");
        fixture.store.finish_recording(&finished).await.expect("finished");
        let new = hotline::store::NewTicket { recordings: vec![finished.id], ..ticket(&call(number)) };
        numbers.push(fixture.store.submit_ticket(&new, morning()).await.expect("submitted").number);
    }
    fixture.store.seal_audit(morning() + TimeDelta::minutes(1)).await.expect("sealed");
    let folder = fixture.folder.path().join("attachments/ab");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("abcd"), "a picture").expect("written");
    let (open, beside) = recording(fixture, 6).await;
    Running { numbers, open, beside }
}

async fn back_up(fixture: &Fixture, to: &Path) -> hotline::store::BackedUp {
    let (config, data) = (fixture.config(), fixture.folder.path());
    backup(&fixture.store, &config, data, to, morning() + TimeDelta::hours(1)).await.expect("backed up")
}

/// Puts a restored service somewhere else.
async fn restored(fixture: &Fixture, from: &Path) -> (Config, Folder) {
    let (config, folder) = (fixture.elsewhere().await, Folder::new());
    restore(&config, folder.path(), from, morning() + TimeDelta::hours(2)).await.expect("restored");
    (config, folder)
}

fn sha256(file: &Path) -> String {
    let bytes = fs::read(file).expect("a file");
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn a_recording(backup: &Path) -> PathBuf {
    let day = backup.join("recordings/2026/11/22");
    let mut files: Vec<PathBuf> =
        fs::read_dir(day).expect("a day").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wav")).expect("a recording")
}

async fn what_was_committed_before_a_backup_comes_back_from_it(fixture: Fixture) {
    let running = running(&fixture).await;
    let to = Folder::new();
    let over = Arc::new(AtomicBool::new(false));
    let writing = {
        let (store, over) = (fixture.store.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let mut number = 1_000;
            while !over.load(Ordering::Relaxed) {
                let call = call(number);
                store.insert_call(&call).await.expect("inserted");
                store.submit_ticket(&ticket(&call), morning()).await.expect("submitted");
                number += 1;
            }
            number - 1_000
        })
    };
    let done = back_up(&fixture, to.path()).await;
    over.store(true, Ordering::Relaxed);
    assert!(writing.await.expect("it wrote") > 0, "the service went on");
    assert_eq!(done.open, [format!("recordings/{}", running.open.path())]);
    assert_eq!(done.files, 1 + 6 * 2 + 1, "database, recordings with sidecars, attachment");
    assert!(done.seal.is_some());

    let checked = check_backup(to.path()).await.expect("whole");
    assert_eq!((checked.files, checked.bytes, &checked.seal), (done.files, done.bytes, &done.seal));
    let (config, data) = restored(&fixture, to.path()).await;
    let store = Store::open(&config, data.path()).await.expect("the store opens");
    let folder = RecordingFolder::open(data.path().join("recordings")).expect("a folder");
    for number in &running.numbers {
        let file = store.ticket(*number).await.expect("read").expect("there");
        let [recording] = file.recordings.as_slice() else { panic!("{:?}", file.recordings) };
        let sound = folder.file(&recording.path).expect("inside");
        assert_eq!(recording.sha256.as_deref(), Some(sha256(&sound).as_str()));
    }
    let verified = store.verify_audit(done.seal.as_deref()).await.expect("verified");
    assert!(verified.is_whole() && verified.expected_found, "{verified:?}");
    assert_eq!(fs::read(data.path().join("attachments/ab/abcd")).expect("there"), b"a picture");

    repair(&store, &folder, NODE, morning() + TimeDelta::hours(3)).await.expect("repaired");
    let open = store.recording(running.open.id()).await.expect("read").expect("there");
    assert_eq!((open.state, open.ended_by), (RecordingState::Closed, Some(EndedBy::Crash)));
    assert_eq!(open.duration_ms, Some(running.open.duration_ms()));
    let acts = store.audit_entries(&hotline::store::AuditFilter::default(), 1_000).await.expect("read");
    assert!(acts.iter().any(|act| act.subject == "backup"), "the restore is on record");
}

async fn a_second_backup_copies_only_what_is_new(fixture: Fixture) {
    let Running { open, mut beside, .. } = running(&fixture).await;
    let to = Folder::new();
    let first = back_up(&fixture, to.path()).await;
    assert_eq!(first.copied, first.files);
    assert_eq!(back_up(&fixture, to.path()).await.copied, 1, "the database");
    let finished = open.finish(EndedBy::Hangup).expect("finished");
    beside.finish(&finished).expect("noted");
    fixture.store.finish_recording(&finished).await.expect("finished");
    let third = back_up(&fixture, to.path()).await;
    assert_eq!((third.files, third.copied), (first.files, 2), "and the sidecar of what was finished meanwhile");
    check_backup(to.path()).await.expect("whole");
}

async fn a_backup_that_is_not_what_its_manifest_says_is_refused(fixture: Fixture) {
    running(&fixture).await;
    let (to, target) = (Folder::new(), Folder::new());
    back_up(&fixture, to.path()).await;
    let config = fixture.elsewhere().await;
    let sound = a_recording(to.path());
    let bytes = fs::read(&sound).expect("there");
    let mut altered = bytes.clone();
    altered[100] ^= 1;
    for spoiled in [Some(altered), Some(bytes[..bytes.len() - 1].to_vec()), None] {
        match &spoiled {
            Some(spoiled) => fs::write(&sound, spoiled).expect("written"),
            None => fs::remove_file(&sound).expect("removed"),
        }
        let Err(BackupError::Mismatch(wrong)) = check_backup(to.path()).await else { panic!("accepted") };
        let [line] = wrong.as_slice() else { panic!("{wrong:?}") };
        assert!(line.starts_with("recordings/2026/11/22/"), "{line}");
        let refused = restore(&config, target.path(), to.path(), morning()).await;
        assert!(matches!(refused, Err(BackupError::Mismatch(_))), "{refused:?}");
        assert_eq!(fs::read_dir(target.path()).expect("a folder").count(), 0, "nothing was begun");
    }
}

async fn a_backup_without_its_end_is_none(fixture: Fixture) {
    running(&fixture).await;
    let to = Folder::new();
    assert!(matches!(check_backup(to.path()).await, Err(BackupError::Incomplete(_))));
    back_up(&fixture, to.path()).await;
    let manifest = to.path().join("manifest.json");
    let text = fs::read_to_string(&manifest).expect("there");
    fs::write(&manifest, &text[..text.len() / 2]).expect("written");
    assert!(matches!(check_backup(to.path()).await, Err(BackupError::Manifest)));
    fs::write(&manifest, text.replacen("recordings/", "../recordings/", 1)).expect("written");
    assert!(matches!(check_backup(to.path()).await, Err(BackupError::Manifest)), "a path that leads out");
    fs::remove_file(&manifest).expect("removed");
    assert!(matches!(check_backup(to.path()).await, Err(BackupError::Incomplete(_))));
    let inside = fixture.folder.path().join("backup");
    let (config, data) = (fixture.config(), fixture.folder.path());
    let refused = backup(&fixture.store, &config, data, &inside, morning()).await;
    assert!(matches!(refused, Err(BackupError::Inside)), "{refused:?}");
}

async fn nothing_is_restored_over_anything(fixture: Fixture) {
    running(&fixture).await;
    let to = Folder::new();
    back_up(&fixture, to.path()).await;
    let (config, data) = restored(&fixture, to.path()).await;
    let again = restore(&config, data.path(), to.path(), morning()).await;
    assert!(matches!(again, Err(BackupError::NotEmpty(_))), "{again:?}");
    if config.url.is_some() {
        let other = Folder::new();
        let again = restore(&config, other.path(), to.path(), morning()).await;
        assert!(matches!(again, Err(BackupError::DatabaseNotEmpty)), "{again:?}");
    }
    let url = if config.url.is_some() { "sqlite::memory:" } else { "postgres://nobody@127.0.0.1:1/none" };
    let other = Config { url: Some(url.to_owned().into()), ..Config::default() };
    let refused = restore(&other, Folder::new().path(), to.path(), morning()).await;
    assert!(matches!(refused, Err(BackupError::OtherDatabase(_))), "{refused:?}");
}

async fn a_restore_that_did_not_end_is_no_data(fixture: Fixture) {
    fs::write(fixture.folder.path().join("restoring"), "").expect("written");
    assert!(matches!(fixture.reopen().await, Err(OpenError::Restoring(_))));
}
