//! One ticket's way: who does what next, and how long they take. What may be done, [`crate::ticket::apply`] decides.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::arrivals::{beijing_midnight, next_midnight};
use super::dice::Dice;
use super::matter::{Chosen, reply, text};
use super::{Lead, Setting, Units};
use crate::city::City;
use crate::clock::beijing_day;
use crate::ticket::calendar::WorkingDays;
use crate::ticket::{
    Actor, Alarm, Answers, Body, Command, Contacted, LAST_ROUND, Level, Life, MAX_RETURNS, Means, Moment, NoVisit,
    Number, ReasonCode, ReasonKind, RequestType, Satisfaction, Side, Solved, State, Ticket, Wish, deadline,
};

/// What is done next.
struct Step {
    at: DateTime<Utc>,
    actor: Actor,
    side: Side,
    command: Command,
}

/// How the hotline goes about a new ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intake {
    Refuse,
    Answer,
    Withdraw,
    Merge(Number),
    Dispatch,
}

/// What happens once, if at all, and is taken out when it does.
#[derive(Debug)]
struct Turns {
    give_back: bool,
    extension: bool,
    suspension: bool,
    exclusion: bool,
    transfer: bool,
    urge: bool,
    instruction: bool,
    supervision: bool,
    note: bool,
    withdrawal: bool,
    reopening: bool,
}

pub struct Walk<'a> {
    setting: &'a Setting,
    dice: &'a mut Dice,
    life: Life,
    matter: Chosen,
    intake: Intake,
    turns: Turns,
    now: DateTime<Utc>,
    /// The lead's visits, of a ticket that is to be merged.
    visits: Vec<(DateTime<Utc>, u8)>,
}

/// More than any life has; a walk that came here would go in circles.
const MOST_STEPS: usize = 200;

