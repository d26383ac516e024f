//! What a terminal shows of a transfer, and that none of it goes anywhere else. The terminal is a pseudo-terminal;
//! the final content is what a screen makes of the bytes.
#![allow(clippy::disallowed_types, reason = "the test runs the program")]

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use keypack::oci::Digest;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{
    fault::{Reply, Server},
    interrupt::collected,
    sent,
    support::artifact,
};

/// Takes so long over every upload that a progress line is drawn meanwhile.
fn slow(end: u16) -> Server {
    Server::start(move |asked| match asked.method.as_str() {
        "POST" => Reply::new(202).header("Location", "/up"),
        "PUT" if asked.line().contains("/up") => {
            std::thread::sleep(Duration::from_millis(700));
            Reply::new(201)
        }
        "PUT" => Reply::new(end).header("Docker-Content-Digest", Digest::of(&asked.body).to_string()),
        _ => Reply::new(404),
    })
}

fn keypack(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keypack"));
    command.args(line.split_whitespace()).current_dir(folder);
    command.env_clear().env("HOME", folder).env("TERM", "xterm").stdin(Stdio::null());
    command
}

/// A push to this registry.
fn push(folder: &Path, server: &Server, flags: &str) -> Command {
    keypack(folder, &format!("push keys docker://{}/a/b:t --plain-http {flags}", server.host()))
}

/// A program that runs in a terminal of its own.
struct Running {
    child: Child,
    shown: JoinHandle<Vec<u8>>,
}

impl Running {
    /// Everything that was shown, and how it ended.
    fn end(mut self) -> (String, ExitStatus) {
        let status = self.child.wait().unwrap();
        (String::from_utf8(self.shown.join().unwrap()).unwrap(), status)
    }
}

/// Runs a program with a new terminal as its stderr, and as its stdout unless that goes to a file.
fn on_a_terminal(mut command: Command, stdout: Option<File>) -> Running {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = || File::options().read(true).write(true).open(&name).unwrap();
    command.stderr(theirs()).stdout(stdout.unwrap_or_else(theirs));
    let child = command.spawn().unwrap();
    // The command holds the terminal open; once it is dropped, reading ends when the program does (with EIO: pty(7)).
    drop(command);
    let shown = std::thread::spawn(move || {
        let (mut bytes, mut ours) = (Vec::new(), File::from(ours));
        let _ = ours.read_to_end(&mut bytes);
        bytes
    });
    Running { child, shown }
}

/// The screen content after these bytes; it understands the terminal sequences that indicatif uses.
fn screen(bytes: &str) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::<char>::new()], 0_usize, 0_usize);
    let mut chars = bytes.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x1b' => {
                assert_eq!(chars.next(), Some('['), "{bytes:?}");
                let mut number = String::new();
                while let Some(digit) = chars.next_if(|c| c.is_ascii_digit() || ";?".contains(*c)) {
                    number.push(digit);
                }
                let many = number.parse().unwrap_or(1);
                match chars.next() {
                    Some('A') => row = row.saturating_sub(many),
                    Some('B') => row += many,
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('m' | 'h' | 'l') => {}
                    other => panic!("{other:?} in {bytes:?}"),
                }
            }
            c => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn a_long_transfer_is_drawn_on_a_terminal_and_gone_at_the_end() {
    let dir = collected();
    let server = slow(201);
    for more in [None, Some(("NO_COLOR", "1"))] {
        let mut command = push(dir.path(), &server, "--as artifact");
        command.envs(more);
        let (text, status) = on_a_terminal(command, None).end();
        assert!(status.success(), "{text}");
        assert!(text.contains("writing to docker://") && text.contains(" KiB ["), "{text:?}");
        assert!(text.contains("] 0 B of "), "{text:?}");
        // Colours are separate from progress lines: no-color.org.
        assert!(!text.contains("\x1b[3"), "{text:?}");
        let left = screen(&text);
        assert!(left[0].starts_with("Reference: docker://"), "{left:?}");
        assert!(left[1].starts_with("Pack: sha256:") && left[2].starts_with("Digest: sha256:"), "{left:?}");
        assert_eq!(left[3..].concat(), "", "{left:?}");
    }
}

#[test]
fn what_is_asked_for_is_what_is_shown() {
    let dir = collected();
    let server = slow(201);
    for (flags, term) in [("--no-progress", "xterm"), ("-q", "xterm"), ("", "dumb")] {
        let mut command = push(dir.path(), &server, flags);
        command.env("TERM", term);
        let (text, status) = on_a_terminal(command, None).end();
        assert!(status.success(), "{text}");
        assert!(!text.contains('\x1b') && !text.contains(" of "), "{flags}: {text:?}");
        // A terminal that can't erase a line gets the step as a plain line.
        assert_eq!(text.contains("keypack: writing to docker://"), flags.is_empty(), "{flags}: {text:?}");
    }
}

