//! The reading script of a voice actor: one self-contained page, to read from a screen or on paper.
//!
//! Pure: the sheet and what the flow says in, HTML out. Whoever knows the flow makes [`Passage`]s of it.

mod words;

use super::Origin;
use super::manifest::Confidence;
use super::master::Kind;
use super::sheet::{Entry, Sheet};
use crate::language::Language;
use words::Intonation;

const STYLE: &str = include_str!("page.css");
const INSTRUCTIONS: &str = include_str!("instructions.html");
/// Places of the flow that a line shows; the others are counted.
const MOST_PLACES: usize = 3;

/// What a caller hears in one go at a place of the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// `menu.main`.
    pub node: String,
    /// When it is said, in Chinese; empty for what is said on the way in.
    pub moment: &'static str,
    pub said: Vec<Said>,
    /// The node that is heard next, where nothing is decided before it.
    pub next: Option<String>,
}

/// One thing that is said: a prompt (`menu.head`), one of a group (`city.*`) or what is put together (`{ticket}`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `None`: the caller's.
    pub language: Option<Language>,
    pub what: String,
}

/// The page.
pub fn page(sheet: &Sheet, passages: &[Passage]) -> String {
    let (language, code) = (words::language(sheet.language), sheet.language);
    let recorded = sheet.entries().iter().filter(|entry| entry.line.origin == Origin::Recorded).count();
    let signed = sheet.entries().iter().filter(|entry| entry.line.review.is_some()).count();
    let total = sheet.entries().len();
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>录音脚本 · {language}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>录音脚本 · {language}</h1>\n{}\
         <p class=\"sum\">共 <b>{total}</b> 条　已录 <b>{recorded}</b>　母语者已签字 <b>{signed}</b></p>\n</header>\n",
        title(sheet)
    );
    html += &INSTRUCTIONS.replace("{lang}", code.code());
    let mut current = "";
    for (at, entry) in sheet.entries().iter().enumerate() {
        if entry.group() != current {
            current = entry.group();
            html += &heading(entry);
        }
        html += &line(sheet, at, entry, passages);
    }
    html + "</body>\n</html>\n"
}

/// What the line calls itself, in Tibetan.
fn title(sheet: &Sheet) -> String {
    let text = sheet.get("greet.line").and_then(|entry| match sheet.language {
        Language::Bo => Some(entry.line.text.clone()),
        Language::Zh => entry.meaning.clone(),
    });
    text.map(|text| format!("<p lang=\"bo\" class=\"name\">{}</p>\n", escaped(&text))).unwrap_or_default()
}

/// Begins a group. What its parts of numbers and dates have in common is said once.
fn heading(entry: &Entry) -> String {
    let (group, code) = (words::group(entry.group()), escaped(entry.group()));
    let note = match Kind::of(&entry.id) {
        Kind::Phrase => String::new(),
        Kind::Part => format!("<p class=\"use\">{}。{}</p>\n", words::usage(&entry.id), Intonation::Flat.words()),
    };
    format!("<h2>{group} <code>{code}.*</code></h2>\n{note}")
}

fn line(sheet: &Sheet, at: usize, entry: &Entry, passages: &[Passage]) -> String {
    let (language, text) = (sheet.language, escaped(&entry.line.text));
    let is_part = Kind::of(&entry.id) == Kind::Part;
    let meaning = entry
        .meaning
        .as_deref()
        .map(|meaning| format!("<p class=\"meaning\" lang=\"{}\">{}</p>\n", tag(language.other()), escaped(meaning)));
    format!(
        "<article class=\"line{part}{recorded}\" id=\"n{number:03}\">\n<p class=\"number\">{number:03}</p>\n\
         <div>\n<p class=\"text\" lang=\"{tag}\">{text}</p>\n{meaning}{how}</div>\n\
         <p class=\"file\"><code>{file}</code><span>{state}</span></p>\n</article>\n",
        part = if is_part { " part" } else { "" },
        recorded = if entry.line.origin == Origin::Recorded { " recorded" } else { "" },
        number = entry.number,
        tag = tag(language),
        meaning = meaning.unwrap_or_default(),
        how = if is_part { String::new() } else { how(sheet, at, entry, passages) },
        file = escaped(&entry.file_name()),
        state = state(entry),
    )
}

/// How a sentence ends, what it is for, and what is heard around it.
fn how(sheet: &Sheet, at: usize, entry: &Entry, passages: &[Passage]) -> String {
    let tone = words::intonation(sheet.language, entry);
    let class = if tone == Intonation::Question { "tone question" } else { "tone" };
    let (tone, usage) = (tone.words(), words::usage(&entry.id));
    let places = places(sheet, at, entry, passages);
    format!("<p class=\"{class}\">{tone}</p>\n<p class=\"use\">{usage}</p>\n{places}")
}

