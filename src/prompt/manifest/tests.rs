use super::*;

fn problems(text: &str) -> Vec<String> {
    let problems = Manifest::parse(text, "m.toml").expect_err("a mistake");
    problems.iter().map(Problem::to_string).collect()
}

fn manifest(text: &str) -> Manifest {
    Manifest::parse(text, "m.toml").expect("a manifest")
}

/// The ten digits of both languages.
fn digits() -> String {
    let zh = "零幺二三四五六七八九".chars().map(String::from);
    let bo = "ཀླད་ཀོར གཅིག གཉིས གསུམ བཞི ལྔ དྲུག བདུན བརྒྱད དགུ".split(' ').map(str::to_owned);
    let digits = |language: &'static str, texts: Vec<String>| {
        texts.into_iter().enumerate().map(move |(n, text)| format!("[digit.{n}.{language}]\ntext = \"{text}\"\n"))
    };
    digits("zh", zh.collect()).chain(digits("bo", bo.collect())).collect()
}

#[test]
fn a_line_keeps_its_keys_and_its_place() {
    let hash = "AB".repeat(32);
    let manifest = manifest(&format!(
        "[a.b.bo]\ntext = \"-\"\n\n[a.b.zh]\ntext = \"好\"\npinyin = \"hao3\"\nvoice = \"zf_1\"\norigin = \"recorded\"\n\
         file = \"zh/x.wav\"\nsha256 = \"{hash}\"\nreviewer = \"洛桑\"\nreviewed = \"2026-11-22\"\n"
    ));
    let listed = &manifest.prompts["a.b"];
    assert_eq!(listed[&Language::Bo], None);
    let expected = Line {
        text: "好".to_owned(),
        words: None,
        pinyin: Some("hao3".to_owned()),
        confidence: None,
        voice: Some("zf_1".to_owned()),
        origin: Origin::Recorded,
        review: Some(Review { reviewer: "洛桑".to_owned(), reviewed: "2026-11-22".to_owned() }),
        file: "zh/x.wav".to_owned(),
        sha256: Some("ab".repeat(32)),
        at: 4,
        range: None,
    };
    assert_eq!(listed[&Language::Zh], Some(expected));
}

#[test]
fn a_bare_line_is_synthetic_and_has_the_file_of_its_name() {
    let manifest = manifest("[menu.head.bo]\ntext = \"འདི་ནི\"\nwords = \"འདི ནི\"\nconfidence = \"C\"\n");
    let (id, language, line) = manifest.lines().next().expect("a line");
    assert_eq!((id, language, line.file.as_str()), ("menu.head", Language::Bo, "bo/menu.head.wav"));
    assert_eq!((line.origin, line.confidence), (Origin::Synthetic, Some(Confidence::C)));
    assert_eq!(line.words.as_deref(), Some("འདི ནི"));
}

#[test]
fn a_range_has_a_line_for_each_of_its_numbers() {
    let hash = "0".repeat(64);
    let manifest = manifest(&format!(
        "{}[trio.008-012.zh]\ntext = \"{{digits}}\"\nsha256 = \"{hash}\"\n\
         [trio.008-012.bo]\ntext = \"{{digits}}\"\nwords = \"{{digits}}\"\nconfidence = \"A\"\n\
         [pair_end.00-99.zh]\ntext = \"{{digits}}。\"\n",
        digits()
    ));
    let of = |id: &str, language| manifest.prompts[id].get(&language)?.as_ref();
    let zh = of("trio.010", Language::Zh).expect("a line");
    assert_eq!((zh.text.as_str(), zh.file.as_str()), ("零幺零", "zh/trio.010.wav"));
    assert_eq!((zh.range.as_deref(), zh.sha256.as_deref()), (Some("trio.008-012"), Some(hash.as_str())));
    let bo = of("trio.010", Language::Bo).expect("a line");
    assert_eq!(bo.text, "ཀླད་ཀོར་གཅིག་ཀླད་ཀོར");
    assert_eq!(bo.words.as_deref(), Some("ཀླད་ཀོར གཅིག ཀླད་ཀོར"));
    assert_eq!(of("pair_end.99", Language::Zh).expect("a line").text, "九九。");
    assert_eq!(of("pair_end.99", Language::Bo), None);
    let ids: Vec<&String> = manifest.prompts.keys().filter(|id| id.starts_with("trio")).collect();
    assert_eq!(ids, ["trio.008", "trio.009", "trio.010", "trio.011", "trio.012"]);
    assert_eq!(manifest.prompts.len(), 10 + 5 + 100);
}

#[test]
fn a_manifest_that_changes_another_has_the_digits_of_that() {
    let range = "[pair.00-99.zh]\ntext = \"{digits}\"\n";
    assert_eq!(problems(range), ["m.toml:1: pair.00 in zh: digit.0 has no text to join"]);
    let manifest = Manifest::parse_over(range, "m.toml", |_, digit| Some(format!("好{digit}"))).expect("a manifest");
    assert_eq!(manifest.prompts["pair.42"][&Language::Zh].as_ref().expect("a line").text, "好4好2");
}

#[test]
fn the_order_of_the_file_is_kept() {
    let manifest = manifest("[b.z.zh]\ntext = \"一\"\n[a.b.zh]\ntext = \"二\"\n[b.a.zh]\ntext = \"三\"\n");
    let mut lines: Vec<_> = manifest.lines().map(|(id, _, line)| (line.at, id)).collect();
    lines.sort();
    assert_eq!(lines, [(1, "b.z"), (3, "a.b"), (5, "b.a")]);
}

