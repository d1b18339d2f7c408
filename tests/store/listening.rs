//! Recordings: found by what they are, heard by whom they are for, drawn, and gone when their time is over.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::city::City;
use hotline::clock::{Clock, Mono, Now, Steady};
use hotline::language::Language;
use hotline::media::codec::alaw_encode;
use hotline::store::{
    By, EndedCall, FinishedRecording, Held, NewTicket, Outlook, Recording, RecordingFilter, RecordingFolder,
    RecordingsChecked, Whose, peaks_of,
};
use hotline::ticket::{
    Action, CallEnd, Direction, EndedBy, Number, RecordingId, RecordingKind, RecordingState, RequestType,
};
use hotline::work::recordings::{Expiry, Gone};

use crate::fixture::{Fixture, NODE, call, morning, on_each_database, phone, recording, sidecar, ticket};
use crate::life::{command, dispatch, does};

on_each_database!(
    what_is_asked_for_is_found_and_nothing_else,
    a_recording_follows_its_ticket,
    a_waveform_is_kept_with_its_recording,
    what_is_old_goes_unless_it_is_held,
    a_hold_covers_all_that_is_merged_with_its_ticket,
    what_was_marked_before_it_was_held_keeps_its_file,
    nothing_goes_by_a_clock_that_was_just_set,
    a_deletion_that_was_cut_off_is_taken_up,
    files_and_rows_are_held_against_each_other,
);

/// Forty calls of two cities, each with a recording, most with a ticket.
async fn forty(fixture: &Fixture) -> Vec<Recording> {
    let mut ids = Vec::new();
    for number in 0..40u32 {
        let mut call = call(number);
        call.city = if number % 3 == 0 { City::Ngari } else { City::Lhasa };
        call.phone = (number % 7 != 0).then(|| phone(number % 4));
        call.language = [None, Some(Language::Bo), Some(Language::Zh)][number as usize % 3];
        call.direction = if number % 5 == 0 { Direction::Outbound } else { Direction::Inbound };
        fixture.store.insert_call(&call).await.expect("inserted");
        let mut new = recording(&call, number);
        new.kind = RecordingKind::ALL[number as usize % RecordingKind::ALL.len()];
        fixture.store.begin_recording(&new).await.expect("begun");
        if number % 6 != 0 {
            let mut new = ticket(&call);
            new.confidential = number % 4 == 0;
            new.request_type = Some(if number % 10 == 3 { RequestType::Report } else { RequestType::Help });
            fixture.store.submit_ticket(&new, call.started_at).await.expect("submitted");
        }
        if number % 9 != 8 {
            let finished = finished(new.id, u64::from(number * number) * 600 + 1);
            fixture.store.finish_recording(&finished).await.expect("finished");
        }
        ids.push(new.id);
    }
    let mut all = Vec::new();
    for id in ids {
        all.push(fixture.store.recording(id).await.expect("read").expect("there"));
    }
    all
}

fn finished(id: RecordingId, duration_ms: u64) -> FinishedRecording {
    FinishedRecording {
        id,
        duration_ms,
        sha256: "ab".to_owned(),
        bytes: 44 + duration_ms * 16,
        ended_by: EndedBy::Key,
        damaged: false,
        peaks: None,
    }
}

/// All pages of three.
async fn found(fixture: &Fixture, filter: &RecordingFilter, whose: &Whose) -> Vec<RecordingId> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = fixture.store.search_recordings(filter, whose, 3, cursor.as_ref()).await.expect("read");
        found.extend(page.items.iter().map(|recording| recording.id));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

