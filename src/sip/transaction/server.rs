//! The non-INVITE server transaction: RFC 3261 §17.2.2.

use super::{Action, Timer, Timing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The request again.
    Request,
    Final(Vec<u8>),
    Expired(Timer),
    TransportFailed,
}

/// Has no Proceeding state: we send no 1xx to a non-INVITE request (RFC 4320 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    Trying,
    /// Answers a repeated request with the same response.
    Completed {
        response: Vec<u8>,
    },
    Terminated,
}

impl Server {
    pub fn handle(self, input: Input, timing: &Timing, out: &mut Vec<Action>) -> Server {
        match (self, input) {
            // §17.2.2: timer J is 64*T1 over UDP, none over a reliable transport
            (Server::Trying, Input::Final(response)) => {
                out.push(Action::Transmit(response.clone()));
                if timing.reliable {
                    return Server::Terminated;
                }
                out.push(Action::Start(Timer::J, timing.patience()));
                Server::Completed { response }
            }
            (Server::Completed { response }, Input::Request) => {
                out.push(Action::Transmit(response.clone()));
                Server::Completed { response }
            }
            (Server::Completed { .. }, Input::Expired(Timer::J)) => Server::Terminated,
            (Server::Trying, Input::TransportFailed) => {
                out.push(Action::TransportFailed);
                Server::Terminated
            }
            (Server::Completed { .. }, Input::TransportFailed) => {
                out.push(Action::Stop(Timer::J));
                Server::Terminated
            }
            (machine, _) => machine,
        }
    }

    pub fn is_terminated(&self) -> bool {
        matches!(self, Server::Terminated)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TCP, UDP, bytes, words};
    use super::*;

    fn run(timing: &Timing, inputs: Vec<Input>) -> (Server, Vec<String>) {
        let mut out = Vec::new();
        let machine = inputs.into_iter().fold(Server::Trying, |machine, input| machine.handle(input, timing, &mut out));
        (machine, words(&out))
    }

    #[test]
    fn a_repeated_request_gets_the_same_response_until_timer_j() {
        let (machine, out) = run(&UDP, vec![Input::Request, Input::Final(bytes("200")), Input::Request]);
        assert_eq!(out, ["send 200", "start J 32000", "send 200"]);
        assert!(machine.handle(Input::Expired(Timer::J), &UDP, &mut Vec::new()).is_terminated());
    }

    #[test]
    fn over_tcp_the_response_ends_it() {
        let (machine, out) = run(&TCP, vec![Input::Final(bytes("200"))]);
        assert_eq!((machine, out), (Server::Terminated, vec!["send 200".to_owned()]));
    }

    #[test]
    fn a_second_response_is_not_sent() {
        let (_, out) = run(&UDP, vec![Input::Final(bytes("200")), Input::Final(bytes("500"))]);
        assert_eq!(out, ["send 200", "start J 32000"]);
    }
}
