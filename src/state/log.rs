//! The log of decisions on this host: one line of JSON for each run that got as far as a pack or wrote a report, appended and never
//! changed. It has no effect on decisions; people read it, and copy it to where it can't be deleted.
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
    key::Fingerprint,
    limits,
    oci::Digest,
};

/// Its name in the state directory. The names of lineage files have another ending.
pub const LOG: &str = "log.jsonl";

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogEntry {
    /// The time of the run.
    pub time: Timestamp,
    /// The source of the time: `system-clock`, unless the calling program set another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_source: Option<String>,
    /// The numeric user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The user's name in /etc/passwd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The numeric id of the user who logged in, which `sudo` does not change (`/proc/self/loginuid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The ticket under which it was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The version of keypack.
    pub keypack: String,
    /// The command: `collect`, `pull`, `revoke`, `state forget-unsafe`, `verify`, or `export` with the format.
    pub command: String,
    /// The lineage; empty where no pack was used.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// The anchors that authenticated it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<String>,
    /// Flags that are decisions by the user: revocations, accepted changes, every `--…-unsafe`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<String>,
    /// The reason given for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The keys that an exported policy names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Fingerprint>,
    /// The report that `verify` wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Its sha256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_sha256: Option<Digest>,
    /// The result: `installed`, `unchanged`, `first`, `changed`, `refreshed`, `revoked`, `stricter`,
    /// `undone`, `forgotten`, `exported`, or the code of the failure;
    /// `begun` before an action that is only allowed by an `--…-unsafe`.
    pub result: String,
}

/// The maximum length of a text in a line, in characters, and the maximum number of each kind.
const TEXT: usize = 500;
const MANY: usize = 32;
/// The maximum number of keys in a line: more than any policy names.
const KEYS: usize = 1000;

impl LogEntry {
    /// A copy with everything short enough for a line that can be read back.
    fn bounded(&self) -> Self {
        let short = |text: &String| text.chars().take(TEXT).collect::<String>();
        let some = |text: &Option<String>| text.as_ref().map(short);
        let all = |texts: &[String]| texts.iter().take(MANY).map(short).collect();
        Self {
            time_source: some(&self.time_source),
            user: some(&self.user),
            host: some(&self.host),
            ticket: some(&self.ticket),
            place: some(&self.place),
            directory: some(&self.directory),
            anchors: all(&self.anchors),
            decisions: all(&self.decisions),
            reason: some(&self.reason),
            keys: self.keys.iter().take(KEYS).copied().collect(),
            report: some(&self.report),
            ..self.clone()
        }
    }
}

/// Appends a line under a lock: others wait until it is on disk. The directory is created if necessary.
///
/// Each process appends with a single write. If a killed one left an incomplete line, a new line is started.
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
            // Whatever the umask; the name is synced too.
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
    /// An entry.
    Entry(Box<LogEntry>),
    /// Not a line written by keypack, or one from a newer keypack; its line number, from 1.
    Unreadable(u64),
}

/// Reads the log, line by line; empty if there is no log yet.
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

/// The next line, truncated if it is longer than any that keypack writes.
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
