//! A ticket, its history and its recordings are one.

use chrono::TimeDelta;
use hotline::city::City;
use hotline::language::Language;
use hotline::store::{FinishedRecording, StoreError};
use hotline::ticket::{
    Action, Actor, Channel, EndedBy, Handling, Heard, Matter, Number, RecordingKind, RequestType, Requester, State,
    Supervision, Ticket, Urgency,
};

use crate::fixture::{Fixture, morning, on_each_database, phone, recording, ticket};

on_each_database!(
    what_was_submitted_is_read_back,
    a_second_submit_gives_the_first_ticket,
    submits_for_one_call_at_once_make_one_ticket,
    the_recordings_are_the_citizens_then_the_calls,
    a_recording_of_another_call_is_not_linked,
    a_withheld_number_stays_none,
    an_unknown_type_stays_none,
    an_unknown_text_in_a_row_is_named,
);

async fn what_was_submitted_is_read_back(fixture: Fixture) {
    let call = fixture.call(7).await;
    let new = hotline::store::NewTicket {
        city: City::Nyingchi,
        requester: Requester::Enterprise,
        other_phone: Some(phone(8)),
        request_type: Some(RequestType::Report),
        urgency: Urgency::Urgent,
        confidential: true,
        confirmed: false,
        actor: Actor::System,
        ..ticket(&call)
    };
    let now = morning() + TimeDelta::nanoseconds(123_456_789);
    let submitted = fixture.store.submit_ticket(&new, now).await.expect("submitted");
    let file = fixture.store.ticket(submitted.number).await.expect("read").expect("there");
    let expected = Ticket {
        number: submitted.number,
        city: City::Nyingchi,
        channel: Channel::Phone,
        line: Some("12345".to_owned()),
        call: Some(call.id),
        client: None,
        created_at: morning() + TimeDelta::microseconds(123_456),
        created_day: "2026-11-22".parse().expect("a day"),
        language: Language::Bo,
        requester: Requester::Enterprise,
        name: None,
        enterprise_name: None,
        phone: Some(phone(7)),
        other_phone: Some(phone(8)),
        anonymous: false,
        confidential: true,
        request_type: Some(RequestType::Report),
        urgency: Urgency::Urgent,
        confirmed: false,
        matter: Matter::default(),
        state: State::Received,
        state_since: morning() + TimeDelta::microseconds(123_456),
        handling: Handling { round: 1, due_day: "2026-12-11".parse().ok(), ..Handling::default() },
        supervision: Supervision::default(),
        visit: Heard::default(),
        version: 1,
    };
    assert_eq!(file.ticket, expected);
    assert_eq!(submitted.created_at, expected.created_at);
    assert!(!file.ticket.numbered_ahead());
    let audit: Vec<_> = file.audit.iter().map(|entry| (entry.sequence, entry.at, entry.actor, entry.action)).collect();
    assert_eq!(audit, [(1, expected.created_at, Actor::System, Action::Created)]);
}

async fn a_second_submit_gives_the_first_ticket(fixture: Fixture) {
    let (call, request) = fixture.recorded_call(1).await;
    let first = fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted");
    let mut again = ticket(&call);
    again.recordings = vec![request];
    let second = fixture.store.submit_ticket(&again, morning() + TimeDelta::days(1)).await.expect("submitted");
    assert_eq!((second.number, second.created_at), (first.number, first.created_at));
    assert!(first.new && !second.new);
    let file = fixture.store.ticket(first.number).await.expect("read").expect("there");
    assert_eq!((file.audit.len(), file.recordings.len()), (1, 1));
}

