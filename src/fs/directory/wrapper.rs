//! The wrapper: a directory `.keys.keypack-<random>` beside the target, in which a new directory is made. What lies in
//! it, whether a sibling is one, and how one is removed.

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

/// The file that says what a wrapper is, to us and to whoever finds one.
pub(super) const MARKER: &str = "KEYPACK-TEMPORARY";
/// In the wrapper: the directory being made, and after the exchange the one that was replaced.
pub(super) const NEW: &str = "new";
/// In the wrapper: a directory that could not be put back.
pub(super) const KEPT: &str = "kept";

/// What the marker says.
pub(super) const MARKER_TEXT: &str = "keypack prepares a directory here and removes this one when it is done.\n\
    If no keypack is running, one was killed: the next run that writes the same target tidies up. If there is\n\
    a directory kept/, it was the target's content and could not be put back: nothing removes it.\n";

/// How deep a directory may be. What keypack writes has a few levels.
const DEPTH: u32 = 16;

/// The wrappers of this user beside the target, and whether there is a lock file.
///
/// Under the lock they are left-overs for certain; without it they may be a living writer's.
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

/// Removes what killed runs left behind; the paths of what stays. The caller holds the lock.
///
/// Only what carries our name, our marker and our user's ownership is touched.
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

/// Removes a wrapper: the directory in it, the marker and the wrapper itself. False if it stays, as one does that holds
/// anything else.
///
/// The marker goes last, so that a removal that is cut short can be finished by the next run.
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

/// Removes a directory and what is in it, following no link and entering no mount. False if something stays.
fn remove_directory(above: &OwnedFd, name: &OsStr, depth: u32) -> bool {
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let dir = match openat2(above, name, DIR, Mode::empty(), resolve) {
        // A sandbox without openat2(2): a mount in what keypack made is not to be expected.
        Err(Errno::NOSYS) => openat(above, name, DIR, Mode::empty()),
        other => other,
    };
    let Ok(dir) = dir else { return false };
    for inner in names(&dir).unwrap_or_default() {
        // unlink(2): a directory is refused, as EISDIR on Linux.
        if unlinkat(&dir, inner.as_os_str(), AtFlags::empty()) == Err(Errno::ISDIR) && depth > 0 {
            remove_directory(&dir, &inner, depth - 1);
        }
    }
    unlinkat(above, name, AtFlags::REMOVEDIR).is_ok()
}

/// The names in a directory, all of them or none.
fn names(dir: impl AsFd) -> Result<Vec<OsString>, Errno> {
    let names = Dir::read_from(dir)?
        .map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
        .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."));
    names.collect()
}
