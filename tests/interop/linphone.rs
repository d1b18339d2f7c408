//! linphonec 5.1, driven over its standard input.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use super::peer::child::{Guarded, TempFolder};
use super::peer::file::GrowingFile;
use super::peer::net::free_ports;
use super::peer::time::seconds;
use super::peer::tones::Book;
use super::peer::{signal, wav};

const PACKAGE: &str = "linphone-cli";

pub struct Linphone {
    process: Guarded,
    ear: GrowingFile,
    _folder: TempFolder,
}

impl Linphone {
    /// A caller who says `says` as soon as the call runs.
    pub fn start(says: &[i16]) -> Linphone {
        let folder = TempFolder::new("linphone");
        // Without a place for its database it opens no SIP port.
        std::fs::create_dir_all(folder.path().join(".local/share/linphone")).expect("a folder in a temporary folder");
        let port = free_ports(24);
        let rtp = port + 4;
        let config = folder.file(
            "linphonerc",
            format!(
                "[sip]\nsip_port={port}\nsip_tcp_port=-1\nsip_tls_port=-1\nipv6_migration_done=1\nuse_ipv6=0\nguess_hostname=0\n\
                 contact=\"Lin\" <sip:13989005678@127.0.0.1:{port}>\n[net]\nnat_address=127.0.0.1\nfirewall_policy=1\n[rtp]\nbind_address=127.0.0.1\naudio_rtp_port={rtp}-{}\n\
                 [sound]\nec_enabled=0\n",
                rtp + 18
            ),
        );
        let mut says = says.to_vec();
        says.extend(signal::silence(60_000));
        let says = folder.file("says.wav", wav::write(&says));
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(config).current_dir(folder.path()).env("HOME", folder.path());
        let file = folder.path().join("heard.wav");
        let ear = GrowingFile::new({
            let file = file.clone();
            move || Some(file.clone())
        });
        let mut linphone = Linphone { process: Guarded::start(command, PACKAGE), ear, _folder: folder };
        linphone.command("soundcard use files");
        linphone.command(&format!("record {}", file.display()));
        linphone.command(&format!("play {}", says.display()));
        linphone
    }

    pub fn command(&mut self, text: &str) {
        writeln!(self.process.stdin(), "{text}").expect("linphonec reads");
    }

    #[track_caller]
    pub fn dial(&mut self, uri: &str) {
        self.command(&format!("call {uri}"));
        self.line("connected", seconds(10));
    }

    pub fn press(&mut self, digits: &str) {
        digits.chars().for_each(|digit| self.command(&digit.to_string()));
    }

    pub fn hang_up(&mut self) {
        self.command("terminate");
    }

    /// Waits for a line with `text` in it.
    #[track_caller]
    pub fn line(&self, text: &str, within: Duration) {
        let found = self.process.line(within, |line| line.contains(text).then_some(()));
        found.unwrap_or_else(|log| panic!("no {text:?}: {log}"));
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
}