#[test]
fn each_mistake_is_named_with_its_line() {
    for (text, expected) in [
        ("[a.b.zh]\ntext = \" \"", "1: a.b in zh: an empty text; write - for a prompt that is left out"),
        ("\n[a.b.zh]\ntext = \"，。\"", "2: a.b in zh: an empty text; write - for a prompt that is left out"),
        ("[a.b.bo]\ntext = \"-\"\nfile = \"x.wav\"", "1: a.b in bo: a prompt that is left out has only a text"),
        ("[a.b.zh]\ntext = \"好\"\nfile = \"../x.wav\"", "1: a.b in zh: ../x.wav is outside the folder"),
        ("[a.b.zh]\ntext = \"好\"\nfile = \"/x.wav\"", "1: a.b in zh: /x.wav is outside the folder"),
        ("[a.b.zh]\ntext = \"OK\"", "1: a.b in zh: O (U+004F) is not written in zh"),
        ("[a.b.bo]\ntext = \"您好\"", "1: a.b in bo: 您 (U+60A8) is not written in bo"),
        ("[a.b.zh]\ntext = \"好\"\nwords = \"好\"", "1: a.b in zh: words is for bo"),
        ("[a.b.zh]\ntext = \"好\"\nconfidence = \"A\"", "1: a.b in zh: confidence is for bo"),
        ("[a.b.bo]\ntext = \"འདི\"\npinyin = \"a1\"", "1: a.b in bo: pinyin is for zh"),
        ("[a.b.bo]\ntext = \"འདི\"\nwords = \"ནི\"", "1: a.b in bo: the words are not those of the text: ནི"),
        ("[a.b.zh]\ntext = \"好\"\nreviewer = \"洛桑\"", "1: a.b in zh: reviewer and reviewed go together"),
        ("[a.b.zh]\ntext = \"好\"\nreviewed = \"2026-01-02\"", "1: a.b in zh: reviewer and reviewed go together"),
        (
            "[a.b.zh]\ntext = \"好\"\nreviewer = \"洛桑\"\nreviewed = \"2026-13-02\"",
            "1: a.b in zh: a review is a name and a day written as 2026-11-22",
        ),
        ("[a.b.zh]\ntext = \"好\"\nsha256 = \"ab\"", "1: a.b in zh: a sha256 has 64 hexadecimal digits"),
        ("[\"../a\".b.zh]\ntext = \"好\"", "1: ../a.b in zh: a group and a name have the letters a-z, digits and _"),
        ("[a.b.zh]\ntext = \"{digits}\"", "1: a.b in zh: {digits} stands only in a range"),
        ("[a.0-9.zh]\ntext = \"好\"", "1: a.0 in zh: a range without {digits} says the same for each number"),
        ("[a.0-99.zh]\ntext = \"{digits}\"", "1: a.0-99 in zh: the ends of the range 0-99 are not of one width"),
        ("[a.9-0.zh]\ntext = \"{digits}\"", "1: a.9-0 in zh: the range 9-0 has not 1 to 10000 numbers"),
        (
            "[a.00000-10000.zh]\ntext = \"{digits}\"",
            "1: a.00000-10000 in zh: the range 00000-10000 has not 1 to 10000 numbers",
        ),
        (
            "[a.x-y.zh]\ntext = \"{digits}\"",
            "1: a.x-y in zh: x-y is no range: it goes from a number to a number, as 000-999",
        ),
        ("[a.b.zh]\ntext = \"好\"\n[a.b.zh]\ntext = \"好\"", "3: a.b in zh stands twice"),
    ] {
        assert_eq!(problems(text), [format!("m.toml:{expected}")], "{text}");
    }
}

#[test]
fn a_prompt_stands_twice_when_a_range_has_it_too() {
    let text = "[digit.1.zh]\ntext = \"一\"\n[a.1.zh]\ntext = \"一\"\n[a.1-1.zh]\ntext = \"{digits}\"\n";
    assert_eq!(problems(text), ["m.toml:5: a.1 in zh stands twice"]);
    let text = "[digit.1.zh]\ntext = \"一\"\n[a.1.bo]\ntext = \"-\"\n[a.1-1.zh]\ntext = \"{digits}\"\n";
    assert_eq!(manifest(text).prompts["a.1"].len(), 2);
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_file() {
    let text = "[b.c.zh]\ntext = \"a\"\n[a.b.zh]\ntext = \"b\"\n[a.c.bo]\ntext = \"c\"\n";
    let lines: Vec<String> = problems(text).into_iter().map(|problem| problem[..8].to_owned()).collect();
    assert_eq!(lines, ["m.toml:1", "m.toml:3", "m.toml:5"]);
}

#[test]
fn no_manifest_is_longer_than_twenty_thousand_prompts() {
    let ranges = ["a", "b", "c"].map(|group| format!("[{group}.0000-9999.zh]\ntext = \"{{digits}}\"\n"));
    assert_eq!(problems(&ranges.concat()), ["m.toml: more than 20000 prompts"]);
}

#[test]
fn unknown_keys_and_languages_and_what_is_not_toml_are_named_with_their_line() {
    for (text, line, word) in [
        ("[a.b.bo]\ntext = \"འདི\"\nfille = \"x.wav\"", "m.toml:3:", "fille"),
        ("[a.b.zh]\ntext = \"好\"\norigin = \"person\"", "m.toml:3:", "person"),
        ("[a.b.bo]\ntext = \"འདི\"\nconfidence = \"Signed\"", "m.toml:3:", "Signed"),
        ("[a.b.zh]\nvoice = \"x\"", "m.toml:1:", "text"),
        ("\n[a.b.en]\ntext = \"x\"", "m.toml:2:", "en"),
        ("[a.b.bo]\ntext =", "m.toml:2:", ""),
        ("a = 1", "m.toml:1:", ""),
    ] {
        let problems = problems(text);
        assert!(problems.len() == 1 && problems[0].starts_with(line) && problems[0].contains(word), "{problems:?}");
    }
}
