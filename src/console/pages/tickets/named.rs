//! What codes are called, in the language of the page.

use super::failed;
use crate::city::City;
use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::language::Language;
use crate::ticket::catalogue::{Class, Group, Reason, Title, Unit};
use crate::ticket::{ReasonKind, UnitCode};

/// The catalogue as far as pages name it.
pub struct Named {
    language: Language,
    groups: Vec<Group>,
    classes: Vec<Class>,
    units: Vec<Unit>,
    reasons: Vec<Reason>,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// Choices under a heading.
pub struct ChoiceGroup {
    pub label: String,
    pub choices: Vec<Choice>,
}

impl Choice {
    pub fn new(value: impl ToString, label: impl Into<String>, chosen: &str) -> Choice {
        let value = value.to_string();
        Choice { label: label.into(), chosen: value == chosen, value }
    }

    /// One for each value, named by the texts of `of`.
    pub fn all<T: ToString>(frame: &Frame, of: &str, values: impl IntoIterator<Item = T>, chosen: &str) -> Vec<Choice> {
        let choice = |value: T| {
            let value = value.to_string();
            Choice::new(&value, frame.name(of, &value), chosen)
        };
        values.into_iter().map(choice).collect()
    }
}

impl Named {
    pub async fn read(shared: &Shared, frame: &Frame) -> Result<Named, Problem> {
        Ok(Named {
            language: frame.language(),
            groups: shared.store.groups().await.map_err(failed)?,
            classes: shared.store.classes().await.map_err(failed)?,
            units: shared.store.units(None).await.map_err(failed)?,
            reasons: shared.store.reasons(None).await.map_err(failed)?,
        })
    }

    fn title(&self, zh: &Title, bo: &Title) -> String {
        if self.language == Language::Bo { bo } else { zh }.to_string()
    }

    pub fn unit(&self, code: &str) -> String {
        let unit = self.units.iter().find(|unit| unit.code.as_str() == code);
        unit.map_or_else(|| code.to_owned(), |unit| self.title(&unit.zh, &unit.bo))
    }

    pub fn class(&self, code: &str) -> String {
        let class = self.classes.iter().find(|class| class.code.to_string() == code);
        let group = self.groups.iter().find(|group| group.code.to_string() == code);
        match (class, group) {
            (Some(class), _) => self.title(&class.zh, &class.bo),
            (None, Some(group)) => self.title(&group.zh, &group.bo),
            (None, None) => code.to_owned(),
        }
    }

    pub fn reason(&self, code: &str) -> String {
        let reason = self.reasons.iter().find(|reason| reason.code.as_str() == code);
        reason.map_or_else(|| code.to_owned(), |reason| self.title(&reason.zh, &reason.bo))
    }

    pub fn reasons(&self, kind: ReasonKind, chosen: &str) -> Vec<Choice> {
        let of_kind = self.reasons.iter().filter(|reason| reason.kind == kind && reason.active);
        of_kind.map(|reason| Choice::new(&reason.code, self.title(&reason.zh, &reason.bo), chosen)).collect()
    }

    /// The units in use of these cities; `first` ones come first, since they usually handle the class.
    pub fn units(&self, cities: &[City], class: Option<&str>, chosen: &[&str]) -> Vec<Choice> {
        let class = class.and_then(|code| code.parse().ok());
        let mut units: Vec<&Unit> =
            self.units.iter().filter(|unit| unit.active && cities.contains(&unit.city)).collect();
        units.sort_by_key(|unit| !class.is_some_and(|class| unit.handles(class)));
        let choice = |unit: &Unit| Choice {
            value: unit.code.to_string(),
            label: self.title(&unit.zh, &unit.bo),
            chosen: chosen.contains(&unit.code.as_str()),
        };
        units.into_iter().map(choice).collect()
    }

    /// A unit of this city that a command may name.
    pub fn some_unit(&self, city: City, but: Option<&UnitCode>) -> Option<UnitCode> {
        let is_other = |unit: &&Unit| unit.active && unit.city == city && Some(&unit.code) != but;
        self.units.iter().find(is_other).map(|unit| unit.code.clone())
    }

    /// The classes in use by group; with `groups`, a whole group may be chosen too.
    pub fn classes(&self, groups: bool, chosen: &str) -> Vec<ChoiceGroup> {
        let of_group = |group: &Group| {
            let label = self.title(&group.zh, &group.bo);
            let whole = groups.then(|| Choice::new(group.code, format!("{label} ·"), chosen));
            let classes = self.classes.iter().filter(|class| class.code.group() == group.code);
            let classes = classes.filter(|class| class.active || class.code.to_string() == chosen);
            let choices = classes.map(|class| Choice::new(class.code, self.title(&class.zh, &class.bo), chosen));
            ChoiceGroup { label, choices: whole.into_iter().chain(choices).collect() }
        };
        self.groups.iter().filter(|group| group.active).map(of_group).collect()
    }
}
