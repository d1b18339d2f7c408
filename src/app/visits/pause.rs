//! `hotline visits pause` and `resume`.

use crate::app::Failure;
use crate::app::print::print;
use crate::app::stored::Stored;
use crate::city::City;
use crate::store::By;
use crate::ticket::Line;

use super::failed;

#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    #[arg(value_name = "CITY")]
    city: City,
    /// For the audit and for whoever asks why nobody is called
    #[arg(long, value_name = "TEXT")]
    why: Line,
    #[command(flatten)]
    stored: Stored,
}

#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    #[arg(value_name = "CITY")]
    city: City,
    #[command(flatten)]
    stored: Stored,
}

impl Pause {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (city, why) = (self.city, self.why.as_str());
        if why.chars().count() < 2 {
            return Err(Failure::Setting("--why: a reason has 2 to 200 characters".to_owned()));
        }
        self.stored.with(async |opened| {
            match opened.store.pause_visits(city, why, &By::OPERATOR, opened.now).await.map_err(failed)? {
                true => print([format!("paused: {city}")]),
                false => Err(Failure::Setting(format!("the calls of {city} are paused already"))),
            }
        })
    }
}

impl Resume {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let city = self.city;
        self.stored.with(async |opened| {
            match opened.store.resume_visits(city, &By::OPERATOR, opened.now).await.map_err(failed)? {
                true => print([format!("calls again: {city}")]),
                false => Err(Failure::Setting(format!("the calls of {city} are not paused"))),
            }
        })
    }
}
