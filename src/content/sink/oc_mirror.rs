#![allow(clippy::disallowed_types, reason = "content writes files: this adds to the output of oc-mirror")]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, Permissions, PermissionsExt},
};
use rustix::fs::Mode;

use super::{
    archive::archive_of,
    rewrite::{Entry, append},
};
use crate::{
    content::{
        Artifact, ContentError, DirFiles, Files, Layout, Segments, Sink, Source, Stored, TarFiles,
        files::{Kind, open_file, scan},
        found::no_such_place,
        oc_mirror::{CARRIED, WORKING_DIR, segment_number},
    },
    fs::{self, NewFile, is_left_over, sync_directory},
    limits,
};

/// The output root of oc-mirror, to which a pack is added: as `working-dir/keypack/keypack.oci.tar`, which
/// mirror-to-disk archives, and if there are segments already, as one more segment with only this file. No other
/// segment is changed.
///
/// Only a regular file with mode 0644 is added to the working-dir: a link would break mirror-to-disk, and a file
/// without the owner's write permission would break the second disk-to-mirror.
pub struct OcMirrorSink {
    place: String,
    path: PathBuf,
}

/// The highest segment number that matches disk-to-mirror's pattern.
const LAST_SEGMENT: u32 = 999_999;

impl OcMirrorSink {
    /// An output root at this path. Nothing is changed before [`Sink::put`]. `place` is its name in messages.
    pub fn new(place: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { place: place.into(), path: path.into() }
    }

    fn failed(&self, name: &str) -> impl Fn(io::Error) -> ContentError + use<> {
        let what = self.path.join(name).display().to_string();
        move |e| ContentError::write(what.clone(), e)
    }

    /// The archives replaced by a push: the pack in the working-dir, and the last segment if it contains only a pack.
    pub(in crate::content) fn replaced(&self) -> Vec<Result<Box<dyn Source>, ContentError>> {
        let carried = self.path.join(CARRIED);
        let mut found = Vec::new();
        if carried.symlink_metadata().is_ok() {
            let opened = TarFiles::open(std::slice::from_ref(&carried), Segments::One);
            found.push(opened.and_then(|files| source(&carried.display().to_string(), files)));
        }
        let files = DirFiles::open(&self.path);
        let last = files.and_then(|files| last_segment(&files)).ok().flatten();
        let last = last.map(|number| self.path.join(segment_name(number)));
        if let Some(last) = last.filter(|last| holds_only_the_pack(last).unwrap_or_default()) {
            found.push(in_segment(&last));
        }
        found
    }

    /// Opens the root; refuses oc-mirror directories that are not transferred.
    fn root(&self) -> Result<Dir, ContentError> {
        let wrong =
            |reason| Err(ContentError::wrong_place(&self.path, "an output root of oc-mirror", reason));
        let root = match Dir::open_ambient_dir(&self.path, ambient_authority()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(no_such_place(&self.path)),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => return wrong("it is a file"),
            opened => opened.map_err(self.failed(""))?,
        };
        let has = |name: &str| root.symlink_metadata(name).is_ok();
        if self.path.file_name().is_some_and(|name| name == WORKING_DIR) {
            return wrong("it is a working-dir: name the folder above it");
        }
        if has("docker/registry/v2") && !has(WORKING_DIR) {
            return wrong("it is a cache: name the folder that mirror-to-disk writes to");
        }
        if has("oci-layout") {
            return wrong("it is an OCI layout: write oci:DIR:TAG");
        }
        if self.is_workspace(&root)? {
            return wrong(
                "mirror to mirror or disk to mirror ended here (working-dir/cluster-resources holds what they write), \
                 and there is no archive to carry a pack: push to the registry, docker://HOST/REPO:TAG",
            );
        }
        Ok(root)
    }

    /// Whether images were mirrored from here to a registry and not to an archive. Only the modes with a registry as
    /// the target write cluster resources; mirror-to-disk creates the directory but leaves it empty.
    fn is_workspace(&self, root: &Dir) -> Result<bool, ContentError> {
        let files = DirFiles::of(root.try_clone().map_err(self.failed(""))?, &self.path);
        let resources = files.list(&format!("{WORKING_DIR}/cluster-resources"))?;
        Ok(resources.iter().any(|child| !child.is_dir) && last_segment(&files)?.is_none())
    }

    /// Writes the file in the working-dir unless it already has these bytes. Returns whether it was written.
    fn to_working_dir(&self, root: &Dir, bytes: &[u8]) -> Result<bool, ContentError> {
        let (folder, name) = CARRIED.rsplit_once('/').unwrap_or_default();
        let mut at = String::new();
        for part in folder.split('/') {
            at = if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
            if root.symlink_metadata(&at).is_ok_and(|data| data.is_symlink()) {
                let reason = "it is a symbolic link, which oc-mirror can't archive";
                return Err(ContentError::wrong_place(&self.path.join(&at), "a folder", reason));
            }
        }
        let failed = self.failed(CARRIED);
        make_folders(root, folder).map_err(&failed)?;
        let directory = root.open_dir(folder).map_err(&failed)?;
        remove_left_overs(&directory).map_err(&failed)?;
        let there = directory.symlink_metadata(name);
        if there.is_ok_and(|data| data.is_file() && data.len() == bytes.len() as u64 && is_open(&data)) {
            let files = DirFiles::of(directory.try_clone().map_err(&failed)?, &self.path.join(folder));
            if files.read(name, bytes.len() as u64)?.is_some_and(|old| old == bytes) {
                return Ok(false);
            }
        }
        fs::need(&directory, &self.path, bytes.len() as u64)?;
        let mut temp = NewFile::create(&directory, mode()).map_err(&failed)?;
        temp.file().write_all(bytes).map_err(&failed)?;
        open_to_all(temp.file());
        temp.commit(name).and_then(|()| sync_directory(&directory)).map_err(&failed)?;
        for above in [folder.rsplit_once('/').map_or("", |(above, _)| above), "."] {
            root.open_dir(above).and_then(sync_directory).map_err(&failed)?;
        }
        Ok(true)
    }