async fn what_is_asked_for_is_found_and_nothing_else(fixture: Fixture) {
    let mut all = forty(&fixture).await;
    all.sort_by_key(|recording| std::cmp::Reverse((recording.started_at, recording.id.to_string())));
    let mut shielded = Vec::new();
    for recording in &all {
        let ticket = fixture.store.ticket_of_recording(recording).await.expect("read");
        shielded.extend(ticket.filter(|ticket| ticket.is_shielded()).map(|_| recording.id));
    }
    assert!(shielded.len() > 5 && shielded.len() < 30);
    let none = RecordingFilter::default;
    let later = morning() + TimeDelta::seconds(20);
    let owner = all.iter().find_map(|recording| recording.owner);
    type Check = Box<dyn Fn(&Recording) -> bool>;
    let asked: Vec<(RecordingFilter, Check)> = vec![
        (none(), Box::new(|_| true)),
        (RecordingFilter { from: Some(later), ..none() }, Box::new(move |one| one.started_at >= later)),
        (RecordingFilter { to: Some(later), ..none() }, Box::new(move |one| one.started_at < later)),
        (RecordingFilter { ticket: owner, ..none() }, Box::new(move |one| one.owner == owner)),
        (RecordingFilter { phone: Some(phone(2)), ..none() }, Box::new(|one| one.phone == Some(phone(2)))),
        (
            RecordingFilter { phone_end: Some("0003".to_owned()), ..none() },
            Box::new(|one| one.phone.as_ref().is_some_and(|phone| phone.last_four() == "0003")),
        ),
        (
            RecordingFilter { language: Some(Language::Bo), ..none() },
            Box::new(|one| one.language == Some(Language::Bo)),
        ),
        (
            RecordingFilter { direction: Some(Direction::Outbound), ..none() },
            Box::new(|one| one.direction == Direction::Outbound),
        ),
        (
            RecordingFilter { kind: Some(RecordingKind::Call), ..none() },
            Box::new(|one| one.kind == RecordingKind::Call),
        ),
        (
            RecordingFilter { min_ms: Some(20_000), max_ms: Some(400_000), ..none() },
            Box::new(|one| one.duration_ms.is_some_and(|ms| (20_000..=400_000).contains(&ms))),
        ),
        (
            RecordingFilter { min_ms: Some(400_000), kind: Some(RecordingKind::Reason), ..none() },
            Box::new(|one| one.kind == RecordingKind::Reason && one.duration_ms.is_some_and(|ms| ms >= 400_000)),
        ),
        (RecordingFilter { answered: true, ..none() }, Box::new(|one| one.answered)),
        (RecordingFilter { satisfaction: vec![1, 2], ..none() }, Box::new(|one| one.satisfaction.is_some())),
    ];
    for (filter, fits) in asked {
        for cities in [None, Some(vec![City::Ngari]), Some(vec![City::Lhasa, City::Ngari]), Some(Vec::new())] {
            for named in [true, false] {
                let whose = Whose { cities: cities.clone(), unit: None, shielded: named };
                let expected: Vec<RecordingId> = all
                    .iter()
                    .filter(|one| fits(one) && cities.as_ref().is_none_or(|cities| cities.contains(&one.city)))
                    .filter(|one| named || !shielded.contains(&one.id))
                    .map(|one| one.id)
                    .collect();
                assert_eq!(found(&fixture, &filter, &whose).await, expected, "{filter:?} {whose:?}");
            }
        }
    }
}

