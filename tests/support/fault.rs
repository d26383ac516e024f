//! An HTTP/1.1 server on 127.0.0.1 that misbehaves on request. It records its requests.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// A header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `GET /v2/`, without the query.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target.split('?').next().unwrap())
    }
}

/// How an answer goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The connection is closed after this many bytes of the body.
    Cut(usize),
    /// Silence after this many bytes of the body, until the other side gives up.
    Stall(usize),
    /// Silence instead of an answer.
    Mute,
    /// The connection is closed instead of an answer.
    Hangup,
    /// An endless body, one byte now and then.
    Drip,
    /// The body is repeated endlessly, in chunks.
    Endless,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Fault,
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], fault: Fault::None }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new(200) }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn cut(self, after: usize) -> Self {
        Self { fault: Fault::Cut(after), ..self }
    }

    pub fn stall(self, after: usize) -> Self {
        Self { fault: Fault::Stall(after), ..self }
    }

    pub fn endless(self) -> Self {
        Self { fault: Fault::Endless, ..self }
    }

    pub fn drip(self) -> Self {
        Self { fault: Fault::Drip, ..self }
    }

    pub fn mute() -> Self {
        Self { fault: Fault::Mute, ..Self::new(200) }
    }

    pub fn hangup() -> Self {
        Self { fault: Fault::Hangup, ..Self::new(200) }
    }

    fn send(&self, to: &mut (impl Read + Write), head_only: bool) -> std::io::Result<()> {
        if self.fault == Fault::Mute {
            return wait_for_end(to);
        }
        if self.fault == Fault::Hangup {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.fault == Fault::Drip {
            head.push_str("Content-Length: 1000000\r\n\r\n");
            to.write_all(head.as_bytes())?;
            loop {
                to.write_all(b" ")?;
                to.flush()?;
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        if self.fault == Fault::Endless {
            head.push_str("Transfer-Encoding: chunked\r\n\r\n");
            to.write_all(head.as_bytes())?;
            loop {
                write!(to, "{:x}\r\n", self.body.len())?;
                to.write_all(&self.body)?;
                to.write_all(b"\r\n")?;
            }
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        to.write_all(head.as_bytes())?;
        if !head_only {
            let end = match self.fault {
                Fault::Cut(after) | Fault::Stall(after) => after,
                _ => self.body.len(),
            };
            to.write_all(&self.body[..end])?;
        }
        to.flush()?;
        if matches!(self.fault, Fault::Stall(_)) { wait_for_end(to) } else { Ok(()) }
    }
}

fn wait_for_end(from: &mut impl Read) -> std::io::Result<()> {
    std::io::copy(from, &mut std::io::sink()).map(|_| ())
}

/// The server. It ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers every request with the result of `answer`.
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, answer)
    }

    /// The same over TLS.
    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(tls), answer)
    }

    fn serve(
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (log, stop) = (Arc::new(Mutex::new(vec![])), Arc::new(AtomicBool::new(false)));
        let (answer, kept, stopped) = (Arc::new(answer), log.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), answer, log, tls) = (stream, answer.clone(), kept.clone(), tls.clone())
                else {
                    continue;
                };
                std::thread::spawn(move || {
                    let _ = match tls {
                        None => talk(stream, &*answer, &log),
                        Some(tls) => {
                            let connection = rustls::ServerConnection::new(tls).unwrap();
                            talk(rustls::StreamOwned::new(connection, stream), &*answer, &log)
                        }
                    };
                });
            }
        });
        Self { address, scheme, log, stop, thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A URL on this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// A URL on this server under its other name, which makes it another origin.
    pub fn alias(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.address.port())
    }

    /// The requests so far.
    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// The requests so far, as `METHOD PATH`.
    pub fn lines(&self) -> Vec<String> {
        self.log().iter().map(Asked::line).collect()
    }

    /// Fails if any credentials ever arrived here, in any part of a request.
    pub fn assert_no_credentials(&self) {
        for asked in self.log() {
            assert_eq!(asked.header("authorization"), None, "{} carried credentials", asked.line());
            let text = format!("{asked:?}{}", String::from_utf8_lossy(&asked.body));
            assert!(!text.contains(super::registry::PASSWORD), "{} carried a password", asked.line());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn talk(
    mut stream: impl Read + Write,
    answer: &(impl Fn(&Asked) -> Reply + ?Sized),
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let asked = {
        let mut reader = BufReader::new(&mut stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
        let (method, target) = (method.to_owned(), target.to_owned());
        let mut headers = vec![];
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut asked = Asked { method, target, headers, body: vec![] };
        let length = asked.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        asked.body = vec![0; length];
        reader.read_exact(&mut asked.body)?;
        asked
    };
    log.lock().unwrap().push(asked.clone());
    answer(&asked).send(&mut stream, asked.method == "HEAD")
}
