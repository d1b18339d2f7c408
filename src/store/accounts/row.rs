//! The row of an account.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Account, Profile};
use crate::city::City;
use crate::store::StoreError;
use crate::store::row::{optional_text, text};

/// Of [`AccountRow`]; the password's hash is read where a password is checked, and nowhere else.
pub(in crate::store) const COLUMNS: &str = "account.id, account.name, display_name, role, unit, named, active, account.created_at, password_at, \
     otp_secret is not null as second_factor";

#[derive(sqlx::FromRow)]
pub(in crate::store) struct AccountRow {
    pub id: String,
    name: String,
    display_name: String,
    role: String,
    unit: Option<String>,
    named: bool,
    active: bool,
    created_at: DateTime<Utc>,
    password_at: DateTime<Utc>,
    second_factor: bool,
}

impl AccountRow {
    pub fn account(self, cities: BTreeSet<City>) -> Result<Account, StoreError> {
        // not `text`: its error would show the name
        let display_name = self.display_name.parse();
        let profile = Profile::new(
            display_name.map_err(|_| StoreError::OutOfRange { column: "account.display_name" })?,
            text("account.role", &self.role)?,
            optional_text("account.unit", self.unit.as_deref())?,
            cities,
            self.named,
        );
        Ok(Account {
            id: text("account.id", &self.id)?,
            name: self.name.parse().map_err(|_| StoreError::OutOfRange { column: "account.name" })?,
            profile: profile.map_err(|_| StoreError::OutOfRange { column: "account.role" })?,
            active: self.active,
            created_at: self.created_at,
            password_at: self.password_at,
            second_factor: self.second_factor,
        })
    }
}
