#![allow(clippy::disallowed_types, reason = "content reads files: this looks at what lies at a path")]

use std::path::Path;

use super::{
    ContentError, Files,
    files::{DirFiles, Segments, TarFiles},
    found::holding,
    layout::{DOCKER_ARCHIVE, INDEX, MARKER},
    storage::{BASES, is_storage},
};

/// The kind of content at a path given without a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Layout,
    Archive,
    StorageFolder,
    StorageTar,
    Dir,
    OcMirror,
}

const EXPECTED: &str = "a place that keypack can read";

/// Examines `path` by file names only.
pub(super) fn recognise(path: &Path) -> Result<Kind, ContentError> {
    if path.is_file() { file(path) } else { folder(path) }
}

fn file(path: &Path) -> Result<Kind, ContentError> {
    let files = TarFiles::open(&[path.to_owned()], Segments::Set)?;
    if files.size(INDEX)?.is_some() || files.size(MARKER)?.is_some() {
        Ok(Kind::Archive)
    } else if is_storage(&files, BASES[0])? {
        Ok(Kind::StorageTar)
    } else if files.size("manifest.json")?.is_some() {
        Err(ContentError::wrong_place(path, EXPECTED, DOCKER_ARCHIVE))
    } else {
        Err(ContentError::wrong_place(
            path,
            EXPECTED,
            "it is a tar without an oci-layout or a registry's storage",
        ))
    }
}

fn folder(path: &Path) -> Result<Kind, ContentError> {
    let files = DirFiles::open(path)?;
    let children = files.list("")?;
    let has_file = |name: &str| children.iter().any(|child| child.name == name && !child.is_dir);
    let is_segment =
        |name: &str| name.strip_prefix("mirror_").is_some_and(|n| n.strip_suffix(".tar").is_some());
    if has_file(INDEX) || has_file(MARKER) {
        return Ok(Kind::Layout);
    }
    if children.iter().any(|c| if c.is_dir { c.name == "working-dir" } else { is_segment(&c.name) }) {
        return Ok(Kind::OcMirror);
    }
    for base in BASES {
        if is_storage(&files, base)? {
            return Ok(Kind::StorageFolder);
        }
    }
    if has_image(&files, "", 0)? {
        return Ok(Kind::Dir);
    }
    Err(ContentError::wrong_place(
        path,
        EXPECTED,
        format!(
            "it holds {}; an OCI layout would hold index.json, a registry's storage docker/registry/v2, \
             an image of skopeo's dir: form manifest.json",
            holding(&files)
        ),
    ))
}

/// How deep a path is searched for an image: `host/ns/ns/name:tag`. A deeper tree requires the prefix `dir:`.
const DEPTH: usize = 6;

fn has_image(files: &DirFiles, folder: &str, depth: usize) -> Result<bool, ContentError> {
    let children = files.list(folder)?;
    if children.iter().any(|child| child.name == "manifest.json" && !child.is_dir) {
        return Ok(true);
    }
    for child in children.iter().filter(|child| child.is_dir && depth < DEPTH) {
        if has_image(files, &super::files::join(folder, &child.name), depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}
