//! Charts as SVG: bars, lines, a heat map of the week, a funnel. Colours and fonts are the page's, by classes; each chart
//! has a title and a description for who does not see it, and the page shows the same numbers as a table.

use std::fmt::{Display, Write};

/// What a chart says in words.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Unique in the page: letters, digits and `-`.
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
}

/// A bar and, thinner below it, that of the period before.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    pub label: String,
    pub value: f64,
    pub before: Option<f64>,
    /// How the value is written.
    pub shown: String,
    /// Where a click leads.
    pub link: Option<String>,
}

/// A line through as many values as there are places; `None` leaves a gap.
#[derive(Clone, Debug)]
pub struct Line {
    pub label: String,
    pub values: Vec<Option<f64>>,
}

const WIDTH: f64 = 720.0;
/// Of a bar's label.
const LABEL: f64 = 170.0;
/// Of the number behind a bar.
const NUMBER: f64 = 70.0;
const ROW: f64 = 30.0;

/// Horizontal bars, the longest as wide as the chart.
pub fn bars(words: Words<'_>, bars: &[Bar]) -> String {
    let most = bars.iter().flat_map(|bar| [bar.value, bar.before.unwrap_or(0.0)]).fold(0.0, f64::max);
    let scale = |value: f64| if most > 0.0 { value / most * (WIDTH - LABEL - NUMBER) } else { 0.0 };
    let mut body = String::new();
    for (at, bar) in bars.iter().enumerate() {
        let top = at as f64 * ROW;
        let mut row = String::new();
        text(&mut row, LABEL - 8.0, top + 19.0, "chart-label chart-end", shortened(&bar.label));
        rect(&mut row, LABEL, top + 5.0, scale(bar.value), 14.0, "chart-bar");
        if let Some(before) = bar.before {
            rect(&mut row, LABEL, top + 21.0, scale(before), 4.0, "chart-before");
        }
        text(&mut row, LABEL + scale(bar.value) + 6.0, top + 17.0, "chart-number", &bar.shown);
        tip(&mut row, format_args!("{}: {}", bar.label, bar.shown));
        body.push_str(&linked(bar.link.as_deref(), &row));
    }
    svg(words, bars.len() as f64 * ROW, &body)
}

