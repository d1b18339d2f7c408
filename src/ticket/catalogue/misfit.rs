//! What an entry must not do, whatever it comes from: a file or a request.

use super::entry::{Knowledge, Reason, ReasonKind, ReplyTemplate, Subject, Unit};
use super::value::UnitCode;
use crate::city::City;

/// An entry does not fit itself or the others. Reads `unit: there is no lhasa-water`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("code: there is no group for it")]
    NoGroup,
    #[error("classes: there is no {0}")]
    NoSubject(Subject),
    #[error("told_to_requester: a refusal needs it")]
    NothingTold,
    #[error("told_to_requester: only a refusal has it")]
    ToldWithoutRefusal,
    #[error("unit: there is no {0}")]
    NoUnit(UnitCode),
    #[error("unit: {unit} is of {of}, the entry of {city}")]
    OtherCity { unit: UnitCode, of: City, city: City },
    #[error("prompt: choice and prompt go together")]
    PromptAlone,
}

impl Reason {
    /// # Errors
    /// A refusal without what the requester is told, another reason with it.
    pub fn fit(&self) -> Result<(), Misfit> {
        match (self.kind, &self.told_to_requester) {
            (ReasonKind::Refusal, None) => Err(Misfit::NothingTold),
            (ReasonKind::Refusal, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => Err(Misfit::ToldWithoutRefusal),
        }
    }
}

impl Unit {
    /// `is_listed` knows the groups and classes.
    ///
    /// # Errors
    /// A subject that is not listed.
    pub fn fit(&self, is_listed: impl Fn(Subject) -> bool) -> Result<(), Misfit> {
        let unknown = self.classes.iter().find(|subject| !is_listed(**subject));
        unknown.map_or(Ok(()), |subject| Err(Misfit::NoSubject(*subject)))
    }
}

impl Knowledge {
    /// `of` is the city of its unit; `None` when there is no such unit.
    ///
    /// # Errors
    /// No such unit, one of another city, one of the two prompts alone.
    pub fn fit(&self, of: Option<City>) -> Result<(), Misfit> {
        unit_fits(&self.unit, of, self.city)?;
        if self.choice.is_some() != self.prompt.is_some() {
            return Err(Misfit::PromptAlone);
        }
        Ok(())
    }

    /// Whether the consult menu of a city may offer it.
    pub fn is_spoken_in(&self, city: City) -> bool {
        self.active && self.city.is_none_or(|own| own == city) && self.choice.is_some() && self.prompt.is_some()
    }
}

impl ReplyTemplate {
    /// `of` is the city of its unit; `None` when there is no such unit.
    ///
    /// # Errors
    /// No such unit, or one of another city.
    pub fn fit(&self, of: Option<City>) -> Result<(), Misfit> {
        self.unit.as_ref().map_or(Ok(()), |unit| unit_fits(unit, of, self.city))
    }
}

fn unit_fits(unit: &UnitCode, of: Option<City>, city: Option<City>) -> Result<(), Misfit> {
    let Some(of) = of else { return Err(Misfit::NoUnit(unit.clone())) };
    match city.filter(|city| *city != of) {
        Some(city) => Err(Misfit::OtherCity { unit: unit.clone(), of, city }),
        None => Ok(()),
    }
}
