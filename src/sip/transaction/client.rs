//! The non-INVITE client transaction: RFC 3261 §17.1.2.

use std::time::Duration;

use super::{Action, Timer, Timing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Provisional,
    Final,
    Expired(Timer),
    TransportFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    Trying {
        request: Vec<u8>,
        repeat: Duration,
    },
    Proceeding {
        request: Vec<u8>,
    },
    /// Swallows repeated responses.
    Completed,
    Terminated,
}

impl Client {
    /// Sends the request; timers E and F (§17.1.2.2).
    pub fn start(request: Vec<u8>, timing: &Timing, out: &mut Vec<Action>) -> Client {
        out.push(Action::Transmit(request.clone()));
        if !timing.reliable {
            out.push(Action::Start(Timer::E, timing.t1));
        }
        out.push(Action::Start(Timer::F, timing.patience()));
        Client::Trying { request, repeat: timing.t1 }
    }

    pub fn handle(self, input: Input, timing: &Timing, out: &mut Vec<Action>) -> Client {
        match (self, input) {
            (Client::Trying { request, repeat }, Input::Expired(Timer::E)) => {
                let repeat = (repeat * 2).min(timing.t2);
                out.extend([Action::Transmit(request.clone()), Action::Start(Timer::E, repeat)]);
                Client::Trying { request, repeat }
            }
            // §17.1.2.2: in Proceeding the request is repeated every T2
            (Client::Proceeding { request }, Input::Expired(Timer::E)) => {
                out.extend([Action::Transmit(request.clone()), Action::Start(Timer::E, timing.t2)]);
                Client::Proceeding { request }
            }
            (Client::Trying { request, .. } | Client::Proceeding { request }, Input::Provisional) => {
                out.push(Action::Deliver);
                Client::Proceeding { request }
            }
            (Client::Trying { .. } | Client::Proceeding { .. }, Input::Final) => completed(timing, out),
            (Client::Trying { .. } | Client::Proceeding { .. }, Input::Expired(Timer::F)) => {
                out.extend([Action::Stop(Timer::E), Action::TimedOut]);
                Client::Terminated
            }
            (Client::Trying { .. } | Client::Proceeding { .. }, Input::TransportFailed) => {
                out.extend([Action::Stop(Timer::E), Action::Stop(Timer::F), Action::TransportFailed]);
                Client::Terminated
            }
            (Client::Completed, Input::Expired(Timer::K)) => Client::Terminated,
            (machine, _) => machine,
        }
    }

    pub fn is_terminated(&self) -> bool {
        matches!(self, Client::Terminated)
    }
}

/// §17.1.2.2: timer K is T4 over UDP and none over a reliable transport.
fn completed(timing: &Timing, out: &mut Vec<Action>) -> Client {
    out.extend([Action::Stop(Timer::E), Action::Stop(Timer::F)]);
    if timing.reliable {
        out.push(Action::Deliver);
        return Client::Terminated;
    }
    out.extend([Action::Start(Timer::K, timing.t4), Action::Deliver]);
    Client::Completed
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TCP, UDP, bytes, words};
    use super::*;

    fn run(timing: &Timing, inputs: &[Input]) -> (Client, Vec<String>) {
        let mut out = Vec::new();
        let mut machine = Client::start(bytes("BYE"), timing, &mut out);
        for input in inputs {
            machine = machine.handle(*input, timing, &mut out);
        }
        (machine, words(&out))
    }

    #[test]
    fn timer_e_doubles_up_to_t2() {
        let (_, out) = run(&UDP, &[Input::Expired(Timer::E); 5]);
        let starts: Vec<_> = out.iter().filter(|word| word.starts_with("start E")).collect();
        assert_eq!(
            starts,
            ["start E 500", "start E 1000", "start E 2000", "start E 4000", "start E 4000", "start E 4000"]
        );
    }

    #[test]
    fn a_provisional_response_slows_the_repeating_to_t2() {
        let (machine, out) = run(&UDP, &[Input::Provisional, Input::Expired(Timer::E)]);
        assert_eq!(machine, Client::Proceeding { request: bytes("BYE") });
        assert_eq!(out[3..], ["deliver", "send BYE", "start E 4000"]);
    }

    #[test]
    fn a_final_response_is_delivered_once_and_timer_k_ends_it() {
        let (machine, out) = run(&UDP, &[Input::Final, Input::Final, Input::Provisional]);
        assert_eq!(out[3..], ["stop E", "stop F", "start K 5000", "deliver"]);
        assert!(machine.handle(Input::Expired(Timer::K), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn over_tcp_nothing_is_repeated_and_a_final_response_ends_it() {
        let (machine, out) = run(&TCP, &[Input::Final]);
        assert_eq!(out, ["send BYE", "start F 32000", "stop E", "stop F", "deliver"]);
        assert!(machine.is_terminated());
    }

    #[test]
    fn timer_f_gives_up_in_both_states() {
        for inputs in [&[Input::Expired(Timer::F)][..], &[Input::Provisional, Input::Expired(Timer::F)]] {
            let (machine, out) = run(&UDP, inputs);
            assert_eq!((machine.is_terminated(), out.last().map(String::as_str)), (true, Some("timed out")));
        }
    }

    #[test]
    fn a_failed_transport_is_reported_before_a_final_response_only() {
        let (machine, out) = run(&UDP, &[Input::TransportFailed]);
        assert_eq!((machine.is_terminated(), out.last().map(String::as_str)), (true, Some("transport failed")));
        assert_eq!(run(&UDP, &[Input::Final, Input::TransportFailed]).0, Client::Completed);
    }
}
