//! The wrapper: a directory `.keys.keypack-<random>` beside the target, in which a new directory is created. What it
//! contains, how it is recognised, and how it is removed.

use std::{
    ffi::{OsStr, OsString},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStringExt as _,
    },
    path::PathBuf,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, ResolveFlags, openat, openat2, statat, unlinkat},
    io::Errno,
    process::geteuid,
};

use super::target::{DIR, Target};
use crate::fs::FsError;

/// The file that identifies a wrapper, to keypack and to people.
pub(super) const MARKER: &str = "KEYPACK-TEMPORARY";
/// In the wrapper: the directory being created, and after the exchange the one that was replaced.
pub(super) const NEW: &str = "new";
/// In the wrapper: a directory that could not be put back.
pub(super) const KEPT: &str = "kept";

/// The text of the marker.
pub(super) const MARKER_TEXT: &str = "keypack prepares a directory here and removes this one when it is done.\n\
    If no keypack is running, one was killed: the next run that writes the same target tidies up. If there is\n\
    a directory kept/, it was the target's content and could not be put back: nothing removes it.\n";

/// The maximum depth of a directory. Those written by keypack have a few levels.
const DEPTH: u32 = 16;

/// This user's wrappers beside the target, and whether there is a lock file.
///
/// If the caller holds the lock they are leftovers; otherwise they may belong to a running writer.
fn siblings(target: &Target) -> Result<(Vec<OsString>, bool), FsError> {
    let read = |errno: Errno| FsError::read(errno, &target.path);
    let (mut wrappers, mut lock) = (Vec::new(), false);
    for entry in Dir::read_from(&target.parent).map_err(read)? {
        let name = OsString::from_vec(entry.map_err(read)?.file_name().to_bytes().to_vec());
        match target.sibling_suffix(&name) {
            Some("lock") => lock = true,
            Some(s)
                if s.len() == 16 && s.bytes().all(|b| b.is_ascii_hexdigit()) && is_ours(target, &name) =>
            {
                wrappers.push(name);
            }
            _ => {}
        }
    }
    Ok((wrappers, lock))
}

/// Whether an earlier run may have left something beside the target.
pub(super) fn is_littered(target: &Target) -> Result<bool, FsError> {
    siblings(target).map(|(wrappers, lock)| lock || !wrappers.is_empty())
}

/// Removes leftovers of killed runs. Returns the paths that remain. The caller holds the lock.
///
/// Only entries with our name, our marker and our user as owner are touched.
pub(super) fn clean(target: &Target) -> Result<Vec<PathBuf>, FsError> {
    let mut wrappers = siblings(target)?.0;
    wrappers.retain(|name| !remove(target, name));
    Ok(wrappers.iter().map(|name| target.sibling_path(name)).collect())
}

/// Whether a sibling is a wrapper of this user's keypack: a directory with the marker, or empty (killed between its
/// creation and the marker's).
fn is_ours(target: &Target, name: &OsStr) -> bool {
    let Ok(stat) = statat(&target.parent, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory || stat.st_uid != geteuid().as_raw() {
        return false;
    }
    let Ok(wrapper) = openat(&target.parent, name, DIR, Mode::empty()) else { return false };
    let marked = statat(&wrapper, MARKER, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    marked || names(&wrapper).is_ok_and(|names| names.is_empty())
}

/// Removes a wrapper: the directory in it, the marker and the wrapper itself. False if it remains, for example because
/// it contains something else.
///
/// The marker is removed last, so that the next run can finish an interrupted removal.
pub(super) fn remove(target: &Target, name: &OsStr) -> bool {
    let Ok(wrapper) = openat(&target.parent, name, DIR, Mode::empty()) else { return false };
    let Ok(held) = names(&wrapper) else { return false };
    if held.iter().any(|name| name != MARKER && name != NEW) {
        return false;
    }
    if held.iter().any(|name| name == NEW) && !remove_directory(&wrapper, OsStr::new(NEW), DEPTH) {
        return false;
    }
    let _ = unlinkat(&wrapper, MARKER, AtFlags::empty());
    unlinkat(&target.parent, name, AtFlags::REMOVEDIR).is_ok()
}

/// Removes a directory and its contents, without following links or entering mounts. False if something remains.
fn remove_directory(above: &OwnedFd, name: &OsStr, depth: u32) -> bool {
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let dir = match openat2(above, name, DIR, Mode::empty(), resolve) {
        // A sandbox without openat2(2): a mount inside a directory created by keypack is unlikely.
        Err(Errno::NOSYS) => openat(above, name, DIR, Mode::empty()),
        other => other,
    };
    let Ok(dir) = dir else { return false };
    for inner in names(&dir).unwrap_or_default() {
        // unlink(2) refuses a directory, with EISDIR on Linux.
        if unlinkat(&dir, inner.as_os_str(), AtFlags::empty()) == Err(Errno::ISDIR) && depth > 0 {
            remove_directory(&dir, &inner, depth - 1);
        }
    }
    unlinkat(above, name, AtFlags::REMOVEDIR).is_ok()
}

/// All names in a directory, or an error.
fn names(dir: impl AsFd) -> Result<Vec<OsString>, Errno> {
    let names = Dir::read_from(dir)?
        .map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
        .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."));
    names.collect()
}
