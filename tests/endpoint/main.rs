//! One endpoint against written messages: what is answered to what (RFC 3261 §8.2, §9.2, §12-§15, RFC 3262, RFC 4028).

mod bench;
mod incoming;
mod noise;
mod outgoing;
mod refusals;
