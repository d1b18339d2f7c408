//! `hotline user` and `hotline client`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::peer::child::TempFolder;
use super::text;

const PASSWORD: &str = "yaks on the pass\n";

/// Runs the binary on a store of its own; gives exit code, output and error.
fn run(folder: &TempFolder, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(arguments).arg("--data").arg(folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // one that wants no input may be gone before it comes
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

/// What a command says that succeeds.
fn said(folder: &TempFolder, arguments: &[&str], input: &str) -> String {
    let (code, out, err) = run(folder, arguments, input);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

/// With each time of day as `YYYY-MM-DD HH:MM`.
fn timeless(text: &str) -> String {
    const SHAPE: &str = "YYYY-MM-DD HH:MM";
    let is_time = |part: &str| {
        let fits = |(letter, shape): (char, char)| {
            if shape.is_ascii_uppercase() { letter.is_ascii_digit() } else { letter == shape }
        };
        part.len() == SHAPE.len() && part.chars().zip(SHAPE.chars()).all(fits)
    };
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        if rest.get(..SHAPE.len()).is_some_and(is_time) {
            shown.push_str(SHAPE);
            rest = &rest[SHAPE.len()..];
        } else {
            shown.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    shown
}

#[test]
fn accounts_are_made_listed_and_deactivated() {
    let folder = TempFolder::new("cli-user");
    let mut told = String::new();
    let steps: [(&[&str], &str); 7] = [
        (&["user", "add", "root", "--role", "administrator"], PASSWORD),
        (
            &[
                "user",
                "add",
                "dolma",
                "--role",
                "agent",
                "--city",
                "ngari",
                "--city",
                "lhasa",
                "--display-name",
                "卓玛",
            ],
            PASSWORD,
        ),
        (&["user", "add", "housing", "--role", "unit", "--unit", "lhasa-housing"], PASSWORD),
        (&["user", "add", "tashi.s", "--role", "supervisor", "--named"], "a river of snow water\r\nnot this\n"),
        (&["user", "password", "dolma"], "a river of snow water"),
        (&["user", "deactivate", "housing"], ""),
        (&["user", "list"], ""),
    ];
    for (arguments, input) in steps {
        writeln!(told, "$ hotline {}\n{}", arguments.join(" "), said(&folder, arguments, input)).expect("a string");
    }
    insta::assert_snapshot!("users", timeless(&told));

    let listed: Value = serde_json::from_str(&said(&folder, &["user", "list", "--json"], "")).expect("a document");
    let names: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|user| user["name"].as_str()).collect();
    assert_eq!(names, ["dolma", "housing", "root", "tashi.s"]);
    assert_eq!((&listed[1]["active"], &listed[1]["unit"]), (&false.into(), &"lhasa-housing".into()));
    assert_eq!(listed[0]["cities"], Value::from_iter(["lhasa", "ngari"]));
    assert!(!listed.to_string().contains("argon2"));
}

#[test]
fn nobody_else_can_read_the_folder_that_the_first_account_makes() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempFolder::new("cli-user");
    let data = folder.path().join("data").display().to_string();
    let output = {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(["user", "add", "root", "--role", "administrator", "--data", &data]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).spawn().expect("the binary starts");
        child.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("it reads");
        child.wait().expect("it ends")
    };
    assert!(output.success());
    let mode = |path: &str| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&format!("{data}/hotline.db"))), (0o700, 0o600));
}

#[test]
fn an_account_without_sessions_has_none_to_end() {
    let folder = TempFolder::new("cli-user");
    said(&folder, &["user", "add", "root", "--role", "administrator"], PASSWORD);
    let head = "id  began (Beijing)  last used  over at  address\n";
    assert_eq!(said(&folder, &["user", "sessions", "root"], ""), head);
    assert_eq!(said(&folder, &["user", "sessions", "root", "--json"], ""), "[]\n");
    assert_eq!(said(&folder, &["user", "revoke", "root"], ""), "root: sessions ended: 0\n");
}