async fn submits_for_one_call_at_once_make_one_ticket(fixture: Fixture) {
    let call = fixture.call(1).await;
    let mut submits = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, new) = (fixture.store.clone(), ticket(&call));
        submits.spawn(async move { store.submit_ticket(&new, morning()).await.expect("submitted") });
    }
    let submitted = submits.join_all().await;
    assert!(submitted.iter().all(|one| one.number == submitted[0].number));
    assert_eq!(submitted.iter().filter(|one| one.new).count(), 1);
    let next = fixture.call(2).await;
    let next = fixture.store.submit_ticket(&ticket(&next), morning()).await.expect("submitted");
    assert_eq!(next.number.sequence(), 2);
}

async fn the_recordings_are_the_citizens_then_the_calls(fixture: Fixture) {
    let call = fixture.call(1).await;
    let mut whole = recording(&call, 10);
    whole.kind = RecordingKind::Call;
    whole.channels = 2;
    let (cancelled, request) = (recording(&call, 11), recording(&call, 12));
    for recording in [&whole, &cancelled, &request] {
        fixture.store.begin_recording(recording).await.expect("begun");
    }
    let finished = FinishedRecording {
        id: request.id,
        duration_ms: 4_020,
        sha256: "ab".repeat(32),
        bytes: 64_364,
        ended_by: EndedBy::Silence,
        damaged: true,
        peaks: None,
    };
    assert!(fixture.store.finish_recording(&finished).await.expect("finished"));
    assert!(!fixture.store.finish_recording(&finished).await.expect("answered"), "it is closed already");
    let mut new = ticket(&call);
    new.recordings = vec![request.id];
    let number = fixture.store.submit_ticket(&new, morning()).await.expect("submitted").number;
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert_eq!(file.recordings.iter().map(|found| found.id).collect::<Vec<_>>(), [request.id, whole.id]);
    let found = &file.recordings[0];
    assert_eq!((found.ticket, found.duration_ms, found.ended_by), (Some(number), Some(4_020), Some(EndedBy::Silence)));
    assert_eq!((found.sha256.clone(), found.bytes, found.damaged), (Some("ab".repeat(32)), Some(64_364), true));
    assert_eq!(fixture.store.recording(request.id).await.expect("read").as_ref(), Some(found));
    assert_eq!(fixture.store.recordings_of_call(call.id).await.expect("read").len(), 3);
}

async fn a_recording_of_another_call_is_not_linked(fixture: Fixture) {
    let call = fixture.call(1).await;
    let (_, foreign) = fixture.recorded_call(2).await;
    let mut new = ticket(&call);
    new.recordings = vec![foreign];
    let number = fixture.store.submit_ticket(&new, morning()).await.expect("submitted").number;
    let file = fixture.store.ticket(number).await.expect("read").expect("there");
    assert!(file.recordings.is_empty());
}

async fn a_withheld_number_stays_none(fixture: Fixture) {
    let call = fixture.call(1).await;
    let mut new = ticket(&call);
    new.phone = None;
    let number = fixture.store.submit_ticket(&new, morning()).await.expect("submitted").number;
    assert_eq!(fixture.store.ticket(number).await.expect("read").expect("there").ticket.phone, None);
    let other = Number::new(number.city(), number.day(), 77).expect("a number");
    assert!(fixture.store.ticket(other).await.expect("read").is_none());
}

async fn an_unknown_type_stays_none(fixture: Fixture) {
    let call = fixture.call(1).await;
    let new = hotline::store::NewTicket { request_type: None, ..ticket(&call) };
    let number = fixture.store.submit_ticket(&new, morning()).await.expect("submitted").number;
    assert_eq!(fixture.store.ticket(number).await.expect("read").expect("there").ticket.request_type, None);
}

async fn an_unknown_text_in_a_row_is_named(fixture: Fixture) {
    let call = fixture.call(1).await;
    let number = fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted").number;
    fixture.execute("update ticket set state = 'teleported'").await;
    let error = fixture.store.ticket(number).await.expect_err("no such state");
    let expected = StoreError::UnknownText { column: "ticket.state", text: "teleported".to_owned() };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "ticket.state holds \"teleported\", which this version does not know");
}
