//! The longest call there is, an hour: its recording opens, plays and is sought in, in a tab that stays small.

use chrono::TimeDelta;
use hotline::city::City;
use hotline::language::Language;
use hotline::media::codec::alaw_encode;
use hotline::phone::Phone;
use hotline::store::{self, EndedCall, NewCall, RecordingFolder, Sidecar, Store};
use hotline::ticket::{CallEnd, CallId, Direction, EndedBy, RecordingId, RecordingKind};

use crate::house::House;
use crate::peer::signal::talk;
use crate::peer::time::{seconds, wall};

const MINUTES: usize = 60;
/// The heap of the page's scripts, in bytes.
const LARGEST_HEAP: u64 = 100 << 20;

/// Writes the recording of a call of both sides as the recorder does.
async fn recorded(house: &House) -> RecordingId {
    let data = house.service.data();
    let store = Store::open(&store::Config::default(), &data).await.expect("a store");
    let folder = RecordingFolder::open(data.join("recordings")).expect("a folder");
    let started_at = wall() - TimeDelta::hours(2);
    let call = NewCall {
        id: CallId::new(started_at, [7; 10]),
        node: "hotline".to_owned(),
        direction: Direction::Inbound,
        sip_call_id: None,
        city: City::Chamdo,
        line: "12345".to_owned(),
        phone: Phone::parse("13989002107"),
        language: Some(Language::Bo),
        started_at,
        answered_at: Some(started_at),
    };
    store.insert_call(&call).await.expect("inserted");
    let id = RecordingId::new(started_at, [8; 10]);
    let sidecar = Sidecar {
        recording: id,
        kind: RecordingKind::Call,
        started_at,
        call: call.clone(),
        request: None,
        outcome: None,
    };
    let (mut writer, _) = folder.create(sidecar.clone()).expect("created");
    store.begin_recording(&sidecar.new_recording(writer.path())).await.expect("begun");
    let [caller, system] = [71, 72].map(|seed| {
        let minute = talk(seed, 60_000).into_iter().map(alaw_encode);
        minute.collect::<Vec<u8>>()
    });
    for _ in 0..MINUTES {
        for (caller, system) in caller.chunks(8_000).zip(system.chunks(8_000)) {
            writer.append(caller, system).expect("written");
        }
    }
    let finished = writer.finish(EndedBy::Hangup).expect("finished");
    assert!(store.finish_recording(&finished).await.expect("kept"));
    let ended_at = started_at + TimeDelta::minutes(MINUTES as i64);
    let ended = EndedCall {
        id: call.id,
        answered_at: Some(started_at),
        language: Some(Language::Bo),
        ended_at,
        ended_by: CallEnd::Caller,
    };
    assert!(store.close_call(&ended).await.expect("closed"));
    store.close().await;
    id
}

#[test]
fn a_recording_of_an_hour_plays_and_is_sought_in_and_its_tab_stays_small() {
    let house = House::new(0);
    let id = tokio::runtime::Runtime::new().expect("a runtime").block_on(recorded(&house));
    let mut browser = house.browser("supervisor");
    let before = browser.memory();
    browser.open(&format!("/recordings/{id}"));
    let ready = "return document.querySelector('[data-player][data-ready]') ? performance.now() : null";
    let ready_ms = browser.wait(ready, seconds(20));
    let playable_ms = browser.run_async(
        "const audio = document.querySelector('audio'); \
         audio.addEventListener('canplay', () => done(performance.now()), {once: true}); \
         document.querySelector('[data-do=toggle]').click(); \
         if (audio.readyState >= 3) done(performance.now());",
    );
    browser.wait("return document.querySelector('audio').currentTime > 0.3", seconds(20));
    let length = browser.run("return document.querySelector('audio').duration").as_f64().expect("seconds");
    assert!((length - MINUTES as f64 * 60.0).abs() < 1.0, "{length} s");
    browser.run("window.sought = performance.now(); document.querySelector('audio').currentTime = 59 * 60");
    let there = "const audio = document.querySelector('audio'); \
         return audio.currentTime > 59 * 60 + 0.3 && !audio.paused && !audio.seeking && performance.now() - window.sought";
    let sought_ms = browser.wait(there, seconds(20));
    assert_eq!(browser.run("return document.querySelector('audio').error"), serde_json::Value::Null);
    let after = browser.memory();
    println!(
        "{MINUTES} min: ready after {ready_ms} ms, playable after {playable_ms} ms, 0.3 s played after the seek in \
         {sought_ms} ms; heap {} KiB (before {}), renderers {:?} KiB (before {:?})",
        after.heap >> 10,
        before.heap >> 10,
        after.renderers_kib,
        before.renderers_kib
    );
    assert!(after.heap < LARGEST_HEAP, "{after:?}");
    browser.picture("recording-hour");
    browser.is_clean();
}
