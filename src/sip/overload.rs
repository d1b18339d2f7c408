//! What is let in when many come (RFC 5390): a clear answer first, silence when answering is the load.

/// The sizes that are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub transactions: usize,
    pub legs: usize,
    pub half_open: usize,
}

/// What stands at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Server transactions.
    pub transactions: usize,
    pub legs: usize,
    pub half_open: usize,
}

/// What becomes of a new request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Admit,
    /// 503 without a transaction, so that it costs no memory.
    Refuse,
    /// 486: no line is free.
    Busy,
    Drop,
}

impl Limits {
    /// For a request outside every dialog; `invite` if it would make a leg.
    pub fn outside(&self, load: Load, invite: bool) -> Verdict {
        if load.transactions >= self.transactions {
            return Verdict::Refuse;
        }
        match invite {
            true if load.half_open >= self.half_open => Verdict::Refuse,
            true if load.legs >= self.legs => Verdict::Busy,
            _ => Verdict::Admit,
        }
    }

    /// For a request inside a call: served until twice the limit, then dropped, so that the peer repeats it.
    pub fn inside(&self, load: Load) -> Verdict {
        if load.transactions >= self.transactions.saturating_mul(2) { Verdict::Drop } else { Verdict::Admit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { transactions: 10, legs: 5, half_open: 3 };

    #[test]
    fn new_calls_are_refused_before_calls_that_run() {
        for (transactions, legs, half_open, outside, inside) in [
            (9, 4, 2, Verdict::Admit, Verdict::Admit),
            (9, 5, 2, Verdict::Busy, Verdict::Admit),
            (9, 4, 3, Verdict::Refuse, Verdict::Admit),
            (10, 0, 0, Verdict::Refuse, Verdict::Admit),
            (20, 0, 0, Verdict::Refuse, Verdict::Drop),
        ] {
            let load = Load { transactions, legs, half_open };
            assert_eq!((LIMITS.outside(load, true), LIMITS.inside(load)), (outside, inside), "{load:?}");
        }
    }
}
