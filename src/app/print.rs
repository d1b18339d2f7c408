//! What a command shows on its standard output.

use std::io::{self, BufWriter, Write};

use super::Failure;

/// Shows lines, to the last or until nobody reads on: `hotline prompts list | head`.
pub(super) fn print(lines: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = lines.into_iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Environment(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}
