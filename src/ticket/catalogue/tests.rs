use std::collections::BTreeSet;

use super::*;
use crate::city::City;

const CLASSES: &str = r#"
[[group]]
code = "01"
zh = "城乡建设"
bo = "འཛུགས་སྐྲུན"
classes = [
  { code = "0101", zh = "供水", bo = "ཆུ", keywords = ["停水"] },
  { code = "0102", zh = "供电", bo = "གློག", active = false },
]

[[group]]
code = "02"
zh = "交通"
bo = "འགྲིམ་འགྲུལ"
active = false
classes = []
"#;

const UNITS: &str = r#"
[[unit]]
code = "lhasa-housing"
city = "lhasa"
zh = "住建局"
bo = "ཅུས"
phone = "08916323111"
classes = ["01", "0102"]

[[unit]]
code = "nagqu-police"
city = "nagqu"
zh = "公安局"
bo = "ཅུས"
"#;

const REASONS: &str = r#"
[[reason]]
kind = "refusal"
code = "litigation"
zh = "诉讼"
bo = "ཁྲིམས་གཏུག"
told_to_requester = "请向人民法院提出。"

[[reason]]
kind = "return"
code = "not_our_duty"
zh = "不属于本单位职责"
bo = "འགན"
"#;

const KNOWLEDGE: &str = r#"
[[knowledge]]
id = "heating"
city = "lhasa"
unit = "lhasa-housing"
title_zh = "供暖"
title_bo = "དྲོད"
text_zh = "请先联系物业。"
text_bo = "འབྲེལ་བ་གནང་རོགས།"
review_on = "2027-06-30"
choice = "kb.home"
prompt = "kbans.home"
"#;

fn code<T: std::str::FromStr<Err = BadValue>>(text: &str) -> T {
    text.parse().expect("a code")
}

#[test]
fn the_built_in_catalogue_reads() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((catalogue.groups.len(), catalogue.classes.len()), (8, 67));
    assert_eq!(catalogue.knowledge.len(), 12);
    for group in &catalogue.groups {
        let classes = catalogue.classes.iter().filter(|class| class.code.group() == group.code).count();
        assert!((7..=10).contains(&classes), "{}", group.code);
    }
    for kind in ReasonKind::ALL {
        assert!(catalogue.reasons.iter().filter(|reason| reason.kind == *kind).count() >= 6, "{kind}");
    }
}

#[test]
fn every_city_has_units_of_all_trades_and_a_local_government() {
    let units = &Catalogue::built_in().units;
    for city in City::ALL {
        let own: Vec<_> = units.iter().filter(|unit| unit.city == city).collect();
        assert!(own.iter().all(|unit| unit.code.as_str().starts_with(city.slug())), "{city}");
        assert!(own.iter().any(|unit| unit.zh.as_str().ends_with("人民政府")), "{city}");
        for class in ["0101", "0201", "0301", "0402", "0404", "0501", "0505", "0601", "0606", "0701"] {
            assert!(own.iter().any(|unit| unit.handles(code(class))), "nobody in {city} handles {class}");
        }
    }
}

#[test]
fn what_the_hotline_never_accepts_has_a_reason() {
    let refusals: BTreeSet<&str> = Catalogue::built_in()
        .reasons
        .iter()
        .filter(|reason| reason.kind == ReasonKind::Refusal)
        .map(|reason| reason.code.as_str())
        .collect();
    for never in ["litigation", "arbitration", "discipline", "reconsideration", "open_information", "petition"] {
        assert!(refusals.contains(never), "{never}");
    }
}

#[test]
fn each_city_is_offered_six_entries() {
    for city in City::ALL {
        let offered = Catalogue::built_in()
            .knowledge
            .iter()
            .filter(|entry| entry.city.is_none_or(|own| own == city) && entry.choice.is_some());
        assert_eq!(offered.count(), 6, "{city}");
    }
}

