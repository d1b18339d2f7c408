use super::*;
use crate::prompt::manifest::Manifest;

const PACK: &str = "\
[greet.line.zh]\ntext = \"便民热线。\"\n[greet.line.bo]\ntext = \"སྦྲེལ་ཁ་པར་ཡིན།\"\n\
[menu.head.zh]\ntext = \"请选择服务。\"\n[menu.head.bo]\ntext = \"འདེམས་རོགས་གནང་།\"\nconfidence = \"C\"\n\
[opt.report.zh]\ntext = \"反映问题，\"\n[opt.report.bo]\ntext = \"གསུང་དགོས་ན།\"\nconfidence = \"A\"\n\
[press.1.zh]\ntext = \"请按一。\"\n[press.1.bo]\ntext = \"གཅིག་གནོན་རོགས་གནང་།\"\norigin = \"recorded\"\n\
reviewer = \"<b>洛桑\"\nreviewed = \"2026-11-25\"\n\
[conf.ask.zh]\ntext = \"是否需要保密？\"\n[conf.ask.bo]\ntext = \"གསང་དགོས་པས།\"\n\
[err.invalid.zh]\ntext = \"按键无效。\"\n[err.invalid.bo]\ntext = \"ནོར་འདུག\"\n\
[digit.1.zh]\ntext = \"幺\"\n[digit.1.bo]\ntext = \"གཅིག\"\n[pair.11-11.zh]\ntext = \"{digits}\"\n\
[year.prefix.zh]\ntext = \"-\"\n[year.prefix.bo]\ntext = \"སྤྱི་ལོ\"\n";

fn sheet(language: Language) -> Sheet {
    Sheet::new(&[&Manifest::parse(PACK, "m.toml").expect("a manifest")], language)
}

fn passages() -> Vec<Passage> {
    let said = |what: &str| Said { language: None, what: what.to_owned() };
    let greeting = ["greet.hello", "city.*", "greet.line"].map(said).to_vec();
    let main = ["menu.head", "opt.report", "press.1"].map(said).to_vec();
    vec![
        Passage { node: "say.greeting".into(), moment: "", said: greeting, next: Some("menu.main".into()) },
        Passage { node: "menu.main".into(), moment: "", said: main, next: None },
        Passage { node: "menu.main".into(), moment: "按键无效时", said: vec![said("err.invalid")], next: None },
    ]
}

/// The part of the page about one line.
fn article(html: &str, number: usize) -> &str {
    let from = html.find(&format!("id=\"n{number:03}\"")).expect("a line");
    let rest = &html[from..];
    &rest[..rest.find("</article>").expect("its end")]
}

#[test]
fn a_line_has_its_number_its_file_its_text_and_its_meaning() {
    let html = page(&sheet(Language::Bo), &passages());
    let head = article(&html, 2);
    for part in [
        "<p class=\"number\">002</p>",
        "<p class=\"text\" lang=\"bo\">འདེམས་རོགས་གནང་།</p>",
        "<p class=\"meaning\" lang=\"zh-CN\">请选择服务。</p>",
        "<code>002_menu.head.wav</code>",
        "目前是合成音 · 译文 C 没有把握，请改正 · 未签字",
        "菜单开头：后面逐条接选项",
    ] {
        assert!(head.contains(part), "{part} in {head}");
    }
    assert!(!html.contains("pair.11") && html.matches("<article").count() == 8);
    assert!(article(&html, 8).contains("year.prefix") && !page(&sheet(Language::Zh), &[]).contains("year.prefix"));
}

#[test]
fn what_is_heard_before_and_after_comes_from_the_flow() {
    let html = page(&sheet(Language::Zh), &passages());
    let spoken = |text: &str| format!("<span lang=\"zh-CN\">{text}</span>");
    for (number, near) in [
        (1, format!("<code>say.greeting</code> ：〔城市名称〕 <b>→ 本条 →</b> {}", spoken("请选择服务。"))),
        (2, format!("<code>menu.main</code> ：{} <b>→ 本条 →</b> {}", spoken("便民热线。"), spoken("反映问题，"))),
        (4, format!("{} <b>→ 本条 →</b> <i>停顿，等待或结束</i>", spoken("反映问题，"))),
        (6, "<code>menu.main</code> 按键无效时：<i>开始</i> <b>→ 本条 →</b>".to_owned()),
        (5, format!("脚本中的前后：{} <b>→ 本条 →</b> {}", spoken("请按一。"), spoken("按键无效。"))),
    ] {
        assert!(article(&html, number).contains(&near), "{near} in {}", article(&html, number));
    }
}

#[test]
fn what_is_said_in_the_other_language_is_no_place_of_a_prompt() {
    let fixed = |language| Passage {
        node: "say.x".into(),
        moment: "",
        said: vec![Said { language: Some(language), what: "menu.head".into() }],
        next: None,
    };
    let html = page(&sheet(Language::Bo), &[fixed(Language::Zh)]);
    assert!(article(&html, 2).contains("脚本中的前后"));
    let html = page(&sheet(Language::Bo), &[fixed(Language::Bo)]);
    assert!(article(&html, 2).contains("<code>say.x</code>"));
}

#[test]
fn the_actor_is_told_how_a_line_ends() {
    for (language, tones) in [
        (Language::Zh, ["结束", "结束", "未完", "结束", "疑问", "结束"]),
        (Language::Bo, ["结束", "结束", "未完", "结束", "疑问", "结束"]),
    ] {
        let html = page(&sheet(language), &[]);
        assert!(html.contains("音高、音量、语速前后一致。→ 语调平"), "the parts of numbers are told once");
        for (at, tone) in tones.into_iter().enumerate() {
            assert!(article(&html, at + 1).contains(tone), "{tone} in {}", article(&html, at + 1));
        }
    }
}

#[test]
fn nothing_of_a_manifest_becomes_markup() {
    let html = page(&sheet(Language::Bo), &passages());
    assert!(html.contains("已录音 · &lt;b&gt;洛桑 于 2026-11-25 签字"));
    assert_eq!(escaped("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

#[test]
fn every_group_of_the_pack_has_a_heading_and_a_use() {
    for language in Language::ALL {
        let sheet = Sheet::load(None, language).expect("the pack");
        for entry in sheet.entries() {
            assert_ne!(words::group(entry.group()), "其他", "{}", entry.id);
            assert_ne!(words::usage(&entry.id), "提示语", "{}", entry.id);
        }
    }
}
