//! Who took a recording away, written into the file: the head of a WAV file with a `LIST` chunk of type `INFO` before its
//! samples (Multimedia Programming Interface and Data Specifications 1.0, chapter 2).

/// Samples a second and channel.
const SAMPLE_RATE: u32 = 8_000;

/// Before the samples of our own files.
pub const PLAIN_HEAD: u64 = 44;

/// What is said of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// `INAM`: what it is.
    pub name: &'a str,
    /// `ISRC`: where it comes from.
    pub source: &'a str,
    /// `IART`: who took it away.
    pub who: &'a str,
    /// `ICRD`: when.
    pub when: &'a str,
    /// `ICMT`: why, and of what.
    pub comment: &'a str,
}

/// All that stands before the samples; `data` is the length of the samples in bytes.
pub fn head(channels: u8, data: u32, mark: &Mark<'_>) -> Vec<u8> {
    let info = info(mark);
    let frame = 2 * u32::from(channels);
    let mut head = Vec::with_capacity(64 + info.len());
    head.extend(b"RIFF");
    head.extend((4 + 24 + 8 + info.len() as u32 + 8 + data).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend(16u32.to_le_bytes());
    head.extend(1u16.to_le_bytes());
    head.extend(u16::from(channels).to_le_bytes());
    head.extend(SAMPLE_RATE.to_le_bytes());
    head.extend((SAMPLE_RATE * frame).to_le_bytes());
    head.extend((frame as u16).to_le_bytes());
    head.extend(16u16.to_le_bytes());
    head.extend(b"LIST");
    head.extend((info.len() as u32).to_le_bytes());
    head.extend(info);
    head.extend(b"data");
    head.extend(data.to_le_bytes());
    head
}

fn info(mark: &Mark<'_>) -> Vec<u8> {
    let mut info = b"INFO".to_vec();
    for (id, text) in [
        (b"INAM", mark.name),
        (b"ISRC", mark.source),
        (b"IART", mark.who),
        (b"ICRD", mark.when),
        (b"ICMT", mark.comment),
    ] {
        // ends with a zero, and lies on an even place
        let length = text.len() + 1;
        info.extend(id);
        info.extend((length as u32).to_le_bytes());
        info.extend(text.as_bytes());
        info.resize(info.len() + 1 + length % 2, 0);
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_file_is_read_by_others_and_names_who_took_it() {
        for (channels, name) in [(1u8, "a"), (2, "ab"), (2, "录音")] {
            let samples: Vec<i16> = (0..320).collect();
            let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let mark =
                Mark { name, source: "12345", who: "tenzin", when: "2026-11-22", comment: "126112200012: 核实" };
            let mut file = head(channels, data.len() as u32, &mark);
            file.extend(&data);
            assert_eq!(u32::from_le_bytes(file[4..8].try_into().expect("four bytes")) as usize, file.len() - 8);
            for text in [name, "tenzin", "126112200012: 核实"] {
                let found = file.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(found, "{text}");
            }
            let mut read = hound::WavReader::new(file.as_slice()).expect("a WAV file");
            assert_eq!((read.spec().channels, read.spec().sample_rate), (u16::from(channels), 8_000));
            assert_eq!(read.samples::<i16>().collect::<Result<Vec<_>, _>>().expect("samples"), samples);
        }
    }
}
