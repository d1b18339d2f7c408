//! A piece of sound that is ready to send: made once, shared by all calls.

use std::borrow::Cow;

use crate::media::codec;
use crate::sdp::Codec;

/// Sound in A-law, 8 kHz mono; µ-law is made of it while it is sent. The prompts of the pack are borrowed from the
/// binary.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    alaw: Cow<'static, [u8]>,
}

impl Clip {
    /// From A-law octets, owned or those of the binary.
    pub fn from_alaw(alaw: impl Into<Cow<'static, [u8]>>) -> Clip {
        Clip { alaw: alaw.into() }
    }

    /// From linear samples at 8 kHz.
    pub fn from_linear(samples: &[i16]) -> Clip {
        let alaw: Vec<u8> = samples.iter().map(|sample| codec::alaw_encode(*sample)).collect();
        Clip::from_alaw(alaw)
    }

    /// The samples that a listener hears, linear.
    pub fn to_linear(&self) -> Vec<i16> {
        self.alaw.iter().map(|octet| codec::alaw_decode(*octet)).collect()
    }

    /// Copies the octets from the sample `from` on into `room`, in the law of `codec`. Allocates nothing.
    ///
    /// # Panics
    /// If the clip ends before `room` does.
    pub fn copy_to(&self, codec: Codec, from: usize, room: &mut [u8]) {
        let octets = &self.alaw[from..from + room.len()];
        match codec {
            Codec::Pcma => room.copy_from_slice(octets),
            Codec::Pcmu => {
                room.iter_mut().zip(octets).for_each(|(room, octet)| *room = codec::alaw_to_ulaw(*octet));
            }
        }
    }

    pub fn alaw(&self) -> &[u8] {
        &self.alaw
    }

    /// Number of samples, which is the number of octets in either law.
    pub fn len(&self) -> usize {
        self.alaw.len()
    }

    pub fn is_empty(&self) -> bool {
        self.alaw.is_empty()
    }

    pub fn duration_ms(&self) -> u32 {
        u32::try_from(self.alaw.len() / 8).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip").field("duration_ms", &self.duration_ms()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_clip_is_copied_in_the_law_of_the_call() {
        let clip = Clip::from_alaw((0..=255).collect::<Vec<u8>>());
        let mut room = [0; 3];
        clip.copy_to(Codec::Pcma, 253, &mut room);
        assert_eq!(room, [253, 254, 255]);
        clip.copy_to(Codec::Pcmu, 7, &mut room);
        assert_eq!(room, [7, 8, 9].map(codec::alaw_to_ulaw));
    }

    #[test]
    fn a_clip_of_the_binary_is_not_copied() {
        static PACKED: [u8; 800] = [codec::ALAW_SILENCE; 800];
        let clip = Clip::from_alaw(&PACKED[..]);
        assert_eq!((clip.alaw().as_ptr(), clip.duration_ms()), (PACKED.as_ptr(), 100));
    }
}
