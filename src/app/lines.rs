//! The lines with their flows and prompts, checked before a call can meet them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::call::Setup;
use crate::config::Config;
use crate::driver::calls::{self, Served};
use crate::driver::consult;
use crate::ivr::{Flow, PromptId, Reading};
use crate::language::Language;
use crate::media::tone;
use crate::prompt::{Problem, Prompts, say};
use crate::ticket::Catalogue;

/// The flow that answers a line without one of its own.
pub(super) const INBOUND: &str = include_str!("../../prompts/flows/inbound.toml");
pub(super) const INBOUND_NAME: &str = "prompts/flows/inbound.toml";
/// The flow of return visits.
pub(super) const VISIT: &str = include_str!("../../prompts/flows/visit.toml");
pub(super) const VISIT_NAME: &str = "prompts/flows/visit.toml";
/// The prompt that says that a machine speaks.
const NOTICE: &str = "notice.ai";
/// How the ids of the units' names begin.
const UNITS: &str = "office.";

/// Reads prompts and flows.
///
/// # Errors
/// Everything that is wrong with them, with file and line.
pub fn served(config: &Config) -> Result<Vec<Served>, Vec<Problem>> {
    let (prompts, mut problems) = match &config.prompts.folder {
        Some(folder) => {
            let (prompts, problems) = Prompts::over(folder);
            (Arc::new(prompts), problems)
        }
        None => (Prompts::embedded(), Vec::new()),
    };
    match with(config, &prompts) {
        Ok(served) if problems.is_empty() => Ok(served),
        Ok(_) => Err(problems),
        Err(found) => {
            problems.extend(found);
            Err(problems)
        }
    }
}

/// Reads the flows, which say these prompts.
///
/// # Errors
/// Everything that is wrong with them, with file and line.
pub fn with(config: &Config, prompts: &Arc<Prompts>) -> Result<Vec<Served>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut setups: BTreeMap<[Option<PathBuf>; 2], Arc<Setup>> = BTreeMap::new();
    let mut served = Vec::new();
    let own_flows = ["flows/inbound.toml", "flows/visit.toml"].map(|name| own_flow(config, name));
    for line in &config.line {
        let named = [line.flow.clone(), line.visit_flow.clone()];
        let setup = match setups.get(&named) {
            Some(setup) => Arc::clone(setup),
            None => match setup(files(&named, &own_flows), prompts, &config.calls) {
                Ok(setup) => Arc::new(setup),
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            },
        };
        setups.insert(named, Arc::clone(&setup));
        served.push(Served { line: line.clone(), setup });
    }
    if problems.is_empty() { Ok(served) } else { Err(problems) }
}

/// The lines with other prompts; their flows stay those that they have.
///
/// # Errors
/// In words: the first prompt of a flow that is no longer spoken.
pub fn with_prompts(served: &[Served], prompts: &Arc<Prompts>) -> Result<Vec<Served>, String> {
    let mut setups: Vec<(&Arc<Setup>, Arc<Setup>)> = Vec::new();
    let mut lines = Vec::new();
    for Served { line, setup } in served {
        let there = setups.iter().find(|(old, _)| Arc::ptr_eq(old, setup)).map(|(_, new)| Arc::clone(new));
        let new = match there {
            Some(new) => new,
            None => Arc::new(spoken_by(setup, prompts)?),
        };
        setups.push((setup, Arc::clone(&new)));
        lines.push(Served { line: line.clone(), setup: new });
    }
    Ok(lines)
}

fn spoken_by(setup: &Setup, prompts: &Arc<Prompts>) -> Result<Setup, String> {
    let said = setup.flow.prompts().into_iter().chain(setup.visit.prompts());
    if let Some((language, id)) = said.into_iter().find(|(language, id)| !is_spoken(prompts, *language, id)) {
        return Err(format!("the prompt {id} is not spoken in {language}"));
    }
    Ok(Setup {
        synthetic: speaks_synthetically(&setup.flow, prompts),
        visit_synthetic: speaks_synthetically(&setup.visit, prompts),
        flow: setup.flow.clone(),
        visit: setup.visit.clone(),
        prompts: Arc::clone(prompts),
        beep: Arc::clone(&setup.beep),
        record_calls: setup.record_calls,
        keep_early: setup.keep_early,
        longest_call: setup.longest_call,
    })
}

/// The flow of a line that names none: that of the prompts' folder, if it has one.
fn own_flow(config: &Config, name: &str) -> Option<PathBuf> {
    let file = config.prompts.folder.as_ref()?.join(name);
    file.exists().then_some(file)
}

fn files<'a>(named: &'a [Option<PathBuf>; 2], own: &'a [Option<PathBuf>; 2]) -> [Option<&'a Path>; 2] {
    std::array::from_fn(|n| named[n].as_deref().or(own[n].as_deref()))
}

