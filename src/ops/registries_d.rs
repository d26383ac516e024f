//! Writes a file for registries.d, before images are mirrored, that turns off the lookup of signatures where there are
//! none.
#![allow(clippy::disallowed_methods, reason = "it makes the one directory that the user names")]

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Context, Sources, own_file, sources::listed};
use crate::{
    content::{RegistrySource, Selection, Source},
    diag::{Code, Diagnostic},
    discover::{Target, discover},
    export::{Asked, RegistriesD, is_ours, scopes},
    fs, limits, text,
};

/// The file name. Only its extension matters to its readers.
const NAME: &str = "keypack.yaml";

/// Which images, and where to write the file. Keys and caches among the sources are ignored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// A list of images, and the one registry at which they are looked up if it is not their own.
    pub sources: Sources,
    /// The directory, which may not exist yet.
    pub directory: PathBuf,
}

/// What was decided and written.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The decision for each repository.
    pub decision: RegistriesD,
    /// The file.
    pub file: PathBuf,
}

/// Looks up the signatures of listed images, and writes which of their repositories have any.
pub(crate) fn registries_d(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let Sources { images: list, keys, .. } = &request.sources;
    let Some(list) = list else {
        return Err(Diagnostic::usage(
            "--write-registries-d decides about images that are listed",
            "give the list: --images mapping.txt, or --images isc.yaml",
        ));
    };
    if keys.offline {
        return Err(Diagnostic::usage("--no-network forbids reading a registry", "leave it out"));
    }
    let listed = listed(list, &request.sources.locations()?, ctx)?.images;
    // Check this before contacting hosts, which can take minutes.
    let file = request.directory.join(NAME);
    own_file::refuse_other(&file, Code::RegistriesDTaken, is_ours)?;
    let sources: Vec<_> = listed
        .iter()
        .map(|(host, images)| {
            RegistrySource::new(host.clone(), Selection::Images(images.clone()), ctx.registry())
        })
        .collect();
    let targets: Vec<_> = sources.iter().map(|source| Target { source, only: None }).collect();
    ctx.events.step("looking for signatures");
    let discovery = discover(&targets, &mut |place| {
        ctx.events.advance(&format!("looking for signatures in {}: {} manifests", place.name, place.read));
    })?;
    let asked: Vec<_> = sources
        .iter()
        .zip(&listed)
        .map(|(source, (host, images))| Asked { place: source.place(), host: host.to_string(), images })
        .collect();
    let decision = RegistriesD::decide(&asked, &discovery);
    refuse_split(&request.directory, &decision)?;
    if let Err(e) = std::fs::create_dir(&request.directory)
        && e.kind() != io::ErrorKind::AlreadyExists
    {
        let message = format!("could not make {}: {e}", request.directory.display());
        return Err(Diagnostic::new(Code::WriteFailed, message));
    }
    fs::write(&file, decision.to_yaml().as_bytes())?;
    Ok(Outcome { decision, file })
}

/// Refuses a directory in which another file has a section for one of the repositories, because its readers would then
/// refuse all of it (containers-registries.d(5)).
fn refuse_split(directory: &Path, decision: &RegistriesD) -> Result<(), Diagnostic> {
    let failed = |e: io::Error| fs::FsError::read(e, directory);
    let entries = match std::fs::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let taken = |what: String| Err(Diagnostic::new(Code::RegistriesDTaken, what));
    for (number, entry) in entries.enumerate() {
        if number >= limits::HOST_FILES {
            return taken(format!("{} holds more than {number} files", directory.display()));
        }
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != "yaml")
            || path.file_name().is_some_and(|n| n == NAME)
        {
            continue;
        }
        let Some(bytes) = read(&path)? else { continue };
        let Some(scopes) = std::str::from_utf8(&text::utf8(&bytes)).ok().and_then(scopes) else {
            return taken(format!("{} can't be read as a file of registries.d", path.display()));
        };
        if let Some(both) = decision.repositories.iter().find(|ours| scopes.contains(&ours.scope)) {
            return taken(format!("{} has a section for {} already", path.display(), both.scope));
        }
    }
    Ok(())
}

/// Reads a file, if it exists.
fn read(file: &Path) -> Result<Option<Vec<u8>>, Diagnostic> {
    match fs::open(file).and_then(|opened| fs::read(opened, limits::KEY_FILE)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fs::FsError::read(e, file).into()),
        Ok(None) => Ok(Some(Vec::new())),
        Ok(read) => Ok(read),
    }
}
