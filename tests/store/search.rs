//! What a list of tickets is narrowed to, held against the same question asked of every ticket in memory.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hotline::app::simulate::fill;
use hotline::city::City;
use hotline::language::Language;
use hotline::simulate::Plan;
use hotline::store::{Count, Cursor, TicketFilter, TicketOrder, WordSearch};
use hotline::ticket::grams::grams;
use hotline::ticket::{Alarm, Channel, Level, Number, RequestType, State, Ticket, UnitCode, Urgency};

use crate::fixture::{Fixture, Folder, on_each_database};

on_each_database!(
    every_filter_finds_what_it_says_in_both_orders,
    words_find_the_same_tickets_however_common_they_are_taken_to_be,
);

type Holds = Box<dyn Fn(&Ticket) -> bool>;

/// Asked at noon of a day in the middle of the simulated time.
fn noon() -> DateTime<Utc> {
    "2026-09-20T04:00:00Z".parse().expect("a time")
}

fn today() -> NaiveDate {
    "2026-09-20".parse().expect("a day")
}

/// Filters, with what they mean.
fn cases(all: &[Ticket]) -> Vec<(TicketFilter, Holds)> {
    let none = TicketFilter::default;
    let of = |code: &str| code.parse::<UnitCode>().expect("a code");
    let housing = |ticket: &&Ticket| ticket.handling.lead == Some(of("lhasa-housing")) && ticket.phone.is_some();
    let phone = all.iter().find(housing).and_then(|ticket| ticket.phone.clone()).expect("somebody called");
    let lead = all.iter().find_map(|ticket| ticket.handling.merged_into).expect("some are merged");
    let prefix: Number = all[all.len() / 2].number;
    let (day, of_phone) = (prefix.to_string()[..7].to_owned(), phone.clone());
    let class = |ticket: &Ticket| ticket.matter.class.map(|class| class.to_string()).unwrap_or_default();
    let seen = vec![City::Lhasa, City::Chamdo];
    vec![
        (none(), Box::new(|_| true)),
        (TicketFilter { open: true, ..none() }, Box::new(|t| t.state.is_open())),
        (
            TicketFilter { states: vec![State::Refused, State::InProgress], cities: Some(seen.clone()), ..none() },
            Box::new(|t| {
                matches!(t.state, State::Refused | State::InProgress) && matches!(t.city, City::Lhasa | City::Chamdo)
            }),
        ),
        (TicketFilter { cities: Some(vec![]), ..none() }, Box::new(|_| false)),
        (TicketFilter { states: vec![State::Archived], open: true, ..none() }, Box::new(|_| false)),
        (TicketFilter { cities: Some(seen), ..none() }, Box::new(|t| matches!(t.city, City::Lhasa | City::Chamdo))),
        (
            TicketFilter { lead: Some(of("lhasa-housing")), ..none() },
            Box::new(move |t| t.handling.lead == Some(of("lhasa-housing"))),
        ),
        (
            TicketFilter { unit: Some(of("lhasa-housing")), ..none() },
            Box::new(move |t| {
                let unit = of("lhasa-housing");
                t.handling.lead.as_ref() == Some(&unit) || t.handling.assisting.contains(&unit)
            }),
        ),
        (
            TicketFilter { unit: Some(of("lhasa-housing")), phone: Some(phone.clone()), ..none() },
            Box::new(move |t| {
                let ours =
                    t.handling.lead == Some(of("lhasa-housing")) || t.handling.assisting.contains(&of("lhasa-housing"));
                ours && t.phone.as_ref() == Some(&phone)
            }),
        ),
        (TicketFilter { class: "0301".parse().ok(), ..none() }, Box::new(move |t| class(t) == "0301")),
        (TicketFilter { class: "03".parse().ok(), ..none() }, Box::new(move |t| class(t).starts_with("03"))),
        (
            TicketFilter { request_type: Some(RequestType::Report), language: Some(Language::Zh), ..none() },
            Box::new(|t| t.request_type == Some(RequestType::Report) && t.language == Language::Zh),
        ),
        (TicketFilter { channel: Some(Channel::Weibo), ..none() }, Box::new(|t| t.channel == Channel::Weibo)),
        (TicketFilter { urgency: Some(Urgency::Urgent), ..none() }, Box::new(|t| t.urgency == Urgency::Urgent)),
        (
            TicketFilter { number: day.parse().ok(), ..none() },
            Box::new(move |t| t.number.to_string().starts_with(&day)),
        ),
        (TicketFilter { number: "12".parse().ok(), ..none() }, Box::new(|t| t.number.to_string().starts_with("12"))),
        (
            TicketFilter { phone: Some(of_phone.clone()), ..none() },
            Box::new(move |t| t.phone.as_ref() == Some(&of_phone)),
        ),
        (TicketFilter { from: Some(noon()), ..none() }, Box::new(|t| t.created_at >= noon())),
        (
            TicketFilter { to: Some(noon()), open: true, ..none() },
            Box::new(|t| t.created_at < noon() && t.state.is_open()),
        ),
        (
            TicketFilter { due_before: Some(today()), ..none() },
            Box::new(|t| t.handling.due_day.is_some_and(|due| due < today())),
        ),
        (
            TicketFilter { overdue_on: "2026-11-01".parse().ok(), ..none() },
            Box::new(|t| t.state.is_timed() && t.handling.due_day < "2026-11-01".parse().ok()),
        ),
        (
            TicketFilter { contact_due_before: "2026-11-01T00:00:00Z".parse().ok(), ..none() },
            Box::new(|t| {
                t.state.is_handled() && t.handling.contact_at.is_none() && t.handling.contact_due_at.is_some()
            }),
        ),
        (TicketFilter { needs_tibetan_speaker: true, ..none() }, Box::new(Ticket::needs_tibetan_speaker)),
        (TicketFilter { asked: true, open: true, ..none() }, Box::new(|t| t.handling.asked.is_some())),
        (TicketFilter { supervised: Some(Level::FIRST), ..none() }, Box::new(|t| t.supervision.level.is_some())),
        (
            TicketFilter { supervised: Level::new(3), ..none() },
            Box::new(|t| t.supervision.level.is_some_and(|level| level.get() >= 3)),
        ),
        (
            TicketFilter { alarm: Some(Alarm::ContactBreached), ..none() },
            Box::new(|t| t.handling.raised.contains(&Alarm::ContactBreached)),
        ),
        (TicketFilter { merged_into: Some(lead), ..none() }, Box::new(move |t| t.handling.merged_into == Some(lead))),
        (TicketFilter { repeat_of: Some(lead), ..none() }, Box::new(move |t| t.matter.repeat_of == Some(lead))),
        found("农贸市场"),
        found("投诉"),
        found("投诉 小学"),
        found("བཀའ་འདྲི"),
        found("火星"),
        found("？！"),
    ]
}

