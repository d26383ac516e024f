#![allow(clippy::disallowed_types, reason = "credential programs are run here and nowhere else")]

use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde::Deserialize;

use super::{Credentials, CredentialsError, Secret};
use crate::{display::shown, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Answer {
    username: String,
    secret: String,
}

/// Runs `docker-credential-NAME get` for a server (docker-credential-helpers). `Ok(None)` if it has no credentials.
pub(super) fn get(
    name: &str,
    server: &str,
    path: Option<&OsStr>,
    patience: Duration,
) -> Result<Option<Credentials>, CredentialsError> {
    let bad = |reason: &str| CredentialsError::Helper { name: shown(name), reason: reason.into() };
    // The name comes from a file: it must be the end of a file name, never a path.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(bad("its name may hold letters, digits and ._- only"));
    }
    let program = find(&format!("docker-credential-{name}"), path)
        .ok_or_else(|| bad("it is not in PATH; install it, or log in again with --authfile"))?;
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| bad(&format!("it can't be started: {e}")))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (said, hear) = mpsc::channel();
    let question = server.to_owned();
    // Use a separate thread: a program that neither reads nor exits must not block us.
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(question.as_bytes());
        }
        let mut bytes = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(limits::CREDENTIAL + 1).read_to_end(&mut bytes);
        }
        let _ = said.send(bytes);
    });
    let heard = hear.recv_timeout(patience);
    if heard.is_err() {
        let _ = child.kill();
    }
    let Ok(bytes) = heard else {
        let _ = child.wait();
        return Err(bad(&format!("it did not answer within {} s", patience.as_secs_f32().ceil())));
    };
    if bytes.len() as u64 > limits::CREDENTIAL {
        let _ = child.kill();
        let _ = child.wait();
        return Err(bad("its answer is too long"));
    }
    let Some(status) = end(&mut child) else { return Err(bad("it answered but did not end")) };
    if !status.success() {
        // All of them report missing credentials as "credentials not found in native keychain".
        let text = String::from_utf8_lossy(&bytes);
        return if text.contains("credentials not found") { Ok(None) } else { Err(bad("it failed")) };
    }
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| bad("its answer is not understood"))?;
    Ok(match (answer.username.as_str(), answer.secret.is_empty()) {
        ("", true) => None,
        ("<token>", _) => Some(Credentials::IdentityToken(Secret::new(answer.secret))),
        (user, _) => Some(Credentials::password(user, answer.secret)),
    })
}

/// The exit status of a program that has closed its output, and so should exit at once.
fn end(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..100 {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn find(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
