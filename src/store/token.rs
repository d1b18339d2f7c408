//! What a signed-in person or another system presents with each request: 256 random bits, kept as a hash.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// So that a session's token is not looked for among the clients'.
const SESSION: &str = "hls_";
const CLIENT: &str = "hlc_";

/// A new token; its text is shown once, to whom it belongs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Of a session; `secret` is random.
    pub(super) fn of_session(secret: [u8; 32]) -> Token {
        Token(format!("{SESSION}{}", URL_SAFE_NO_PAD.encode(secret)))
    }

    /// Of a client; `secret` is random.
    pub(super) fn of_client(secret: [u8; 32]) -> Token {
        Token(format!("{CLIENT}{}", URL_SAFE_NO_PAD.encode(secret)))
    }

    /// 47 letters, digits, `-` and `_`.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The hash of what may be a session's token: SHA-256, 64 hexadecimal digits. A token has too many bits to be guessed,
/// so that nothing slower is needed, and looking for a hash tells nothing by the time it takes.
pub(super) fn hash_of_session(text: &str) -> Option<String> {
    text.starts_with(SESSION).then(|| hash(text))
}

/// The hash of what may be a client's token.
pub(super) fn hash_of_client(text: &str) -> Option<String> {
    text.starts_with(CLIENT).then(|| hash(text))
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string grows");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_and_its_kind() {
        let (session, client) = (Token::of_session([1; 32]), Token::of_client([1; 32]));
        assert_eq!(session.reveal().len(), 47);
        assert_eq!(hash_of_session(session.reveal()), Some(session.hash()));
        assert_eq!((hash_of_session(client.reveal()), hash_of_client(session.reveal())), (None, None));
        assert_ne!(session.hash(), client.hash());
        assert!(client.hash().len() == 64 && !client.hash().contains(&client.reveal()[4..]));
        assert_eq!(format!("{session:?}"), "Token");
    }
}