#[test]
fn a_clients_token_is_shown_once() {
    let folder = TempFolder::new("cli-user");
    let add = ["client", "add", "wechat", "--scope", "tickets:write", "--scope", "tickets:read", "--city", "lhasa"];
    let added = said(&folder, &add, "");
    let token = added.lines().find_map(|line| line.strip_prefix("token: ")).expect("a token").to_owned();
    assert!(token.starts_with("hlc_") && token.len() == 47);
    let mut told = format!("$ hotline {}\n{}\n", add.join(" "), added.replace(&token, "TOKEN"));
    let steps: [&[&str]; 3] = [
        &["client", "add", "portal", "--scope", "open311", "--json"],
        &["client", "revoke", "wechat"],
        &["client", "list"],
    ];
    for arguments in steps {
        let mut out = said(&folder, arguments, "");
        assert!(!out.contains(&token));
        if let Ok(mut document) = serde_json::from_str::<Value>(&out) {
            assert!(document["token"].as_str().is_some_and(|token| token.starts_with("hlc_")));
            assert!(document["created_at"].is_string());
            document["token"] = "TOKEN".into();
            document["created_at"] = "TIME".into();
            out = format!("{document:#}\n");
        }
        writeln!(told, "$ hotline {}\n{out}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("clients", timeless(&told));
    let listed = said(&folder, &["client", "list", "--json"], "");
    assert!(!listed.contains("hlc_") && !listed.contains("hash"), "{listed}");
}

#[test]
fn every_mistake_is_named() {
    let folder = TempFolder::new("cli-user");
    said(&folder, &["user", "add", "root", "--role", "administrator"], PASSWORD);
    said(&folder, &["client", "add", "wechat", "--scope", "open311"], "");
    let cases: [(&[&str], &str); 21] = [
        (&["user", "add", "Root", "--role", "agent"], PASSWORD),
        (&["user", "add", "dolma"], PASSWORD),
        (&["user", "add", "dolma", "--role", "king"], PASSWORD),
        (&["user", "add", "dolma", "--role", "agent", "--city", "beijing"], PASSWORD),
        (&["user", "add", "dolma", "--role", "agent", "--unit", "lhasa-housing"], PASSWORD),
        (&["user", "add", "dolma", "--role", "unit"], PASSWORD),
        (&["user", "add", "dolma", "--role", "unit", "--unit", "lhasa-moon"], PASSWORD),
        (&["user", "add", "dolma", "--role", "unit", "--unit", "lhasa-housing", "--named"], PASSWORD),
        (&["user", "add", "dolma", "--role", "agent", "--display-name", " "], PASSWORD),
        (&["user", "add", "root", "--role", "agent"], PASSWORD),
        (&["user", "add", "dolma", "--role", "agent"], ""),
        (&["user", "add", "dolma", "--role", "agent"], "\nyaks on the pass\n"),
        (&["user", "add", "dolma", "--role", "agent"], "too short\n"),
        (&["user", "add", "dolma.tsering", "--role", "agent"], "Dolma.Tsering\n"),
        (&["user", "add", "dolma", "--role", "agent"], "Password123\n"),
        (&["user", "password", "nobody"], PASSWORD),
        (&["user", "deactivate", "nobody"], ""),
        (&["user", "revoke", "root", "--session", "0123456789ab"], ""),
        (&["client", "add", "portal"], ""),
        (&["client", "add", "wechat", "--scope", "open311"], ""),
        (&["client", "revoke", "portal"], ""),
    ];
    let mut told = String::new();
    for (arguments, input) in cases {
        let (code, out, err) = run(&folder, arguments, input);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        let error = err.replace("\n\nFor more information, try '--help'.", "");
        writeln!(told, "$ hotline {}\n{error}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("user_mistakes", told.replace(&folder.path().display().to_string(), "FOLDER"));
}
