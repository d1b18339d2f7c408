//! Who acts in a simulated year: accounts that the audit names and that nobody can log in with, since no row is made
//! of them.

use chrono::{DateTime, Utc};

use super::dice::Dice;
use crate::city::City;
use crate::ticket::{AccountId, Actor};

/// The staff of a city's hotline, and of its units.
#[derive(Clone, Copy, Debug)]
pub struct People {
    hired_at: DateTime<Utc>,
}

const AGENTS: u32 = 6;
const SUPERVISORS: u32 = 2;

impl People {
    pub fn new(hired_at: DateTime<Utc>) -> People {
        People { hired_at }
    }

    pub fn agent(&self, city: City, dice: &mut Dice) -> Actor {
        self.account(1, city, dice.below(AGENTS))
    }

    pub fn supervisor(&self, city: City, dice: &mut Dice) -> Actor {
        self.account(2, city, dice.below(SUPERVISORS))
    }

    pub fn leader(&self, city: City) -> Actor {
        self.account(3, city, 0)
    }

    /// Who works for the unit at this place of the catalogue.
    pub fn clerk(&self, city: City, unit: usize) -> Actor {
        self.account(4, city, u32::try_from(unit).expect("a short list"))
    }

    fn account(&self, role: u8, city: City, number: u32) -> Actor {
        let [a, b, c, d] = number.to_be_bytes();
        Actor::Account(AccountId::new(self.hired_at, [0, 0, 0, 0, role, city.digit(), a, b, c, d]))
    }
}
