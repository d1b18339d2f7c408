//! A queue of timers by key: setting one again moves it, stopping one removes it.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::clock::Mono;

/// Holds at most one deadline a key, so its size is bounded by what it times. All operations are O(log n).
#[derive(Debug)]
pub struct Timers<K> {
    due: BTreeMap<(Mono, u64), K>,
    places: HashMap<K, (Mono, u64)>,
    /// Makes equal deadlines fire in the order in which they were set.
    set: u64,
}

impl<K: Copy + Eq + Hash> Timers<K> {
    pub fn start(&mut self, key: K, at: Mono) {
        self.stop(key);
        self.set += 1;
        self.due.insert((at, self.set), key);
        self.places.insert(key, (at, self.set));
    }

    pub fn stop(&mut self, key: K) {
        if let Some(place) = self.places.remove(&key) {
            self.due.remove(&place);
        }
    }

    /// The next timer that has run out at `now`, removed.
    pub fn pop(&mut self, now: Mono) -> Option<K> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let key = entry.remove();
        self.places.remove(&key);
        Some(key)
    }

    pub fn next(&self) -> Option<Mono> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many timers run.
    pub fn len(&self) -> usize {
        self.due.len()
    }
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers { due: BTreeMap::new(), places: HashMap::new(), set: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: u64) -> Mono {
        Mono::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn timers_fire_in_the_order_of_their_deadlines() {
        let mut timers = Timers::default();
        for (key, ms) in [('c', 30), ('a', 10), ('b', 10)] {
            timers.start(key, at(ms));
        }
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!([timers.pop(at(40)), timers.pop(at(40)), timers.pop(at(40))], [Some('a'), Some('b'), Some('c')]);
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn a_timer_that_is_set_again_fires_once_at_the_later_time() {
        let mut timers = Timers::default();
        timers.start('a', at(10));
        timers.start('a', at(20));
        assert_eq!((timers.len(), timers.pop(at(15)), timers.pop(at(20))), (1, None, Some('a')));
    }

    #[test]
    fn a_stopped_timer_leaves_nothing_behind() {
        let mut timers = Timers::default();
        timers.start('a', at(10));
        timers.stop('a');
        assert_eq!((timers.len(), timers.next(), timers.pop(at(99))), (0, None, None));
    }
}
