use rustix::{
    fs::{AtFlags, RenameFlags, renameat, renameat_with, statat},
    io::Errno,
};

use super::{Existing, staging::Staging, target::Target, wrapper::NEW};
use crate::fs::{FsError, lacks_rename_flag};

/// How the new directory was put in place, which determines how to undo it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Swap {
    /// There was no old directory.
    Moved,
    /// It was atomically exchanged with the old one.
    Exchanged,
}

/// Puts the new directory in place of the existing one. On an error the target is unchanged.
///
/// If the file system has no exchange (NFS, SMB, 9p), an old directory is not replaced: with two renames there would be
/// a moment without any directory, and a run after a crash at that moment would read "no keys yet" and continue from
/// there.
pub(super) fn swap(
    target: &Target,
    staging: &Staging<'_>,
    existing: Option<&Existing>,
) -> Result<Swap, FsError> {
    match existing {
        None => move_in(target, staging).map(|()| Swap::Moved),
        Some(_) => match exchange(target, staging) {
            Ok(()) => Ok(Swap::Exchanged),
            // rename(2): EINVAL "the filesystem does not support one of the flags", ENOSYS from an old kernel or a
            // sandbox; EXDEV is overlayfs's answer for a directory of a lower layer.
            Err(errno) if lacks_rename_flag(errno) || errno == Errno::XDEV => {
                Err(FsError::NoExchange { target: target.path.clone(), source: errno.into() })
            }
            Err(errno) => Err(failed(target, errno)),
        },
    }
}

/// Whether the exchange moved out the directory that was inspected before. Renames don't follow links, so a link placed
/// there in the meantime was moved, not followed, and is moved back.
pub(super) fn took_out(staging: &Staging<'_>, existing: &Existing) -> bool {
    statat(&staging.wrapper, NEW, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == existing.id)
}

/// Moves the new directory out again and puts the old one back.
pub(super) fn undo(target: &Target, staging: &Staging<'_>, swap: Swap) -> Result<(), FsError> {
    let undone = match swap {
        Swap::Moved => renameat(&target.parent, target.name.as_os_str(), &staging.wrapper, NEW),
        Swap::Exchanged => exchange(target, staging),
    };
    undone.map_err(|errno| failed(target, errno))
}

fn exchange(target: &Target, staging: &Staging<'_>) -> Result<(), Errno> {
    renameat_with(&staging.wrapper, NEW, &target.parent, target.name.as_os_str(), RenameFlags::EXCHANGE)
}

fn move_in(target: &Target, staging: &Staging<'_>) -> Result<(), FsError> {
    let (wrapper, parent, name) = (&staging.wrapper, &target.parent, target.name.as_os_str());
    let moved = match renameat_with(wrapper, NEW, parent, name, RenameFlags::NOREPLACE) {
        // Without the flag a directory can still replace only an empty directory (rename(2)), so nothing is lost.
        Err(errno) if lacks_rename_flag(errno) => renameat(wrapper, NEW, parent, name),
        other => other,
    };
    moved.map_err(|errno| failed(target, errno))
}

fn failed(target: &Target, errno: Errno) -> FsError {
    let path = target.path.clone();
    match errno {
        // rename(2): "oldpath or newpath is a directory that is in use ... (e.g., as mount point)".
        Errno::BUSY => FsError::MountPoint { target: path },
        Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR | Errno::NOENT => FsError::Changed { target: path },
        _ => FsError::of(errno, &target.path, "put the new directory in place"),
    }
}
