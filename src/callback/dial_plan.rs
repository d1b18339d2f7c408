//! Which numbers may be dialled, and how one is written towards a trunk.
//!
//! Prefixes and lengths that an administrator reads and changes decide, and whatever they don't name is refused. Google's
//! metadata (`phonenumber`, `rlibphonenumber`) would tell a mobile phone from a landline too, at the price of the
//! numbering plans of the whole world, but know neither what this hotline may spend nor its own numbers, and need a
//! second table for short numbers.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::city::City;
use crate::phone::Phone;

/// Dialled by nobody but people, with or without an area code, whatever is configured.
const EMERGENCY: [&str; 5] = ["110", "112", "119", "120", "122"];
/// A subscriber's number has so many digits at least; what has fewer is a service, with an area code (089112345) as without.
const SHORTEST_SUBSCRIBER: usize = 7;
/// And this many at most.
const LONGEST_SUBSCRIBER: usize = 8;
const MOBILE: usize = 11;

/// What may be dialled. Of all prefixes that a number begins with the longest decides; of two alike the denying one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub allow: Vec<Allowed>,
    /// Prefixes of national digits, area codes among them.
    pub deny: Vec<Prefix>,
}

/// Numbers of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    pub prefix: Prefix,
    /// How many digits such a number may have, prefix and all.
    pub lengths: Vec<usize>,
}

/// 1-15 digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Default for Config {
    /// Mobile phones 13-19 and landlines with their area code: two digits behind the 0 in the largest cities, three elsewhere.
    fn default() -> Config {
        let prefix = |digits: &str| Prefix(digits.to_owned());
        let allowed = |digits: &str, lengths: &[usize]| Allowed { prefix: prefix(digits), lengths: lengths.to_vec() };
        let mobiles = (13..=19).map(|digits: u8| allowed(&digits.to_string(), &[MOBILE]));
        let large = ["010", "02"].map(|digits| allowed(digits, &[11]));
        let others = (3..=9).map(|digit: u8| allowed(&format!("0{digit}"), &[11, 12]));
        Config {
            allow: mobiles.chain(large).chain(others).collect(),
            // the last four are no area codes, but services behind a needless 0
            deny: ["160", "168", "400", "800", "9", "0400", "0800", "0950", "096"].map(prefix).to_vec(),
        }
    }
}

/// Why a number is never dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    Emergency,
    /// 12345 and every other short number, here or in another city.
    Service,
    /// A denied prefix: premium services, and whatever else is configured.
    Denied,
    /// A number of another country.
    Foreign,
    /// One of our lines or trunks: we would talk to ourselves.
    Own,
    /// No allowed prefix, or the wrong number of digits.
    NotInPlan,
}

impl Why {
    pub const ALL: [Why; 6] = [Why::Emergency, Why::Service, Why::Denied, Why::Foreign, Why::Own, Why::NotInPlan];

    /// The name on the wire and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Emergency => "emergency",
            Why::Service => "service",
            Why::Denied => "denied",
            Why::Foreign => "foreign",
            Why::Own => "own",
            Why::NotInPlan => "not_in_plan",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Decides which numbers may be dialled.
#[derive(Clone, Debug)]
pub struct DialPlan {
    config: Config,
    own: BTreeSet<String>,
}

impl DialPlan {
    /// `own`: the numbers that lead back to us, each in every way it can be dialled.
    pub fn new(config: Config, own: impl IntoIterator<Item = Phone>) -> DialPlan {
        DialPlan { config, own: own.into_iter().map(|phone| phone.digits().to_owned()).collect() }
    }

    /// The number as one that may be dialled.
    ///
    /// # Errors
    /// It may not, and why.
    pub fn check(&self, phone: &Phone) -> Result<Dialable, Why> {
        let digits = phone.digits();
        if self.own.contains(digits) {
            return Err(Why::Own);
        }
        if digits.starts_with("00") {
            return Err(Why::Foreign);
        }
        let (area, subscriber) = digits.split_at(area_length(digits));
        if EMERGENCY.contains(&subscriber) {
            return Err(Why::Emergency);
        }
        if subscriber.len() < SHORTEST_SUBSCRIBER {
            return Err(Why::Service);
        }
        self.by_prefix(digits)?;
        if !area.is_empty() && !is_subscriber(subscriber) {
            return Err(Why::NotInPlan);
        }
        Ok(Dialable { digits: digits.to_owned(), area: area.len() })
    }

