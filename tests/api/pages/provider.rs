//! A provider of OpenID Connect on loopback. Its key is in tests/data and is good for nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey};
use openidconnect::{
    AccessToken, Audience, EmptyAdditionalClaims, EndUserUsername, IssuerUrl, JsonWebKeyId, Nonce, PrivateSigningKey,
    StandardClaims, SubjectIdentifier,
};
use serde_json::{Value, json};

use crate::people::now;

const KEY: &str = include_str!("../../data/oidc-provider-key.pem");

/// What the provider puts into its next token.
#[derive(Clone, Debug)]
pub struct Says {
    pub name: String,
    pub nonce: String,
    pub audience: String,
    pub hours: i64,
    /// Signed with its key, or with a byte of the signature changed.
    pub genuine: bool,
}

pub struct Provider {
    pub issuer: String,
    says: Arc<Mutex<Option<Says>>>,
    /// The bodies that were sent to the token endpoint.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    pub fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Provider::at(&issuer);
        let (says, asked) = (Arc::clone(&provider.says), Arc::clone(&provider.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &issuer, &says, &asked);
            }
        });
        provider
    }

    /// Nobody answers there by this alone.
    pub fn at(issuer: &str) -> Provider {
        Provider { issuer: issuer.to_owned(), says: Arc::default(), asked: Arc::default() }
    }

    pub fn says(&self, says: Says) {
        *self.says.lock().expect("nobody panics with it") = Some(says);
    }
}

fn answer(stream: TcpStream, issuer: &str, says: &Mutex<Option<Says>>, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(&stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).expect("a request");
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let document = match path.as_str() {
        "/.well-known/openid-configuration" => discovery(issuer),
        "/keys" => json!({"keys": [key().as_verification_key()]}),
        "/token" => {
            asked.lock().expect("nobody panics with it").push(String::from_utf8(body).expect("a form"));
            token(issuer, &says.lock().expect("nobody panics with it").clone().expect("somebody has been named"))
        }
        _ => json!({}),
    };
    let text = document.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(&stream, "{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len()).expect("the client reads");
}

fn key() -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(KEY, Some(JsonWebKeyId::new("one".to_owned()))).expect("a key")
}

fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn token(issuer: &str, says: &Says) -> Value {
    let standard = StandardClaims::new(SubjectIdentifier::new("17".to_owned()))
        .set_preferred_username(Some(EndUserUsername::new(says.name.clone())));
    let issuer = IssuerUrl::new(issuer.to_owned()).expect("a URL");
    let audience = vec![Audience::new(says.audience.clone())];
    let ends = now() + TimeDelta::hours(says.hours);
    let claims = CoreIdTokenClaims::new(issuer, audience, ends, now(), standard, EmptyAdditionalClaims {})
        .set_nonce(Some(Nonce::new(says.nonce.clone())));
    let access = AccessToken::new("an-access-token".to_owned());
    let algorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    let signed = CoreIdToken::new(claims, &key(), algorithm, Some(&access), None).expect("signed").to_string();
    let id_token = if says.genuine { signed } else { swapped(&signed) };
    json!({"access_token": "an-access-token", "token_type": "bearer", "id_token": id_token})
}

/// Another letter in the middle of the signature.
fn swapped(token: &str) -> String {
    let at = token.len() - 40;
    let other = if &token[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}
