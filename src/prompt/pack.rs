//! The pack inside the binary: the manifest, and the clips as one blob of A-law that the build script made. Nothing of
//! the blob is copied when it is played.

use super::manifest::Manifest;

static MANIFEST: &str = include_str!("../../prompts/manifest.toml");
static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prompts.alaw"));
/// File, first byte, byte after the last; sorted by file.
static INDEX: &[(&str, usize, usize)] = include!(concat!(env!("OUT_DIR"), "/prompts.index"));

/// No page of a system is smaller.
const PAGE: usize = 4_096;

pub fn manifest() -> Manifest {
    Manifest::parse(MANIFEST, "prompts/manifest.toml").expect("a test reads the manifest that is packed")
}

/// Takes the whole blob into memory, so that no call waits on a disk for a page of it: a thread that sends frames has
/// 20 ms for each. It reads a byte of each page, which takes 2 ms for 30 MB that the system has cached and 10 ms from
/// an SSD.
pub fn warm() {
    let (pages, last) = (BLOB.iter().step_by(PAGE), BLOB.last());
    for octet in pages.chain(last) {
        std::hint::black_box(*octet);
    }
}

/// The A-law bytes of a packed file, named as in the manifest.
pub fn alaw(file: &str) -> Option<&'static [u8]> {
    let at = INDEX.binary_search_by_key(&file, |&(name, ..)| name).ok()?;
    let (_, start, end) = INDEX[at];
    BLOB.get(start..end)
}
