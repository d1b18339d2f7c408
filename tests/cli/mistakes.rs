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