async fn a_recording_follows_its_ticket(fixture: Fixture) {
    let (store, now) = (&fixture.store, morning());
    let (call, id) = fixture.recorded_call(1).await;
    let before = store.recording(id).await.expect("read").expect("there");
    assert_eq!((before.owner, before.city, before.phone), (None, City::Lhasa, Some(phone(1))));
    let mut late = recording(&call, 2);
    late.kind = RecordingKind::Call;
    let number = store.submit_ticket(&ticket(&call), now).await.expect("submitted").number;
    store.begin_recording(&late).await.expect("begun");
    let end = EndedCall {
        id: call.id,
        answered_at: None,
        language: Some(Language::Bo),
        ended_at: now,
        ended_by: CallEnd::Caller,
    };
    assert!(store.close_call(&end).await.expect("closed"));
    for id in [id, late.id] {
        let after = store.recording(id).await.expect("read").expect("there");
        assert_eq!((after.owner, after.language), (Some(number), Some(Language::Bo)));
    }
    let unit = |code: &str| Whose { unit: code.parse().ok(), ..Whose::default() };
    let of = async |whose: &Whose| found(&fixture, &RecordingFilter::default(), whose).await.len();
    assert_eq!(of(&unit("lhasa-housing")).await, 0, "not dispatched yet");
    crate::life::classified(store, number, "路灯不亮", "0105", "江苏路3号", now).await;
    let shield = |confidential: bool| command(serde_json::json!({ "command": "edit", "confidential": confidential }));
    does(store, number, shield(true), now).await;
    assert_eq!((of(&Whose::default()).await, of(&Whose { shielded: true, ..Whose::default() }).await), (0, 2));
    does(store, number, shield(false), now).await;
    does(store, number, dispatch(), now).await;
    let file = store.ticket(number).await.expect("read").expect("there");
    let lead = file.ticket.handling.lead.expect("a unit").to_string();
    assert_eq!((of(&unit(&lead)).await, of(&unit("lhasa-water")).await), (2, 0));
    for step in [
        serde_json::json!({ "command": "sign" }),
        serde_json::json!({ "command": "record_contact", "told": "5 days" }),
        serde_json::json!({ "command": "reply", "text": "repaired" }),
        serde_json::json!({ "command": "pass" }),
        serde_json::json!({ "command": "visited", "means": "person", "solved": "no", "satisfaction": 1 }),
    ] {
        does(store, number, command(step), now).await;
    }
    let dissatisfied = RecordingFilter { satisfaction: vec![1, 2], ..RecordingFilter::default() };
    assert_eq!(found(&fixture, &dissatisfied, &Whose::default()).await.len(), 2);
}

async fn a_waveform_is_kept_with_its_recording(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let call = fixture.call(1).await;
    let (mut writer, _) = folder.create(sidecar(&call, 1)).expect("created");
    let new = sidecar(&call, 1).new_recording(writer.path());
    fixture.store.begin_recording(&new).await.expect("begun");
    for at in 0..100i16 {
        let loud = alaw_encode(if at < 50 { 8_000 } else { 0 });
        writer.append(&[loud; 160], &[]).expect("written");
    }
    let finished = writer.finish(EndedBy::Key).expect("finished");
    let of_the_file = peaks_of(&folder.file(&new.path).expect("inside"), 1).expect("read");
    assert_eq!(finished.peaks.as_ref(), Some(&of_the_file), "one pass or a second look");
    assert!(fixture.store.finish_recording(&finished).await.expect("kept"));
    let row = fixture.store.recording(new.id).await.expect("read").expect("there");
    assert_eq!(fixture.store.peaks(&row).await.expect("read"), Some(of_the_file.clone()));
    assert_eq!((row.loud_ms, row.is_short(), row.is_silent()), (Some(1_000), true, false));
    let (_, other) = fixture.recorded_call(2).await;
    fixture.store.finish_recording(&FinishedRecording { peaks: None, ..finished }).await.expect("closed already");
    let row = fixture.store.recording(other).await.expect("read").expect("there");
    assert_eq!(fixture.store.peaks(&row).await.expect("read"), None);
    for _ in 0..2 {
        fixture.store.keep_peaks(other, &of_the_file).await.expect("kept");
    }
    assert_eq!(fixture.store.peaks(&row).await.expect("read").map(|peaks| peaks.channels), Some(of_the_file.channels));
}

/// A closed recording of a ticket with its files.
pub async fn kept(fixture: &Fixture, folder: &RecordingFolder, number: u32) -> (Number, RecordingId) {
    let call = fixture.call(number).await;
    let (mut writer, _) = folder.create(sidecar(&call, number)).expect("created");
    let new = sidecar(&call, number).new_recording(writer.path());
    fixture.store.begin_recording(&new).await.expect("begun");
    writer.append(&[0xD5; 1_600], &[]).expect("written");
    let finished = writer.finish(EndedBy::Key).expect("finished");
    assert!(fixture.store.finish_recording(&finished).await.expect("kept"));
    let of_call = NewTicket { recordings: vec![new.id], ..ticket(&call) };
    let submitted = fixture.store.submit_ticket(&of_call, call.started_at).await.expect("submitted");
    (submitted.number, new.id)
}

