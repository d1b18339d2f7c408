//! One offer at a time (RFC 3264 §4, RFC 3261 §14, RFC 3311 §5).

use std::time::Duration;

use rand::{Rng, RngExt};

/// The media negotiation of a dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OfferAnswer {
    #[default]
    Stable,
    /// We offered and wait.
    Sent,
    /// The peer offered (or asked for an offer) and waits.
    Received,
}

/// How a request that wants a new offer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Our own offer is on its way: 491 (RFC 3261 §14.2, RFC 3311 §5.2).
    Glare,
    /// An earlier one of the peer has no answer yet: 500 with Retry-After (RFC 3261 §14.2, RFC 3311 §5.2).
    Unanswered,
}

impl OfferAnswer {
    /// The peer offers, or sends a re-INVITE without an offer.
    ///
    /// # Errors
    /// An offer is open in either direction.
    pub fn receive(self) -> Result<OfferAnswer, Busy> {
        match self {
            OfferAnswer::Stable => Ok(OfferAnswer::Received),
            OfferAnswer::Sent => Err(Busy::Glare),
            OfferAnswer::Received => Err(Busy::Unanswered),
        }
    }

    pub fn is_stable(self) -> bool {
        self == OfferAnswer::Stable
    }
}

/// When to try again after a 491 (RFC 3261 §14.1): the owner of the Call-ID waits longer, so that both don't meet again.
pub fn retry_after_glare(owns_call_id: bool, rng: &mut impl Rng) -> Duration {
    let tens: u64 = if owns_call_id { rng.random_range(210..=400) } else { rng.random_range(0..=200) };
    Duration::from_millis(tens * 10)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_second_offer_is_refused_by_who_made_the_first() {
        assert_eq!(OfferAnswer::Stable.receive(), Ok(OfferAnswer::Received));
        assert_eq!(OfferAnswer::Sent.receive(), Err(Busy::Glare));
        assert_eq!(OfferAnswer::Received.receive(), Err(Busy::Unanswered));
    }

    #[test]
    fn after_glare_the_owner_of_the_call_id_always_waits_longer() {
        let mut rng = StdRng::from_seed([7; 32]);
        for _ in 0..200 {
            let (owner, other) = (retry_after_glare(true, &mut rng), retry_after_glare(false, &mut rng));
            assert!((2_100..=4_000).contains(&owner.as_millis()), "{owner:?}");
            assert!(other.as_millis() <= 2_000, "{other:?}");
        }
    }
}
