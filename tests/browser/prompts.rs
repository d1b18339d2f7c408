//! An administrator hears a prompt, replaces it, and the next caller hears the recording.

use crate::house::House;
use crate::peer::call::Dial;
use crate::peer::child::TempFolder;
use crate::peer::compare::assert_same_sound;
use crate::peer::phone::Phone;
use crate::peer::service::book;
use crate::peer::signal::talk;
use crate::peer::time::seconds;
use crate::peer::wav::{self, Wav};

#[test]
fn a_prompt_that_is_replaced_on_its_page_is_what_the_next_caller_hears() {
    let house = House::new(0);
    let studio = TempFolder::new("studio");
    let recording = studio.path().join("take 3.wav");
    std::fs::write(&recording, wav::write(&talk(81, 3_000))).expect("a file");

    let mut browser = house.browser("administrator");
    browser.open("/admin/prompts?group=greet");
    browser.is_accessible("prompts");
    browser.run("document.querySelector('audio').play()");
    browser.wait("return document.querySelector('audio').currentTime > 0.1", seconds(10));
    browser.send("a[href='/admin/prompts/greet.hello']");
    browser.is_accessible("a prompt");
    let form = "form[action='/admin/prompts/greet.hello/bo']";
    browser.fill(&format!("{form} input[type=file]"), recording.to_str().expect("a path in UTF-8"));
    browser.send(&format!("{form} button"));
    assert!(
        browser.text().contains("从下一通来电开始使用") && browser.text().contains("真人录音"),
        "{}",
        browser.text()
    );
    browser.is_accessible("a prompt that was replaced");
    browser.picture("admin-prompt-replaced");

    let prompts = house.service.data().with_file_name("prompts");
    let taken = std::fs::read(prompts.join("bo/greet.hello.wav")).expect("a file");
    let taken = Wav::mono(&taken).expect("a prompt");
    let phone = Phone::udp(&book());
    let call = phone.call(&Dial::new(house.service.sip, "13989002108"));
    call.answered(seconds(5));
    assert!(call.audio().wait_audio(3_500, seconds(10)), "{}", call.trace());
    assert_same_sound(&call.audio().heard_audio(), &taken, 2_500);
    call.hang_up();

    browser.send("form[action='/admin/prompts/greet.hello/bo/restore'] button");
    assert!(browser.text().contains("已换回内置的语音") && !browser.text().contains("真人录音"), "{}", browser.text());
    assert!(!prompts.join("bo/greet.hello.wav").exists());
    browser.is_clean();
}

#[test]
fn a_units_answer_is_spoken_on_its_page() {
    let house = House::new(0);
    let studio = TempFolder::new("studio");
    let recording = studio.path().join("loud.wav");
    std::fs::write(&recording, wav::write(&vec![i16::MAX; 8_000])).expect("a file");
    let mut browser = house.browser("unit");
    browser.open("/admin/knowledge/edit");
    for (field, text) in [
        ("input[name=id]", "road-lamps"),
        ("input[name=title_zh]", "路灯报修"),
        ("input[name=title_bo]", "ལམ་སྒྲོན།"),
        ("textarea[name=text_zh]", "路灯不亮请拨打12345。"),
        ("textarea[name=text_bo]", "ལམ་སྒྲོན་མི་འབར་ན།"),
    ] {
        browser.fill(field, text);
    }
    browser.run("document.querySelector('input[name=review_on]').value = '2027-06-30'");
    browser.send("form[action='/admin/knowledge'] button");
    browser.open("/admin/knowledge/road-lamps/spoken");
    browser.is_accessible("an entry that is not spoken");
    let first = "form[action='/admin/knowledge/road-lamps/spoken']";
    browser.fill(&format!("{first} input[type=file]"), recording.to_str().expect("a path in UTF-8"));
    browser.send(&format!("{first} button"));
    assert!(browser.text().contains("没有替换："), "{}", browser.text());
    browser.is_accessible("a recording that was refused");
    browser.picture("admin-knowledge-spoken");
    browser.is_clean();
}
