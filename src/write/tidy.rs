use std::{
    ffi::{OsStr, OsString},
    os::{fd::AsFd, unix::ffi::OsStringExt as _},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, fsync, openat, renameat, statat, unlinkat},
    io::Errno,
    process::geteuid,
};

use super::{
    error::WriteError,
    place::{DIR, Place},
    stage::{MARKER, NEW, OLD},
};

/// The siblings that earlier runs left: this user's wrappers by name, and whether there is a lock file.
///
/// Called under the lock they are left-overs for certain; without it they may be a living writer's.
pub(super) fn siblings(place: &Place) -> Result<Siblings, WriteError> {
    let read = |errno| WriteError::read(errno, &place.path);
    let mut found = Siblings::default();
    for entry in Dir::read_from(&place.parent).map_err(read)? {
        let name = OsString::from_vec(entry.map_err(read)?.file_name().to_bytes().to_vec());
        match place.sibling_suffix(&name) {
            Some("lock") => found.lock = true,
            Some(s) if s.len() == 16 && s.bytes().all(|b| b.is_ascii_hexdigit()) && is_ours(place, &name) => {
                found.wrappers.push(name);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// What [`siblings`] found.
#[derive(Default)]
pub(super) struct Siblings {
    pub(super) lock: bool,
    pub(super) wrappers: Vec<OsString>,
}

/// Puts back what a killed non-atomic run took away, then removes what killed runs left behind.
///
/// The caller holds the lock. Only what carries our name, our marker and our user's ownership is touched.
/// Returns whether the target was put back, and the wrappers that could not be removed.
pub(super) fn clean(place: &Place) -> Result<(bool, Vec<OsString>), WriteError> {
    let (mut restored, mut left) = (false, Vec::new());
    for name in siblings(place)?.wrappers {
        restored |= put_back(place, &name)?;
        if !remove_wrapper(place, &name) {
            left.push(name);
        }
    }
    Ok((restored, left))
}

/// If the target is missing and the wrapper holds it, puts it back. Failing here must stop the caller: what comes
/// next removes the wrapper, and with it the last copy.
fn put_back(place: &Place, name: &OsStr) -> Result<bool, WriteError> {
    let failed = |errno| WriteError::of(errno, &place.path, "put back the old directory");
    let wrapper = openat(&place.parent, name, DIR, Mode::empty()).map_err(failed)?;
    let taken_away = statat(&wrapper, OLD, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    if !taken_away || !place.is_missing() {
        return Ok(false);
    }
    // Without NOREPLACE, which the file systems that need this don't have; a directory replaces nothing but an
    // empty directory anyway.
    renameat(&wrapper, OLD, &place.parent, place.name.as_os_str()).map_err(failed)?;
    match fsync(&place.parent) {
        Ok(()) | Err(Errno::INVAL) => Ok(true),
        Err(errno) => Err(failed(errno)),
    }
}

/// Whether a sibling is a wrapper of this user's keypack: a directory with the marker, or empty (killed between its
/// creation and the marker's).
fn is_ours(place: &Place, name: &OsStr) -> bool {
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
