//! What somebody reads who typed something that can't be used.

use std::fmt::Write;

use super::peer::child::TempFolder;
use super::{hotline, text};

/// A WAV file that no telephone plays: two channels, 44.1 kHz.
fn music() -> Vec<u8> {
    let mut bytes = super::peer::wav::write(&[0; 400]);
    bytes[22..24].copy_from_slice(&2_u16.to_le_bytes());
    bytes[24..28].copy_from_slice(&44_100_u32.to_le_bytes());
    bytes[28..32].copy_from_slice(&176_400_u32.to_le_bytes());
    bytes[32..34].copy_from_slice(&4_u16.to_le_bytes());
    bytes
}

#[test]
fn every_mistake_is_named() {
    let folder = TempFolder::new("cli");
    let text_file = folder.file("text.wav", "no sound at all").display().to_string();
    let music = folder.file("music.wav", music()).display().to_string();
    let short = folder.file("short.wav", &super::peer::wav::write(&[7; 400])[..100]).display().to_string();
    let line = "sip:12345@127.0.0.1:1";
    let cases: [&[&str]; 16] = [
        &["12345"],
        &["127.0.0.1:5060"],
        &["tel:12345"],
        &["sips:12345@127.0.0.1"],
        &[line, "--digits", "4"],
        &[line, "--digits", "x@4"],
        &[line, "--digits", "1@soon"],
        &[line, "--digits", "1@30"],
        &[line, "--for", "0"],
        &[line, "--rtp-ports", "7"],
        &[line, "--from", "two words"],
        &[line, "--play", "/no/such.wav"],
        &[line, "--play", &text_file],
        &[line, "--play", &music],
        &[line, "--play", &short],
        &[line, "--record", "/no/such/heard.wav"],
    ];
    let mut told = String::new();
    for arguments in cases {
        let output = hotline(&[&["call"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = text(&output.stderr).replace("\n\nFor more information, try '--help'.", "");
        writeln!(told, "$ hotline call {}\n{error}", arguments.join(" ")).expect("a string");
    }
    insta::assert_snapshot!("mistakes", told.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[test]
fn a_host_that_can_not_be_reached_is_told_apart_from_a_mistake() {
    let output = hotline(&["call", "sip:12345@127.0.0.1:1;transport=tcp"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "hotline: not answered: the host can't be reached\n");
    let output = hotline(&["call", "sip:12345@127.0.0.1;transport=sctp"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "hotline: only UDP and TCP are spoken here\n");
}

#[test]
fn a_check_names_the_mistakes_of_trunks_with_file_and_line() {
    let folder = TempFolder::new("cli-trunks");
    let file = folder.file(
        "hotline.toml",
        "[trunk.a]\npeer = \"sip:127.0.0.1\"\ncalls_out = true\nnumber = \"12345\"\nchannels = 2\nkept_for_inbound = 2\n\
         [trunk.b]\npeer = \"sip:192.0.2.1\"\n\
         [trunk.c]\npeer = \"sip:127.0.0.1\"\ncalls_out = true\nchannels = 9\n[trunk.c.caller_id]\nlhasa = \"Lhasa\"\n\
         [trunk.d]\nusername = \"ivr\"\n",
    );
    let file = file.display().to_string();
    let output = hotline(&["check", "--config", &file]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr).replace(&file, "FILE");
    assert_eq!(
        told,
        "FILE:6: trunk.a.kept_for_inbound: of 2 channels none is left for calls out\n\
         FILE:8: trunk.b.peer: 192.0.2.1 is outside sip.allow: what comes from there is not heard\n\
         FILE:14: trunk.c.caller_id.lhasa: a number is 3 to 15 digits, with or without a + before them\n\
         FILE:15: trunk.d.registrar: a trunk needs a registrar, or a peer if it wants none\n\
         hotline: problems found: 4\n"
    );
}

#[test]
fn a_check_names_what_no_dial_plan_can_hold() {
    let folder = TempFolder::new("cli-dial-plan");
    let file = folder.file("hotline.toml", "[dial_plan]\ndeny = [\"9\", \"+1\"]\n").display().to_string();
    let output = hotline(&["check", "--config", &file]);
    let told = text(&output.stderr).replace(&file, "FILE");
    assert_eq!(told, "hotline: FILE:2: dial_plan.deny[1]: a prefix is 1 to 15 digits\n");
}
