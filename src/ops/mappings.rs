//! Reads the names of mirrors and sources from files and directories given by the caller, and from those that oc-mirror
//! left in its own directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::Context;
use crate::{
    content::{self, Location, Source},
    diag::{Code, Diagnostic},
    fs, limits,
    policy::mapping::{
        MappingError, NameMap, names_mirror_sets, parse_mapping_txt, parse_mirror_sets, parse_registries_conf,
    },
    text,
};

/// Reads the files and directories given by the caller. Each must contain a mirror.
pub(super) fn read(paths: &[PathBuf]) -> Result<NameMap, Diagnostic> {
    let mut map = NameMap::default();
    for path in paths {
        if path.is_dir() {
            map.merge(folder(path)?);
        } else {
            map.merge(parse(path, &file(path)?)?);
        }
    }
    Ok(map)
}

/// Reads oc-mirror's `cluster-resources` in the directories being read. They may have been transferred with the images,
/// so they are only claims, and unreadable ones are ignored.
pub(super) fn found<'a>(locations: impl IntoIterator<Item = &'a Location>, ctx: &Context) -> NameMap {
    let mut map = NameMap::default();
    for found in locations.into_iter().flat_map(folders) {
        match folder(&found) {
            Ok(named) => map.merge(named),
            Err(e) if e.code == Code::MappingEmpty => {}
            Err(e) => ctx.events.warn(&format!("{} [{}]: left out", e.message, e.code)),
        }
    }
    map
}

/// Where oc-mirror left them in a place.
fn folders(location: &Location) -> impl Iterator<Item = PathBuf> {
    const FOLDER: &str = "cluster-resources";
    let path = content::oc_mirror_path(location);
    let folders = path.map(|path| [path.join(FOLDER), path.join(content::WORKING_DIR).join(FOLDER)]);
    folders.into_iter().flatten().filter(|found| found.is_dir())
}

/// Adds what the ImageSetConfigurations in a place say: before disk-to-mirror nothing else does. oc-mirror drops the host
/// of an image and keeps its path. They were transferred with the images too, so they are only claims.
pub(super) fn add_image_sets(source: &dyn Source, map: &mut NameMap, ctx: &Context) {
    let Some(sets) = source.abilities().image_sets else { return };
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let read = sets.image_sets(&mut |set| {
        let images = content::additional_images(&String::from_utf8_lossy(&set.bytes));
        match images {
            Ok(images) => {
                for image in images {
                    let path = image.mirrored.as_ref().unwrap_or(&image.source).repository.clone();
                    let source = format!("{}/{}", image.source.host, image.source.repository);
                    sources.entry(path).or_default().insert(source);
                }
            }
            Err(e) => ctx.events.warn(&format!("{}: {e}: left out", set.name)),
        }
    });
    if let Err(e) = read {
        ctx.events.warn(&format!("{e} [{}]: left out", e.code()));
    }
    for (path, sources) in sources {
        // Two hosts with one path are mirrored to one repository, and which of them an image is from is not known.
        if let (Some(source), 1) = (sources.first(), sources.len()) {
            map.add_copy(&path, source, true);
        }
    }
}

/// The files that would be read: those given by the caller, and those in these places.
pub(super) fn files(paths: &[PathBuf], locations: &[Location]) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut files = Vec::new();
    for path in paths.iter().cloned().chain(locations.iter().flat_map(folders)) {
        if path.is_dir() { files.extend(files_of(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// Every file of a directory that may concern mirrors.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |e| Diagnostic::new(Code::ReadFailed, format!("could not read {}: {e}", path.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)?.take(limits::MAPPING_FILES + 1) {
        let name = entry.map_err(failed)?.path();
        let ending = name.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if matches!(ending, "yaml" | "yml" | "json" | "conf") && name.is_file() {
            files.push(name);
        }
    }
    if files.len() > limits::MAPPING_FILES {
        let error = format!("{} holds more than {} files", path.display(), limits::MAPPING_FILES);
        return Err(Diagnostic::new(Code::TooLarge, error));
    }
    files.sort();
    Ok(files)
}

/// Every file of a directory that concerns mirrors; the others are ignored.
fn folder(path: &Path) -> Result<NameMap, Diagnostic> {
    let mut map = NameMap::default();
    for name in files_of(path)? {
        let text = file(&name)?;
        if is_conf(&name) || names_mirror_sets(&text) {
            match parse(&name, &text) {
                Ok(named) => map.merge(named),
                Err(e) if e.code == Code::MappingEmpty => {}
                Err(e) => return Err(e),
            }
        }
    }
    if map.is_empty() {
        let error = format!("no file in {} names a mirror", path.display());
        return Err(Diagnostic::new(Code::MappingEmpty, error));
    }
    Ok(map)
}

fn file(path: &Path) -> Result<String, Diagnostic> {
    let read = fs::open(path)
        .and_then(|file| fs::read(file, limits::MAPPING))
        .map_err(|e| Diagnostic::new(Code::ReadFailed, format!("could not read {}: {e}", path.display())))?;
    let bytes = read.ok_or_else(|| {
        let error = format!("{} is longer than {} bytes", path.display(), limits::MAPPING);
        Diagnostic::new(Code::TooLarge, error)
    })?;
    String::from_utf8(text::utf8(&bytes).into_owned())
        .map_err(|_| Diagnostic::new(Code::MappingMalformed, format!("{} is not UTF-8 text", path.display())))
}

/// The kind of a file is recognised by its content, so that users can give any.
fn parse(path: &Path, text: &str) -> Result<NameMap, Diagnostic> {
    let is_table = |line: &str| line.trim_start().starts_with("[[registry");
    let parsed = if names_mirror_sets(text) {
        parse_mirror_sets(text)
    } else if is_conf(path) || text.lines().any(is_table) {
        parse_registries_conf(text)
    } else if text.lines().any(|line| line.contains("://") && line.contains('=')) {
        parse_mapping_txt(text)
    } else {
        Err(MappingError::Empty(
            "it is none of ImageDigestMirrorSet, ImageTagMirrorSet, ImageContentSourcePolicy, install-config with \
             imageDigestSources, registries.conf and mapping.txt",
        ))
    };
    parsed.map_err(|e| {
        let code = match e {
            MappingError::Malformed(_) => Code::MappingMalformed,
            MappingError::Empty(_) => Code::MappingEmpty,
        };
        Diagnostic::new(code, format!("{}: {e}", path.display()))
    })
}

fn is_conf(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "conf")
}
