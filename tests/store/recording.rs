//! A recording's file and its sidecar, as a crash would find them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hotline::media::codec::{alaw_decode, alaw_encode};
use hotline::store::{FinishedRecording, RecordingError, RecordingFolder, Sidecar};
use hotline::ticket::{EndedBy, RecordingKind};
use sha2::{Digest, Sha256};

use crate::fixture::{Folder, call, phone, sidecar};

#[test]
fn file_and_sidecar_exist_before_the_first_sample() {
    let (_keep, folder) = recordings();
    let call = call(1);
    let (writer, beside) = folder.create(sidecar(&call, 1)).expect("created");
    assert_eq!(writer.path(), format!("2026/11/22/{}.wav", writer.id()));
    let sound = folder.file(writer.path()).expect("inside");
    for file in [sound.clone(), sound.with_extension("json")] {
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(!file.to_string_lossy().contains(phone(1).digits()));
    }
    assert_eq!(fs::metadata(&sound).expect("there").len(), 44);
    assert_eq!(&read(&sound), beside.sidecar());
}

#[test]
fn the_day_is_beijings() {
    let (_keep, folder) = recordings();
    let mut late = sidecar(&call(1), 1);
    late.started_at = "2026-11-22T16:00:00Z".parse().expect("a time");
    let (writer, _) = folder.create(late).expect("created");
    assert!(writer.path().starts_with("2026/11/23/"));
}

#[test]
fn a_request_is_mono_and_a_call_has_the_caller_left() {
    let (_keep, folder) = recordings();
    let caller: Vec<u8> = (0..160).map(|at| alaw_encode(at * 100)).collect();
    let system: Vec<u8> = (0..160).map(|at| alaw_encode(-at * 50)).collect();
    for kind in RecordingKind::ALL.iter().copied() {
        let mut beside = sidecar(&call(1), 1);
        beside.kind = kind;
        beside.recording = sidecar(&call(kind as u32), kind as u32).recording;
        let (mut writer, _) = folder.create(beside).expect("created");
        let sound = folder.file(writer.path()).expect("inside");
        for _ in 0..50 {
            writer.append(&caller, &system).expect("written");
        }
        assert_eq!(writer.duration_ms(), 1_000);
        let finished = writer.finish(EndedBy::Key).expect("finished");
        let mut reader = hound::WavReader::open(&sound).expect("a sound file");
        let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("samples");
        let expected: Vec<i16> = match kind {
            RecordingKind::Request | RecordingKind::Reason | RecordingKind::Early => {
                caller.iter().map(|octet| alaw_decode(*octet)).collect()
            }
            RecordingKind::Call => caller
                .iter()
                .zip(&system)
                .flat_map(|(caller, system)| [alaw_decode(*caller), alaw_decode(*system)])
                .collect(),
        };
        assert_eq!(samples, expected.repeat(50));
        let bytes = fs::read(&sound).expect("there");
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = FinishedRecording {
            id: finished.id,
            duration_ms: 1_000,
            sha256,
            bytes: bytes.len() as u64,
            ended_by: EndedBy::Key,
            damaged: false,
            peaks: finished.peaks.clone(),
        };
        assert_eq!(finished, expected);
        let peaks = finished.peaks.expect("an outline");
        assert_eq!(
            peaks.channels.iter().map(Vec::len).collect::<Vec<_>>(),
            vec![100; usize::from(reader.spec().channels)]
        );
        assert_eq!(
            peaks.channels[0][..2],
            [7_900, 15_900].map(|loudest| (alaw_decode(alaw_encode(loudest)) >> 7) as u8)
        );
    }
}

#[test]
fn what_was_flushed_can_be_played_though_nothing_was_finished() {
    let (_keep, folder) = recordings();
    let (mut writer, _) = folder.create(sidecar(&call(1), 1)).expect("created");
    let sound = folder.file(writer.path()).expect("inside");
    writer.append(&[0xD5; 4_000], &[]).expect("written");
    writer.flush().expect("flushed");
    writer.append(&[0xD5; 100], &[]).expect("written");
    assert_eq!(hound::WavReader::open(&sound).expect("a sound file").duration(), 4_000);
    std::mem::forget(writer);
}

#[test]
fn lost_sound_is_said_and_a_name_is_used_once() {
    let (_keep, folder) = recordings();
    let (mut writer, _) = folder.create(sidecar(&call(1), 1)).expect("created");
    let again = folder.create(sidecar(&call(1), 1)).expect_err("it is there already");
    assert!(matches!(again, RecordingError::Io { id, .. } if id == writer.id()), "{again}");
    writer.mark_damaged();
    assert!(writer.finish(EndedBy::Hangup).expect("finished").damaged);
}

#[test]
fn a_sidecar_follows_what_becomes_known() {
    let (_keep, folder) = recordings();
    let (writer, mut beside) = folder.create(sidecar(&call(1), 1)).expect("created");
    let sound = folder.file(writer.path()).expect("inside");
    beside.change_request(|request| (request.confidential, request.phone) = (true, Some(phone(9)))).expect("changed");
    let finished = writer.finish(EndedBy::Silence).expect("finished");
    beside.finish(&finished).expect("changed");
    let found = read(&sound);
    assert_eq!(&found, beside.sidecar());
    let request = found.request.expect("a request");
    assert!(request.confidential && !request.confirmed);
    assert_eq!(request.phone, Some(phone(9)));
    assert_eq!(found.outcome.expect("ended").ended_by, EndedBy::Silence);
    assert!(!format!("{:?}", beside.sidecar()).contains(phone(1).digits()), "a log may show it");
}

#[test]
fn a_path_stays_in_the_folder() {
    let (_keep, folder) = recordings();
    assert!(folder.file("2026/11/22/a.wav").is_some());
    for path in ["../a.wav", "2026/../../a.wav", "/etc/passwd", "", ".", "2026/./.."] {
        assert_eq!(folder.file(path), None, "{path}");
    }
}

fn recordings() -> (Folder, RecordingFolder) {
    let folder = Folder::new();
    let recordings = RecordingFolder::open(folder.path().join("recordings")).expect("a folder");
    (folder, recordings)
}

fn read(sound: &Path) -> Sidecar {
    serde_json::from_slice(&fs::read(sound.with_extension("json")).expect("there")).expect("a sidecar")
}
