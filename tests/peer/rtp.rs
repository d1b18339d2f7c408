//! RTP, RTCP and telephone events as bytes (RFC 3550, RFC 4733).

use super::g711::Law;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

impl Packet {
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, self.payload_type | if self.marker { 0x80 } else { 0 }];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// A packet as our service sends them: version 2, no padding, no extension, no CSRC.
    pub fn parse(bytes: &[u8]) -> Result<Packet, String> {
        if bytes.len() < 12 {
            return Err(format!("RTP of {} bytes", bytes.len()));
        }
        if bytes[0] != 0x80 {
            return Err(format!("first RTP byte {:#x}", bytes[0]));
        }
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(Packet {
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7F,
            sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
            timestamp: word(4),
            ssrc: word(8),
            payload: bytes[12..].to_vec(),
        })
    }
}

/// How a key is sent as a telephone event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    pub ms: u32,
    /// The packet with the marker never arrives.
    pub lost_marker: bool,
    /// None of the three packets with the end bit arrives.
    pub lost_ends: bool,
    /// Each packet arrives twice.
    pub duplicated: bool,
}

impl Default for Press {
    fn default() -> Press {
        Press { ms: 100, lost_marker: false, lost_ends: false, duplicated: false }
    }
}

/// One telephone event, a list of payloads for each 20 ms: (marker, payload). RFC 4733 §2.5.1: the timestamp
/// stays, the duration grows, the end is sent three times.
pub fn event(digit: char, press: Press) -> Vec<Vec<(bool, [u8; 4])>> {
    let code = "0123456789*#ABCD".find(digit).unwrap_or_else(|| panic!("{digit:?} is no key"));
    let code = u8::try_from(code).expect("sixteen keys");
    let steps = press.ms.div_ceil(20).max(1);
    let payload = |duration: u32, end: bool| {
        let [high, low] = u16::try_from(duration).expect("a short press").to_be_bytes();
        [code, if end { 0x8A } else { 0x0A }, high, low]
    };
    let mut slots: Vec<Vec<(bool, [u8; 4])>> =
        (1..=steps).map(|step| vec![(step == 1, payload(step * 160, false))]).collect();
    slots.extend((0..3).map(|_| vec![(false, payload(steps * 160, true))]));
    if press.lost_marker {
        slots[0].clear();
    }
    if press.lost_ends {
        slots.iter_mut().rev().take(3).for_each(Vec::clear);
    }
    if press.duplicated {
        slots.iter_mut().for_each(|slot| slot.extend(slot.clone()));
    }
    slots
}

/// A frame of 20 ms as a payload.
pub fn frame(law: Law, samples: &[i16]) -> Vec<u8> {
    let mut frame = law.encode_all(samples);
    frame.resize(160, law.encode(0));
    frame
}

/// A compound of sender report and CNAME (RFC 3550 §6.4.1, §6.5).
pub fn sender_report(ssrc: u32, timestamp: u32, packets: u32, octets: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 200, 0, 6];
    for word in [ssrc, 0, 0, timestamp, packets, octets] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend([0x81, 202, 0, 4]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([1, 9]);
    bytes.extend(b"softphone");
    bytes.push(0);
    bytes
}

/// A report block the other side made about our stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub about_ssrc: u32,
    pub fraction_lost: u8,
    pub lost: u32,
    pub highest_sequence: u32,
    pub jitter: u32,
}

/// Checks a compound packet (RFC 3550 §6.1: report first, CNAME in it) and gives its report blocks.
pub fn read_compound(bytes: &[u8]) -> Result<Vec<Report>, String> {
    let (mut at, mut reports, mut named, mut first) = (0, Vec::new(), false, true);
    while at < bytes.len() {
        let header = bytes.get(at..at + 4).ok_or("RTCP cut off")?;
        let length = (usize::from(u16::from_be_bytes([header[2], header[3]])) + 1) * 4;
        let packet = bytes.get(at..at + length).ok_or("an RTCP length past the end")?;
        if header[0] >> 6 != 2 {
            return Err("RTCP whose version is not 2".into());
        }
        let blocks_at = match header[1] {
            200 => 28,
            201 => 8,
            kind if first => return Err(format!("a compound that begins with {kind}")),
            202 => {
                named |= packet.get(8) == Some(&1);
                length
            }
            _ => length,
        };
        if matches!(header[1], 200 | 201) {
            for index in 0..usize::from(header[0] & 31) {
                let block =
                    packet.get(blocks_at + index * 24..blocks_at + (index + 1) * 24).ok_or("a report cut off")?;
                let word = |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
                reports.push(Report {
                    about_ssrc: word(0),
                    fraction_lost: block[4],
                    lost: word(4) & 0xFF_FFFF,
                    highest_sequence: word(8),
                    jitter: word(12),
                });
            }
        }
        first = false;
        at += length;
    }
    if named { Ok(reports) } else { Err("a compound without CNAME".into()) }
}

#[test]
fn a_report_of_our_own_is_well_formed() {
    assert_eq!(read_compound(&sender_report(7, 1, 2, 3)), Ok(Vec::new()));
    assert!(read_compound(&sender_report(7, 1, 2, 3)[..28]).is_err(), "no CNAME");
}

#[test]
fn a_press_ends_three_times_and_its_faults_are_as_asked() {
    let slots = event('5', Press::default());
    assert_eq!(slots.len(), 8);
    assert_eq!(slots[0], [(true, [5, 0x0A, 0, 160])]);
    assert_eq!(slots[7], [(false, [5, 0x8A, 3, 32])]);
    let faulty = event('5', Press { lost_marker: true, lost_ends: true, duplicated: true, ..Press::default() });
    assert_eq!(faulty.iter().map(Vec::len).collect::<Vec<_>>(), [0, 2, 2, 2, 2, 0, 0, 0]);
}
