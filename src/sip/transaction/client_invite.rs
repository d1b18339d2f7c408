//! The INVITE client transaction: RFC 3261 §17.1.1 with RFC 6026 §7.2.

use std::time::Duration;

use super::{Action, Timer, Timing};

/// What can happen to it. A failure brings the ACK that answers it (§17.1.1.3), since the ACK belongs to the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Provisional,
    Success,
    Failure {
        ack: Vec<u8>,
    },
    Expired(Timer),
    TransportFailed,
    /// A cancelled INVITE got no final response within 64*T1 (§9.1).
    Abandon,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientInvite {
    Calling {
        request: Vec<u8>,
        repeat: Duration,
    },
    Proceeding,
    /// Repeats the ACK to every repeated failure.
    Completed {
        ack: Vec<u8>,
    },
    /// Passes every 2xx up, which the core acknowledges; forks arrive here too (RFC 6026 §7.2).
    Accepted,
    Terminated,
}

impl ClientInvite {
    /// Sends the INVITE; timers A and B (§17.1.1.2).
    pub fn start(request: Vec<u8>, timing: &Timing, out: &mut Vec<Action>) -> ClientInvite {
        out.push(Action::Transmit(request.clone()));
        if !timing.reliable {
            out.push(Action::Start(Timer::A, timing.t1));
        }
        out.push(Action::Start(Timer::B, timing.patience()));
        ClientInvite::Calling { request, repeat: timing.t1 }
    }

    pub fn handle(self, input: Input, timing: &Timing, out: &mut Vec<Action>) -> ClientInvite {
        match self {
            ClientInvite::Calling { request, repeat } => calling(request, repeat, input, timing, out),
            ClientInvite::Proceeding => proceeding(input, timing, out),
            ClientInvite::Completed { ack } => completed(ack, &input, out),
            ClientInvite::Accepted => accepted(&input, out),
            ClientInvite::Terminated => ClientInvite::Terminated,
        }
    }

    pub fn is_terminated(&self) -> bool {
        matches!(self, ClientInvite::Terminated)
    }
}

fn calling(request: Vec<u8>, repeat: Duration, input: Input, timing: &Timing, out: &mut Vec<Action>) -> ClientInvite {
    match input {
        // §17.1.1.2: A doubles each time
        Input::Expired(Timer::A) => {
            out.push(Action::Transmit(request.clone()));
            out.push(Action::Start(Timer::A, repeat * 2));
            ClientInvite::Calling { request, repeat: repeat * 2 }
        }
        Input::Expired(Timer::B) => {
            out.extend([Action::Stop(Timer::A), Action::TimedOut]);
            ClientInvite::Terminated
        }
        Input::Expired(_) => ClientInvite::Calling { request, repeat },
        Input::Provisional | Input::Success | Input::Failure { .. } | Input::TransportFailed | Input::Abandon => {
            out.extend([Action::Stop(Timer::A), Action::Stop(Timer::B)]);
            proceeding(input, timing, out)
        }
    }
}

fn proceeding(input: Input, timing: &Timing, out: &mut Vec<Action>) -> ClientInvite {
    match input {
        Input::Provisional => {
            out.push(Action::Deliver);
            ClientInvite::Proceeding
        }
        // RFC 6026 §7.2
        Input::Success => {
            out.extend([Action::Start(Timer::M, timing.patience()), Action::Deliver]);
            ClientInvite::Accepted
        }
        // §17.1.1.2: timer D is at least 32 s over UDP, none over a reliable transport
        Input::Failure { ack } => {
            out.push(Action::Transmit(ack.clone()));
            if timing.reliable {
                out.push(Action::Deliver);
                return ClientInvite::Terminated;
            }
            out.extend([Action::Start(Timer::D, timing.patience()), Action::Deliver]);
            ClientInvite::Completed { ack }
        }
        // §17.1.4
        Input::TransportFailed => {
            out.push(Action::TransportFailed);
            ClientInvite::Terminated
        }
        Input::Abandon => ClientInvite::Terminated,
        Input::Expired(_) => ClientInvite::Proceeding,
    }
}

