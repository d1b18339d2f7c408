//! `hotline simulate`.

use super::peer::child::TempFolder;
use super::{hotline, text};

fn simulate(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hotline(&[&["simulate"], arguments].concat());
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

#[test]
fn a_fresh_database_is_filled_once() {
    let folder = TempFolder::new("cli-simulate");
    let data = folder.path().display().to_string();
    let arguments = ["--data", &data, "--tickets", "40", "--days", "3", "--from", "2026-09-01", "--seed", "9"];
    let said = "tickets: 40, on 3 days from 2026-09-01, seed 9\n";
    assert_eq!(simulate(&arguments), (Some(0), said.to_owned(), String::new()));
    let (code, out, err) = simulate(&arguments);
    let refused = "hotline: store: the database has tickets already; a simulation needs a fresh one\n";
    assert_eq!((code, out.as_str(), err.as_str()), (Some(2), "", refused));
}

#[test]
fn a_plan_that_cannot_be_is_refused_before_anything_is_made() {
    let folder = TempFolder::new("cli-simulate-plan");
    let data = folder.path().join("data");
    let place = data.display().to_string();
    for wrong in [["--days", "0"], ["--tickets", "0"], ["--from", "1999-01-01"], ["--tickets", "4000000000"]] {
        let (code, out, err) = simulate(&[&["--data", &place][..], &wrong].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(err.starts_with("hotline: a "), "{err}");
        assert!(!data.exists());
    }
}