/// Results go to a file, progress to the terminal, whatever the format.
#[test]
fn results_have_no_bar_in_them() {
    let dir = collected();
    let server = slow(201);
    for (flags, begins) in [("--as artifact", "Reference: docker:"), ("--as artifact --format json", "{\n")] {
        let path = dir.path().join("out");
        let command = push(dir.path(), &server, flags);
        let (text, status) = on_a_terminal(command, Some(File::create(&path).unwrap())).end();
        assert!(status.success() && text.contains("] 0 B of "), "{text:?}");
        assert_eq!(screen(&text).concat(), "", "{text:?}");
        let out = fs::read_to_string(&path).unwrap();
        assert!(out.starts_with(begins) && !out.contains(['\x1b', '\r']), "{out:?}");
    }
}

/// Not a terminal: each step is a line.
#[test]
fn a_pipe_gets_one_line_a_step() {
    let dir = collected();
    let server = slow(201);
    for (flags, lines) in [("", 1), ("--format json", 1), ("-q", 0), ("--no-progress", 0)] {
        // TERM does not say what stderr is.
        let output = push(dir.path(), &server, flags).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{err}");
        assert!(!format!("{out}{err}").contains(['\x1b', '\r']), "{out:?} {err:?}");
        assert_eq!(err.lines().count(), lines, "{flags}: {err:?}");
        assert!(err.lines().all(|line| line.starts_with("keypack: writing to docker://")), "{err:?}");
    }
}

#[test]
fn an_error_leaves_no_bar_behind() {
    let dir = collected();
    let server = slow(403);
    let (text, status) = on_a_terminal(push(dir.path(), &server, "--as artifact"), None).end();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("] 0 B of "), "{text:?}");
    let left = screen(&text);
    assert!(left[0].starts_with("keypack: error: ") && left[1].starts_with("keypack: hint: "), "{left:?}");
    assert_eq!(left[2..].concat(), "", "{left:?}");
}

#[test]
fn a_signal_leaves_no_bar_behind() {
    let dir = collected();
    let server = Server::start(move |asked| match asked.method.as_str() {
        "POST" => Reply::new(202).header("Location", "/up"),
        // The two largest blobs stay in transfer.
        "PUT" if asked.body.len() > 6000 => Reply::mute(),
        "PUT" => Reply::new(201),
        _ => Reply::new(404),
    });
    let running = on_a_terminal(push(dir.path(), &server, "--as artifact"), None);
    let start = Instant::now();
    while server.log().iter().filter(|asked| asked.body.len() > 6000).count() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", server.lines());
        std::thread::sleep(Duration::from_millis(10));
    }
    // Long enough for the line to be drawn; if it was not, the assertion below says so.
    std::thread::sleep(Duration::from_millis(700));
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (text, status) = running.end();
    assert_eq!(status.code(), Some(130), "{text:?}");
    assert!(text.contains("] 0 B of "), "{text:?}");
    let left = screen(&text);
    assert!(left[0].starts_with("keypack: interrupted: the tag t of docker://"), "{left:?}");
    assert_eq!(left[1..].concat(), "", "{left:?}");
}

/// Half of what a pull reads has arrived, and then nothing more: the line says that.
#[test]
fn a_download_shows_how_much_has_come() {
    let dir = tempfile::tempdir().unwrap();
    let half = 512 << 10;
    let content = artifact(&vec![b'x'; 2 * half]);
    let (manifest, blobs) = (content.manifest.clone().into_bytes(), content.blobs);
    let server = Server::start(move |asked| match asked.target.as_str() {
        t if t.contains("/manifests/") => sent(manifest.clone()),
        t => match blobs.iter().find(|blob| t.ends_with(&blob.digest().to_string())) {
            Some(blob) if blob.bytes().len() > half => Reply::ok(blob.bytes()).stall(half),
            Some(blob) => Reply::ok(blob.bytes()),
            None => Reply::new(404),
        },
    });
    let line = format!("pull docker://{}/a/b:t --plain-http -o keys", server.host());
    let running = on_a_terminal(keypack(dir.path(), &line), None);
    let start = Instant::now();
    while server.lines().iter().filter(|line| line.contains("/blobs/")).count() < 2 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", server.lines());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(700));
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let (text, status) = running.end();
    assert_eq!(status.code(), Some(130), "{text:?}");
    assert!(text.contains("[==========          ] 512.00 KiB of 1.00 MiB"), "{text:?}");
    assert_eq!(screen(&text).concat(), "keypack: interrupted: keys is as it was", "{text:?}");
}

/// Our screen emulation is tested with what indicatif writes.
#[test]
fn the_screen_is_read_rightly() {
    assert_eq!(screen("a\r\x1b[2Kb\r\nc"), ["b", "c"]);
    assert_eq!(screen("one\r\ntwo\x1b[1A\r\x1b[2Kx"), ["x", "two"]);
    assert_eq!(screen("left over [==  ] 3 B\r\nend\r\n"), ["left over [==  ] 3 B", "end", ""]);
}