impl<'a> Walk<'a> {
    pub fn alone(setting: &'a Setting, dice: &'a mut Dice, created: Ticket) -> Walk<'a> {
        let matter = setting.matters.choose(created.city, dice);
        let direct = match created.request_type {
            Some(RequestType::Consult) => 620,
            Some(RequestType::Praise) => 700,
            Some(RequestType::Suggest) => 150,
            _ => 20,
        };
        let intake = match dice.below(1_000) {
            ..12 => Intake::Refuse,
            12..20 => Intake::Withdraw,
            _ if dice.permille(direct) => Intake::Answer,
            _ => Intake::Dispatch,
        };
        Walk::new(setting, dice, created, matter, intake, Vec::new())
    }

    /// A ticket of the same matter as an earlier one that is still open.
    pub(super) fn after(setting: &'a Setting, dice: &'a mut Dice, created: Ticket, lead: &Lead) -> Walk<'a> {
        Walk::new(setting, dice, created, lead.matter.clone(), Intake::Merge(lead.number), lead.visits.clone())
    }

    fn new(
        setting: &'a Setting,
        dice: &'a mut Dice,
        created: Ticket,
        matter: Chosen,
        intake: Intake,
        visits: Vec<(DateTime<Utc>, u8)>,
    ) -> Walk<'a> {
        let turns = Turns {
            give_back: dice.permille(30),
            extension: dice.permille(45),
            suspension: dice.permille(8),
            exclusion: dice.permille(4),
            transfer: dice.permille(8),
            urge: dice.permille(25),
            instruction: dice.permille(3),
            supervision: dice.permille(5),
            note: dice.permille(15),
            withdrawal: dice.permille(4),
            reopening: dice.permille(4),
        };
        let now = created.created_at;
        let (world, city) = (&setting.world, created.city);
        let by = if dice.permille(700) { Actor::Caller } else { Actor::System };
        let life = Life::begin(created, by, &world.calendar, world.limits(city));
        Walk { setting, dice, life, matter, intake, turns, now, visits }
    }

    /// To the end of the life, or of the time.
    pub fn run(mut self) -> (Life, Chosen) {
        for _ in 0..MOST_STEPS {
            let Some(step) = self.next() else { break };
            let at = step.at.max(self.now + TimeDelta::seconds(1));
            self.clock(at.min(self.setting.end));
            if at >= self.setting.end || !self.take(Step { at, ..step }) {
                break;
            }
        }
        self.clock(self.setting.end);
        (self.life, self.matter)
    }

    /// Whether the rules allowed it.
    fn take(&mut self, step: Step) -> bool {
        let ticket = self.life.ticket();
        let world = &self.setting.world;
        let moment = Moment {
            now: step.at.max(self.now),
            actor: step.actor,
            side: step.side,
            calendar: &world.calendar,
            limits: world.limits(ticket.city),
        };
        let merged = matches!(step.command, Command::Merge { .. });
        self.now = moment.now;
        let done = self.life.carry_out(step.command, &moment);
        debug_assert!(done.is_ok(), "{}: {done:?}", self.life.created.number);
        if merged && done.is_ok() {
            self.life.followed = self.visits.iter().copied().filter(|(at, _)| *at > self.now).collect();
        }
        done.is_ok()
    }

    /// What the clock raises until then.
    fn clock(&mut self, until: DateTime<Utc>) {
        while let Some((at, command)) = self.alarm().filter(|(at, _)| *at < until) {
            let noticed = at + TimeDelta::seconds((1 + self.dice.below(60)).into());
            let at = noticed.min(until - TimeDelta::seconds(1)).max(at).max(self.now);
            if !self.take(Step { at, actor: Actor::System, side: Side::System, command }) {
                break;
            }
        }
    }

    /// The next thing that the clock will notice, if nothing is done.
    fn alarm(&self) -> Option<(DateTime<Utc>, Command)> {
        let (ticket, world) = (self.life.ticket(), &self.setting.world);
        let (handling, limits) = (&ticket.handling, world.limits(ticket.city));
        let state = ticket.state;
        let late = TimeDelta::seconds(1);
        let contact = handling.contact_due_at.filter(|_| state.is_handled() && handling.contact_at.is_none());
        let review = handling.review_day.filter(|_| state == State::Suspended);
        let since = ticket.state_since;
        let alarms = [
            (Alarm::Undispatched, (state == State::Received).then(|| deadline::undispatched_shown_at(since, limits))),
            (Alarm::Unsigned, (state == State::Dispatched).then(|| deadline::unsigned_shown_at(since, limits))),
            (Alarm::ContactBreached, contact.map(|due| due + late)),
            (Alarm::Overdue, handling.due_day.filter(|_| state.is_timed()).map(next_midnight)),
            (Alarm::ReviewDue, review.map(beijing_midnight)),
        ];
        let raised = alarms
            .into_iter()
            .filter(|(alarm, _)| !handling.raised.contains(alarm))
            .filter_map(|(alarm, at)| Some((at?, Command::Raise { alarm })));
        let raised = raised.chain(self.step_up().map(|at| (at, Command::StepUp)));
        raised.min_by_key(|(at, _)| *at)
    }

    fn step_up(&self) -> Option<DateTime<Utc>> {
        let (ticket, world) = (self.life.ticket(), &self.setting.world);
        ticket.supervision.level?.next().filter(|_| ticket.state.is_timed())?;
        let still = ticket.supervision.since.max(ticket.supervision.progressed_at).unwrap_or(ticket.state_since);
        let days = world.limits(ticket.city).step_up_after_working_days;
        Some(beijing_midnight(world.calendar.due_day(Some(ticket.city), beijing_day(still), days).day))
    }

    fn next(&mut self) -> Option<Step> {
        match self.life.ticket().state {
            State::Received => Some(self.received()),
            State::Dispatched => Some(self.dispatched()),
            State::InProgress => Some(self.in_progress()),
            State::ReturnUnderReview => Some(self.returned()),
            State::Suspended => Some(self.suspended()),
            State::UnderReview => Some(self.under_review()),
            State::AwaitingVisit | State::Closed => Some(self.visit(self.now)),
            State::Recheck => Some(self.recheck()),
            State::Archived => self.reopen(),
            State::Merged => self.visit_follower(),
            State::Refused | State::Withdrawn => None,
        }
    }

    fn received(&mut self) -> Step {
        let ticket = self.life.ticket();
        let (city, language, kind) = (ticket.city, ticket.language, ticket.request_type);
        if ticket.matter.class.is_none() {
            let edit = self.matter.edit(city, language, kind, self.dice);
            let after = if self.dice.permille(40) { self.dice.minutes(25, 90) } else { self.dice.minutes(1, 14) };
            return self.by_agent(after, Command::Edit(Box::new(edit)));
        }
        if self.turns.note {
            self.turns.note = false;
            let after = self.dice.minutes(1, 4);
            return self.by_agent(after, Command::Note { text: text("已电话核实来电内容。") });
        }
        match self.intake {
            Intake::Refuse => {
                let reason = self.reason(ReasonKind::Refusal);
                let after = self.dice.minutes(2, 25);
                self.by_agent(after, Command::Refuse { reason, note: text("不属于受理范围，已告知来电人。") })
            }
            Intake::Answer => {
                let reply = reply(self.dice);
                let after = self.dice.minutes(2, 14);
                self.by_agent(after, Command::Answer { reply })
            }
            Intake::Withdraw => {
                let after = self.dice.minutes(2, 300);
                self.by_requester(after, Command::Withdraw { why: text("来电人表示问题已自行解决。") })
            }
            Intake::Merge(into) if self.visits.first().is_some_and(|(closed, _)| *closed > self.now) => {
                let most = self.visits[0].0 - TimeDelta::seconds(1) - self.now;
                let after = self.dice.minutes(2, 12).min(most);
                self.by_supervisor(after, Command::Merge { into })
            }
            Intake::Merge(_) | Intake::Dispatch => self.dispatch(),
        }
    }

    fn dispatch(&mut self) -> Step {
        let ticket = self.life.ticket();
        let units = &self.setting.units;
        let unit = units.choose(ticket.city, self.matter.class, self.dice);
        let unit = Units::code(unit).clone();
        let assisting = match self.dice.permille(50) {
            true => vec![Units::code(units.other(ticket.city, &unit, self.dice)).clone()],
            false => Vec::new(),
        };
        let after = if self.dice.permille(30) { self.dice.minutes(31, 150) } else { self.dice.minutes(1, 12) };
        self.by_agent(after, Command::Dispatch { unit, assisting })
    }

    fn dispatched(&mut self) -> Step {
        let returns = self.life.ticket().handling.returns;
        if self.turns.give_back && returns < MAX_RETURNS {
            self.turns.give_back = self.dice.permille(150);
            let command = Command::Return {
                ground: self.reason(ReasonKind::Return),
                note: text("经核实不属于本单位职责范围。"),
            };
            let after = self.dice.minutes(10, 180);
            return self.by_unit(after, command);
        }
        if self.dice.permille(300)
            && let Some(contact) = self.contact()
        {
            return contact;
        }
        let after = if self.dice.permille(60) { self.dice.minutes(31, 240) } else { self.dice.minutes(2, 28) };
        self.by_unit(after, Command::Sign)
    }

    /// The unit's call, or the hotline's for it; `None` when it was made or there is nobody to call.
    fn contact(&mut self) -> Option<Step> {
        let ticket = self.life.ticket();
        if ticket.phone.is_none() || ticket.handling.contact_at.is_some() {
            return None;
        }
        let dispatched = ticket.handling.dispatched_at.unwrap_or(self.now);
        let by_hotline = ticket.is_shielded() || ticket.anonymous;
        let after = if self.dice.permille(55) { self.dice.minutes(62, 600) } else { self.dice.minutes(6, 55) };
        let after = dispatched + after - self.now;
        let told: Body = text("已联系来电人，告知受理情况和办理时限。");
        let command = Command::RecordContact { told, at: None };
        Some(if by_hotline { self.by_agent(after, command) } else { self.by_unit(after, command) })
    }

    fn in_progress(&mut self) -> Step {
        if let Some(contact) = self.contact() {
            return contact;
        }
        if let Some(step) = self.asked().or_else(|| self.ask()).or_else(|| self.aside()) {
            return step;
        }
        let at = self.reply_at();
        let reply = reply(self.dice);
        self.by_unit(at - self.now, Command::Reply { text: reply })
    }

    /// In office hours, most often long before it is due.
    fn reply_at(&mut self) -> DateTime<Utc> {
        let due = self.life.ticket().handling.due_day.map_or(self.now, next_midnight);
        let left = (due - self.now).num_minutes().clamp(0, 40_000);
        let share = if self.dice.permille(22) { 100 + self.dice.below(60) } else { 6 + self.dice.below(66) };
        let aimed = self.now + TimeDelta::minutes(left.max(300) * i64::from(share) / 100);
        let at = self.office(aimed);
        // what is aimed at a holiday is done the day before it is due
        if at >= due && share < 100 { aimed.max(self.now + TimeDelta::minutes(30)) } else { at }
    }

    /// The supervisor's decision on what the unit asked.
    fn asked(&mut self) -> Option<Step> {
        let asked = self.life.ticket().handling.asked.as_ref()?;
        let likely = if matches!(asked.what, Wish::Extension { .. }) { 880 } else { 700 };
        let after = self.dice.minutes(20, 200);
        let command = match self.dice.permille(likely) {
            true => Command::Grant,
            false => Command::Deny { why: text("理由不充分，请按期办理。") },
        };
        Some(self.by_supervisor(after, command))
    }

    fn ask(&mut self) -> Option<Step> {
        let handling = &self.life.ticket().handling;
        let in_time = handling.due_day.is_some_and(|due| beijing_day(self.now) < due);
        let first = handling.round == 1;
        let note = || text("情况复杂，需要进一步核实处理。");
        let command = if self.turns.extension && in_time && handling.extended_by.is_none() {
            self.turns.extension = false;
            let most = self.limits().extension_at_most_working_days.count();
            let days = WorkingDays::new(1 + self.dice.below(most)).unwrap_or(self.limits().redo_working_days);
            Command::AskExtension { working_days: days, reason: self.reason(ReasonKind::Extension), note: note() }
        } else if self.turns.suspension && first {
            self.turns.suspension = false;
            let most = self.limits().suspension_review_within_days;
            let within = (10 + self.dice.below(60)).min(most.saturating_sub(2)).max(2);
            let until = beijing_day(self.now) + chrono::Days::new(within.into());
            Command::AskSuspension { until, reason: self.reason(ReasonKind::Suspension), note: note() }
        } else if self.turns.exclusion {
            self.turns.exclusion = false;
            Command::AskExclusion { reason: self.reason(ReasonKind::Exclusion), note: note() }
        } else {
            return None;
        };
        // a day before it is due it may still be asked
        let after = self.dice.minutes(20, 90);
        Some(self.by_unit(after, command))
    }

    /// What comes in between.
    fn aside(&mut self) -> Option<Step> {
        let city = self.life.ticket().city;
        if std::mem::take(&mut self.turns.transfer) {
            let lead = self.life.ticket().handling.lead.clone()?;
            let unit = Units::code(self.setting.units.other(city, &lead, self.dice)).clone();
            let command =
                Command::Transfer { unit, assisting: Vec::new(), why: text("职责已调整，改派办理。") };
            let after = self.dice.minutes(60, 600);
            return Some(self.by_supervisor(after, command));
        }
        if std::mem::take(&mut self.turns.urge) {
            let after = self.dice.minutes(60, 1_500);
            return Some(self.by_requester(after, Command::Urge));
        }
        if std::mem::take(&mut self.turns.instruction) {
            let (after, actor) = (self.dice.minutes(30, 900), self.setting.people.leader(city));
            let command = Command::Instruct { text: text("请抓紧办理，并报告结果。") };
            return Some(self.step(after, actor, Side::Hotline, command));
        }
        if std::mem::take(&mut self.turns.supervision) && self.life.ticket().supervision.level.is_none() {
            let after = self.dice.minutes(60, 900);
            let command = Command::Supervise { level: Level::FIRST, why: text("群众反映强烈，重点督办。") };
            return Some(self.by_supervisor(after, command));
        }
        if std::mem::take(&mut self.turns.withdrawal) {
            let after = self.dice.minutes(60, 1_200);
            return Some(self.by_requester(after, Command::Withdraw { why: text("来电人表示不再需要办理。") }));
        }
        None
    }

    fn returned(&mut self) -> Step {
        let after = self.dice.minutes(15, 120);
        let command = match self.dice.permille(780) {
            true => Command::AcceptReturn,
            false => Command::RejectReturn { why: text("属于你单位职责，请继续办理。") },
        };
        self.by_supervisor(after, command)
    }

    fn suspended(&mut self) -> Step {
        let review = self.life.ticket().handling.review_day.map_or(self.now, beijing_midnight);
        let hours = self.dice.minutes(9 * 60 + 30, 40 * 60);
        let at = self.office(review + hours);
        self.by_supervisor(at - self.now, Command::Resume)
    }

    fn under_review(&mut self) -> Step {
        let after = self.dice.minutes(15, 300);
        let at = self.office(self.now + after);
        let command = match self.dice.permille(960) {
            true => Command::Pass,
            false => Command::Fail { why: text("答复不完整，请补充办理结果。") },
        };
        self.by_supervisor(at - self.now, command)
    }

    fn visit(&mut self, closed: DateTime<Utc>) -> Step {
        let ticket = self.life.ticket();
        if ticket.phone.is_none() {
            let after = closed + self.dice.minutes(10, 60) - self.now;
            return self.by_agent(after, Command::EndVisit { because: NoVisit::NoPhone });
        }
        let after = self.dice.minutes(120, 2_000);
        let after = visiting_hours(closed + after) - self.now;
        let command = match self.dice.below(1_000) {
            ..8 => Command::EndVisit { because: NoVisit::Unreached },
            8..11 => Command::EndVisit { because: NoVisit::Declined },
            _ => Command::Visited(self.answers()),
        };
        match command {
            Command::Visited(Answers { means: Means::Call | Means::Sms, .. }) => {
                self.step(after, Actor::System, Side::System, command)
            }
            command => self.by_agent(after, command),
        }
    }

    /// 96 of a hundred are satisfied; who was not contacted or waited too long less often.
    fn answers(&mut self) -> Answers {
        let ticket = self.life.ticket();
        let (state, round) = (ticket.state, ticket.handling.round);
        let handling = &ticket.handling;
        let late = handling.raised.contains(&Alarm::Overdue) || handling.raised.contains(&Alarm::ContactBreached);
        let contacted = match (handling.contact_at, late) {
            (Some(_), false) => {
                self.dice.weighted(&[(Contacted::InTime, 97), (Contacted::Late, 2), (Contacted::No, 1)])
            }
            (Some(_), true) => {
                self.dice.weighted(&[(Contacted::InTime, 30), (Contacted::Late, 62), (Contacted::No, 8)])
            }
            (None, _) => self.dice.weighted(&[(Contacted::InTime, 90), (Contacted::Late, 5), (Contacted::No, 5)]),
        };
        let given = match late {
            false => self.dice.weighted(&[(5, 690), (4, 185), (3, 80), (2, 28), (1, 17)]),
            true => self.dice.weighted(&[(5, 480), (4, 240), (3, 190), (2, 55), (1, 35)]),
        };
        let solved = match given {
            5 | 4 => self.dice.weighted(&[(Solved::Yes, 960), (Solved::Partly, 38), (Solved::No, 2)]),
            3 => self.dice.weighted(&[(Solved::Yes, 600), (Solved::Partly, 380), (Solved::No, 20)]),
            _ => self.dice.weighted(&[(Solved::Yes, 100), (Solved::Partly, 350), (Solved::No, 550)]),
        };
        let mut answers = Answers {
            means: self.dice.weighted(&[(Means::Call, 600), (Means::Person, 280), (Means::Sms, 120)]),
            contacted: Some(contacted),
            solved: (!self.dice.permille(12)).then_some(solved),
            satisfaction: Satisfaction::new(given).filter(|_| !self.dice.permille(18)),
            redo: false,
            recording: None,
        };
        // a follower's wish would move its lead, whose life is walked already
        let may_redo = state == State::AwaitingVisit && round < LAST_ROUND;
        answers.redo = may_redo && answers.is_dissatisfied() && self.dice.permille(520);
        answers
    }

    fn recheck(&mut self) -> Step {
        let handling = &self.life.ticket().handling;
        let may_redo = handling.round < LAST_ROUND && handling.lead.is_some();
        let after = self.dice.minutes(120, 1_600);
        let at = self.office(self.now + after);
        let command = match may_redo && self.dice.permille(740) {
            true => Command::Uphold,
            false => Command::Dismiss { why: text("经复核，办理结果属实，已向来电人解释。") },
        };
        self.by_supervisor(at - self.now, command)
    }

    fn reopen(&mut self) -> Option<Step> {
        if !std::mem::take(&mut self.turns.reopening) {
            return None;
        }
        let most = self.limits().reopen_within_days.min(25);
        let after = self.dice.minutes(600, (most * 24 * 60).max(601));
        Some(self.by_requester(after, Command::Reopen { why: text("来电人表示问题仍未解决。") }))
    }

    /// Once, after its lead was closed for the first time.
    fn visit_follower(&mut self) -> Option<Step> {
        let visited = |command: &Command| matches!(command, Command::Visited(_) | Command::EndVisit { .. });
        if self.life.deeds.iter().any(|deed| visited(&deed.command)) {
            return None;
        }
        let (due, _) = *self.life.followed.first()?;
        Some(self.visit(due))
    }

    fn step(&self, after: TimeDelta, actor: Actor, side: Side, command: Command) -> Step {
        Step { at: self.now + after, actor, side, command }
    }

    fn by_agent(&mut self, after: TimeDelta, command: Command) -> Step {
        let actor = self.setting.people.agent(self.life.ticket().city, self.dice);
        self.step(after, actor, Side::Hotline, command)
    }

    fn by_supervisor(&mut self, after: TimeDelta, command: Command) -> Step {
        let actor = self.setting.people.supervisor(self.life.ticket().city, self.dice);
        self.step(after, actor, Side::Hotline, command)
    }

    fn by_unit(&mut self, after: TimeDelta, command: Command) -> Step {
        let ticket = self.life.ticket();
        let actor = match &ticket.handling.lead {
            Some(unit) => self.setting.people.clerk(ticket.city, Units::place(unit)),
            None => Actor::Operator,
        };
        self.step(after, actor, Side::Unit, command)
    }

    fn by_requester(&self, after: TimeDelta, command: Command) -> Step {
        self.step(after, Actor::Caller, Side::Requester, command)
    }

    fn reason(&mut self, kind: ReasonKind) -> ReasonCode {
        self.dice.pick(&self.setting.reasons[&kind]).clone()
    }

    fn limits(&self) -> &deadline::Limits {
        self.setting.world.limits(self.life.ticket().city)
    }

    /// This moment if the city's offices are open, else a while after they open next: 09:30 to 18:30 on working days.
    fn office(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let city: City = self.life.ticket().city;
        let calendar = &self.setting.world.calendar;
        let day = beijing_day(at);
        let opens = |day| beijing_midnight(day) + TimeDelta::minutes(9 * 60 + 30);
        let closes = beijing_midnight(day) + TimeDelta::minutes(18 * 60 + 30);
        let worked = calendar.is_working_day(Some(city), day);
        if worked && at >= opens(day) && at < closes {
            return at;
        }
        let day = if worked && at < closes { day } else { calendar.next_working_day(Some(city), day) };
        opens(day) + self.dice.minutes(1, 150)
    }
}

/// 09:30-12:30 and 15:30-20:00 in Beijing (domain.md §4).
fn visiting_hours(at: DateTime<Utc>) -> DateTime<Utc> {
    let time = (at + TimeDelta::hours(8)).time();
    let day = beijing_midnight(beijing_day(at));
    let clock = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
    let spread = TimeDelta::seconds(i64::from(at.timestamp_subsec_millis()) + at.timestamp() % 3_600);
    if time < clock(9, 30) {
        day + TimeDelta::minutes(9 * 60 + 30) + spread
    } else if time >= clock(12, 30) && time < clock(15, 30) {
        day + TimeDelta::minutes(15 * 60 + 30) + spread
    } else if time >= clock(20, 0) {
        day + TimeDelta::minutes((24 + 9) * 60 + 30) + spread
    } else {
        at
    }
}
