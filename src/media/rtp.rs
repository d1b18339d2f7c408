//! RTP packets (RFC 3550 §5.1). The types of `rtp-rs` stop here.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use crate::media::FRAME;

/// Octets of the header that we write.
pub const HEADER: usize = 12;

/// The longest packet that we write: a header and a frame.
pub const MAX_SENT: usize = HEADER + FRAME;

/// A packet of the peer, read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    pub payload: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

impl<'a> Packet<'a> {
    /// `None` for what is no RTP of version 2 or contradicts its own lengths.
    pub fn parse(bytes: &'a [u8]) -> Option<Packet<'a>> {
        let reader = RtpReader::new(bytes).ok()?;
        let header = Header {
            marker: reader.mark(),
            payload_type: reader.payload_type(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Some(Packet { header, payload: reader.payload() })
    }
}

/// Writes a packet and returns its length; a payload longer than a frame is cut to one.
pub fn build(header: &Header, payload: &[u8], buffer: &mut [u8; MAX_SENT]) -> usize {
    RtpPacketBuilder::new()
        .marked(header.marker)
        .payload_type(header.payload_type & 0x7F)
        .sequence(Seq::from(header.sequence))
        .timestamp(header.timestamp)
        .ssrc(header.ssrc)
        .payload(&payload[..payload.len().min(FRAME)])
        .build_into(buffer)
        .expect("the buffer holds a header and a frame, and the payload type has seven bits")
}

/// RTCP that came to the RTP port: its packet types are 192-223 in the octet where RTP has marker and payload type
/// (RFC 5761 §4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|octet| (192..=223).contains(octet))
}

/// How far `later` is ahead of `earlier` on a 16-bit circle; negative if it is behind.
pub fn sequence_distance(later: u16, earlier: u16) -> i16 {
    later.wrapping_sub(earlier).cast_signed()
}

/// How far `later` is ahead of `earlier` on a 32-bit circle; negative if it is behind.
pub fn timestamp_distance(later: u32, earlier: u32) -> i32 {
    later.wrapping_sub(earlier).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distances_go_round_the_circle() {
        assert_eq!(sequence_distance(2, u16::MAX), 3);
        assert_eq!(sequence_distance(u16::MAX, 2), -3);
        assert_eq!(timestamp_distance(80, 0_u32.wrapping_sub(80)), 160);
    }

    #[test]
    fn csrcs_extension_and_padding_are_not_payload() {
        let mut bytes = vec![0b1011_0001, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9; 4]); // a CSRC
        bytes.extend([0xBE, 0xDE, 0, 1, 7, 7, 7, 7]); // an extension of one word
        bytes.extend([1, 2, 3, 0, 2]); // three octets and two of padding
        let packet = Packet::parse(&bytes).expect("a packet");
        assert_eq!(packet.payload, [1, 2, 3]);
        assert_eq!((packet.header.sequence, packet.header.timestamp, packet.header.ssrc), (1, 2, 3));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER <= bytes.len());
            }
        }

        #[test]
        fn what_is_built_is_read_again(
            marker: bool, payload_type in 0_u8..128, sequence: u16, timestamp: u32, ssrc: u32,
            payload in prop::collection::vec(any::<u8>(), 0..=FRAME),
        ) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc };
            let mut buffer = [0; MAX_SENT];
            let length = build(&header, &payload, &mut buffer);
            prop_assert_eq!(Packet::parse(&buffer[..length]), Some(Packet { header, payload: &payload }));
        }
    }
}
