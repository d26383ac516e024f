#![allow(clippy::disallowed_types, reason = "content reads files: this looks at what lies in a folder")]

use std::path::{Path, PathBuf};

use crate::content::{
    ContentError, DirFiles, Files,
    files::Child,
    found::{holding, no_such_place},
    recognise::{Kind, recognise},
    storage::{BASES, is_storage},
};

/// oc-mirror's working directory, under the root.
pub(crate) const WORKING_DIR: &str = "working-dir";
/// The path of oc-mirror's cache, under the cache's base.
const CACHE: &str = ".oc-mirror/.cache";
/// Directories created by oc-mirror in its working-dir: two of them identify a renamed one.
const IN_WORKING_DIR: [&str; 8] = [
    "cluster-resources",
    "dry-run",
    "graph-preparation",
    "hold-operator",
    "hold-release",
    "operator-catalogs",
    "release-images",
    "signatures",
];

/// The oc-mirror files at a path.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The segments of an archive set, sorted by name.
    pub(super) segments: Vec<PathBuf>,
    /// Registry storage: the directory, and the path inside it.
    pub(super) storages: Vec<(PathBuf, &'static str)>,
    /// Whether a single segment was named.
    single: bool,
    /// Whether they are in the parent of the given working-dir.
    above: bool,
    /// The working-dir.
    pub(super) working_dir: Option<PathBuf>,
    /// Other files that oc-mirror's disk-to-mirror would treat as segments.
    pub(super) lookalikes: Vec<String>,
}

impl Survey {
    /// Examines a path by file names only.
    pub(super) fn of(path: &Path) -> Result<Self, ContentError> {
        if path.is_file() {
            return Ok(Self { segments: vec![path.to_owned()], single: true, ..Self::default() });
        }
        let files = DirFiles::open(path)?;
        let children = files.list("")?;
        let mut survey = Self::default();
        survey.add_segments(path, &children);
        for folder in [path.to_owned(), path.join(CACHE), path.join(".cache")] {
            survey.storages.extend(storage(&folder)?.map(|base| (folder, base)));
        }
        let has = |name: &str| children.iter().any(|child| child.is_dir && child.name == name);
        let known = IN_WORKING_DIR.iter().filter(|name| has(name)).count();
        if has(WORKING_DIR) {
            survey.working_dir = Some(path.join(WORKING_DIR));
        } else if known > 1 || (known == 1 && survey.is_empty()) || is_working_dir(path) {
            // One directory is enough if there is nothing else: some users transfer only `signatures`.
            survey.working_dir = Some(path.to_owned());
            // Its archives are in the parent directory.
            let bare = survey.segments.is_empty() && survey.storages.is_empty();
            if let Some(above) = folder_above(path).filter(|_| bare)
                && let Ok(files) = DirFiles::open(&above)
            {
                survey.add_segments(&above, &files.list("")?);
                survey.above = !survey.segments.is_empty();
            }
        }
        if survey.is_empty() {
            return Err(nothing(path, &files));
        }
        Ok(survey)
    }

    /// Whether these are all available segments of a set.
    pub(super) fn is_set(&self) -> bool {
        !self.segments.is_empty() && !self.single
    }

    fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.storages.is_empty() && self.working_dir.is_none()
    }

    /// Adds the segments among the entries of a directory.
    fn add_segments(&mut self, folder: &Path, children: &[Child]) {
        for child in children {
            // A symbolic link to a segment counts, even to another disk, because disk-to-mirror follows it.
            match segment_number(&child.name) {
                Some(_) if !child.is_dir => self.segments.push(folder.join(&child.name)),
                _ if is_taken(&child.name) => self.lookalikes.push(child.name.clone()),
                _ => {}
            }
        }
    }

    /// A description for a message.
    pub(super) fn words(&self) -> String {
        let mut words = Vec::new();
        match self.segments.as_slice() {
            [] => {}
            [_] => words.push("1 archive segment".to_owned()),
            more => words.push(format!("{} archive segments", more.len())),
        }
        if let (true, Some(last)) = (self.above, words.last_mut()) {
            last.push_str(" in the folder above");
        }
        if self.working_dir.is_some() {
            words.push("a working-dir".to_owned());
        }
        words.extend(self.storages.iter().map(|(folder, _)| format!("the cache {}", folder.display())));
        words.join(", ")
    }
}

