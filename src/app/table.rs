//! Tables that a person can read.

use chrono::{DateTime, TimeDelta, Utc};

use super::prompts::width::{padded, width};

/// The lines of a table with its head. The last column is as wide as it likes.
pub(super) fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Vec<String> {
    let head = head.map(str::to_owned);
    let all: Vec<&[String; COLUMNS]> = std::iter::once(&head).chain(rows).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(widest).collect();
    let line = |row: &&[String; COLUMNS]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// A time in Beijing, to the minute.
pub(super) fn beijing(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_one_another_in_any_script() {
        let rows = [["卓玛".to_owned(), "1".to_owned()], ["བཀྲ་ཤིས".to_owned(), String::new()]];
        assert_eq!(table(["name", "n"], &rows), ["name   n", "卓玛   1", "བཀྲ་ཤིས"]);
    }

    #[test]
    fn a_time_is_that_of_beijing() {
        assert_eq!(beijing("2026-11-22T16:05:59Z".parse().expect("a time")), "2026-11-23 00:05");
    }
}