/// Where callers hear it, each with what is heard before and after.
fn places(sheet: &Sheet, at: usize, entry: &Entry, passages: &[Passage]) -> String {
    let heard: Vec<(usize, usize)> = passages
        .iter()
        .enumerate()
        .flat_map(|(passage, here)| (0..here.said.len()).map(move |place| (passage, place)))
        .filter(|&(passage, place)| means(&passages[passage].said[place], sheet.language, entry))
        .collect();
    if heard.is_empty() {
        let neighbour =
            |at: Option<usize>| at.and_then(|at| sheet.entries().get(at)).map(|entry| spoken(sheet, &entry.id));
        let (before, after) = (neighbour(at.checked_sub(1)), neighbour(at.checked_add(1)));
        return format!("<ul class=\"near\">\n{}</ul>\n", place("脚本中的前后", &before, &after));
    }
    let mut list: String =
        heard.iter().take(MOST_PLACES).map(|&(at, said)| in_flow(sheet, passages, at, said)).collect();
    if heard.len() > MOST_PLACES {
        list += &format!("<li>还有 {} 处</li>\n", heard.len() - MOST_PLACES);
    }
    format!("<ul class=\"near\">\n{list}</ul>\n")
}

fn in_flow(sheet: &Sheet, passages: &[Passage], at: usize, said: usize) -> String {
    let here = &passages[at];
    let leads_here = |other: &&Passage| here.moment.is_empty() && other.next.as_ref() == Some(&here.node);
    let is_next = |other: &&Passage| other.moment.is_empty() && here.next.as_ref() == Some(&other.node);
    let before = match said.checked_sub(1) {
        Some(before) => here.said.get(before),
        None => passages.iter().find(leads_here).and_then(|passage| passage.said.last()),
    };
    let after = here.said.get(said + 1).or_else(|| passages.iter().find(is_next).and_then(|next| next.said.first()));
    let name = format!("<code>{}</code> {}", escaped(&here.node), here.moment);
    let shown = |said: Option<&Said>| said.map(|said| heard(sheet, said));
    place(&name, &shown(before), &shown(after))
}

fn place(name: &str, before: &Option<String>, after: &Option<String>) -> String {
    let shown = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| format!("<i>{none}</i>"));
    let (before, after) = (shown(before, "开始"), shown(after, "停顿，等待或结束"));
    format!("<li>{name}：{before} <b>→ 本条 →</b> {after}</li>\n")
}

/// Whether this can be the prompt of `entry` in the language of the sheet.
fn means(said: &Said, language: Language, entry: &Entry) -> bool {
    let is_ours = said.language.is_none_or(|fixed| fixed == language);
    is_ours
        && match said.what.as_str() {
            // each language is named by itself
            "lang.*" => entry.id == format!("lang.{language}"),
            what => what == entry.id || what.strip_suffix(".*").is_some_and(|of| of == entry.group()),
        }
}

/// What is heard, in the language it is heard in.
fn heard(sheet: &Sheet, said: &Said) -> String {
    match (&said.what, said.language) {
        (what, _) if what.starts_with('{') || what.ends_with(".*") => format!("〔{}〕", words::placeholder(what)),
        (what, Some(other)) if other != sheet.language => {
            let text = sheet.get(what).and_then(|entry| entry.meaning.clone()).unwrap_or_else(|| what.clone());
            format!("<span lang=\"{}\">{}</span>", tag(other), escaped(&text))
        }
        (what, _) => spoken(sheet, what),
    }
}

/// A prompt in the language of the sheet.
fn spoken(sheet: &Sheet, id: &str) -> String {
    match sheet.get(id) {
        Some(entry) => format!("<span lang=\"{}\">{}</span>", tag(sheet.language), escaped(&entry.line.text)),
        None => format!("<code>{}</code>", escaped(id)),
    }
}

fn state(entry: &Entry) -> String {
    let mut state = vec![match entry.line.origin {
        Origin::Synthetic => "目前是合成音".to_owned(),
        Origin::Recorded => "已录音".to_owned(),
    }];
    state.extend(entry.line.confidence.map(|confidence| {
        let words = match confidence {
            Confidence::A => "A 有把握",
            Confidence::B => "B 待审",
            Confidence::C => "C 没有把握，请改正",
        };
        format!("译文 {words}")
    }));
    state.push(match &entry.line.review {
        Some(review) => format!("{} 于 {} 签字", escaped(&review.reviewer), escaped(&review.reviewed)),
        None => "未签字".to_owned(),
    });
    state.join(" · ")
}

/// The language tag of a text.
const fn tag(language: Language) -> &'static str {
    match language {
        Language::Bo => "bo",
        Language::Zh => "zh-CN",
    }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, letter| {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            letter => html.push(letter),
        }
        html
    })
}

#[cfg(test)]
mod tests;
