use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn working_days(days: u32) -> WorkingDays {
    WorkingDays::new(days).expect("from 1 to 366")
}

fn calendar(text: &str) -> Calendar {
    Calendar::new(Calendar::parse(text).expect("announcements"))
}

/// The lines as somebody reads them.
fn told(days: &[DayLine]) -> Vec<String> {
    let nth = |line: &DayLine| line.counted.map_or("-".to_owned(), |nth| nth.to_string());
    days.iter().map(|line| format!("{} {} {} {}", line.day, line.weekday, nth(line), line.reason)).collect()
}

#[test]
fn every_known_due_date_holds_exactly() {
    let calendar = Calendar::built_in();
    let cases = include_str!("../../../tests/data/due_dates.tsv");
    let lines: Vec<&str> = cases.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 6);
    for line in lines {
        let [accepted, days, national, lhasa] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {line}");
        };
        let days = days.parse().expect("working days");
        for (city, due) in [(None, national), (Some(City::Lhasa), lhasa)] {
            let expected = DueDay { day: day(due), provisional: false };
            assert_eq!(calendar.due_day(city, day(accepted), days), expected, "{line}");
            assert_eq!(calendar.due(city, day(accepted), days).day, day(due), "{line}");
        }
    }
}

#[test]
fn the_list_says_why_each_day_was_counted_or_skipped() {
    let due = Calendar::built_in().due(Some(City::Lhasa), day("2026-02-13"), working_days(4));
    assert_eq!(due.at().to_rfc3339(), "2026-03-02T15:59:59+00:00");
    let told = told(&due.days);
    assert_eq!(told.len(), 17);
    assert_eq!(told[..2], ["2026-02-14 Sat 1 work by lhasa", "2026-02-15 Sun - off by lhasa"]);
    assert_eq!(
        told[12..],
        [
            "2026-02-26 Thu - off by lhasa",
            "2026-02-27 Fri 2 weekday",
            "2026-02-28 Sat 3 work by lhasa",
            "2026-03-01 Sun - weekend",
            "2026-03-02 Mon 4 weekday"
        ]
    );
}

#[test]
fn a_city_is_heard_before_the_region_and_the_region_before_the_nation() {
    let calendar = calendar(
        "[national.2026]\noff = [\"2026-05-04..2026-05-08\"]\n\
         [region.2026]\nwork = [\"2026-05-05\"]\noff = [\"2026-05-11\"]\n\
         [ngari.2026]\noff = [\"2026-05-05\"]\nwork = [\"2026-05-06\", \"2026-05-09\"]\n",
    );
    let reasons = |city| {
        let reason = |of: u32| calendar.reason(city, day(&format!("2026-05-{of:02}"))).to_string();
        [4, 5, 6, 9, 11].map(reason)
    };
    let weekend = "weekend";
    assert_eq!(reasons(None), ["off by national", "off by national", "off by national", weekend, "weekday"]);
    let lhasa = ["off by national", "work by region", "off by national", weekend, "off by region"];
    assert_eq!(reasons(Some(City::Lhasa)), lhasa);
    let ngari = ["off by national", "off by ngari", "work by ngari", "work by ngari", "off by region"];
    assert_eq!(reasons(Some(City::Ngari)), ngari);
}

#[test]
fn a_count_that_touches_an_unannounced_year_is_provisional() {
    let calendar = Calendar::built_in();
    let due = |from: &str, days| calendar.due_day(Some(City::Chamdo), day(from), working_days(days));
    assert_eq!(due("2026-12-24", 5), DueDay { day: day("2026-12-31"), provisional: false });
    assert_eq!(due("2026-12-24", 6), DueDay { day: day("2027-01-01"), provisional: true });
    assert_eq!(due("2024-12-31", 1), DueDay { day: day("2025-01-02"), provisional: false });
    assert!(due("2024-12-30", 1).provisional, "2024-12-31 was counted");
    let years = calendar.unannounced_years(day("2024-12-30"), day("2028-01-01"));
    assert_eq!(years.collect::<Vec<_>>(), [2024, 2027, 2028]);
}

