//! How well requests are handled (质检): the form of 100 points, which tickets of a week are looked at, what a score is in the
//! end, and how far two people who score agree.
//!
//! A person of the hotline is scored by what they did with a request: whoever first dispatched or answered it. Random tickets
//! are drawn by person; all dissatisfied ones are looked at beside them.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fields::{UnknownName, names};
use super::{AccountId, Number};
use crate::city::City;

names! {
    /// A line of the form (domain §5).
    Item {
        /// 开头语
        Greeting = "greeting",
        /// 倾听
        Listening = "listening",
        /// 要素完整
        Completeness = "completeness",
        /// 分类准确
        Classification = "classification",
        /// 答复
        Answer = "answer",
        /// 结束语
        Ending = "ending",
    }
}

impl Item {
    /// The points it gives at most; all together 100.
    pub const fn most(self) -> u8 {
        match self {
            Item::Greeting | Item::Listening | Item::Answer => 15,
            Item::Completeness => 25,
            Item::Classification => 20,
            Item::Ending => 10,
        }
    }
}

names! {
    /// What makes the whole score nothing.
    Fatal {
        /// 泄露诉求人信息
        Disclosure = "disclosure",
        /// 态度恶劣
        Rudeness = "rudeness",
        /// 应受理而不受理、漏单
        Dropped = "dropped",
        /// 编造答复
        Invented = "invented",
    }
}

names! {
    /// Why a ticket is looked at.
    Why {
        Random = "random",
        Dissatisfied = "dissatisfied",
    }
}

names! {
    /// Where a review is.
    ReviewState {
        /// Nobody has scored it.
        Open = "open",
        Scored = "scored",
        /// The person scored, or the unit, does not agree.
        Appealed = "appealed",
        /// The appeal is decided.
        Decided = "decided",
    }
}

/// `[quality]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Random tickets a person and week.
    pub per_person: u32,
    /// Random tickets a city and week at most.
    pub per_city: u32,
    /// From so many points on a score is passed.
    pub pass_mark: u8,
    /// So long after the score there may be an appeal.
    pub appeal_days: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config { per_person: 5, per_city: 60, pass_mark: 80, appeal_days: 7 }
    }
}

/// One line of the form as it was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    pub item: Item,
    pub points: u8,
}

/// A form that is filled in: every line once, none above its most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    points: Vec<Points>,
    fatal: Vec<Fatal>,
}

/// The form can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    #[error("{0} is missing")]
    Missing(Item),
    #[error("{0} is there twice")]
    Twice(Item),
    #[error("{} has at most {} points", .0, .0.most())]
    TooMany(Item),
}

impl Form {
    /// # Errors
    /// A line is missing, there twice, or has more points than it can.
    pub fn new(points: Vec<Points>, mut fatal: Vec<Fatal>) -> Result<Form, BadForm> {
        let mut ordered = Vec::with_capacity(Item::ALL.len());
        for item in Item::ALL.iter().copied() {
            let mut of_item = points.iter().filter(|points| points.item == item);
            let given = *of_item.next().ok_or(BadForm::Missing(item))?;
            if of_item.next().is_some() {
                return Err(BadForm::Twice(item));
            }
            if given.points > item.most() {
                return Err(BadForm::TooMany(item));
            }
            ordered.push(given);
        }
        fatal.sort();
        fatal.dedup();
        Ok(Form { points: ordered, fatal })
    }

    /// In the order of the form.
    pub fn points(&self) -> &[Points] {
        &self.points
    }

    pub fn fatal(&self) -> &[Fatal] {
        &self.fatal
    }

    /// 0 to 100; a fatal fault leaves nothing.
    pub fn total(&self) -> u8 {
        if self.fatal.is_empty() { self.points.iter().map(|points| points.points).sum() } else { 0 }
    }
}

/// What counts in the end: the first score; after an appeal that was upheld the second scorer's.
pub fn final_total(first: Option<u8>, second: Option<u8>, upheld: bool) -> Option<u8> {
    if upheld { second.or(first) } else { first }
}