    /// Writes the segment, replacing the last one if that contains only a pack, otherwise after it.
    fn to_segment(&self, root: &Dir, bytes: &[u8]) -> Result<bool, ContentError> {
        let files = DirFiles::of(root.try_clone().map_err(self.failed(""))?, &self.path);
        let Some(last) = last_segment(&files)? else { return Ok(false) };
        let last_path = self.path.join(segment_name(last));
        let ours = holds_only_the_pack(&last_path)?;
        if !ours && last >= LAST_SEGMENT {
            let reason = "no number follows that of its last segment";
            return Err(ContentError::wrong_place(&self.path, "an archive set that can grow", reason));
        }
        let name = segment_name(if ours { last } else { last + 1 });
        let failed = self.failed(&name);
        let mut segment = Vec::new();
        append(&mut segment, &[Entry::new(CARRIED, bytes)]).map_err(&failed)?;
        let same =
            || files.read(&name, segment.len() as u64).is_ok_and(|old| old.is_some_and(|o| o == segment));
        if ours && root.metadata(&name).is_ok_and(|data| is_open(&data)) && same() {
            return Ok(false);
        }
        fs::need(root, &self.path, segment.len() as u64)?;
        let mut temp = NewFile::create(root, mode()).map_err(&failed)?;
        temp.file().write_all(&segment).map_err(&failed)?;
        open_to_all(temp.file());
        if ours { temp.commit(&name) } else { temp.commit_new(&name) }.map_err(&failed)?;
        sync_directory(root).map_err(&failed)?;
        Ok(true)
    }
}

/// The permissions needed by oc-mirror, run by another user, to archive the file and, once it is restored with them, to
/// overwrite it. The umask of the user who pushes must not affect it.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

const fn mode() -> Mode {
    Mode::from_raw_mode(FILE_MODE)
}

/// A file system without permissions (vfat) refuses to set them; there its mount options decide.
fn open_to_all(file: &std::fs::File) {
    let _ = file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(FILE_MODE));
}

fn is_open(data: &cap_std::fs::Metadata) -> bool {
    data.permissions().mode() & FILE_MODE == FILE_MODE
}

/// Creates the missing directories.
fn make_folders(root: &Dir, path: &str) -> io::Result<()> {
    for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
        match root.create_dir(&path[..at]) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made?;
                let _ = root.set_permissions(&path[..at], Permissions::from_mode(FOLDER_MODE));
            }
        }
    }
    Ok(())
}

/// Removes leftovers of killed pushes, because mirror-to-disk would archive them; running ones wait for our lock.
fn remove_left_overs(directory: &Dir) -> io::Result<()> {
    for entry in directory.entries()? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(is_left_over) {
            directory.remove_file(name)?;
        }
    }
    Ok(())
}

fn last_segment(files: &DirFiles) -> Result<Option<u32>, ContentError> {
    Ok(files.list("")?.iter().filter_map(|child| segment_number(&child.name)).max())
}

fn segment_name(number: u32) -> String {
    format!("mirror_{number:06}.tar")
}

/// Whether a segment contains only a pack. An unreadable one is not ours.
fn holds_only_the_pack(path: &Path) -> Result<bool, ContentError> {
    let file = open_file(path)?;
    let (mut pack, mut other) = (0, 0);
    let scanned = scan(&file, path, &mut |entry| {
        let is_pack = entry.kind == Kind::File && entry.name == CARRIED.as_bytes();
        *(if is_pack { &mut pack } else { &mut other }) += 1;
        Ok(())
    });
    Ok(scanned.is_ok() && pack == 1 && other == 0)
}

/// The archive in a segment.
fn in_segment(segment: &Path) -> Result<Box<dyn Source>, ContentError> {
    let files = TarFiles::open(&[segment.to_owned()], Segments::Set)?;
    let place = files.place(CARRIED);
    let bytes = files.read(CARRIED, limits::PACK_ARCHIVE)?.unwrap_or_default();
    source(&place, TarFiles::of_bytes(&place, &bytes)?)
}

fn source(place: &str, files: TarFiles) -> Result<Box<dyn Source>, ContentError> {
    Ok(Box::new(Layout::open(place, files)?))
}

impl Sink for OcMirrorSink {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn put(&self, artifact: &Artifact, tag: &str) -> Result<Stored, ContentError> {
        let root = self.root()?;
        let opened = fs::reopen(&root).map_err(self.failed(""))?;
        // Other pushes wait until this is closed.
        let lock = fs::lock(&opened, &self.path)?;
        let mut bytes = Vec::new();
        append(&mut bytes, &archive_of(&self.place, artifact, tag)?).map_err(self.failed(CARRIED))?;
        let written = [self.to_working_dir(&root, &bytes)?, self.to_segment(&root, &bytes)?];
        let files = written.into_iter().filter(|wrote| *wrote).count();
        Ok(Stored {
            digest: artifact.manifest.digest(),
            written: files,
            tagged: files > 0,
            warning: lock.warning(&self.place),
        })
    }
}
