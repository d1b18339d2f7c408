//! What callers hear of a knowledge entry: its title in the consult menu, and its text.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::sheet::{Tab, tabs};
use super::voice::{Voice, in_words, language_of};
use crate::console::Shared;
use crate::console::catalogue as api;
use crate::console::pages::sent::bad;
use crate::console::pages::{Frame, Uploaded, done, render};
use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segment;
use crate::console::studio::{self, NotReplaced};
use crate::language::Language;
use crate::prompt::Prompts;
use crate::prompt::manifest::{Line, Origin};
use crate::prompt::sheet::Entry;
use crate::store::Placed;
use crate::ticket::catalogue::{Knowledge, PromptId};

/// Of an entry: what the menu says, and what answers.
const PARTS: [(&str, &str); 2] = [("choice", "kb"), ("prompt", "kbans")];

#[derive(Template)]
#[template(path = "admin/spoken.html")]
struct SpokenPage<'f> {
    frame: &'f Frame,
    tabs: Vec<Tab>,
    entry: &'f Knowledge,
    passages: Vec<Passage>,
    /// Whether the consult menu can offer it.
    offered: bool,
    /// Some of its own prompts are recorded, and callers hear others until all are.
    waiting: bool,
    folder: bool,
    wrong: Option<String>,
}

/// One prompt of the entry in both languages.
struct Passage {
    part: &'static str,
    id: String,
    voices: Vec<Said>,
}

struct Said {
    /// As callers hear it.
    voice: Voice,
    /// As they will hear it when the entry names its own prompts.
    own: Option<Voice>,
    /// What the entry says.
    text: String,
    /// The recording says something else.
    other_text: bool,
}

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Segment(id): Segment) -> Result<Response, Problem> {
    let entry = seen(&shared, &frame, &id).await?;
    page(&shared, &frame, &entry, None)
}

/// A recording for one of its prompts. An entry that names others goes on doing so until its own are all spoken.
pub async fn replace(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Uploaded { fields, file }: Uploaded,
) -> Result<Response, Problem> {
    let entry = seen(&shared, &frame, &id).await?;
    let language = language_of(fields.text("language").unwrap_or_default())?;
    let wanted: String = fields.needed("part")?;
    let part = PARTS.iter().position(|(part, _)| *part == wanted);
    let part = part.ok_or_else(|| bad("part", "`part` is choice or prompt."))?;
    let file = file.ok_or_else(|| bad("file", "No file was chosen."))?;
    let own = own_prompts(&entry)?;
    let of = own[part].to_string();
    let said = line(&of, language, said(&entry, part, language));
    let recording = file.bytes.to_vec();
    match studio::replace(&shared, &frame.asking, (&of, language), Some(said), recording, frame.person()).await {
        Err(NotReplaced::Refused(refused)) => {
            return page(&shared, &frame, &entry, Some(in_words(&frame, &refused)));
        }
        Err(NotReplaced::Problem(problem)) => return Err(problem),
        Ok(_) => {}
    }
    // the recording took its time: the entry, and who may write it, may have changed
    let entry = seen(&shared, &frame, &id).await?;
    if entry.choice.is_none() || spoken(&shared.studio.in_use(), &own).all(|is_spoken| is_spoken) {
        let named = shared.store.name_prompts(&entry.id, &own, &frame.asking.by(), shared.clock.wall()).await;
        named.map_err(|error| Problem::internal("knowledge", &error))?;
    }
    done(&format!("/admin/knowledge/{id}/spoken"), "replaced")
}

/// An entry that whoever looks may write.
async fn seen(shared: &Shared, frame: &Frame, id: &str) -> Result<Knowledge, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such entry.");
    let id = id.parse().map_err(|_| unknown())?;
    let placed = shared.store.knowledge_entry(&id).await.map_err(|error| Problem::internal("knowledge", &error))?;
    let Placed { entry, .. } = placed.ok_or_else(unknown)?;
    api::may_write(&frame.asking, entry.city, Some(&entry.unit))?;
    Ok(entry)
}