fn found(text: &str) -> (TicketFilter, Holds) {
    let words = grams(text);
    let holds = move |ticket: &Ticket| {
        let matter = &ticket.matter;
        let short = [&matter.title, &matter.place, &matter.complained_party]
            .map(|text| text.as_ref().map(|text| text.as_str()));
        let long = [&matter.summary, &matter.content].map(|text| text.as_ref().map(|text| text.as_str()));
        let of: Vec<&str> = short.into_iter().chain(long).flatten().collect();
        !words.is_empty() && words.is_subset(&grams(&of.join("\n")))
    };
    (TicketFilter { text: Some(text.to_owned()), ..TicketFilter::default() }, Box::new(holds))
}

async fn every_filter_finds_what_it_says_in_both_orders(fixture: Fixture) {
    let plan = Plan::new(5_200, 60, 4, "2026-09-01".parse().expect("a day")).expect("a plan");
    fill(&fixture.store, &plan, |_| {}).await.expect("filled");
    add_what_no_simulation_has(&fixture).await;
    let all = pages(&fixture, &TicketFilter::default(), TicketOrder::Created).await;
    assert_eq!(all.len(), 5_200);
    let mut empty = Vec::new();
    for (filter, holds) in cases(&all) {
        let found = finds(&fixture, &all, &filter, &holds).await;
        empty.extend((found == 0).then(|| format!("{filter:?}")));
    }
    // no city, no such state, no such words twice: everything else finds something
    assert_eq!(empty.len(), 4, "{empty:#?}");
}

