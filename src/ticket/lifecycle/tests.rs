//! The table of domain §2, pair by pair; what each row asks for; and what holds whatever is done.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::city::City;
use crate::clock::beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{
    Channel, Contacted, Handling, Heard, Matter, Means, Number, RequestType, Requester, Solved, Supervision, Urgency,
};

/// A Thursday, 10:00 in Beijing.
fn morning() -> DateTime<Utc> {
    "2026-11-26T02:00:00Z".parse().expect("a time")
}

fn ticket() -> Ticket {
    let now = morning();
    Ticket {
        number: number("126112600014"),
        city: City::Lhasa,
        channel: Channel::Phone,
        line: Some("12345".to_owned()),
        call: None,
        client: None,
        created_at: now,
        created_day: beijing_day(now),
        language: Language::Zh,
        requester: Requester::Citizen,
        name: None,
        enterprise_name: None,
        phone: Phone::parse("13812345678"),
        other_phone: None,
        anonymous: false,
        confidential: false,
        request_type: Some(RequestType::Help),
        urgency: Urgency::Normal,
        confirmed: true,
        matter: Matter { title: "路灯不亮".parse().ok(), class: "0101".parse().ok(), ..Matter::default() },
        state: State::Received,
        state_since: now,
        handling: Handling { round: 1, ..Handling::default() },
        supervision: Supervision::default(),
        visit: Heard::default(),
        version: 1,
    }
}

fn number(text: &str) -> Number {
    let (head, _) = text.split_at(11);
    (0..10).find_map(|check| format!("{head}{check}").parse().ok()).expect("one check digit fits")
}

fn body(text: &str) -> super::super::Body {
    text.parse().expect("short")
}

fn reason() -> ReasonCode {
    "elsewhere".parse().expect("a code")
}

fn unit(name: &str) -> UnitCode {
    name.parse().expect("a code")
}

fn answers(solved: Solved, redo: bool) -> Answers {
    Answers {
        means: Means::Person,
        contacted: Some(Contacted::InTime),
        solved: Some(solved),
        satisfaction: Satisfaction::new(if solved == Solved::No { 1 } else { 5 }),
        redo,
        recording: None,
    }
}

/// Every command once, with what it needs.
fn commands() -> Vec<Command> {
    let (text, why, note) = (body("好的"), body("原因"), body("说明"));
    let until = beijing_day(morning() + TimeDelta::days(20));
    let days = |days| WorkingDays::new(days).expect("from 1 to 366");
    vec![
        Command::Edit(Box::new(Edit { urgency: Some(Urgency::Urgent), ..Edit::default() })),
        Command::Correct { phone: Some(PhoneText(Phone::parse("13900001111"))), name: None },
        Command::Note { text: text.clone() },
        Command::Answer { reply: text.clone() },
        Command::Refuse { reason: reason(), note: note.clone() },
        Command::Dispatch { unit: unit("lhasa-housing"), assisting: vec![unit("lhasa-transport")] },
        Command::Sign,
        Command::Return { ground: reason(), note: note.clone() },
        Command::AcceptReturn,
        Command::RejectReturn { why: why.clone() },
        Command::RecordContact { told: text.clone(), at: None },
        Command::AskExtension { working_days: days(10), reason: reason(), note: note.clone() },
        Command::AskSuspension { until, reason: reason(), note: note.clone() },
        Command::AskExclusion { reason: reason(), note: note.clone() },
        Command::Grant,
        Command::Deny { why: why.clone() },
        Command::Suspend { until, reason: reason(), note },
        Command::Resume,
        Command::Reply { text: text.clone() },
        Command::Pass,
        Command::Fail { why: why.clone() },
        Command::Visited(answers(Solved::Yes, false)),
        Command::Visited(answers(Solved::No, true)),
        Command::EndVisit { because: NoVisit::Unreached },
        Command::Uphold,
        Command::Dismiss { why: why.clone() },
        Command::Merge { into: number("126112600020") },
        Command::Withdraw { why: why.clone() },
        Command::Reopen { why: why.clone() },
        Command::Urge,
        Command::Instruct { text },
        Command::Transfer { unit: unit("lhasa-education"), assisting: Vec::new(), why: why.clone() },
        Command::Supervise { level: Level::new(2).expect("a level"), why },
        Command::StepUp,
        Command::Raise { alarm: Alarm::Overdue },
    ]
}

