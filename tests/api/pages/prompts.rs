//! Prompts are heard, replaced and given back; a knowledge entry is spoken.

use hotline::access::Role;
use hotline::city::City;
use hotline::driver::consult::{Unspoken, topics};
use hotline::language::Language;
use hotline::prompt::{Origin, Prompts};

use crate::pages::browser::Browser;
use crate::people::person;
use crate::service::{Reply, Service};

const EVERYWHERE: &[&str] = &["lhasa", "shigatse", "shannan", "nyingchi", "chamdo", "nagqu", "ngari"];

fn started() -> Service {
    let service = Service::start();
    person(&service, "karma", Role::Administrator, &["lhasa"], false);
    service
}

/// A second of a tone at this height, as a studio hands it in: 48 kHz, two channels.
fn recording(height: f64) -> Vec<u8> {
    let sample = |at: u32| (height * (f64::from(at) / 10.0).sin() * 32_767.0).clamp(-32_768.0, 32_767.0) as i16;
    let data: Vec<u8> = (0..48_000).flat_map(|at| [sample(at); 2]).flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).expect("a short file");
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(*b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    wav.extend(48_000_u32.to_le_bytes());
    wav.extend(192_000_u32.to_le_bytes());
    wav.extend(*b"\x04\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(data);
    wav
}

/// A form with a recording.
fn hand_in(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Reply {
    browser.hand_in(path, fields, Some(("../a.wav", "audio/wav", file)))
}

fn loaded(service: &Service) -> Prompts {
    Prompts::load(&service.folder.join("prompts")).expect("the folder is whole")
}

#[test]
fn a_prompt_is_heard_as_callers_hear_it_whole_and_in_part() {
    let service = started();
    let karma = service.browser("karma");
    let path = "/admin/prompts/menu.head/bo/audio";
    let whole = karma.get(path);
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, Some("audio/wav")));
    let clip = Prompts::embedded().clip(Language::Bo, "menu.head").expect("a clip");
    let samples: Vec<u8> = clip.to_linear().into_iter().flat_map(i16::to_le_bytes).collect();
    assert_eq!(&whole.body[44..44 + samples.len()], samples);
    let tag = whole.header("etag").expect("a tag").to_owned();
    let ask =
        |headers: &[(&str, &str)]| service.ask("GET", path, &[&[("cookie", karma.cookie.as_str())], headers].concat());
    let part = ask(&[("range", "bytes=44-143")]);
    assert_eq!((part.status.as_u16(), &part.body), (206, &whole.body[44..144].to_vec()));
    let range = format!("bytes 44-143/{}", whole.body.len());
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    assert_eq!(ask(&[("if-none-match", &tag)]).status, 304);
    assert_eq!(ask(&[("range", "bytes=99999999-")]).status, 416);
    for missing in ["/admin/prompts/no.such/bo/audio", "/admin/prompts/menu.head/en/audio", "/admin/prompts/no.such"] {
        assert_eq!(karma.get(missing).status, 404, "{missing}");
    }
}

#[test]
fn a_recording_takes_the_place_of_a_prompt_and_is_given_back() {
    let service = started();
    let karma = service.browser("karma");
    let before = karma.get("/admin/prompts/menu.head/zh/audio").body;
    let reply = hand_in(&karma, "/admin/prompts/menu.head/zh", &[], &recording(0.2));
    assert_eq!(reply.header("location"), Some("/admin/prompts/menu.head?done=replaced"), "{}", reply.text());
    assert_ne!(karma.get("/admin/prompts/menu.head/zh/audio").body, before, "calls have it at once");
    let prompts = loaded(&service);
    let line = prompts.line(Language::Zh, "menu.head").expect("a line");
    let review = line.review.as_ref().expect("who signs it");
    assert_eq!((line.origin, review.reviewer.as_str()), (Origin::Recorded, "karma"));
    assert_eq!(review.reviewed, hotline::clock::beijing_day(crate::people::now()).to_string());
    assert_eq!(prompts.line(Language::Bo, "menu.head").map(|line| line.origin), Some(Origin::Synthetic));
    let page = karma.page("/admin/prompts/menu.head");
    assert!(page.contains("真人录音，karma") && page.contains("/admin/prompts/menu.head/zh/restore"), "{page}");
    assert!(!page.contains("/admin/prompts/menu.head/bo/restore"));
    let audit = service.get("/api/v1/audit?subject=prompt%20menu.head").text().to_owned();
    assert!(audit.contains("\"imported\"") && audit.contains("zh: 48 kHz to 8"), "{audit}");

    let given_back = karma.sent("/admin/prompts/menu.head/zh/restore", &[]);
    assert_eq!(given_back, "/admin/prompts/menu.head?done=prompt_restored");
    assert_eq!(karma.get("/admin/prompts/menu.head/zh/audio").body, before);
    assert!(
        !service.folder.join("prompts/zh/menu.head.wav").exists()
            && !loaded(&service).is_replaced(Language::Zh, "menu.head")
    );
    assert_eq!(karma.post("/admin/prompts/menu.head/zh/restore", &[]).status, 404, "there is nothing to give back");
    let audit = service.get("/api/v1/audit?subject=prompt%20menu.head").text().to_owned();
    assert!(audit.contains("\"removed\""), "{audit}");
}

