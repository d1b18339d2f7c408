//! A graph of steps as SVG: columns by how far a step is from the first, ways between them with numbers.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use super::chart::{Words, escaped};

/// A way from one step to another, and how often it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub from: String,
    pub to: String,
    pub taken: u64,
}

const WIDE: f64 = 170.0;
const HIGH: f64 = 26.0;
const COLUMN: f64 = 235.0;
const ROW: f64 = 40.0;

/// The steps that can be come to from `start`, those that were taken marked.
pub fn diagram(words: Words<'_>, start: &str, ways: &[Way]) -> String {
    let places = places(start, ways);
    let right = places.values().map(|(x, _)| x + WIDE).fold(0.0, f64::max) + 40.0;
    let bottom = places.values().map(|(_, y)| y + HIGH).fold(0.0, f64::max) + 40.0;
    let mut body = String::new();
    // what was taken lies on top
    let mut drawn: Vec<&Way> = ways.iter().collect();
    drawn.sort_by_key(|way| way.taken);
    for way in drawn {
        if let (Some(from), Some(to)) = (places.get(way.from.as_str()), places.get(way.to.as_str())) {
            edge(&mut body, *from, *to, way.taken);
        }
    }
    for (name, (x, y)) in &places {
        let used = ways.iter().any(|way| way.taken > 0 && (way.from == **name || way.to == **name));
        let class = if used { "flow-node-used" } else { "flow-node" };
        write!(
            body,
            r#"<g><rect class="{class}" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="4"/><text x="{}" y="{}">{}</text></g>"#,
            x + 8.0,
            y + 17.0,
            escaped(name),
        )
        .expect("a string");
    }
    let Words { id, title, description } = words;
    format!(
        r#"<svg width="{right:.0}" height="{bottom:.0}" viewBox="0 0 {right:.0} {bottom:.0}" role="img" aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">{}</title><desc id="{id}-desc">{}</desc>{body}</svg>"#,
        escaped(title),
        escaped(description),
    )
}

/// The upper left corner of each step.
fn places<'w>(start: &'w str, ways: &'w [Way]) -> BTreeMap<&'w str, (f64, f64)> {
    let mut columns: Vec<u32> = Vec::new();
    let mut places = BTreeMap::new();
    let mut open = VecDeque::from([(start, 0)]);
    while let Some((name, column)) = open.pop_front() {
        if places.contains_key(name) {
            continue;
        }
        if columns.len() <= column {
            columns.push(0);
        }
        places.insert(name, (20.0 + column as f64 * COLUMN, 20.0 + f64::from(columns[column]) * ROW));
        columns[column] += 1;
        open.extend(ways.iter().filter(|way| way.from == name).map(|way| (way.to.as_str(), column + 1)));
    }
    places
}

/// From the right side to the left one; a way back goes round below.
fn edge(to: &mut String, (from_x, from_y): (f64, f64), (to_x, to_y): (f64, f64), taken: u64) {
    let class = if taken > 0 { "flow-edge-used" } else { "flow-edge" };
    let (x1, y1, x2, y2) = (from_x + WIDE, from_y + HIGH / 2.0, to_x, to_y + HIGH / 2.0);
    let (bend, middle) = if x2 > x1 { ((x2 - x1) / 2.0, (y1 + y2) / 2.0) } else { (40.0, (y1 + y2) / 2.0 + HIGH) };
    write!(
        to,
        r#"<path class="{class}" d="M{x1:.0} {y1:.0}C{:.0} {:.0} {:.0} {:.0} {x2:.0} {y2:.0}"/>"#,
        x1 + bend,
        if x2 > x1 { y1 } else { middle },
        x2 - bend,
        if x2 > x1 { y2 } else { middle },
    )
    .expect("a string");
    if taken > 0 {
        write!(
            to,
            r#"<text class="flow-number" x="{:.0}" y="{:.0}">{taken}</text>"#,
            f64::midpoint(x1, x2),
            middle - 3.0
        )
        .expect("a string");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(from: &str, to: &str, taken: u64) -> Way {
        Way { from: from.to_owned(), to: to.to_owned(), taken }
    }

    #[test]
    fn a_step_stands_as_far_right_as_it_is_away() {
        let ways = [way("a", "b", 1), way("a", "c", 0), way("b", "d", 1), way("c", "a", 0), way("x", "y", 9)];
        let places = places("a", &ways);
        let column = |name: &str| ((places[name].0 - 20.0) / COLUMN) as u32;
        assert_eq!((column("a"), column("b"), column("c"), column("d")), (0, 1, 1, 2));
        assert_ne!(places["b"].1, places["c"].1);
        assert!(!places.contains_key("x"), "nobody comes there");
    }

    #[test]
    fn what_was_taken_is_marked_with_its_number() {
        let words = Words { id: "flow", title: "<t>", description: "d" };
        let drawn = diagram(words, "a", &[way("a", "b", 7), way("a", "c", 0)]);
        assert_eq!(drawn.matches("flow-edge-used").count(), 1);
        assert_eq!(drawn.matches("class=\"flow-node-used\"").count(), 2);
        assert!(drawn.contains(">7</text>") && drawn.contains("&lt;t&gt;"), "{drawn}");
    }
}