#[test]
fn what_a_city_announces_leaves_the_year_provisional() {
    let calendar = calendar("[lhasa.2027]\noff = [\"2027-02-08..2027-02-12\"]\n");
    let due = calendar.due_day(Some(City::Lhasa), day("2027-02-05"), working_days(1));
    assert_eq!(due, DueDay { day: day("2027-02-15"), provisional: true });
}

#[test]
fn an_announcement_takes_the_place_of_the_one_before() {
    let mut calendar = Calendar::built_in();
    let due = |calendar: &Calendar| calendar.due_day(Some(City::Lhasa), day("2026-12-31"), working_days(1));
    assert_eq!(due(&calendar), DueDay { day: day("2027-01-01"), provisional: true });
    let first = Announcement::new(Scope::Nation, 2027, [day("2027-01-01")], []).expect("an announcement");
    assert_eq!(calendar.replace(first.clone()), None);
    assert_eq!(due(&calendar), DueDay { day: day("2027-01-04"), provisional: false });
    let second = Announcement::new(Scope::Nation, 2027, [day("2027-01-01")], [day("2027-01-02")]);
    assert_eq!(calendar.replace(second.expect("an announcement")), Some(first));
    assert_eq!(due(&calendar), DueDay { day: day("2027-01-02"), provisional: false });
    assert_eq!(calendar.announcements().count(), 5);
    assert_eq!(calendar, Calendar::new(calendar.announcements().cloned()));
}

#[test]
fn an_announcement_holds_only_days_of_its_year_each_once() {
    let new_year = day("2026-01-01");
    let announced = |year, off: &[NaiveDate], work: &[NaiveDate]| {
        let new = Announcement::new(Scope::Region, year, off.iter().copied(), work.iter().copied());
        new.expect_err("not to be used")
    };
    assert_eq!(announced(1999, &[new_year], &[]), BadDays::Year);
    assert_eq!(announced(2100, &[new_year], &[]), BadDays::Year);
    assert_eq!(announced(2026, &[], &[]), BadDays::NoDays);
    assert_eq!(announced(2025, &[], &[new_year]), BadDays::OtherYear { day: new_year, year: 2025 });
    assert_eq!(announced(2026, &[new_year, new_year], &[]), BadDays::Twice { day: new_year });
    assert_eq!(announced(2026, &[new_year], &[new_year]), BadDays::OffAndWork { day: new_year });
}

#[test]
fn every_mistake_names_its_line_section_and_key() {
    let national = |days: &str| format!("# days\n[national.2026]\n{days}\n");
    for (text, error) in [
        ("[national.2026".to_owned(), "line 1: unclosed table, expected `]`"),
        (national("off = [\"2026-01-01\""), "line 3: national.2026: unclosed array, expected `]`"),
        (
            format!("{}[national.2026]\nwork = []", national("off = [\"2026-01-01\"]")),
            "line 4: national.2026: duplicate key",
        ),
        (national("off = []\noff = []"), "line 4: national.2026: duplicate key"),
        (
            "[shanghai.2026]\noff = []".to_owned(),
            "line 1: shanghai: days off are national, of the region, or of lhasa, shigatse, shannan, nyingchi, \
             chamdo, nagqu or ngari",
        ),
        ("\nnational = 2026".to_owned(), "line 2: national: a section is [national.YEAR]"),
        (
            "[national]\noff = [\"2026-01-01\"]".to_owned(),
            "line 2: national.off: years are announced from 2000 to 2099",
        ),
        ("[region.1999]".to_owned(), "line 1: region.1999: years are announced from 2000 to 2099"),
        ("[region.02026]".to_owned(), "line 1: region.02026: years are announced from 2000 to 2099"),
        (
            "[region]\n2026 = \"2026-01-01\"".to_owned(),
            "line 2: region.2026: a section holds off = [days] and work = [days]",
        ),
        (national("work = []"), "line 2: national.2026: no day is named, neither off nor work"),
        (national("of = [\"2026-01-01\"]"), "line 3: national.2026.of: an announcement has off and work, nothing else"),
        (
            national("off = \"2026-01-01\""),
            "line 3: national.2026.off: a list of days in quotes is wanted, [\"YYYY-MM-DD\", \
             \"YYYY-MM-DD..YYYY-MM-DD\"]",
        ),
        (
            national("off = [\n\"2026-01-01\",\n2026-01-02]"),
            "line 5: national.2026.off[1]: a list of days in quotes is wanted, [\"YYYY-MM-DD\", \
             \"YYYY-MM-DD..YYYY-MM-DD\"]",
        ),
        (
            national("off = [\"2026-02-30\"]"),
            "line 3: national.2026.off[0]: \"2026-02-30\" is neither a day of the calendar, YYYY-MM-DD, nor a range, \
             YYYY-MM-DD..YYYY-MM-DD",
        ),
        (
            national("off = [\"2026-02-07..2026-02-01\"]"),
            "line 3: national.2026.off[0]: 2026-02-07..2026-02-01 runs backwards",
        ),
        (
            national("off = [\"2026-12-31..2027-01-02\"]"),
            "line 3: national.2026.off[0]: 2026-12-31..2027-01-02 runs over New Year: give each year its own days, in \
             its own section",
        ),
        (national("work = [\"2025-01-26\"]"), "line 3: national.2026.work[0]: 2025-01-26 is not in 2026"),
        (
            national("off = [\"2026-05-01..2026-05-05\",\n\"2026-05-05\"]"),
            "line 4: national.2026.off[1]: 2026-05-05 is named twice",
        ),
        (
            national("work = [\"2026-05-05\"]\noff = [\"2026-05-01..2026-05-05\"]"),
            "line 3: national.2026.work[0]: 2026-05-05 is both off and work",
        ),
    ] {
        assert_eq!(Calendar::parse(&text).expect_err(&text).to_string(), error, "{text}");
    }
}