#[test]
fn what_no_caller_should_hear_is_refused_with_its_reason_and_changes_nothing() {
    let service = started();
    let karma = service.browser("karma");
    for (file, reason) in [
        (recording(3.0), "录音削波失真"),
        (recording(0.0), "录音没有声音"),
        (recording(0.2)[..44].to_vec(), "没有替换"),
        (b"no sound".to_vec(), "不是能用的 WAV"),
    ] {
        let reply = hand_in(&karma, "/admin/prompts/menu.head/zh", &[], &file);
        assert_eq!(reply.status, 422, "{reason}");
        assert!(reply.text().contains(reason), "{reason}: {}", reply.text());
    }
    assert_eq!(hand_in(&karma, "/admin/prompts/menu.head/zh", &[], b"").status, 400, "no file");
    assert_eq!(hand_in(&karma, "/admin/prompts/no.such/zh", &[], &recording(0.2)).status, 404);
    assert_eq!(hand_in(&karma, "/admin/prompts/trio.126/zh", &[], &recording(0.2)).status, 404);
    assert!(!service.folder.join("prompts/manifest.toml").exists());
    let prompts = service.folder.join("prompts/manifest.toml");
    std::fs::write(prompts, "[a").expect("a file");
    let broken = hand_in(&karma, "/admin/prompts/menu.head/zh", &[], &recording(0.2));
    assert_eq!(broken.status, 409, "{}", broken.text());
    assert!(!service.get("/api/v1/audit").text().contains("prompt menu.head"));
}

#[test]
fn prompts_are_found_by_id_words_group_and_voice_a_page_at_a_time() {
    let service = started();
    let karma = service.browser("karma");
    let page = karma.page("/admin/prompts");
    let rows = |page: &str| page.matches("data-label=\"编号\"").count();
    assert_eq!(rows(&page), 40);
    assert!(page.contains("href=\"/admin/prompts?page=2\"") && page.contains("preload=\"none\""), "{page}");
    assert!(rows(&karma.page("/admin/prompts?page=2")) > 0);
    assert_eq!(rows(&karma.page("/admin/prompts?page=9999999999")), 0);
    let found = karma.page("/admin/prompts?q=MENU.head");
    assert_eq!(rows(&found), 1);
    let words = karma
        .page("/admin/prompts?q=%E8%AF%B7%E9%80%89%E6%8B%A9%E6%82%A8%E9%9C%80%E8%A6%81%E7%9A%84%E6%9C%8D%E5%8A%A1");
    assert!(words.contains("menu.head"), "{words}");
    let group = karma.page("/admin/prompts?group=menu");
    assert!(group.contains("menu.head") && !group.contains("href=\"/admin/prompts/greet.hello\""));
    assert!(karma.page("/admin/prompts?voice=recorded").contains("没有符合条件的提示"));
    hand_in(&karma, "/admin/prompts/menu.head/bo", &[], &recording(0.2));
    assert_eq!(rows(&karma.page("/admin/prompts?voice=recorded")), 1);
}

