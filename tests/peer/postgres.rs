//! A PostgreSQL of a test's own that can be stopped and started again.

use std::io::Write;
use std::process::Command;

use super::child::Guarded;
use super::time::seconds;

/// Only a Unix socket: no port to collide. It obeys `stop` and `start` on its input and goes with it, so it ends with
/// the tests however they end. PostgreSQL refuses to run as root and then runs as the package's own user; Debian keeps
/// its programs out of the path, a folder for each major version.
const SCRIPT: &str = r#"
    bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    folder=$(mktemp -d /tmp/hotline-postgres-XXXXXX) || exit 1
    control() { "$bin/pg_ctl" -D "$folder/data" -w -t 60 "$@" >/dev/null 2>&1; }
    start() {
        control -l "$folder/log" -o "-k $folder -c listen_addresses= -c fsync=off -c shared_buffers=16MB" start
    }
    leave() { control -m immediate stop; rm -rf "$folder"; }
    trap leave EXIT
    trap 'exit 1' HUP INT TERM
    trap '' PIPE # the tests may be gone before they are told
    "$bin/initdb" -D "$folder/data" -A trust -U hotline --no-sync -E UTF8 --locale=C >"$folder/log" 2>&1 &&
        start || { cat "$folder/log"; exit 1; }
    echo "folder $folder"
    while read -r order; do
        case $order in
            stop) control -m immediate stop && echo stopped ;;
            start) start && echo started ;;
        esac
    done
"#;

pub struct Postgres {
    shell: Guarded,
    folder: String,
}

impl Postgres {
    pub fn start() -> Postgres {
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", SCRIPT]).current_dir("/");
        let shell = Guarded::start(command, "postgresql");
        let folder = shell.line(seconds(60), |line| line.strip_prefix("folder ").map(str::to_owned));
        Postgres { folder: folder.unwrap_or_else(|log| panic!("PostgreSQL does not start: {log}")), shell }
    }

    pub fn url(&self) -> String {
        format!("postgres://hotline@localhost/postgres?host={}", self.folder)
    }

    /// It is gone in the middle of whatever it did.
    pub fn stop(&mut self) {
        self.order("stop", "stopped");
    }

    /// Starts it again after [`Postgres::stop`].
    pub fn start_again(&mut self) {
        self.order("start", "started");
    }

    fn order(&mut self, order: &str, done: &str) {
        writeln!(self.shell.stdin(), "{order}").expect("the shell reads");
        self.shell.line(seconds(60), |line| (line == done).then_some(())).expect("PostgreSQL obeys");
    }
}