fn actor(n: u8) -> Actor {
    Actor::Account(crate::ticket::AccountId::new(morning(), [n; 10]))
}

/// A calendar and limits to act under.
struct World {
    calendar: Calendar,
    limits: Limits,
}

impl World {
    fn new() -> World {
        World { calendar: Calendar::built_in(), limits: Limits::default() }
    }

    fn give(
        &self,
        ticket: Ticket,
        command: &Command,
        side: Side,
        by: u8,
        now: DateTime<Utc>,
    ) -> Result<(Ticket, Vec<Effect>), Refused> {
        let moment = Moment { now, actor: actor(by), side, calendar: &self.calendar, limits: &self.limits };
        apply(ticket, command, &moment)
    }

    /// By the hotline, now.
    fn done(&self, ticket: Ticket, command: &Command) -> Ticket {
        self.give(ticket, command, Side::Hotline, 1, morning()).expect("it is carried out").0
    }

    fn refused(&self, ticket: Ticket, command: &Command) -> Refused {
        self.give(ticket, command, Side::Hotline, 1, morning()).expect_err("it is refused")
    }

    fn dispatched(&self) -> Ticket {
        self.done(ticket(), &Command::Dispatch { unit: unit("lhasa-housing"), assisting: Vec::new() })
    }

    fn in_progress(&self) -> Ticket {
        self.done(self.dispatched(), &Command::Sign)
    }

    fn contacted(&self) -> Ticket {
        self.done(self.in_progress(), &Command::RecordContact { told: body("受理"), at: None })
    }

    fn awaiting_visit(&self) -> Ticket {
        let replied = self.done(self.contacted(), &Command::Reply { text: body("已修") });
        self.done(replied, &Command::Pass)
    }

    fn recheck(&self) -> Ticket {
        self.done(self.awaiting_visit(), &Command::Visited(answers(Solved::No, true)))
    }

    /// A ticket in every state, with all that brought it there.
    fn in_each_state(&self) -> Vec<Ticket> {
        let why = body("原因");
        let replied = self.done(self.contacted(), &Command::Reply { text: body("已修") });
        let until = beijing_day(morning() + TimeDelta::days(20));
        vec![
            ticket(),
            self.done(ticket(), &Command::Answer { reply: body("是") }),
            self.done(ticket(), &Command::Refuse { reason: reason(), note: why.clone() }),
            self.dispatched(),
            self.contacted(),
            self.done(self.dispatched(), &Command::Return { ground: reason(), note: why.clone() }),
            self.done(self.in_progress(), &Command::Suspend { until, reason: reason(), note: why.clone() }),
            replied,
            self.awaiting_visit(),
            self.done(self.awaiting_visit(), &Command::Visited(answers(Solved::Yes, false))),
            self.recheck(),
            self.done(ticket(), &Command::Merge { into: number("126112600020") }),
            self.done(ticket(), &Command::Withdraw { why }),
        ]
    }
}

