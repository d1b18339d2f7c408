//! A binding at a trunk's registrar, kept fresh (RFC 3261 §10.2).
//!
//! One Contact, one Call-ID for as long as it lives, CSeq rising. Requests come out without Via: who sends them adds it
//! and sends each in a client transaction. A redirection is a failure, never followed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::auth::{Account, Digest, Unanswered};
use super::message::{Headers, Method, Request, Response, Uri};
use super::wire::Fields;
use super::wire::value::{NameAddr, delta_seconds};
use crate::clock::Mono;

/// First wait after a failure; each failure in a row doubles it.
const BACKOFF: Duration = Duration::from_secs(5);
const BACKOFF_AT_MOST: Duration = Duration::from_secs(300);
/// The longest that a Retry-After is obeyed.
const RETRY_AFTER_AT_MOST: Duration = Duration::from_secs(3600);
/// The longest binding that a 423 may make us ask for.
const EXPIRES_AT_MOST_S: u32 = 86_400;
/// A binding is refreshed at a random point between these percentages of its time.
const REFRESH_PERCENT: std::ops::RangeInclusive<u64> = 60..=80;
/// Challenges and 423s answered in a row before it counts as a failure.
const MAX_CORRECTIONS: u8 = 4;

/// Whom to register where.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Request-URI: `sip:registrar.example`.
    pub registrar: Uri,
    /// From and To: `sip:user@registrar.example`.
    pub address_of_record: Uri,
    /// Where we are to be reached.
    pub contact: Uri,
    pub expires_s: u32,
    pub accounts: Vec<Account>,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this, then tell [`Registration::handle_response`] or [`Registration::handle_failure`] what came of it.
    Send(Box<Request>),
    /// Nothing before this time.
    Wait(Mono),
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bound until then, if it isn't refreshed before.
    Registered { until: Mono },
    /// Not bound by this attempt; an older binding may live on. Without a status nobody answered.
    Failed { status: Option<u16>, retry_at: Mono },
    /// A 200 that doesn't list our Contact: the registrar has dropped it or never took it.
    Lost { retry_at: Mono },
    /// Taken back, or given up while leaving. Nothing more happens.
    Unregistered,
}

/// One registration at one registrar.
#[derive(Debug)]
pub struct Registration {
    config: Config,
    state: State,
    leaving: bool,
    /// The end of the last binding that was granted.
    bound_until: Option<Mono>,
    expires_s: u32,
    failures: u32,
    corrections: u8,
    cseq: u32,
    call_id: String,
    from_tag: String,
    digest: Option<Digest>,
    random: StdRng,
}

#[derive(Debug)]
enum State {
    /// The next request goes out then.
    Due(Mono),
    /// A request is on its way.
    Waiting(Box<Request>),
    Over,
}

impl Registration {
    /// Registers at the first [`Registration::poll`].
    pub fn new(config: Config, seed: [u8; 32]) -> Registration {
        let mut random = StdRng::from_seed(seed);
        let call_id = format!("{:032x}", random.random::<u128>());
        let from_tag = format!("{:016x}", random.random::<u64>());
        let mut registration = Registration {
            expires_s: config.expires_s,
            config,
            state: State::Due(Mono::ZERO),
            leaving: false,
            bound_until: None,
            failures: 0,
            corrections: 0,
            cseq: 0,
            call_id,
            from_tag,
            digest: None,
            random,
        };
        let accounts = registration.config.accounts.clone();
        let seed = registration.random.random();
        registration.digest = Digest::beginning_with(&registration.request(), accounts, seed);
        registration
    }

    /// The next thing to do; `None` while a request is on its way, and at the end.
    pub fn poll(&mut self, now: Mono) -> Option<Action> {
        let State::Due(at) = self.state else { return None };
        if at > now {
            return Some(Action::Wait(at));
        }
        self.cseq += 1;
        let mut request = self.request();
        if let Some(digest) = &mut self.digest {
            digest.authorize(&mut request);
        }
        self.state = State::Waiting(Box::new(request.clone()));
        Some(Action::Send(Box::new(request)))
    }

