//! The files under `tests/data`.

use std::fs;
use std::path::Path;

pub struct Message {
    /// `rfc4475/wsinv.dat`
    pub file: String,
    pub bytes: Vec<u8>,
}

/// One file as it goes over the network. The RFC 4475 files are datagrams. RFC 5118 has text: its line ends become CRLF, and
/// a message that ends with its headers gets its blank line.
pub fn read(file: &str) -> Message {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bytes = if file.starts_with("rfc5118/") { with_line_ends(bytes) } else { bytes };
    Message { file: file.to_owned(), bytes }
}

pub fn all() -> Vec<Message> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let names = ["rfc4475", "rfc5118"].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root.join(folder)).expect("the folder is part of the repository");
        entries.map(move |entry| format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy()))
    });
    names.map(|name| read(&name)).collect()
}

fn with_line_ends(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(bytes).expect("RFC 5118 is text").replace('\n', "\r\n");
    if text.contains("\r\n\r\n") { text.into_bytes() } else { format!("{text}\r\n").into_bytes() }
}
