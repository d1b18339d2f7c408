//! Writing WAV files of 8 kHz, mono, 16-bit PCM; [`super::sound`] reads them.

use super::sound::RATE;

/// A whole file: the samples, and behind them what is said in them (`ICMT`) and who made it (`ISFT`).
pub fn write(samples: &[i16], comment: Option<&str>, maker: &str) -> Vec<u8> {
    let mut format = Vec::with_capacity(16);
    format.extend([1_u16, 1].into_iter().flat_map(u16::to_le_bytes));
    format.extend([RATE, RATE * 2].into_iter().flat_map(u32::to_le_bytes));
    format.extend([2_u16, 16].into_iter().flat_map(u16::to_le_bytes));
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut info = b"INFO".to_vec();
    info.extend(comment.map(|comment| text(*b"ICMT", comment)).unwrap_or_default());
    info.extend(text(*b"ISFT", maker));
    let chunks = [chunk(*b"fmt ", &format), chunk(*b"data", &data), chunk(*b"LIST", &info)].concat();
    chunk(*b"RIFF", &[b"WAVE", &chunks[..]].concat())
}

fn text(name: [u8; 4], text: &str) -> Vec<u8> {
    chunk(name, &[text.as_bytes(), b"\0"].concat())
}

fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).expect("a prompt is far shorter than 4 GiB");
    let odd = &b"\0"[..body.len() % 2];
    [&name[..], &size.to_le_bytes(), body, odd].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::sound::Sound;

    #[test]
    fn what_is_written_is_read_back_with_its_text() {
        for text in [None, Some("您好"), Some("您好。1")] {
            let file = write(&[1, -2, i16::MAX], text, "a test");
            let sound = Sound::read(&file).expect("a sound");
            assert_eq!((sound.samples, sound.comment.as_deref()), (vec![1, -2, i16::MAX], text));
            assert_eq!(sound.maker.as_deref(), Some("a test"));
            assert_eq!(u32::from_le_bytes(file[4..8].try_into().expect("four bytes")) as usize + 8, file.len());
        }
    }

    #[test]
    fn other_programs_read_it_too() {
        let file = write(&[5; 80], Some("您好"), "a test");
        let mut reader = hound::WavReader::new(&file[..]).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.spec().channels, reader.len()), (8_000, 1, 80));
        assert!(reader.samples::<i16>().all(|sample| sample.is_ok_and(|sample| sample == 5)));
    }
}
