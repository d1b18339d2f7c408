//! Digest authentication, client side (RFC 8760, RFC 7616, RFC 3261 §22).
//!
//! Credentials leave this process only in answer to a challenge of a configured realm, and only to requests of a usage
//! that we began ourselves: whoever calls us and then challenges our BYE (the "SIP digest leak") gets nothing, because
//! a [`Digest`] can't be made for a dialog that came in.

use std::fmt;
use std::fmt::Write as _;

use md5::Md5;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest as _, Sha256, Sha512_256};

use super::message::{Headers, Request, Response};
use super::wire::Fields;
use super::wire::value::{Challenge, quote};

/// Challenges of other realms or more of them than this are not looked at.
const MAX_CHALLENGES: usize = 8;
/// New nonces taken in a row for being stale.
const MAX_STALE: u8 = 3;

/// A user name and password, good for one realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub realm: String,
    pub username: String,
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// The hash of a challenge, weakest first (RFC 8760 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
    Sha512_256,
}

impl Algorithm {
    /// `None` for what we can't do, the `-sess` forms among it. Without a token it is MD5 (RFC 7616 §3.3).
    pub fn from_token(token: Option<&str>) -> Option<Algorithm> {
        let Some(token) = token else { return Some(Algorithm::Md5) };
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256]
            .into_iter()
            .find(|algorithm| algorithm.token().eq_ignore_ascii_case(token))
    }

    pub const fn token(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    /// The hash in lower-case hexadecimal.
    fn hex(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
            Algorithm::Sha512_256 => hex(&Sha512_256::digest(text)),
        }
    }
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("the challenged request is of another usage")]
    NotOurs,
    #[error("no challenge of a configured realm")]
    UnknownRealm,
    #[error("no challenge with an algorithm and quality of protection that are known here")]
    Unsupported,
    #[error("the credentials were refused")]
    Refused,
}

/// The digest client of one usage: an outgoing call, a registration, a request outside any dialog.
#[derive(Debug)]
pub struct Digest {
    accounts: Vec<Account>,
    call_id: String,
    from_tag: String,
    challenged: Vec<Challenged>,
    random: StdRng,
}

/// A challenge that we answer, from then on in every request of the usage.
#[derive(Debug)]
struct Challenged {
    by_proxy: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    named_algorithm: bool,
    qop: bool,
    userhash: bool,
    count: u32,
    stale: u8,
}

impl Digest {
    /// For the usage that this request begins. `None` when it has a To tag, because then it is inside a dialog which may
    /// not be ours to prove anything in.
    pub fn beginning_with(first: &Request, accounts: Vec<Account>, seed: [u8; 32]) -> Option<Digest> {
        if first.headers.to_tag().is_some() {
            return None;
        }
        Some(Digest {
            accounts,
            call_id: first.headers.call_id()?.to_owned(),
            from_tag: first.headers.from_tag()?.to_owned(),
            challenged: Vec::new(),
            random: StdRng::from_seed(seed),
        })
    }

    /// Takes the challenges of a 401 or 407. After `Ok` the request is to be sent again, under a new CSeq and branch, through
    /// [`Digest::authorize`].
    ///
    /// # Errors
    /// Why there is nothing to say to it. Credentials that were answered with the same nonce, or with a new one that is
    /// not marked stale, are refused ones: trying again would lock the account.
    pub fn answer(&mut self, request: &Request, response: &Response) -> Result<(), Unanswered> {
        if !self.is_ours(request) {
            return Err(Unanswered::NotOurs);
        }
        let mut taken = 0;
        let mut why = Unanswered::UnknownRealm;
        for by_proxy in [false, true] {
            for realm in self.realms(by_proxy, &response.headers) {
                match self.strongest(by_proxy, &realm, &response.headers) {
                    Some((new, stale)) => {
                        self.take(new, stale)?;
                        taken += 1;
                    }
                    None => why = Unanswered::Unsupported,
                }
            }
        }
        if taken > 0 { Ok(()) } else { Err(why) }
    }

    /// Puts an Authorization or Proxy-Authorization for every challenge so far into a request of this usage; any other
    /// request stays as it is.
    pub fn authorize(&mut self, request: &mut Request) {
        if !self.is_ours(request) {
            return;
        }
        request.headers.remove("Authorization");
        request.headers.remove("Proxy-Authorization");
        let uri = request.uri.to_string();
        for challenged in &mut self.challenged {
            let Some(account) = self.accounts.iter().find(|account| account.realm == challenged.realm) else {
                continue;
            };
            challenged.count += 1;
            let cnonce = hex(&self.random.random::<[u8; 16]>());
            let value = challenged.credentials(account, request.method.as_str(), &uri, &cnonce);
            let name = if challenged.by_proxy { "Proxy-Authorization" } else { "Authorization" };
            request.headers.add(name, value);
        }
    }

