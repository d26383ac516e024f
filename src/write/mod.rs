//! Writing a directory of files, all or nothing, and reading one back.
//!
//! A target is exchanged as a whole: the new directory is made beside it, complete and synced, and takes its place by
//! one `renameat2(2)` with `RENAME_EXCHANGE`; then the old one is removed. Whoever looks, and whenever the power
//! fails, sees the old directory or the new one. What is not keypack's is never replaced: links, mount points,
//! directories with foreign files are refused before anything is touched.
#![allow(clippy::disallowed_types, reason = "this room writes keys/")]

mod error;
mod listing;
mod lock;
mod place;
mod single;
mod stage;
mod swap;
mod tidy;
mod wrapper;

use std::{
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

pub use error::WriteError;
pub use listing::{Contents, Foreign, ForeignKind};
pub use single::file;

use crate::{limits, tree::OutFile};
use listing::Entry;
use lock::Lock;
use place::{Existing, Place};
use stage::{Staging, Unsynced};
use swap::Swap;

/// How to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the file system has no exchange, replace in two steps: a crash between them leaves no target until the
    /// next run puts the old one back.
    pub non_atomic_unsafe: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the target.
    pub change: Change,
    /// An earlier run had been killed between the two steps of a non-atomic replacement; its old directory was put
    /// back before anything else.
    pub restored: bool,
    /// Temporary directories that could not be removed. They do no harm, and the next run tries again.
    pub left: Vec<PathBuf>,
}

/// What became of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none before.
    Created,
    /// The old one was exchanged for the new one, at one instant.
    Replaced,
    /// The same in two steps, as [`Options::non_atomic_unsafe`] permits.
    ReplacedInTwoSteps,
    /// It held exactly these files with exactly the right modes, and was not touched.
    Unchanged,
}

/// Makes `files` the whole content of the directory `target`: flat, files 0644, directory 0755.
///
/// `known` tells which names in the directory in place keypack wrote before, as its inventory says; any other entry
/// refuses the target. On an error the target is as it was. The new directory belongs to the user who runs keypack.
pub fn replace(
    target: &Path,
    files: &[OutFile],
    known: &dyn Fn(&str) -> bool,
    options: Options,
) -> Result<Outcome, WriteError> {
    refuse_too_large(files)?;
    let place = Place::open(target)?;
    let unchanged = |restored, left| Outcome { change: Change::Unchanged, restored, left };

    // First without the lock, whose file would touch the parent: what is refused or unchanged leaves no trace.
    let survey = survey(&place, files, known)?;
    let others = tidy::siblings(&place)?;
    if survey.same && !others.lock && others.wrappers.is_empty() {
        return Ok(unchanged(false, Vec::new()));
    }
    let _lock = Lock::take(&place)?;
    let (restored, left) = tidy::clean(&place)?;
    let mut left: Vec<_> = left.iter().map(|name| place.sibling_path(name)).collect();
    let Survey { existing, same } = self::survey(&place, files, known)?;
    if same {
        return Ok(unchanged(restored, left));
    }

    stage::refuse_without_room(&place, files)?;
    let staging = Staging::prepare(&place, files)?;
    let swap = swap::swap(&place, &staging, existing.as_ref(), options.non_atomic_unsafe)?;
    if let Err(error) = settle(&place, &staging, existing.as_ref(), known) {
        return Err(match swap::undo(&place, &staging, swap) {
            Ok(()) => error,
            Err(_) => WriteError::NotUndone {
                target: target.to_owned(),
                old: staging.keep(),
                source: Box::new(error),
            },
        });
    }
    left.extend(staging.remove());
    let change = match swap {
        Swap::Moved => Change::Created,
        Swap::Exchanged => Change::Replaced,
        Swap::TwoSteps => Change::ReplacedInTwoSteps,
    };
    Ok(Outcome { change, restored, left })
}

/// What the directory `target` holds; `None` if it does not exist. Links are not followed.
///
/// What keypack can't have written is listed, not read.
pub fn read(target: &Path) -> Result<Option<Contents>, WriteError> {
    let place = Place::open(target)?;
    let Some(existing) = place.look()? else { return Ok(None) };
    listing::contents(&existing, target).map(Some)
}

/// Whether `target` holds exactly these files with exactly the modes that [`replace`] gives.
pub fn same(target: &Path, files: &[OutFile]) -> Result<bool, WriteError> {
    let place = Place::open(target)?;
    let Some(existing) = place.look()? else { return Ok(false) };
    let entries = listing::list(existing.fd.as_fd(), target)?;
    Ok(listing::same(&existing, &entries, files, target))
}

/// What stands at the target, and whether it is already what shall stand there.
struct Survey {
    existing: Option<Existing>,
    same: bool,
}

/// Looks at the target and refuses what must not be replaced.
fn survey(place: &Place, files: &[OutFile], known: &dyn Fn(&str) -> bool) -> Result<Survey, WriteError> {
    let Some(existing) = place.look()? else { return Ok(Survey { existing: None, same: false }) };
    place.refuse_mount_point(&existing)?;
    let entries = listing::list(existing.fd.as_fd(), &place.path)?;
    refuse_foreign(place, &entries, known)?;
    let same = listing::same(&existing, &entries, files, &place.path);
    Ok(Survey { existing: Some(existing), same })
}

/// After the swap: what came out must be what was looked at, with nothing foreign put in since, and the swap must be
/// on the disk.
fn settle(
    place: &Place,
    staging: &Staging<'_>,
    existing: Option<&Existing>,
    known: &dyn Fn(&str) -> bool,
) -> Result<(), WriteError> {
    if let Some(existing) = existing {
        if !swap::took_out(staging, existing) {
            return Err(WriteError::Changed { target: place.path.clone() });
        }
        refuse_foreign(place, &listing::list(existing.fd.as_fd(), &place.path)?, known)?;
    }
    // Both at once: one write of the journal serves both.
    staging.sync_all(&[&staging.wrapper, &place.parent].map(Unsynced::Directory))
}

fn refuse_foreign(place: &Place, entries: &[Entry], known: &dyn Fn(&str) -> bool) -> Result<(), WriteError> {
    let foreign = |entry: &&Entry| !entry.plain_name().is_some_and(|name| known(name.as_str()));
    let names: Vec<_> = entries.iter().filter(foreign).map(Entry::shown).collect();
    if names.is_empty() {
        return Ok(());
    }
    let count = names.len();
    let names = names.into_iter().take(5).collect();
    Err(WriteError::ForeignFiles { target: place.path.clone(), names, count })
}

/// What can't be read back must not be written.
fn refuse_too_large(files: &[OutFile]) -> Result<(), WriteError> {
    let too_large = |what: String, limit| Err(WriteError::TooLarge { what, limit });
    if files.len() > limits::PACK_FILES {
        return too_large("the number of files to write".into(), limits::PACK_FILES as u64);
    }
    for file in files {
        if file.bytes.len() as u64 > limits::PACK_FILE {
            return too_large(format!("the file {}, in bytes,", file.name), limits::PACK_FILE);
        }
    }
    if files.iter().map(|file| file.bytes.len() as u64).sum::<u64>() > limits::PACK_TOTAL {
        return too_large("the content to write, in bytes,".into(), limits::PACK_TOTAL);
    }
    Ok(())
}