/// The Monday of the week that a day is in.
pub fn week_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

/// A ticket that may be drawn, and whoever handled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub ticket: Number,
    pub person: AccountId,
}

/// The random tickets of a city's week: for each person the first few in an order that hangs on the week and the city alone, so
/// that whoever draws again draws the same; never more than the city's share, cut evenly.
pub fn sample(week: NaiveDate, city: City, candidates: &[Candidate], config: &Config) -> Vec<Candidate> {
    let mut drawn: Vec<([u8; 32], Candidate)> =
        candidates.iter().map(|one| (lot(week, city, one.ticket), *one)).collect();
    drawn.sort_by_key(|(lot, one)| (*lot, one.ticket));
    drawn.dedup_by_key(|(_, one)| one.ticket);
    let mut taken: Vec<(u32, Candidate)> = Vec::new();
    for (_, one) in drawn {
        let before = taken.iter().filter(|(_, other)| other.person == one.person).count() as u32;
        if before < config.per_person {
            taken.push((before, one));
        }
    }
    // everybody's first before anybody's second
    taken.sort_by_key(|(before, _)| *before);
    taken.truncate(config.per_city as usize);
    taken.into_iter().map(|(_, one)| one).collect()
}

fn lot(week: NaiveDate, city: City, ticket: Number) -> [u8; 32] {
    Sha256::digest(format!("{week} {} {ticket}", city.slug())).into()
}

/// How far two people who scored the same agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Reviews that two people scored.
    pub pairs: u32,
    /// The mean of how far the totals are apart, in points.
    pub mean_difference: f64,
    /// Pairs that both passed or both failed, of all.
    pub same_verdict: f64,
    /// Cohen's kappa of passed and failed (Cohen 1960): (observed - expected) / (1 - expected), where expected is what
    /// two who know nothing of each other would have by chance. `None` when all verdicts are the same: then there is no chance to
    /// agree beyond it.
    pub kappa: Option<f64>,
}

