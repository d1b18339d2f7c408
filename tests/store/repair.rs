//! Whatever a crash leaves behind becomes calls, recordings and tickets, once.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;

use chrono::TimeDelta;
use hotline::media::codec::alaw_encode;
use hotline::store::{NewCall, RecordingFolder, Repaired, Sidecar, TicketFile, TicketFilter, TicketOrder, repair};
use hotline::ticket::{Action, Actor, CallEnd, EndedBy, RecordingKind, RecordingState, RequestType, Requester};

use crate::fixture::{Fixture, NODE, call, morning, on_each_database, phone, sidecar, ticket};

on_each_database!(
    a_request_cut_off_by_a_crash_becomes_a_ticket,
    a_second_repair_finds_nothing_to_do,
    a_torn_header_and_a_torn_frame_are_mended,
    call_and_ticket_are_rebuilt_from_files_alone,
    without_its_sidecar_a_request_is_kept_confidential,
    sound_without_row_and_sidecar_is_reported_and_left,
    cancelled_and_short_requests_make_no_ticket,
    what_the_caller_said_after_the_recording_is_kept,
    a_request_recorded_in_two_parts_is_one_ticket,
    a_ticket_that_exists_gets_the_recording_it_missed,
    a_row_without_a_file_is_an_empty_recording,
    a_submit_that_failed_is_made_up_for,
    a_take_that_a_finished_call_left_out_makes_no_ticket,
    a_finished_calls_open_recording_is_settled_without_a_ticket,
    short_additions_belong_to_the_request,
    what_was_confirmed_is_a_ticket_however_short,
    another_machines_calls_are_left_alone,
    a_clean_stop_leaves_nothing_to_do,
);

async fn a_request_cut_off_by_a_crash_becomes_a_ticket(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    let beside = sidecar(&call, 1);
    let sound = crash.record(&beside, 4_000);
    fixture.store.begin_recording(&beside.new_recording(&crash.relative(&beside))).await.expect("begun");
    let repaired = crash.repair().await;
    assert_eq!((repaired.calls, repaired.recordings, repaired.tickets.len()), (1, 1, 1));
    let file = crash.only_ticket().await;
    assert_eq!(file.ticket.number, repaired.tickets[0]);
    assert_eq!(file.ticket.call, Some(call.id));
    assert_eq!((file.ticket.confirmed, file.ticket.phone.clone()), (false, Some(phone(1))));
    assert_eq!(file.ticket.created_at, call.started_at + TimeDelta::seconds(4), "the moment the sound ends");
    let audit: Vec<_> = file.audit.iter().map(|entry| (entry.at, entry.actor, entry.action)).collect();
    assert_eq!(audit, [(later(), Actor::Repair, Action::Created)]);
    let recording = &file.recordings[0];
    assert_eq!((recording.state, recording.ended_by), (RecordingState::Closed, Some(EndedBy::Crash)));
    assert_eq!((recording.duration_ms, recording.damaged), (Some(4_000), false));
    assert_eq!(recording.bytes, Some(fs::metadata(&sound).expect("there").len()));
    assert_eq!(hound::WavReader::open(&sound).expect("a sound file").duration(), 32_000);
    let closed = fixture.store.call(call.id).await.expect("read").expect("there");
    assert_eq!(closed.ended_by, Some(CallEnd::Crash));
    assert_eq!(closed.ended_at, Some(file.ticket.created_at));
}

async fn a_second_repair_finds_nothing_to_do(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    crash.record(&sidecar(&call(1), 1), 4_000);
    crash.record(&sidecar(&call(2), 2), 1_000);
    assert_eq!(crash.repair().await.calls, 2);
    assert_eq!(crash.repair().await, Repaired::default());
    crash.only_ticket().await;
}

// Not in memory: a query that is dropped half way closes its connection, and such a database goes with it.
#[tokio::test]
async fn a_repair_killed_at_any_point_is_finished_by_the_next_on_sqlite() {
    killed_at_any_point(Fixture::sqlite_file().await).await;
}

#[tokio::test]
async fn a_repair_killed_at_any_point_is_finished_by_the_next_on_postgres() {
    killed_at_any_point(Fixture::postgres().await).await;
}

