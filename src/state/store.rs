use std::{
    fs::DirBuilder,
    io::Write as _,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, statat, unlinkat},
    io::Errno,
    process::geteuid,
};
use serde::{Deserialize, Serialize};

use super::{Contents, RevokedHere, SCHEMA, State, StateError};
use crate::{
    fs::{self, FsError, Lock, NewFile, sync},
    limits,
    tree::SafeName,
};

/// Reads this host's state for `lineage`; empty if there is none yet.
///
/// Any other problem is an error. A state is replaced atomically, so reading needs no lock.
pub fn load(dir: &Path, lineage: &SafeName) -> Result<State, StateError> {
    match Room::open(dir)? {
        Some(room) => room.load(lineage),
        None => Ok(State::new(lineage)),
    }
}

/// Changes this host's state for `lineage` under a lock: others wait until it is on disk.
///
/// `change` is given the current state; if it leaves it unchanged, nothing is written. The directory is created if
/// necessary, for this user alone (XDG Base Directory: mode 0700).
pub fn update<T>(
    dir: &Path,
    lineage: &SafeName,
    change: impl FnOnce(&mut State) -> T,
) -> Result<T, StateError> {
    let room = Room::make(dir)?;
    let _lock = room.lock(&lock_of(lineage))?;
    let mut state = room.load(lineage)?;
    let before = state.clone();
    let answer = change(&mut state);
    if state != before {
        room.store(&file_of(lineage), &state)?;
    }
    Ok(answer)
}

/// The names of a lineage's files. A [`SafeName`] holds no separator and fits, and the suffix keeps the kinds of file apart
/// whatever the lineage is called.
fn file_of(lineage: &SafeName) -> String {
    format!("{lineage}.json")
}

fn lock_of(lineage: &SafeName) -> String {
    format!("{lineage}.lock")
}

/// The file of what was revoked on this host, and its lock. No lineage's files end like them.
const HOST: &str = "revoked-here.host";
const HOST_LOCK: &str = "revoked-here.host-lock";

/// What that file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HostContents {
    schema_version: u32,
    revoked: RevokedHere,
}

/// What was revoked on this host: nothing, if there is no such file yet.
pub(super) fn load_host(dir: &Path) -> Result<RevokedHere, StateError> {
    Room::open(dir)?.map_or_else(|| Ok(RevokedHere::default()), |room| room.load_host())
}

/// Changes what is revoked on this host, alone.
pub(super) fn update_host<T>(
    dir: &Path,
    change: impl FnOnce(&mut RevokedHere) -> T,
) -> Result<T, StateError> {
    let room = Room::make(dir)?;
    let _lock = room.lock(HOST_LOCK)?;
    let mut revoked = room.load_host()?;
    let before = revoked.clone();
    let answer = change(&mut revoked);
    if revoked != before {
        room.store(HOST, &HostContents { schema_version: SCHEMA, revoked })?;
    }
    Ok(answer)
}