fn completed(ack: Vec<u8>, input: &Input, out: &mut Vec<Action>) -> ClientInvite {
    match input {
        Input::Failure { .. } => {
            out.push(Action::Transmit(ack.clone()));
            ClientInvite::Completed { ack }
        }
        Input::Expired(Timer::D) => ClientInvite::Terminated,
        Input::TransportFailed | Input::Abandon => {
            out.push(Action::Stop(Timer::D));
            ClientInvite::Terminated
        }
        Input::Provisional | Input::Success | Input::Expired(_) => ClientInvite::Completed { ack },
    }
}

fn accepted(input: &Input, out: &mut Vec<Action>) -> ClientInvite {
    match input {
        Input::Success => {
            out.push(Action::Deliver);
            ClientInvite::Accepted
        }
        Input::Expired(Timer::M) => ClientInvite::Terminated,
        _ => ClientInvite::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TCP, UDP, bytes, words};
    use super::*;

    fn failure() -> Input {
        Input::Failure { ack: bytes("ACK") }
    }

    fn run(timing: &Timing, inputs: impl IntoIterator<Item = Input>) -> (ClientInvite, Vec<String>) {
        let mut machine = ClientInvite::start(bytes("INVITE"), timing, &mut Vec::new());
        let mut out = Vec::new();
        for input in inputs {
            machine = machine.handle(input, timing, &mut out);
        }
        (machine, words(&out))
    }

    #[test]
    fn an_invite_starts_timers_a_and_b_over_udp_and_b_alone_over_tcp() {
        for (timing, expected) in
            [(UDP, vec!["send INVITE", "start A 500", "start B 32000"]), (TCP, vec!["send INVITE", "start B 32000"])]
        {
            let mut out = Vec::new();
            ClientInvite::start(bytes("INVITE"), &timing, &mut out);
            assert_eq!(words(&out), expected);
        }
    }

    #[test]
    fn timer_a_repeats_the_invite_and_doubles() {
        let (_, out) = run(&UDP, [Input::Expired(Timer::A), Input::Expired(Timer::A)]);
        assert_eq!(out, ["send INVITE", "start A 1000", "send INVITE", "start A 2000"]);
    }

    #[test]
    fn timer_b_gives_up() {
        let (machine, out) = run(&UDP, [Input::Expired(Timer::B)]);
        assert_eq!((machine, out), (ClientInvite::Terminated, vec!["stop A".into(), "timed out".into()]));
    }

    #[test]
    fn a_provisional_response_ends_the_repeating_for_good() {
        let (machine, out) = run(&UDP, [Input::Provisional, Input::Expired(Timer::B), Input::Provisional]);
        assert_eq!(machine, ClientInvite::Proceeding);
        assert_eq!(out, ["stop A", "stop B", "deliver", "deliver"]);
    }

    #[test]
    fn every_success_is_delivered_until_timer_m() {
        let (machine, out) = run(&UDP, [Input::Provisional, Input::Success, Input::Success, failure()]);
        assert_eq!(machine, ClientInvite::Accepted);
        assert_eq!(out[3..], ["start M 32000", "deliver", "deliver"]);
        assert!(machine.handle(Input::Expired(Timer::M), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn a_failure_is_delivered_once_and_acknowledged_each_time() {
        let (machine, out) = run(&UDP, [failure(), failure(), Input::Success]);
        assert_eq!(machine, ClientInvite::Completed { ack: bytes("ACK") });
        assert_eq!(out[2..], ["send ACK", "start D 32000", "deliver", "send ACK"]);
        assert!(machine.handle(Input::Expired(Timer::D), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn over_tcp_a_failure_ends_the_transaction_at_once() {
        let (machine, out) = run(&TCP, [failure()]);
        assert_eq!(out[2..], ["send ACK", "deliver"]);
        assert!(machine.is_terminated());
    }

    #[test]
    fn a_failed_transport_is_reported_before_a_final_response_only() {
        let (machine, out) = run(&UDP, [Input::Provisional, Input::TransportFailed]);
        assert_eq!((machine.is_terminated(), out.last().map(String::as_str)), (true, Some("transport failed")));
        let (machine, out) = run(&UDP, [failure(), Input::TransportFailed]);
        assert_eq!((machine.is_terminated(), out.last().map(String::as_str)), (true, Some("stop D")));
    }
}
