//! What an account may do, for whom, and what it is called.

use std::collections::BTreeSet;

use crate::access::Role;
use crate::city::City;
use crate::ticket::catalogue::UnitCode;
use crate::ticket::{Change, Line};

/// All of an account that can be changed but its password and whether it is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    display_name: Line,
    role: Role,
    unit: Option<UnitCode>,
    cities: BTreeSet<City>,
    named: bool,
}

/// The parts of a profile that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    #[error("an account needs a name that people read")]
    NoName,
    #[error("an account of role unit needs its unit")]
    UnitMissing,
    #[error("only an account of role unit has a unit")]
    UnitOfOtherRole,
    #[error("an account needs at least one city")]
    NoCity,
    #[error("an account of role unit can't be named: a unit never sees whom the hotline shields")]
    NamedUnit,
}

impl Profile {
    /// `named`: for confidential tickets and reports of wrongdoing (举报). An account of role `unit` may leave the cities
    /// out: its unit's is taken.
    ///
    /// # Errors
    /// The first thing that does not go with the rest.
    pub fn new(
        display_name: Line,
        role: Role,
        unit: Option<UnitCode>,
        cities: BTreeSet<City>,
        named: bool,
    ) -> Result<Profile, BadProfile> {
        let of_unit = role == Role::Unit;
        if display_name.is_empty() {
            return Err(BadProfile::NoName);
        }
        match &unit {
            None if of_unit => return Err(BadProfile::UnitMissing),
            Some(_) if !of_unit => return Err(BadProfile::UnitOfOtherRole),
            _ => {}
        }
        if cities.is_empty() && !of_unit {
            return Err(BadProfile::NoCity);
        }
        if named && of_unit {
            return Err(BadProfile::NamedUnit);
        }
        Ok(Profile { display_name, role, unit, cities, named })
    }

    pub fn display_name(&self) -> &Line {
        &self.display_name
    }

    pub fn role(&self) -> Role {
        self.role
    }

    /// Of role `unit`, and of no other.
    pub fn unit(&self) -> Option<&UnitCode> {
        self.unit.as_ref()
    }

    /// The cities whose tickets the account sees.
    pub fn cities(&self) -> &BTreeSet<City> {
        &self.cities
    }

    /// May see confidential requesters and those of reports (举报).
    pub fn named(&self) -> bool {
        self.named
    }

    pub(super) fn in_city(mut self, city: City) -> Profile {
        if self.cities.is_empty() {
            self.cities.insert(city);
        }
        self
    }

    /// For the audit: each field by its name on the wire.
    pub(super) fn fields(&self) -> [(&'static str, Option<String>); 5] {
        let cities: Vec<&str> = self.cities.iter().map(|city| city.slug()).collect();
        [
            ("display_name", Some(self.display_name.to_string())),
            ("role", Some(self.role.to_string())),
            ("unit", self.unit.as_ref().map(ToString::to_string)),
            ("cities", Some(cities.join(" "))),
            ("named", Some(self.named.to_string())),
        ]
    }

    /// What differs in `after`.
    pub(super) fn changes(&self, after: &Profile) -> Vec<Change> {
        let differing = self.fields().into_iter().zip(after.fields()).filter(|(was, is)| was.1 != is.1);
        differing.map(|((field, was), (_, is))| Change { field, was, is }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(role: Role, unit: Option<&str>, cities: &[City], named: bool) -> Result<Profile, BadProfile> {
        let unit = unit.map(|unit| unit.parse().expect("a code"));
        Profile::new("Dolma".parse().expect("a name"), role, unit, cities.iter().copied().collect(), named)
    }

    #[test]
    fn a_unit_belongs_to_the_role_unit_and_only_there() {
        assert!(profile(Role::Unit, Some("lhasa-housing"), &[], false).is_ok());
        assert_eq!(profile(Role::Unit, None, &[City::Lhasa], false), Err(BadProfile::UnitMissing));
        let named = profile(Role::Unit, Some("lhasa-housing"), &[City::Lhasa], true);
        assert_eq!(named, Err(BadProfile::NamedUnit));
        for role in Role::ALL.iter().copied().filter(|role| *role != Role::Unit) {
            let of_unit = profile(role, Some("lhasa-housing"), &[City::Lhasa], false);
            assert_eq!(of_unit, Err(BadProfile::UnitOfOtherRole));
            assert_eq!(profile(role, None, &[], false), Err(BadProfile::NoCity));
            assert!(profile(role, None, &City::ALL, true).is_ok());
        }
        let nameless = Profile::new(Line::default(), Role::Agent, None, [City::Lhasa].into(), false);
        assert_eq!(nameless, Err(BadProfile::NoName));
    }

    #[test]
    fn what_differs_is_told_field_by_field() {
        let was = profile(Role::Agent, None, &[City::Lhasa], false).expect("a profile");
        let is = profile(Role::Agent, None, &[City::Lhasa, City::Ngari], true).expect("a profile");
        let told: Vec<_> = was.changes(&is).into_iter().map(|change| (change.field, change.was, change.is)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told, [("cities", some("lhasa"), some("lhasa ngari")), ("named", some("false"), some("true"))]);
        assert_eq!(was.changes(&was), []);
    }
}
