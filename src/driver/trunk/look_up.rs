//! Look-ups of trunks' names, beside everything else: a name server that is away holds nothing up.

use std::sync::{Arc, Mutex, PoisonError};

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::driver::dns::Dns;
use crate::sip::Uri;
use crate::sip::target::Destination;

/// Which of a trunk's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Registrar,
    /// Where OPTIONS and calls out go.
    Way,
}

/// What came of a look-up.
#[derive(Debug)]
pub(super) struct Found {
    /// The trunk's position.
    pub at: usize,
    pub place: Place,
    /// Best first; none when the name leads nowhere.
    pub destinations: Vec<Destination>,
}

#[derive(Debug)]
pub(super) struct LookUps {
    dns: Arc<Dns>,
    running: JoinSet<Found>,
}

impl Default for LookUps {
    fn default() -> LookUps {
        LookUps { dns: Arc::new(Dns::of_the_system()), running: JoinSet::new() }
    }
}

impl LookUps {
    pub fn begin(&mut self, at: usize, place: Place, uri: &Uri, random: &Mutex<StdRng>) {
        let seed = random.lock().unwrap_or_else(PoisonError::into_inner).random();
        let (dns, uri) = (Arc::clone(&self.dns), uri.clone());
        self.running.spawn(async move {
            // a URI that can't be sent to is refused when the trunk is set up
            Found { at, place, destinations: dns.resolve(&uri, seed).await.unwrap_or_default() }
        });
    }

    /// The next that ends; none while none runs.
    pub async fn next(&mut self) -> Option<Found> {
        self.running.join_next().await?.ok()
    }
}