#[test]
fn built_in_texts_are_written_in_their_own_script() {
    let catalogue = Catalogue::built_in();
    let tibetan = |text: &str| text.chars().all(|letter| matches!(letter, '\u{f00}'..='\u{fff}' | ' '));
    let chinese = |text: &str| {
        let belongs = |letter| matches!(letter, '\u{3000}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}' | '0'..='9');
        text.chars().all(belongs)
    };
    let titles = (catalogue.groups.iter().map(|group| (&group.zh, &group.bo)))
        .chain(catalogue.classes.iter().map(|class| (&class.zh, &class.bo)))
        .chain(catalogue.units.iter().map(|unit| (&unit.zh, &unit.bo)))
        .chain(catalogue.reasons.iter().map(|reason| (&reason.zh, &reason.bo)))
        .chain(catalogue.knowledge.iter().map(|entry| (&entry.title_zh, &entry.title_bo)));
    for (zh, bo) in titles {
        assert!(chinese(zh.as_str()) && tibetan(bo.as_str()), "{zh} {bo}");
        assert!(!bo.as_str().ends_with(['་', '།']), "{bo}");
    }
    for entry in &catalogue.knowledge {
        assert!(chinese(entry.text_zh.as_str()) && tibetan(entry.text_bo.as_str()), "{}", entry.id);
    }
}

#[test]
fn entries_are_read_in_their_order_with_what_may_be_left_out() {
    let (groups, classes) = classes(CLASSES).expect("classes");
    assert_eq!(groups.iter().map(|group| group.active).collect::<Vec<_>>(), [true, false]);
    assert_eq!(classes.iter().map(|class| class.active).collect::<Vec<_>>(), [true, false]);
    assert_eq!((classes[0].keywords[0].as_str(), classes[1].keywords.len()), ("停水", 0));
    let units = units(UNITS, &groups, &classes).expect("units");
    assert_eq!(units[0].phone.as_ref().map(UnitPhone::as_str), Some("08916323111"));
    assert!(units[0].handles(code("0101")) && !units[0].handles(code("0201")) && !units[1].handles(code("0101")));
    let reasons = reasons(REASONS).expect("reasons");
    assert_eq!(reasons.iter().map(|reason| reason.kind.name()).collect::<Vec<_>>(), ["refusal", "return"]);
    let knowledge = knowledge(KNOWLEDGE, &units).expect("knowledge");
    assert_eq!((knowledge[0].city, knowledge[0].review_on.to_string().as_str()), (Some(City::Lhasa), "2027-06-30"));
}

/// What is said of `text` with `right` written as `wrong` in its first place.
fn complaint(text: &str, right: &str, wrong: &str) -> String {
    assert!(text.contains(right), "{right}");
    let text = text.replacen(right, wrong, 1);
    let (groups, listed) = classes(CLASSES).expect("classes");
    let known = units(UNITS, &groups, &listed).expect("units");
    let read = match &text {
        text if text.contains("[[group]]") => classes(text).map(drop),
        text if text.contains("[[unit]]") => units(text, &groups, &listed).map(drop),
        text if text.contains("[[reason]]") => reasons(text).map(drop),
        text => knowledge(text, &known).map(drop),
    };
    read.expect_err(wrong).to_string()
}