#[test]
fn only_days_written_out_are_read() {
    for text in ["2026-1-1", "+2026-01-1", " 2026-01-01", "2026-01-01..", "2026-01-01...2026-01-02", "26-01-01", ""] {
        let error = Calendar::parse(&format!("[national.2026]\noff = [\"{text}\"]")).expect_err(text);
        assert!(error.what.contains("neither a day"), "{text}: {error}");
    }
}

#[test]
fn scopes_survive_their_names() {
    let cities = City::ALL.map(Scope::City);
    for scope in [Scope::Nation, Scope::Region].into_iter().chain(cities) {
        assert_eq!(scope.name().parse(), Ok(scope));
        let text = serde_json::to_string(&scope).expect("text");
        assert_eq!(text, format!("\"{scope}\""));
        assert_eq!(serde_json::from_str::<Scope>(&text).expect("a scope"), scope);
    }
    assert_eq!("national".parse(), Ok(Scope::Nation));
    assert_eq!("Lhasa".parse::<Scope>(), Err(UnknownScope));
}

#[test]
fn nothing_takes_more_than_a_year_of_working_days() {
    for (text, days) in [("1", Some(1)), ("366", Some(366)), ("0", None), ("367", None), ("-1", None), ("five", None)] {
        assert_eq!(text.parse::<WorkingDays>().ok().map(WorkingDays::count), days, "{text}");
        let error = text.parse::<WorkingDays>().err().map(|error| error.to_string());
        let expected = days.is_none().then(|| "working days are a whole number from 1 to 366".to_owned());
        assert_eq!(error, expected);
    }
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let calendar = Calendar::built_in();
    let end = calendar.due(Some(City::Lhasa), NaiveDate::MAX, working_days(5));
    assert_eq!((end.day, end.provisional, end.days), (NaiveDate::MAX, true, Vec::new()));
    let near = NaiveDate::MAX.pred_opt().expect("a day before");
    assert_eq!(calendar.due(None, near, working_days(366)).days.len(), 1);
    let first = calendar.due(None, NaiveDate::MIN, working_days(1));
    assert!(first.provisional && first.at() > chrono::DateTime::<chrono::Utc>::MIN_UTC);
    assert_eq!(calendar.next_working_day(None, NaiveDate::MAX), NaiveDate::MAX);
    assert_eq!(calendar.days(None, NaiveDate::MAX, NaiveDate::MIN), []);
    let weeks = NaiveDate::MAX.signed_duration_since(NaiveDate::MIN).num_weeks();
    let whole = NaiveDate::MIN + chrono::Days::new(weeks.unsigned_abs() * 7);
    let all = i64::from(calendar.working_days_between(None, NaiveDate::MIN, whole));
    assert_eq!(all, weeks * 5 - 37 + 11, "of 2025 and 2026, 37 weekdays were off and 11 days of weekends worked");
    assert_eq!(calendar.working_days_between(None, NaiveDate::MAX, NaiveDate::MIN), 0);
}