    /// The response to the request on its way; provisional ones, and what answers an earlier request, change nothing.
    pub fn handle_response(&mut self, now: Mono, response: &Response) -> Option<Event> {
        let State::Waiting(request) = &self.state else { return None };
        let status = response.status.code();
        if status < 200 || response.headers.cseq().map(|cseq| cseq.number) != Some(self.cseq) {
            return None;
        }
        match status {
            200..300 => Some(self.granted(now, &response.headers)),
            401 | 407 => {
                let answered = match &mut self.digest {
                    Some(digest) => digest.answer(request, response),
                    None => Err(Unanswered::UnknownRealm),
                };
                self.corrected(now, answered.is_ok(), response)
            }
            423 => {
                let longer = self.longer(&response.headers);
                self.expires_s = longer.unwrap_or(self.expires_s);
                self.corrected(now, longer.is_some(), response)
            }
            _ => Some(self.failed(now, Some(response))),
        }
    }

    /// No response came, or the hop failed.
    pub fn handle_failure(&mut self, now: Mono) -> Option<Event> {
        matches!(self.state, State::Waiting(_)).then(|| self.failed(now, None))
    }

    /// Takes the binding back (Expires: 0). Registered elsewhere or not, it ends with [`Event::Unregistered`]; at once when
    /// there is nothing to take back.
    pub fn unregister(&mut self, now: Mono) -> Option<Event> {
        self.leaving = true;
        self.corrections = 0;
        if matches!(self.state, State::Waiting(_)) {
            return None;
        }
        if self.is_bound(now) && matches!(self.state, State::Due(_)) {
            self.state = State::Due(now);
            return None;
        }
        self.state = State::Over;
        Some(Event::Unregistered)
    }

    /// Whether the last binding that was granted has not run out.
    pub fn is_bound(&self, now: Mono) -> bool {
        self.bound_until.is_some_and(|until| until > now)
    }

    fn request(&self) -> Request {
        let mut headers = Headers::default();
        headers.add("Max-Forwards", "70");
        headers.add("From", format!("<{}>;tag={}", self.config.address_of_record, self.from_tag));
        headers.add("To", format!("<{}>", self.config.address_of_record));
        headers.add("Call-ID", self.call_id.as_str());
        headers.add("CSeq", format!("{} REGISTER", self.cseq));
        headers.add("Contact", format!("<{}>", self.config.contact));
        headers.add("Expires", if self.leaving { 0 } else { self.expires_s }.to_string());
        Request { method: Method::Register, uri: self.config.registrar.clone(), headers, body: Vec::new() }
    }

    fn granted(&mut self, now: Mono, headers: &Headers) -> Event {
        let asked_to_leave = self.asked_to_leave();
        self.corrections = 0;
        if asked_to_leave {
            self.state = State::Over;
            self.bound_until = None;
            return Event::Unregistered;
        }
        let Some(seconds) = self.granted_seconds(headers).filter(|seconds| *seconds > 0) else {
            self.bound_until = None;
            return match self.back_off(now, None) {
                Some(retry_at) => Event::Lost { retry_at },
                None => Event::Unregistered,
            };
        };
        self.failures = 0;
        let time = Duration::from_secs(seconds.into());
        let until = now + time;
        self.bound_until = Some(until);
        let part = time * u32::try_from(self.random.random_range(REFRESH_PERCENT)).unwrap_or(60) / 100;
        self.state = State::Due(if self.leaving { now } else { now + part });
        Event::Registered { until }
    }

    /// Whether the request on its way was the one that takes the binding back.
    fn asked_to_leave(&self) -> bool {
        matches!(&self.state, State::Waiting(request) if request.headers.expires() == Some(0))
    }

    /// Our Contact's own time, else that of all (RFC 3261 §10.2.4); `None` when ours is not in the list.
    fn granted_seconds(&self, headers: &Headers) -> Option<u32> {
        let ours = headers.contacts().find(|contact| self.is_ours(contact))?;
        ours.expires().or(headers.expires()).or(Some(self.expires_s))
    }

    fn is_ours(&self, contact: &NameAddr<'_>) -> bool {
        let (theirs, ours) = (contact.uri(), &self.config.contact);
        let port = |uri: &Uri| uri.port().unwrap_or(5060);
        theirs.user() == ours.user() && same_host(&theirs, ours) && port(&theirs) == port(ours)
    }

    /// A Min-Expires that we can follow (RFC 3261 §10.2.8).
    fn longer(&self, headers: &Headers) -> Option<u32> {
        let least = delta_seconds(headers.find("Min-Expires")?).ok()?;
        (least > self.expires_s && least <= EXPIRES_AT_MOST_S && !self.asked_to_leave()).then_some(least)
    }

