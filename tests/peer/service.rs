//! The built binary, started on a folder of its own, and its API.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::child::{Guarded, TempFolder};
use super::net::free_ports;
use super::time::{left, millis, now, seconds};
use super::tones::Book;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hotline");

/// Of each service: enough for the calls it may take and those whose ports rest a while after their end.
const RTP_PORTS: u16 = 60;

/// The prompts of the product as chords.
pub fn book() -> Book {
    Book::of_manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/manifest.toml"))
}

/// How a service is started. The default configuration is a line of Chamdo, loopback allowed, prompts of chords.
#[derive(Default)]
pub struct Setup {
    /// TOML put after the defaults; a table named here must not be among them.
    pub config: String,
    /// The `[sip]` table; the default allows loopback.
    pub sip: Option<String>,
    pub environment: Vec<(String, String)>,
    /// The data folder is a file system of its own with so many KiB.
    pub disk_kib: Option<u32>,
    /// Files beside the configuration, which names them by their bare names.
    pub files: Vec<(String, String)>,
}

impl Setup {
    pub fn config(mut self, toml: &str) -> Setup {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// A variable of the environment, which beats the configuration and the defaults of these tests.
    pub fn environment(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(mut self, name: &str, content: &str) -> Setup {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    pub fn sip(self, toml: &str) -> Setup {
        Setup { sip: Some(toml.to_owned()), ..self }
    }

    pub fn start(self) -> Service {
        let mut service = self.prepare();
        service.begin();
        service
    }

    /// The folder of a service that has not begun.
    pub fn prepare(self) -> Service {
        let folder = TempFolder::new("service");
        book().write(&folder.path().join("prompts"));
        let prompts = toml::Value::from(folder.path().join("prompts").to_string_lossy().into_owned());
        let sip = self.sip.clone().unwrap_or_else(|| "allow = [\"127.0.0.1/32\"]".into());
        let config = format!(
            "[prompts]\nfolder = {prompts}\n\n[sip]\n{sip}\n\n[[line]]\nnumber = \"12345\"\ncity = \"chamdo\"\n\n{}",
            self.config
        );
        folder.file("hotline.toml", config);
        for (name, content) in &self.files {
            folder.file(name, content);
        }
        let first = free_ports(RTP_PORTS);
        Service {
            process: None,
            folder,
            environment: self.environment.clone(),
            disk_kib: self.disk_kib,
            rtp_ports: (first, first + RTP_PORTS - 1),
            sip: SocketAddr::from(([127, 0, 0, 1], 0)),
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }
}

pub struct Service {
    process: Option<Guarded>,
    folder: TempFolder,
    environment: Vec<(String, String)>,
    disk_kib: Option<u32>,
    pub rtp_ports: (u16, u16),
    pub sip: SocketAddr,
    pub http: SocketAddr,
}

impl Service {
    pub fn start() -> Service {
        Setup::default().start()
    }

    /// Starts the binary on this service's folder and waits for its ready line.
    pub fn begin(&mut self) {
        let folder = self.folder.path().join("data");
        let command = self.disk_kib.map_or_else(|| Command::new(PROGRAM), |kib| on_a_disk(PROGRAM, &folder, kib));
        let process = Guarded::start(self.serving(command), "(built by cargo)");
        let ready =
            process.line(seconds(20), read_ready).unwrap_or_else(|log| panic!("the service is not ready: {log}"));
        (self.sip, self.http) = ready;
        self.process = Some(process);
    }

    /// Starts the binary under strace, which kills it before one of its threads makes that system call for the n-th time, and
    /// notes in `log` what was written and sent. False when it still runs after `within`; then it is killed.
    pub fn dies_at(&mut self, call: &str, nth: usize, log: &Path, within: Duration) -> bool {
        let mut strace = Command::new("strace");
        // the tracer goes aside, so that the child is the service
        strace.args(["-D", "-f", "-qq", "-e", "signal=none", "-e", "trace=pwrite64,sendto", "-o"]).arg(log);
        strace.args(["-e", &format!("inject={call}:signal=KILL:when={nth}")]).arg(PROGRAM);
        let mut process = Guarded::start(self.serving(strace), "strace");
        let died = process.exit(within).is_some_and(|status| status.signal() == Some(Signal::KILL.as_raw()));
        if !died {
            process.signal(Signal::KILL);
            process.exit(seconds(5)).expect("SIGKILL ends it");
        }
        died
    }

    /// The arguments and the environment of the binary, which `command` runs.
    fn serving(&self, mut command: Command) -> Command {
        command
            .arg("serve")
            .args(["--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .arg("--config")
            .arg(self.folder.path().join("hotline.toml"))
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .arg("--rtp-ports")
            .arg(format!("{}-{}", self.rtp_ports.0, self.rtp_ports.1))
            .current_dir(self.folder.path())
            .env("HOTLINE__CALLS__MAX_CALLS", "20")
            // a machine that runs many tests at once may be late and must answer all the same
            .env("HOTLINE__CALLS__LATE_LIMIT_MS", "5000")
            .envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// The data folder as it is seen from here.
    pub fn data(&self) -> PathBuf {
        let folder = self.folder.path().join("data");
        match (&self.process, self.disk_kib) {
            (Some(process), Some(_)) => PathBuf::from(format!("/proc/{}/root{}", process.id(), folder.display())),
            _ => folder,
        }
    }

    /// SIGKILL, and the process is gone when this returns.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the service runs");
        process.signal(Signal::KILL);
        process.exit(seconds(5)).expect("SIGKILL ends it");
    }

    pub fn terminate(&self) {
        self.process.as_ref().expect("the service runs").signal(Signal::TERM);
    }

    /// Waits until a signal has been heard: the service says that it is not ready for calls.
    #[track_caller]
    pub fn wait_draining(&self) {
        let deadline = now() + seconds(10);
        while self.get_with("/readyz", &[]).0 == 200 {
            assert!(!left(deadline).is_zero(), "ready after the signal\n{}", self.log());
            std::thread::park_timeout(millis(20));
        }
    }

    pub fn exit(&mut self, within: Duration) -> Option<ExitStatus> {
        self.process.as_mut().expect("the service runs").exit(within)
    }

    pub fn log(&self) -> String {
        self.process.as_ref().map(Guarded::log).unwrap_or_default()
    }

    pub fn token(&self) -> String {
        let path = self.data().join("api-token");
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).trim().to_owned()
    }

    /// Status and body of a GET with the bearer token.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.get_with(path, &[("Authorization", &format!("Bearer {}", self.token()))])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(seconds(10))).build().into();
        let mut request = agent.get(format!("http://{}{path}", self.http));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().unwrap_or_else(|error| panic!("GET {path}: {error}\n{}", self.log()));
        let status = response.status().as_u16();
        (status, response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a whole body"))
    }

    /// Status and body of a POST of JSON with the bearer token.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(seconds(10))).build().into();
        let request = agent.post(format!("http://{}{path}", self.http));
        let sent = request.header("Authorization", format!("Bearer {}", self.token())).send_json(body);
        let mut response = sent.unwrap_or_else(|error| panic!("POST {path}: {error}\n{}", self.log()));
        (response.status().as_u16(), response.body_mut().read_json().expect("JSON"))
    }

    pub fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "GET {path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Tickets of one phone number, each read whole by its own address.
    pub fn tickets(&self, phone: &str) -> Vec<Value> {
        let list = self.json(&format!("/api/v1/tickets?phone={phone}"));
        let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}"));
        let number = |item: &Value| item["number"].as_str().expect("a ticket has a number").to_owned();
        items.iter().map(|item| self.json(&format!("/api/v1/tickets/{}", number(item)))).collect()
    }

    /// Waits until the phone number has a ticket for which `wanted` holds.
    #[track_caller]
    pub fn ticket(&self, phone: &str, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = now() + within;
        loop {
            let tickets = self.tickets(phone);
            if let Some(found) = tickets.iter().find(|ticket| wanted(ticket)) {
                return found.clone();
            }
            assert!(
                !left(deadline).is_zero(),
                "no such ticket within {within:?}, only {tickets:#?}\n{}",
                self.story(phone)
            );
            std::thread::park_timeout(millis(50));
        }
    }

    /// Waits until the service counts no call any more from this caller.
    #[track_caller]
    pub fn wait_call_over(&self, phone: &str) {
        let deadline = now() + seconds(10);
        loop {
            let calls = self.calls(phone);
            if !calls.is_empty() && calls.iter().all(|call| !call["ended_at"].is_null()) {
                return;
            }
            assert!(!left(deadline).is_zero(), "calls still run: {calls:#?}\n{}", self.log());
            std::thread::park_timeout(millis(50));
        }
    }

    /// Calls of one caller.
    pub fn calls(&self, phone: &str) -> Vec<Value> {
        let list = self.json(&format!("/api/v1/calls?phone={phone}&limit=100"));
        list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}")).clone()
    }

    /// What happened in the calls of one caller, and the log: for a failing test.
    fn story(&self, phone: &str) -> String {
        let mut lines = Vec::new();
        for call in self.calls(phone) {
            let detail = self.json(&format!("/api/v1/calls/{}", call["id"].as_str().unwrap_or_default()));
            for event in detail["events"].as_array().into_iter().flatten() {
                let text = event["text"].as_str().unwrap_or_default();
                lines.push(format!(
                    "{:>6} {:<9} {text}",
                    event["offset_ms"],
                    event["kind"].as_str().unwrap_or_default()
                ));
            }
        }
        lines.push(self.log());
        lines.join("\n")
    }

    /// A WAV file as it is.
    pub fn recording(&self, id: &str) -> Vec<u8> {
        let (status, body) = self.get(&format!("/api/v1/recordings/{id}/audio"));
        assert_eq!(status, 200, "recording {id}");
        body
    }

    /// A figure of `/metrics`: the sum over its labels, none when it is not there.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, body) = self.get("/metrics");
        let text = String::from_utf8(body).expect("text");
        let lines =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).reduce(|sum, value| sum + value)
    }

