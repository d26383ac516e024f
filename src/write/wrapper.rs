//! The wrapper: a directory `.keys.keypack-<random>` beside the target, in which a new directory is made. What lies in
//! it, whether a sibling is one, and how one is removed.

use std::{
    ffi::{OsStr, OsString},
    os::{fd::AsFd as _, unix::ffi::OsStringExt as _},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, openat, statat, unlinkat},
    io::Errno,
    process::geteuid,
};

use super::place::{DIR, Place};

/// The file that says what a wrapper is, to us and to whoever finds one.
pub(super) const MARKER: &str = "KEYPACK-TEMPORARY";
/// In the wrapper: the directory being made, and after the exchange the one that was replaced.
pub(super) const NEW: &str = "new";
/// In the wrapper: the old directory, while a non-atomic replacement has none in place.
pub(super) const OLD: &str = "old";
/// In the wrapper: a directory that could not be put back.
pub(super) const KEPT: &str = "kept";

/// What the marker says.
pub(super) const MARKER_TEXT: &str = "keypack prepares a directory here and removes this one when it is done.\n\
    If no keypack is running, one was killed: the next run that writes the same target tidies up. If there is\n\
    a directory old/ and the target is missing, old/ is the target's last content and the next run puts it back.\n";

/// Whether a sibling is a wrapper of this user's keypack: a directory with the marker, or empty (killed between its
/// creation and the marker's).
pub(super) fn is_ours(place: &Place, name: &OsStr) -> bool {
    let Ok(stat) = statat(&place.parent, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory || stat.st_uid != geteuid().as_raw() {
        return false;
    }
    let Ok(wrapper) = openat(&place.parent, name, DIR, Mode::empty()) else { return false };
    let marked = statat(&wrapper, MARKER, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    marked || names(wrapper.as_fd()).is_ok_and(|names| names.is_empty())
}

/// Removes a wrapper: the files in `new` and `old`, these, the marker and the wrapper itself. False if it stays.
///
/// Not recursive on purpose: keypack's directories are flat, and what is not flat is not keypack's. The marker goes
/// last, so that a removal that is cut short can be finished by the next run.
pub(super) fn remove_wrapper(place: &Place, name: &OsStr) -> bool {
    let Ok(wrapper) = openat(&place.parent, name, DIR, Mode::empty()) else { return false };
    let Ok(held) = names(wrapper.as_fd()) else { return false };
    let precious = held.iter().any(|name| name == OLD) && place.is_missing();
    if precious || held.iter().any(|name| ![MARKER, NEW, OLD].iter().any(|own| name == own)) {
        return false;
    }
    for inner in held.iter().filter(|name| *name != MARKER) {
        let Ok(dir) = openat(&wrapper, inner.as_os_str(), DIR, Mode::empty()) else { return false };
        for file in names(dir.as_fd()).unwrap_or_default() {
            let _ = unlinkat(&dir, file.as_os_str(), AtFlags::empty());
        }
        if unlinkat(&wrapper, inner.as_os_str(), AtFlags::REMOVEDIR).is_err() {
            return false;
        }
    }
    let _ = unlinkat(&wrapper, MARKER, AtFlags::empty());
    unlinkat(&place.parent, name, AtFlags::REMOVEDIR).is_ok()
}

/// The names in a directory, all of them or none.
fn names(dir: std::os::fd::BorrowedFd<'_>) -> Result<Vec<OsString>, Errno> {
    let names = Dir::read_from(dir)?
        .map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
        .filter(|name| !matches!(name, Ok(name) if name == "." || name == ".."));
    names.collect()
}
