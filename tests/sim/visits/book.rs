//! What was done in the year, and a judge who knows the rules of domain §4 but not the code that follows them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use hotline::city::City;
use hotline::ticket::{Given, Outcome};

/// An automatic call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub visit: usize,
    pub number: usize,
    pub city: City,
    pub began: DateTime<Utc>,
    pub ended: DateTime<Utc>,
    pub outcome: Outcome,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Call,
    CallBack,
    Partial,
    Sms,
    Person,
    Unreached,
    NoPhone,
}

#[derive(Default)]
struct Closing {
    at: Option<DateTime<Utc>>,
    has_phone: bool,
    calls: u32,
    sms: Option<DateTime<Utc>>,
    /// Answers typed, in whatever way.
    typed: u32,
    end: Option<(DateTime<Utc>, End, Given)>,
}

#[derive(Default)]
pub struct Book {
    closings: Vec<Closing>,
    calls: Vec<Call>,
    opted_out: HashMap<usize, DateTime<Utc>>,
}

impl Book {
    pub fn closed(&mut self, visit: usize, at: DateTime<Utc>, has_phone: bool) {
        assert_eq!(visit, self.closings.len());
        self.closings.push(Closing { at: Some(at), has_phone, ..Closing::default() });
    }

    pub fn call(&mut self, call: Call) {
        self.closings[call.visit].calls += 1;
        self.calls.push(call);
    }

    pub fn sms(&mut self, visit: usize, at: DateTime<Utc>) {
        assert_eq!(self.closings[visit].sms.replace(at), None, "a second SMS");
    }

    pub fn typed(&mut self, visit: usize) {
        self.closings[visit].typed += 1;
    }

    pub fn opted_out(&mut self, number: usize, at: DateTime<Utc>) {
        self.opted_out.entry(number).or_insert(at);
    }

    pub fn over(&mut self, visit: usize, at: DateTime<Utc>, end: End, given: Given) {
        assert!(self.closings[visit].end.replace((at, end, given)).is_none(), "a visit ended twice");
    }

    /// A book with one call that was answered, for a closing of the hour before.
    pub fn with_call_at(at: &str) -> Book {
        let began: DateTime<Utc> = at.parse().expect("a time");
        let mut book = Book::default();
        book.closed(0, began - TimeDelta::hours(1), true);
        let ended = began + TimeDelta::minutes(1);
        book.call(Call { visit: 0, number: 0, city: City::Chamdo, began, ended, outcome: Outcome::NoAnswer });
        book.over(0, ended, End::Unreached, Given::default());
        book
    }

    /// # Panics
    /// At the first rule that was broken.
    pub fn judge(&self) {
        let off = days_off();
        for call in &self.calls {
            hours(call);
            let there = call.began + TimeDelta::hours(8);
            let quiet = |scope: &str| off.get(scope).is_some_and(|days| days.contains(&there.date_naive()));
            assert!(!quiet("national") && !quiet(call.city.slug()), "on a quiet day: {call:?}");
            let opted_out = self.opted_out.get(&call.number).is_some_and(|since| call.began > *since);
            assert!(!opted_out, "somebody who wants no calls was called: {call:?}");
        }
        self.numbers();
        self.attempts();
        self.ends();
    }

    /// One call at a time, two a day, one answered survey a day, four hours after one that may have rung.
    fn numbers(&self) {
        let mut by_number: HashMap<usize, Vec<&Call>> = HashMap::new();
        for call in &self.calls {
            by_number.entry(call.number).or_default().push(call);
        }
        for calls in by_number.values_mut() {
            calls.sort_by_key(|call| call.began);
            for pair in calls.windows(2) {
                assert!(pair[0].ended <= pair[1].began, "two calls at once: {pair:?}");
                let cool = pair[0].outcome != Outcome::Unknown || pair[1].began - pair[0].began >= TimeDelta::hours(4);
                assert!(cool, "called again inside the cool-down: {pair:?}");
            }
            let mut days: BTreeMap<NaiveDate, (u32, u32)> = BTreeMap::new();
            for call in calls.iter().filter(|call| counts(call)) {
                let day = days.entry((call.began + TimeDelta::hours(8)).date_naive()).or_default();
                day.0 += 1;
                day.1 += u32::from(matches!(call.outcome, Outcome::Complete | Outcome::Partial));
            }
            assert!(
                days.values().all(|(called, answered)| *called <= 2 && *answered <= 1),
                "too many a day: {calls:?}"
            );
        }
    }

