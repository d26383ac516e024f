//! Writes the folder of an export as a whole, and never over anything that keypack did not write there.

use std::{io, path::Path};

use thiserror::Error;

use crate::{
    diag::{Code, Diagnostic},
    export::{ExportTree, MANIFEST, Manifest},
    fs::{self, Change, Existing, File, FsError, Kind},
    limits,
    oci::Digest,
    ops::Context,
    write::WriteError,
};

#[derive(Debug, Error)]
enum ExportError {
    #[error(transparent)]
    Fs(#[from] FsError),
    #[error(transparent)]
    Foreign(#[from] WriteError),
    #[error("{place} holds an export of another format, {format}")]
    OtherFormat { place: String, format: String },
}

impl From<ExportError> for Diagnostic {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Fs(e) => e.into(),
            ExportError::Foreign(e) => Self::from(e).hinting(
                "name another folder with -o, or move those files out of it: keypack replaces only what it wrote and nobody changed since",
            ),
            other @ ExportError::OtherFormat { .. } => Self::new(Code::TargetHasForeignFiles, other.to_string())
                .hinting("give each format a folder of its own: -o DIR"),
        }
    }
}

/// The deepest folder of an export, and one more.
const DEPTH: usize = 3;

pub(super) fn write(
    target: &Path,
    format: &str,
    tree: &ExportTree,
    ctx: &Context,
) -> Result<Change, Diagnostic> {
    let files: Vec<_> = tree.files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let outcome = fs::replace_directory(target, &files, &|existing| judge(existing, target, format, tree))?;
    outcome.warning.iter().for_each(|warning| ctx.events.warn(warning));
    Ok(outcome.change)
}

/// Whether the folder is up to date. It may be replaced only if it holds exactly what its own list says.
fn judge(existing: &Existing, target: &Path, format: &str, tree: &ExportTree) -> Result<bool, ExportError> {
    let mut there = Vec::new();
    walk(existing, "", DEPTH, &mut there).map_err(|e| FsError::read(e, target))?;
    if there.is_empty() {
        return Ok(false);
    }
    there.sort();
    let is_list = |(path, _): &&(String, Option<Vec<u8>>)| path == MANIFEST;
    let list = there.iter().find(is_list).and_then(|(_, bytes)| Manifest::parse(bytes.as_deref()?));
    let Some(list) = list else {
        return Err(WriteError::not_ours(target, there.into_iter().map(|(path, _)| path).collect()).into());
    };
    let is_listed = |(path, bytes): &(String, Option<Vec<u8>>)| {
        let digest = bytes.as_deref().map(Digest::of);
        path == MANIFEST || list.files.iter().any(|file| file.path == *path && Some(file.sha256) == digest)
    };
    let changed: Vec<_> =
        there.iter().filter(|file| !is_listed(file)).map(|(path, _)| path.clone()).collect();
    if !changed.is_empty() {
        return Err(WriteError::not_ours(target, changed).into());
    }
    if list.about.format != format {
        let place = target.display().to_string();
        return Err(ExportError::OtherFormat { place, format: crate::display::shown(&list.about.format) });
    }
    let new = tree.files.iter().map(|(path, text)| (path.as_str(), Some(text.as_bytes())));
    let mut new: Vec<_> = new.collect();
    new.sort_unstable();
    Ok(there.iter().map(|(path, bytes)| (path.as_str(), bytes.as_deref())).eq(new))
}

/// Every entry with its bytes; none for what is no plain file, or too large or too deep to be one of keypack's.
fn walk(
    folder: &Existing,
    above: &str,
    depth: usize,
    out: &mut Vec<(String, Option<Vec<u8>>)>,
) -> io::Result<()> {
    let most = limits::EXPORT_FILES.saturating_sub(out.len());
    let entries =
        folder.entries(most)?.ok_or_else(|| io::Error::other("it holds too many files for an export"))?;
    for entry in entries {
        let name = entry.name.to_string_lossy();
        let path = format!("{above}{name}");
        match entry.kind {
            Kind::Directory if depth > 0 => {
                let inner = folder.below(&entry.name)?;
                let before = out.len();
                walk(&inner, &format!("{path}/"), depth - 1, out)?;
                if out.len() == before {
                    out.push((path, None));
                }
            }
            Kind::RegularFile => out.push((path, folder.read(&entry.name, limits::EXPORT_FILE)?)),
            _ => out.push((path, None)),
        }
    }
    Ok(())
}
