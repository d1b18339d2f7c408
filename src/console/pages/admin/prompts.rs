//! The state of every prompt in both languages: its words, who speaks, who has read it.

use std::collections::BTreeMap;

use axum::response::Response;

use super::sheet::{Cell, Sheet, Table, show as sheet};
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::language::Language;
use crate::prompt::Origin;
use crate::prompt::sheet::{Entry, Sheet as Script};

/// Those of the pack; a range, such as every number, is no row.
pub async fn show(frame: Frame) -> Result<Response, Problem> {
    let script = |language| Script::load(None, language).expect("the pack's manifest is one");
    let (zh, bo) = (script(Language::Zh), script(Language::Bo));
    let mut prompts: BTreeMap<&str, [Option<&Entry>; 2]> = BTreeMap::new();
    for (at, script) in [&zh, &bo].into_iter().enumerate() {
        for entry in script.entries() {
            prompts.entry(&entry.id).or_default()[at] = Some(entry);
        }
    }
    let text = |entry: Option<&Entry>| entry.map(|entry| entry.line.text.clone()).unwrap_or_default();
    let row = |(id, [zh, bo]): (&&str, &[Option<&Entry>; 2])| {
        vec![
            Cell::text(id),
            Cell::text(text(*zh)),
            state(&frame, *zh),
            Cell::bo(text(*bo)),
            state(&frame, *bo),
            Cell::text(bo.and_then(|entry| entry.line.confidence).map(|sure| sure.name()).unwrap_or_default()),
        ]
    };
    let title = frame.t("admin.prompts").to_owned();
    let columns = ["id", "text_zh", "voice", "text_bo", "voice", "confidence"];
    let table = Table {
        caption: frame.fill("admin.prompts_count", &[&prompts.len()]),
        columns: columns.iter().map(|of| frame.name("column", *of)).collect(),
        rows: prompts.iter().map(row).collect(),
    };
    let hint = frame.t("admin.prompts_hint").to_owned();
    sheet(&frame, Sheet { title, hint, tables: vec![table], ..Sheet::default() })
}

fn state(frame: &Frame, entry: Option<&Entry>) -> Cell {
    let Some(Entry { line, .. }) = entry else { return Cell::badge(frame.t("admin.not_spoken"), "quiet") };
    match (line.origin, &line.review) {
        (Origin::Recorded, _) => Cell::badge(frame.t("admin.recorded"), "ok"),
        (Origin::Synthetic, Some(review)) => {
            Cell::badge(frame.fill("admin.reviewed", &[&review.reviewer, &review.reviewed]), "ok")
        }
        (Origin::Synthetic, None) => Cell::badge(frame.t("admin.synthetic"), "warn"),
    }
}