async fn killed_at_any_point(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    for polls in 0..60u32 {
        let call = call(polls);
        let beside = sidecar(&call, polls);
        let sound = crash.record(&beside, 3_500);
        tear(&sound, 3);
        let mut repairing = pin!(repair(&fixture.store, &crash.folder, NODE, later()));
        let mut left = polls;
        // stops after so many polls, wherever it is then
        std::future::poll_fn(|context| {
            left = left.saturating_sub(1);
            match repairing.as_mut().poll(context) {
                Poll::Pending if left > 0 => Poll::Pending,
                _ => Poll::Ready(()),
            }
        })
        .await;
    }
    crash.repair().await;
    assert_eq!(crash.repair().await, Repaired::default());
    let page = fixture.store.tickets(&TicketFilter::default(), TicketOrder::Created, 200, None).await.expect("a page");
    assert_eq!(page.items.len(), 60);
    let mut calls: Vec<_> = page.items.iter().map(|item| item.ticket.call).collect();
    calls.dedup();
    assert_eq!(calls.len(), 60);
    assert!(page.items.iter().all(|item| item.recordings.len() == 1));
}

async fn a_torn_header_and_a_torn_frame_are_mended(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let torn_frame = crash.record(&sidecar(&call(1), 1), 4_000);
    tear(&torn_frame, 1);
    let mut whole = sidecar(&call(2), 2);
    (whole.kind, whole.request) = (RecordingKind::Call, None);
    let torn_pair = crash.record(&whole, 4_000);
    tear(&torn_pair, 3);
    let garbled = crash.record(&sidecar(&call(3), 3), 4_000);
    let mut bytes = fs::read(&garbled).expect("there");
    bytes[..44].fill(0);
    fs::write(&garbled, bytes).expect("written");
    let headless = crash.record(&sidecar(&call(4), 4), 4_000);
    fs::write(&headless, b"RIFF").expect("written");
    crash.repair().await;
    for (sound, samples) in [(torn_frame, 31_999), (torn_pair, 31_999), (garbled, 32_000), (headless, 0)] {
        assert_eq!(hound::WavReader::open(&sound).expect("a sound file").duration(), samples);
    }
    let damaged = fixture.store.recording(sidecar(&call(4), 4).recording).await.expect("read").expect("there");
    assert!(damaged.damaged && damaged.duration_ms == Some(0));
    let page = fixture.store.tickets(&TicketFilter::default(), TicketOrder::Created, 10, None).await.expect("a page");
    assert_eq!(page.items.len(), 2, "the call's recording and the empty one are no requests");
}

async fn call_and_ticket_are_rebuilt_from_files_alone(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = call(1);
    let mut beside = sidecar(&call, 1);
    let request = beside.request.as_mut().expect("a request");
    (request.requester, request.request_type, request.confidential) =
        (Requester::Enterprise, Some(RequestType::Report), true);
    request.other_phone = Some(phone(9));
    crash.record(&beside, 4_000);
    crash.repair().await;
    let file = crash.only_ticket().await;
    assert_eq!((file.ticket.city, file.ticket.line.as_deref()), (call.city, Some("12345")));
    assert_eq!((file.ticket.requester, file.ticket.request_type), (Requester::Enterprise, Some(RequestType::Report)));
    assert_eq!(file.ticket.other_phone, Some(phone(9)));
    assert!(file.ticket.confidential);
    let found = fixture.store.call(call.id).await.expect("read").expect("there");
    assert_eq!((found.phone, found.sip_call_id), (call.phone, call.sip_call_id));
    assert_eq!((found.started_at, found.answered_at), (call.started_at, call.answered_at));
}

async fn without_its_sidecar_a_request_is_kept_confidential(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    let beside = sidecar(&call, 1);
    let sound = crash.record(&beside, 4_000);
    fixture.store.begin_recording(&beside.new_recording(&crash.relative(&beside))).await.expect("begun");
    fs::write(sound.with_extension("json"), "{ torn").expect("written");
    crash.repair().await;
    let file = crash.only_ticket().await;
    assert!(file.ticket.confidential && !file.ticket.confirmed);
    assert_eq!((file.ticket.phone, file.ticket.request_type), (Some(phone(1)), None));
}

async fn sound_without_row_and_sidecar_is_reported_and_left(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let sound = crash.record(&sidecar(&call(1), 1), 4_000);
    fs::remove_file(sound.with_extension("json")).expect("removed");
    let bytes = fs::read(&sound).expect("there");
    assert_eq!(crash.repair().await, Repaired { orphans: vec![sound.clone()], ..Repaired::default() });
    assert_eq!(fs::read(&sound).expect("there"), bytes);
}

