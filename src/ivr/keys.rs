//! What a key does in a menu and in a number.

use super::event::Action;
use super::flow::{Choice, Collect, Menu, Misses, Node, NodeIndex, Slot};
use super::state::Phase;
use super::step::Walk;
use crate::digit::Digit;
use crate::phone::Phone;

/// More keys typed ahead than this are dropped.
const MOST_AHEAD: usize = 16;

#[derive(Clone, Copy)]
pub(super) enum Miss {
    Timeout,
    Invalid,
}

impl<'f> Walk<'f> {
    /// Where the key leads; `None` when the menu goes on.
    pub(super) fn choose(&mut self, menu: &'f Menu, digit: Digit) -> Option<NodeIndex> {
        let chosen = |choice: &&Choice| Some(choice.key) == digit.number() && self.known.offers(choice);
        match menu.choices.iter().find(chosen) {
            Some(choice @ Choice { to, set, .. }) => {
                self.note(set);
                self.known.note_topic(choice);
                if to.is_none() {
                    self.known.misses = 0;
                    self.known.ahead.clear();
                    self.present(Vec::new(), self.current());
                }
                *to
            }
            None => self.miss(Miss::Invalid, &menu.misses, self.current()),
        }
    }

    /// Takes a key of a number. Where it leads; `None` when more keys are wanted.
    pub(super) fn collect(&mut self, collect: &'f Collect, digit: Digit) -> Option<NodeIndex> {
        let finished = digit == Digit::STAR || digit == Digit::POUND;
        if digit.number().is_none() && (!finished || self.known.typed.is_empty()) {
            return None;
        }
        self.quiet();
        if !finished {
            self.known.typed.push(digit.as_char());
            if self.known.typed.len() < usize::from(collect.digits) {
                self.listen(collect.misses.between_keys_ms);
                return None;
            }
        }
        let typed = std::mem::take(&mut self.known.typed);
        if typed.len() == usize::from(collect.digits) && self.take_number(collect.into, typed) {
            return Some(collect.done);
        }
        self.miss(Miss::Invalid, &collect.misses, self.current())
    }

    /// False when it is no such number.
    fn take_number(&mut self, slot: Slot, typed: String) -> bool {
        match slot {
            Slot::Phone => {
                // a mobile number, or a landline with its area code
                let phone = Phone::parse(&typed).filter(|_| typed.starts_with(['0', '1']));
                let valid = phone.is_some();
                self.known.matter.phone = phone.or(self.known.matter.phone.take());
                valid
            }
            Slot::Ticket => {
                self.known.ticket = typed.parse().ok();
                self.known.ticket.is_some()
            }
            Slot::LastFour => {
                self.known.last_four = typed;
                true
            }
        }
    }

    /// A wrong or missing key: once more, or the last words before the flow goes on.
    pub(super) fn miss(&mut self, miss: Miss, misses: &'f Misses, node: &'f Node) -> Option<NodeIndex> {
        self.known.misses = self.known.misses.saturating_add(1).min(misses.tries);
        self.known.typed.clear();
        self.known.ahead.clear();
        let (say, to) = match miss {
            Miss::Timeout => (&misses.timeout_say, misses.timeout),
            Miss::Invalid => (&misses.invalid_say, misses.invalid),
        };
        let utterances = self.known.utterances(say);
        if self.known.misses < misses.tries {
            self.present(utterances, node);
            return None;
        }
        if utterances.is_empty() {
            return Some(to);
        }
        self.phase = Phase::Parting { to };
        self.out.push(Action::Say { utterances, interruptible: true });
        None
    }

    /// Keeps a key for the next question; false when it is none that a question takes.
    pub(super) fn carry(&mut self, digit: Digit) -> bool {
        let number = digit.number().is_some();
        if number && self.known.ahead.len() < MOST_AHEAD {
            self.known.ahead.push(digit);
        }
        number
    }
}
