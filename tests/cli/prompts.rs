//! `hotline prompts`.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::peer::child::TempFolder;
use super::peer::wav::Wav;
use super::{hotline, text};

fn prompts(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = hotline(&[&["prompts"], arguments].concat());
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

/// What a command says that succeeds.
fn said(arguments: &[&str]) -> String {
    let (code, out, err) = prompts(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {err}");
    assert_eq!(err, "", "{arguments:?}");
    out
}

/// A prompt as a studio hands it in: 48 kHz, two channels, a second of silence around it, half as loud.
fn studio(path: &Path, telephone: &[i16]) {
    let silence = [0_i16; 8_000];
    let all: Vec<i16> = silence.iter().chain(telephone).chain(&silence).copied().collect();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a writable folder");
    for pair in all.windows(2) {
        for step in 0..6 {
            let between = (i32::from(pair[0]) * (6 - step) + i32::from(pair[1]) * step) * 256 / 12;
            writer.write_sample(between).and_then(|()| writer.write_sample(between)).expect("a sample");
        }
    }
    writer.finalize().expect("a whole file");
}

#[test]
fn a_list_is_a_table_of_what_is_asked_for() {
    let table = said(&["list", "--group", "menu"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "id         language  state           s   dBov  text", "{table}");
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[1].starts_with("menu.head  bo        synthetic A  "), "{table}");
    assert!(lines[2].ends_with("请选择您需要的服务。"), "{table}");

    let document: Value = serde_json::from_str(&said(&["list", "--lang", "zh", "--json"])).expect("a document");
    let prompts = document.as_array().expect("a list");
    assert!(prompts.len() > 380 && prompts.iter().all(|prompt| prompt["language"] == "zh"));
    let ids: Vec<&str> = prompts.iter().filter_map(|prompt| prompt["id"].as_str()).collect();
    let place = |id: &str| ids.iter().position(|known| *known == id).expect("a prompt");
    assert!(place("num.2") < place("num.10") && place("num.10") < place("num.100"));
}

#[test]
fn a_list_that_nobody_reads_to_its_end_is_no_mistake() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"));
    let piped = command.args(["prompts", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn the_built_in_prompts_are_in_order() {
    let told = said(&["check"]);
    assert!(told.starts_with("ok: prompts ") && told.contains(" in bo, ") && told.ends_with(" in zh\n"), "{told}");
}

#[test]
fn every_file_of_the_repository_is_the_one_that_its_manifest_means() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts");
    let manifest = std::fs::read_to_string(format!("{folder}/manifest.toml")).expect("a manifest");
    let spoken = manifest.matches("\nvoice = ").count();
    assert!(spoken > 700 && manifest.matches("\nsha256 = ").count() == spoken, "every line has its hash");
    said(&["check", "--folder", folder, "--alone"]);
}

#[test]
fn a_check_names_file_and_line() {
    let folder = TempFolder::new("cli-prompts");
    folder.file("manifest.toml", "\n[menu.head.zh]\ntext = \"请选择。\"\n");
    let place = folder.path().display().to_string();
    let missing = format!("{place}/manifest.toml:2: zh/menu.head.wav: No such file or directory (os error 2)\n");
    let (code, out, err) = prompts(&["check", "--folder", &place]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(err, format!("{missing}hotline: problems found: 1\n"));
    let (code, _, err) = prompts(&["check", "--folder", &place, "--alone"]);
    assert!(code == Some(2) && err.contains(&missing), "{err}");
    std::fs::create_dir(folder.path().join("bo")).expect("a folder");
    folder.file("bo/menu.head.wav", "no sound");
    folder.file("bo/menu.haed.wav", "no prompt");
    let (code, _, found) = prompts(&["check", "--folder", &place]);
    let replaced = format!("{place}/bo/menu.haed.wav: names no prompt\n{place}/bo/menu.head.wav: not a WAV file\n");
    assert_eq!((code, found), (Some(2), format!("{replaced}{missing}hotline: problems found: 3\n")));
    assert!(err.contains("menu.head has no line in bo") && err.ends_with("hotline: problems found: 2\n"), "{err}");
}

#[test]
fn what_is_played_comes_back_as_a_recording_of_the_studio() {
    let folder = TempFolder::new("cli-prompts");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let told = said(&["play", "menu.head", "--lang", "zh", "--out", &at("head.wav")]);
    assert!(told.ends_with(" s: 请选择您需要的服务。\n"), "{told}");
    let played = Wav::mono(&std::fs::read(at("head.wav")).expect("the file")).expect("mono at 8 kHz");

    std::fs::create_dir(at("studio")).expect("a folder");
    let script = said(&["script", "--lang", "zh", "--out", &at("script.html")]);
    assert!(script.starts_with(&at("script.html")), "{script}");
    let page = std::fs::read_to_string(at("script.html")).expect("a page");
    let name =
        page.split("<code>").find(|name| name.contains("_menu.head.wav")).and_then(|name| name.split('<').next());
    studio(&folder.path().join("studio").join(name.expect("a name for the file")), &played);

    let import = ["import", &at("studio"), "--lang", "zh", "--into", &at("ours"), "--reviewer", "洛桑"];
    let dry = said(&[&import[..], &["--dry-run"]].concat());
    assert!(dry.contains("\nwould import 1 into ") && !Path::new(&at("ours")).exists(), "{dry}");
    let told = said(&import);
    assert!(told.contains(": menu.head: 48 kHz to 8, 2 channels mixed, "), "{told}");
    assert!(told.contains(" dBov: 请选择您需要的服务。\n"), "{told}");
    assert!(said(&import).contains("; replaces a recording: 请选择您需要的服务。\n"));
    assert!(told.contains(" at -21.") || told.contains(" at -20.9"), "{told}");
    assert!(told.contains("\nimported 1 into ") && told.contains(", refused 0, still missing "), "{told}");

    said(&["check", "--folder", &at("ours")]);
    let listed = said(&["list", "--folder", &at("ours"), "--state", "recorded", "--json"]);
    let document: Value = serde_json::from_str(&listed).expect("a document");
    assert_eq!(document.as_array().map(Vec::len), Some(1), "{listed}");
    let (head, length) = (&document[0], played.len() as f64 / 8.0);
    assert_eq!(
        (&head["id"], &head["origin"], &head["reviewer"]),
        (&"menu.head".into(), &"recorded".into(), &"洛桑".into())
    );
    let heard = head["duration_ms"].as_f64().expect("a length");
    assert!((heard - length).abs() < 60.0, "{heard} ms, {length} were played");
}

#[test]
fn a_refused_recording_leaves_the_others_be() {
    let folder = TempFolder::new("cli-prompts");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("studio")).expect("a folder");
    let tone: Vec<i16> = (0..8_000).map(|n| ((f64::from(n) / 3.0).sin() * 9_000.0) as i16).collect();
    studio(&folder.path().join("studio/digit.1.wav"), &tone);
    folder.file("studio/digit.2.wav", "no sound");
    folder.file("studio/menu.haed.wav", "no prompt");
    let (code, out, err) = prompts(&["import", &at("studio"), "--lang", "bo", "--into", &at("ours")]);
    assert_eq!((code, err.as_str()), (Some(2), "hotline: files refused: 2\n"));
    for line in [
        "digit.1.wav: digit.1: 48 kHz",
        "digit.2.wav: refused: not a WAV file",
        "menu.haed.wav: refused: no prompt in bo",
    ] {
        assert!(out.contains(line), "{line} in\n{out}");
    }
    let written = std::fs::read_dir(at("ours/bo")).expect("a folder").map(|file| file.expect("a file").file_name());
    assert_eq!(written.collect::<Vec<_>>(), ["digit.1.wav"]);
}

#[test]
fn a_ticket_number_is_heard_with_its_pauses() {
    let folder = TempFolder::new("cli-prompts");
    let file = folder.path().join("ticket.wav").display().to_string();
    let told = said(&["say", "ticket", "126112200012", "--lang", "zh", "--out", &file]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("pause ") && line.ends_with(" 180 ms")).count(),
        3,
        "{told}"
    );
    let sound = Wav::mono(&std::fs::read(&file).expect("the file")).expect("mono at 8 kHz");
    let seconds = format!("{file}: {:.2} s", sound.len() as f64 / 8_000.0);
    assert_eq!(lines.last(), Some(&seconds.as_str()), "{told}");
    assert!(sound.split(|sample| sample.unsigned_abs() > 16).any(|quiet| quiet.len() >= 1_440), "a pause of 180 ms");
}

#[test]
fn everything_that_can_be_read_aloud_is() {
    for (kind, value, part) in [
        ("phone", "13812345678", "pause"),
        ("last-four", "0012", "零"),
        ("number", "115", "num.100"),
        ("count", "2", "两"),
        ("ordinal", "3", "num.nth"),
        ("date", "2026-11-25", "month.11"),
        ("time", "15:45", "clock."),
        ("duration", "125", "unit.hours"),
        ("workdays", "15", "unit.workdays"),
        ("weekday", "2026-11-25", "weekday.3"),
    ] {
        let told = said(&["say", kind, value, "--lang", "zh"]);
        assert!(told.contains(part), "{kind} {value}: {told}");
    }
}

#[test]
fn every_mistake_is_named() {
    let folder = TempFolder::new("cli-prompts");
    folder.file("configured.toml", "[prompts]\nfolder = \"/no/such/prompts\"\n");
    folder.file("notes.txt", "nothing to hear");
    let place = folder.path().display().to_string();
    let configured = format!("{place}/configured.toml");
    let cases: [&[&str]; 20] = [
        &["list", "--group", "nothing"],
        &["list", "--lang", "en"],
        &["list", "--folder", "/no/such"],
        &["check", "--config", &configured],
        &["check", "--alone"],
        &["play", "menu.head", "--lang", "bo"],
        &["play", "menu.haed", "--lang", "bo", "--out", "x.wav"],
        &["play", "year.prefix", "--lang", "zh", "--out", "x.wav"],
        &["play", "menu.head", "--lang", "bo", "--out", "/no/such/x.wav"],
        &["say", "ticket", "126112200013", "--lang", "zh"],
        &["say", "phone", "nobody", "--lang", "zh"],
        &["say", "last-four", "12345", "--lang", "zh"],
        &["say", "count", "many", "--lang", "zh"],
        &["say", "date", "2026-02-30", "--lang", "bo"],
        &["say", "time", "25:00", "--lang", "bo"],
        &["say", "price", "5", "--lang", "bo"],
        &["import", &place, "--lang", "bo"],
        &["import", "/no/such", "--lang", "bo", "--into", &place],
        &["import", &place, "--lang", "bo", "--into", &place],
        &["script", "--lang", "bo", "--out", "/no/such/script.html"],
    ];
    let mut told = String::new();
    for arguments in cases {
        let (code, out, err) = prompts(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        let error = err.replace("\n\nFor more information, try '--help'.", "");
        writeln!(told, "$ hotline prompts {}\n{error}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("prompt_mistakes", told.replace(&place, "FOLDER"));
}