    /// Three attempts a visit, in different half-days and four hours apart.
    fn attempts(&self) {
        let mut by_visit: BTreeMap<usize, Vec<&Call>> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| counts(call)) {
            by_visit.entry(call.visit).or_default().push(call);
        }
        for calls in by_visit.values_mut() {
            calls.sort_by_key(|call| call.began);
            assert!(calls.len() <= 3, "more than three attempts: {calls:?}");
            for pair in calls.windows(2) {
                assert!(pair[1].began - pair[0].began >= TimeDelta::hours(4), "too soon: {pair:?}");
                assert_ne!(half_day(pair[0]), half_day(pair[1]), "twice in one half-day: {pair:?}");
            }
        }
    }

    /// Everybody was attempted, everything ended, no answer is missing.
    fn ends(&self) {
        for (visit, closing) in self.closings.iter().enumerate() {
            let Some((_, end, given)) = closing.end else { panic!("visit {visit} never ended") };
            let attempted = closing.calls > 0 || closing.sms.is_some() || matches!(end, End::Person | End::Unreached);
            assert_eq!(attempted, closing.has_phone, "visit {visit} was not attempted");
            assert_eq!(end == End::NoPhone, !closing.has_phone, "visit {visit}");
            let kept = [given.contacted.is_some(), given.solved.is_some(), given.satisfaction.is_some()];
            let kept = kept.into_iter().map(u32::from).sum::<u32>();
            assert!(kept == closing.typed.min(3), "visit {visit}: {} answers typed, {given:?}", closing.typed);
            let answered = !matches!(end, End::Unreached | End::NoPhone);
            assert_eq!(answered, kept > 0, "visit {visit}: {end:?} with {given:?}");
        }
    }

    pub fn figures(&self) -> String {
        let mut text = format!("{} closings, {} calls\n", self.closings.len(), self.calls.len());
        let mut line = |name: &str, count: usize, of: usize| {
            text.push_str(&format!("  {name:<14} {count:>7}  {:>5.1} %\n", count as f64 * 100.0 / of.max(1) as f64));
        };
        for outcome in Outcome::ALL {
            let count = self.calls.iter().filter(|call| call.outcome == *outcome).count();
            if count > 0 {
                line(outcome.name(), count, self.calls.len());
            }
        }
        let ends = [End::Call, End::CallBack, End::Partial, End::Sms, End::Person, End::Unreached, End::NoPhone];
        for end in ends {
            let count =
                self.closings.iter().filter(|closing| closing.end.is_some_and(|(_, one, _)| one == end)).count();
            line(&format!("{end:?}"), count, self.closings.len());
        }
        let mut waits: Vec<i64> = Vec::new();
        let mut seen = BTreeSet::new();
        for call in &self.calls {
            if seen.insert(call.visit) {
                waits.extend(self.closings[call.visit].at.map(|closed| (call.began - closed).num_minutes()));
            }
        }
        waits.sort_unstable();
        let hours = |percent: usize| waits.get(waits.len() * percent / 100).map_or(0.0, |at| *at as f64 / 60.0);
        text.push_str(&format!("  hours to the first call: p50 {:.1}, p95 {:.1}\n", hours(50), hours(95)));
        text
    }
}

/// The requester's own attempt: it rang, or may have.
fn counts(call: &Call) -> bool {
    !matches!(call.outcome, Outcome::LineTrouble | Outcome::Undialable)
}

fn hours(call: &Call) {
    let there = call.began + TimeDelta::hours(8);
    let minute = there.hour() * 60 + there.minute();
    let open = (570..750).contains(&minute) || (930..1_200).contains(&minute);
    assert!(open, "outside the calling hours: {call:?}");
}

fn half_day(call: &Call) -> (i32, u32, bool) {
    let there = call.began + TimeDelta::hours(8);
    (there.year(), there.ordinal(), there.hour() >= 14)
}

/// The announced days off by scope, Losar among them, read from what was announced.
fn days_off() -> BTreeMap<String, BTreeSet<NaiveDate>> {
    let text = include_str!("../../../seed/calendar.toml");
    let announced: toml::Table = text.parse().expect("the announcements");
    let mut found: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
    for (scope, years) in &announced {
        let days = found.entry(scope.clone()).or_default();
        for year in years.as_table().expect("years").values() {
            for range in year["off"].as_array().expect("days off") {
                let range = range.as_str().expect("a day or a range");
                let (first, last) = range.split_once("..").unwrap_or((range, range));
                let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
                days.extend(day(first).iter_days().take_while(|one| *one <= day(last)));
            }
        }
    }
    found
}
