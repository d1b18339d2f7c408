//! Codes that change every 30 seconds (TOTP, RFC 6238), as telephones show them.

use std::fmt;

use chrono::{DateTime, Utc};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// What a telephone and the hotline both know: 160 bits, six digits, SHA-1, as every app takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpSecret(Totp);

/// No secret of 160 bits in base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret has to be 32 letters and digits of base32")]
pub struct BadSecret;

impl OtpSecret {
    /// `random`: 20 bytes of the system's random source.
    pub fn new(random: [u8; 20]) -> OtpSecret {
        OtpSecret(builder(random.into()))
    }

    /// # Errors
    /// Anything but 20 bytes in base32; spaces do not count.
    pub fn parse(text: &str) -> Result<OtpSecret, BadSecret> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let secret = Secret::try_from_base32(plain.to_ascii_uppercase()).map_err(|_| BadSecret)?;
        if secret.as_bytes().len() == 20 { Ok(OtpSecret(builder(secret))) } else { Err(BadSecret) }
    }

    /// 32 letters and digits: to be shown once, to whom it belongs.
    pub fn reveal(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The 30 seconds since 1970 that the code is of: those that run, or the ones before or after, since clocks differ.
    pub fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let seconds = u64::try_from(now.timestamp()).ok()?;
        self.0.check(&code, seconds).and_then(|step| i64::try_from(step).ok())
    }

    /// What a telephone would show.
    pub fn code(&self, now: DateTime<Utc>) -> String {
        self.0.generate(u64::try_from(now.timestamp()).unwrap_or_default()).to_string()
    }
}

impl fmt::Debug for OtpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtpSecret")
    }
}

fn builder(secret: Secret) -> Totp {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_skew(1)
        .with_secret(secret)
        .build_noncompliant()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, its last six digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let secret = OtpSecret::new(*b"12345678901234567890");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let at = DateTime::from_timestamp(seconds, 0).expect("a time");
            assert_eq!(secret.code(at), code);
            assert_eq!(secret.step_of(code, at), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_good_for_its_time_and_its_neighbours() {
        let secret = OtpSecret::new([7; 20]);
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time");
        let code = secret.code(at(0));
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert_eq!(secret.step_of(&spaced, at(0)), Some(60_000_000));
        assert!(secret.step_of(&code, at(-30)).is_some() && secret.step_of(&code, at(59)).is_some());
        assert!(secret.step_of(&code, at(-31)).is_none() && secret.step_of(&code, at(60)).is_none());
        for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(secret.step_of(wrong, at(0)), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_shown() {
        let secret = OtpSecret::new([9; 20]);
        assert_eq!(OtpSecret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(OtpSecret::parse(&secret.reveal().to_lowercase()), Ok(secret.clone()));
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
        for wrong in ["", "AAAA", "not base32!", &"A".repeat(40)] {
            assert_eq!(OtpSecret::parse(wrong), Err(BadSecret), "{wrong}");
        }
    }
}
