//! G.711, from the definition of its decoder alone: the encoder takes the nearest value the decoder can make.

use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// PCMA, static payload type 8.
    A,
    /// PCMU, static payload type 0.
    Mu,
}

impl Law {
    pub fn of_payload(payload: u8) -> Option<Law> {
        match payload {
            8 => Some(Law::A),
            0 => Some(Law::Mu),
            _ => None,
        }
    }

    pub fn payload(self) -> u8 {
        match self {
            Law::A => 8,
            Law::Mu => 0,
        }
    }

    pub fn decode(self, code: u8) -> i16 {
        match self {
            Law::A => decode_a(code),
            Law::Mu => decode_mu(code),
        }
    }

    pub fn encode(self, sample: i16) -> u8 {
        static A: OnceLock<Vec<u8>> = OnceLock::new();
        static MU: OnceLock<Vec<u8>> = OnceLock::new();
        let table = match self {
            Law::A => A.get_or_init(|| nearest(Law::A)),
            Law::Mu => MU.get_or_init(|| nearest(Law::Mu)),
        };
        table[usize::from(sample.cast_unsigned())]
    }

    pub fn encode_all(self, samples: &[i16]) -> Vec<u8> {
        samples.iter().map(|sample| self.encode(*sample)).collect()
    }

    pub fn decode_all(self, codes: &[u8]) -> Vec<i16> {
        codes.iter().map(|code| self.decode(*code)).collect()
    }
}

/// ITU-T G.711 table 1: even bits inverted, sign 1 is positive, eight chords of sixteen steps, 13 bits left-aligned.
fn decode_a(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (chord, step) = (code >> 4 & 7, i16::from(code & 15));
    let size = match chord {
        0 => 16 * step + 8,
        _ => (16 * step + 264) << (chord - 1),
    };
    if code & 0x80 != 0 { size } else { -size }
}

/// ITU-T G.711 table 2: all bits inverted, bias 33, 14 bits left-aligned.
fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let (chord, step) = (code >> 4 & 7, i16::from(code & 15));
    let size = ((8 * step + 132) << chord) - 132;
    if code & 0x80 != 0 { -size } else { size }
}

/// For each 16-bit sample (as unsigned index) the code whose decoded value is nearest.
fn nearest(law: Law) -> Vec<u8> {
    let mut values: Vec<(i16, u8)> = (0..=255).map(|code| (law.decode(code), code)).collect();
    values.sort_unstable();
    let mut table = vec![0; 65_536];
    let mut at = 0;
    for sample in i16::MIN..=i16::MAX {
        let distance = |index: usize| (i32::from(values[index].0) - i32::from(sample)).abs();
        while at + 1 < values.len() && distance(at + 1) <= distance(at) {
            at += 1;
        }
        table[usize::from(sample.cast_unsigned())] = values[at].1;
    }
    table
}

#[test]
fn every_code_survives_being_decoded_and_encoded() {
    for code in 0..=255 {
        assert_eq!(Law::A.encode(Law::A.decode(code)), code);
        let again = Law::Mu.encode(Law::Mu.decode(code));
        assert_eq!(Law::Mu.decode(again), Law::Mu.decode(code), "µ-law has two zeros");
    }
}

#[test]
fn the_ends_of_the_scale_are_the_standards() {
    assert_eq!((Law::A.decode(0xAA), Law::A.decode(0x2A)), (32_256, -32_256));
    assert_eq!((Law::Mu.decode(0x80), Law::Mu.decode(0x00)), (32_124, -32_124));
    assert_eq!(Law::A.decode(0xD5), 8);
    assert_eq!(Law::Mu.decode(0xFF), 0);
}
