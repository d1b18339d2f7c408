//! New tokens and salts.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Random bytes that nobody who has seen any number of them can go on with: hashes of a seed that is never shown.
pub struct Secrets {
    seed: [u8; 32],
    issued: AtomicU64,
}

impl Secrets {
    /// `seed`: 32 bytes of the system's random source.
    pub fn new(seed: [u8; 32]) -> Secrets {
        Secrets { seed, issued: AtomicU64::new(0) }
    }

    pub fn token(&self) -> [u8; 32] {
        let count = self.issued.fetch_add(1, Ordering::Relaxed);
        Sha256::new().chain_update("secret").chain_update(self.seed).chain_update(count.to_be_bytes()).finalize().into()
    }

    pub fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.token()[..16]);
        salt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_are_the_same() {
        let (one, other) = (Secrets::new([1; 32]), Secrets::new([2; 32]));
        let all = [one.token(), one.token(), other.token(), other.token()];
        assert!((0..4).all(|at| !all[..at].contains(&all[at])));
        assert_ne!(one.salt(), one.salt());
    }
}