/// Of pairs of totals; `None` without any.
pub fn agreement(pairs: &[(u8, u8)], pass_mark: u8) -> Option<Agreement> {
    if pairs.is_empty() {
        return None;
    }
    let count = pairs.len() as f64;
    let mean_difference = pairs.iter().map(|(one, other)| f64::from(one.abs_diff(*other))).sum::<f64>() / count;
    let passed = |total: &u8| *total >= pass_mark;
    let same = pairs.iter().filter(|(one, other)| passed(one) == passed(other)).count() as f64 / count;
    let first = pairs.iter().filter(|(one, _)| passed(one)).count() as f64 / count;
    let second = pairs.iter().filter(|(_, other)| passed(other)).count() as f64 / count;
    let expected = first * second + (1.0 - first) * (1.0 - second);
    let kappa = (expected < 1.0).then(|| (same - expected) / (1.0 - expected));
    Some(Agreement { pairs: pairs.len() as u32, mean_difference, same_verdict: same, kappa })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    fn whole(points: impl Fn(Item) -> u8) -> Vec<Points> {
        Item::ALL.iter().map(|item| Points { item: *item, points: points(*item) }).collect()
    }

    fn person(n: u8) -> AccountId {
        AccountId::new(DateTime::UNIX_EPOCH, [n; 10])
    }

    fn candidates(of: impl Iterator<Item = u16>) -> Vec<Candidate> {
        let day = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day");
        let ticket = |n| Number::new(City::Lhasa, day, n).expect("a number");
        of.map(|n| Candidate { ticket: ticket(n), person: person((n % 4) as u8) }).collect()
    }

    fn monday() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day")
    }

    #[test]
    fn the_form_has_a_hundred_points_and_a_fatal_fault_leaves_none() {
        let best = whole(Item::most);
        assert_eq!(Form::new(best.clone(), Vec::new()).expect("a form").total(), 100);
        let fatal = Form::new(best.clone(), vec![Fatal::Rudeness, Fatal::Disclosure, Fatal::Rudeness]).expect("a form");
        assert_eq!((fatal.total(), fatal.fatal()), (0, &[Fatal::Disclosure, Fatal::Rudeness][..]));
        assert_eq!(Form::new(best[1..].to_vec(), Vec::new()), Err(BadForm::Missing(Item::Greeting)));
        let twice = [best.clone(), best[..1].to_vec()].concat();
        assert_eq!(Form::new(twice, Vec::new()), Err(BadForm::Twice(Item::Greeting)));
        let too_many = Form::new(whole(|item| item.most() + 1), Vec::new()).expect_err("too many");
        assert_eq!(too_many.to_string(), "greeting has at most 15 points");
    }

    #[test]
    fn an_upheld_appeal_counts_the_second_score() {
        assert_eq!(final_total(Some(70), Some(90), false), Some(70));
        assert_eq!(final_total(Some(70), Some(90), true), Some(90));
        assert_eq!(final_total(Some(70), None, true), Some(70));
        assert_eq!(final_total(None, None, false), None);
    }

    #[test]
    fn a_week_begins_on_monday() {
        for day in 23..=29 {
            assert_eq!(week_of(NaiveDate::from_ymd_opt(2026, 11, day).expect("a day")), monday());
        }
    }

    #[test]
    fn another_week_and_another_city_draw_others() {
        let all = candidates(1..401);
        let of = |week, city| sample(week, city, &all, &Config::default());
        let one = of(monday(), City::Lhasa);
        assert_eq!(one.len(), 20);
        assert_ne!(one, of(monday() + Days::new(7), City::Lhasa));
        assert_ne!(one, of(monday(), City::Ngari));
    }

    proptest! {
        #[test]
        fn everybody_has_their_share_whoever_draws(
            numbers in prop::collection::btree_set(1u16..2_000, 0..120),
            per_person in 0u32..8,
            per_city in 0u32..40,
        ) {
            let config = Config { per_person, per_city, ..Config::default() };
            let all = candidates(numbers.iter().copied());
            let drawn = sample(monday(), City::Lhasa, &all, &config);
            let again = sample(monday(), City::Lhasa, &candidates(numbers.iter().rev().copied()), &config);
            prop_assert_eq!(&drawn, &again);
            prop_assert!(drawn.len() <= per_city as usize);
            let of = |list: &[Candidate], n: u8| list.iter().filter(|one| one.person == person(n)).count() as u32;
            let shares: Vec<(u32, u32)> = (0..4).map(|n| (of(&drawn, n), of(&all, n).min(per_person))).collect();
            prop_assert!(shares.iter().all(|(has, most)| has <= most));
            if shares.iter().map(|(_, most)| most).sum::<u32>() <= per_city {
                prop_assert!(shares.iter().all(|(has, most)| has == most));
            }
            let least = shares.iter().filter(|(has, most)| has < most).map(|(has, _)| *has).min();
            if let Some(least) = least {
                prop_assert!(shares.iter().all(|(has, _)| *has <= least + 1));
            }
        }
    }

    #[test]
    fn agreement_is_what_the_formulas_say() {
        assert_eq!(agreement(&[], 80), None);
        let pairs = [(90, 85), (85, 75), (60, 70), (95, 95)];
        let agreed = agreement(&pairs, 80).expect("pairs");
        assert_eq!((agreed.pairs, agreed.mean_difference, agreed.same_verdict), (4, 6.25, 0.75));
        // passed by chance: 3/4 and 2/4, so 0.5 expected
        assert_eq!(agreed.kappa, Some(0.5));
        assert_eq!(agreement(&[(90, 80), (100, 81)], 80).expect("pairs").kappa, None);
        assert_eq!(agreement(&[(90, 10), (10, 90)], 80).expect("pairs").kappa, Some(-1.0));
    }
}