#[test]
fn every_pair_of_state_and_command_has_its_answer() {
    let world = World::new();
    let tickets = world.in_each_state();
    let states: Vec<State> = tickets.iter().map(|ticket| ticket.state).collect();
    assert_eq!(states, State::ALL, "a ticket for each state");
    let mut table = String::new();
    for ticket in tickets {
        table.push_str(&format!("{}\n", ticket.state));
        for command in commands() {
            let answer = match world.give(ticket.clone(), &command, Side::Hotline, 2, morning()) {
                Ok((after, _)) if after.state == ticket.state => "stays".to_owned(),
                Ok((after, _)) => format!("-> {}", after.state),
                Err(Refused::State { .. }) => continue,
                Err(why) => format!("refused: {why}"),
            };
            table.push_str(&format!("    {:16} {answer}\n", command.action().name()));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_refused_command_does_not_fit_the_state_and_says_so() {
    let why = World::new().refused(ticket(), &Command::Sign);
    assert_eq!(why, Refused::State { state: State::Received, command: "signed" });
    assert_eq!(why.to_string(), "a ticket in the state received can't be signed");
}

#[test]
fn a_dispatch_starts_the_hour_and_the_requesters_kind_decides_the_limit() {
    let world = World::new();
    let citizen = world.dispatched();
    assert_eq!(citizen.handling.contact_due_at, Some(morning() + TimeDelta::hours(1)));
    assert_eq!(citizen.handling.due_day, "2026-12-03".parse().ok());
    let edit = Command::Edit(Box::new(Edit { requester: Some(Requester::Enterprise), ..Edit::default() }));
    let enterprise = world.done(world.done(ticket(), &edit), &commands()[5]);
    assert_eq!(enterprise.handling.due_day, "2026-12-17".parse().ok());
    assert_eq!(enterprise.handling.assisting, [unit("lhasa-transport")]);
}

#[test]
fn a_late_dispatch_is_never_due_before_its_contact() {
    let world = World::new();
    let later = morning() + TimeDelta::days(30);
    let (late, _) = world.give(ticket(), &commands()[5], Side::Hotline, 1, later).expect("dispatched");
    assert_eq!(late.handling.due_day, Some(beijing_day(later)));
}

#[test]
fn title_and_class_come_before_a_unit() {
    let world = World::new();
    let mut bare = ticket();
    bare.matter.class = None;
    assert_eq!(world.refused(bare.clone(), &commands()[5]), Refused::NoClass);
    bare.matter.title = None;
    assert_eq!(world.refused(bare, &commands()[5]), Refused::NoTitle);
}

#[test]
fn without_a_number_nobody_is_contacted_and_the_reply_needs_no_contact() {
    let world = World::new();
    let withheld = Ticket { phone: None, ..ticket() };
    let handled = world.done(world.done(withheld, &commands()[5]), &Command::Sign);
    assert_eq!(handled.handling.contact_due_at, None);
    let contact = Command::RecordContact { told: body("受理"), at: None };
    assert_eq!(world.refused(handled.clone(), &contact), Refused::NobodyToContact);
    let reply = Command::Reply { text: body("已修") };
    assert_eq!(world.done(handled, &reply).state, State::UnderReview);
    assert_eq!(world.refused(world.in_progress(), &reply), Refused::NoContact);
}

#[test]
fn of_a_shielded_requester_the_hotline_makes_the_contact() {
    let world = World::new();
    let contact = Command::RecordContact { told: body("受理"), at: None };
    for shielded in [
        Ticket { confidential: true, ..world.in_progress() },
        Ticket { anonymous: true, ..world.in_progress() },
        Ticket { request_type: Some(RequestType::Report), ..world.in_progress() },
    ] {
        let by_unit = world.give(shielded.clone(), &contact, Side::Unit, 1, morning());
        assert_eq!(by_unit.expect_err("not by the unit"), Refused::HotlineContacts);
        assert!(world.done(shielded, &contact).handling.contact_at.is_some());
    }
    assert!(world.give(world.in_progress(), &contact, Side::Unit, 1, morning()).is_ok());
}

#[test]
fn a_unit_returns_within_a_working_day_and_twice_at_most() {
    let world = World::new();
    let back = Command::Return { ground: reason(), note: body("不归我们管") };
    let friday_evening = "2026-11-27T15:59:59Z".parse().expect("a time");
    assert!(world.give(world.dispatched(), &back, Side::Unit, 1, friday_evening).is_ok());
    let saturday = friday_evening + TimeDelta::seconds(1);
    let late = world.give(world.dispatched(), &back, Side::Unit, 1, saturday);
    assert_eq!(late.expect_err("too late"), Refused::ReturnTooLate);

    let mut ticket = world.dispatched();
    for returns in 1..=MAX_RETURNS {
        ticket = world.done(ticket, &back);
        assert_eq!((ticket.state, ticket.handling.returns), (State::ReturnUnderReview, returns));
        ticket = world.done(ticket, &Command::RejectReturn { why: body("归你们管") });
    }
    assert_eq!(ticket.supervision.level, Some(Level::FIRST), "two returns are supervised");
    assert_eq!(world.refused(ticket, &back), Refused::NoThirdReturn);
}

#[test]
fn there_is_one_extension_and_another_person_grants_it() {
    let world = World::new();
    let ask = &commands()[11];
    let asked = world.done(world.in_progress(), ask);
    assert_eq!(world.refused(asked.clone(), &Command::Grant), Refused::SamePerson);
    assert_eq!(world.refused(asked.clone(), ask), Refused::AskedAlready);
    let (granted, effects) = world.give(asked, &Command::Grant, Side::Hotline, 2, morning()).expect("granted");
    assert_eq!(granted.handling.due_day, "2026-12-17".parse().ok());
    assert_eq!(effects, [Effect::Tell(Told::Extended)]);
    assert_eq!(world.refused(granted, ask), Refused::ExtendedAlready);
    let after_due = "2026-12-03T16:00:00Z".parse().expect("a time");
    let late = world.give(world.in_progress(), ask, Side::Unit, 1, after_due);
    assert_eq!(late.expect_err("the due day has passed"), Refused::DuePassed);
    let long =
        Command::AskExtension { working_days: WorkingDays::new(11).expect("11"), reason: reason(), note: body("难") };
    assert_eq!(world.refused(world.in_progress(), &long), Refused::ExtensionTooLong { most: 10 });
}

#[test]
fn a_suspension_gives_its_working_days_back() {
    let world = World::new();
    let suspended = world.done(world.in_progress(), &commands()[16]);
    let later = morning() + TimeDelta::days(7);
    let (resumed, _) = world.give(suspended, &Command::Resume, Side::Hotline, 1, later).expect("resumed");
    assert_eq!(resumed.handling.due_day, "2026-12-10".parse().ok());
    let far =
        Command::Suspend { until: beijing_day(morning() + TimeDelta::days(91)), reason: reason(), note: body("等") };
    assert_eq!(world.refused(world.in_progress(), &far), Refused::ReviewDay { most: 90 });
}

#[test]
fn a_dissatisfied_requester_who_wants_it_redone_is_rechecked_twice_and_then_supervised() {
    let world = World::new();
    let mut ticket = world.recheck();
    for round in 2..=LAST_ROUND {
        ticket = world.done(ticket, &Command::Uphold);
        assert_eq!((ticket.state, ticket.handling.round), (State::InProgress, round));
        assert_eq!(ticket.handling.due_day, "2026-12-03".parse().ok());
        ticket = world.done(ticket, &Command::Reply { text: body("再修") });
        ticket = world.done(world.done(ticket, &Command::Pass), &Command::Visited(answers(Solved::No, true)));
        assert_eq!(ticket.state, State::Recheck);
    }
    assert_eq!(ticket.supervision.level, Some(Level::FIRST));
    assert_eq!(world.refused(ticket.clone(), &Command::Uphold), Refused::NoThirdRedo);
    assert_eq!(world.done(ticket, &Command::Dismiss { why: body("已解决") }).state, State::Archived);
}

#[test]
fn unsolved_without_a_wish_to_redo_is_archived_and_shown_to_a_supervisor() {
    let world = World::new();
    let archived = world.done(world.awaiting_visit(), &Command::Visited(answers(Solved::No, false)));
    assert_eq!((archived.state, archived.supervision.level), (State::Archived, Some(Level::FIRST)));
    assert_eq!(archived.visit.solved, Some(Solved::No));
    let wrong = Command::Visited(answers(Solved::Yes, true));
    assert_eq!(world.refused(world.awaiting_visit(), &wrong), Refused::NothingToRedo);
}

#[test]
fn an_archived_ticket_is_reopened_within_30_days() {
    let world = World::new();
    let archived = world.done(world.awaiting_visit(), &Command::Visited(answers(Solved::Yes, false)));
    let reopen = Command::Reopen { why: body("又坏了") };
    let last = "2026-12-26T15:59:59Z".parse().expect("a time");
    let (again, _) = world.give(archived.clone(), &reopen, Side::Requester, 1, last).expect("reopened");
    assert_eq!((again.state, again.handling.ended_at), (State::Recheck, None));
    let late = world.give(archived, &reopen, Side::Requester, 1, last + TimeDelta::seconds(1));
    assert_eq!(late.expect_err("too late"), Refused::ReopenTooLate { days: 30 });
}

#[test]
fn a_merged_tickets_requester_is_heard_and_unsolved_goes_to_the_lead() {
    let world = World::new();
    let lead = number("126112600020");
    let merged = world.done(ticket(), &Command::Merge { into: lead });
    let visited = Command::Visited(answers(Solved::No, true));
    let (heard, effects) = world.give(merged.clone(), &visited, Side::Hotline, 1, morning()).expect("heard");
    assert_eq!(heard.state, State::Merged);
    assert!(effects.contains(&Effect::FollowerUnsolved { lead }));
    assert_eq!(world.refused(ticket(), &Command::Merge { into: ticket().number }), Refused::Itself);
}

#[test]
fn supervision_steps_up_after_two_working_days_without_progress() {
    let world = World::new();
    let supervised = world.done(world.in_progress(), &commands()[32]);
    let give = |ticket: &Ticket, now: &str| {
        world.give(ticket.clone(), &Command::StepUp, Side::System, 1, now.parse().expect("a time"))
    };
    assert_eq!(give(&supervised, "2026-11-29T02:00:00Z").expect_err("a weekend"), Refused::StillMoving);
    let (up, _) = give(&supervised, "2026-11-30T02:00:00Z").expect("two working days");
    assert_eq!(up.supervision.level, Level::new(3));
    let (top, _) = give(&up, "2026-12-02T02:00:00Z").expect("two more");
    assert_eq!(give(&top, "2026-12-10T02:00:00Z").expect_err("the top"), Refused::HighestLevel);
    assert_eq!(give(&world.in_progress(), "2026-12-10T02:00:00Z").expect_err("not supervised"), Refused::NotSupervised);
}

#[test]
fn each_alarm_is_raised_once_and_not_before_its_time() {
    let world = World::new();
    let suspended = world.done(world.in_progress(), &commands()[16]);
    for (ticket, alarm, early, late) in [
        (ticket(), Alarm::Undispatched, "2026-11-26T02:29:59Z", "2026-11-26T02:30:00Z"),
        (world.dispatched(), Alarm::Unsigned, "2026-11-26T02:29:59Z", "2026-11-26T02:30:00Z"),
        (world.in_progress(), Alarm::ContactBreached, "2026-11-26T03:00:00Z", "2026-11-26T03:00:01Z"),
        (world.in_progress(), Alarm::Overdue, "2026-12-03T15:59:59Z", "2026-12-03T16:00:00Z"),
        (suspended, Alarm::ReviewDue, "2026-12-15T15:59:59Z", "2026-12-15T16:00:00Z"),
    ] {
        let raise = Command::Raise { alarm };
        let give =
            |ticket: Ticket, now: &str| world.give(ticket, &raise, Side::System, 1, now.parse().expect("a time"));
        assert_eq!(give(ticket.clone(), early).expect_err("early"), Refused::NothingToRaise, "{alarm}");
        let (raised, _) = give(ticket, late).expect("raised");
        assert_eq!(raised.handling.raised, [alarm]);
        assert_eq!(raised.supervision.level.is_some(), alarm == Alarm::Overdue);
        assert_eq!(give(raised, late).expect_err("once"), Refused::NothingToRaise, "{alarm}");
    }
}

#[test]
fn changes_name_what_was_and_what_is() {
    let world = World::new();
    let before = world.dispatched();
    let changes = before.changes(&world.done(before.clone(), &Command::Sign));
    let state = Change { field: "state", was: Some("dispatched".to_owned()), is: Some("in_progress".to_owned()) };
    assert_eq!(changes, [state]);
}

/// Any command, mostly sensible, at any time within the next days, by two people of two sides.
fn steps() -> impl Strategy<Value = Vec<(usize, u8, bool, i64)>> {
    let step = (0..commands().len(), 1_u8..=2, any::<bool>(), 0_i64..40 * 3_600);
    proptest::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn whatever_is_done_the_rules_hold(steps in steps(), phone in any::<bool>(), confidential in any::<bool>()) {
        let world = World::new();
        let mut ticket = Ticket { confidential, ..ticket() };
        ticket.phone = ticket.phone.filter(|_| phone);
        let mut now = morning();
        let (mut extensions, mut pending_visits) = (0, 0_i32);
        for (at, by, unit_side, wait) in steps {
            now += TimeDelta::seconds(wait);
            let side = if unit_side { Side::Unit } else { Side::Hotline };
            let command = match commands().swap_remove(at) {
                // days count from now, not from the first morning
                Command::Suspend { reason, note, .. } => {
                    Command::Suspend { until: beijing_day(now + TimeDelta::days(5)), reason, note }
                }
                other => other,
            };
            let Ok((after, effects)) = world.give(ticket.clone(), &command, side, by, now) else { continue };
            prop_assert_eq!(after.version, ticket.version + 1);
            prop_assert!(after.handling.round <= LAST_ROUND && after.handling.round >= ticket.handling.round);
            prop_assert!(after.handling.returns <= MAX_RETURNS);
            extensions += u32::from(after.handling.extended_by != ticket.handling.extended_by);
            prop_assert!(extensions <= 1);
            if after.handling.due_day.is_some() && (after.state.is_timed() || after.state == State::Suspended) {
                prop_assert_eq!(after.rescheduled(&world.calendar, &world.limits, now), None, "counted anew it moves");
            }
            if let (Some(contact), Some(due)) = (after.handling.contact_due_at, after.handling.due_day) {
                prop_assert!(beijing_day(contact) <= due, "due {} before the contact {}", due, contact);
            }
            if ticket.state == State::Archived {
                prop_assert_eq!(after.state, State::Recheck, "nothing but a recheck leaves the archive");
            }
            if matches!(ticket.state, State::Refused | State::Withdrawn) {
                prop_assert!(false, "a {} ticket was changed by {:?}", ticket.state, command);
            }
            prop_assert_eq!(after.handling.ended_at.is_some(), !after.state.is_open());
            if after.handling.lead.is_none() {
                prop_assert!(!after.state.is_handled() && after.state != State::UnderReview);
            }
            if after.state == State::Suspended {
                prop_assert!(after.handling.review_day.is_some());
            }
            if after.state == State::Merged {
                prop_assert!(after.handling.merged_into.is_some());
            }
            for effect in &effects {
                match effect {
                    Effect::VisitDue { round } => {
                        prop_assert_eq!(*round, after.handling.round);
                        pending_visits += 1;
                    }
                    Effect::VisitAnswered { .. } | Effect::VisitOver { .. } if ticket.state != State::Merged => {
                        pending_visits -= 1;
                    }
                    _ => {}
                }
            }
            let waits = matches!(after.state, State::Closed | State::AwaitingVisit);
            prop_assert_eq!(pending_visits, i32::from(waits), "a visit waits exactly when the state says so");
            ticket = after;
        }
    }
}
