//! A report as a table: rows with names, a total, and the same of the period before.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::figure::{Counts, Figure, RateKind, Standing, Standings};
use super::grid::{Cell, Column};
use super::{Period, named};
use crate::store::{Dimension, Name, ReportQuery, ReportRow, Store, StoreError};

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub dimension: Dimension,
    pub period: Period,
    /// The period that `before` in the rows is of.
    pub compared: Option<Period>,
    pub rows: Vec<Row>,
    pub total: Row,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Empty in the total, and for tickets without a value.
    pub key: String,
    /// `None` for a day.
    pub name: Option<Name>,
    pub counts: Counts,
    pub standings: Standings,
    pub before: Option<Counts>,
}

/// The report of the query's days, beside that of the days before them if `compared` is set. The query's `from` and `to`
/// are those of `period`.
///
/// # Errors
/// The store's.
pub async fn table(
    store: &Store,
    query: &ReportQuery,
    period: Period,
    compared: Option<Period>,
) -> Result<Table, StoreError> {
    let of = |period: Period| ReportQuery { from: period.from(), to: period.to(), ..query.clone() };
    let names = store.names(query.dimension).await?;
    let rows = store.report(&of(period)).await?;
    let before = match compared {
        Some(before) => Some(store.report(&of(before)).await?),
        None => None,
    };
    let mut table = Table::new(query.dimension, period, rows, before);
    table.compared = compared;
    for row in &mut table.rows {
        row.name = names.get(&row.key).cloned().or_else(|| named(query.dimension, &row.key));
    }
    Ok(table)
}

impl Table {
    fn new(dimension: Dimension, period: Period, now: Vec<ReportRow>, before: Option<Vec<ReportRow>>) -> Table {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let is_compared = before.is_some();
        for ReportRow { key, counts, standings } in now {
            rows.insert(key.clone(), Row { key, counts, standings, ..Row::default() });
        }
        // the days before have no row of the same day
        for ReportRow { key, counts, .. } in before.iter().flatten().filter(|_| dimension != Dimension::Day) {
            rows.entry(key.clone()).or_insert_with(|| Row { key: key.clone(), ..Row::default() }).before =
                Some(counts.clone());
        }
        let mut total = Row { name: named(Dimension::Total, ""), ..Row::default() };
        for row in rows.values_mut() {
            total.counts.add_all(&row.counts);
            total.standings.add_all(&row.standings);
            if is_compared && dimension != Dimension::Day {
                row.before.get_or_insert_default();
            }
        }
        for row in before.iter().flatten() {
            total.before.get_or_insert_default().add_all(&row.counts);
        }
        if is_compared {
            total.before.get_or_insert_default();
        }
        Table { dimension, period, compared: None, rows: rows.into_values().collect(), total }
    }

    /// For programs.
    pub fn document(&self) -> Value {
        let period = |period: Period| json!({ "from": period.from(), "to": period.to() });
        json!({
            "dimension": self.dimension.name(),
            "from": self.period.from(),
            "to": self.period.to(),
            "compared": self.compared.map(period),
            "rows": self.rows.iter().map(|row| self.row_document(row)).collect::<Vec<_>>(),
            "total": self.row_document(&self.total),
        })
    }

    fn row_document(&self, row: &Row) -> Value {
        let standing = |standing: &Standing| (standing.name().to_owned(), row.standings.of(*standing).into());
        let now: Map<String, Value> = Standing::ALL.iter().map(standing).collect();
        let before = |counts| json!({ "figures": figures(counts), "rates": rates(counts) });
        json!({
            "key": row.key,
            "zh": row.name.as_ref().map(|name| &name.zh),
            "bo": row.name.as_ref().map(|name| &name.bo),
            "ranked": row.counts.is_ranked(),
            "figures": figures(&row.counts),
            "rates": rates(&row.counts),
            "now": (self.dimension != Dimension::Day).then_some(now),
            "before": row.before.as_ref().map(before),
        })
    }

    /// For a file: the rows, then the total.
    pub fn grid(&self) -> impl Iterator<Item = Vec<Cell>> {
        self.rows.iter().chain([&self.total]).map(|row| self.cells(row))
    }

