//! A year of return visits in virtual time: 100,000 closings, people who answer as a seed draws them, and a book of what
//! was done that is judged by rules of its own. `HOTLINE_SIM_CLOSINGS=5000` sets another number of closings.

mod book;
mod town;

use book::Book;
use town::Town;

#[test]
fn every_closing_of_a_year_is_attempted_and_no_rule_is_broken() {
    let closings = std::env::var("HOTLINE_SIM_CLOSINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let mut town = Town::new(closings, 2026);
    town.live_through();
    let book = town.into_book();
    book.judge();
    println!("{}", book.figures());
}

#[test]
fn a_year_is_the_same_each_time() {
    let year = || {
        let mut town = Town::new(500, 7);
        town.live_through();
        town.into_book().figures()
    };
    assert_eq!(year(), year());
}

#[test]
fn a_year_has_everything_that_can_happen() {
    let mut town = Town::new(5_000, 11);
    town.live_through();
    let figures = town.into_book().figures();
    for outcome in hotline::ticket::Outcome::ALL {
        assert!(figures.contains(outcome.name()), "{outcome} never happened:\n{figures}");
    }
}

/// The judge itself: what it is there to find, it finds.
#[test]
#[should_panic(expected = "outside the calling hours")]
fn a_call_at_night_is_found() {
    Book::with_call_at("2026-03-10T19:00:00Z").judge();
}

#[test]
#[should_panic(expected = "on a quiet day")]
fn a_call_at_losar_is_found() {
    Book::with_call_at("2026-02-19T03:00:00Z").judge();
}
