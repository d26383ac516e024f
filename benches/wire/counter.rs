//! A proxy that counts the requests to a registry.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The end of each request line. None of the requests counted here has a body.
const MARK: &[u8] = b" HTTP/1.1\r\n";

pub(crate) struct Counter {
    host: String,
    requests: Arc<AtomicUsize>,
}

impl Counter {
    /// Listens in front of a registry. It ends with the process.
    pub(crate) fn before(registry: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(AtomicUsize::new(0));
        let (count, registry) = (requests.clone(), registry.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&registry).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let count = count.clone();
                thread::spawn(move || {
                    pass(from, to, |bytes| bytes.windows(MARK.len()).filter(|w| *w == MARK).count(), &count);
                });
                thread::spawn(move || pass(server, client, |_| 0, &AtomicUsize::new(0)));
            }
        });
        Self { host, requests }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, marks: impl Fn(&[u8]) -> usize, count: &AtomicUsize) {
    let mut buffer = vec![0; 64 << 10];
    // May be the beginning of a mark that the next read completes.
    let mut tail = Vec::new();
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        tail.extend_from_slice(&buffer[..n]);
        count.fetch_add(marks(&tail), Ordering::SeqCst);
        tail.drain(..tail.len().saturating_sub(MARK.len() - 1));
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
