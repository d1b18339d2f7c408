//! CSV (RFC 4180) that spreadsheets open as it is meant: UTF-8 with a byte order mark, CR LF, and no cell that one of them
//! takes for a formula.

use super::grid::{Cell, Column};

/// What a file starts with: spreadsheets would take it for the system's old encoding otherwise.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The first line.
pub fn head(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    format!("{}\r\n", names.join(","))
}

pub fn line(cells: &[Cell]) -> String {
    let fields: Vec<String> = cells.iter().map(field).collect();
    format!("{}\r\n", fields.join(","))
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Share(share) => format!("{share:.4}"),
        Cell::Text(text) => quoted(defused(text)),
    }
}

/// A text that begins like a formula gets an apostrophe, which makes it a text.
fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: String) -> String {
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        line(&[Cell::Text(text.to_owned())])
    }

    #[test]
    fn a_cell_never_begins_like_a_formula() {
        for text in ["=1+1", "+8613812345678", "-2", "@SUM(A1)", "\tcmd", "=HYPERLINK(\"http://a\",\"b\")"] {
            let line = written(text);
            assert!(line.trim_start_matches('"').starts_with('\''), "{line}");
        }
        assert_eq!(written("\r=1"), "\"'\r=1\"\r\n");
        assert_eq!(written("a=1"), "a=1\r\n");
    }

    #[test]
    fn quotes_commas_and_line_ends_stay_inside_their_cell() {
        assert_eq!(written("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"\r\n");
        let cells = [Cell::Nothing, Cell::Number(3), Cell::Share(0.5), Cell::Text("བོད་ཡིག".to_owned())];
        assert_eq!(line(&cells), ",3,0.5000,བོད་ཡིག\r\n");
    }
}
