//! Killed between any two steps of a deletion, no row says that a recording is there which is gone, and no file is without
//! its row; the next look finishes the work.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use hotline::store::{By, Held, RecordingFolder, RecordingsChecked, repair};
use hotline::work::recordings::Gone;

use crate::cluster;
use crate::fixture::{Fixture, Folder, NODE};
use crate::killing::{self, SIGKILL, Traced};
use crate::listening::{expiry, kept, years_later};

/// Recordings, of which the last one is held.
const RECORDINGS: u32 = 6;
/// Kills on each database, spread over all that it is told.
const KILLS: usize = 8;
/// Tell the process which database and which folder of recordings.
const URL: &str = "HOTLINE_ERASED_URL";
const FOLDER: &str = "HOTLINE_ERASED_FOLDER";
/// Of files, which any database's process makes: those of sounds and sidecars alone.
const UNLINKS: &str = "?unlink,?unlinkat";

#[tokio::test]
async fn killed_at_any_step_of_a_deletion_sqlite_and_the_folder_agree() {
    let folder = Folder::new();
    let url = |name: &str| format!("sqlite://{}", folder.path().join(format!("{name}.db")).display());
    filled(&url("template"), &folder.path().join("template")).await;
    let copy = |name: &str| {
        std::fs::copy(folder.path().join("template.db"), folder.path().join(format!("{name}.db"))).expect("copied");
        copied(&folder, name)
    };
    let files = copy("whole");
    let writes = killing::whole(&look(&url("whole"), &files, "pwrite64,fdatasync", &folder));
    let at_writes = killing::spread(writes, KILLS).map(|at| ("pwrite64,fdatasync", at));
    let mut killed = 0;
    for (calls, at) in at_writes.chain(at_files()) {
        let name = format!("{}-{at}", calls.len());
        let files = copy(&name);
        killed += usize::from(dies(&look(&url(&name), &files, calls, &folder), at));
        agrees(&url(&name), &files, &format!("killed at {calls} {at}")).await;
    }
    assert!(killed > KILLS, "only {killed} were killed");
}

#[tokio::test]
async fn killed_at_any_step_of_a_deletion_postgres_and_the_folder_agree() {
    let folder = Folder::new();
    let template = cluster::database().await;
    filled(&template, &folder.path().join("template")).await;
    let (whole, files) = (cluster::copy(&template).await, copied(&folder, "whole"));
    let messages = killing::whole(&look(&whole, &files, "sendto", &folder));
    let at_messages = killing::spread(messages, KILLS).map(|at| ("sendto", at));
    let mut killed = 0;
    for (calls, at) in at_messages.chain(at_files()) {
        let (url, files) = (cluster::copy(&template).await, copied(&folder, &format!("{}-{at}", calls.len())));
        killed += usize::from(dies(&look(&url, &files, calls, &folder), at));
        cluster::alone(&url).await;
        agrees(&url, &files, &format!("killed at {calls} {at}")).await;
    }
    assert!(killed > KILLS, "only {killed} were killed");
}

/// At the first, second … file that one thread deletes.
fn at_files() -> impl Iterator<Item = (&'static str, usize)> {
    (1..=5).map(|at| (UNLINKS, at))
}

/// Whether it was killed: threads take turns, and one that has deleted fewer files ends by itself.
fn dies(process: &Traced, at: usize) -> bool {
    let ended = process.run(Some(at));
    assert!(ended.signal() == Some(SIGKILL) || ended.success(), "{ended} at {at}");
    !ended.success()
}

fn look(url: &str, files: &Path, calls: &'static str, folder: &Folder) -> Traced {
    Traced {
        test: "erased::looks",
        variables: vec![(URL, url.to_owned()), (FOLDER, files.display().to_string())],
        calls,
        log: folder.path().join("strace"),
    }
}

async fn filled(url: &str, files: &Path) {
    let fixture = Fixture::open(Folder::new(), url.to_owned()).await;
    let folder = RecordingFolder::open(files).expect("a folder");
    for number in 1..=RECORDINGS {
        let (ticket, _) = kept(&fixture, &folder, number).await;
        if number == RECORDINGS {
            assert_eq!(fixture.store.hold(ticket, "诉讼", &By::OPERATOR, years_later()).await, Ok(Held::Done));
        }
    }
    fixture.store.close().await;
}

/// The template's recordings once more.
fn copied(folder: &Folder, name: &str) -> PathBuf {
    let (from, to) = (folder.path().join("template"), folder.path().join(name));
    copy_all(&from, &to);
    to
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).expect("copied");
        }
    }
}

#[tokio::test]
#[ignore = "the others run it in a process of its own"]
async fn looks() {
    let named = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is wanted"));
    let fixture = Fixture::open(Folder::new(), named(URL)).await;
    let folder = RecordingFolder::open(named(FOLDER)).expect("a folder");
    expiry(&fixture, &folder).look(years_later()).await.expect("looked");
    fixture.store.close().await;
}

async fn agrees(url: &str, files: &Path, when: &str) {
    let fixture = Fixture::open(Folder::new(), url.to_owned()).await;
    let folder = RecordingFolder::open(files).expect("a folder");
    let now = years_later();
    repair(&fixture.store, &folder, NODE, now).await.expect("repaired");
    rows_tell_the_truth(&fixture, &folder, when).await;
    let expiry = expiry(&fixture, &folder);
    let whole = RecordingsChecked { at: now, without_row: 0, without_file: 0 };
    assert_eq!(expiry.check(now).await.expect("checked"), whole, "{when}");

    expiry.look(now).await.expect("looked");
    rows_tell_the_truth(&fixture, &folder, when).await;
    assert_eq!(expiry.look(now).await.expect("looked"), Gone::default(), "{when}");
    assert_eq!(expiry.check(now).await.expect("checked"), whole, "{when}");
    let left = fixture.rows("select path from recording where erased_at is null").await;
    assert_eq!((left.len(), sounds_and_sidecars(files)), (1, 2), "the one that is held stays; {when}");
    fixture.store.close().await;
}

/// What a row says of its recording, and the audit of its ticket with it.
async fn rows_tell_the_truth(fixture: &Fixture, folder: &RecordingFolder, when: &str) {
    let row = "select path || '|' || case when deleted_at is null then 'kept' when erased_at is null then 'marked' \
         else 'gone' end from recording order by id";
    let rows = fixture.rows(row).await;
    assert_eq!(rows.len(), RECORDINGS as usize, "{when}");
    for row in &rows {
        let (path, says) = row.split_once('|').expect("two columns");
        let sound = folder.file(path).expect("inside");
        let there = (sound.exists(), sound.with_extension("json").exists());
        let true_of = match says {
            "kept" => there == (true, true),
            "gone" => there == (false, false),
            // the sound goes first
            _ => there != (true, false),
        };
        assert!(true_of, "{says}, and its files are there: {there:?}; {when}");
    }
    let said = rows.iter().filter(|row| !row.ends_with("|kept")).count();
    let told = fixture.rows("select subject from audit where action = 'erased'").await;
    assert_eq!(told.len(), said, "an entry a deletion; {when}");
}

fn sounds_and_sidecars(files: &Path) -> usize {
    let entries = std::fs::read_dir(files).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { sounds_and_sidecars(&path) } else { 1 }).sum()
}