pub fn expiry(fixture: &Fixture, folder: &RecordingFolder) -> Expiry {
    let clock = Clock::start();
    Expiry { store: fixture.store.clone(), folder: folder.clone(), node: NODE.to_owned(), days: 1_096, clock }
}

async fn row(fixture: &Fixture, id: RecordingId) -> Recording {
    fixture.store.recording(id).await.expect("read").expect("there")
}

pub fn years_later() -> DateTime<Utc> {
    morning() + TimeDelta::days(1_097)
}

async fn what_is_old_goes_unless_it_is_held(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let ((held, kept_id), (number, gone_id)) = (kept(&fixture, &folder, 1).await, kept(&fixture, &folder, 2).await);
    let (_, open) = fixture.recorded_call(3).await;
    let (by, now) = (By::OPERATOR, years_later());
    assert_eq!(fixture.store.hold(held, "诉讼", &by, now).await, Ok(Held::Done));
    assert_eq!(fixture.store.hold(held, "诉讼", &by, now).await, Ok(Held::Already));
    assert_eq!(
        fixture.store.hold("426112201378".parse().expect("a number"), "诉讼", &by, now).await,
        Ok(Held::Unknown)
    );
    let soon = fixture.store.recordings_outlook(now).await.expect("counted");
    assert_eq!(soon.get(&City::Lhasa), Some(&Outlook { due: 1, held: 1 }), "{soon:?}");
    let none = fixture.store.recordings_outlook(morning() - TimeDelta::days(1)).await.expect("counted");
    assert_eq!(none.get(&City::Lhasa), Some(&Outlook { due: 0, held: 1 }), "{none:?}");
    let expiry = expiry(&fixture, &folder);
    let early = expiry.look(now - TimeDelta::days(2)).await.expect("looked");
    assert_eq!(early, Gone::default());
    assert_eq!(expiry.look(now).await.expect("looked"), Gone { marked: 1, erased: 1 });
    assert_eq!(expiry.look(now).await.expect("looked"), Gone::default());
    let files = |row: &Recording| {
        let sound = folder.file(&row.path).expect("inside");
        (sound.exists(), sound.with_extension("json").exists())
    };
    let (stays, goes) = (row(&fixture, kept_id).await, row(&fixture, gone_id).await);
    assert_eq!((stays.deleted_at, files(&stays)), (None, (true, true)));
    assert_eq!((goes.deleted_at, files(&goes)), (Some(now), (false, false)));
    assert_eq!(fixture.store.peaks(&goes).await, Ok(None));
    assert_eq!(row(&fixture, open).await.state, RecordingState::Open, "what is open is not touched");
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert!(file.recordings[0].deleted_at.is_some());
    let told = file.audit.last().expect("an entry");
    assert_eq!((told.action, told.changes[0].was.clone()), (Action::Erased, Some(gone_id.to_string())));

    let page = fixture.store.legal_holds(Some(&[City::Lhasa]), true, 10, None).await.expect("read");
    assert_eq!(page.items.iter().map(|hold| hold.ticket).collect::<Vec<_>>(), [held]);
    assert!(fixture.store.legal_holds(Some(&[City::Ngari]), true, 10, None).await.expect("read").items.is_empty());
    assert_eq!(fixture.store.release(held, "结案", &by, now).await, Ok(Held::Done));
    assert_eq!(fixture.store.release(held, "结案", &by, now).await, Ok(Held::Already));
    let audit = fixture.store.ticket(held).await.expect("read").expect("there").audit;
    let told: Vec<_> = audit.iter().map(|entry| (entry.action, entry.reason.as_deref())).collect();
    assert_eq!(told[1..], [(Action::Held, Some("诉讼")), (Action::Released, Some("结案"))]);
    assert_eq!(expiry.look(now).await.expect("looked"), Gone { marked: 1, erased: 1 });
}