async fn cancelled_and_short_requests_make_no_ticket(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let mut cancelled = sidecar(&call(1), 1);
    cancelled.request.as_mut().expect("a request").discarded = true;
    crash.record(&cancelled, 4_000);
    crash.record(&sidecar(&call(2), 2), 2_900);
    let quiet = sidecar(&call(3), 3);
    let (mut writer, _) = crash.folder.create(quiet).expect("created");
    writer.append(&[0xD5; 80_000], &[]).expect("written");
    writer.flush().expect("flushed");
    let repaired = crash.repair().await;
    assert_eq!((repaired.calls, repaired.recordings, repaired.tickets.len()), (3, 3, 0));
    let kept = fixture.store.recordings_of_call(call(1).id).await.expect("read");
    assert_eq!((kept.len(), kept[0].ticket), (1, None));
}

async fn what_the_caller_said_after_the_recording_is_kept(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let (mut writer, mut beside) = crash.folder.create(sidecar(&call(1), 1)).expect("created");
    writer.append(&speech(4_000), &[]).expect("written");
    let finished = writer.finish(EndedBy::Key).expect("finished");
    beside.finish(&finished).expect("changed");
    beside.change_request(|request| (request.confirmed, request.phone) = (true, Some(phone(9)))).expect("changed");
    crash.repair().await;
    let file = crash.only_ticket().await;
    assert!(file.ticket.confirmed);
    assert_eq!(file.ticket.phone, Some(phone(9)));
    assert_eq!(file.recordings[0].ended_by, Some(EndedBy::Key), "it was whole");
    assert_eq!(file.recordings[0].sha256, Some(finished.sha256));
}

async fn a_request_recorded_in_two_parts_is_one_ticket(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = call(1);
    let mut first = sidecar(&call, 1);
    first.request.as_mut().expect("a request").discarded = true;
    crash.record(&first, 4_000);
    crash.record(&sidecar(&call, 2), 4_000);
    crash.record(&sidecar(&call, 3), 5_000);
    let mut whole = sidecar(&call, 4);
    (whole.kind, whole.request) = (RecordingKind::Call, None);
    crash.record(&whole, 20_000);
    crash.repair().await;
    let file = crash.only_ticket().await;
    let expected = [2, 3, 4].map(|number| sidecar(&call, number).recording);
    assert_eq!(file.recordings.iter().map(|recording| recording.id).collect::<Vec<_>>(), expected);
}

async fn a_ticket_that_exists_gets_the_recording_it_missed(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    let number = fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted").number;
    crash.record(&sidecar(&call, 1), 4_000);
    let repaired = crash.repair().await;
    assert_eq!((repaired.recordings, repaired.tickets.len()), (1, 0));
    let file = crash.only_ticket().await;
    assert_eq!((file.ticket.number, file.ticket.confirmed, file.recordings.len()), (number, true, 1));
}

async fn a_row_without_a_file_is_an_empty_recording(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let (call, recording) = fixture.recorded_call(1).await;
    let repaired = crash.repair().await;
    assert_eq!((repaired.calls, repaired.recordings), (1, 1));
    let found = fixture.store.recording(recording).await.expect("read").expect("there");
    assert_eq!((found.state, found.damaged, found.bytes), (RecordingState::Closed, true, Some(0)));
    let closed = fixture.store.call(call.id).await.expect("read").expect("there");
    assert_eq!(closed.ended_at, Some(call.started_at));
}

async fn a_submit_that_failed_is_made_up_for(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    crash.finished_take(&fixture.call(1).await).await;
    assert_eq!(crash.repair().await.tickets.len(), 1);
    crash.only_ticket().await;
}

async fn a_take_that_a_finished_call_left_out_makes_no_ticket(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    crash.finished_take(&call).await;
    close(&fixture, &call).await;
    assert_eq!(crash.repair().await, Repaired::default());
}

async fn a_finished_calls_open_recording_is_settled_without_a_ticket(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    let beside = sidecar(&call, 1);
    crash.record(&beside, 4_000);
    fixture.store.begin_recording(&beside.new_recording(&crash.relative(&beside))).await.expect("begun");
    close(&fixture, &call).await;
    assert_eq!(crash.repair().await, Repaired { recordings: 1, ..Repaired::default() });
    let settled = fixture.store.recording(beside.recording).await.expect("read").expect("there");
    assert_eq!((settled.state, settled.duration_ms), (RecordingState::Closed, Some(4_000)));
}

async fn short_additions_belong_to_the_request(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = call(1);
    crash.record(&sidecar(&call, 1), 4_000);
    crash.record(&sidecar(&call, 2), 1_200);
    let mut recorded_again = sidecar(&call, 3);
    recorded_again.request.as_mut().expect("a request").discarded = true;
    crash.record(&recorded_again, 1_200);
    crash.repair().await;
    let file = crash.only_ticket().await;
    let expected = [1, 2].map(|number| sidecar(&call, number).recording);
    assert_eq!(file.recordings.iter().map(|recording| recording.id).collect::<Vec<_>>(), expected);
}

