//! Prompts as the console hears and replaces them, by the code of `hotline prompts import`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::Shared;
use super::asking::Asking;
use super::problem::{Kind, Problem};
use crate::clock::beijing_day;
use crate::language::Language;
use crate::prompt::import::{self, Import, Refused, Taken};
use crate::prompt::manifest::Review;
use crate::prompt::sheet::{Entry, Sheet};
use crate::prompt::{self, Prompts};
use crate::store::Seen;
use crate::ticket::Action;

type InUse = Box<dyn Fn() -> Arc<Prompts> + Send + Sync>;
type TakeUp = Box<dyn Fn(Arc<Prompts>) -> Result<(), String> + Send + Sync>;

/// Where prompts are changed, and who speaks them.
pub struct Studio {
    /// `[prompts] folder`; without one nothing is replaced.
    pub folder: Option<PathBuf>,
    in_use: InUse,
    take_up: TakeUp,
    /// One change of the folder at a time.
    changing: Arc<Mutex<()>>,
}

/// Why a prompt stays as it was.
pub enum NotReplaced {
    /// The recording is to blame.
    Refused(Refused),
    Problem(Problem),
}

impl From<Problem> for NotReplaced {
    fn from(problem: Problem) -> NotReplaced {
        NotReplaced::Problem(problem)
    }
}

impl Studio {
    /// `in_use` has the prompts that a call has which begins now; `take_up` gives the next call others, or says why they
    /// can't be spoken.
    pub fn new(
        folder: Option<PathBuf>,
        in_use: impl Fn() -> Arc<Prompts> + Send + Sync + 'static,
        take_up: impl Fn(Arc<Prompts>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Studio {
        Studio { folder, in_use: Box::new(in_use), take_up: Box::new(take_up), changing: Arc::default() }
    }

    /// What a call says that begins now.
    pub fn in_use(&self) -> Arc<Prompts> {
        (self.in_use)()
    }

    fn folder(&self) -> Result<PathBuf, Problem> {
        let missing = || Problem::new(Kind::Conflict, "No folder takes prompts: set `folder` of `[prompts]`.");
        self.folder.clone().ok_or_else(missing)
    }

    /// The next call has what the folder has now.
    fn renew(&self, folder: &Path) -> Result<(), Problem> {
        let stays = |what| Problem::new(Kind::Conflict, format!("Calls go on with the prompts that they had: {what}."));
        (self.take_up)(Arc::new(load(folder)?)).map_err(stays)
    }
}

/// Makes a recording the sound of a prompt, from the next call on. `says` is what is spoken, where that
/// is not what the manifest has.
///
/// # Errors
/// The recording is none that a caller should hear; the prompt is not there, the folder is not configured, broken or can't
/// be written.
pub async fn replace(
    shared: &Shared,
    asking: &Asking,
    (id, language): (&str, Language),
    says: Option<Entry>,
    recording: Vec<u8>,
    reviewer: &str,
) -> Result<Taken, NotReplaced> {
    let folder = shared.studio.folder()?;
    let now = shared.clock.wall();
    let review = Review { reviewer: reviewer.to_owned(), reviewed: beijing_day(now).to_string() };
    let alone = Arc::clone(&shared.studio.changing).lock_owned().await;
    let (into, of) = (folder.clone(), id.to_owned());
    let (import, taken) = off_thread(move || -> Result<_, NotReplaced> {
        load(&into)?;
        let sheet = Sheet::load(Some(&into), language).map_err(|problems| unusable(&problems))?;
        let entry = says.or_else(|| sheet.get(&of).cloned()).ok_or_else(no_prompt)?;
        let made = Import::of_one(language, &entry, &recording, &into, Some(&review)).map_err(NotReplaced::Refused)?;
        made.0.check(&into).map_err(|problem| unusable(&[problem]))?;
        Ok(made)
    })
    .await?;
    // before the sound is in its place: nothing is changed of which nobody knows by whom
    write_down(shared, asking, id, Action::Imported, format!("{language}: {}", taken.report)).await?;
    let studio = Arc::clone(&shared.studio);
    // a request that is given up in the middle does not stop it
    off_thread(move || {
        let _alone = alone;
        import.write(&folder).map_err(|problem| unusable(&[problem]))?;
        studio.renew(&folder)
    })
    .await?;
    Ok(taken)
}

/// Has the built-in sound of a prompt said again, from the next call on.
///
/// # Errors
/// The pack has no such sound, or the folder has put none in its place; the folder can't be used.
pub async fn restore(shared: &Shared, asking: &Asking, id: &str, language: Language) -> Result<(), Problem> {
    let folder = shared.studio.folder()?;
    let alone = Arc::clone(&shared.studio.changing).lock_owned().await;
    if !may_restore(&shared.studio.in_use(), language, id) {
        return Err(no_prompt());
    }
    write_down(shared, asking, id, Action::Removed, language.to_string()).await?;
    let (of, studio) = (id.to_owned(), Arc::clone(&shared.studio));
    off_thread(move || {
        let _alone = alone;
        import::take_out(&folder, language, &of).map_err(|problem| unusable(&[problem]))?;
        studio.renew(&folder)
    })
    .await
}

/// Whether there is a built-in sound to go back to, and another one in its place.
pub fn may_restore(prompts: &Prompts, language: Language, id: &str) -> bool {
    let is_of_a_range = prompts.line(language, id).is_none_or(|line| line.range.is_some());
    !is_of_a_range && prompts.is_replaced(language, id) && Prompts::embedded().clip(language, id).is_some()
}

fn load(folder: &Path) -> Result<Prompts, Problem> {
    Prompts::load(folder).map_err(|problems| unusable(&problems))
}

async fn write_down(shared: &Shared, asking: &Asking, id: &str, action: Action, what: String) -> Result<(), Problem> {
    let seen = Seen {
        subject: format!("prompt {id}"),
        action,
        actor: asking.caller.actor,
        reason: Some(what),
        address: asking.address.clone(),
    };
    shared.store.record_seen(&seen, shared.clock.wall()).await.map_err(|error| Problem::internal("audit", &error))
}

/// Files and filters take their time.
async fn off_thread<T: Send + 'static, E: From<Problem> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::internal("prompts", &error).into()))
}

/// The first thing that is wrong with the folder.
fn unusable(problems: &[prompt::Problem]) -> Problem {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    Problem::new(Kind::Conflict, format!("The prompts' folder can't be used: {first}."))
}

pub fn no_prompt() -> Problem {
    Problem::new(Kind::NotFound, "No such prompt is spoken or can be replaced.")
}
