//! Classes, units, reasons and knowledge: read, changed, retired, and what stands against a change.

use hotline::city::City;
use hotline::store::{AuditFilter, By, Conflict, Kept, NotKept, Placed, Store};
use hotline::ticket::catalogue::{
    Catalogue, Class, Group, Knowledge, Misfit, Reason, ReasonKind, ReplyTemplate, TemplateKind, Unit,
};
use hotline::ticket::{Actor, ClassCode, GroupCode};

use crate::fixture::{Fixture, morning, on_each_database};

on_each_database!(
    an_empty_store_has_what_the_program_carries,
    what_is_kept_is_read_back_and_kept_once,
    a_group_is_retired_after_its_classes_and_comes_back_before_them,
    a_class_needs_its_group,
    a_units_classes_are_listed_and_its_city_stays,
    a_refusal_tells_the_requester_and_a_code_has_one_kind,
    knowledge_is_of_its_units_city_and_has_both_prompts_or_none,
    an_entry_that_gets_its_own_prompts_keeps_what_was_written_meanwhile,
    a_unit_gives_its_knowledge_away_before_it_is_retired,
    a_change_names_who_made_it_and_what_was,
    a_reply_template_is_everybodys_or_of_a_unit_in_its_city,
);

fn by() -> By {
    By { actor: Actor::Operator, address: Some("192.0.2.7".to_owned()) }
}

fn misfit(kept: Result<Kept, NotKept>) -> Misfit {
    match kept.expect_err("it does not fit") {
        NotKept::Misfit(misfit) => misfit,
        other => panic!("no misfit: {other}"),
    }
}

fn conflict(kept: Result<Kept, NotKept>) -> Conflict {
    match kept.expect_err("something stands against it") {
        NotKept::Conflict(conflict) => conflict,
        other => panic!("no conflict: {other}"),
    }
}

async fn class(store: &Store, code: &str) -> Class {
    let code: ClassCode = code.parse().expect("a code");
    let classes = store.classes().await.expect("read");
    classes.into_iter().find(|class| class.code == code).expect("it is there")
}

async fn unit(store: &Store, code: &str) -> Unit {
    let units = store.units(None).await.expect("read");
    units.into_iter().find(|unit| unit.code.as_str() == code).expect("it is there")
}

async fn entry(store: &Store, id: &str) -> Knowledge {
    store.knowledge_entry(&id.parse().expect("an id")).await.expect("read").expect("it is there").entry
}

async fn an_empty_store_has_what_the_program_carries(fixture: Fixture) {
    let (store, built_in) = (&fixture.store, Catalogue::built_in());
    assert_eq!(store.groups().await.expect("read"), built_in.groups);
    assert_eq!(store.classes().await.expect("read"), built_in.classes);
    let knowledge = store.knowledge(None).await.expect("read");
    assert_eq!(
        knowledge.iter().map(|placed| &placed.entry).collect::<Vec<_>>(),
        built_in.knowledge.iter().collect::<Vec<_>>()
    );
    assert!(knowledge.iter().map(|placed| placed.position).eq(1..=12));
    let sorted = |mut units: Vec<Unit>| {
        units.sort_by(|a, b| (a.city.slug(), &a.code).cmp(&(b.city.slug(), &b.code)));
        units
    };
    assert_eq!(sorted(store.units(None).await.expect("read")), sorted(built_in.units.clone()));
    let of = |city| built_in.units.iter().filter(move |unit| unit.city == city).count();
    assert_eq!(store.units(Some(City::Nagqu)).await.expect("read").len(), of(City::Nagqu));
    let reasons = store.reasons(Some(ReasonKind::Refusal)).await.expect("read");
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason.told_to_requester.is_some()));
    assert_eq!(store.reasons(None).await.expect("read").len(), built_in.reasons.len());
    let of_lhasa = store.knowledge(Some(City::Lhasa)).await.expect("read");
    assert!(of_lhasa.iter().all(|placed| placed.entry.city.is_none_or(|city| city == City::Lhasa)));
    assert!(of_lhasa.len() < knowledge.len());
}