/// Both orders list what holds; gives how many tickets that are.
async fn finds(fixture: &Fixture, all: &[Ticket], filter: &TicketFilter, holds: &Holds) -> usize {
    for order in [TicketOrder::Due, TicketOrder::Created] {
        let open_only = order == TicketOrder::Due && filter.states.is_empty();
        let mut wanted: Vec<&Ticket> =
            all.iter().filter(|ticket| holds(ticket) && (!open_only || ticket.state.is_open())).collect();
        if order == TicketOrder::Due {
            wanted.sort_by_key(|ticket| (ticket.handling.due_day, ticket.number));
        } else {
            wanted.sort_by_key(|ticket| std::cmp::Reverse((ticket.created_at, ticket.number)));
        }
        let wanted: Vec<Number> = wanted.into_iter().map(|ticket| ticket.number).collect();
        let listed = pages(fixture, filter, order).await;
        let listed: Vec<Number> = listed.into_iter().map(|ticket| ticket.number).collect();
        assert_eq!(listed, wanted, "{order:?} {filter:?}");
        let count = fixture.store.count_tickets(filter, order, 1_000).await.expect("counted");
        assert_eq!((count.tickets as usize, count.more), (wanted.len().min(1_000), wanted.len() > 1_000), "{filter:?}");
        let page = fixture.store.tickets_and_count(filter, order, 7, None, 1_000).await;
        let (page, counted) = page.expect("a page and its count");
        let shown: Vec<Number> = page.items.iter().map(|listed| listed.ticket.number).collect();
        assert_eq!((shown.as_slice(), counted), (&wanted[..wanted.len().min(7)], count), "{order:?} {filter:?}");
    }
    all.iter().filter(|ticket| holds(ticket)).count()
}

/// Searches of words, alone and beside other conditions; two words that many tickets have and none has both.
fn searches(all: &[Ticket]) -> Vec<(TicketFilter, Holds)> {
    let mut searches = Vec::new();
    let title = all[0].matter.title.as_ref().expect("a title").as_str();
    let title: String = title.chars().take(9).collect();
    for text in [&title, "投诉", "农贸市场", "投诉 小学", "农贸市场 小学", "བཀའ་འདྲི", "火星"]
    {
        let housing = || "lhasa-housing".parse::<UnitCode>().expect("a code");
        let first = all.iter().skip(all.len() / 3).find(|ticket| ticket.phone.is_some()).expect("who has a number");
        let (phone, day) = (first.phone.clone(), (first.created_at - TimeDelta::days(3), first.created_at));
        let narrowed: [(TicketFilter, Holds); 8] = [
            (TicketFilter::default(), Box::new(|_| true)),
            (
                TicketFilter { from: Some(day.0), to: Some(day.1), ..TicketFilter::default() },
                Box::new(move |ticket| day.0 <= ticket.created_at && ticket.created_at < day.1),
            ),
            (
                TicketFilter { phone: phone.clone(), ..TicketFilter::default() },
                Box::new(move |ticket| ticket.phone == phone),
            ),
            (TicketFilter { cities: Some(Vec::new()), ..TicketFilter::default() }, Box::new(|_| false)),
            (
                TicketFilter { cities: Some(vec![City::Lhasa]), ..TicketFilter::default() },
                Box::new(|ticket| ticket.city == City::Lhasa),
            ),
            (
                TicketFilter { cities: Some(vec![City::Lhasa, City::Nagqu]), open: true, ..TicketFilter::default() },
                Box::new(|ticket| matches!(ticket.city, City::Lhasa | City::Nagqu) && ticket.state.is_open()),
            ),
            (
                TicketFilter { unit: Some(housing()), ..TicketFilter::default() },
                Box::new(move |ticket| {
                    let handling = &ticket.handling;
                    handling.lead == Some(housing()) || handling.assisting.contains(&housing())
                }),
            ),
            (
                TicketFilter {
                    states: vec![State::Archived],
                    request_type: Some(RequestType::Complaint),
                    ..TicketFilter::default()
                },
                Box::new(|ticket| {
                    ticket.state == State::Archived && ticket.request_type == Some(RequestType::Complaint)
                }),
            ),
        ];
        for (filter, holds) in narrowed {
            let (worded, says) = found(text);
            searches.push((
                TicketFilter { text: worded.text, ..filter },
                Box::new(move |ticket: &Ticket| holds(ticket) && says(ticket)) as Holds,
            ));
        }
    }
    searches
}