    fn is_ours(&self, request: &Request) -> bool {
        request.headers.call_id() == Some(&self.call_id) && request.headers.from_tag() == Some(&self.from_tag)
    }

    /// Configured realms that challenge here, each once.
    fn realms(&self, by_proxy: bool, headers: &Headers) -> Vec<String> {
        let mut realms: Vec<String> = Vec::new();
        for challenge in challenges(by_proxy, headers) {
            let Some(realm) = challenge.get("realm") else { continue };
            let known = self.accounts.iter().any(|account| account.realm == *realm);
            if known && !realms.iter().any(|one| *one == *realm) {
                realms.push(realm.into_owned());
            }
        }
        realms
    }

    /// A realm may challenge several times, once an algorithm (RFC 8760 §2.4).
    fn strongest(&self, by_proxy: bool, realm: &str, headers: &Headers) -> Option<(Challenged, bool)> {
        challenges(by_proxy, headers)
            .filter(|challenge| challenge.get("realm").is_some_and(|one| one == realm))
            .filter_map(|challenge| Challenged::read(by_proxy, realm, &challenge))
            .max_by_key(|(challenged, _)| challenged.algorithm)
    }

    fn take(&mut self, mut new: Challenged, stale: bool) -> Result<(), Unanswered> {
        let before = self.challenged.iter().position(|one| one.by_proxy == new.by_proxy && one.realm == new.realm);
        let Some(at) = before else {
            self.challenged.push(new);
            return Ok(());
        };
        let old = &self.challenged[at];
        // credentials reused from an earlier request may have aged without the server calling them stale
        let aged = stale || old.count > 1;
        if old.nonce == new.nonce || !aged || old.stale >= MAX_STALE {
            return Err(Unanswered::Refused);
        }
        new.stale = if stale && old.count <= 1 { old.stale + 1 } else { 0 };
        self.challenged[at] = new;
        Ok(())
    }
}

impl Challenged {
    /// The challenge and whether it says that only the nonce was old; `None` if it is none that we can answer.
    fn read(by_proxy: bool, realm: &str, challenge: &Challenge<'_>) -> Option<(Challenged, bool)> {
        let named = challenge.get("algorithm");
        let qop = challenge.get("qop");
        let offers_auth = |qop: &str| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
        if qop.as_deref().is_some_and(|qop| !offers_auth(qop)) {
            return None;
        }
        let challenged = Challenged {
            by_proxy,
            realm: realm.to_owned(),
            nonce: challenge.get("nonce")?.into_owned(),
            opaque: challenge.get("opaque").map(Into::into),
            algorithm: Algorithm::from_token(named.as_deref())?,
            named_algorithm: named.is_some(),
            qop: qop.is_some(),
            userhash: challenge.get("userhash").is_some(),
            count: 0,
            stale: 0,
        };
        let stale = challenge.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
        Some((challenged, stale))
    }

    fn credentials(&self, account: &Account, method: &str, uri: &str, cnonce: &str) -> String {
        let count = format!("{:08x}", self.count);
        let protection = self.qop.then_some((count.as_str(), cnonce));
        let response = response(self.algorithm, account, &self.nonce, protection, method, uri);
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(&account.username),
            quote(&self.realm),
            quote(&self.nonce),
            quote(uri),
        );
        if self.named_algorithm {
            push(&mut value, format_args!(", algorithm={}", self.algorithm.token()));
        }
        if let Some(opaque) = &self.opaque {
            push(&mut value, format_args!(", opaque={}", quote(opaque)));
        }
        if self.qop {
            push(&mut value, format_args!(", qop=auth, nc={count}, cnonce=\"{cnonce}\""));
        }
        if self.userhash {
            value.push_str(", userhash=false");
        }
        value
    }
}

