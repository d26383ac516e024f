//! A registry on 127.0.0.1 that answers with the parts of an input, one after the other, and a stranger under another
//! name that records whether it sees credentials.
#![allow(clippy::disallowed_types, reason = "a server needs sockets")]

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Further requests are answered with 404, so that an input ends.
const REQUESTS: usize = 40;

#[derive(Default)]
struct Script {
    replies: Mutex<Vec<Vec<u8>>>,
    asked: AtomicUsize,
    betrayed: AtomicBool,
}

struct Server {
    script: Arc<Script>,
    home: String,
    stranger: String,
}

thread_local! { static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) }; }

/// Makes this thread's registry answer with these parts. A part is a status, header lines, an empty line, a body;
/// `@HOME` and `@ELSEWHERE` in it stand for the two addresses.
pub(crate) fn answering(parts: &[&[u8]]) -> String {
    SERVER.with_borrow_mut(|server| {
        let server = server.get_or_insert_with(start);
        let replace = |part: &&[u8]| {
            let split = part.windows(2).position(|w| w == b"\n\n").map_or(part.len(), |at| at + 2);
            let head = String::from_utf8_lossy(&part[..split]);
            let head = head.replace("@HOME", &server.home).replace("@ELSEWHERE", &server.stranger);
            [head.as_bytes(), &part[split..]].concat()
        };
        *server.script.replies.lock().unwrap() = parts.iter().map(replace).collect();
        server.script.asked.store(0, Ordering::SeqCst);
        server.script.betrayed.store(false, Ordering::SeqCst);
        server.home.clone()
    })
}

/// Whether the stranger has seen credentials since then.
pub(crate) fn strangers_saw_credentials() -> bool {
    SERVER.with_borrow(|server| server.as_ref().is_some_and(|s| s.script.betrayed.load(Ordering::SeqCst)))
}

fn start() -> Server {
    let script = Arc::<Script>::default();
    let listen = |stranger: bool| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = script.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = script.clone();
                thread::spawn(move || serve(&stream, &script, stranger));
            }
        });
        port
    };
    // Another port of the same host may be its token service; another name may not.
    let (home, stranger) = (listen(false), listen(true));
    Server { script, home: format!("127.0.0.1:{home}"), stranger: format!("localhost:{stranger}") }
}

fn serve(stream: &TcpStream, script: &Script, stranger: bool) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let lower = line.trim_end().to_ascii_lowercase();
            if stranger && lower.starts_with("authorization:") {
                script.betrayed.store(true, Ordering::SeqCst);
            }
            length = lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap_or(0));
            if lower.is_empty() {
                break;
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body).ok()?;
        if stranger && String::from_utf8_lossy(&body).contains("hunter2") {
            script.betrayed.store(true, Ordering::SeqCst);
        }
        let number = script.asked.fetch_add(1, Ordering::SeqCst);
        let reply = {
            let replies = script.replies.lock().unwrap();
            let reply = replies.get(number % replies.len().max(1)).filter(|_| number < REQUESTS);
            reply.cloned().unwrap_or_else(|| b"404".to_vec())
        };
        let mut stream = stream;
        stream.write_all(&answer(&reply)).ok()?;
    }
}

fn answer(reply: &[u8]) -> Vec<u8> {
    let split = reply.windows(2).position(|w| w == b"\n\n");
    let (head, body) = split.map_or((reply, &[][..]), |at| (&reply[..at], &reply[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|s| s.parse::<u16>().ok()).filter(|s| (200..600).contains(s)).unwrap_or(200);
    let mut out = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
    for line in lines.filter(|l| !l.to_ascii_lowercase().starts_with("content-length")) {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend(body);
    out
}
