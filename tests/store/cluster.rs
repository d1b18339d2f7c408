//! A PostgreSQL of our own: one cluster for this test program, one database a test.
//!
//! A shell starts it and waits on a pipe whose other end only this program holds. However this program ends, even
//! killed, the pipe closes, and the shell stops the cluster and removes its folder.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{Connection, PgConnection};

/// Arguments: the folder of PostgreSQL's programs. Only a Unix socket: no port to collide.
const SCRIPT: &str = r#"
    bin=$1
    folder=$(mktemp -d /tmp/hotline-postgres-XXXXXX) || exit 1
    stop() {
        "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1
        rm -rf "$folder"
    }
    trap stop EXIT
    trap 'exit 1' HUP INT TERM
    trap '' PIPE # the tests may be gone before they are told
    "$bin/initdb" -D "$folder/data" -A trust -U hotline --no-sync -E UTF8 --locale=C >"$folder/log" 2>&1 &&
    "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 \
        -o "-k $folder -c listen_addresses= -c fsync=off -c shared_buffers=32MB" start >/dev/null 2>&1 ||
        { cat "$folder/log" >&2; exit 1; }
    echo "$folder" 2>/dev/null
    cat >/dev/null
"#;

struct Cluster {
    folder: String,
    databases: AtomicU32,
    /// Its standard input is the pipe.
    _shell: Child,
}

/// The url of a new, empty database.
pub async fn database() -> String {
    create("").await
}

/// The url of a new database that holds what this one does, once nobody is connected to this one.
pub async fn copy(url: &str) -> String {
    alone(url).await;
    create(&format!(" template {}", name(url))).await
}

/// Waits until nobody is connected to the database.
pub async fn alone(url: &str) {
    let mut admin = admin().await;
    for _ in 0..1_000 {
        let sessions: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where datname = $1")
            .bind(name(url))
            .fetch_one(&mut admin)
            .await
            .expect("counted");
        if sessions == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("somebody stays connected to {}", name(url));
}

async fn create(how: &str) -> String {
    let cluster = cluster();
    let name = format!("test_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    let create = sqlx::AssertSqlSafe(format!("create database {name}{how}"));
    sqlx::query(create).execute(&mut admin().await).await.expect("created");
    cluster.url(&name)
}

async fn admin() -> PgConnection {
    PgConnection::connect(&cluster().url("postgres")).await.expect("the cluster answers")
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(start)
}

fn name(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a url of this cluster")
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!("postgres://hotline@localhost/{database}?host={}", self.folder)
    }
}

fn start() -> Cluster {
    let mut shell = shell()
        .args(["-c", SCRIPT, "sh"])
        .arg(programs())
        .process_group(0) // an interrupt from the keyboard is for the tests, the pipe tells the shell
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell (and setpriv of util-linux, when root)");
    let mut folder = String::new();
    let output = shell.stdout.take().expect("its output is piped");
    BufReader::new(output).read_line(&mut folder).expect("the shell's answer");
    assert!(!folder.is_empty(), "PostgreSQL did not start; its log is above");
    Cluster { folder: folder.trim().to_owned(), databases: AtomicU32::new(0), _shell: shell }
}

/// PostgreSQL refuses to run as root: then it runs as the package's own user.
fn shell() -> Command {
    let root = Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0);
    if !root {
        return Command::new("sh");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
    command
}

/// Debian keeps them out of the path, a folder for each major version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .expect("these tests start their own PostgreSQL: apt-get install postgresql")
}