async fn words_find_the_same_tickets_however_common_they_are_taken_to_be(fixture: Fixture) {
    let plan = Plan::new(1_500, 60, 4, "2026-09-01".parse().expect("a day")).expect("a plan");
    fill(&fixture.store, &plan, |_| {}).await.expect("filled");
    let all = pages(&fixture, &TicketFilter::default(), TicketOrder::Created).await;
    let named = WordSearch { named: 100_000, narrowed: 100_000, walked: 1 };
    let narrowed = WordSearch { named: 0, ..named };
    let walked = WordSearch { named: 0, narrowed: 0, walked: 100_000 };
    let walked_a_little = WordSearch { walked: 30, ..walked };
    let mut numbers = Vec::new();
    for word_search in [named, narrowed, walked, walked_a_little] {
        let fixture = Fixture {
            store: fixture.store.clone().with_word_search(word_search),
            folder: Folder::new(),
            url: fixture.url.clone(),
        };
        numbers.clear();
        for (filter, holds) in searches(&all) {
            numbers.push(finds(&fixture, &all, &filter, &holds).await);
        }
    }
    let by_words: Vec<&[usize]> = numbers.chunks(8).collect();
    assert!(by_words[..4].iter().chain([&by_words[5]]).all(|found| found[0] > 0), "{numbers:?}");
    assert_eq!((by_words[4], by_words[6]), (&[0; 8][..], &[0; 8][..]), "never together, never at all");
    let store = fixture.store.clone().with_word_search(walked);
    let never_together = TicketFilter { text: Some("农贸市场 小学".to_owned()), ..TicketFilter::default() };
    let count =
        async |at_most| store.count_tickets(&never_together, TicketOrder::Created, at_most).await.expect("counted");
    assert_eq!(count(1_000).await, Count { tickets: 0, more: false });
    assert_eq!(count(1).await, Count { tickets: 0, more: true }, "few were looked at");
}

/// A missed contact, a repeat, and a recording in Tibetan that nobody has summed up.
async fn add_what_no_simulation_has(fixture: &Fixture) {
    fixture.execute("update ticket set contact_at = null where state = 'in_progress'").await;
    let lead = "select merged_into from ticket where merged_into is not null order by created_at desc limit 1";
    fixture.execute(&format!("update ticket set repeat_of = ({lead}) where class = '0301' and city = 'lhasa'")).await;
    let call = fixture.call(1).await.id;
    let recorded = "select min(number) from ticket where language = 'bo' and summary is null";
    fixture.execute(&format!("update ticket set call = '{call}' where number = ({recorded})")).await;
    let asked = r#"{"what":"exclusion","reason":"other","note":"x","by":"system","at":"2026-10-30T00:00:00Z"}"#;
    let handled = "select min(number) from ticket where state = 'in_progress'";
    fixture.execute(&format!("update ticket set asked = '{asked}' where number = ({handled})")).await;
}

async fn pages(fixture: &Fixture, filter: &TicketFilter, order: TicketOrder) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let limit = if tickets.len() < 20 { 7 } else { 500 };
        let page = fixture.store.tickets(filter, order, limit, cursor.as_ref()).await.expect("a page");
        tickets.extend(page.items.into_iter().map(|listed| listed.ticket));
        let Some(next) = page.next else { return tickets };
        cursor = Some(next.to_string().parse().expect("our own cursor"));
    }
}