    fn corrected(&mut self, now: Mono, correct: bool, response: &Response) -> Option<Event> {
        self.corrections += 1;
        if !correct || self.corrections > MAX_CORRECTIONS {
            return Some(self.failed(now, Some(response)));
        }
        self.state = State::Due(now);
        None
    }

    fn failed(&mut self, now: Mono, response: Option<&Response>) -> Event {
        let status = response.map(|response| response.status.code());
        let asked = response.and_then(|response| response.headers.retry_after());
        let asked = asked.map(|after| Duration::from_secs(after.seconds.into()).min(RETRY_AFTER_AT_MOST));
        match self.back_off(now, asked) {
            Some(retry_at) => Event::Failed { status, retry_at },
            None => Event::Unregistered,
        }
    }

    /// When to try again: exponential with jitter, not before what the registrar asked for. `None` when we are leaving: the
    /// binding then runs out by itself.
    fn back_off(&mut self, now: Mono, asked: Option<Duration>) -> Option<Mono> {
        self.corrections = 0;
        if self.leaving {
            self.state = State::Over;
            return None;
        }
        let doubled = BACKOFF * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let whole = doubled.min(BACKOFF_AT_MOST);
        let jittered = whole / 2 + whole * self.random.random_range(0..=50) / 100;
        let at = now + jittered.max(asked.unwrap_or_default());
        self.state = State::Due(at);
        Some(at)
    }
}