    /// Waits until `name` satisfies `wanted`.
    #[track_caller]
    pub fn wait_metric(&self, name: &str, within: Duration, wanted: impl Fn(f64) -> bool) {
        let deadline = now() + within;
        while !self.metric(name).is_some_and(&wanted) {
            assert!(!left(deadline).is_zero(), "{name} is {:?} after {within:?}", self.metric(name));
            std::thread::park_timeout(millis(50));
        }
    }
}

/// `program` in a mount namespace of its own, where `folder` is a small file system; it goes with the process.
fn on_a_disk(program: &str, folder: &Path, kib: u32) -> Command {
    std::fs::create_dir_all(folder).expect("a folder in a temporary folder");
    let mut command = Command::new("unshare");
    if !rustix::process::getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let script = r#"mount -t tmpfs -o "size=$1k" tmpfs "$2" && shift 2 && exec "$@""#;
    command.args(["--mount", "sh", "-c", script, "sh", &kib.to_string()]).arg(folder).arg(program);
    command
}

/// The id of the citizen's own recording: the one that ended, mono; the list names it first.
pub fn request_recordings(ticket: &Value) -> Vec<Value> {
    let all = ticket["recordings"].as_array().unwrap_or_else(|| panic!("no recordings in {ticket:#}"));
    all.iter().filter(|recording| recording["kind"].as_str().is_none_or(|kind| kind == "request")).cloned().collect()
}

/// `ready sip=127.0.0.1:5060 http=127.0.0.1:8080 data=data`
fn read_ready(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let rest = line.strip_prefix("ready ")?;
    let field = |key: &str| rest.split(' ').find_map(|part| part.strip_prefix(key)?.parse().ok());
    Some((field("sip=")?, field("http=")?))
}

#[test]
fn the_ready_line_is_read() {
    let read = read_ready("ready sip=127.0.0.1:5060 http=127.0.0.1:8080 data=data");
    assert_eq!(read.map(|(sip, http)| (sip.port(), http.port())), Some((5060, 8080)));
    assert_eq!(read_ready("INFO starting"), None);
}