async fn a_hold_covers_all_that_is_merged_with_its_ticket(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let mut tickets = Vec::new();
    for number in 1..=4 {
        tickets.push(kept(&fixture, &folder, number).await);
    }
    let [(lead, of_lead), (one, of_one), (other, of_other), (_, alone)] = tickets[..] else { panic!("four tickets") };
    for follower in [one, other] {
        let merge = command(serde_json::json!({ "command": "merge", "into": lead }));
        does(&fixture.store, follower, merge, morning()).await;
    }
    let (by, now) = (By::OPERATOR, years_later());
    // marked by a look that was cut off: a hold on one keeps the files of all
    assert_eq!(fixture.store.expire_recordings(now - TimeDelta::days(1_096), now).await, Ok(4));
    assert_eq!(fixture.store.hold(one, "诉讼", &by, now).await, Ok(Held::Done));
    let expiry = expiry(&fixture, &folder);
    assert_eq!(expiry.look(now).await.expect("looked"), Gone { marked: 0, erased: 1 });
    let gone = async |id| row(&fixture, id).await.deleted_at.is_some();
    assert!(gone(alone).await && !gone(of_lead).await && !gone(of_one).await && !gone(of_other).await);
    for ticket in [lead, one, other] {
        let hold = fixture.store.legal_hold(ticket).await.expect("read").expect("held");
        assert_eq!((hold.ticket, hold.reason.as_str()), (one, "诉讼"), "of {ticket}");
    }
    // held twice, by a follower and by the lead: one that is let go leaves the other
    assert_eq!(fixture.store.hold(lead, "信访", &by, now).await, Ok(Held::Done));
    assert_eq!(fixture.store.legal_hold(lead).await.expect("read").map(|hold| hold.ticket), Some(lead));
    assert_eq!(fixture.store.release(one, "结案", &by, now).await, Ok(Held::Done));
    assert_eq!(fixture.store.legal_hold(other).await.expect("read").map(|hold| hold.ticket), Some(lead));
    assert_eq!(expiry.look(now).await.expect("looked"), Gone::default());
    assert_eq!(fixture.store.release(lead, "结案", &by, now).await, Ok(Held::Done));
    assert_eq!(fixture.store.legal_hold(other).await, Ok(None));
    assert_eq!(expiry.look(now).await.expect("looked"), Gone { marked: 3, erased: 3 });
}

async fn what_was_marked_before_it_was_held_keeps_its_file(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let ((held, of_held), (late, of_late)) = (kept(&fixture, &folder, 1).await, kept(&fixture, &folder, 2).await);
    let (by, now) = (By::OPERATOR, years_later());
    assert_eq!(fixture.store.hold(held, "诉讼", &by, now).await, Ok(Held::Done));
    // marked by a look that did not see the hold, which was being placed
    let marked = format!("update recording set deleted_at = started_at where id = '{of_held}'");
    assert_eq!(fixture.execute(&marked).await, 1);
    // marked, then merged with what is held
    assert_eq!(fixture.store.expire_recordings(now - TimeDelta::days(1_096), now).await, Ok(1));
    assert_eq!(fixture.execute(&marked).await, 1);
    does(&fixture.store, late, command(serde_json::json!({ "command": "merge", "into": held })), morning()).await;
    assert_eq!(fixture.store.recordings_to_erase(NODE, 10).await, Ok(Vec::new()), "both are marked, and held");

    let expiry = expiry(&fixture, &folder);
    assert_eq!(expiry.look(now).await.expect("looked"), Gone::default());
    for id in [of_held, of_late] {
        let row = row(&fixture, id).await;
        assert_eq!((row.deleted_at, folder.file(&row.path).expect("inside").exists()), (None, true));
    }
    for (ticket, id) in [(held, of_held), (late, of_late)] {
        let audit = fixture.store.ticket(ticket).await.expect("read").expect("there").audit;
        let told = audit.last().expect("a line");
        assert_eq!((told.action, told.changes[0].is.clone()), (Action::Held, Some(id.to_string())), "{audit:#?}");
    }
    assert_eq!(fixture.store.release(held, "结案", &by, now).await, Ok(Held::Done));
    assert_eq!(expiry.look(now).await.expect("looked"), Gone { marked: 2, erased: 2 });
}

