//! The seven cities of Tibet that each run a 12345 hotline (domain.md S1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A city, in the order of its area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum City {
    Lhasa,
    Shigatse,
    Shannan,
    Nyingchi,
    Chamdo,
    Nagqu,
    Ngari,
}

impl City {
    pub const ALL: [City; 7] =
        [City::Lhasa, City::Shigatse, City::Shannan, City::Nyingchi, City::Chamdo, City::Nagqu, City::Ngari];

    /// The name on the wire and in prompt ids (`city.lhasa`).
    pub const fn slug(self) -> &'static str {
        match self {
            City::Lhasa => "lhasa",
            City::Shigatse => "shigatse",
            City::Shannan => "shannan",
            City::Nyingchi => "nyingchi",
            City::Chamdo => "chamdo",
            City::Nagqu => "nagqu",
            City::Ngari => "ngari",
        }
    }

    /// The last digit of the area code 0891-0897: the first digit of the city's ticket numbers.
    pub const fn digit(self) -> u8 {
        self as u8 + 1
    }

    /// `0891`: what a number of the city begins with.
    pub const fn area_code(self) -> &'static str {
        match self {
            City::Lhasa => "0891",
            City::Shigatse => "0892",
            City::Shannan => "0893",
            City::Nyingchi => "0894",
            City::Chamdo => "0895",
            City::Nagqu => "0896",
            City::Ngari => "0897",
        }
    }

    pub fn from_digit(digit: u8) -> Option<City> {
        City::ALL.into_iter().find(|c| c.digit() == digit)
    }
}

impl fmt::Display for City {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// Not one of the seven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a city is lhasa, shigatse, shannan, nyingchi, chamdo, nagqu or ngari")]
pub struct UnknownCity;

impl FromStr for City {
    type Err = UnknownCity;

    fn from_str(text: &str) -> Result<City, UnknownCity> {
        City::ALL.into_iter().find(|c| c.slug() == text).ok_or(UnknownCity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citys_digit_is_the_last_of_its_area_code() {
        assert_eq!(City::Lhasa.digit(), 1);
        assert_eq!(City::Ngari.digit(), 7);
        assert_eq!(City::from_digit(4), Some(City::Nyingchi));
        assert_eq!(City::from_digit(8), None);
        for city in City::ALL {
            assert_eq!(city.area_code(), format!("089{}", city.digit()));
        }
    }
}
