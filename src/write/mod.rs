//! A directory of keys: what may be replaced, whether it is up to date, and reading it back. [`crate::fs`] exchanges it
//! atomically.

mod error;
mod listing;

use std::path::Path;

pub use error::WriteError;
pub use listing::{Contents, Foreign, ForeignKind};

use crate::{
    fs::{self, Entry, File, Outcome},
    limits,
    tree::OutFile,
};

/// Replaces the entire content of the directory `target` with `files`: flat, files 0644, directory 0755.
///
/// `known` returns the names that keypack wrote into the existing directory, according to its inventory; any other
/// entry refuses the target. On an error the target is unchanged. The new directory belongs to the user who runs
/// keypack.
pub fn replace(
    target: &Path,
    files: &[OutFile],
    known: &dyn Fn(&str) -> bool,
) -> Result<Outcome, WriteError> {
    refuse_too_large(files)?;
    let new: Vec<_> = files.iter().map(|f| File { path: f.name.as_str(), bytes: &f.bytes }).collect();
    fs::replace_directory(target, &new, &|existing| {
        let entries = listing::list(existing, target)?;
        refuse_foreign(target, &entries, known)?;
        Ok(listing::same(existing, &entries, files, target))
    })
}

/// The contents of the directory `target`; `None` if it does not exist. Links are not followed.
///
/// Entries that keypack can't have written are listed, not read.
pub fn read(target: &Path) -> Result<Option<Contents>, WriteError> {
    fs::look(target)?.map(|existing| listing::contents(&existing, target)).transpose()
}

fn refuse_foreign(target: &Path, entries: &[Entry], known: &dyn Fn(&str) -> bool) -> Result<(), WriteError> {
    let foreign = |entry: &&Entry| !listing::plain_name(entry).is_some_and(|name| known(name.as_str()));
    let names: Vec<_> = entries.iter().filter(foreign).map(listing::shown).collect();
    if names.is_empty() { Ok(()) } else { Err(WriteError::not_ours(target, names)) }
}

/// Refuses files that could not be read back.
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
