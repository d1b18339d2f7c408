//! The INVITE server transaction: RFC 3261 §17.2.1 with RFC 6026 §7.1.

use std::time::Duration;

use super::{Action, Timer, Timing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The INVITE again.
    Request,
    /// The ACK to a non-2xx; one to a 2xx belongs to the core.
    Ack,
    Provisional(Vec<u8>),
    /// A 2xx, first or repeated by the core (RFC 3261 §13.3.1.4).
    Success(Vec<u8>),
    Failure(Vec<u8>),
    Expired(Timer),
    TransportFailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerInvite {
    /// Answers a repeated INVITE with the last provisional response.
    Proceeding {
        last: Option<Vec<u8>>,
    },
    /// Repeats the failure until the ACK comes.
    Completed {
        response: Vec<u8>,
        repeat: Duration,
    },
    /// Swallows repeated ACKs.
    Confirmed,
    /// Swallows repeated INVITEs while the core repeats the 2xx (RFC 6026 §7.1).
    Accepted,
    Terminated,
}

impl ServerInvite {
    pub fn start() -> ServerInvite {
        ServerInvite::Proceeding { last: None }
    }

    pub fn handle(self, input: Input, timing: &Timing, out: &mut Vec<Action>) -> ServerInvite {
        match self {
            ServerInvite::Proceeding { last } => proceeding(last, input, timing, out),
            ServerInvite::Completed { response, repeat } => completed(response, repeat, &input, timing, out),
            ServerInvite::Confirmed => match input {
                Input::Expired(Timer::I) => ServerInvite::Terminated,
                _ => ServerInvite::Confirmed,
            },
            ServerInvite::Accepted => accepted(input, out),
            ServerInvite::Terminated => ServerInvite::Terminated,
        }
    }

    /// Whether the INVITE has had no final response.
    pub fn is_proceeding(&self) -> bool {
        matches!(self, ServerInvite::Proceeding { .. })
    }

    pub fn is_terminated(&self) -> bool {
        matches!(self, ServerInvite::Terminated)
    }
}

fn proceeding(last: Option<Vec<u8>>, input: Input, timing: &Timing, out: &mut Vec<Action>) -> ServerInvite {
    match input {
        Input::Request => {
            out.extend(last.clone().map(Action::Transmit));
            ServerInvite::Proceeding { last }
        }
        Input::Provisional(response) => {
            out.push(Action::Transmit(response.clone()));
            ServerInvite::Proceeding { last: Some(response) }
        }
        // RFC 6026 §7.1: L replaces the immediate end of RFC 3261
        Input::Success(response) => {
            out.extend([Action::Transmit(response), Action::Start(Timer::L, timing.patience())]);
            ServerInvite::Accepted
        }
        Input::Failure(response) => {
            out.push(Action::Transmit(response.clone()));
            if !timing.reliable {
                out.push(Action::Start(Timer::G, timing.t1));
            }
            out.push(Action::Start(Timer::H, timing.patience()));
            ServerInvite::Completed { response, repeat: timing.t1 }
        }
        Input::TransportFailed => {
            out.push(Action::TransportFailed);
            ServerInvite::Terminated
        }
        Input::Ack | Input::Expired(_) => ServerInvite::Proceeding { last },
    }
}

fn completed(
    response: Vec<u8>,
    repeat: Duration,
    input: &Input,
    timing: &Timing,
    out: &mut Vec<Action>,
) -> ServerInvite {
    match input {
        Input::Request => out.push(Action::Transmit(response.clone())),
        Input::Expired(Timer::G) => {
            let repeat = (repeat * 2).min(timing.t2);
            out.extend([Action::Transmit(response.clone()), Action::Start(Timer::G, repeat)]);
            return ServerInvite::Completed { response, repeat };
        }
        Input::Ack => {
            out.extend([Action::Stop(Timer::G), Action::Stop(Timer::H)]);
            // §17.2.1: timer I is T4 over UDP, none over a reliable transport
            if timing.reliable {
                return ServerInvite::Terminated;
            }
            out.push(Action::Start(Timer::I, timing.t4));
            return ServerInvite::Confirmed;
        }
        Input::Expired(Timer::H) => {
            out.extend([Action::Stop(Timer::G), Action::TimedOut]);
            return ServerInvite::Terminated;
        }
        Input::TransportFailed => {
            out.extend([Action::Stop(Timer::G), Action::Stop(Timer::H), Action::TransportFailed]);
            return ServerInvite::Terminated;
        }
        Input::Provisional(_) | Input::Success(_) | Input::Failure(_) | Input::Expired(_) => {}
    }
    ServerInvite::Completed { response, repeat }
}

fn accepted(input: Input, out: &mut Vec<Action>) -> ServerInvite {
    match input {
        Input::Success(response) => {
            out.push(Action::Transmit(response));
            ServerInvite::Accepted
        }
        Input::Ack => {
            out.push(Action::Deliver);
            ServerInvite::Accepted
        }
        Input::Expired(Timer::L) => ServerInvite::Terminated,
        _ => ServerInvite::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TCP, UDP, bytes, words};
    use super::*;

    fn run(timing: &Timing, inputs: Vec<Input>) -> (ServerInvite, Vec<String>) {
        let mut out = Vec::new();
        let machine =
            inputs.into_iter().fold(ServerInvite::start(), |machine, input| machine.handle(input, timing, &mut out));
        (machine, words(&out))
    }

    #[test]
    fn a_repeated_invite_gets_the_last_provisional_response() {
        let (_, out) = run(
            &UDP,
            vec![Input::Request, Input::Provisional(bytes("100")), Input::Provisional(bytes("180")), Input::Request],
        );
        assert_eq!(out, ["send 100", "send 180", "send 180"]);
    }

    #[test]
    fn a_failure_is_repeated_by_timer_g_up_to_t2_until_the_ack() {
        let mut inputs = vec![Input::Failure(bytes("486"))];
        inputs.extend([const { Input::Expired(Timer::G) }; 4]);
        inputs.extend([Input::Request, Input::Ack]);
        let (machine, out) = run(&UDP, inputs);
        assert_eq!(out[..3], ["send 486", "start G 500", "start H 32000"]);
        let starts: Vec<_> = out.iter().filter(|word| word.starts_with("start G")).collect();
        assert_eq!(starts, ["start G 500", "start G 1000", "start G 2000", "start G 4000", "start G 4000"]);
        assert_eq!(out[out.len() - 4..], ["send 486", "stop G", "stop H", "start I 5000"]);
        assert!(machine.handle(Input::Expired(Timer::I), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn over_tcp_a_failure_is_sent_once_and_the_ack_ends_it() {
        let (machine, out) = run(&TCP, vec![Input::Failure(bytes("486")), Input::Ack]);
        assert_eq!(out, ["send 486", "start H 32000", "stop G", "stop H"]);
        assert!(machine.is_terminated());
    }

    #[test]
    fn timer_h_gives_up_waiting_for_the_ack() {
        let (machine, out) = run(&UDP, vec![Input::Failure(bytes("486")), Input::Expired(Timer::H)]);
        assert_eq!((machine.is_terminated(), out.last().map(String::as_str)), (true, Some("timed out")));
    }

    #[test]
    fn an_accepted_invite_swallows_repeats_and_passes_the_cores_200_on() {
        let (machine, out) =
            run(&UDP, vec![Input::Success(bytes("200")), Input::Request, Input::Success(bytes("200")), Input::Ack]);
        assert_eq!(out, ["send 200", "start L 32000", "send 200", "deliver"]);
        assert!(machine.handle(Input::Expired(Timer::L), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn a_second_final_response_changes_nothing() {
        let (machine, out) = run(&TCP, vec![Input::Failure(bytes("486")), Input::Success(bytes("200"))]);
        assert_eq!(machine, ServerInvite::Completed { response: bytes("486"), repeat: TCP.t1 });
        assert_eq!(out.len(), 2);
    }
}