    fn by_prefix(&self, digits: &str) -> Result<(), Why> {
        let longest = |prefixes: &mut dyn Iterator<Item = &Prefix>| {
            prefixes.filter(|prefix| digits.starts_with(&prefix.0)).map(|prefix| prefix.0.len()).max()
        };
        let denied = longest(&mut self.config.deny.iter());
        let Some(allowed) = longest(&mut self.config.allow.iter().map(|one| &one.prefix)) else {
            return Err(if denied.is_some() { Why::Denied } else { Why::NotInPlan });
        };
        if denied >= Some(allowed) {
            return Err(Why::Denied);
        }
        let decides = |one: &&Allowed| one.prefix.0.len() == allowed && digits.starts_with(&one.prefix.0);
        let fits = self.config.allow.iter().filter(decides).any(|one| one.lengths.contains(&digits.len()));
        if fits { Ok(()) } else { Err(Why::NotInPlan) }
    }
}

/// A number that the plan lets through; only such a one can be written towards a trunk.
#[derive(Clone, PartialEq, Eq)]
pub struct Dialable {
    digits: String,
    /// How many of the digits are the area code, its 0 among them; none of a mobile phone.
    area: usize,
}

impl Dialable {
    /// The user part of a Request-URI, as a trunk for `city` wants it.
    pub fn written(&self, writing: &Writing, city: City) -> String {
        let (area, subscriber) = self.digits.split_at(self.area);
        match writing.format {
            Format::E164 => format!("+86{}", self.digits.strip_prefix('0').unwrap_or(&self.digits)),
            Format::National if area.is_empty() => format!("{}{}", writing.mobile_prefix, self.digits),
            Format::National if writing.local_without_area_code && area == city.area_code() => subscriber.to_owned(),
            Format::National => self.digits.clone(),
        }
    }
}

impl fmt::Debug for Dialable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialable(…)")
    }
}

/// How numbers are written towards a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    pub format: Format,
    /// Before mobile numbers in national format: `0` where those of other cities need one. Digits, or nothing.
    pub mobile_prefix: String,
    /// Landlines of the city itself in national format without their area code.
    pub local_without_area_code: bool,
}

/// Of a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `13812345678`, `08916323111`
    #[default]
    National,
    /// `+8613812345678`, `+868916323111`
    E164,
}

/// 010 and 02x have three digits, all other area codes four; a mobile phone and a service have none.
fn area_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'0', b'1' | b'2', _, ..] => 3,
        [b'0', _, _, _, ..] => 4,
        _ => 0,
    }
}

