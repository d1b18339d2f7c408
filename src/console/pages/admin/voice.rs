//! A prompt in one language: what it says, who speaks, how it sounds to a caller.

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::console::Shared;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::console::range;
use crate::console::segment::Segments;
use crate::console::studio::no_prompt;
use crate::language::Language;
use crate::prompt::import::Refused;
use crate::prompt::manifest::Review;
use crate::prompt::master::Unfit;
use crate::prompt::{Origin, Prompts, wav};

const MAKER: &str = "hotline console";

/// What `admin/voice.html` shows.
pub struct Voice {
    pub language: Language,
    pub id: String,
    /// `None` where the language does without it.
    pub text: Option<String>,
    /// Who speaks, and the class of the badge.
    pub state: String,
    pub class: &'static str,
    /// How sure the writers of a Tibetan text are.
    pub confidence: &'static str,
    pub seconds: String,
    /// Where a recording is sent to.
    pub upload: Option<String>,
    /// Where the built-in sound is asked back.
    pub restore: Option<String>,
}

impl Voice {
    /// As the prompts in use have it.
    pub fn of(frame: &Frame, prompts: &Prompts, language: Language, id: &str) -> Voice {
        let line = prompts.line(language, id);
        let (state, class) = match line.map(|line| (line.origin, &line.review)) {
            None => (frame.t("admin.not_spoken").to_owned(), "quiet"),
            Some((Origin::Recorded, None)) => (frame.t("admin.recorded").to_owned(), "ok"),
            Some((Origin::Recorded, Some(review))) => (signed(frame, "prompts.recorded", review), "ok"),
            Some((Origin::Synthetic, Some(review))) => (signed(frame, "admin.reviewed", review), "ok"),
            Some((Origin::Synthetic, None)) => (frame.t("admin.synthetic").to_owned(), "warn"),
        };
        let clip = prompts.clip(language, id);
        Voice {
            language,
            id: id.to_owned(),
            text: line.map(|line| line.text.clone()),
            state,
            class,
            confidence: line.and_then(|line| line.confidence).map(|sure| sure.name()).unwrap_or_default(),
            seconds: clip.map(|clip| format!("{:.1}", f64::from(clip.duration_ms()) / 1_000.0)).unwrap_or_default(),
            upload: None,
            restore: None,
        }
    }

    pub fn is_spoken(&self) -> bool {
        self.text.is_some()
    }
}

fn signed(frame: &Frame, key: &str, review: &Review) -> String {
    frame.fill(key, &[&review.reviewer, &review.reviewed])
}

pub fn language_of(text: &str) -> Result<Language, Problem> {
    text.parse().map_err(|_| no_prompt())
}

/// Why a recording was not taken, for whoever recorded it.
pub fn in_words(frame: &Frame, refused: &Refused) -> String {
    match refused {
        Refused::Text(stranger, _) => frame.with("unfit.text", stranger),
        Refused::Unreadable(what) => frame.with("unfit.unreadable", what),
        Refused::Unfit(unfit) => match unfit {
            Unfit::Silent { peak_dbfs } if peak_dbfs.is_infinite() => frame.t("unfit.empty").to_owned(),
            Unfit::Empty => frame.t("unfit.empty").to_owned(),
            Unfit::Silent { peak_dbfs } => frame.with("unfit.silent", format!("{peak_dbfs:.0}")),
            Unfit::Short { ms } => frame.with("unfit.short", ms),
            Unfit::Long { s } => frame.with("unfit.long", s),
            Unfit::Clipped { places, first_s } => frame.fill("unfit.clipped", &[places, &format!("{first_s:.2}")]),
            Unfit::Rate(what) => frame.with("unfit.unreadable", what),
        },
    }
}

/// A prompt as a caller hears it: WAV made of the A-law that calls play. Takes one `Range`, as recordings do.
pub async fn audio(
    State(shared): State<Arc<Shared>>,
    _: Frame,
    Segments([id, language]): Segments<2>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let clip = shared.studio.in_use().clip(language_of(&language)?, &id).ok_or_else(no_prompt)?;
    let sound = wav::write(&clip.to_linear(), None, MAKER);
    let entity_tag = entity_tag(&sound);
    if range::client_has(&headers, &entity_tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, entity_tag)]).into_response());
    }
    let length = sound.len() as u64;
    let selected = range::select(&headers, &entity_tag, length);
    let (first, count) = selected.bytes(length)?;
    let part: Vec<u8> = sound.into_iter().skip(index(first)).take(index(count)).collect();
    let entity_tag = HeaderValue::try_from(entity_tag).expect("hexadecimal digits are visible ASCII");
    Ok(selected.wav(length, entity_tag, Body::from(part)))
}

fn entity_tag(sound: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(sound)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