async fn what_was_confirmed_is_a_ticket_however_short(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = call(1);
    let mut confirmed = sidecar(&call, 1);
    confirmed.request.as_mut().expect("a request").confirmed = true;
    crash.record(&confirmed, 2_000);
    crash.record(&sidecar(&call, 2), 1_000);
    crash.repair().await;
    let file = crash.only_ticket().await;
    assert_eq!((file.ticket.confirmed, file.recordings.len()), (true, 2));
}

async fn another_machines_calls_are_left_alone(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let other = NewCall { node: "lhasa-2".to_owned(), ..call(1) };
    fixture.store.insert_call(&other).await.expect("inserted");
    let beside = sidecar(&other, 1);
    fixture.store.begin_recording(&beside.new_recording("2026/11/22/1.wav")).await.expect("begun");
    assert_eq!(crash.repair().await, Repaired::default());
    assert_eq!(fixture.store.call(other.id).await.expect("read").expect("there").ended_at, None);
}

async fn a_clean_stop_leaves_nothing_to_do(fixture: Fixture) {
    let crash = Crash::of(&fixture);
    let call = fixture.call(1).await;
    let beside = sidecar(&call, 1);
    let (mut writer, _) = crash.folder.create(beside.clone()).expect("created");
    fixture.store.begin_recording(&beside.new_recording(writer.path())).await.expect("begun");
    writer.append(&speech(4_000), &[]).expect("written");
    let finished = writer.finish(EndedBy::Key).expect("finished");
    fixture.store.finish_recording(&finished).await.expect("finished");
    let mut new = ticket(&call);
    new.recordings = vec![beside.recording];
    fixture.store.submit_ticket(&new, morning()).await.expect("submitted");
    close(&fixture, &call).await;
    assert_eq!(crash.repair().await, Repaired::default());
}

/// A machine's recordings, and what its last run left there.
struct Crash<'a> {
    fixture: &'a Fixture,
    folder: RecordingFolder,
}

impl<'a> Crash<'a> {
    fn of(fixture: &'a Fixture) -> Crash<'a> {
        let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
        Crash { fixture, folder }
    }

    /// Speaks for so long, then dies without finishing anything.
    fn record(&self, beside: &Sidecar, ms: usize) -> PathBuf {
        let (mut writer, _) = self.folder.create(beside.clone()).expect("created");
        writer.append(&speech(ms), &speech(ms)).expect("written");
        writer.flush().expect("flushed");
        let sound = self.folder.file(writer.path()).expect("inside");
        std::mem::forget(writer);
        sound
    }

    /// A take that is whole, on disk and in the database; its call has no ticket yet.
    async fn finished_take(&self, call: &NewCall) {
        let beside = sidecar(call, 1);
        let (mut writer, _) = self.folder.create(beside.clone()).expect("created");
        writer.append(&speech(4_000), &[]).expect("written");
        self.fixture.store.begin_recording(&beside.new_recording(writer.path())).await.expect("begun");
        let finished = writer.finish(EndedBy::Key).expect("finished");
        self.fixture.store.finish_recording(&finished).await.expect("finished");
    }

    fn relative(&self, beside: &Sidecar) -> String {
        format!("2026/11/22/{}.wav", beside.recording)
    }

    async fn repair(&self) -> Repaired {
        let repaired = repair(&self.fixture.store, &self.folder, NODE, later()).await.expect("repaired");
        assert_eq!(repaired.failed, []);
        repaired
    }

    async fn only_ticket(&self) -> TicketFile {
        let page =
            self.fixture.store.tickets(&TicketFilter::default(), TicketOrder::Created, 10, None).await.expect("a page");
        assert_eq!(page.items.len(), 1);
        self.fixture.store.ticket(page.items[0].ticket.number).await.expect("read").expect("there")
    }
}

async fn close(fixture: &Fixture, call: &NewCall) {
    let end = hotline::store::EndedCall {
        id: call.id,
        answered_at: None,
        language: None,
        ended_at: morning() + TimeDelta::minutes(2),
        ended_by: CallEnd::Caller,
    };
    assert_eq!(fixture.store.close_call(&end).await, Ok(true));
}

fn later() -> chrono::DateTime<chrono::Utc> {
    morning() + TimeDelta::hours(1)
}

fn speech(ms: usize) -> Vec<u8> {
    (0..ms * 8).map(|at| alaw_encode((4_000.0 * (at as f64 * 0.5).sin()) as i16)).collect()
}

fn tear(sound: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(sound).expect("there");
    let length = file.metadata().expect("there").len();
    file.set_len(length - bytes).expect("torn");
}