/// The request digest of RFC 7616 §3.4.1; without `protection` (nonce count and cnonce) that of RFC 2069.
fn response(
    algorithm: Algorithm,
    account: &Account,
    nonce: &str,
    protection: Option<(&str, &str)>,
    method: &str,
    uri: &str,
) -> String {
    let who = algorithm.hex(&format!("{}:{}:{}", account.username, account.realm, account.password));
    let what = algorithm.hex(&format!("{method}:{uri}"));
    algorithm.hex(&match protection {
        Some((count, cnonce)) => format!("{who}:{nonce}:{count}:{cnonce}:auth:{what}"),
        None => format!("{who}:{nonce}:{what}"),
    })
}

fn challenges(by_proxy: bool, headers: &Headers) -> impl Iterator<Item = Challenge<'_>> {
    let name = if by_proxy { "Proxy-Authenticate" } else { "WWW-Authenticate" };
    headers.all(name).take(MAX_CHALLENGES).filter_map(|text| Challenge::parse(text).ok()).filter(Challenge::is_digest)
}

fn push(value: &mut String, more: fmt::Arguments<'_>) {
    value.write_fmt(more).expect("a String takes what it is given");
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push(&mut text, format_args!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Message, Method, StatusCode};
    use crate::sip::wire::parse;

    fn account(realm: &str, username: &str, password: &str) -> Account {
        Account { realm: realm.into(), username: username.into(), password: password.into() }
    }

    fn request(to: &str) -> Request {
        let text = format!(
            "REGISTER sip:trunk SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:us@trunk>;tag=f\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\r\n"
        );
        let Ok(Message::Request(request)) = parse(text.as_bytes()) else { panic!("a request") };
        request
    }

    fn digest() -> Digest {
        let accounts = vec![account("trunk", "us", "secret")];
        Digest::beginning_with(&request("<sip:us@trunk>"), accounts, [7; 32]).expect("a usage of ours")
    }

    fn challenge(lines: &[(&str, &str)]) -> Response {
        let mut headers = Headers::default();
        lines.iter().for_each(|(name, value)| headers.add(name, *value));
        Response { status: StatusCode::Unauthorized, reason: String::new(), headers, body: Vec::new() }
    }

    fn www(value: &str) -> Response {
        challenge(&[("WWW-Authenticate", value)])
    }

    fn authorized(digest: &mut Digest) -> String {
        let mut again = request("<sip:us@trunk>");
        digest.authorize(&mut again);
        again.headers.find("Authorization").expect("credentials").to_owned()
    }

    fn param(value: &str, name: &str) -> Option<String> {
        Challenge::parse(value).expect("credentials").get(name).map(Into::into)
    }

    /// RFC 7616 §3.9.1 and RFC 2617 §3.5. For the inputs of RFC 7616 §3.9.2 the expected value is OpenSSL's.
    #[test]
    fn the_rfcs_examples_come_out() {
        let mufasa = account("http-auth@example.org", "Mufasa", "Circle of Life");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let protection = Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            assert_eq!(response(algorithm, &mufasa, nonce, protection, "GET", "/dir/index.html"), expected);
        }
        let old = account("testrealm@host.com", "Mufasa", "Circle Of Life");
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let protection = Some(("00000001", "0a4f113b"));
        let got = response(Algorithm::Md5, &old, nonce, protection, "GET", "/dir/index.html");
        assert_eq!(got, "6629fae49393a05397450978507c4ef1");
        let doe = account("api@example.org", "J\u{e4}s\u{f8}n Doe", "Secret, or not?");
        let protection = Some(("00000001", "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"));
        let nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK";
        let got = response(Algorithm::Sha512_256, &doe, nonce, protection, "GET", "/doe.json");
        assert_eq!(got, "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c");
    }

    #[test]
    fn the_strongest_challenge_is_answered_and_counted() {
        let mut digest = digest();
        let response = challenge(&[
            ("WWW-Authenticate", r#"Digest realm="trunk", nonce="m", algorithm=MD5, qop="auth""#),
            (
                "WWW-Authenticate",
                r#"Digest realm="trunk", nonce="s", algorithm=SHA-256, qop="auth,auth-int", opaque="o\"p""#,
            ),
            ("WWW-Authenticate", r#"Digest realm="trunk", nonce="x", algorithm=SHA-256-sess, qop="auth""#),
            ("WWW-Authenticate", r#"Basic realm="trunk""#),
        ]);
        assert_eq!(digest.answer(&request("<sip:us@trunk>"), &response), Ok(()));
        for count in ["00000001", "00000002"] {
            let value = authorized(&mut digest);
            assert_eq!(param(&value, "algorithm").as_deref(), Some("SHA-256"));
            assert_eq!(param(&value, "nc").as_deref(), Some(count));
            assert_eq!(param(&value, "opaque").as_deref(), Some("o\"p"));
            assert_eq!((param(&value, "qop").as_deref(), param(&value, "nonce").as_deref()), (Some("auth"), Some("s")));
            assert_eq!(param(&value, "uri").as_deref(), Some("sip:trunk"));
        }
    }

    #[test]
    fn a_challenge_without_qop_gets_the_old_digest() {
        let mut digest = digest();
        let challenge = www(r#"Digest realm="trunk", nonce="n", userhash=true"#);
        assert_eq!(digest.answer(&request("<sip:us@trunk>"), &challenge), Ok(()));
        let value = authorized(&mut digest);
        assert_eq!((param(&value, "cnonce"), param(&value, "algorithm")), (None, None));
        let expected = response(Algorithm::Md5, &digest.accounts[0], "n", None, "REGISTER", "sip:trunk");
        assert_eq!(param(&value, "response"), Some(expected));
        assert_eq!(param(&value, "userhash").as_deref(), Some("false"));
    }

    #[test]
    fn refused_credentials_are_not_tried_again() {
        let mut digest = digest();
        let first = request("<sip:us@trunk>");
        assert_eq!(digest.answer(&first, &www(r#"Digest realm="trunk", nonce="1", qop="auth""#)), Ok(()));
        authorized(&mut digest);
        for again in
            [r#"Digest realm="trunk", nonce="1", qop="auth""#, r#"Digest realm="trunk", nonce="2", qop="auth""#]
        {
            assert_eq!(digest.answer(&first, &www(again)), Err(Unanswered::Refused));
        }
        assert_eq!(
            digest.answer(&first, &www(r#"Digest realm="trunk", nonce="1", stale=true"#)),
            Err(Unanswered::Refused)
        );
    }

    #[test]
    fn a_stale_nonce_is_renewed_a_few_times() {
        let mut digest = digest();
        let first = request("<sip:us@trunk>");
        assert_eq!(digest.answer(&first, &www(r#"Digest realm="trunk", nonce="0", qop="auth""#)), Ok(()));
        let mut taken = 0;
        for nonce in 1..10 {
            authorized(&mut digest);
            let stale = www(&format!(r#"Digest realm="trunk", nonce="{nonce}", qop="auth", stale=TRUE"#));
            taken += u8::from(digest.answer(&first, &stale).is_ok());
        }
        assert_eq!(taken, MAX_STALE);
    }

    #[test]
    fn an_aged_nonce_is_renewed_without_the_word_stale() {
        let mut digest = digest();
        let first = request("<sip:us@trunk>");
        assert_eq!(digest.answer(&first, &www(r#"Digest realm="trunk", nonce="1", qop="auth""#)), Ok(()));
        authorized(&mut digest);
        authorized(&mut digest);
        assert_eq!(digest.answer(&first, &www(r#"Digest realm="trunk", nonce="2", qop="auth""#)), Ok(()));
        assert_eq!(param(&authorized(&mut digest), "nc").as_deref(), Some("00000001"));
    }

    #[test]
    fn nothing_is_said_to_strangers() {
        let first = request("<sip:us@trunk>");
        let mut one = digest();
        assert_eq!(one.answer(&first, &www(r#"Digest realm="other", nonce="1""#)), Err(Unanswered::UnknownRealm));
        assert_eq!(one.answer(&first, &www(r#"Digest realm="Trunk", nonce="1""#)), Err(Unanswered::UnknownRealm));
        let integrity = www(r#"Digest realm="trunk", nonce="1", qop="auth-int""#);
        assert_eq!(one.answer(&first, &integrity), Err(Unanswered::Unsupported));
        let mut foreign = first.clone();
        foreign.headers.put("Call-ID", "theirs");
        let challenge = www(r#"Digest realm="trunk", nonce="1""#);
        assert_eq!(one.answer(&foreign, &challenge), Err(Unanswered::NotOurs));
        assert_eq!(one.answer(&first, &challenge), Ok(()));
        one.authorize(&mut foreign);
        assert!(!foreign.headers.has("Authorization"));
        assert!(Digest::beginning_with(&request("<sip:us@trunk>;tag=t"), Vec::new(), [0; 32]).is_none());
        assert_eq!(foreign.method, Method::Register);
    }

    #[test]
    fn a_password_never_prints() {
        let printed = format!("{:?}", digest());
        assert!(!printed.contains("secret") && !printed.contains("us@"), "{printed}");
    }
}
