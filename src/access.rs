//! Who may do what: the one place that decides (domain §5).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::city::City;
use crate::ticket::catalogue::UnitCode;
use crate::ticket::fields::{UnknownName, names};
use crate::ticket::{Actor, Command, Side, Ticket};

names! {
    /// What a person is at the hotline.
    Role {
        /// Receives and dispatches (话务员).
        Agent = "agent",
        /// Handles what its unit has (承办单位).
        Unit = "unit",
        /// Reviews, decides, listens (督办员).
        Supervisor = "supervisor",
        /// Sees everything of its cities and gives instructions (领导).
        Leader = "leader",
        /// Keeps catalogue, calendars and accounts (管理员).
        Administrator = "administrator",
        /// Reads what was done and changes nothing (审计员).
        Auditor = "auditor",
    }
}

names! {
    /// What another system was let in for.
    Scope {
        ReadTickets = "tickets:read",
        WriteTickets = "tickets:write",
        Open311 = "open311",
        /// The SMS gateway hands in what requesters answer.
        ReplyBySms = "visits:reply",
        ReadReports = "reports:read",
        ReadAudit = "audit:read",
        ReadCatalogue = "catalogue:read",
    }
}

names! {
    /// What a route or a command asks for.
    Right {
        ReadTickets = "read_tickets",
        /// File a request that came in on any channel.
        FileTickets = "file_tickets",
        /// Whole phone numbers, with a reason.
        Reveal = "reveal",
        Listen = "listen",
        /// Take recordings away as files, with a reason; whoever only listens needs none of them on a disk of their own.
        Download = "download",
        /// Keep recordings beyond their time (legal hold).
        Hold = "hold",
        /// Score how requests were handled (质检).
        Score = "score",
        /// An agent's commands.
        Receive = "receive",
        /// A unit's commands.
        Handle = "handle",
        /// A supervisor's commands.
        Supervise = "supervise",
        Instruct = "instruct",
        ReadCalls = "read_calls",
        ReadLive = "read_live",
        ReadReports = "read_reports",
        Export = "export",
        ReadAudit = "read_audit",
        ReadCatalogue = "read_catalogue",
        EditCatalogue = "edit_catalogue",
        /// A unit's own entries too.
        EditKnowledge = "edit_knowledge",
        EditCalendar = "edit_calendar",
        ManageAccounts = "manage_accounts",
        /// Undelivered notices and the like.
        Operate = "operate",
        Open311 = "open311",
        /// Return visits and their plans.
        ReadVisits = "read_visits",
        ReplyBySms = "reply_by_sms",
        /// One's own session and password.
        Own = "own",
    }
}

impl Role {
    pub const fn rights(self) -> &'static [Right] {
        use Right::*;
        match self {
            Role::Agent => &[
                ReadTickets,
                ReadVisits,
                FileTickets,
                Reveal,
                Listen,
                Receive,
                ReadCalls,
                ReadLive,
                ReadReports,
                ReadCatalogue,
                Own,
            ],
            Role::Unit => &[ReadTickets, Reveal, Listen, Handle, ReadReports, ReadCatalogue, EditKnowledge, Own],
            Role::Supervisor => &[
                ReadTickets,
                ReadVisits,
                FileTickets,
                Reveal,
                Listen,
                Download,
                Hold,
                Score,
                Receive,
                Supervise,
                ReadCalls,
                ReadLive,
                ReadReports,
                Export,
                ReadAudit,
                ReadCatalogue,
                Own,
            ],
            Role::Leader => &[ReadTickets, ReadVisits, Instruct, ReadLive, ReadReports, ReadCatalogue, Own],
            Role::Administrator => &[
                ReadCatalogue,
                EditCatalogue,
                EditKnowledge,
                EditCalendar,
                ManageAccounts,
                Operate,
                Hold,
                ReadLive,
                Own,
            ],
            Role::Auditor => &[ReadTickets, ReadVisits, ReadCalls, ReadReports, ReadAudit, ReadCatalogue, Own],
        }
    }
}

impl Scope {
    pub const fn rights(self) -> &'static [Right] {
        match self {
            Scope::ReadTickets => &[Right::ReadTickets],
            Scope::WriteTickets => &[Right::FileTickets],
            Scope::Open311 => &[Right::Open311],
            Scope::ReplyBySms => &[Right::ReplyBySms],
            Scope::ReadReports => &[Right::ReadReports],
            Scope::ReadAudit => &[Right::ReadAudit],
            Scope::ReadCatalogue => &[Right::ReadCatalogue],
        }
    }
}

/// The cities somebody is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cities {
    All,
    Only(BTreeSet<City>),
}

impl Cities {
    /// Whoever is given every city is given what belongs to all of them: entries and days off of the whole region.
    pub fn of(cities: BTreeSet<City>) -> Cities {
        if City::ALL.iter().all(|city| cities.contains(city)) { Cities::All } else { Cities::Only(cities) }
    }

