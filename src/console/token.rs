//! The API token: one secret of 256 bits in a file that only its owner can read.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The file inside the data folder.
pub const FILE_NAME: &str = "api-token";

/// A file larger than this holds something else.
const MAX_FILE_BYTES: u64 = 1024;
const MIN_CHARACTERS: usize = 32;

/// What a client has to present. Kept as a hash, printed never.
#[derive(Clone)]
pub struct ApiToken {
    hash: [u8; 32],
}

impl ApiToken {
    pub fn new(text: &str) -> ApiToken {
        ApiToken { hash: Sha256::digest(text.as_bytes()).into() }
    }

    /// Reads `data_dir/api-token`, or makes it of `secret`, 32 bytes from the system's random source.
    ///
    /// The file appears whole or not at all, mode 0600; two processes that start at once end with one token.
    ///
    /// # Errors
    /// A file that others can read, that holds no token, or a folder that can't be written.
    pub fn load_or_create(data_dir: &Path, secret: [u8; 32]) -> Result<ApiToken, TokenError> {
        let path = data_dir.join(FILE_NAME);
        match load(&path) {
            Err(TokenError::Io { ref source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        match create(&path, secret) {
            Ok(()) => load(&path),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => load(&path),
            Err(source) => Err(TokenError::Io { path, source }),
        }
    }

    /// Takes the same time for every wrong guess: two hashes are compared, all of their bytes.
    pub fn matches(&self, presented: &str) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let differing = self.hash.iter().zip(presented).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken")
    }
}

/// Why there is no token. The environment is to blame.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(
        "{}: others can read this API token (mode {mode:04o}); `chmod 600` it, or delete it to get a new one",
        path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "{}: this is no API token; it has to be one line of {MIN_CHARACTERS} or more letters, digits and signs",
        path.display()
    )]
    Malformed { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

fn load(path: &Path) -> Result<ApiToken, TokenError> {
    let failed = |source| TokenError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TokenError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    let malformed = || TokenError::Malformed { path: path.to_owned() };
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?.trim_end_matches(['\r', '\n']);
    let usable = (MIN_CHARACTERS..MAX_FILE_BYTES as usize).contains(&text.len());
    if !usable || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(malformed());
    }
    Ok(ApiToken::new(text))
}

/// Writes beside the file and links it into place: a link, unlike a rename, never replaces a token that another
/// process has just made.
fn create(path: &Path, secret: [u8; 32]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mark = URL_SAFE_NO_PAD.encode(&Sha256::digest(secret)[..9]);
    let draft = folder.join(format!(".{FILE_NAME}-{mark}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(format!("{}\n", URL_SAFE_NO_PAD.encode(secret)).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written.and(removed)?;
    File::open(folder)?.sync_all()
}
