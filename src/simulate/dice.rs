//! Every chance of a simulated year, from one seed.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[derive(Debug)]
pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(StdRng::seed_from_u64(seed))
    }

    /// So many times in a thousand.
    pub fn permille(&mut self, of_a_thousand: u32) -> bool {
        self.below(1_000) < of_a_thousand
    }

    /// From 0 up to and without `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0.random_range(0..end)
    }

    /// From `low` to `high` minutes, to the second.
    pub fn minutes(&mut self, low: u32, high: u32) -> TimeDelta {
        TimeDelta::seconds((low * 60 + self.below((high - low) * 60 + 1)).into())
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let count = u32::try_from(from.len()).expect("short lists");
        &from[self.below(count) as usize]
    }

    /// One of them, by its weight.
    pub fn weighted<T: Copy>(&mut self, from: &[(T, u32)]) -> T {
        let weights: Vec<u32> = from.iter().map(|(_, weight)| *weight).collect();
        from[self.place(&weights)].0
    }

    /// The index of one of these weights.
    pub fn place(&mut self, weights: &[u32]) -> usize {
        let mut drawn = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return at;
            }
            drawn -= weight;
        }
        unreachable!("less than the sum was drawn")
    }
}