/// Years that are announced or not, and what lies around them.
const YEARS: RangeInclusive<i32> = 2024..=2029;

fn announcements() -> impl Strategy<Value = Vec<Announcement>> {
    let scope = prop_oneof![
        3 => Just(Scope::Nation),
        1 => Just(Scope::Region),
        2 => prop::sample::select(&City::ALL[..2]).prop_map(Scope::City),
    ];
    let days = prop::collection::btree_map(1u32..=365, any::<bool>(), 1..120);
    let announcement = (scope, YEARS, days).prop_map(|(scope, year, days)| {
        let named = |is_off: bool| {
            let days = days.iter().filter(move |(_, off)| **off == is_off).map(|(ordinal, _)| *ordinal);
            days.map(|ordinal| NaiveDate::from_yo_opt(year, ordinal).expect("a day")).collect::<Vec<_>>()
        };
        Announcement::new(scope, year, named(true), named(false)).expect("days of that year")
    });
    prop::collection::vec(announcement, 0..8)
}

prop_compose! {
    fn days()(year in 2023i32..=2030, ordinal in 1u32..=365) -> NaiveDate {
        NaiveDate::from_yo_opt(year, ordinal).expect("a day")
    }
}

fn cities() -> impl Strategy<Value = Option<City>> {
    prop::sample::select(vec![None, Some(City::Lhasa), Some(City::Shigatse), Some(City::Ngari)])
}

proptest! {
    #[test]
    fn the_quick_count_is_the_one_that_is_explained(
        announced in announcements(), city in cities(), from in days(), days in 1u32..=WorkingDays::MOST,
    ) {
        let calendar = Calendar::new(announced);
        let due = calendar.due(city, from, working_days(days));
        let counted: Vec<u32> = due.days.iter().filter_map(|line| line.counted).collect();
        prop_assert_eq!(counted, (1..=days).collect::<Vec<_>>());
        let last = due.days.last().expect("a day that was counted");
        prop_assert_eq!((last.day, last.counted), (due.day, Some(days)));
        prop_assert!(calendar.is_working_day(city, due.day));
        prop_assert_eq!(calendar.working_days_between(city, from, due.day), days);
        let unannounced = due.days.iter().any(|line| !calendar.is_announced(line.day.year()));
        prop_assert_eq!(due.provisional, unannounced);
        for line in &due.days {
            prop_assert_eq!(calendar.is_working_day(city, line.day), line.counted.is_some(), "{:?}", line);
        }
    }

    #[test]
    fn a_day_more_is_due_later_and_by_one_working_day(
        announced in announcements(), city in cities(), from in days(), days in 1u32..WorkingDays::MOST,
    ) {
        let calendar = Calendar::new(announced);
        let due = |days| calendar.due_day(city, from, working_days(days)).day;
        prop_assert!(due(days) < due(days + 1));
        prop_assert_eq!(calendar.next_working_day(city, due(days)), due(days + 1));
    }

    #[test]
    fn working_days_between_are_those_of_the_list(
        announced in announcements(), city in cities(), after in days(), until in days(),
    ) {
        let calendar = Calendar::new(announced);
        let listed = calendar.days(city, after, until).iter().filter(|line| line.counted.is_some()).count();
        prop_assert_eq!(calendar.working_days_between(city, after, until) as usize, listed);
    }

    #[test]
    fn a_city_without_an_announcement_keeps_the_nations_days(
        announced in announcements(), from in days(), days in 1u32..=WorkingDays::MOST,
    ) {
        let calendar = Calendar::new(announced.into_iter().filter(|announced| announced.scope() != Scope::Region));
        let due = |city| calendar.due(city, from, working_days(days));
        prop_assert_eq!(due(Some(City::Nagqu)), due(None));
    }

    #[test]
    fn any_text_is_answered(text in "\\PC*", days in "[-.0-9]{0,24}") {
        let _ = Calendar::parse(&text);
        let _ = Calendar::parse(&format!("[national.2026]\noff = [\"{days}\"]"));
    }
}
