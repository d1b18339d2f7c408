//! A password from the keyboard, unseen, or from the first line of the standard input; never from an argument, which
//! every user of the machine can read.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;

/// Nobody types more.
const MAX_BYTES: u64 = 4096;

/// Asks twice at a terminal, else reads one line.
///
/// # Errors
/// Two passwords that differ, or none.
pub(super) fn read(whose: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line().map_err(environment)?.ok_or_else(|| {
            Failure::Setting("no password came: give it on the first line of the standard input".to_owned())
        });
    }
    let first = unseen(&format!("Password of {whose}: "))?;
    if unseen("Once more: ")? == first {
        Ok(first)
    } else {
        Err(Failure::Setting("the two passwords differ".to_owned()))
    }
}

fn unseen(prompt: &str) -> Result<String, Failure> {
    let _silence = Silence::begin().map_err(environment)?;
    eprint!("{prompt}");
    let line = line().map_err(environment);
    // the key that ended the line was not seen either
    let _ = writeln!(io::stderr());
    line?.ok_or_else(|| Failure::Setting("no password was typed".to_owned()))
}

/// The first line without its end; `None` when there is none.
fn line() -> io::Result<Option<String>> {
    let mut line = String::new();
    io::stdin().lock().take(MAX_BYTES).read_line(&mut line)?;
    let text = line.trim_end_matches(['\r', '\n']);
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::Environment(format!("the password can't be read: {error}"))
}

/// The terminal shows no keys while this lives.
struct Silence(Termios);

impl Silence {
    fn begin() -> rustix::io::Result<Silence> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Silence(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
