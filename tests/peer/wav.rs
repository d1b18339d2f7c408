//! WAV files: 16-bit, A-law and µ-law are read, 16-bit mono at 8 kHz is written.

use super::g711::Law;

#[derive(Clone, Debug)]
pub struct Wav {
    pub rate: u32,
    /// One list of samples a channel, all of one length.
    pub channels: Vec<Vec<i16>>,
}

impl Wav {
    /// The chunks of a RIFF file must add up exactly: a header that was never repaired is an error here.
    pub fn parse(bytes: &[u8]) -> Result<Wav, String> {
        if bytes.len() < 12 || &bytes[..4] != b"RIFF" || &bytes[8..12] != b"WAVE" {
            return Err("not a RIFF WAVE file".into());
        }
        if le32(bytes, 4)? as usize + 8 != bytes.len() {
            return Err(format!("RIFF says {} bytes, the file has {}", le32(bytes, 4)? as usize + 8, bytes.len()));
        }
        let (mut format, mut data) = (None, None);
        let mut at = 12;
        while at + 8 <= bytes.len() {
            let size = le32(bytes, at + 4)? as usize;
            let body = bytes.get(at + 8..at + 8 + size).ok_or("a chunk reaches past the end of the file")?;
            match &bytes[at..at + 4] {
                b"fmt " => format = Some(body),
                b"data" => data = Some(body),
                _ => {}
            }
            at += 8 + size + size % 2;
        }
        let format = format.ok_or("no fmt chunk")?;
        let data = data.ok_or("no data chunk")?;
        let count = usize::from(le16(format, 2)?);
        if count == 0 {
            return Err("no channels".into());
        }
        let samples: Vec<i16> = match (le16(format, 0)?, le16(format, 14)?) {
            (1, 16) => data.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect(),
            (6, 8) => Law::A.decode_all(data),
            (7, 8) => Law::Mu.decode_all(data),
            other => return Err(format!("format and bits {other:?} are not read here")),
        };
        let channels = (0..count).map(|channel| samples.iter().skip(channel).step_by(count).copied().collect());
        Ok(Wav { rate: le32(format, 4)?, channels: channels.collect() })
    }

    pub fn mono(bytes: &[u8]) -> Result<Vec<i16>, String> {
        let mut wav = Wav::parse(bytes)?;
        if wav.channels.len() != 1 || wav.rate != 8000 {
            return Err(format!("{} channels at {} Hz are not mono at 8 kHz", wav.channels.len(), wav.rate));
        }
        Ok(wav.channels.remove(0))
    }
}

/// A mono file of 16 bits at 8 kHz.
pub fn write(samples: &[i16]) -> Vec<u8> {
    let size = u32::try_from(samples.len() * 2).expect("a short sound");
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    bytes.extend(b"RIFF");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    for field in [1_u16, 1] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend(16_000_u32.to_le_bytes());
    for field in [2_u16, 16] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

fn le16(bytes: &[u8], at: usize) -> Result<u16, String> {
    let field = bytes.get(at..at + 2).ok_or("a header is cut off")?;
    Ok(u16::from_le_bytes([field[0], field[1]]))
}

fn le32(bytes: &[u8], at: usize) -> Result<u32, String> {
    Ok(u32::from(le16(bytes, at)?) | u32::from(le16(bytes, at + 2)?) << 16)
}

#[test]
fn what_is_written_is_read_back() {
    let sound = [0, 1, -1, i16::MAX, i16::MIN];
    assert_eq!(Wav::mono(&write(&sound)).expect("a whole file"), sound);
    assert!(Wav::mono(&write(&sound)[..50]).is_err(), "a file that was cut is noticed");
}
