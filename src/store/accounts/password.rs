//! Passwords: which are taken, and how they are kept (argon2id, RFC 9106; the parameters of OWASP's Password Storage
//! Cheat Sheet: 19 MiB, 2 passes, 1 lane).

use std::collections::BTreeSet;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::AccountName;

/// Characters of a password.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=128;
/// A password of fewer characters that differ is a key held down.
const MIN_DIFFERENT: usize = 4;

/// Long enough, and the first that anybody tries; in lower case.
const OBVIOUS: [&str; 44] = [
    "0123456789",
    "0987654321",
    "1234567890",
    "1234567891",
    "12345678910",
    "123456789a",
    "1234512345",
    "12345hotline",
    "147258369a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "5201314520",
    "9876543210",
    "a123456789",
    "a1234567890",
    "abc1234567",
    "abc123456789",
    "abcd123456",
    "abcd1234567",
    "abcdefghij",
    "aa123456789",
    "admin12345",
    "admin123456",
    "adminadmin",
    "administrator",
    "asdfghjkl;",
    "changeme123",
    "hotline12345",
    "iloveyou123",
    "letmein123",
    "lhasa12345",
    "p@ssw0rd123",
    "passw0rd123",
    "password12",
    "password123",
    "password1234",
    "q1w2e3r4t5",
    "qazwsxedc123",
    "qwerty12345",
    "qwertyuiop",
    "tashidelek",
    "welcome123",
    "woaini1314",
];

/// A password that an account may have. Printed never.
#[derive(Clone)]
pub struct Password(String);

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("a password has 10 to 128 characters")]
    Length,
    #[error("the password is the account's name")]
    Name,
    #[error("this password is one of the first that anybody tries")]
    Obvious,
}

impl Password {
    /// A password for the account of this name.
    ///
    /// # Errors
    /// Too short, too long, or easily guessed.
    pub fn new(text: &str, account: &AccountName) -> Result<Password, BadPassword> {
        if !LENGTH.contains(&text.chars().count()) {
            return Err(BadPassword::Length);
        }
        let lower = text.to_lowercase();
        if lower == account.as_str() {
            return Err(BadPassword::Name);
        }
        let different: BTreeSet<char> = lower.chars().collect();
        if different.len() < MIN_DIFFERENT || OBVIOUS.contains(&lower.as_str()) {
            return Err(BadPassword::Obvious);
        }
        Ok(Password(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Each takes 19 MiB and a core for some 20 ms: no more at once than there are cores, however many sign in.
static HASHERS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, |cores| cores.get())));

/// What is kept of a password (a PHC string). `salt` is random.
pub(in crate::store) async fn hash(password: &Password, salt: [u8; 16]) -> String {
    let Password(password) = password.clone();
    in_turn(move || hashed(&password, salt)).await
}

/// Whether this is the password of which `kept` is kept. `None`, for an account that there is not, takes the same time
/// and is false.
pub(in crate::store) async fn verify(password: &str, kept: Option<&str>) -> bool {
    let (password, kept) = (password.to_owned(), kept.map(str::to_owned));
    in_turn(move || match kept.as_deref().map(PasswordHash::new) {
        Some(Ok(kept)) => Argon2::default().verify_password(password.as_bytes(), &kept).is_ok(),
        Some(Err(_)) | None => {
            hashed(&password, [0; 16]);
            false
        }
    })
    .await
}

fn hashed(password: &str, salt: [u8; 16]) -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("a password below 4 GiB and a salt of 16 bytes");
    hash.to_string()
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _turn = HASHERS.acquire().await.expect("nobody closes the semaphore");
    match spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // the runtime is ending, and whoever waits here with it
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<(), BadPassword> {
        Password::new(text, &"dolma.tsering".parse().expect("a name")).map(drop)
    }

    #[test]
    fn what_is_easily_guessed_is_not_taken() {
        for text in ["yaks on the pass", "雪山下的一条河流和牦牛", "བཀྲ་ཤིས་བདེ་ལེགས", &"ab1!".repeat(32)]
        {
            assert_eq!(taken(text), Ok(()), "{text}");
        }
        for text in ["", "nine char", "雪山下的一条河流", &"ab1!x".repeat(26)] {
            assert_eq!(taken(text), Err(BadPassword::Length), "{text}");
        }
        assert_eq!(taken("Dolma.Tsering"), Err(BadPassword::Name));
        for text in ["1234567890", "PassWord123", "aaaaaaaaaaaa", "1212121212121"] {
            assert_eq!(taken(text), Err(BadPassword::Obvious), "{text}");
        }
    }

    #[test]
    fn no_obvious_password_is_too_short_to_be_listed() {
        for text in OBVIOUS {
            assert_eq!(taken(text), Err(BadPassword::Obvious), "{text}");
        }
    }

    #[tokio::test]
    async fn a_kept_password_is_salted_and_known_again() {
        let password = Password::new("yaks on the pass", &"dolma".parse().expect("a name")).expect("a password");
        let (one, other) = (hash(&password, [1; 16]).await, hash(&password, [2; 16]).await);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify("yaks on the pass", Some(&one)).await && verify("yaks on the pass", Some(&other)).await);
        assert!(!verify("yaks on the path", Some(&one)).await);
        assert!(!verify("yaks on the pass", None).await);
        assert!(!verify("yaks on the pass", Some("yaks on the pass")).await, "a password is never kept as it is");
        assert_eq!(format!("{password:?}"), "Password");
    }
}
