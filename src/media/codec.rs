//! G.711: A-law and µ-law, to and from 16-bit linear samples, and to each other.
//!
//! Uses nothing but `core`: the build script packs the prompts with the same code.

/// The A-law octet of silence (the smallest positive value).
pub const ALAW_SILENCE: u8 = 0xD5;

/// The µ-law octet of silence (positive zero).
pub const ULAW_SILENCE: u8 = 0xFF;

/// µ-law adds this before it looks for the segment (ITU-T G.711, table 2a, in 16-bit units).
const ULAW_BIAS: i32 = 0x84;

static ALAW_LINEAR: [i16; 256] = alaw_linear();
static ULAW_LINEAR: [i16; 256] = ulaw_linear();
static ALAW_ULAW: [u8; 256] = alaw_ulaw();
static ULAW_ALAW: [u8; 256] = ulaw_alaw();

/// The 16-bit sample of an A-law octet.
pub fn alaw_decode(octet: u8) -> i16 {
    ALAW_LINEAR[octet as usize]
}

/// The 16-bit sample of a µ-law octet.
pub fn ulaw_decode(octet: u8) -> i16 {
    ULAW_LINEAR[octet as usize]
}

/// The A-law octet nearest to a 16-bit sample (ITU-T G.711, table 1a).
pub const fn alaw_encode(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0, !sample as u16) } else { (0x80, sample as u16) };
    let code = if magnitude < 0x100 {
        magnitude >> 4
    } else {
        let segment = 8 - magnitude.leading_zeros() as u16;
        segment << 4 | (magnitude >> (segment + 3)) & 0x0F
    };
    (sign | code as u8) ^ 0x55
}

/// The µ-law octet nearest to a 16-bit sample (ITU-T G.711, table 2a).
pub const fn ulaw_encode(sample: i16) -> u8 {
    const CLIP: i32 = 32_635;
    let (sign, magnitude) = if sample < 0 { (0x80, -(sample as i32)) } else { (0, sample as i32) };
    let biased = (if magnitude > CLIP { CLIP } else { magnitude }) + ULAW_BIAS;
    let segment = 24 - biased.leading_zeros() as i32;
    let mantissa = (biased >> (segment + 3)) & 0x0F;
    !(sign | (segment << 4 | mantissa) as u8)
}

/// The µ-law octet that sounds like an A-law octet.
pub fn alaw_to_ulaw(octet: u8) -> u8 {
    ALAW_ULAW[octet as usize]
}

/// The A-law octet that sounds like a µ-law octet.
pub fn ulaw_to_alaw(octet: u8) -> u8 {
    ULAW_ALAW[octet as usize]
}

const fn expand_alaw(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let segment = (code >> 4) & 7;
    let mantissa = ((code & 0x0F) as i16) << 4;
    let magnitude = if segment == 0 { mantissa + 8 } else { (mantissa + 0x108) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn expand_ulaw(octet: u8) -> i16 {
    let code = !octet;
    let segment = (code >> 4) & 7;
    let mantissa = ((code & 0x0F) as i32) << 3;
    let magnitude = ((mantissa + ULAW_BIAS) << segment) - ULAW_BIAS;
    if code & 0x80 == 0 { magnitude as i16 } else { -magnitude as i16 }
}

const fn alaw_linear() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = expand_alaw(octet as u8);
        octet += 1;
    }
    table
}

const fn ulaw_linear() -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = expand_ulaw(octet as u8);
        octet += 1;
    }
    table
}

const fn alaw_ulaw() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = ulaw_encode(expand_alaw(octet as u8));
        octet += 1;
    }
    table
}

const fn ulaw_alaw() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = alaw_encode(expand_ulaw(octet as u8));
        octet += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alaw_octet_survives_decoding_and_encoding() {
        for octet in 0..=255 {
            assert_eq!(alaw_encode(alaw_decode(octet)), octet);
        }
    }

    #[test]
    fn every_ulaw_octet_but_negative_zero_survives_decoding_and_encoding() {
        for octet in (0..=255).filter(|octet| *octet != 0x7F) {
            assert_eq!(ulaw_encode(ulaw_decode(octet)), octet);
        }
        assert_eq!(ulaw_decode(0x7F), 0);
    }

    #[test]
    fn known_values_of_g711_hold() {
        assert_eq!(alaw_decode(ALAW_SILENCE), 8);
        assert_eq!(alaw_decode(0x55), -8);
        assert_eq!(alaw_decode(0xAA), 32_256);
        assert_eq!(alaw_decode(0x2A), -32_256);
        assert_eq!(ulaw_decode(ULAW_SILENCE), 0);
        assert_eq!(ulaw_decode(0x80), 32_124);
        assert_eq!(ulaw_decode(0x00), -32_124);
        assert_eq!(alaw_encode(i16::MIN), 0x2A);
        assert_eq!(ulaw_encode(i16::MIN), 0x00);
    }

    #[test]
    fn encoding_errs_by_at_most_half_a_step() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let magnitude = i32::from(sample).abs();
            let allowed = (magnitude / 32).max(8) + i32::from(magnitude > 32_124) * 700;
            assert!((i32::from(alaw_decode(alaw_encode(sample))) - i32::from(sample)).abs() <= allowed + 8, "{sample}");
            assert!((i32::from(ulaw_decode(ulaw_encode(sample))) - i32::from(sample)).abs() <= allowed + 8, "{sample}");
        }
    }

    #[test]
    fn silence_stays_silence_in_the_other_law() {
        assert!(ulaw_decode(alaw_to_ulaw(ALAW_SILENCE)).abs() <= 8);
        assert_eq!(ulaw_to_alaw(ULAW_SILENCE), ALAW_SILENCE);
    }
}