fn same_host(one: &Uri, other: &Uri) -> bool {
    match (one.ip(), other.ip()) {
        (Some(one), Some(other)) => one == other,
        (None, None) => match (one.host(), other.host()) {
            (Some(one), Some(other)) => one.to_string().eq_ignore_ascii_case(&other.to_string()),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Mono = Mono::from_micros(1_000_000);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn registration() -> Registration {
        let uri = |text: &str| text.parse().expect("a URI");
        let account = Account { realm: "trunk".into(), username: "ivr".into(), password: "secret".into() };
        let config = Config {
            registrar: uri("sip:trunk"),
            address_of_record: uri("sip:ivr@trunk"),
            contact: uri("sip:ivr@192.0.2.10:5060"),
            expires_s: 100,
            accounts: vec![account],
        };
        Registration::new(config, [5; 32])
    }

    fn sent(registration: &mut Registration, now: Mono) -> Request {
        match registration.poll(now) {
            Some(Action::Send(request)) => *request,
            other => panic!("a request is due: {other:?}"),
        }
    }

    fn response(status: u16, request: &Request, lines: &[(&str, &str)]) -> Response {
        let mut headers = Headers::default();
        headers.add("CSeq", request.headers.find("CSeq").expect("a CSeq"));
        lines.iter().for_each(|(name, value)| headers.add(name, *value));
        Response { status: status.into(), reason: String::new(), headers, body: Vec::new() }
    }

    /// Sends the request that is due and answers it.
    fn answered(registration: &mut Registration, now: Mono, status: u16, lines: &[(&str, &str)]) -> Option<Event> {
        let request = sent(registration, now);
        registration.handle_response(now, &response(status, &request, lines))
    }

    fn wait(registration: &mut Registration, now: Mono) -> Mono {
        match registration.poll(now) {
            Some(Action::Wait(at)) => at,
            other => panic!("nothing is due: {other:?}"),
        }
    }

    const OURS: (&str, &str) = ("Contact", "<sip:ivr@192.0.2.10>;expires=60, <sip:other@192.0.2.11>;expires=9");

    #[test]
    fn a_binding_is_refreshed_before_it_ends() {
        let mut one = registration();
        let first = sent(&mut one, START);
        assert_eq!(first.headers.find("Expires"), Some("100"));
        assert_eq!(one.poll(START), None);
        let event = one.handle_response(START, &response(200, &first, &[OURS]));
        assert_eq!(event, Some(Event::Registered { until: START + seconds(60) }));
        let at = wait(&mut one, START);
        assert!((START + seconds(36)..=START + seconds(48)).contains(&at));
        let second = sent(&mut one, at);
        assert_eq!(second.headers.call_id(), first.headers.call_id());
        assert_eq!(second.headers.from_tag(), first.headers.from_tag());
        assert_eq!(second.headers.cseq().map(|cseq| cseq.number), Some(2));
        assert_eq!(one.handle_response(at, &response(200, &first, &[OURS])), None, "an old response");
        assert_eq!(one.handle_response(at, &response(100, &second, &[])), None, "a provisional one");
        assert!(one.is_bound(START + seconds(59)) && !one.is_bound(START + seconds(60)));
    }

    #[test]
    fn a_challenge_is_answered_at_once_and_once() {
        let mut one = registration();
        let challenge = [("WWW-Authenticate", r#"Digest realm="trunk", nonce="1", qop="auth""#)];
        assert_eq!(answered(&mut one, START, 401, &challenge), None);
        let again = sent(&mut one, START);
        assert!(again.headers.find("Authorization").is_some_and(|value| value.contains("nc=00000001")));
        assert_eq!(again.headers.cseq().map(|cseq| cseq.number), Some(2));
        let refused = one.handle_response(START, &response(401, &again, &challenge));
        assert!(matches!(refused, Some(Event::Failed { status: Some(401), .. })), "{refused:?}");
    }

    #[test]
    fn a_longer_time_is_asked_for_when_the_registrar_wants_it() {
        let mut one = registration();
        assert_eq!(answered(&mut one, START, 423, &[("Min-Expires", "600")]), None);
        let again = sent(&mut one, START);
        assert_eq!(again.headers.find("Expires"), Some("600"));
        let shorter = one.handle_response(START, &response(423, &again, &[("Min-Expires", "300")]));
        assert!(matches!(shorter, Some(Event::Failed { status: Some(423), .. })));
    }

    #[test]
    fn failures_wait_longer_each_time_up_to_a_ceiling() {
        let mut one = registration();
        let mut now = START;
        for ceiling in [5, 10, 20, 40, 80, 160, 300, 300] {
            let event = answered(&mut one, now, 503, &[]);
            let Some(Event::Failed { status: Some(503), retry_at }) = event else { panic!("{event:?}") };
            assert!((now + seconds(ceiling) / 2..=now + seconds(ceiling)).contains(&retry_at), "{ceiling}");
            assert_eq!(wait(&mut one, now), retry_at);
            now = retry_at;
        }
        let event = answered(&mut one, now, 503, &[("Retry-After", "1800")]);
        assert_eq!(event, Some(Event::Failed { status: Some(503), retry_at: now + seconds(1800) }));
        now += seconds(1800);
        assert!(matches!(answered(&mut one, now, 200, &[OURS]), Some(Event::Registered { .. })));
        now = wait(&mut one, now);
        sent(&mut one, now);
        let Some(Event::Failed { status: None, retry_at }) = one.handle_failure(now) else { panic!("a failure") };
        assert!(retry_at <= now + seconds(5));
    }

    #[test]
    fn a_redirection_is_not_followed() {
        let mut one = registration();
        let event = answered(&mut one, START, 302, &[("Contact", "<sip:evil@203.0.113.1>")]);
        let Some(Event::Failed { status: Some(302), retry_at }) = event else { panic!("{event:?}") };
        assert_eq!(sent(&mut one, retry_at).uri.to_string(), "sip:trunk");
    }

    #[test]
    fn a_binding_that_is_not_listed_is_lost() {
        for lines in [
            &[("Contact", "<sip:ivr@192.0.2.99>;expires=60")][..],
            &[],
            &[("Contact", "<sip:ivr@192.0.2.10>;expires=0")],
        ] {
            let mut one = registration();
            let event = answered(&mut one, START, 200, lines);
            assert!(matches!(event, Some(Event::Lost { .. })), "{event:?}");
            assert!(!one.is_bound(START));
        }
    }

    #[test]
    fn leaving_takes_the_binding_back() {
        let mut one = registration();
        answered(&mut one, START, 200, &[OURS]);
        assert_eq!(one.unregister(START), None);
        let last = sent(&mut one, START);
        assert_eq!(last.headers.find("Expires"), Some("0"));
        assert_eq!(one.handle_response(START, &response(200, &last, &[])), Some(Event::Unregistered));
        assert_eq!(one.poll(START), None);
        assert_eq!(registration().unregister(START), Some(Event::Unregistered));
    }

    #[test]
    fn leaving_while_a_request_is_out_waits_for_its_answer() {
        let mut one = registration();
        let first = sent(&mut one, START);
        assert_eq!(one.unregister(START), None);
        assert!(matches!(one.handle_response(START, &response(200, &first, &[OURS])), Some(Event::Registered { .. })));
        assert_eq!(sent(&mut one, START).headers.find("Expires"), Some("0"));
        assert_eq!(one.handle_failure(START), Some(Event::Unregistered));
    }
}