/// The lineages for which there is state, by name.
pub fn lineages(dir: &Path) -> Result<Vec<SafeName>, StateError> {
    let Some(room) = Room::open(dir)? else { return Ok(Vec::new()) };
    let failed = |errno: Errno| StateError::Read { path: dir.to_owned(), source: errno.into() };
    let mut names = Vec::new();
    for entry in Dir::read_from(&room.fd).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_str().ok().and_then(|name| name.strip_suffix(".json"));
        names.extend(name.and_then(|name| SafeName::new(name).ok()));
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes the state for `lineage`, readable or not, after `before` has succeeded; returns whether there was any.
/// Afterwards a rollback to an older pack can't be detected.
pub fn remove<E: From<StateError>>(
    dir: &Path,
    lineage: &SafeName,
    before: impl FnOnce() -> Result<(), E>,
) -> Result<bool, E> {
    let Some(room) = Room::open(dir)? else { return Ok(false) };
    let _lock = room.lock(&lock_of(lineage))?;
    let name = file_of(lineage);
    let path = dir.join(&name);
    let failed = |errno: Errno| StateError::Write { path: path.clone(), source: errno.into() };
    match statat(&room.fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        other => other.map_err(failed)?,
    };
    before()?;
    unlinkat(&room.fd, &name, AtFlags::empty()).map_err(failed)?;
    sync(&room.fd).map_err(|source| StateError::Write { path: path.clone(), source })?;
    Ok(true)
}

/// The state directory, opened once.
pub(super) struct Room {
    path: PathBuf,
    fd: OwnedFd,
}

impl Room {
    /// Opens the directory; creates it for this user alone if necessary.
    pub(super) fn make(dir: &Path) -> Result<Self, StateError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| StateError::Write { path: dir.to_owned(), source })?;
        let gone = || StateError::Write { path: dir.to_owned(), source: Errno::NOENT.into() };
        Self::open(dir)?.ok_or_else(gone)
    }

    /// Opens the directory if it exists and no other user can change its contents.
    pub(super) fn open(dir: &Path) -> Result<Option<Self>, StateError> {
        let read = |errno: Errno| StateError::Read { path: dir.to_owned(), source: errno.into() };
        // The directory itself may be a link made by the user; inside it no links are followed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = match openat(CWD, dir, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.map_err(read)?,
        };
        refuse_exposed(&fstat(&fd).map_err(read)?, dir)?;
        Ok(Some(Self { path: dir.to_owned(), fd }))
    }

    pub(super) const fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Opens a file of the directory for reading, if it exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<OwnedFd>, StateError> {
        let path = self.path.join(name);
        // O_NONBLOCK: opening a pipe must not hang; it has no effect on a regular file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(StateError::Exposed { path, reason: "it is a symbolic link" });
            }
            other => other.map_err(|errno| StateError::Read { path: path.clone(), source: errno.into() })?,
        };
        plain(&fd, &path)?;
        Ok(Some(fd))
    }

    fn load(&self, lineage: &SafeName) -> Result<State, StateError> {
        let name = file_of(lineage);
        match self.bytes(&name)? {
            Some(bytes) => parse(&bytes, lineage, &self.path.join(name)),
            None => Ok(State::new(lineage)),
        }
    }

    fn load_host(&self) -> Result<RevokedHere, StateError> {
        let Some(bytes) = self.bytes(HOST)? else { return Ok(RevokedHere::default()) };
        Ok(versioned::<HostContents>(&bytes, &self.path.join(HOST))?.revoked)
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.path.join(name);
        let Some(fd) = self.read(name)? else { return Ok(None) };
        let bytes = fs::read(fd.into(), limits::STATE);
        let bytes = bytes.map_err(|source| StateError::Read { path: path.clone(), source })?;
        let reason = format!("it is larger than {} bytes", limits::STATE);
        bytes.map(Some).ok_or(StateError::Malformed { path, reason })
    }

    /// Waits for a lock, which is on a separate file because each change replaces the state file. It is not
    /// removed: removing a lock file while others wait for it would let in two of them.
    ///
    /// Unlike `keys/`, a state without locks is refused. Two simultaneous pulls would each write their own view, and
    /// the version recorded by one of them would be lost, which would permit a rollback to an older pack.
    fn lock(&self, name: &str) -> Result<OwnedFd, StateError> {
        let path = self.path.join(name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR);
        let fd = fd.map_err(|errno| StateError::Write { path: path.clone(), source: errno.into() })?;
        match fs::lock(&fd, &path) {
            Ok(Lock::Held) => Ok(fd),
            Ok(Lock::Missing(source)) => Err(StateError::NoLocks { path, source }),
            Err(FsError::Busy { .. }) => Err(StateError::Busy { path }),
            Err(error) => Err(StateError::Write { path, source: std::io::Error::other(error) }),
        }
    }

    /// Replaces the state atomically. The caller holds the lock.
    fn store(&self, name: &str, state: &impl Serialize) -> Result<(), StateError> {
        let path = self.path.join(name);
        let failed = |source| StateError::Write { path: path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(state).map_err(|e| failed(e.into()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > limits::STATE {
            return Err(failed(std::io::Error::other("it would be larger than keypack reads")));
        }
        let write = || {
            let mode = Mode::RUSR | Mode::WUSR;
            let mut new = NewFile::create(&self.fd, mode)?;
            // Whatever the umask (open(2) masks its mode argument).
            fchmod(new.file(), mode)?;
            new.file().write_all(&bytes)?;
            new.commit(name)?;
            sync(&self.fd)
        };
        write().map_err(failed)
    }
}

fn parse(bytes: &[u8], lineage: &SafeName, path: &Path) -> Result<State, StateError> {
    let state: Contents = versioned(bytes, path)?;
    if state.lineage != lineage.as_str() {
        let reason = format!("it is the state of the lineage {:?}", state.lineage);
        return Err(StateError::Malformed { path: path.to_owned(), reason });
    }
    Ok(State(state))
}

/// Reads a file, its schema version first, so that a newer one is called newer and not malformed.
fn versioned<T: for<'de> Deserialize<'de>>(bytes: &[u8], path: &Path) -> Result<T, StateError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        schema_version: u64,
    }
    let malformed = |reason: String| StateError::Malformed { path: path.to_owned(), reason };
    let head: Head = serde_json::from_slice(bytes).map_err(|e| malformed(e.to_string()))?;
    if head.schema_version > u64::from(SCHEMA) {
        let found = head.schema_version;
        return Err(StateError::Schema { path: path.to_owned(), found, known: SCHEMA });
    }
    if head.schema_version != u64::from(SCHEMA) {
        return Err(malformed(format!("there is no schema version {}", head.schema_version)));
    }
    serde_json::from_slice(bytes).map_err(|e| malformed(e.to_string()))
}

/// Refuses anything that is not a regular file which only this user and root can change.
pub(super) fn plain(fd: &OwnedFd, path: &Path) -> Result<Stat, StateError> {
    let stat = fstat(fd).map_err(|errno| StateError::Read { path: path.to_owned(), source: errno.into() })?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StateError::Exposed { path: path.to_owned(), reason: "it is not a plain file" });
    }
    refuse_exposed(&stat, path)?;
    Ok(stat)
}

/// Refuses a file that users other than this one and root could change, because they could make this host forget.
fn refuse_exposed(stat: &Stat, path: &Path) -> Result<(), StateError> {
    let exposed = |reason| Err(StateError::Exposed { path: path.to_owned(), reason });
    if stat.st_uid != 0 && stat.st_uid != geteuid().as_raw() {
        return exposed("it belongs to another user");
    }
    if stat.st_mode & 0o022 != 0 {
        return exposed("others than its owner may write it");
    }
    Ok(())
}
