//! A service with people, a simulated past, and browsers that have signed in.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::chromium::Chromium;
use crate::peer::service::{Service, Setup};

pub const PASSWORD: &str = "barley and butter 9";

/// A role and the arguments that make its account.
const PEOPLE: &[(&str, &[&str])] = &[
    ("agent", &["--role", "agent", "--city", "chamdo", "--display-name", "卓玛"]),
    ("unit", &["--role", "unit", "--unit", "chamdo-housing", "--display-name", "住建局"]),
    ("supervisor", &["--role", "supervisor", "--city", "chamdo", "--display-name", "丹增", "--named"]),
    ("leader", &["--role", "leader", "--city", "chamdo", "--display-name", "局长"]),
    ("administrator", &["--role", "administrator", "--city", "chamdo", "--display-name", "管理员"]),
    ("auditor", &["--role", "auditor", "--city", "chamdo", "--display-name", "审计"]),
];

pub struct House {
    pub service: Service,
    pub base: String,
}

impl House {
    /// A running service with an account for each role and `tickets` of the past 30 days.
    pub fn new(tickets: u32) -> House {
        let mut service = Setup::default()
            .config("[access]\nsecond_factor = []\n\n[trunk.backup]\npeer = \"sip:127.0.0.1:5999\"\nnumber = \"12345\"")
            .prepare();
        let data = service.data();
        let data = data.to_str().expect("a path in UTF-8");
        if tickets > 0 {
            let tickets = tickets.to_string();
            hotline(&["simulate", "--data", data, "--tickets", &tickets, "--days", "30", "--seed", "5", "--quiet"], "");
        }
        for (name, arguments) in PEOPLE {
            hotline(&[&["user", "add", name, "--data", data], *arguments].concat(), PASSWORD);
        }
        service.begin();
        // a session's cookie is kept over TLS alone, but on this machine itself
        let base = format!("http://localhost:{}", service.http.port());
        House { service, base }
    }

    /// A browser in which this person has signed in.
    pub fn browser(&self, name: &str) -> Chromium {
        let browser = Chromium::start(&self.base);
        browser.open("/");
        browser.fill("input[name=account]", name);
        browser.fill("input[name=password]", PASSWORD);
        browser.send("form[action='/sign-in'] button");
        assert!(!browser.place().starts_with("/sign-in"), "{name}: {}", browser.text());
        browser
    }
}

fn hotline(arguments: &[&str], typed: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    writeln!(input, "{typed}").expect("it reads or ends");
    drop(input);
    let ended = child.wait().expect("it ends");
    assert!(ended.success(), "hotline {arguments:?}: {ended}");
}