/// Whether this may stand behind an area code: no subscriber's number begins with 0, 1 or 9, services do (0891 168…, 0891 96…).
fn is_subscriber(digits: &str) -> bool {
    (SHORTEST_SUBSCRIBER..=LONGEST_SUBSCRIBER).contains(&digits.len()) && matches!(digits.as_bytes()[0], b'2'..=b'8')
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Prefix, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let valid = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if valid { Ok(Prefix(digits)) } else { Err(D::Error::custom("a prefix is 1 to 15 digits")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan() -> DialPlan {
        let own = ["12345", "089512345", "089112345", "08916320000", "13900000009"];
        DialPlan::new(Config::default(), own.map(|number| Phone::parse(number).expect("a number")))
    }

    fn checked(number: &str) -> Result<Dialable, Why> {
        plan().check(&Phone::parse(number).expect("a number"))
    }

    fn configured(text: &str) -> DialPlan {
        DialPlan::new(toml::from_str(text).expect("a configuration"), [])
    }

    #[test]
    fn mobiles_and_landlines_are_dialled() {
        for number in [
            "13812345678",
            "14712345678",
            "16612345678",
            "19912345678",
            "+86 138 1234 5678",
            "013812345678",
            "08916323111",
            "+86 891 6323 111",
            "01065529988",
            "02065529988",
            "075526699988",
            "0898 6655 7788",
        ] {
            assert!(checked(number).is_ok(), "{number}: {:?}", checked(number));
        }
    }

    #[test]
    fn everything_else_is_refused_and_says_why() {
        for (number, why) in [
            ("110", Why::Emergency),
            ("119", Why::Emergency),
            ("120", Why::Emergency),
            ("122", Why::Emergency),
            ("+86 110", Why::Emergency),
            ("0891-120", Why::Emergency),
            ("010110", Why::Emergency),
            ("12345", Why::Own),
            ("0895 12345", Why::Own),
            ("089612345", Why::Service),
            ("12319", Why::Service),
            ("10086", Why::Service),
            ("114", Why::Service),
            ("95588", Why::Service),
            ("16812345", Why::Denied),
            ("16812345678", Why::Denied),
            ("16012345678", Why::Denied),
            ("9501234567", Why::Denied),
            ("4008123456", Why::Denied),
            ("8008123456", Why::Denied),
            ("+86 400 812 3456", Why::Denied),
            ("+86 950 234 5678", Why::Denied),
            ("+1 315 555 1234", Why::Foreign),
            ("0085223456789", Why::Foreign),
            ("08916320000", Why::Own),
            ("+86 139 0000 0009", Why::Own),
            ("12212345678", Why::NotInPlan),
            ("1381234567", Why::NotInPlan),
            ("138123456789", Why::NotInPlan),
            ("6323111", Why::NotInPlan),
            ("0891168123456", Why::NotInPlan),
            ("08911681234", Why::NotInPlan),
            ("08919612345", Why::NotInPlan),
            ("0891632311122", Why::NotInPlan),
            ("010655299", Why::Service),
            ("0106552998", Why::NotInPlan),
        ] {
            assert_eq!(checked(number), Err(why), "{number}");
        }
    }

    #[test]
    fn the_longest_prefix_decides_and_of_two_alike_the_denial() {
        let plan = configured(
            "allow = [{ prefix = \"1\", lengths = [11] }, { prefix = \"1381\", lengths = [11] }]\ndeny = [\"138\", \"139\", \"1399\"]\n",
        );
        let check = |number: &str| plan.check(&Phone::parse(number).expect("a number")).map(|_| ());
        assert_eq!(check("13712345678"), Ok(()));
        assert_eq!(check("13822345678"), Err(Why::Denied));
        assert_eq!(check("13812345678"), Ok(()));
        assert_eq!(check("13912345678"), Err(Why::Denied));
        let alike = configured("allow = [{ prefix = \"138\", lengths = [11] }]\ndeny = [\"138\"]\n");
        assert_eq!(alike.check(&Phone::parse("13812345678").expect("a number")), Err(Why::Denied));
    }

    #[test]
    fn no_configuration_lets_emergencies_services_or_other_countries_through() {
        let all: Vec<String> =
            (0..=9).map(|digit| format!("{{ prefix = \"{digit}\", lengths = [3, 5, 6, 9, 13, 15] }}")).collect();
        let plan = configured(&format!("allow = [{}]\ndeny = []\n", all.join(", ")));
        for (number, why) in [
            ("110", Why::Emergency),
            ("0891120", Why::Emergency),
            ("12345", Why::Service),
            ("089612345", Why::Service),
            ("0013155551234", Why::Foreign),
        ] {
            assert_eq!(plan.check(&Phone::parse(number).expect("a number")), Err(why), "{number}");
        }
    }

    #[test]
    fn a_prefix_that_is_none_is_refused() {
        for text in
            ["deny = [\"\"]", "deny = [\"+1\"]", "deny = [\"1234567890123456\"]", "allow = [{ prefix = \"1\" }]"]
        {
            assert!(toml::from_str::<Config>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_is_written_as_the_trunk_wants_it() {
        let national = Writing::default();
        let e164 = Writing { format: Format::E164, ..Writing::default() };
        let local = Writing { local_without_area_code: true, mobile_prefix: "0".to_owned(), ..Writing::default() };
        for (number, city, writing, written) in [
            ("13812345678", City::Lhasa, &national, "13812345678"),
            ("08916323111", City::Lhasa, &national, "08916323111"),
            ("13812345678", City::Lhasa, &e164, "+8613812345678"),
            ("08916323111", City::Lhasa, &e164, "+868916323111"),
            ("01065529988", City::Lhasa, &e164, "+861065529988"),
            ("13812345678", City::Lhasa, &local, "013812345678"),
            ("08916323111", City::Lhasa, &local, "6323111"),
            ("08916323111", City::Chamdo, &local, "08916323111"),
        ] {
            assert_eq!(checked(number).expect("it may be dialled").written(writing, city), written, "{number}");
        }
    }

    #[test]
    fn a_dialable_number_never_prints() {
        assert_eq!(format!("{:?}", checked("13812345678")), "Ok(Dialable(…))");
    }

    /// The ways people and trunks write one number.
    fn spelled() -> impl Strategy<Value = (String, usize)> {
        let separated = (proptest::collection::vec(0..4_usize, 15), 0..6_usize);
        separated.prop_map(|(gaps, way)| {
            (gaps.iter().map(|gap| [" ", "-", "", ""][*gap]).collect::<Vec<_>>().join("|"), way)
        })
    }

    fn spell(digits: &str, (gaps, way): &(String, usize)) -> String {
        let local = digits.strip_prefix('0').unwrap_or(digits);
        let spaced = |digits: &str| {
            digits.chars().zip(gaps.split('|').cycle()).map(|(c, gap)| format!("{c}{gap}")).collect::<String>()
        };
        match way {
            0 => spaced(digits),
            1 => format!("+86{}", spaced(local)),
            2 => format!("0086{}", spaced(local)),
            3 => format!("+86 {}", spaced(digits)),
            4 => format!("0086 {}", spaced(digits)),
            _ => format!("  {} ", spaced(digits)),
        }
    }

    fn refused() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(&["110", "119", "120", "122", "12345", "12319", "10086", "114", "95588", "96156"][..])
                .prop_map(str::to_owned),
            "0(10|2[0-9]|89[1-7])(110|119|120|122|12345|168[0-9]{3,5}|9[56][0-9]{3,5})",
            "(160|168)[0-9]{0,8}|(400|800)[0-9]{7}|9[56][0-9]{3,6}|950[0-9]{5,8}",
            prop::sample::select(&["089512345", "08916320000", "13900000009"][..]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn no_denied_number_is_given_out_whatever_its_spelling(number in refused(), spelling in spelled()) {
            if let Some(phone) = Phone::parse(&spell(&number, &spelling)) {
                prop_assert!(plan().check(&phone).is_err(), "{number}");
            }
        }

        #[test]
        fn what_is_written_begins_as_a_mobile_or_a_landline_does(text in "[0-9+ -]{3,20}", format in 0..3_usize) {
            let writing = [
                Writing::default(),
                Writing { format: Format::E164, ..Writing::default() },
                Writing { local_without_area_code: true, mobile_prefix: "0".to_owned(), ..Writing::default() },
            ];
            let Some(phone) = Phone::parse(&text) else { return Ok(()) };
            let Ok(dialable) = plan().check(&phone) else { return Ok(()) };
            let written = dialable.written(&writing[format], City::Lhasa);
            let national = written.strip_prefix("+86").unwrap_or(&written);
            let digits = national.trim_start_matches('0');
            prop_assert!((7..=11).contains(&digits.len()), "{written}");
            prop_assert!(!EMERGENCY.contains(&digits));
        }

        #[test]
        fn every_mobile_is_dialled_however_it_is_spelled(number in "1(3|5|7|8|9)[0-9]{9}", spelling in spelled()) {
            prop_assume!(number != "13900000009");
            let phone = Phone::parse(&spell(&number, &spelling)).expect("a number");
            let written = plan().check(&phone).map(|dialable| dialable.written(&Writing::default(), City::Lhasa));
            prop_assert_eq!(written, Ok(number));
        }
    }
}