    pub fn contains(&self, city: City) -> bool {
        match self {
            Cities::All => true,
            Cities::Only(cities) => cities.contains(&city),
        }
    }

    /// Those of the asked ones that are given, in the form of a filter: `None` is all.
    pub fn among(&self, asked: Option<Vec<City>>) -> Option<Vec<City>> {
        match self {
            Cities::All => asked,
            Cities::Only(_) => {
                let asked = asked.unwrap_or_else(|| City::ALL.to_vec());
                Some(asked.into_iter().filter(|city| self.contains(*city)).collect())
            }
        }
    }

    /// In the order of their area codes.
    pub fn list(&self) -> Vec<City> {
        City::ALL.into_iter().filter(|city| self.contains(*city)).collect()
    }
}

/// Who asks: a person, a system, or the operator at the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub actor: Actor,
    /// Of an account or a client; for people, never a secret.
    pub name: String,
    pub rights: BTreeSet<Right>,
    pub cities: Cities,
    /// Who is of a unit sees and handles its tickets only.
    pub unit: Option<UnitCode>,
    /// Named for confidential tickets and reports of wrongdoing (举报).
    pub named: bool,
}

/// Not allowed; says which right is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("this needs the right {0}")]
    Right(Right),
    #[error("the ticket is another unit's")]
    OtherUnit,
    #[error("only named people see this requester")]
    Shielded,
    #[error("only the clock does this")]
    ClockOnly,
}

impl Caller {
    /// Who reads the data folder may everything.
    pub fn operator() -> Caller {
        Caller {
            actor: Actor::Operator,
            name: "operator".to_owned(),
            rights: Right::ALL.iter().copied().collect(),
            cities: Cities::All,
            unit: None,
            named: true,
        }
    }

    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// # Errors
    /// The right is missing.
    pub fn needs(&self, right: Right) -> Result<(), Denied> {
        if self.has(right) { Ok(()) } else { Err(Denied::Right(right)) }
    }

    /// Whether the names of those who acted are shown: people know their colleagues, another system only as it reads the
    /// audit.
    pub fn sees_names(&self) -> bool {
        !matches!(self.actor, Actor::Client(_)) || self.has(Right::ReadAudit)
    }

    /// Whose side a command of this caller is on.
    pub fn side(&self) -> Side {
        if self.unit.is_some() { Side::Unit } else { Side::Hotline }
    }

    /// Whether the ticket is there at all for this caller: of their cities, and of their unit if they are of one.
    pub fn sees(&self, ticket: &Ticket) -> bool {
        self.cities.contains(ticket.city) && self.unit.as_ref().is_none_or(|unit| is_with(unit, ticket))
    }

    /// Whether this caller may know of requesters for named people only: confidential, anonymous and reporting ones. Nobody of
    /// a unit may.
    pub fn sees_shielded(&self) -> bool {
        self.named && self.unit.is_none()
    }

    /// Whether name, phone and recordings of the ticket may be shown at all.
    ///
    /// # Errors
    /// It is shielded and the caller is not named, or the caller is of the unit that is complained about.
    pub fn sees_requester(&self, ticket: &Ticket) -> Result<(), Denied> {
        let shielded = ticket.is_shielded() || ticket.anonymous;
        if shielded && !self.sees_shielded() { Err(Denied::Shielded) } else { Ok(()) }
    }

    /// Whether this caller may give the command to this ticket, which it sees.
    ///
    /// # Errors
    /// What is missing.
    pub fn may_give(&self, command: &Command, ticket: &Ticket) -> Result<(), Denied> {
        let rights = needed(command);
        let Some(right) = rights.iter().copied().find(|right| self.has(*right)) else {
            return Err(rights.first().map_or(Denied::ClockOnly, |right| Denied::Right(*right)));
        };
        if right == Right::Handle {
            self.handles(command, ticket)?;
        }
        Ok(())
    }

    /// Whether this caller may add files to this ticket, which it sees: who files requests, and the units that have it.
    ///
    /// # Errors
    /// The right is missing.
    pub fn may_attach(&self, ticket: &Ticket) -> Result<(), Denied> {
        let of_its_unit = self.has(Right::Handle) && self.unit.as_ref().is_none_or(|unit| is_with(unit, ticket));
        if of_its_unit { Ok(()) } else { self.needs(Right::FileTickets) }
    }

    /// A unit moves what it leads; where it assists it only writes notes.
    fn handles(&self, command: &Command, ticket: &Ticket) -> Result<(), Denied> {
        let Some(unit) = &self.unit else { return Ok(()) };
        let leads = ticket.handling.lead.as_ref() == Some(unit);
        let notes = matches!(command, Command::Note { .. }) && is_with(unit, ticket);
        if leads || notes { Ok(()) } else { Err(Denied::OtherUnit) }
    }
}