/// Lines over the same places, with a scale from nought to a round number and at most eight labels below.
pub fn lines(words: Words<'_>, places: &[String], lines: &[Line]) -> String {
    let (left, top, height, bottom) = (48.0, 28.0, 200.0, 24.0);
    let most =
        round_up(lines.iter().flat_map(|line| line.values.iter().flatten()).fold(0.0, |most, value| value.max(most)));
    let across = |at: usize| left + at as f64 * (WIDTH - left - 16.0) / places.len().saturating_sub(1).max(1) as f64;
    let down = |value: f64| top + height - value / most * height;
    let mut body = String::new();
    for step in 0..=4 {
        let value = most * f64::from(step) / 4.0;
        let y = down(value);
        write!(body, r#"<line class="chart-grid" x1="{left}" x2="{WIDTH}" y1="{y:.1}" y2="{y:.1}"/>"#)
            .expect("a string");
        text(&mut body, left - 6.0, y + 4.0, "chart-tick chart-end", trimmed(value));
    }
    let every = places.len().div_ceil(8).max(1);
    for (at, place) in places.iter().enumerate().step_by(every) {
        text(&mut body, across(at), top + height + 18.0, "chart-tick chart-middle", place);
    }
    for (at, line) in lines.iter().enumerate() {
        let path = path(line.values.iter().enumerate().map(|(at, value)| value.map(|value| (across(at), down(value)))));
        write!(body, r#"<path class="chart-line chart-line-{at}" d="{path}"/>"#).expect("a string");
        let x = left + at as f64 * 150.0;
        rect(&mut body, x, 6.0, 18.0, 4.0, &format!("chart-key-{at}"));
        text(&mut body, x + 24.0, 12.0, "chart-label", &line.label);
    }
    svg(words, top + height + bottom, &body)
}

/// Hours across, days of the week down: `rows` from Monday on with their names.
pub fn heat(words: Words<'_>, rows: &[(&str, [u64; 24])]) -> String {
    let (left, above, wide, high) = (60.0, 20.0, 27.5, 26.0);
    let most = rows.iter().flat_map(|(_, hours)| hours).copied().max().unwrap_or(0);
    let mut body = String::new();
    for hour in (0..24_u32).step_by(3) {
        text(&mut body, left + f64::from(hour) * wide, 14.0, "chart-tick", hour);
    }
    for (down, (name, hours)) in rows.iter().enumerate() {
        let top = above + down as f64 * high;
        text(&mut body, left - 8.0, top + 17.0, "chart-label chart-end", name);
        for (hour, number) in hours.iter().enumerate() {
            // nothing has a shade of its own, and the most the last of five
            let shade = if *number == 0 { 0 } else { (number * 5).div_ceil(most) };
            let mut cell = String::new();
            let class = format!("chart-heat chart-heat-{shade}");
            rect(&mut cell, left + hour as f64 * wide, top, wide - 2.0, high - 2.0, &class);
            tip(&mut cell, format_args!("{name} {hour}:00 – {number}"));
            body.push_str(&linked(None, &cell));
        }
    }
    svg(words, above + rows.len() as f64 * high, &body)
}

/// Steps one below the other, each as wide as its part of the first.
pub fn funnel(words: Words<'_>, steps: &[Bar]) -> String {
    const HIGH: f64 = 46.0;
    let most = steps.iter().map(|step| step.value).fold(0.0, f64::max);
    let middle = WIDTH / 2.0;
    let half = |value: f64| if most > 0.0 { value / most * (middle - 10.0) } else { 0.0 };
    let mut body = String::new();
    for (at, step) in steps.iter().enumerate() {
        let top = at as f64 * HIGH;
        let (above, below) = (half(step.value), half(steps.get(at + 1).map_or(step.value, |next| next.value)));
        let mut row = String::new();
        write!(
            row,
            r#"<polygon class="chart-funnel" points="{:.1},{top} {:.1},{top} {:.1},{:.1} {:.1},{:.1}"/>"#,
            middle - above,
            middle + above,
            middle + below,
            top + HIGH - 4.0,
            middle - below,
            top + HIGH - 4.0,
        )
        .expect("a string");
        text(&mut row, middle, top + 27.0, "chart-on chart-middle", format_args!("{} {}", step.label, step.shown));
        body.push_str(&linked(step.link.as_deref(), &row));
    }
    svg(words, steps.len() as f64 * HIGH, &body)
}

fn svg(words: Words<'_>, height: f64, body: &str) -> String {
    let Words { id, title, description } = words;
    // a picture holds nothing that can be chosen: one with links is a group of them
    let role = if body.contains("<a ") { "group" } else { "img" };
    format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {:.0}" role="{role}" aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">{}</title><desc id="{id}-desc">{}</desc>{body}</svg>"#,
        height.max(1.0),
        escaped(title),
        escaped(description),
    )
}

fn text(to: &mut String, x: f64, y: f64, class: &str, text: impl Display) {
    write!(to, r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#, escaped(text)).expect("a string");
}

fn rect(to: &mut String, x: f64, y: f64, width: f64, height: f64, class: &str) {
    write!(to, r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height}"/>"#)
        .expect("a string");
}

/// What a pointer that rests on it is told.
fn tip(to: &mut String, text: impl Display) {
    write!(to, "<title>{}</title>", escaped(text)).expect("a string");
}

fn linked(link: Option<&str>, inside: &str) -> String {
    match link {
        Some(link) => format!(r#"<a href="{}">{inside}</a>"#, escaped(link)),
        None => format!("<g>{inside}</g>"),
    }
}

/// Broken where there is nothing.
fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let (mut path, mut drawn) = (String::new(), false);
    for point in points {
        if let Some((x, y)) = point {
            write!(path, "{}{x:.1} {y:.1}", if drawn { "L" } else { "M" }).expect("a string");
        }
        drawn = point.is_some();
    }
    path
}

/// For a scale of four steps: 1, 2 or 4 and noughts, or less than 1 as it is, up to 1.
fn round_up(most: f64) -> f64 {
    if most <= 1.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 10.0].into_iter().map(|step| step * power).find(|round| *round >= most).unwrap_or(most)
}

fn trimmed(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label that fits beside its bar; the whole is in the tip.
fn shortened(label: &str) -> String {
    const MOST: usize = 11;
    match label.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &label[..end]),
        None => label.to_owned(),
    }
}

