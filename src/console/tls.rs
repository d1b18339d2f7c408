//! TLS for who has no proxy: a certificate and its key from two PEM files, read anew when they change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, version};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {why}", file.display())]
    File { file: PathBuf, why: String },
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
}

/// A certificate and its key, as they are now.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    served: Arc<Served>,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What new connections are shown.
#[derive(Debug)]
struct Served(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// # Errors
    /// A file that can't be read or holds something else, or a key of another certificate.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let served = Arc::new(Served(RwLock::new(Arc::new(read(certificate, key)?))));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .expect("the provider has suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Served>::clone(&served));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Tls { certificate: certificate.to_owned(), key: key.to_owned(), served, acceptor })
    }

    /// Reads the files anew. What can't be used leaves what was there.
    ///
    /// # Errors
    /// As [`Tls::load`].
    pub fn renew(&self) -> Result<bool, TlsError> {
        let new = read(&self.certificate, &self.key)?;
        let mut served = self.served.0.write().unwrap_or_else(PoisonError::into_inner);
        let changed = served.cert != new.cert;
        *served = Arc::new(new);
        Ok(changed)
    }

    /// Looks every minute until `closing`.
    pub(super) async fn watch(self: Arc<Tls>, closing: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = closing.cancelled() => return,
            }
            match self.renew() {
                Ok(true) => tracing::info!("the certificate has changed and is served from now on"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the certificate can't be read anew; the old one is served"),
            }
        }
    }

    pub(super) fn accept(&self, stream: TcpStream) -> Stream {
        Stream::Greeting(Box::new(self.acceptor.accept(stream)))
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let bad = |file: &Path, why: String| TlsError::File { file: file.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| bad(certificate, error.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| bad(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(bad(certificate, "there is no certificate in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error.to_string()))?;
    let signing = default_provider().key_provider.load_private_key(private);
    let signing = signing.map_err(|error| bad(key, error.to_string()))?;
    let certified = CertifiedKey::new(chain, signing);
    let mismatch = || TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() };
    certified.keys_match().map_err(|_| mismatch())?;
    Ok(certified)
}

/// A client's connection, with TLS or without. Who greets takes nobody else's time: the greeting goes on as it is read.
pub enum Stream {
    Plain(TcpStream),
    Greeting(Box<Accept<TcpStream>>),
    Secure(Box<TlsStream<TcpStream>>),
    /// The greeting failed.
    Broken,
}

impl Stream {
    fn poll_greeted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Stream::Greeting(accept) = self else { return Poll::Ready(Ok(())) };
        match ready!(Pin::new(accept.as_mut()).poll(cx)) {
            Ok(stream) => {
                *self = Stream::Secure(Box::new(stream));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                *self = Stream::Broken;
                Poll::Ready(Err(error))
            }
        }
    }
}

macro_rules! with {
    ($self:expr, $cx:expr, $stream:ident => $body:expr) => {{
        let this = $self.get_mut();
        ready!(this.poll_greeted($cx))?;
        match this {
            Stream::Plain($stream) => {
                let $stream = Pin::new($stream);
                $body
            }
            Stream::Secure($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $body
            }
            Stream::Greeting(_) | Stream::Broken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }};
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        with!(self, cx, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        with!(self, cx, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        with!(self, cx, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, cx, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, cx, stream => stream.poll_shutdown(cx))
    }
}