fn is_with(unit: &UnitCode, ticket: &Ticket) -> bool {
    ticket.handling.lead.as_ref() == Some(unit) || ticket.handling.assisting.contains(unit)
}

/// Any one of these will do; none: nobody.
const fn needed(command: &Command) -> &'static [Right] {
    match command {
        Command::Edit(_)
        | Command::Correct { .. }
        | Command::Answer { .. }
        | Command::Refuse { .. }
        | Command::Dispatch { .. }
        | Command::Visited(_)
        | Command::EndVisit { .. }
        | Command::Merge { .. }
        | Command::Withdraw { .. }
        | Command::Reopen { .. }
        | Command::Urge => &[Right::Receive],
        Command::Sign
        | Command::Return { .. }
        | Command::AskExtension { .. }
        | Command::AskSuspension { .. }
        | Command::Reply { .. } => &[Right::Handle],
        Command::RecordContact { .. } | Command::Note { .. } => &[Right::Receive, Right::Handle],
        Command::AskExclusion { .. } => &[Right::Supervise, Right::Handle],
        Command::AcceptReturn
        | Command::RejectReturn { .. }
        | Command::Grant
        | Command::Deny { .. }
        | Command::Suspend { .. }
        | Command::Resume
        | Command::Pass
        | Command::Fail { .. }
        | Command::Uphold
        | Command::Dismiss { .. }
        | Command::Transfer { .. } => &[Right::Supervise],
        Command::Instruct { .. } => &[Right::Instruct],
        Command::Supervise { .. } => &[Right::Supervise, Right::Instruct],
        Command::StepUp | Command::Raise { .. } => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role, unit: Option<&str>) -> Caller {
        Caller {
            actor: Actor::System,
            name: role.to_string(),
            rights: role.rights().iter().copied().collect(),
            cities: Cities::Only([City::Lhasa].into()),
            unit: unit.map(|unit| unit.parse().expect("a code")),
            named: false,
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_an_administrator_reads_no_ticket() {
        let changing = [
            Right::FileTickets,
            Right::Receive,
            Right::Handle,
            Right::Supervise,
            Right::Instruct,
            Right::EditCatalogue,
            Right::EditKnowledge,
            Right::EditCalendar,
            Right::ManageAccounts,
            Right::Operate,
        ];
        let auditor = caller(Role::Auditor, None);
        assert!(changing.iter().all(|right| !auditor.has(*right)));
        let administrator = caller(Role::Administrator, None);
        for right in [Right::ReadTickets, Right::Listen, Right::Reveal, Right::ReadCalls] {
            assert_eq!(administrator.needs(right), Err(Denied::Right(right)));
        }
    }

    #[test]
    fn whoever_has_some_cities_asks_for_no_others() {
        let lhasa = Cities::Only([City::Lhasa].into());
        assert_eq!(lhasa.among(None), Some(vec![City::Lhasa]));
        assert_eq!(lhasa.among(Some(vec![City::Lhasa, City::Ngari])), Some(vec![City::Lhasa]));
        assert_eq!(lhasa.among(Some(vec![City::Ngari])), Some(Vec::new()));
        assert_eq!((Cities::All.among(None), Cities::All.among(Some(Vec::new()))), (None, Some(Vec::new())));
    }

    #[test]
    fn whoever_is_given_every_city_is_given_what_is_of_all_of_them() {
        assert_eq!(Cities::of(City::ALL.into()), Cities::All);
        let six: BTreeSet<City> = City::ALL.into_iter().filter(|city| *city != City::Ngari).collect();
        assert_eq!(Cities::of(six.clone()), Cities::Only(six));
        assert_eq!(Cities::of(BTreeSet::new()), Cities::Only(BTreeSet::new()));
    }

    #[test]
    fn shielded_requesters_are_for_the_named_and_for_no_unit() {
        let sees = |named, unit| Caller { named, ..caller(Role::Supervisor, unit) }.sees_shielded();
        assert!(sees(true, None));
        assert!(!sees(false, None) && !sees(true, Some("lhasa-housing")) && !sees(false, Some("lhasa-housing")));
    }

    #[test]
    fn the_operator_has_every_right() {
        assert!(Right::ALL.iter().all(|right| Caller::operator().has(*right)));
    }

    #[test]
    fn every_right_is_a_roles_or_another_systems() {
        let of_roles = |right: &Right| Role::ALL.iter().any(|role| role.rights().contains(right));
        let nobodys: Vec<&Right> = Right::ALL.iter().filter(|right| !of_roles(right)).collect();
        assert_eq!(nobodys, [&Right::Open311, &Right::ReplyBySms]);
    }

    #[test]
    fn the_clock_alone_raises_alarms() {
        let raise = Command::Raise { alarm: crate::ticket::Alarm::Overdue };
        assert!(needed(&Command::StepUp).is_empty() && needed(&raise).is_empty());
    }
}
