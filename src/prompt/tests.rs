use std::path::Path;

use super::testing::{Folder, spoken, wav};
use super::*;
use crate::ticket::Catalogue;

#[test]
fn every_prompt_of_the_pack_is_heard_at_its_level_through_alaw() {
    let prompts = Prompts::embedded();
    assert_eq!(prompts.check(), []);
    let spoken = |language| prompts.ids().filter(|id| prompts.clip(language, id).is_some()).count();
    assert!(spoken(Language::Bo) > 380 && spoken(Language::Zh) > 380);
}

#[test]
fn each_language_speaks_or_leaves_out_every_prompt() {
    let prompts = Prompts::embedded();
    for id in prompts.ids() {
        for language in Language::ALL {
            let spoken = prompts.clip(language, id).is_some();
            assert_ne!(spoken, prompts.is_left_out(language, id), "{id} in {language}");
            assert_eq!(spoken, prompts.text(language, id).is_some(), "{id} in {language}");
            assert_eq!(spoken, prompts.is_synthetic(language, id), "{id} in {language}");
        }
    }
    let left_out = prompts.ids().filter(|id| Language::ALL.iter().any(|l| prompts.is_left_out(*l, id)));
    let left_out: Vec<_> = left_out.filter(|id| !id.contains("trio") && !id.contains("pair")).collect();
    assert_eq!(left_out, ["rv.matter1", "year.prefix"]);
}

#[test]
fn knowledge_with_prompts_is_what_the_prompts_say() {
    let prompts = Prompts::embedded();
    let mut read_out = 0;
    for entry in &Catalogue::built_in().knowledge {
        let (Some(choice), Some(prompt)) = (&entry.choice, &entry.prompt) else { continue };
        for (language, title, text) in
            [(Language::Zh, &entry.title_zh, &entry.text_zh), (Language::Bo, &entry.title_bo, &entry.text_bo)]
        {
            let offered = prompts.text(language, choice.as_str()).expect("a prompt of the pack");
            assert!(offered.starts_with(title.as_str()), "{} is offered as {offered}", entry.id);
            assert_eq!(prompts.text(language, prompt.as_str()), Some(text.as_str()), "{}", entry.id);
        }
        read_out += 1;
    }
    assert_eq!(read_out, 6);
}

#[test]
fn an_unknown_prompt_is_neither_spoken_nor_left_out() {
    let prompts = Prompts::embedded();
    assert!(prompts.clip(Language::Bo, "no.such").is_none());
    assert!(!prompts.is_left_out(Language::Bo, "no.such"));
}

#[test]
fn all_who_ask_share_one_pack_that_is_not_copied() {
    let (one, other) = (Prompts::embedded(), Prompts::embedded());
    assert!(Arc::ptr_eq(&one, &other));
    let packed = pack::alaw("zh/menu.head.wav").expect("a packed file");
    assert_eq!(one.clip(Language::Zh, "menu.head").expect("a clip").alaw().as_ptr(), packed.as_ptr());
}

#[test]
fn a_folder_replaces_one_prompt_and_leaves_the_others() {
    let folder = Folder::new("replace");
    folder.write("bo/menu.head.wav", wav(8_000, 3_000));
    let (embedded, loaded) = (Prompts::embedded(), folder.load());
    assert_eq!(loaded.clip(Language::Bo, "menu.head").expect("a clip").duration_ms(), 500);
    assert_eq!(loaded.clip(Language::Zh, "menu.head"), embedded.clip(Language::Zh, "menu.head"));
    assert_ne!(loaded.clip(Language::Bo, "menu.head"), embedded.clip(Language::Bo, "menu.head"));
    assert!(loaded.is_synthetic(Language::Bo, "menu.head"));
    assert_eq!(loaded.line(Language::Bo, "menu.head").expect("a line").voice, None);
}

#[test]
fn a_manifest_in_the_folder_adds_prompts_and_names_who_speaks() {
    let folder = Folder::new("add");
    folder.write("bo/head.wav", wav(8_000, 3_000));
    folder.write(
        "manifest.toml",
        "[menu.head.bo]\ntext = \"འདི\"\nfile = \"bo/head.wav\"\norigin = \"recorded\"\n\
         [office.new.bo]\ntext = \"ནི\"\nfile = \"bo/head.wav\"\n[office.new.zh]\ntext = \"-\"\n",
    );
    let loaded = folder.load();
    assert!(!loaded.is_synthetic(Language::Bo, "menu.head"));
    assert!(loaded.is_synthetic(Language::Zh, "menu.head"));
    assert_eq!(loaded.text(Language::Bo, "office.new"), Some("ནི"));
    assert!(loaded.is_left_out(Language::Zh, "office.new"));
}