fn setup(files: [Option<&Path>; 2], prompts: &Arc<Prompts>, calls: &calls::Config) -> Result<Setup, Vec<Problem>> {
    let [inbound, visit] = files;
    let (inbound, visit) = (flow(inbound, [INBOUND_NAME, INBOUND], prompts), flow(visit, [VISIT_NAME, VISIT], prompts));
    let (flow, visit) = match (inbound, visit) {
        (Ok(inbound), Ok(visit)) => (inbound, visit),
        (inbound, visit) => return Err([inbound.err(), visit.err()].into_iter().flatten().flatten().collect()),
    };
    Ok(Setup {
        synthetic: speaks_synthetically(&flow, prompts),
        visit_synthetic: speaks_synthetically(&visit, prompts),
        flow,
        visit,
        prompts: Arc::clone(prompts),
        beep: Arc::new(tone::beep()),
        record_calls: calls.record_calls,
        keep_early: calls.keep_early_audio,
        longest_call: Duration::from_secs(calls.longest_call_s.into()),
    })
}

fn flow(file: Option<&Path>, built_in: [&str; 2], prompts: &Prompts) -> Result<Flow, Vec<Problem>> {
    let (name, text) = match file {
        Some(file) => (file.display().to_string(), read(file)?),
        None => built_in.map(str::to_owned).into(),
    };
    let flow = Flow::parse(&text, &name).map_err(|found| {
        let problem = |p: crate::ivr::Problem| Problem { file: p.file, line: p.line, what: p.what };
        found.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    let unspoken: Vec<Problem> = (flow.prompts().into_iter())
        .filter(|(language, id)| !is_spoken(prompts, *language, id))
        .map(|(language, id)| Problem {
            file: name.clone(),
            line: line_of(&text, &id),
            what: format!("the prompt {id} is not spoken in {language}"),
        })
        .collect();
    let unspoken: Vec<Problem> = unspoken.into_iter().chain(unspoken_topics(&flow, prompts)).collect();
    if unspoken.is_empty() { Ok(flow) } else { Err(unspoken) }
}

/// The prompts that a consult menu needs while the store is away. Entries of the store are looked at when they are
/// offered.
fn unspoken_topics(flow: &Flow, prompts: &Prompts) -> Vec<Problem> {
    const FILE: &str = "seed/knowledge.toml";
    if !flow.readings().iter().any(|(_, reading)| *reading == Reading::Topic) {
        return Vec::new();
    }
    let entries = Catalogue::built_in().knowledge.iter();
    let missing = entries.filter_map(|entry| Some((entry, consult::missing(entry, prompts)?)));
    missing
        .map(|(entry, (language, id))| Problem {
            file: FILE.to_owned(),
            line: 0,
            what: format!("the prompt {id} of {} is not spoken in {language}", entry.id),
        })
        .collect()
}

/// Whether a machine speaks anything that a call of this flow can hear, the parts of numbers and dates included. What
/// says so ([`NOTICE`]) is not asked: without anything else it is not said.
fn speaks_synthetically(flow: &Flow, prompts: &Prompts) -> bool {
    let names = |(language, id): &(Language, PromptId)| &**id != NOTICE && prompts.is_synthetic(*language, id);
    let reads = |(language, reading): &(Language, Reading)| reads_synthetically(prompts, *language, *reading);
    flow.prompts().iter().any(names) || flow.readings().iter().any(reads)
}

fn reads_synthetically(prompts: &Prompts, language: Language, reading: Reading) -> bool {
    match reading {
        Reading::Digits => prompts.reads_synthetically(language, &say::all_digits().collect::<Vec<_>>()),
        Reading::Date => prompts.reads_synthetically(language, &say::all_dates().collect::<Vec<_>>()),
        Reading::Topic => {
            let is_topics = |id: &str| consult::GROUPS.iter().any(|group| id.starts_with(group));
            prompts.ids().any(|id| is_topics(id) && prompts.is_synthetic(language, id))
        }
        Reading::Unit => prompts.ids().any(|id| id.starts_with(UNITS) && prompts.is_synthetic(language, id)),
    }
}

fn read(file: &Path) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(file)
        .map_err(|error| vec![Problem { file: file.display().to_string(), line: 0, what: error.to_string() }])
}

fn is_spoken(prompts: &Prompts, language: Language, id: &str) -> bool {
    prompts.clip(language, id).is_some() || prompts.is_left_out(language, id)
}

/// Where a flow names a prompt; 0 for one that the interpreter adds.
fn line_of(text: &str, id: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let names = |line: &str| {
        let written = line.split('#').next().unwrap_or(line);
        written.match_indices(id).any(|(at, _)| {
            let (before, after) = (&written[..at], &written[at + id.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    };
    text.lines().position(names).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::testing::{Folder, spoken};

    #[test]
    fn a_prompt_is_found_however_a_flow_writes_it() {
        let text = "# a.b\n\nsay = [\"a.bc\", \"x.a.b\"]\nsay = [\"bo:a.b\"]\n";
        assert_eq!(line_of(text, "a.b"), 4);
        assert_eq!(line_of(text, "press.1"), 0);
    }

    #[test]
    fn the_built_in_flow_and_prompts_fit_together() {
        let config = crate::config::read(crate::config::layers::Layers::default()).expect("the defaults");
        let served = served(&config).expect("nothing is wrong with them");
        assert_eq!(served.len(), 1);
        assert!(served[0].setup.synthetic);
    }

    #[test]
    fn other_prompts_are_spoken_from_the_next_call_on_by_the_same_flows() {
        let mut config = crate::config::read(crate::config::layers::Layers::default()).expect("the defaults");
        let other = crate::call::line::Line { number: "12346".to_owned(), ..config.line[0].clone() };
        config.line.push(other);
        let lines = calls::Lines::new(served(&config).expect("nothing is wrong with them"));
        let running = Arc::clone(&lines.now()[0].setup);
        let folder = Folder::new("other");
        folder.write("zh/menu.head.wav", spoken(500, ""));
        let prompts = Arc::new(folder.load());
        lines.replace(with_prompts(&lines.now(), &prompts).expect("all is spoken"));
        let next = lines.now();
        let clip = |setup: &Setup| setup.prompts.clip(Language::Zh, "menu.head").expect("a clip").duration_ms();
        assert_eq!((clip(&next[0].setup), Arc::ptr_eq(&next[0].setup, &next[1].setup)), (500, true));
        assert_ne!(clip(&running), 500, "a call keeps what it began with");
        assert_eq!((next[1].line.number.as_str(), next[0].setup.synthetic), ("12346", true));
        let nothing = Arc::new(Prompts::default());
        assert!(with_prompts(&next, &nothing).is_err_and(|what| what.contains("is not spoken in")));
    }

    #[test]
    fn a_mistake_in_a_lines_flow_of_return_visits_is_told_beside_those_of_its_other_flow() {
        let file = |name: &str, text: &str| {
            let path = std::env::temp_dir().join(format!("hotline-lines-{}-{name}", std::process::id()));
            std::fs::write(&path, text).expect("a file");
            path
        };
        let inbound = file("inbound.toml", &INBOUND.replacen("rec.intro", "rec.intrigue", 1));
        let visit = file("visit.toml", &VISIT.replacen("to = \"matter\"", "to = \"nowhere\"", 1));
        let mut config = crate::config::read(crate::config::layers::Layers::default()).expect("the defaults");
        config.line[0].flow = Some(inbound.clone());
        config.line[0].visit_flow = Some(visit.clone());
        let found = served(&config).expect_err("both are wrong");
        let files: std::collections::BTreeSet<&str> = found.iter().map(|problem| &*problem.file).collect();
        let [inbound, visit] = [inbound, visit].map(|path| {
            std::fs::remove_file(&path).expect("it is there");
            path.display().to_string()
        });
        assert_eq!(files, [&*inbound, &*visit].into());
        assert!(found.iter().any(|problem| problem.file == visit && problem.line > 0), "{found:?}");
    }

    const GROUP: &str = "trio.126";

    /// Whether `notice.ai` is said when all prompts are a person's but those that `is_synthetic` names.
    fn announces(name: &str, is_synthetic: impl Fn(&str) -> bool) -> bool {
        let (folder, pack) = (Folder::new(name), Prompts::embedded());
        let mut manifest = String::new();
        for (id, language) in pack.ids().flat_map(|id| Language::ALL.map(|language| (id, language))) {
            let Some(text) = pack.text(language, id) else { continue };
            let origin = if is_synthetic(id) { "synthetic" } else { "recorded" };
            manifest += &format!("[{id}.{language}]\ntext = \"{text}\"\norigin = \"{origin}\"\nfile = \"one.wav\"\n");
        }
        if pack.text(Language::Zh, GROUP).is_none() {
            let origin = if is_synthetic(GROUP) { "synthetic" } else { "recorded" };
            manifest += &format!("[{GROUP}.zh]\ntext = \"幺二六\"\norigin = \"{origin}\"\nfile = \"one.wav\"\n");
            manifest += &format!("[{GROUP}.bo]\ntext = \"-\"\n");
        }
        folder.write("one.wav", spoken(500, ""));
        folder.write("manifest.toml", manifest);
        speaks_synthetically(&Flow::parse(INBOUND, INBOUND_NAME).expect("a flow"), &folder.load())
    }

    #[test]
    fn a_machine_is_announced_while_it_speaks_anything_that_a_call_can_hear() {
        for id in ["menu.head", "digit.7", "month.3", "day.31", "office.police", "city.ngari", "kbans.tour"] {
            assert!(announces(id, |synthetic| synthetic == id), "{id}");
        }
    }

    #[test]
    fn no_machine_is_announced_when_a_person_speaks_all_that_a_call_can_hear() {
        assert!(!announces("recorded", |_| false));
        assert!(!announces("notice", |id| id == NOTICE), "the notice itself is not said then");
        assert!(!announces("unheard", |id| id == "rv.purpose" || id.starts_with("weekday.")), "not of this flow");
    }

    #[test]
    fn groups_of_digits_that_give_way_to_a_person_are_no_machine_that_a_call_can_hear() {
        let is_group = |id: &str| id.starts_with("trio") || id.starts_with("pair");
        assert!(!announces("groups", is_group));
    }
}
