//! The API as a client on this machine uses it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(10);
/// More than a recording of three minutes.
const LARGEST: u64 = 16 << 20;

/// Where the API is, and the right to read it.
pub struct Api {
    address: SocketAddr,
    token: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the API can't be reached: {0}")]
    Io(#[from] io::Error),
    #[error("the API does not answer in time")]
    Late,
    #[error("the API answers {0}")]
    Status(String),
    #[error("the API answers no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Api {
    pub fn new(address: SocketAddr, token_file: &Path) -> io::Result<Api> {
        Ok(Api { address, token: std::fs::read_to_string(token_file)?.trim().to_owned() })
    }

    pub async fn json(&self, path: &str) -> Result<Value, FetchError> {
        Ok(serde_json::from_slice(&self.bytes(path).await?)?)
    }

    /// The body of a 200.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, FetchError> {
        self.ask("GET", path, "").await
    }

    /// What a 200 to this JSON says.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, FetchError> {
        Ok(serde_json::from_slice(&self.ask("POST", path, &body.to_string()).await?)?)
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, FetchError> {
        let response = timeout(LIMIT, self.exchange(method, path, body)).await.map_err(|_| FetchError::Late)??;
        let head = response.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(response.len());
        let status = String::from_utf8_lossy(&response[..head]).lines().next().unwrap_or_default().to_owned();
        let body = response[(head + 4).min(response.len())..].to_vec();
        if !status.contains(" 200 ") {
            let problem: Option<Value> = serde_json::from_slice(&body).ok();
            let detail = problem.and_then(|problem| Some(problem["detail"].as_str()?.to_owned()));
            return Err(FetchError::Status(detail.map_or(status.clone(), |detail| format!("{status}: {detail}"))));
        }
        Ok(body)
    }

    /// HTTP/1.0: the body ends with the connection.
    async fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address).await?;
        let (address, token) = (self.address, &self.token);
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        stream.take(LARGEST).read_to_end(&mut response).await?;
        Ok(response)
    }
}
