//! Kamailio 5.6 as digest registrar and record-routing proxy, without a database.

use std::net::SocketAddr;
use std::process::Command;

use super::peer::child::{Guarded, TempFolder};
use super::peer::net::free_ports;
use super::peer::sip::Sip;
use super::peer::time::{left, millis, now, seconds};

const PACKAGE: &str = "kamailio";

/// The realm it challenges for and the secret of every user in it.
pub const REALM: &str = "hotline.test";
pub const PASSWORD: &str = "s3cret";

pub struct Kamailio {
    process: Guarded,
    _folder: TempFolder,
    pub address: SocketAddr,
}

impl Kamailio {
    pub fn start() -> Kamailio {
        let folder = TempFolder::new("kamailio");
        let port = free_ports(2);
        let config = folder.file("kamailio.cfg", include_str!("kamailio.cfg").replace("{port}", &port.to_string()));
        let mut command = Command::new(program());
        command
            .arg("-f")
            .arg(config)
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"])
            .arg(folder.path())
            .arg("-P")
            .arg(folder.path().join("pid"));
        let process = Guarded::start(command, PACKAGE);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let kamailio = Kamailio { process, _folder: folder, address };
        kamailio.wait_until_it_answers();
        kamailio
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    fn wait_until_it_answers(&self) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a UDP port is free");
        socket.set_read_timeout(Some(millis(200))).expect("a timeout above zero");
        let local = socket.local_addr().expect("bound");
        let ask = Sip::request("OPTIONS", &format!("sip:{}", self.address))
            .with("Via", format!("SIP/2.0/UDP {local};branch=z9hG4bKping"))
            .with("From", "<sip:ping@localhost>;tag=p")
            .with("To", "<sip:ping@localhost>")
            .with("Call-ID", format!("ping-{local}"))
            .with("CSeq", "1 OPTIONS")
            .with("Max-Forwards", "70");
        let deadline = now() + seconds(10);
        let mut buffer = [0; 2048];
        while !left(deadline).is_zero() {
            socket.send_to(&ask.bytes(), self.address).ok();
            if socket.recv(&mut buffer).is_ok() {
                return;
            }
        }
        panic!("Kamailio does not answer:\n{}", self.log());
    }
}

/// Debian keeps it out of an ordinary user's PATH.
fn program() -> &'static str {
    let sbin = "/usr/sbin/kamailio";
    if std::path::Path::new(sbin).exists() { sbin } else { "kamailio" }
}
