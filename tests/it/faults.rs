//! The process dies, the disk is full, the database is away: the call goes on and nothing of it is lost.

use std::io::Write;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::citizen::{Citizen, MANDARIN};
use super::peer::compare::{align, assert_same_sound};
use super::peer::dialog::Ended;
use super::peer::postgres::Postgres;
use super::peer::service::{Service, Setup, request_recordings};
use super::peer::signal::talk;
use super::peer::time::seconds;
use super::recording::sound_of;

const SEED: u64 = 12_345;
const SERVICES: u64 = 5;
const KILLS: u64 = 4;

/// Twenty times: talk, SIGKILL at a random moment, restart; at most 1 s of what was said is gone.
#[test]
fn a_killed_process_loses_at_most_a_second_of_a_recording() {
    println!("seed {SEED}");
    std::thread::scope(|scope| {
        for lane in 0..SERVICES {
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(SEED + lane);
                let mut service = Service::start();
                for kill in 0..KILLS {
                    let after_ms = random.random_range(4500..9000);
                    die_while_recording(
                        &mut service,
                        &format!("139890061{lane}{kill}"),
                        after_ms,
                        SEED + lane * 100 + kill,
                    );
                }
            });
        }
    });
}

fn die_while_recording(service: &mut Service, number: &str, after_ms: u32, seed: u64) {
    let mut citizen = Citizen::calls(service, number);
    citizen.chooses(MANDARIN);
    citizen.reports('3');
    let said = talk(seed, after_ms);
    citizen.call.say(said.clone());
    citizen.call.said_all(seconds(20));
    service.kill();
    citizen.call.abandon();
    service.begin();
    let ticket = service.ticket(number, seconds(15), |_| true);
    assert_eq!(ticket["confirmed"], false, "killed after {after_ms} ms, seed {seed}");
    assert_eq!(request_recordings(&ticket)[0]["ended_by"], "crash");
    let sound = sound_of(service, &ticket);
    let found = align(&said, &sound);
    let kept = found.overlap / 8;
    assert!(
        found.correlation > 0.99 && kept + 1000 >= after_ms as usize,
        "killed after {after_ms} ms, seed {seed}: {found:?}, {kept} ms kept"
    );
}

#[test]
fn a_full_disk_costs_sound_but_not_the_request() {
    let service = Setup { disk_kib: Some(4096), ..Setup::default() }.start();
    let mut citizen = Citizen::calls(&service, "13989006201");
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    let said = talk(SEED + 1, 4000);
    citizen.call.say(said.clone());
    citizen.call.said_all(seconds(10));
    let filler = service.data().join("filler");
    fill(&filler);
    citizen.records(&talk(SEED + 2, 3000));
    citizen.submits_whatever_comes();
    std::fs::remove_file(filler).expect("there is room again");
    let ticket = citizen.ticket(&service);
    assert_eq!(ticket["confirmed"], true);
    let recording = &request_recordings(&ticket)[0];
    assert_eq!(recording["damaged"], true, "{recording:#}");
    assert_same_sound(&said, &sound_of(&service, &ticket), 2900);
    assert!(!service.log().contains("panicked"), "{}", service.log());
    Citizen::calls(&service, "13989006202").hangs_up();
}

/// Takes every free block.
fn fill(path: &std::path::Path) {
    let mut file = std::fs::File::create(path).expect("the folder can be written");
    while file.write_all(&[0; 4096]).is_ok() {}
}

#[test]
fn a_database_that_is_away_during_a_call_gets_the_ticket_afterwards() {
    let mut postgres = Postgres::start();
    let service = Setup::default().config(&format!("[store]\nurl = {:?}", postgres.url())).start();
    let mut citizen = Citizen::calls(&service, "13989006203");
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    let said = talk(SEED + 3, 5000);
    citizen.call.say(said[..16_000].to_vec());
    citizen.call.said_all(seconds(10));
    postgres.stop();
    citizen.records(&said[16_000..]);
    citizen.submits_whatever_comes();
    postgres.start_again();
    let ticket = service.ticket(&citizen.number, seconds(30), |_| true);
    assert_eq!((&ticket["confirmed"], &ticket["type"]), (&true.into(), &"help".into()));
    let sound = sound_of(&service, &ticket);
    assert!(sound.len() >= 40_000, "only {} ms", sound.len() / 8);
    assert_same_sound(&said[..16_000], &sound[..20_000], 1900);
}

impl Citizen {
    /// Submits; hears the number, or that it comes later; and goodbye.
    #[track_caller]
    fn submits_whatever_comes(&self) {
        for (prompt, key) in [("opt.rec_submit", "1"), ("conf.ask", "2"), ("phone.is", "1")] {
            self.waits_longer_for(prompt, seconds(30));
            self.presses(key);
        }
        self.waits_longer_for("greet.bye", seconds(40));
        assert_eq!(self.call.ended(seconds(5)), Ended::ByPeer);
    }
}
