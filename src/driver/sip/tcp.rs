//! SIP over TCP: connections that come in, connections that we open, messages cut out of the stream
//! (RFC 3261 §18.2.1, §18.3).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Arrival;
use super::udp::canonical;
use crate::sip::wire::frame::{Frame, Framer};
use crate::sip::{Hop, Transport};

/// Messages that may wait for a slow peer; above it the connection counts as failed.
const WRITE_QUEUE: usize = 64;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The open connections, by peer.
#[derive(Clone, Debug)]
pub struct Connections {
    writers: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>>>,
    arrivals: mpsc::Sender<Arrival>,
    limit: usize,
    idle: Duration,
}

impl Connections {
    pub fn new(arrivals: mpsc::Sender<Arrival>, limit: usize, idle: Duration) -> Connections {
        Connections { writers: Arc::default(), arrivals, limit, idle }
    }

    /// Sends on the peer's connection, opening one if there is none. False when the peer can't be served.
    pub fn send(&self, hop: Hop, bytes: Vec<u8>) -> bool {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writers.get(&hop.peer) {
            return writer.try_send(bytes).is_ok();
        }
        if writers.len() >= self.limit {
            return false;
        }
        let (writer, queue) = mpsc::channel(WRITE_QUEUE);
        let first = writer.try_send(bytes).is_ok();
        writers.insert(hop.peer, writer);
        drop(writers);
        tokio::spawn(self.clone().open(hop, queue));
        first
    }

    /// Takes in a connection that a trusted peer has opened; one too many is closed.
    pub fn take_in(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        if writers.len() >= self.limit {
            metrics::counter!("hotline_sip_dropped_total", "reason" => "connections_full").increment(1);
            return;
        }
        let (writer, queue) = mpsc::channel(WRITE_QUEUE);
        writers.insert(peer, writer);
        drop(writers);
        let hop = Hop { transport: Transport::Tcp, local: canonical(local), peer };
        tokio::spawn(self.clone().serve(hop, stream, queue));
    }

    async fn open(self, hop: Hop, queue: mpsc::Receiver<Vec<u8>>) {
        match timeout(CONNECT_LIMIT, TcpStream::connect(hop.peer)).await {
            Ok(Ok(stream)) => self.serve(hop, stream, queue).await,
            _ => self.close(hop).await,
        }
    }

    async fn serve(self, hop: Hop, stream: TcpStream, queue: mpsc::Receiver<Vec<u8>>) {
        // small messages must not wait for one another; without the option they only arrive later
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        tokio::select! {
            () = self.read(hop, reader) => {}
            () = write(writer, queue) => {}
        }
        self.close(hop).await;
    }

    /// Until the peer closes, falls silent or sends what can't be cut into messages.
    async fn read(&self, hop: Hop, mut reader: OwnedReadHalf) {
        let mut framer = Framer::new();
        let mut buffer = vec![0; 8_192];
        loop {
            let Ok(Ok(length @ 1..)) = timeout(self.idle, reader.read(&mut buffer)).await else { return };
            framer.push(&buffer[..length]);
            loop {
                match framer.pull() {
                    Ok(Some(Frame::Message(bytes))) => {
                        if self.arrivals.send(Arrival::Message { hop, bytes }).await.is_err() {
                            return;
                        }
                    }
                    Ok(Some(Frame::Ping)) => drop(self.send(hop, b"\r\n".to_vec())),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::debug!(?error, "a stream can't be cut into messages");
                        metrics::counter!("hotline_sip_dropped_total", "reason" => "stream_broken").increment(1);
                        return;
                    }
                }
            }
        }
    }

    async fn close(&self, hop: Hop) {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).remove(&hop.peer);
        // the endpoint may be gone first: then nobody waits for this connection
        let _ = self.arrivals.send(Arrival::Failed { hop }).await;
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Listens on the port that UDP got.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