async fn nothing_goes_by_a_clock_that_was_just_set(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    kept(&fixture, &folder, 1).await;
    let expiry = expiry(&fixture, &folder);
    let mut steady = Steady::default();
    let at = |hours: u64, wall| Now { mono: Mono::from_micros(hours * 3_600_000_000), wall };
    let mut looks = Vec::new();
    // started with a wrong time, told the right one, then set wrong by hand
    for now in
        [at(0, years_later()), at(1, morning()), at(2, years_later()), at(3, years_later() + TimeDelta::hours(1))]
    {
        looks.push(expiry.look_by(&mut steady, now).await.expect("looked").marked);
    }
    assert_eq!(looks, [0, 0, 0, 1], "who sets a clock wrong has an hour to see it");
}

async fn a_deletion_that_was_cut_off_is_taken_up(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let now = years_later();
    let ((saved, one), (_, two)) = (kept(&fixture, &folder, 1).await, kept(&fixture, &folder, 2).await);
    // killed after the rows were marked
    assert_eq!(fixture.store.expire_recordings(now - TimeDelta::days(1_096), now).await, Ok(2));
    // somebody holds one of them before its file goes
    assert_eq!(fixture.store.hold(saved, "诉讼", &By::OPERATOR, now).await, Ok(Held::Done));
    assert_eq!(row(&fixture, one).await.deleted_at, None);
    let whole = RecordingsChecked { at: now, without_row: 0, without_file: 0 };
    let found = expiry(&fixture, &folder).check(now).await.expect("checked");
    assert_eq!(found, whole, "what is being deleted is no stranger");
    // killed after the sound was deleted
    let sound = folder.file(&row(&fixture, two).await.path).expect("inside");
    std::fs::remove_file(&sound).expect("deleted");
    assert_eq!(expiry(&fixture, &folder).look(now).await.expect("looked"), Gone { marked: 0, erased: 1 });
    assert!(!sound.with_extension("json").exists());
    assert!(folder.file(&row(&fixture, one).await.path).expect("inside").exists());
    assert_eq!(expiry(&fixture, &folder).look(now).await.expect("looked"), Gone::default());
}

async fn files_and_rows_are_held_against_each_other(fixture: Fixture) {
    let folder = RecordingFolder::open(fixture.folder.path().join("recordings")).expect("a folder");
    let expiry = expiry(&fixture, &folder);
    let tomorrow = morning() + TimeDelta::days(1);
    let whole = RecordingsChecked { at: tomorrow, without_row: 0, without_file: 0 };
    assert_eq!(expiry.check(tomorrow).await.expect("checked"), whole, "nothing there is nothing wrong");
    let (_, lost) = kept(&fixture, &folder, 1).await;
    kept(&fixture, &folder, 2).await;
    assert_eq!(expiry.check(tomorrow).await.expect("checked"), whole);
    let sound = folder.file(&row(&fixture, lost).await.path).expect("inside");
    std::fs::remove_file(&sound).expect("deleted");
    let stranger = sidecar(&call(9), 9);
    let (writer, _) = folder.create(stranger).expect("created");
    drop(writer);
    assert_eq!(expiry.check(morning()).await.expect("checked").without_row, 0, "today's are still being written");
    let found = expiry.check(tomorrow).await.expect("checked");
    assert_eq!((found.without_row, found.without_file), (1, 1));
    assert_eq!(fixture.store.recordings_checked(NODE).await, Ok(Some(found)));
}
