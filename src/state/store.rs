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
use serde::Deserialize;

use super::{Contents, SCHEMA, State, StateError};
use crate::{
    fs::{self, FsError, Lock, NewFile, sync},
    limits,
    tree::SafeName,
};

/// What this host remembers of `lineage`: nothing, if there is no state yet.
///
/// Anything else that is wrong is an error. A state is replaced whole, so reading takes no lock.
pub fn load(dir: &Path, lineage: &SafeName) -> Result<State, StateError> {
    match Room::open(dir)? {
        Some(room) => room.load(lineage),
        None => Ok(State::new(lineage)),
    }
}

/// Changes what this host remembers of `lineage`, alone: others wait until it is on the disk.
///
/// `change` gets the state as it is now and may refuse by leaving it as it is; then nothing is written. The directory
/// is created if need be, for this user alone (XDG Base Directory: mode 0700).
pub fn update<T>(
    dir: &Path,
    lineage: &SafeName,
    change: impl FnOnce(&mut State) -> T,
) -> Result<T, StateError> {
    let room = Room::make(dir)?;
    let _lock = room.lock(lineage)?;
    let mut state = room.load(lineage)?;
    let before = state.clone();
    let answer = change(&mut state);
    if state != before {
        room.store(lineage, &state)?;
    }
    Ok(answer)
}

/// The lineages of which something is remembered, by name.
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

/// Removes what is remembered of `lineage`, readable or not, once `before` has succeeded; answers whether there was
/// anything. Then an older pack can't be told from a newer one.
pub fn remove<E: From<StateError>>(
    dir: &Path,
    lineage: &SafeName,
    before: impl FnOnce() -> Result<(), E>,
) -> Result<bool, E> {
    let Some(room) = Room::open(dir)? else { return Ok(false) };
    let _lock = room.lock(lineage)?;
    let name = format!("{lineage}.json");
    let failed = |errno: Errno| StateError::Write { path: room.path(lineage, "json"), source: errno.into() };
    match statat(&room.fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        other => other.map_err(failed)?,
    };
    before()?;
    unlinkat(&room.fd, &name, AtFlags::empty()).map_err(failed)?;
    sync(&room.fd).map_err(|source| StateError::Write { path: room.path(lineage, "json"), source })?;
    Ok(true)
}

/// The state directory, opened once.
pub(super) struct Room {
    path: PathBuf,
    fd: OwnedFd,
}

impl Room {
    /// Opens the directory, made for this user alone if need be.
    pub(super) fn make(dir: &Path) -> Result<Self, StateError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|source| StateError::Write { path: dir.to_owned(), source })?;
        let gone = || StateError::Write { path: dir.to_owned(), source: Errno::NOENT.into() };
        Self::open(dir)?.ok_or_else(gone)
    }

    /// Opens the directory if it is there and nobody else can change what is in it.
    pub(super) fn open(dir: &Path) -> Result<Option<Self>, StateError> {
        let read = |errno: Errno| StateError::Read { path: dir.to_owned(), source: errno.into() };
        // A link to the directory is the user's own affair; within it none is followed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = match openat(CWD, dir, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.map_err(read)?,
        };
        refuse_exposed(&fstat(&fd).map_err(read)?, dir)?;
        Ok(Some(Self { path: dir.to_owned(), fd }))
    }

    /// The path of one of the lineage's files. A [`SafeName`] holds no separator and fits, and the suffix keeps the
    /// three kinds of file apart whatever the lineage is called.
    fn path(&self, lineage: &SafeName, suffix: &str) -> PathBuf {
        self.path.join(format!("{lineage}.{suffix}"))
    }

    pub(super) const fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Opens a file of the directory to be read, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<OwnedFd>, StateError> {
        let path = self.path.join(name);
        // O_NONBLOCK: a pipe must not hang the opening; on a plain file it means nothing.
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
        let path = self.path(lineage, "json");
        let Some(fd) = self.read(&format!("{lineage}.json"))? else { return Ok(State::new(lineage)) };
        let bytes = fs::read(fd.into(), limits::STATE);
        let bytes = bytes.map_err(|source| StateError::Read { path: path.clone(), source })?;
        let too_large = || StateError::Malformed {
            path: path.clone(),
            reason: format!("it is larger than {} bytes", limits::STATE),
        };
        parse(&bytes.ok_or_else(too_large)?, lineage, &path)
    }

    /// Waits for the lineage's lock, on a file of its own: the state itself is another file after each change. It stays;
    /// removing a lock file that others may be waiting for would let two of them in.
    ///
    /// Unlike `keys/`, a state without locks is refused. Of two pulls at once each would write what it knew before the
    /// other, and the version that the loser recorded would be forgotten: an older pack could come back.
    fn lock(&self, lineage: &SafeName) -> Result<OwnedFd, StateError> {
        let path = self.path(lineage, "lock");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.fd, format!("{lineage}.lock"), flags, Mode::RUSR | Mode::WUSR);
        let fd = fd.map_err(|errno| StateError::Write { path: path.clone(), source: errno.into() })?;
        match fs::lock(&fd, &path) {
            Ok(Lock::Held) => Ok(fd),
            Ok(Lock::Missing(source)) => Err(StateError::NoLocks { path, source }),
            Err(FsError::Busy { .. }) => Err(StateError::Busy { path }),
            Err(error) => Err(StateError::Write { path, source: std::io::Error::other(error) }),
        }
    }

    /// Replaces the state at one instant. Called under the lock.
    fn store(&self, lineage: &SafeName, state: &State) -> Result<(), StateError> {
        let path = self.path(lineage, "json");
        let failed = |source| StateError::Write { path: path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(state).map_err(|e| failed(e.into()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > limits::STATE {
            return Err(failed(std::io::Error::other("it would be larger than keypack reads")));
        }
        let write = || {
            let mode = Mode::RUSR | Mode::WUSR;
            let mut new = NewFile::create(&self.fd, mode)?;
            // Whatever the umask (open(2) masks the mode that it is given).
            fchmod(new.file(), mode)?;
            new.file().write_all(&bytes)?;
            new.commit(format!("{lineage}.json"))?;
            sync(&self.fd)
        };
        write().map_err(failed)
    }
}

/// Reads a state, its schema version first, so that a newer one is called newer and not malformed.
fn parse(bytes: &[u8], lineage: &SafeName, path: &Path) -> Result<State, StateError> {
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
    let state: Contents = serde_json::from_slice(bytes).map_err(|e| malformed(e.to_string()))?;
    if state.schema_version != SCHEMA {
        return Err(malformed(format!("there is no schema version {}", state.schema_version)));
    }
    if state.lineage != lineage.as_str() {
        return Err(malformed(format!("it is the state of the lineage {:?}", state.lineage)));
    }
    Ok(State(state))
}

/// Refuses what is not a plain file that only this user and root can change.
pub(super) fn plain(fd: &OwnedFd, path: &Path) -> Result<Stat, StateError> {
    let stat = fstat(fd).map_err(|errno| StateError::Read { path: path.to_owned(), source: errno.into() })?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StateError::Exposed { path: path.to_owned(), reason: "it is not a plain file" });
    }
    refuse_exposed(&stat, path)?;
    Ok(stat)
}

/// Refuses what others than this user and root could change: they could make this host forget.
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
