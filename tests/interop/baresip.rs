//! baresip 1.0, driven over `ctrl_tcp`: netstrings of JSON.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::peer::call::name;
use super::peer::child::{Guarded, TempFolder};
use super::peer::file::GrowingFile;
use super::peer::net::free_ports;
use super::peer::time::{left, millis, now, seconds};
use super::peer::tones::Book;
use super::peer::{signal, wav};

const PACKAGE: &str = "baresip-core";

/// How a baresip is set up.
pub struct Setup<'a> {
    /// The account line; `{sip}` in it is the SIP port.
    pub account: &'a str,
    /// What it says, from the moment a call is answered.
    pub says: Vec<i16>,
}

pub struct Baresip {
    /// Where it is called.
    pub sip: SocketAddr,
    control: TcpStream,
    buffer: Vec<u8>,
    events: Vec<Value>,
    ear: GrowingFile,
    process: Guarded,
    _folder: TempFolder,
}

impl Baresip {
    /// A caller without registration, from 13989001234.
    pub fn caller(says: Vec<i16>) -> Baresip {
        Baresip::caller_as("13989001234", says)
    }

    pub fn caller_as(number: &str, says: Vec<i16>) -> Baresip {
        let rest = "regint=0;audio_codecs=PCMA/8000/1,PCMU/8000/1;dtmfmode=rtpevent";
        Baresip::start(Setup { account: &format!("<sip:{number}@127.0.0.1:{{sip}}>;{rest}"), says })
    }

    pub fn start(setup: Setup<'_>) -> Baresip {
        let folder = TempFolder::new("baresip");
        let first = free_ports(44);
        let (sip_port, control_port) = (first, first + 2);
        // The end of the source file hangs up: there is silence behind what is said.
        let mut says = setup.says;
        says.extend(signal::silence(120_000));
        let says = folder.file("says.wav", wav::write(&says));
        let unused = folder.file("unused.wav", wav::write(&signal::silence(1000)));
        std::fs::create_dir_all(folder.path().join("rec")).expect("a folder in a temporary folder");
        folder.file("contacts", "");
        folder.file("accounts", format!("{}\n", setup.account.replace("{sip}", &sip_port.to_string())));
        folder.file("config", config(folder.path(), &says, &unused, sip_port, control_port, first + 4));
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path());
        let process = Guarded::start(command, PACKAGE);
        let control = connect(control_port, &process);
        let rec = folder.path().join("rec");
        let ear = GrowingFile::new(move || decoded(&rec));
        let sip = SocketAddr::from(([127, 0, 0, 1], sip_port));
        Baresip { sip, control, buffer: Vec::new(), events: Vec::new(), ear, process, _folder: folder }
    }

    #[track_caller]
    pub fn dial(&mut self, uri: &str) {
        self.command("dial", uri);
        self.event("CALL_ESTABLISHED", seconds(10));
    }

    /// Starts a call without waiting for an answer.
    pub fn dial_only(&mut self, uri: &str) {
        self.command("dial", uri);
    }

    /// A key, and the release of it (`0x04` in baresip's terms).
    pub fn press(&mut self, digits: &str) {
        for digit in digits.chars() {
            self.command("sndcode", &digit.to_string());
        }
    }

    pub fn hang_up(&mut self) {
        self.command("hangup", "");
    }

    #[track_caller]
    pub fn event(&mut self, kind: &str, within: Duration) -> Value {
        let deadline = now() + within;
        loop {
            if let Some(at) = self.events.iter().position(|event| event["type"] == kind) {
                return self.events.remove(at);
            }
            assert!(
                !left(deadline).is_zero(),
                "no {kind} from baresip within {within:?}, only {:?}\n{}",
                self.events,
                self.process.log()
            );
            self.read();
        }
    }

    /// Waits for the 200 to its REGISTER.
    #[track_caller]
    pub fn registered(&self) {
        let found = self.process.line(seconds(10), |line| line.contains("registered successfully").then_some(()));
        found.unwrap_or_else(|log| panic!("baresip did not register: {log}"));
    }

    /// All prompts it heard, in order.
    pub fn heard_names(&mut self, book: &Book) -> Vec<String> {
        self.ear.heard(book).iter().map(|heard| name(&heard.sound).to_owned()).collect()
    }

    /// Waits until it has heard `prompt`, after what was waited for before.
    #[track_caller]
    pub fn hears(&mut self, book: &Book, prompt: &str, within: Duration) {
        self.ear.hears(book, prompt, within);
    }

    /// Waits until it has heard so many milliseconds more.
    #[track_caller]
    pub fn hears_on(&self, ms: usize, within: Duration) {
        self.ear.grows(ms, within);
    }

    fn command(&mut self, command: &str, parameters: &str) {
        let text = json!({ "command": command, "params": parameters, "token": "t" }).to_string();
        write!(self.control, "{}:{text},", text.len()).expect("baresip listens");
    }

    fn read(&mut self) {
        let mut part = [0; 8192];
        if let Ok(length) = self.control.read(&mut part) {
            self.buffer.extend(&part[..length]);
        }
        while let Some((event, used)) = netstring(&self.buffer) {
            self.buffer.drain(..used);
            if event["event"] == true {
                self.events.push(event);
            }
        }
    }
}

/// What it heard, as sndfile writes it.
fn decoded(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    files.into_iter().find(|path| path.to_string_lossy().ends_with("-dec.wav"))
}

fn netstring(bytes: &[u8]) -> Option<(Value, usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().expect("a netstring begins with its length");
    let body = bytes.get(colon + 1..=colon + 1 + length)?;
    Some((serde_json::from_slice(&body[..length]).expect("JSON in a netstring"), colon + 2 + length))
}

fn connect(port: u16, process: &Guarded) -> TcpStream {
    let deadline = now() + seconds(10);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(millis(50))).expect("a timeout above zero");
                return stream;
            }
            Err(error) => {
                assert!(!left(deadline).is_zero(), "baresip does not listen: {error}\n{}", process.log());
                std::thread::park_timeout(millis(20));
            }
        }
    }
}

fn config(folder: &Path, says: &Path, unused: &Path, sip: u16, control: u16, rtp: u16) -> String {
    let (folder, says, unused) = (folder.display(), says.display(), unused.display());
    let last = rtp + 38;
    format!(
        "poll_method epoll\nnet_interface 127.0.0.1\nsip_listen 127.0.0.1:{sip}\n\
         audio_source aufile,{says}\naudio_player aufile,{unused}\naudio_alert aufile,{unused}\n\
         ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\nrtp_ports {rtp}-{last}\n\
         module_path /usr/lib/baresip/modules\nmodule stdio.so\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
         module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         module_app contact.so\nctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {folder}/rec\n"
    )
}
