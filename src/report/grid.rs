//! What a file's rows are made of, whatever its format.

/// A column of a file: `name` on the wire and in CSV, `zh` above a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub zh: &'static str,
    /// In characters of a sheet.
    pub width: u16,
}

/// A row's value in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Nothing,
    Text(String),
    Number(u64),
    /// 0 to 1.
    Share(f64),
}

impl Cell {
    /// `None` and an empty text show nothing.
    pub fn text(value: Option<impl ToString>) -> Cell {
        let text = value.map(|value| value.to_string()).filter(|text| !text.is_empty());
        text.map_or(Cell::Nothing, Cell::Text)
    }
}
