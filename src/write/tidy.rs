use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt as _,
};

use rustix::{
    fs::{AtFlags, Dir, Mode, fsync, openat, renameat, statat},
    io::Errno,
};

use super::{
    error::WriteError,
    place::{DIR, Place},
    wrapper::{OLD, is_ours, remove_wrapper},
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