/// For text and for attributes in double quotes.
pub(super) fn escaped(text: impl Display) -> String {
    let mut escaped = String::new();
    for c in text.to_string().chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'static> = Words { id: "a", title: "标题 <1>", description: "说明" };

    fn bar(label: &str, value: f64) -> Bar {
        Bar { label: label.to_owned(), value, shown: value.to_string(), ..Bar::default() }
    }

    #[test]
    fn a_chart_says_what_it_shows_and_text_stays_text() {
        let hostile = Bar { link: Some("/x?a=\"1\"&b=2".to_owned()), ..bar("<script>alert(1)</script>", 2.0) };
        let chart = bars(WORDS, &[hostile]);
        assert!(chart.contains(r#"aria-labelledby="a-title a-desc""#) && chart.contains("标题 &lt;1&gt;"), "{chart}");
        assert!(!chart.contains("<script"), "{chart}");
        assert!(chart.contains(r#"<a href="/x?a=&quot;1&quot;&amp;b=2">"#), "{chart}");
        assert!(!chart.contains("style="), "the page's rules forbid it");
    }

    #[test]
    fn the_longest_bar_fills_the_room_and_the_others_are_in_proportion() {
        let chart = bars(WORDS, &[bar("a", 10.0), Bar { before: Some(20.0), ..bar("b", 5.0) }]);
        let widths: Vec<&str> =
            chart.split(" width=\"").skip(1).map(|rest| &rest[..rest.find('"').expect("an end")]).collect();
        assert_eq!(widths, ["240.0", "120.0", "480.0"]);
    }

    #[test]
    fn nothing_at_all_is_drawn_as_nothing() {
        assert!(bars(WORDS, &[bar("a", 0.0)]).contains(r#"width="0.0""#));
        for chart in
            [funnel(WORDS, &[bar("a", 0.0)]), lines(WORDS, &[], &[]), heat(WORDS, &[("一", [0; 24])]), bars(WORDS, &[])]
        {
            assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
        }
    }

    #[test]
    fn a_line_has_a_gap_where_there_is_no_value() {
        let points = [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0))];
        assert_eq!(path(points.into_iter()), "M0.0 1.0L1.0 2.0M3.0 4.0");
    }

    #[test]
    fn a_scale_ends_with_a_round_number() {
        for (most, expected) in [(0.0, 1.0), (0.4, 1.0), (7.0, 10.0), (31.0, 40.0), (100.0, 100.0), (1_201.0, 2_000.0)]
        {
            assert_eq!(round_up(most), expected, "{most}");
        }
    }

    #[test]
    fn the_busiest_hour_is_darkest_and_an_empty_one_has_no_shade() {
        let mut hours = [0; 24];
        (hours[9], hours[10]) = (100, 1);
        let chart = heat(WORDS, &[("周一", hours)]);
        let count = |class: &str| chart.matches(class).count();
        assert_eq!((count("chart-heat-0"), count("chart-heat-1"), count("chart-heat-5")), (22, 1, 1));
    }
}
