//! A foreign program under guard: it ends with the test, and only it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::time::{left, millis, now, seconds};

/// A started program; what it writes is kept line by line.
pub struct Guarded {
    name: String,
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Guarded {
    /// Starts `command`. A missing program panics with the line that installs it.
    pub fn start(mut command: Command, debian_package: &str) -> Guarded {
        let name = command.get_program().to_string_lossy().into_owned();
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                panic!("{name} does not start ({error}): apt-get install -y --no-install-recommends {debian_package}")
            }
        };
        let output = Arc::new(Output::default());
        collect(child.stdout.take().expect("stdout is piped"), output.clone());
        collect(child.stderr.take().expect("stderr is piped"), output.clone());
        Guarded { name, child, output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn stdin(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("stdin is piped")
    }

    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the child has not been waited for");
    }

    /// The first line for which `wanted` answers; the lines so far when none comes in time.
    pub fn line<T>(&self, within: Duration, wanted: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = now() + within;
        let mut lines = self.output.lines.lock().expect("no reader panics");
        let mut seen = 0;
        loop {
            while seen < lines.len() {
                if let Some(found) = wanted(&lines[seen]) {
                    return Ok(found);
                }
                seen += 1;
            }
            if left(deadline).is_zero() {
                return Err(format!("{} wrote within {within:?}:\n{}", self.name, lines.join("\n")));
            }
            lines = self.output.more.wait_timeout(lines, left(deadline)).expect("no reader panics").0;
        }
    }

    pub fn log(&self) -> String {
        self.output.lines.lock().expect("no reader panics").join("\n")
    }

    /// The exit status, or none when it still runs after `within`.
    pub fn exit(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return Some(status);
            }
            if left(deadline).is_zero() {
                return None;
            }
            std::thread::park_timeout(millis(5));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.close_stdin();
        if self.exit(Duration::ZERO).is_some() {
            return;
        }
        self.signal(Signal::TERM);
        if self.exit(seconds(2)).is_none() {
            self.signal(Signal::KILL);
            self.exit(seconds(5));
        }
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Output>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            output.lines.lock().expect("no waiter panics with the lock").push(text);
            output.more.notify_all();
        }
    });
}

/// A folder that goes with the test, unless the test failed: then it stays to be looked at.
pub struct TempFolder(PathBuf);

impl TempFolder {
    pub fn new(purpose: &str) -> TempFolder {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hotline-{purpose}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be made");
        TempFolder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file in a temporary folder can be written");
        path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }
}
