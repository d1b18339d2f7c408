//! `hotline calendar`.

use std::fmt::Write;
use std::process::Stdio;

use serde_json::Value;

use super::peer::child::TempFolder;
use super::{hotline, text};

fn calendar(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hotline(&[&["calendar"], arguments].concat());
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

/// What a command says that succeeds.
fn said(arguments: &[&str]) -> String {
    let (code, out, err) = calendar(arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

#[test]
fn a_due_date_is_told_day_by_day() {
    let mut told = String::new();
    let from_file = concat!(env!("CARGO_MANIFEST_DIR"), "/seed/calendar.toml");
    for arguments in [
        &["due", "--from", "2026-02-13", "--workdays", "5"][..],
        &["due", "--from", "2026-02-13", "--workdays", "5", "--city", "lhasa"],
        &["due", "--from", "2026-12-30", "--workdays", "3", "--city", "ngari"],
        &["due", "--from", "2026-11-24", "--workdays", "1", "--file", from_file],
    ] {
        writeln!(told, "$ hotline calendar {}\n{}", arguments.join(" "), said(arguments)).expect("a string");
    }
    insta::assert_snapshot!("due", told.replace(env!("CARGO_MANIFEST_DIR"), "."));
}

#[test]
fn a_due_date_is_a_document_for_programs() {
    let due = said(&["due", "--from", "2026-02-26", "--workdays", "2", "--city", "lhasa", "--json"]);
    insta::assert_snapshot!("due_document", due);
    let due = said(&["due", "--from", "2026-12-31", "--workdays", "366", "--json"]);
    let document: Value = serde_json::from_str(&due).expect("a document");
    assert_eq!((&document["provisional"], &document["city"]), (&true.into(), &Value::Null));
    assert_eq!(document["unannounced"], Value::from_iter([2027, 2028]));
}

#[test]
fn another_file_takes_the_place_of_what_is_built_in() {
    let folder = TempFolder::new("cli-calendar");
    let file = folder.file("announced.toml", "[national.2027]\noff = [\"2027-01-01..2027-01-03\"]\n");
    let file = file.display().to_string();
    let due = ["due", "--from", "2026-12-31", "--workdays", "1"];
    assert!(said(&due).starts_with("due 2027-01-01, a Friday, "));
    let told = said(&[&due[..], &["--file", &file]].concat());
    assert!(told.starts_with("due 2027-01-04, a Monday, "), "{told}");
    assert!(told.contains("\nnot provisional: 2027 has been announced\n"), "{told}");
    let told = said(&["due", "--from", "2026-02-13", "--workdays", "5", "--file", &file]);
    assert!(told.contains("\nprovisional: 2026 has not been announced\n"), "{told}");
}

#[test]
fn days_that_nobody_reads_to_their_end_are_no_mistake() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["calendar", "due", "--from", "2026-02-13", "--workdays", "366"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn an_import_is_shown_before_it_is_done() {
    let folder = TempFolder::new("cli-calendar");
    let data = folder.path().join("data").display().to_string();
    let file =
        folder.file("2098.toml", "[national.2098]\noff = [\"2098-01-01\"]\n\n[ngari.2098]\nwork = [\"2098-02-01\"]\n");
    let file = file.display().to_string();
    let import = ["import", &file, "--data", &data];
    let shown = said(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(shown, "would be imported: national.2098, ngari.2098; open tickets that would move: 0\n");
    assert_eq!(said(&import), "imported: national.2098, ngari.2098; open tickets that moved: 0\n");
    let document: Value = serde_json::from_str(&said(&[&import[..], &["--json"]].concat())).expect("a document");
    assert_eq!(document["moved"], Value::from_iter(Vec::<Value>::new()));
    assert_eq!(document["announcements"], Value::from_iter(["national.2098", "ngari.2098"]));
    let (code, _, err) = calendar(&["import", "/no/such/calendar.toml", "--data", &data]);
    assert_eq!((code, err.lines().count()), (Some(2), 1), "{err}");
}

#[test]
fn every_mistake_is_named() {
    let folder = TempFolder::new("cli-calendar");
    let place = folder.path().display().to_string();
    let file = |name: &str, text: &str| folder.file(name, text).display().to_string();
    let broken = file("broken.toml", "[national.2026]\noff = [\"2026-01-01\"\n");
    let unknown = file("unknown.toml", "[national.2026]\noff = [\"2026-01-01\"]\n\n[beijing.2026]\noff = []\n");
    let key = file("key.toml", "[lhasa.2026]\nof = [\"2026-02-18\"]\n");
    let year = file("year.toml", "[lhasa.2026]\noff = [\n    \"2026-02-18\",\n    \"2027-02-08\",\n]\n");
    let over = file("over.toml", "[national.2026]\noff = [\"2026-12-31..2027-01-02\"]\n");
    let both = file("both.toml", "[national.2026]\noff = [\"2026-01-01..2026-01-04\"]\nwork = [\"2026-01-04\"]\n");
    folder.file("latin1.toml", [0xe9]);
    let latin1 = format!("{place}/latin1.toml");
    let due = ["due", "--from", "2026-02-13", "--workdays", "5"];
    let with = |arguments: &[&'static str]| arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>();
    let mut cases = vec![
        with(&["due", "--from", "2026-02-30", "--workdays", "5"]),
        with(&["due", "--from", "26-2-3", "--workdays", "5"]),
        with(&["due", "--from", "2026-02-13", "--workdays", "0"]),
        with(&["due", "--from", "2026-02-13", "--workdays", "367"]),
        with(&[&due[..], &["--city", "beijing"]].concat()),
        with(&[&due[..], &["--file", "/no/such/calendar.toml"]].concat()),
    ];
    for file in [broken, unknown, key, year, over, both, latin1] {
        cases.push([with(&due), vec!["--file".to_owned(), file]].concat());
    }
    let mut told = String::new();
    for case in &cases {
        let arguments: Vec<&str> = case.iter().map(String::as_str).collect();
        let (code, out, err) = calendar(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        let error = err.replace("\n\nFor more information, try '--help'.", "");
        writeln!(told, "$ hotline calendar {}\n{error}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("calendar_mistakes", told.replace(&place, "FOLDER"));
}