async fn what_is_kept_is_read_back_and_kept_once(fixture: Fixture) {
    let store = &fixture.store;
    let mut class = class(store, "0101").await;
    class.keywords = vec!["停水".parse().expect("a word"), "水 压".parse().expect("words")];
    assert_eq!(store.keep_class(&class, &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(store.keep_class(&class, &by(), morning()).await, Ok(Kept::Unchanged));
    class.code = "0199".parse().expect("a code");
    assert_eq!(store.keep_class(&class, &by(), morning()).await, Ok(Kept::Added));
    assert_eq!(self::class(store, "0199").await, class);

    let mut new = entry(store, "social-insurance").await;
    new.id = "pension".parse().expect("an id");
    new.city = Some(City::Lhasa);
    assert_eq!(store.keep_knowledge(&new, None, &by(), morning()).await, Ok(Kept::Added));
    let last = store.knowledge(None).await.expect("read").pop().expect("one");
    assert_eq!((last.position, &last.entry), (13, &new));
    assert_eq!(store.keep_knowledge(&new, Some(1), &by(), morning()).await, Ok(Kept::Changed));
    let placed = store.knowledge_entry(&new.id).await.expect("read").expect("there");
    assert_eq!(placed.position, 1);
    assert_eq!(store.keep_knowledge(&new, None, &by(), morning()).await, Ok(Kept::Unchanged), "it stays where it is");
}

async fn a_group_is_retired_after_its_classes_and_comes_back_before_them(fixture: Fixture) {
    let store = &fixture.store;
    let code: GroupCode = "77".parse().expect("a code");
    let title = |text: &str| text.parse().expect("a title");
    let group = Group { code, zh: title("其他"), bo: title("གཞན"), active: true };
    assert_eq!(store.keep_group(&group, &by(), morning()).await, Ok(Kept::Added));
    let class = Class { code: "7701".parse().expect("a code"), ..class(store, "0101").await };
    assert_eq!(store.keep_class(&class, &by(), morning()).await, Ok(Kept::Added));
    let retired = Group { active: false, ..group.clone() };
    assert_eq!(conflict(store.keep_group(&retired, &by(), morning()).await), Conflict::ClassesInUse);
    store.keep_class(&Class { active: false, ..class.clone() }, &by(), morning()).await.expect("retired");
    assert_eq!(store.keep_group(&retired, &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(conflict(store.keep_class(&class, &by(), morning()).await), Conflict::GroupRetired);
    store.keep_group(&group, &by(), morning()).await.expect("back");
    assert_eq!(store.keep_class(&class, &by(), morning()).await, Ok(Kept::Changed));
}

async fn a_class_needs_its_group(fixture: Fixture) {
    let class = Class { code: "7801".parse().expect("a code"), ..class(&fixture.store, "0101").await };
    assert_eq!(misfit(fixture.store.keep_class(&class, &by(), morning()).await), Misfit::NoGroup);
}

async fn a_units_classes_are_listed_and_its_city_stays(fixture: Fixture) {
    let store = &fixture.store;
    let unit = unit(store, "lhasa-housing").await;
    let unknown = Unit { classes: vec!["7999".parse().expect("a class")], ..unit.clone() };
    assert_eq!(misfit(store.keep_unit(&unknown, &by(), morning()).await), Misfit::NoSubject(unknown.classes[0]));
    let moved = Unit { city: City::Ngari, ..unit.clone() };
    assert_eq!(conflict(store.keep_unit(&moved, &by(), morning()).await), Conflict::OtherCity);
    let classes = vec!["0101".parse().expect("a class"), "02".parse().expect("a group")];
    let changed = Unit { phone: "08916300000".parse().ok(), classes, ..unit };
    assert_eq!(store.keep_unit(&changed, &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(self::unit(store, "lhasa-housing").await, changed);
}

async fn a_refusal_tells_the_requester_and_a_code_has_one_kind(fixture: Fixture) {
    let store = &fixture.store;
    let refusal = store.reasons(Some(ReasonKind::Refusal)).await.expect("read").remove(0);
    let silent = Reason { told_to_requester: None, ..refusal.clone() };
    assert_eq!(misfit(store.keep_reason(&silent, &by(), morning()).await), Misfit::NothingTold);
    let other = Reason { kind: ReasonKind::Return, ..refusal.clone() };
    assert_eq!(misfit(store.keep_reason(&other, &by(), morning()).await), Misfit::ToldWithoutRefusal);
    let other = Reason { told_to_requester: None, ..other };
    assert_eq!(conflict(store.keep_reason(&other, &by(), morning()).await), Conflict::OtherKind(ReasonKind::Refusal));
    let retired = Reason { active: false, ..refusal };
    assert_eq!(store.keep_reason(&retired, &by(), morning()).await, Ok(Kept::Changed));
    let read = store.reasons(Some(ReasonKind::Refusal)).await.expect("read");
    assert!(read.contains(&retired), "what is retired is still there");
}

async fn knowledge_is_of_its_units_city_and_has_both_prompts_or_none(fixture: Fixture) {
    let store = &fixture.store;
    let entry = entry(store, "social-insurance").await;
    let city = Knowledge { city: Some(City::Ngari), ..entry.clone() };
    let expected = Misfit::OtherCity { unit: entry.unit.clone(), of: City::Lhasa, city: City::Ngari };
    assert_eq!(misfit(store.keep_knowledge(&city, None, &by(), morning()).await), expected);
    let nobody = Knowledge { unit: "lhasa-nobody".parse().expect("a code"), ..entry.clone() };
    assert_eq!(
        misfit(store.keep_knowledge(&nobody, None, &by(), morning()).await),
        Misfit::NoUnit(nobody.unit.clone())
    );
    let alone = Knowledge { prompt: None, ..entry };
    assert_eq!(misfit(store.keep_knowledge(&alone, None, &by(), morning()).await), Misfit::PromptAlone);
}

async fn an_entry_that_gets_its_own_prompts_keeps_what_was_written_meanwhile(fixture: Fixture) {
    let store = &fixture.store;
    let own = ["kb.own", "kbans.own"].map(|id| id.parse().expect("an id"));
    let read = entry(store, "social-insurance").await;
    let changed = Knowledge { title_zh: "社保怎么办".parse().expect("a title"), ..read.clone() };
    assert_eq!(store.keep_knowledge(&changed, Some(7), &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(store.name_prompts(&read.id, &own, &by(), morning()).await, Ok(Kept::Changed));
    let [choice, prompt] = own.clone().map(Some);
    let placed = store.knowledge_entry(&read.id).await.expect("read").expect("there");
    assert_eq!(placed, Placed { entry: Knowledge { choice, prompt, ..changed }, position: 7 });
    let filter = AuditFilter { subject: Some("knowledge social-insurance".to_owned()), ..AuditFilter::default() };
    let told = store.audit_entries(&filter, 10).await.expect("read").swap_remove(0);
    let fields: Vec<_> = told.changes.iter().map(|change| (change.field.as_str(), change.is.as_deref())).collect();
    assert_eq!(fields, [("choice", Some("kb.own")), ("prompt", Some("kbans.own"))]);
    assert_eq!(store.name_prompts(&read.id, &own, &by(), morning()).await, Ok(Kept::Unchanged));
    let nobodys = "nobodys".parse().expect("an id");
    assert_eq!(store.name_prompts(&nobodys, &own, &by(), morning()).await, Ok(Kept::Unchanged));
    assert_eq!(store.knowledge_entry(&nobodys).await, Ok(None));
}

async fn a_unit_gives_its_knowledge_away_before_it_is_retired(fixture: Fixture) {
    let store = &fixture.store;
    let entry = entry(store, "social-insurance").await;
    let retired = Unit { active: false, ..unit(store, entry.unit.as_str()).await };
    assert_eq!(conflict(store.keep_unit(&retired, &by(), morning()).await), Conflict::KnowledgeInUse);
    for Placed { entry: of, .. } in store.knowledge(None).await.expect("read") {
        if of.unit == entry.unit {
            let given = Knowledge { unit: "lhasa-police".parse().expect("a code"), ..of };
            assert_eq!(store.keep_knowledge(&given, None, &by(), morning()).await, Ok(Kept::Changed));
        }
    }
    assert_eq!(store.keep_unit(&retired, &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(conflict(store.keep_knowledge(&entry, None, &by(), morning()).await), Conflict::UnitRetired);
}

async fn a_change_names_who_made_it_and_what_was(fixture: Fixture) {
    let store = &fixture.store;
    let class = Class { active: false, ..class(store, "0101").await };
    store.keep_class(&class, &by(), morning()).await.expect("kept");
    let new = Class { code: "0199".parse().expect("a code"), ..class };
    store.keep_class(&new, &by(), morning()).await.expect("kept");
    let changed = fixture
        .rows(
            "select actor || ' ' || action || ' ' || address || ' ' || changes from audit where subject = 'class 0101'",
        )
        .await;
    assert_eq!(changed, [r#"operator changed 192.0.2.7 [{"field":"active","was":"true","is":"false"}]"#]);
    let added = fixture.rows("select action || ' ' || changes from audit where subject = 'class 0199'").await;
    assert!(added[0].starts_with(r#"added [{"field":"zh","is":""#), "{added:?}");
}

async fn a_reply_template_is_everybodys_or_of_a_unit_in_its_city(fixture: Fixture) {
    let store = &fixture.store;
    let mut template = ReplyTemplate {
        id: "first-contact".parse().expect("an id"),
        city: None,
        unit: None,
        kind: TemplateKind::Contact,
        title: "首次联系".parse().expect("a title"),
        text_zh: "您好，您的诉求我单位已受理。".parse().expect("a text"),
        text_bo: Some("བཀྲ་ཤིས་བདེ་ལེགས།".parse().expect("a text")),
        active: true,
    };
    assert_eq!(store.keep_reply_template(&template, &by(), morning()).await, Ok(Kept::Added));
    assert_eq!(store.keep_reply_template(&template, &by(), morning()).await, Ok(Kept::Unchanged));
    assert_eq!(store.reply_template(&template.id).await, Ok(Some(template.clone())));
    (template.city, template.unit) = (Some(City::Lhasa), "lhasa-housing".parse().ok());
    template.text_bo = None;
    assert_eq!(store.keep_reply_template(&template, &by(), morning()).await, Ok(Kept::Changed));
    assert_eq!(store.reply_templates(Some(City::Lhasa)).await, Ok(vec![template.clone()]));
    assert_eq!(store.reply_templates(Some(City::Ngari)).await, Ok(Vec::new()));

    let elsewhere = ReplyTemplate { city: Some(City::Ngari), ..template.clone() };
    assert!(matches!(misfit(store.keep_reply_template(&elsewhere, &by(), morning()).await), Misfit::OtherCity { .. }));
    let nobodys = ReplyTemplate { unit: "lhasa-nobody".parse().ok(), ..template.clone() };
    assert!(matches!(misfit(store.keep_reply_template(&nobodys, &by(), morning()).await), Misfit::NoUnit(_)));
    assert_eq!(store.reply_template(&template.id).await, Ok(Some(template)), "a refusal changes nothing");

    let subject = "reply_template first-contact".to_owned();
    let filter = AuditFilter { subject: Some(subject), ..AuditFilter::default() };
    let audit = store.audit_entries(&filter, 10).await.expect("read");
    let changed: Vec<&str> = audit[0].changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((audit.len(), changed), (2, vec!["city", "unit", "text_bo"]));
}