/// Whether this is a directory created by oc-mirror, even if given as `.`.
pub(super) fn is_working_dir(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.file_name().is_some_and(|name| name == WORKING_DIR))
}

pub(super) fn folder_above(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()?.parent().map(Path::to_path_buf)
}

/// The number of `mirror_NNNNNN.tar`, as mirror-to-disk writes it.
pub(in crate::content) fn segment_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("mirror_")?.strip_suffix(".tar")?;
    let digits = number.len() == 6 && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| number.parse().ok())?
}

/// Whether disk-to-mirror would read a file with this name: its pattern is not anchored.
fn is_taken(name: &str) -> bool {
    name.match_indices("mirror_").any(|(at, found)| {
        let rest = &name.as_bytes()[at + found.len()..];
        rest.len() >= 10 && rest[..6].iter().all(u8::is_ascii_digit) && rest[6..].starts_with(b".tar")
    })
}

/// The path of a registry's storage inside a directory.
pub(super) fn storage(folder: &Path) -> Result<Option<&'static str>, ContentError> {
    let Some(files) = DirFiles::open_quietly(folder) else { return Ok(None) };
    for base in BASES {
        if is_storage(&files, base)? {
            return Ok(Some(base));
        }
    }
    Ok(None)
}

/// The cache below a base named by `--cache-dir`, or the base itself if it is a cache.
pub(super) fn cache_of(base: &Path) -> Result<Option<(PathBuf, &'static str)>, ContentError> {
    for folder in [base.join(CACHE), base.to_owned()] {
        if let Some(at) = storage(&folder)? {
            return Ok(Some((folder, at)));
        }
    }
    Ok(None)
}

/// The cache below a default base.
pub(super) fn usual_cache_of(base: &Path) -> Result<Option<(PathBuf, &'static str)>, ContentError> {
    let folder = base.join(CACHE);
    Ok(storage(&folder)?.map(|at| (folder, at)))
}

fn nothing(path: &Path, files: &DirFiles) -> ContentError {
    let is = match recognise(path) {
        Ok(Kind::Layout) => Some("it is an OCI layout: write oci:DIR"),
        Ok(Kind::Dir) => Some("it holds images in skopeo's form: write dir:DIR"),
        _ => files
            .list("")
            .is_ok_and(|all| all.iter().any(|c| c.name.starts_with("mirror_seq")))
            .then_some("its archives were written by oc-mirror v1, which keypack does not read"),
    };
    let reason = is.map_or_else(
        || format!("it holds {}, and neither mirror_NNNNNN.tar nor working-dir nor a cache", holding(files)),
        str::to_owned,
    );
    if path.exists() {
        ContentError::wrong_place(path, "a folder of oc-mirror", reason)
    } else {
        no_such_place(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_disk_to_mirror_reads_them() {
        assert_eq!(segment_number("mirror_000012.tar"), Some(12));
        for (name, taken) in [
            ("mirror_000001.tar", true),
            ("old-mirror_000001.tar", true),
            ("mirror_000001.tar.sha256", true),
            ("mirror_mirror_000001.tar", true),
            ("mirror_1000000.tar", false),
            ("mirror_00001.tar", false),
            ("mirror_seq1_000000.tar", false),
            (".keypack-1234567-0.tmp", false),
        ] {
            assert_eq!(is_taken(name), taken, "{name}");
            assert_eq!(segment_number(name).is_some(), name == "mirror_000001.tar", "{name}");
        }
    }
}
