//! `hotline user`: who can sign in.

mod add;
mod sessions;
mod show;

use rand::RngExt;

use super::print::print;
use super::stored::{Opened, Stored};
use super::{Failure, password};
use crate::store::{AccountError, AccountName, By, Password};

pub(super) use show::cities;

const EXAMPLES: &str = "\
Examples:
  hotline user add root --role administrator
      asks for a password; the first account is made so
  hotline user add dolma --role agent --city lhasa --display-name 卓玛 < password-file
  hotline user add housing --role unit --unit lhasa-housing
  hotline user revoke dolma

They work on the configured store whether the service runs or not.

Exit code: 0 done, 1 when the store or the terminal fails, 2 when an argument or the password can't be used.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an account. The password is asked for, or read from the first line of the standard input.
    Add(add::Arguments),
    /// List the accounts.
    List(show::Arguments),
    /// Set a new password, asked for or read as with add; ends the account's sessions.
    Password(Named),
    /// Take away the account's second factor, say because the telephone is lost, and end its sessions. A role that needs one
    /// sets up another at the next sign-in.
    ForgetPhone(Named),
    /// Let nobody sign in with the account any more, and end its sessions.
    Deactivate(Named),
    /// List an account's sessions.
    Sessions(sessions::List),
    /// End an account's sessions.
    Revoke(sessions::Revoke),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Name of the account
    name: AccountName,
    #[command(flatten)]
    stored: Stored,
}

/// Does what is asked.
///
/// # Errors
/// What can't be used, or the environment's refusal.
pub fn user(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Add(add) => add.run(),
        Command::List(list) => list.run(),
        Command::Password(Named { name, stored }) => set_password(name, stored),
        Command::ForgetPhone(Named { name, stored }) => forget_phone(name, stored),
        Command::Deactivate(Named { name, stored }) => deactivate(name, stored),
        Command::Sessions(list) => list.run(),
        Command::Revoke(revoke) => revoke.run(),
    }
}

fn forget_phone(name: &AccountName, stored: &Stored) -> Result<(), Failure> {
    let removed = stored.with(async |Opened { store, now, .. }| {
        store.remove_second_factor(name, &By::OPERATOR, now).await.map_err(|error| refused(&error))
    })?;
    let words = if removed { "the second factor is gone, sessions have ended" } else { "there was no second factor" };
    print([format!("{name}: {words}")])
}

fn set_password(name: &AccountName, stored: &Stored) -> Result<(), Failure> {
    stored.with(async |Opened { store, now, mut random }| {
        store.account(name).await.map_err(environment)?.ok_or_else(|| refused(&AccountError::Unknown))?;
        let password = asked(name)?;
        let set = store.set_password(name, &password, random.random(), &By::OPERATOR, now).await;
        set.map_err(|error| refused(&error))
    })?;
    print([format!("{name}: the password is set, and no session is left")])
}

fn deactivate(name: &AccountName, stored: &Stored) -> Result<(), Failure> {
    stored.with(async |Opened { store, now, .. }| {
        store.deactivate_account(name, &By::OPERATOR, now).await.map_err(|error| refused(&error))
    })?;
    print([format!("{name}: deactivated, and no session is left")])
}

/// The password of a new account, or a new one.
fn asked(name: &AccountName) -> Result<Password, Failure> {
    let text = password::read(name.as_str())?;
    Password::new(&text, name).map_err(|bad| Failure::Setting(bad.to_string()))
}

fn refused(error: &AccountError) -> Failure {
    match error {
        AccountError::Store(error) => environment(error),
        error => Failure::Setting(error.to_string()),
    }
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::Environment(error.to_string())
}
