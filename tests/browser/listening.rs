//! A recording of a real call is found, drawn, played and marked.

use crate::citizen::{Citizen, MANDARIN};
use crate::house::House;
use crate::peer::signal::talk;
use crate::peer::time::seconds;

#[test]
fn a_supervisor_finds_a_recording_and_hears_it() {
    let house = House::new(0);
    let mut citizen = Citizen::calls(&house.service, "13989002101");
    citizen.chooses(MANDARIN);
    citizen.reports('2');
    citizen.records(&talk(71, 5000));
    citizen.hangs_up();
    let ticket = citizen.ticket(&house.service);
    house.service.wait_call_over("13989002101");

    let mut browser = house.browser("supervisor");
    browser.open("/recordings?recording_kind=call");
    browser.is_accessible("recordings");
    browser.picture("recordings");
    browser.send("tbody a");
    browser.wait("return document.querySelector('[data-player][data-ready]')?.dataset.ready", seconds(10));
    browser.is_accessible("a recording");
    browser.picture("recording");
    let drawn = "const wave = document.querySelector('canvas'); \
         return wave.getContext('2d').getImageData(0, 0, wave.width, wave.height).data.some(part => part > 0)";
    assert_eq!(browser.run(drawn), true);
    assert_eq!(browser.run("return document.querySelectorAll('[data-kind=key]').length > 0"), true, "a mark a key");

    browser.click("[data-do=toggle]");
    browser.wait("return document.querySelector('audio').currentTime > 0.3", seconds(10));
    browser.press("\u{e014}");
    browser.wait("return document.querySelector('audio').ended", seconds(10));
    browser.press("\u{e012}");
    browser.wait("return document.querySelector('audio').currentTime < 1", seconds(5));
    browser.press(">");
    assert_eq!(browser.run("return document.querySelector('audio').playbackRate"), 1.25);
    browser.click("[data-kind=key]");
    browser.wait("return !document.querySelector('audio').paused", seconds(5));
    let there = "return document.querySelector('audio').currentTime * 1000 + 1 >= document.querySelector('[data-kind=key]').dataset.at";
    assert_eq!(browser.run(there), true, "a mark leads to its place");
    browser.click("[data-do=toggle]");

    // while somebody types, plain keys are theirs and those with Alt the player's
    browser.run("document.querySelector('.player__download').open = true");
    browser.fill("input[name=reason]", "a < b >");
    assert_eq!(browser.run("return document.querySelector('audio').playbackRate"), 1.25);
    browser.run(
        "document.querySelector('input[name=reason]').dispatchEvent(\
         new KeyboardEvent('keydown', {code: 'Period', key: '.', altKey: true, bubbles: true}))",
    );
    assert_eq!(browser.run("return document.querySelector('audio').playbackRate"), 1.5);
    let number = ticket["number"].as_str().expect("a number");
    browser.open(&format!("/tickets/{number}"));
    browser.wait("return document.querySelector('[data-player][data-ready]')?.dataset.ready", seconds(10));
    browser.is_accessible("a ticket with its recordings");
    browser.picture("ticket-recorded");
    browser.screen("ticket");
    browser.open("/quality");
    browser.is_accessible("quality");
    browser.picture("quality");
    browser.is_clean();
}
