//! In which order trunks are tried.

use rand::RngExt;
use rand::rngs::StdRng;

/// A trunk's place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Lower ones come first.
    pub priority: u16,
    /// At least 1: the share among those of one priority.
    pub weight: u16,
}

/// The positions of all trunks, the one to try first at the front: by priority, and drawn by weight within one.
pub fn order(ranks: &[Rank], random: &mut StdRng) -> Vec<usize> {
    let mut left: Vec<usize> = (0..ranks.len()).collect();
    left.sort_by_key(|at| ranks[*at].priority);
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = ranks[*first].priority;
        let alike = left.iter().take_while(|at| ranks[**at].priority == priority);
        let total: u32 = alike.map(|at| u32::from(ranks[*at].weight)).sum();
        let drawn = random.random_range(0..total.max(1));
        let mut sum = 0;
        let at = left.iter().position(|at| {
            sum += u32::from(ranks[*at].weight);
            drawn < sum
        });
        ordered.push(left.remove(at.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn firsts(ranks: &[Rank], draws: u32) -> Vec<u32> {
        let mut random = StdRng::from_seed([7; 32]);
        let mut firsts = vec![0; ranks.len()];
        for _ in 0..draws {
            firsts[order(ranks, &mut random)[0]] += 1;
        }
        firsts
    }

    const fn rank(priority: u16, weight: u16) -> Rank {
        Rank { priority, weight }
    }

    #[test]
    fn a_lower_priority_goes_before_any_weight() {
        let ranks = [rank(20, 1_000), rank(10, 1), rank(30, 1_000)];
        assert_eq!(order(&ranks, &mut StdRng::from_seed([1; 32])), [1, 0, 2]);
        assert_eq!(firsts(&ranks, 1_000), [0, 1_000, 0]);
    }

    #[test]
    fn within_one_priority_each_is_first_by_its_weight() {
        let firsts = firsts(&[rank(10, 3), rank(20, 5), rank(10, 1)], 10_000);
        assert_eq!(firsts[1], 0);
        assert!((7_200..7_800).contains(&firsts[0]), "{firsts:?}");
        assert_eq!(firsts[0] + firsts[2], 10_000);
    }

    #[test]
    fn everyone_is_tried_once() {
        let mut all = order(&[rank(1, 1), rank(1, 9), rank(0, 2), rank(1, 4)], &mut StdRng::from_seed([2; 32]));
        assert_eq!(all[0], 2);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        assert_eq!(order(&[], &mut StdRng::from_seed([2; 32])), Vec::<usize>::new());
    }
}