#[test]
fn each_mistake_is_named() {
    let cities = "`lhasa`, `shigatse`, `shannan`, `nyingchi`, `chamdo`, `nagqu`, `ngari`";
    let title = "a title has 1 to 120 characters on one line";
    for (text, right, wrong, expected) in [
        (CLASSES, "\"0101\"", "\"101\"", "classes.toml:7: group[0].classes[0].code: a class's code has four digits"),
        (CLASSES, "\"0101\"", "\"0201\"", "classes.toml: class 0201: code: it stands below group 01"),
        (CLASSES, "\"0102\"", "\"0101\"", "classes.toml: class 0101: it stands twice"),
        (CLASSES, "\"02\"", "\"01\"", "classes.toml: group 01: it stands twice"),
        (CLASSES, "\"02\"", "\"2\"", "classes.toml:12: group[1].code: a group's code has two digits"),
        (CLASSES, "\"供电\"", "\"\"", &format!("classes.toml:8: group[0].classes[1].zh: {title}")),
        (CLASSES, "\"ཆུ\"", "\" \"", &format!("classes.toml:7: group[0].classes[0].bo: {title}")),
        (CLASSES, "zh = \"供水\", ", "", "classes.toml:7: group[0].classes[0]: missing field `zh`"),
        (UNITS, "[\"01\", \"0102\"]", "[\"03\"]", "units.toml: unit lhasa-housing: classes: there is no 03"),
        (UNITS, "[\"01\", \"0102\"]", "[\"0103\"]", "units.toml: unit lhasa-housing: classes: there is no 0103"),
        (UNITS, "nagqu-police", "lhasa-housing", "units.toml: unit lhasa-housing: it stands twice"),
        (UNITS, "lhasa-housing", "Lhasa", "units.toml:3: unit[0].code: a unit's code has 1 to 40 of a-z, 0-9 and -"),
        (UNITS, "\"0891", "\"0891-", "units.toml:7: unit[0].phone: a unit's phone has 3 to 15 digits"),
        (UNITS, "bo = \"ཅུས\"\n", "", "units.toml:2: unit[0]: missing field `bo`"),
        (
            REASONS,
            "told_to_requester = \"请向人民法院提出。\"\n",
            "",
            "reasons.toml: reason litigation: told_to_requester: a refusal needs it",
        ),
        (
            REASONS,
            "\"refusal\"",
            "\"return\"",
            "reasons.toml: reason litigation: told_to_requester: only a refusal has it",
        ),
        (REASONS, "not_our_duty", "litigation", "reasons.toml: reason litigation: it stands twice"),
        (
            REASONS,
            "not_our_duty",
            "not-ours",
            "reasons.toml:11: reason[1].code: a reason's code has 1 to 40 of a-z, 0-9 and _",
        ),
        (KNOWLEDGE, "lhasa-housing", "lhasa-water", "knowledge.toml: knowledge heating: unit: there is no lhasa-water"),
        (
            KNOWLEDGE,
            "lhasa-housing",
            "nagqu-police",
            "knowledge.toml: knowledge heating: unit: nagqu-police is of nagqu, the entry of lhasa",
        ),
        (
            KNOWLEDGE,
            "choice = \"kb.home\"\n",
            "",
            "knowledge.toml: knowledge heating: prompt: choice and prompt go together",
        ),
        (
            KNOWLEDGE,
            "kbans.home",
            "home",
            "knowledge.toml:12: knowledge[0].prompt: a prompt's id is a group and a name, as kb.social",
        ),
        (KNOWLEDGE, "请先联系物业。", "", "knowledge.toml:8: knowledge[0].text_zh: a text has 1 to 2000 characters"),
        (
            KNOWLEDGE,
            "heating",
            "供暖",
            "knowledge.toml:3: knowledge[0].id: an entry's id has 1 to 40 of a-z, 0-9 and -",
        ),
        (KNOWLEDGE, "2027-06-30", "2027-06-31", "knowledge.toml:10: knowledge[0].review_on: input is out of range"),
        (KNOWLEDGE, "review_on = \"2027-06-30\"\n", "", "knowledge.toml:2: knowledge[0]: missing field `review_on`"),
        (
            UNITS,
            "\"lhasa\"",
            "\"beijing\"",
            &format!("units.toml:4: unit[0].city: unknown variant `beijing`, expected one of {cities}"),
        ),
        (
            UNITS,
            "phone",
            "fax",
            "units.toml:7: unit[0].fax: unknown field `fax`, expected one of `code`, `city`, `zh`, `bo`, `phone`, `classes`, `active`",
        ),
        (
            REASONS,
            "\"refusal\"",
            "\"refused\"",
            "reasons.toml:3: reason[0].kind: unknown variant `refused`, expected one of `refusal`, `return`, `extension`, `suspension`, `exclusion`",
        ),
        (KNOWLEDGE, "id = ", "id ", "knowledge.toml:3: key with no value, expected `=`"),
    ] {
        assert_eq!(complaint(text, right, wrong), expected);
    }
}
