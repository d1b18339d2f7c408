//! A process of its own that strace kills at a system call.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

pub const SIGKILL: i32 = 9;

/// An ignored test of this program, run alone under strace.
pub struct Traced {
    pub test: &'static str,
    /// What it is told in its environment.
    pub variables: Vec<(&'static str, String)>,
    /// Names of system calls, with commas between them.
    pub calls: &'static str,
    /// Where strace notes them.
    pub log: PathBuf,
}

impl Traced {
    /// To its end, or until one of its threads makes such a call for the n-th time: it is killed before that.
    pub fn run(&self, kill_at: Option<usize>) -> ExitStatus {
        let calls = self.calls;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(&self.log);
        strace.arg("-e").arg(format!("trace={calls}")).args(["-e", "signal=none"]);
        if let Some(at) = kill_at {
            strace.arg("-e").arg(format!("inject={calls}:signal=KILL:when={at}"));
        }
        strace.arg(std::env::current_exe().expect("this program"));
        strace.args(["--exact", self.test, "--ignored", "--test-threads=1"]);
        strace.envs(self.variables.iter().map(|(key, value)| (key, value)));
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        strace.status().expect("strace is installed")
    }
}

/// Lets it run to its end; how often the thread that makes most calls makes the call that it makes most, since strace counts
/// by thread and call.
pub fn whole(traced: &Traced) -> usize {
    let ended = traced.run(None);
    assert!(ended.success(), "{ended}");
    let log = std::fs::read_to_string(&traced.log).expect("strace writes it");
    let mut counts = BTreeMap::<&str, usize>::new();
    for call in log.lines().filter_map(|line| line.split_once('(')).map(|(thread_and_call, _)| thread_and_call) {
        *counts.entry(call).or_default() += 1;
    }
    counts.into_values().max().expect("it makes some")
}

/// So many of so many calls, evenly.
pub fn spread(calls: usize, kills: usize) -> impl Iterator<Item = usize> {
    assert!(calls > kills * 2, "only {calls} calls");
    (1..=kills).map(move |at| at * calls / (kills + 1))
}
