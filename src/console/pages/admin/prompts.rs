//! Every prompt in both languages: its words, who speaks, how it sounds; and another sound in its place.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::{Tab, tabs};
use super::voice::{Voice, in_words, language_of};
use crate::console::Shared;
use crate::console::pages::sent::bad;
use crate::console::pages::{Frame, Sent, Uploaded, done, render};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::segment::{Segment, Segments};
use crate::console::studio::{self, NotReplaced, no_prompt};
use crate::language::Language;
use crate::prompt::parts::{group, order};
use crate::prompt::{Origin, Prompts};

pub const KEYS: &[&str] = &["q", "group", "voice", "page"];

const ROWS: usize = 40;

/// What a prompt is asked for by who speaks it.
const VOICES: &[&str] = &["synthetic", "recorded", "unread"];

#[derive(Template)]
#[template(path = "admin/prompts.html")]
struct PromptsPage {
    frame: Frame,
    tabs: Vec<Tab>,
    asked: Parameters,
    groups: Vec<String>,
    rows: Vec<Row>,
    found: usize,
    folder: bool,
    earlier: Option<String>,
    later: Option<String>,
}

struct Row {
    id: String,
    voices: Vec<Voice>,
}

impl PromptsPage {
    fn asked(&self, key: &str) -> &str {
        self.asked.text(key).unwrap_or_default()
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.asked.text(key) == Some(value)
    }
}

/// Those that calls hear now; a range, such as every number, is no row.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(asked): Extension<Parameters>,
) -> Result<Response, Problem> {
    let prompts = shared.studio.in_use();
    let mut all: Vec<&str> = prompts.ids().filter(|id| is_read_alone(&prompts, id)).collect();
    all.sort_by_key(|id| order(id));
    let mut groups: Vec<String> = all.iter().map(|id| group(id).to_owned()).collect();
    groups.dedup();
    let found: Vec<&str> = all.into_iter().filter(|id| is_asked_for(&prompts, id, &asked)).collect();
    let page: usize = asked.value("page")?.unwrap_or(1).max(1);
    let first = (page - 1).saturating_mul(ROWS).min(found.len());
    let shown = &found[first..(first + ROWS).min(found.len())];
    let row = |id: &&str| Row { id: (*id).to_owned(), voices: voices(&frame, &prompts, id) };
    let rows = shown.iter().map(row).collect();
    let earlier = (page > 1).then(|| address(&asked, page - 1));
    let later = (first + ROWS < found.len()).then(|| address(&asked, page + 1));
    let (tabs, found, folder) = (tabs(&frame), found.len(), shared.studio.folder.is_some());
    render(&PromptsPage { frame, tabs, asked, groups, rows, found, folder, earlier, later })
}

fn is_read_alone(prompts: &Prompts, id: &str) -> bool {
    Language::ALL.into_iter().filter_map(|language| prompts.line(language, id)).all(|line| line.range.is_none())
}

fn is_asked_for(prompts: &Prompts, id: &str, asked: &Parameters) -> bool {
    let lines = || Language::ALL.into_iter().filter_map(|language| prompts.line(language, id));
    let says = |words: &str| id.contains(&words.to_lowercase()) || lines().any(|line| line.text.contains(words));
    let is_spoken = |voice: &str| match voice {
        "recorded" => lines().any(|line| line.origin == Origin::Recorded),
        "unread" => lines().any(|line| line.review.is_none()),
        _ => lines().any(|line| line.origin == Origin::Synthetic),
    };
    asked.text("q").is_none_or(|words| says(words.trim()))
        && asked.text("group").is_none_or(|wanted| group(id) == wanted)
        && asked.text("voice").is_none_or(is_spoken)
}

fn address(asked: &Parameters, page: usize) -> String {
    let kept = KEYS.iter().filter(|key| **key != "page");
    let kept = kept.filter_map(|key| Some((*key, asked.text(key)?.to_owned())));
    let pairs: Vec<(&str, String)> = kept.chain([("page", page.to_string())]).collect();
    format!("/admin/prompts?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

fn voices(frame: &Frame, prompts: &Prompts, id: &str) -> Vec<Voice> {
    [Language::Zh, Language::Bo].map(|language| Voice::of(frame, prompts, language, id)).into()
}

#[derive(Template)]
#[template(path = "admin/prompt.html")]
struct PromptPage<'f> {
    frame: &'f Frame,
    tabs: Vec<Tab>,
    id: &'f str,
    voices: Vec<Voice>,
    folder: bool,
    wrong: Option<String>,
}

/// One of them, with what can be done about it.
pub async fn one(State(shared): State<Arc<Shared>>, frame: Frame, Segment(id): Segment) -> Result<Response, Problem> {
    page(&shared, &frame, &id, None)
}

fn page(shared: &Shared, frame: &Frame, id: &str, wrong: Option<String>) -> Result<Response, Problem> {
    let prompts = shared.studio.in_use();
    if !prompts.ids().any(|known| known == id) || !is_read_alone(&prompts, id) {
        return Err(no_prompt());
    }
    let change = |mut voice: Voice| {
        let path = format!("/admin/prompts/{id}/{}", voice.language);
        voice.restore = studio::may_restore(&prompts, voice.language, id).then(|| format!("{path}/restore"));
        voice.upload = voice.is_spoken().then_some(path);
        voice
    };
    let voices = voices(frame, &prompts, id).into_iter().map(change).collect();
    let (refused, folder) = (wrong.is_some(), shared.studio.folder.is_some());
    let mut response = render(&PromptPage { frame, tabs: tabs(frame), id, voices, folder, wrong })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

pub async fn replace(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segments([id, language]): Segments<2>,
    Uploaded { file, .. }: Uploaded,
) -> Result<Response, Problem> {
    let language = language_of(&language)?;
    let file = file.ok_or_else(|| bad("file", "No file was chosen."))?;
    let recording = file.bytes.to_vec();
    match studio::replace(&shared, &frame.asking, (&id, language), None, recording, frame.person()).await {
        Ok(_) => done(&format!("/admin/prompts/{id}"), "replaced"),
        Err(NotReplaced::Refused(refused)) => page(&shared, &frame, &id, Some(in_words(&frame, &refused))),
        Err(NotReplaced::Problem(problem)) => Err(problem),
    }
}

pub async fn restore(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segments([id, language]): Segments<2>,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    studio::restore(&shared, &frame.asking, &id, language_of(&language)?).await?;
    done(&format!("/admin/prompts/{id}"), "prompt_restored")
}
