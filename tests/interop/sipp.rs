//! SIPp 3.6: scenarios beside this file, placeholders filled by the test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::peer::child::{Guarded, TempFolder};
use super::peer::g711::Law;
use super::peer::net::free_ports;
use super::peer::rtp::Packet;

pub const PACKAGE: &str = "sip-tester";

pub struct Sipp {
    process: Guarded,
    _folder: TempFolder,
}

impl Sipp {
    /// Runs a scenario of `tests/interop` against `peer` for one call from `number`.
    ///
    /// In its text `{talk}` becomes a capture of `talk`, A-law, and `{keys}` the folder of SIPp's own captures of keys.
    pub fn call(scenario: &str, peer: SocketAddr, number: &str, tcp: bool, talk: &[i16]) -> Sipp {
        let folder = TempFolder::new("sipp");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(scenario);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let talk = folder.file("talk.pcap", capture(talk));
        let text =
            text.replace("{talk}", &talk.to_string_lossy()).replace("{keys}", "/usr/share/sip-tester/dtmf_2833_");
        let scenario = folder.file("scenario.xml", text);
        let numbers = folder.file("numbers.csv", format!("SEQUENTIAL\n{number}\n"));
        let port = free_ports(14);
        let mut command = Command::new("sipp");
        command
            .arg(peer.to_string())
            .args(["-s", "12345", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", "1", "-nostdin"])
            .args(["-p", &port.to_string(), "-mp", &(port + 4).to_string(), "-timeout", "60s", "-trace_err"])
            .args(["-t", if tcp { "t1" } else { "u1" }])
            .arg("-sf")
            .arg(scenario)
            .arg("-inf")
            .arg(numbers)
            .current_dir(folder.path());
        Sipp { process: Guarded::start(command, PACKAGE), _folder: folder }
    }

    /// Waits for the end: its scenario must have been followed to the letter.
    #[track_caller]
    pub fn succeeds(&mut self, within: Duration) {
        let status = self.process.exit(within);
        let errors = std::fs::read_dir(self._folder.path()).expect("the folder").filter_map(Result::ok);
        let errors: Vec<String> = errors
            .filter(|entry| entry.file_name().to_string_lossy().contains("errors"))
            .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
            .collect();
        assert!(status.is_some_and(|status| status.success()), "SIPp: {status:?}\n{}", errors.join("\n"));
    }
}

/// A classic pcap file of RTP packets over Ethernet, 20 ms apart: what `play_pcap_audio` reads.
pub fn capture(sound: &[i16]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_le_bytes());
    }
    for (index, frame) in (0_u32..).zip(sound.chunks_exact(160)) {
        let packet = Packet {
            marker: index == 0,
            payload_type: 8,
            sequence: u16::try_from(index).expect("a short talk"),
            timestamp: index * 160,
            ssrc: 0x51BB_51BB,
            payload: Law::A.encode_all(frame),
        };
        let datagram = ethernet(&packet.bytes());
        let length = u32::try_from(datagram.len()).expect("a short packet");
        for word in [index / 50, index % 50 * 20_000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(datagram);
    }
    file
}

/// Ethernet, IPv4 and UDP headers; SIPp puts its own addresses and checksums in.
fn ethernet(payload: &[u8]) -> Vec<u8> {
    let udp = u16::try_from(payload.len() + 8).expect("a short packet");
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((udp + 20).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    frame.extend(4000_u16.to_be_bytes());
    frame.extend(4000_u16.to_be_bytes());
    frame.extend(udp.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}
