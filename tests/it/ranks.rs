//! An arrow between modules may only point to a lower rank; `ARCHITECTURE.md` has the map.

use std::path::{Path, PathBuf};

/// The rank of a top-level module. `media` stands half a step below `prompt`, which may use it, and `config` half a
/// step above `console`, whose settings it composes.
fn rank(module: &str) -> Option<u32> {
    let ranks: [&[&str]; 10] = [
        &["clock", "digit", "phone", "language", "city", "secret"],
        &["sip", "sdp", "ticket"],
        &["media"],
        &["access", "prompt", "ivr", "callback", "simulate"],
        &["call", "store", "live"],
        &["driver", "report"],
        &["work", "console", "dialer"],
        &["config"],
        &["app"],
        &["main", "lib"],
    ];
    ranks.iter().position(|modules| modules.contains(&module)).and_then(|rank| u32::try_from(rank).ok())
}

#[test]
fn every_arrow_points_to_a_lower_rank() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let relative = file.strip_prefix(&source).expect("found below it").to_owned();
        let text = std::fs::read_to_string(&file).expect("a source file is readable");
        wrong.extend(
            upward(&module_of(&relative), &text)
                .into_iter()
                .map(|(line, what)| format!("src/{}:{line}: {what}", relative.display())),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Lines of `text`, a file of module `from`, that name a module they may not use.
fn upward(from: &str, text: &str) -> Vec<(usize, String)> {
    let Some(own) = rank(from) else { return vec![(1, format!("module {from} has no rank"))] };
    let mut wrong = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for used in used_modules(line) {
            let allowed = used == from || rank(&used).is_some_and(|rank| rank < own);
            if !allowed && (rank(&used).is_some() || line.trim_start().starts_with("use ")) {
                wrong.push((index + 1, format!("{from} may not use {used}")));
            }
        }
    }
    wrong
}

/// Modules named in `crate::module…` or `crate::{module…, module…}` on one line.
fn used_modules(line: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with('$'))
        .flat_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            match rest.strip_prefix('{') {
                Some(group) => top_level_names(group).iter().map(|name| word(name)).collect(),
                None => vec![word(rest)],
            }
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

/// The parts of a brace group, as far as the line goes; nested groups stay with their part.
fn top_level_names(group: &str) -> Vec<String> {
    let (mut names, mut depth) = (vec![String::new()], 0);
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ => names.last_mut().expect("never empty").push(letter),
        }
    }
    names.iter().map(|name| name.trim().to_owned()).collect()
}

/// `sip` for `sip/wire/frame.rs`, `call` for `call.rs`.
fn module_of(relative: &Path) -> String {
    let first = relative.iter().next().expect("a file has a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn upward_sideways_and_unknown_arrows_are_found() {
    let find = |from: &str, text: &str| upward(from, text).len();
    assert_eq!(find("sip", "use crate::digit::Digit;"), 0);
    assert_eq!(find("sip", "use crate::store::Store;"), 1);
    assert_eq!(find("call", "use crate::store::Store;"), 1, "call never sees store");
    assert_eq!(find("ivr", "use crate::prompt::Prompts;"), 1);
    assert_eq!(find("prompt", "use crate::media::clip::Clip;"), 0);
    assert_eq!(find("ticket", "use crate::{city::City, console::{a, b}, live};"), 2);
    assert_eq!(find("store", "    let x = crate::console::page();"), 1);
    assert_eq!(find("store", "use crate::nowhere::X;"), 1);
    assert_eq!(find("store", "// use crate::console;"), 0);
    assert_eq!(find("app", "use crate::{driver, console};"), 0);
}
