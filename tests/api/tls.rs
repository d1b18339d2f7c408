//! The console by TLS, with a certificate that changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotline::console::{Tls, TlsError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};

use crate::service::Service;

/// A certificate of localhost and its key as files; gives the certificate too.
fn certificate(folder: &Path) -> (PathBuf, PathBuf, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&certificate, cert.pem()).expect("written");
    fs::write(&key, signing_key.serialize_pem()).expect("written");
    (certificate, key, cert.pem())
}

/// A client that believes this certificate alone.
fn client(certificate: &str) -> Agent {
    let root = Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build();
    Agent::config_builder().tls_config(tls).max_idle_connections(0).build().new_agent()
}

#[test]
fn pages_are_served_by_tls_and_a_new_certificate_is_taken_up() {
    let folder = tempfile();
    let (path, key, first) = certificate(&folder);
    let tls = Arc::new(Tls::load(&path, &key).expect("loaded"));
    let service = Service::start_secure(Arc::clone(&tls), &path);
    let url = service.url("/healthz").replace("127.0.0.1", "localhost");
    let reply = client(&first).get(&url).call().expect("an answer");
    assert_eq!((reply.status().as_u16(), url.starts_with("https://")), (200, true));
    assert_eq!(
        reply.headers().get("strict-transport-security").map(|value| value.as_bytes()),
        Some(&b"max-age=31536000"[..])
    );

    assert_eq!(tls.renew().ok(), Some(false), "nothing has changed");
    let (.., second) = certificate(&folder);
    assert_eq!(tls.renew().ok(), Some(true));
    assert!(matches!(client(&first).get(&url).call(), Err(Error::Rustls(_) | Error::Io(_) | Error::Tls(_))));
    assert_eq!(client(&second).get(&url).call().expect("an answer").status(), 200);

    fs::write(&key, "no key").expect("written");
    assert!(matches!(tls.renew(), Err(TlsError::File { file, .. }) if file == key));
    assert_eq!(client(&second).get(&url).call().expect("an answer").status(), 200, "the old one is still served");
    let plain = Agent::config_builder().max_idle_connections(0).build().new_agent();
    assert!(plain.get(url.replace("https:", "http:")).call().is_err(), "nothing is told without TLS");
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn a_wrong_file_is_named() {
    let folder = tempfile();
    let (path, key, _) = certificate(&folder);
    let missing = folder.join("none.pem");
    let said = |certificate: &Path, key: &Path| Tls::load(certificate, key).err().map(|error| error.to_string());
    assert!(said(&missing, &key).is_some_and(|words| words.contains("none.pem")));
    assert!(said(&key, &key).is_some_and(|words| words.contains("no certificate")));
    assert!(said(&path, &path).is_some_and(|words| words.starts_with(&path.display().to_string())));
    let other = tempfile();
    let (_, foreign, _) = certificate(&other);
    assert!(said(&path, &foreign).is_some_and(|words| words.contains("is not that of the certificate")));
    for folder in [folder, other] {
        fs::remove_dir_all(folder).expect("removed");
    }
}

fn tempfile() -> PathBuf {
    crate::service::temporary_folder()
}