#[test]
fn what_is_wrong_with_a_folder_is_said_of_each_file() {
    let folder = Folder::new("wrong");
    folder.write("bo/menu.head.wav", wav(8_000, 0));
    folder.write("bo/num.1.wav", wav(16_000, 3_000));
    folder.write("bo/num.2.wav", "no sound");
    folder.write("bo/num.3.wav", &wav(8_000, 3_000)[..400]);
    folder.write("zh/menu.head.wav", spoken(2_000, "请选择。"));
    folder.write("zh/new.wav", spoken(500, "您好"));
    let hash = "0".repeat(64);
    folder.write(
        "manifest.toml",
        format!(
            "[num.4.bo]\ntext = \"ཨ\"\nfile = \"bo/gone.wav\"\n[num.new.bo]\ntext = \"-\"\n\
             [a.b.bo]\ntext = \"-\"\n[a.b.zh]\ntext = \"好\"\nfile = \"zh/new.wav\"\n\
             [a.c.bo]\ntext = \"-\"\n[a.c.zh]\ntext = \"您好\"\nfile = \"zh/new.wav\"\nsha256 = \"{hash}\"\n"
        ),
    );
    let problems = folder.problems();
    for what in [
        "silent",
        "8 kHz mono 16-bit PCM is wanted, not coding 1, 1 channels, 16000 Hz, 16 bits",
        "not a WAV file",
        "the WAV file is cut short",
        "bo/gone.wav: No such file",
        "num.new has no line in zh",
        "says another text than the manifest: 请选择",
        "zh/new.wav: says another text than the manifest: 您好; record it again",
        "zh/new.wav: its sha256 is ",
    ] {
        assert_eq!(problems.iter().filter(|problem| problem.contains(what)).count(), 1, "{what}: {problems:#?}");
    }
    assert_eq!(problems.len(), 9, "{problems:#?}");
}

#[test]
fn a_folder_may_leave_out_a_notice_but_no_part_of_a_number() {
    let folder = Folder::new("parts");
    folder.write("manifest.toml", "[notice.emergency.bo]\ntext = \"-\"\n");
    assert!(folder.load().is_left_out(Language::Bo, "notice.emergency"));
    folder.write("manifest.toml", "[num.7.bo]\ntext = \"-\"\n");
    assert_eq!(folder.problems(), ["num.7 in bo can't be left out: numbers and dates are made of it"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let problems = Prompts::load(Path::new("/no/such/folder")).expect_err("a mistake");
    assert_eq!(problems[0].to_string(), "/no/such/folder: no such folder");
}

#[test]
fn a_range_in_one_language_takes_nothing_from_the_other() {
    let folder = Folder::new("range");
    for digit in 0..10 {
        folder.write(&format!("zh/new.{digit}.wav"), spoken(300, ""));
        folder.write(&format!("bo/more.{digit}.wav"), spoken(300, ""));
    }
    folder.write("manifest.toml", "[new.0-9.zh]\ntext = \"{digits}\"\n[more.0-9.bo]\ntext = \"{digits}\"\n");
    let first = folder.load();
    assert_eq!(first.text(Language::Zh, "new.1"), first.text(Language::Zh, "digit.1"), "the digits are the pack's");
    assert!(first.is_left_out(Language::Bo, "new.1") && first.is_left_out(Language::Zh, "more.1"));
    let mut second = first.clone();
    let manifest = Manifest::parse_over("[new.0-9.bo]\ntext = \"{digits}\"\n", "m.toml", |_, _| Some("ཨ".to_owned()));
    let clip = first.clip(Language::Zh, "new.1").expect("a clip");
    assert_eq!(second.take(manifest.expect("a manifest"), true, |_, _| Ok(Arc::clone(&clip))), []);
    assert!(second.text(Language::Bo, "new.1").is_some() && second.text(Language::Zh, "new.1").is_some());
}