#[test]
fn a_knowledge_entry_is_spoken_by_its_own_people() {
    let service = started();
    person(&service, "unit", Role::Unit, &["lhasa"], false);
    let karma = service.browser("karma");
    let entry = [
        ("id", "park-hours"),
        ("city", "lhasa"),
        ("unit", "lhasa-housing"),
        ("title_zh", "公园几点开门"),
        ("title_bo", "གླིང་ཁ་ནམ་ཕྱེ།"),
        ("text_zh", "早上七点。"),
        ("text_bo", "ཞོགས་པའི་ཆུ་ཚོད་བདུན་པ།"),
        ("review_on", "2027-01-01"),
        ("active", "yes"),
    ];
    karma.sent("/admin/knowledge", &entry);
    let path = "/admin/knowledge/park-hours/spoken";
    assert!(karma.page("/admin/knowledge/edit?id=park-hours").contains(path));
    assert!(karma.page(path).contains("录音不齐"));
    for part in ["choice", "prompt"] {
        for language in ["zh", "bo"] {
            assert!(!karma.page(path).contains("四段录音齐全"));
            let fields = [("part", part), ("language", language)];
            let reply = hand_in(&karma, path, &fields, &recording(0.2));
            assert_eq!(reply.status, 303, "{part} {language}: {}", reply.text());
            loaded(&service);
        }
    }
    assert!(karma.page(path).contains("四段录音齐全"));
    let prompts = loaded(&service);
    assert_eq!(prompts.text(Language::Zh, "kb.park_hours"), Some("公园几点开门"));
    assert_eq!(prompts.text(Language::Bo, "kbans.park_hours"), Some("ཞོགས་པའི་ཆུ་ཚོད་བདུན་པ།"));
    let edit = karma.page("/admin/knowledge/edit?id=park-hours");
    assert!(edit.contains("value=\"kb.park_hours\"") && edit.contains("value=\"kbans.park_hours\""), "{edit}");
    assert!(!karma.page(path).contains("另一段文字"));

    let named = [("choice", "kb.park_hours"), ("prompt", "kbans.park_hours")];
    let changed: Vec<(&str, &str)> = entry
        .into_iter()
        .map(|(key, value)| if key == "text_zh" { (key, "早上八点。") } else { (key, value) })
        .collect();
    karma.sent("/admin/knowledge", &[changed.as_slice(), &named].concat());
    assert!(karma.page(path).contains("另一段文字"), "the recording says the old text");
    hand_in(&karma, path, &[("part", "prompt"), ("language", "zh")], &recording(0.1));
    assert_eq!(loaded(&service).text(Language::Zh, "kbans.park_hours"), Some("早上八点。"));
    assert!(!karma.page(path).contains("另一段文字"));

    for wrong in [[("part", "x"), ("language", "zh")], [("part", "prompt"), ("language", "en")]] {
        let reply = hand_in(&karma, path, &wrong, &recording(0.2));
        assert!(reply.status.is_client_error(), "{wrong:?}");
    }
    let unspeakable: Vec<(&str, &str)> = entry
        .into_iter()
        .map(|(key, value)| if key == "text_zh" { (key, "请看 <b>app</b>。") } else { (key, value) })
        .collect();
    karma.sent("/admin/knowledge", &[unspeakable.as_slice(), &named].concat());
    let fields = [("part", "prompt"), ("language", "zh")];
    let imports = || service.get("/api/v1/audit?subject=prompt%20kbans.park_hours").text().matches("imported").count();
    let before = imports();
    let reply = hand_in(&karma, path, &fields, &recording(0.2));
    assert!(reply.status == 422 && reply.text().contains("不能用于语音提示"), "{}", reply.text());
    assert_eq!((imports(), before), (3, 3), "nothing was done, and nothing is told");
    karma.sent("/admin/knowledge", &[entry.as_slice(), &named].concat());
    let unit = service.browser("unit");
    assert_eq!(hand_in(&unit, path, &fields, &recording(0.2)).status, 303, "it is the unit's own");
    let foreign = hand_in(&unit, "/admin/knowledge/social-insurance/spoken", &fields, &recording(0.2));
    assert_eq!(foreign.status, 403, "{}", foreign.text());
    // refused before the file is read: a longer one would not be taken
    assert_eq!(hand_in(&unit, "/admin/prompts/menu.head/zh", &[], b"RIFF").status, 403);
    let mut menu = entry;
    menu[0].1 = "head";
    karma.sent("/admin/knowledge", &menu);
    let reply = hand_in(&karma, "/admin/knowledge/head/spoken", &fields, &recording(0.2));
    assert_eq!(reply.status, 409, "kb.head is the menu's own");
}

#[test]
fn a_built_in_entry_is_offered_with_its_old_voices_until_its_own_are_all_there() {
    let service = started();
    person(&service, "nima", Role::Administrator, EVERYWHERE, false);
    let nima = service.browser("nima");
    let path = "/admin/knowledge/social-insurance/spoken";
    let offered = || {
        let entry = service.block_on(service.store.knowledge_entry(&"social-insurance".parse().expect("an id")));
        let entry = entry.expect("read").expect("there").entry;
        let topics = topics([&entry], City::Lhasa, &loaded(&service), &Unspoken::default());
        topics.first().map(|topic| (topic.choice.to_string(), topic.answer.to_string()))
    };
    let named = |choice: &str, answer: &str| Some((choice.to_owned(), answer.to_owned()));
    let old = named("kb.social", "kbans.social");
    let audio = |id: &str, language: &str| format!("src=\"/admin/prompts/{id}/{language}/audio\"");
    assert!(!nima.page(path).contains("新录音"));
    let passages = [("choice", "zh"), ("choice", "bo"), ("prompt", "zh"), ("prompt", "bo")];
    for (at, (part, language)) in passages.into_iter().enumerate() {
        let fields = [("part", part), ("language", language)];
        let reply = hand_in(&nima, path, &fields, &recording(0.2));
        assert_eq!(reply.status, 303, "{part} {language}: {}", reply.text());
        let page = nima.page(path);
        assert!(page.contains("四段录音齐全"), "{page}");
        if at == 3 {
            break;
        }
        assert_eq!(offered(), old, "after {}", at + 1);
        assert!(page.contains("来电者听到的还是原来的") && page.contains(&audio("kb.social", "zh")), "{page}");
        assert_eq!(page.matches("/admin/prompts/kb.social_insurance/").count(), (at + 1).min(2), "{page}");
        assert_eq!(page.matches("还没有录音").count(), 3 - at, "{page}");
    }
    assert_eq!(offered(), named("kb.social_insurance", "kbans.social_insurance"));
    let page = nima.page(path);
    assert!(page.contains(&audio("kb.social_insurance", "zh")) && !page.contains("新录音"), "{page}");
}
