//! The log of what was decided on this host: one line of JSON for each run that came as far as a pack, appended and
//! never changed. It decides nothing; people read it, and copy it to where it can't be removed.
#![allow(clippy::disallowed_types, reason = "the log is opened in the state directory and appended to here")]

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags, fchmod, openat};
use serde::{Deserialize, Serialize};

use super::{
    StateError,
    store::{Room, plain},
};
use crate::{
    fs::{self, FsError, Lock, sync},
    limits,
    oci::Digest,
};

/// Its name in the state directory. No lineage's file ends like it.
pub const LOG: &str = "log.jsonl";

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogEntry {
    /// When.
    pub time: Timestamp,
    /// Where the time is from: `system-clock`, unless a program gave another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_source: Option<String>,
    /// The number of the user of the operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The user's name, as /etc/passwd has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The number of the user who logged in, which `sudo` does not change (`/proc/self/loginuid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The version of keypack.
    pub keypack: String,
    /// What was run: `collect`, `pull`, `state forget-unsafe`.
    pub command: String,
    /// The lineage.
    pub lineage: String,
    /// Where the pack was fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The directory with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The pack digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<Digest>,
    /// The pack's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What authenticated it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<String>,
    /// The flags by which a person decided something: revocations, accepted changes, every `--…-unsafe`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<String>,
    /// The reason that was given for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it ended: `installed`, `unchanged`, `first`, `changed`, `refreshed`, `forgotten`, or the code of the failure;
    /// `begun` before something is done that only an `--…-unsafe` allows.
    pub result: String,
}

/// How long a text in a line may be, in characters, and how many of a kind there may be.
const TEXT: usize = 500;
const MANY: usize = 32;

impl LogEntry {
    /// The same with everything short enough for a line that is read back.
    fn bounded(&self) -> Self {
        let short = |text: &String| text.chars().take(TEXT).collect::<String>();
        let some = |text: &Option<String>| text.as_ref().map(short);
        let all = |texts: &[String]| texts.iter().take(MANY).map(short).collect();
        Self {
            time_source: some(&self.time_source),
            user: some(&self.user),
            host: some(&self.host),
            place: some(&self.place),
            directory: some(&self.directory),
            anchors: all(&self.anchors),
            decisions: all(&self.decisions),
            reason: some(&self.reason),
            ..self.clone()
        }
    }
}

/// Appends a line, alone: others wait until it is on the disk. The directory is created if need be.
///
/// Only what a process adds at once is ever added: where a killed one left half a line, a new one begins.
pub fn append(dir: &Path, entry: &LogEntry) -> Result<(), StateError> {
    let path = dir.join(LOG);
    let failed = |source: io::Error| StateError::Write { path: path.clone(), source };
    let room = Room::make(dir)?;
    let flags = OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let fd = openat(room.fd(), LOG, flags, mode).map_err(|errno| failed(errno.into()))?;
    let is_new = plain(&fd, &path)?.st_size == 0;
    match fs::lock(&fd, &path) {
        Ok(Lock::Held) => {}
        Ok(Lock::Missing(source)) => return Err(StateError::NoLocks { path, source }),
        Err(FsError::Busy { .. }) => return Err(StateError::Busy { path }),
        Err(error) => return Err(failed(io::Error::other(error))),
    }
    let mut file = File::from(fd);
    let mut write = || {
        let mut line = Vec::new();
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            line.extend((last != *b"\n").then_some(b'\n'));
        }
        serde_json::to_writer(&mut line, &entry.bounded())?;
        line.push(b'\n');
        file.write_all(&line)?;
        sync(&file)?;
        if is_new {
            // Whatever the umask, and the name too.
            fchmod(&file, mode)?;
            sync(room.fd())?;
        }
        Ok(())
    };
    write().map_err(failed)
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// As it was written.
    Entry(Box<LogEntry>),
    /// Not a line that keypack wrote, or one of a newer keypack; its number, from 1.
    Unreadable(u64),
}

/// Reads the log, line by line; none, if there is no log yet.
pub fn read_log(dir: &Path) -> Result<impl Iterator<Item = Result<LogLine, StateError>>, StateError> {
    let path = dir.join(LOG);
    let failed = {
        let path = path.clone();
        move |source: io::Error| StateError::Read { path: path.clone(), source }
    };
    let file = match Room::open(dir)? {
        Some(room) => room.read(LOG)?,
        None => None,
    };
    let mut reader = file.map(|fd| BufReader::new(File::from(fd)));
    let mut number = 0;
    Ok(std::iter::from_fn(move || {
        let reader = reader.as_mut()?;
        number += 1;
        match line(reader) {
            Ok(None) => None,
            Ok(Some(bytes)) => Some(Ok(match serde_json::from_slice(&bytes) {
                Ok(entry) => LogLine::Entry(Box::new(entry)),
                Err(_) => LogLine::Unreadable(number),
            })),
            Err(error) => Some(Err(failed(error))),
        }
    }))
}

/// The next line; of one that is longer than any that keypack writes, the beginning.
fn line(reader: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if reader.by_ref().take(limits::STATE_LOG_LINE).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == limits::STATE_LOG_LINE {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(bytes))
}