/// The prompts that are this entry's alone: `pasture-subsidy` has `kb.pasture_subsidy` and `kbans.pasture_subsidy`.
fn own_prompts(entry: &Knowledge) -> Result<[PromptId; 2], Problem> {
    let name = entry.id.as_str().replace('-', "_");
    let [choice, prompt] = PARTS.map(|(_, group)| format!("{group}.{name}").parse::<PromptId>());
    let (Ok(choice), Ok(prompt)) = (choice, prompt) else {
        return Err(Problem::new(Kind::Conflict, "The entry's id is too long for a prompt."));
    };
    let pack = Prompts::embedded();
    let is_packed = |id: &PromptId| Language::ALL.into_iter().any(|language| pack.is_known(language, id.as_str()));
    if [&choice, &prompt].into_iter().any(is_packed) {
        return Err(Problem::new(Kind::Conflict, "A built-in prompt has the entry's name: give the entry another id."));
    }
    Ok([choice, prompt])
}

/// Each prompt in each language: whether it is spoken.
fn spoken(prompts: &Prompts, ids: &[PromptId; 2]) -> impl Iterator<Item = bool> {
    let voices = ids.iter().flat_map(|id| Language::ALL.map(|language| (language, id)));
    voices.map(|(language, id)| prompts.clip(language, id.as_str()).is_some())
}

/// Whether some of its own prompts are recorded, not all, while it names others.
fn is_waiting(entry: &Knowledge, own: &[PromptId; 2], prompts: &Prompts) -> bool {
    let (Some(choice), Some(prompt)) = (&entry.choice, &entry.prompt) else { return false };
    let mut there = spoken(prompts, own);
    let first = there.next();
    [choice, prompt] != own.each_ref() && there.any(|is_spoken| Some(is_spoken) != first)
}

fn page(shared: &Shared, frame: &Frame, entry: &Knowledge, wrong: Option<String>) -> Result<Response, Problem> {
    let prompts = shared.studio.in_use();
    let own = own_prompts(entry).ok();
    let waiting = own.as_ref().filter(|own| is_waiting(entry, own, &prompts));
    let passage = |part: usize| {
        let named = [&entry.choice, &entry.prompt][part].as_ref();
        let id = named.or(own.as_ref().map(|own| &own[part])).map(ToString::to_string).unwrap_or_default();
        let voices = [Language::Zh, Language::Bo].map(|language| {
            let mut voice = voice_of(frame, &prompts, language, &id);
            voice.upload = own.is_some().then(|| format!("/admin/knowledge/{}/spoken", entry.id));
            let own = waiting.map(|own| voice_of(frame, &prompts, language, own[part].as_str()));
            let text = said(entry, part, language);
            let newest = own.as_ref().filter(|own| own.is_spoken()).unwrap_or(&voice);
            let other_text = newest.text.as_ref().is_some_and(|spoken| spoken != text);
            Said { voice, own, text: text.to_owned(), other_text }
        });
        Passage { part: PARTS[part].0, id, voices: voices.into() }
    };
    let passages: Vec<Passage> = (0..PARTS.len()).map(passage).collect();
    let offered = passages.iter().flat_map(|passage| &passage.voices).all(|said| said.voice.is_spoken());
    let (refused, folder) = (wrong.is_some(), shared.studio.folder.is_some());
    let waiting = waiting.is_some();
    let page = SpokenPage { frame, tabs: tabs(frame), entry, passages, offered, waiting, folder, wrong };
    let mut response = render(&page)?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn voice_of(frame: &Frame, prompts: &Prompts, language: Language, id: &str) -> Voice {
    let mut voice = Voice::of(frame, prompts, language, id);
    if !voice.is_spoken() {
        frame.t("prompts.not_recorded").clone_into(&mut voice.state);
    }
    voice
}

/// What the entry says there.
fn said(entry: &Knowledge, part: usize, language: Language) -> &str {
    match (part, language) {
        (0, Language::Zh) => entry.title_zh.as_str(),
        (0, Language::Bo) => entry.title_bo.as_str(),
        (_, Language::Zh) => entry.text_zh.as_str(),
        (_, Language::Bo) => entry.text_bo.as_str(),
    }
}

/// A prompt that says this.
fn line(id: &str, language: Language, text: &str) -> Entry {
    let line = Line {
        text: text.to_owned(),
        words: None,
        pinyin: None,
        confidence: None,
        voice: None,
        origin: Origin::Synthetic,
        review: None,
        file: format!("{language}/{id}.wav"),
        sha256: None,
        at: 0,
        range: None,
    };
    Entry { number: 0, id: id.to_owned(), line, meaning: None }
}
