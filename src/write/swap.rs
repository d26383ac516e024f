use rustix::{
    fs::{AtFlags, RenameFlags, renameat, renameat_with, statat},
    io::Errno,
};

use super::{
    error::WriteError,
    place::{Existing, Place},
    stage::Staging,
    wrapper::{NEW, OLD},
};

/// How the new directory came into place, which is also how to undo it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Swap {
    /// There was none.
    Moved,
    /// It and the old one changed places at one instant.
    Exchanged,
    /// The old one was moved away, then the new one in.
    TwoSteps,
}

/// Puts the new directory in place of what is there. On an error the target is as before.
pub(super) fn swap(
    place: &Place,
    staging: &Staging<'_>,
    existing: Option<&Existing>,
    two_steps: bool,
) -> Result<Swap, WriteError> {
    match existing {
        None => move_in(place, staging).map(|()| Swap::Moved),
        Some(_) => match exchange(place, staging) {
            Ok(()) => Ok(Swap::Exchanged),
            // rename(2): EINVAL "the filesystem does not support one of the flags", ENOSYS from an old kernel or a
            // sandbox; EXDEV is overlayfs's answer for a directory of a lower layer.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV) if two_steps => {
                away_and_in(place, staging).map(|()| Swap::TwoSteps)
            }
            Err(e @ (Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV)) => {
                Err(WriteError::NoExchange { target: place.path.clone(), source: e.into() })
            }
            Err(errno) => Err(failed(place, errno)),
        },
    }
}

/// Whether what the exchange took out is what was looked at before it. Renames follow no link, so a link put there
/// meanwhile was moved, not followed, and is moved back.
pub(super) fn took_out(staging: &Staging<'_>, existing: &Existing) -> bool {
    statat(&staging.wrapper, NEW, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == existing.id)
}

/// Takes the new directory out again and puts the old one back.
pub(super) fn undo(place: &Place, staging: &Staging<'_>, swap: Swap) -> Result<(), WriteError> {
    let (wrapper, parent, name) = (&staging.wrapper, &place.parent, place.name.as_os_str());
    let undone = match swap {
        Swap::Moved => renameat(parent, name, wrapper, NEW),
        Swap::Exchanged => exchange(place, staging),
        // After the second step the old directory is called NEW.
        Swap::TwoSteps => renameat(wrapper, NEW, wrapper, OLD)
            .and_then(|()| renameat(parent, name, wrapper, NEW))
            .and_then(|()| renameat(wrapper, OLD, parent, name)),
    };
    undone.map_err(|errno| failed(place, errno))
}

fn exchange(place: &Place, staging: &Staging<'_>) -> Result<(), Errno> {
    renameat_with(&staging.wrapper, NEW, &place.parent, place.name.as_os_str(), RenameFlags::EXCHANGE)
}

fn move_in(place: &Place, staging: &Staging<'_>) -> Result<(), WriteError> {
    let (wrapper, parent, name) = (&staging.wrapper, &place.parent, place.name.as_os_str());
    let moved = match renameat_with(wrapper, NEW, parent, name, RenameFlags::NOREPLACE) {
        // Without the flag a directory still replaces nothing but an empty directory (rename(2)): nothing can be lost.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => renameat(wrapper, NEW, parent, name),
        other => other,
    };
    moved.map_err(|errno| failed(place, errno))
}

/// Two renames with an instant between them at which there is no target. Killed there, the next run puts `old`
/// back; see [`super::tidy::clean`].
fn away_and_in(place: &Place, staging: &Staging<'_>) -> Result<(), WriteError> {
    let (wrapper, parent, name) = (&staging.wrapper, &place.parent, place.name.as_os_str());
    let failed = |errno| failed(place, errno);
    // Should going back fail too, the next run puts `old` back; it is not removed while there is no target.
    let back = |first| match renameat(wrapper, OLD, parent, name) {
        Ok(()) => first,
        Err(_) => WriteError::NotUndone {
            target: place.path.clone(),
            old: staging.path().join(OLD),
            source: Box::new(first),
        },
    };
    renameat(parent, name, wrapper, OLD).map_err(failed)?;
    renameat(wrapper, NEW, parent, name).map_err(|errno| back(failed(errno)))?;
    // From now on the old one is rubbish and must not be put back by a later run that finds no target.
    if let Err(errno) = renameat(wrapper, OLD, wrapper, NEW) {
        renameat(parent, name, wrapper, NEW).map_err(failed)?;
        return Err(back(failed(errno)));
    }
    Ok(())
}

fn failed(place: &Place, errno: Errno) -> WriteError {
    let target = place.path.clone();
    match errno {
        // rename(2): "oldpath or newpath is a directory that is in use ... (e.g., as mount point)".
        Errno::BUSY => WriteError::MountPoint { target },
        Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR | Errno::NOENT => WriteError::Changed { target },
        _ => WriteError::of(errno, &place.path, "put the new directory in place"),
    }
}
