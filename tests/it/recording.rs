//! What was said is what is kept.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::citizen::{Citizen, MANDARIN};
use super::peer::call::Dial;
use super::peer::compare::{Match, align, assert_same_sound};
use super::peer::media::Quiet;
use super::peer::phone::Phone;
use super::peer::sdp::Offer;
use super::peer::service::{Service, book, request_recordings};
use super::peer::signal::{silence, talk};
use super::peer::time::{millis, seconds};
use super::peer::wav::Wav;

/// The sound of a ticket's first request recording, its sum and its length checked on the way.
#[track_caller]
pub fn sound_of(service: &Service, ticket: &Value) -> Vec<i16> {
    let recording = &request_recordings(ticket)[0];
    let file = service.recording(recording["id"].as_str().expect("a recording has an id"));
    let sum: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(recording["sha256"], sum.as_str());
    let sound = Wav::mono(&file).unwrap_or_else(|fault| panic!("{fault}"));
    let listed = recording["duration_ms"].as_u64().expect("a recording has a length");
    assert!(listed.abs_diff(sound.len() as u64 / 8) <= 1, "{listed} ms listed, {} samples", sound.len());
    sound
}

fn at_the_beep(dial: &Dial) -> Citizen {
    let mut citizen = Citizen::dials(Phone::udp(&book()), dial);
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    citizen
}

#[test]
fn what_was_said_is_recorded_in_either_law() {
    let service = Service::start();
    for (codec, number) in [(8, "13989002001"), (0, "13989002002")] {
        let offer = Offer { codecs: vec![codec], ..Offer::default() };
        let citizen = at_the_beep(&Dial::new(service.sip, number).offer(offer));
        let said = talk(61, 6000);
        citizen.records(&said);
        citizen.hangs_up();
        let found = assert_same_sound(&said, &sound_of(&service, &citizen.ticket(&service)), 5900);
        assert!(found.offset <= 0, "the beginning of the talk is there: {found:?}");
    }
}

#[test]
fn five_seconds_of_silence_end_a_recording() {
    let service = Service::start();
    let citizen = at_the_beep(&Dial::new(service.sip, "13989002003"));
    citizen.call.say(talk(62, 4000));
    citizen.waits_longer_for("rec.review", seconds(20));
    citizen.hangs_up();
    assert_eq!(request_recordings(&citizen.ticket(&service))[0]["ended_by"], "silence");
}

#[test]
fn a_hang_up_keeps_the_recording_to_the_last_word() {
    let service = Service::start();
    let citizen = at_the_beep(&Dial::new(service.sip, "13989002004"));
    let said = talk(63, 5000);
    citizen.call.say(said.clone());
    citizen.call.said_all(seconds(10));
    citizen.hangs_up();
    let ticket = citizen.ticket(&service);
    assert_eq!(request_recordings(&ticket)[0]["ended_by"], "hangup");
    assert_same_sound(&said, &sound_of(&service, &ticket), 4900);
}

#[test]
fn hardly_a_word_is_asked_for_again() {
    let service = Service::start();
    let citizen = at_the_beep(&Dial::new(service.sip, "13989002005"));
    citizen.call.say(talk(64, 1000));
    citizen.presses("#");
    citizen.waits_for("rec.short");
    citizen.hears_the_beep();
    citizen.call.say(talk(65, 4000));
    citizen.presses("#");
    citizen.waits_for("rec.review");
    citizen.hangs_up();
    citizen.ticket(&service);
}

#[test]
fn the_review_plays_back_what_was_said() {
    let service = Service::start();
    let citizen = at_the_beep(&Dial::new(service.sip, "13989002006"));
    let said = talk(66, 4000);
    citizen.records(&said);
    citizen.waits_for("opt.rec_submit");
    let played = citizen.call.audio().played_audio();
    let Match { correlation, overlap, .. } = align(&played[played.len() - 8 * 8000..], &said);
    assert!(correlation > 0.95 && overlap > 3500 * 8, "{correlation} over {overlap} samples");
    citizen.hangs_up();
}

/// Two talks with 2.5 s between them in which nothing arrives: the pause must be in the recording.
fn a_pause_keeps_its_length(number: &str, pause: impl Fn(&Citizen)) {
    let service = Service::start();
    let offer = Offer { comfort_noise: true, ..Offer::default() };
    let citizen = at_the_beep(&Dial::new(service.sip, number).offer(offer));
    let (before, after) = (talk(67, 3000), talk(68, 2000));
    citizen.call.say(before.clone());
    citizen.call.said_all(seconds(10));
    pause(&citizen);
    citizen.call.say(after.clone());
    citizen.call.said_all(seconds(10));
    citizen.hangs_up();
    let sound = sound_of(&service, &citizen.ticket(&service));
    let first = assert_same_sound(&before, &sound, 2900);
    let end_of_first = (before.len().cast_signed() - first.offset).cast_unsigned();
    let second = assert_same_sound(&after, &sound[end_of_first..], 1900);
    let between = -second.offset / 8;
    assert!((2400..4500).contains(&between), "{between} ms between the two, recorded {} ms", sound.len() / 8);
}

#[test]
fn silence_suppression_keeps_the_time() {
    a_pause_keeps_its_length("13989002007", |citizen| {
        citizen.call.audio().quiet(Quiet::Nothing);
        citizen.call.audio().let_pass(millis(2500));
    });
}

#[test]
fn comfort_noise_keeps_the_time() {
    a_pause_keeps_its_length("13989002008", |citizen| {
        citizen.call.audio().quiet(Quiet::ComfortNoise);
        citizen.call.audio().let_pass(millis(2500));
    });
}

#[test]
fn hold_keeps_the_time() {
    a_pause_keeps_its_length("13989002009", |citizen| {
        citizen.call.hold();
        citizen.call.audio().let_pass(millis(2500));
        citizen.call.resume();
    });
}

#[test]
fn the_whole_call_is_kept_in_stereo_from_the_notice_on() {
    let service = Service::start();
    let citizen = at_the_beep(&Dial::new(service.sip, "13989002010"));
    let said = talk(69, 4000);
    citizen.records(&said);
    citizen.hangs_up();
    let ticket = service.ticket(&citizen.number, seconds(10), |ticket| whole_call(ticket).is_some());
    let id = whole_call(&ticket).expect("waited for");
    let wav = Wav::parse(&service.recording(&id)).expect("a whole file");
    assert_eq!((wav.rate, wav.channels.len()), (8000, 2));
    assert_same_sound(&said, &wav.channels[0], 3900);
    let system = book().decode(&wav.channels[1]);
    let names: Vec<&str> = system.iter().map(|heard| super::peer::call::name(&heard.sound)).collect();
    assert!(!names.contains(&"bo/greet.hello"), "before the notice nothing is kept: {names:?}");
    assert!(names.contains(&"zh/rec.review") && names.contains(&"zh/menu.head"), "{names:?}");
    assert!(align(&silence(1000), &wav.channels[0]).correlation < 0.5);
}

fn whole_call(ticket: &Value) -> Option<String> {
    let all = ticket["recordings"].as_array()?;
    all.iter().find(|recording| recording["kind"] == "call" && recording["sha256"].is_string())?["id"]
        .as_str()
        .map(str::to_owned)
}
