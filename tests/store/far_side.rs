//! A far side: an HTTP server that does as it is told and remembers what it was sent.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// `POST /hook`.
    pub line: String,
    /// Names in small letters.
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// Answers 200 unless told otherwise.
pub struct FarSide {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl FarSide {
    pub fn start() -> FarSide {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let side = FarSide { url, received: Arc::default(), answers: Arc::default() };
        let (received, answers) = (Arc::clone(&side.received), Arc::clone(&side.answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (received, answers) = (Arc::clone(&received), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream.expect("a connection"), &received, &answers));
            }
        });
        side
    }

    /// The answers to the next requests: status and headers, and after an empty line a body.
    pub fn answer(&self, answers: &[&str]) {
        self.answers.lock().expect("no panic").extend(answers.iter().map(|answer| (*answer).to_owned()));
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// The delivery ids in the order in which they came.
    pub fn deliveries(&self) -> Vec<String> {
        self.received().iter().map(|request| request.headers["x-hotline-delivery"].clone()).collect()
    }
}

fn serve(stream: TcpStream, received: &Mutex<Vec<Received>>, answers: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    received.lock().expect("no panic").push(request);
    let answer = answers.lock().expect("no panic").pop_front().unwrap_or_else(|| "200 OK".to_owned());
    let (status, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = reader.get_mut().write_all(text.as_bytes());
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Received { line, headers, body: String::from_utf8(body).expect("UTF-8") })
}