    /// In a file: the key and its names, whether the row may be ranked, every figure, every rate, what is so now.
    pub fn columns() -> &'static [Column] {
        static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
            let column = |name, zh, width| Column { name, zh, width };
            let mut columns = vec![
                column("key", "代码", 18),
                column("zh", "名称", 24),
                column("bo", "藏文名称", 30),
                column("ranked", "可排名", 8),
            ];
            columns.extend(Figure::ALL.iter().map(|figure| column(figure.name(), figure.zh(), 10)));
            columns.extend(RateKind::ALL.iter().map(|rate| column(rate.column(), rate.zh(), 12)));
            columns.extend(Standing::ALL.iter().map(|standing| column(standing.column(), standing.zh(), 10)));
            columns
        });
        &COLUMNS
    }

    fn cells(&self, row: &Row) -> Vec<Cell> {
        let names = row.name.as_ref();
        let mut cells = vec![
            Cell::text(Some(&row.key)),
            Cell::text(names.map(|name| &name.zh)),
            Cell::text(names.map(|name| &name.bo)),
            Cell::text(Some(if row.counts.is_ranked() { "yes" } else { "no" })),
        ];
        cells.extend(Figure::ALL.iter().map(|figure| Cell::Number(row.counts.of(*figure))));
        let share = |kind: &RateKind| row.counts.rate(*kind).rate.map_or(Cell::Nothing, Cell::Share);
        cells.extend(RateKind::ALL.iter().map(share));
        let now = |standing: &Standing| match self.dimension {
            Dimension::Day => Cell::Nothing,
            _ => Cell::Number(row.standings.of(*standing)),
        };
        cells.extend(Standing::ALL.iter().map(now));
        cells
    }
}

fn figures(counts: &Counts) -> Map<String, Value> {
    Figure::ALL.iter().map(|figure| (figure.name().to_owned(), counts.of(*figure).into())).collect()
}

fn rates(counts: &Counts) -> Map<String, Value> {
    RateKind::ALL.iter().map(|kind| (kind.name().to_owned(), json!(counts.rate(*kind)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, figures: &[(Figure, u64)]) -> ReportRow {
        let mut row = ReportRow { key: key.to_owned(), ..ReportRow::default() };
        for (figure, number) in figures {
            row.counts.add(*figure, *number);
        }
        row
    }

    fn month() -> Period {
        "2026-11".parse().expect("a month")
    }

    #[test]
    fn the_total_is_the_sum_of_the_rows_and_so_is_that_before() {
        let now = vec![row("a", &[(Figure::Received, 3)]), row("b", &[(Figure::Received, 4)])];
        let before = vec![row("b", &[(Figure::Received, 5)]), row("c", &[(Figure::Received, 6)])];
        let table = Table::new(Dimension::Unit, month(), now, Some(before));
        let received = |counts: &Counts| counts.of(Figure::Received);
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| (row.key.as_str(), received(&row.counts), row.before.as_ref().map(received)))
            .collect();
        assert_eq!(rows, [("a", 3, Some(0)), ("b", 4, Some(5)), ("c", 0, Some(6))]);
        assert_eq!((received(&table.total.counts), table.total.before.as_ref().map(received)), (7, Some(11)));
    }

    #[test]
    fn days_are_compared_as_a_whole() {
        let now = vec![row("2026-11-02", &[(Figure::Received, 3)])];
        let before = vec![row("2026-10-02", &[(Figure::Received, 5)])];
        let table = Table::new(Dimension::Day, month(), now, Some(before));
        assert_eq!((table.rows.len(), &table.rows[0].before), (1, &None));
        assert_eq!(table.total.before.as_ref().map(|counts| counts.of(Figure::Received)), Some(5));
    }

    #[test]
    fn few_answers_are_shown_and_not_ranked() {
        let answers = |number| [(Figure::SatisfactionAnswered, number), (Figure::Satisfied, number)];
        let now = vec![row("a", &answers(9)), row("b", &answers(10))];
        let document = Table::new(Dimension::Unit, month(), now, None).document();
        let ranked: Vec<_> = document["rows"].as_array().expect("rows").iter().map(|row| &row["ranked"]).collect();
        assert_eq!(ranked, [&json!(false), &json!(true)]);
        let rate = &document["rows"][0]["rates"]["satisfaction"];
        assert_eq!(*rate, json!({ "numerator": 9.0, "denominator": 9, "left_out": 0, "rate": 1.0 }));
        assert_eq!(document["rows"][0]["rates"]["closed"]["rate"], Value::Null);
    }

    #[test]
    fn every_row_fills_its_columns() {
        let table = Table::new(Dimension::Unit, month(), vec![row("a", &[])], None);
        assert!(table.grid().all(|cells| cells.len() == Table::columns().len()));
        let names: std::collections::BTreeSet<_> = Table::columns().iter().map(|column| column.name).collect();
        assert_eq!(names.len(), Table::columns().len());
    }
}
