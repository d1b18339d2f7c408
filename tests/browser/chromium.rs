//! Debian's Chromium, driven through its driver: the WebDriver protocol is a POST of JSON, and what these tests ask for most
//! (the console, the requests, whole pictures) is Chromium's own part of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::peer::child::{Guarded, TempFolder};
use crate::peer::net::free_ports;
use crate::peer::time::{left, millis, now, seconds};

/// What the WebDriver protocol calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One window of a browser that has never been used before.
pub struct Chromium {
    driver: Guarded,
    _profile: TempFolder,
    agent: ureq::Agent,
    session: String,
    base: String,
    pictures: PathBuf,
    /// What the pages asked for and wrote to the console so far.
    faults: Vec<String>,
}

impl Chromium {
    /// `base`: the only origin that may be asked for anything.
    pub fn start(base: &str) -> Chromium {
        let profile = TempFolder::new("chromium");
        let (driver, port) = driver(&profile);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(seconds(60)));
        let agent: ureq::Agent = agent.build().into();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            "--mute-audio",
            "--lang=zh-CN",
        ];
        let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let url = format!("http://127.0.0.1:{port}/session");
        let mut reply = agent.post(&url).send_json(&wanted).expect("the driver answers");
        let reply: Value = reply.body_mut().read_json().expect("JSON");
        let id = reply["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {reply}"));
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&pictures).expect("a folder");
        let browser = Chromium {
            driver,
            _profile: profile,
            agent,
            session: format!("{url}/{id}"),
            base: base.to_owned(),
            pictures,
            faults: Vec::new(),
        };
        browser.resize(1280);
        browser
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.session);
        let mut reply = self.agent.post(&url).send_json(body).map_err(|error| format!("{path}: {error}"))?;
        let status = reply.status();
        let reply: Value = reply.body_mut().with_config().limit(64 << 20).read_json().expect("JSON");
        let value = reply["value"].clone();
        if status.is_success() { Ok(value) } else { Err(format!("{path}: {}", value["message"])) }
    }

    /// The process whose children the browser's are.
    pub fn driver_id(&self) -> u32 {
        self.driver.id()
    }

    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.command("/goog/cdp/execute", &body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A page this wide, and as high as a screen.
    pub fn resize(&self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    pub fn open(&self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.command("/url", &json!({"url": url})).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Path and query of the page.
    pub fn place(&self) -> String {
        self.run("return location.pathname + location.search").as_str().unwrap_or_default().to_owned()
    }

    /// The value of a script's `return`.
    pub fn run(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.command("/execute/sync", &body).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a script hands to `done`.
    pub fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        let body = json!({"script": script, "args": []});
        self.command("/execute/async", &body).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until the script returns something that is true.
    #[track_caller]
    pub fn wait(&self, script: &str, within: Duration) -> Value {
        let deadline = now() + within;
        loop {
            // a page that is being left has no answer yet
            let found = self.command("/execute/sync", &json!({"script": script, "args": []})).unwrap_or(Value::Null);
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            assert!(!left(deadline).is_zero(), "not within {within:?}: {script}\nat {}\n{}", self.place(), self.text());
            std::thread::park_timeout(millis(30));
        }
    }

    /// All that the page says.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// The first element of this selector.
    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let body = json!({"using": "css selector", "value": selector});
        let found = self.command("/element", &body);
        let found = found.unwrap_or_else(|error| panic!("{selector} at {}: {error}\n{}", self.place(), self.text()));
        found[ELEMENT].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        let clicked = self.command(&format!("/element/{element}/click"), &json!({}));
        clicked.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Types into a field that may hold something.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("/element/{element}/clear"), &json!({})).unwrap_or_else(|error| panic!("{error}"));
        let typed = self.command(&format!("/element/{element}/value"), &json!({"text": text}));
        typed.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        for key in keys.chars() {
            let key = key.to_string();
            let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
                {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
            ]}]});
            self.command("/actions", &actions).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Sends the form around this button and waits for the page it leads to.
    #[track_caller]
    pub fn send(&self, button: &str) {
        self.run("window.isOld = true");
        self.click(button);
        self.wait("return document.readyState === 'complete' && !window.isOld", seconds(20));
    }

    /// The whole page as a picture, for a person to look at: `NAME-1280.png` and `NAME-390.png`.
    pub fn picture(&self, name: &str) {
        for width in [1280, 390] {
            self.resize(width);
            let wide = self.run("return document.documentElement.scrollWidth").as_u64().unwrap_or_default();
            assert!(wide <= u64::from(width) + 1, "{name} is {wide} wide at {width}");
            let taken = self.devtools(
                "Page.captureScreenshot",
                &json!({"format": "png", "captureBeyondViewport": true, "clip": self.whole_page(width)}),
            );
            let bytes = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
            std::fs::write(self.pictures.join(format!("{name}-{width}.png")), bytes).expect("written");
        }
        self.resize(1280);
    }

    /// What stands on the screen at first, for the README.
    pub fn screen(&self, name: &str) {
        let taken = self.devtools("Page.captureScreenshot", &json!({"format": "png"}));
        let bytes = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
        std::fs::write(self.pictures.join(format!("{name}.png")), bytes).expect("written");
    }

    fn whole_page(&self, width: u32) -> Value {
        let height = self.run("return document.documentElement.scrollHeight").as_u64().unwrap_or(900).min(8_000);
        json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
    }

    /// What axe-core finds that keeps people out: serious and critical.
    #[track_caller]
    pub fn is_accessible(&self, name: &str) {
        self.run(&axe());
        let found = self.run_async(
            "axe.run(document, {resultTypes: ['violations']}).then(result => done(result.violations\
             .filter(v => ['serious', 'critical'].includes(v.impact))\
             .map(v => v.id + ': ' + v.nodes.map(n => n.html + ' — ' + n.failureSummary).slice(0, 3).join(' | '))), \
             error => done(['axe failed: ' + error]))",
        );
        assert_eq!(found, json!([]), "{name}");
    }

    /// Nothing was asked of another host, and no page wrote an error: no script failed, nothing was against the policy.
    #[track_caller]
    pub fn is_clean(&mut self) {
        for entry in self.log("browser") {
            let message = entry["message"].as_str().unwrap_or_default();
            // a page that says 401 or 409 is written down as a failed request: pages tell of problems so
            if entry["level"] == "SEVERE" && !message.contains("the server responded with a status of 4") {
                self.faults.push(message.to_owned());
            }
        }
        for entry in self.log("performance") {
            let Some(Ok(event)) = entry["message"].as_str().map(serde_json::from_str::<Value>) else { continue };
            let event = &event["message"];
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            let own = ["data:", "blob:", "about:", "chrome:"].iter().any(|scheme| url.starts_with(scheme))
                || url.starts_with(&self.base);
            if event["method"] == "Network.requestWillBeSent" && !own {
                self.faults.push(format!("asked for {url}"));
            }
        }
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.command("/se/log", &json!({"type": kind})).unwrap_or_else(|error| panic!("{error}"));
        entries.as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // ends the browser, which is the driver's child and not the test's
        let _ = self.agent.delete(&self.session).call();
    }
}

/// The driver and its port. It listens on one of its own, which may be taken by the time it does.
fn driver(profile: &TempFolder) -> (Guarded, u16) {
    for _ in 0..10 {
        let port = free_ports(1);
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", profile.path());
        let driver = Guarded::start(command, "chromium chromium-driver fonts-noto-cjk fonts-monlam");
        let listens = driver.line(seconds(20), |line| match line {
            _ if line.contains("started successfully") => Some(true),
            _ if line.contains("Exiting") => Some(false),
            _ => None,
        });
        if listens.unwrap_or_else(|log| panic!("no driver: {log}")) {
            return (driver, port);
        }
    }
    panic!("no port for the driver");
}

/// axe-core, as `tests/run` fetched it.
fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/axe/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} ({error}): run tests/run once", path.display()))
}
