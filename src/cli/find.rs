//! From words to things: places, keys, packs.

use std::{collections::BTreeSet, path::Path};

use thiserror::Error;

use super::{args::Read, failure::Failure, images::images, output::Output, wire::Wire};
use crate::{
    content::{
        self, Location, Name, Source,
        registry::{Extent, Options, Registry},
    },
    discover::{Discovery, Target, discover},
    keysource::Gathered,
    limits,
    oci::{Descriptor, Digest, Document},
    pack::{UntrustedPack, looks_like_a_pack, parse},
    resolve::{Question, Resolution, resolve},
    write,
};

/// No pack, or several, where one is wanted.
#[derive(Debug, Error)]
pub(super) enum Ambiguous {
    #[error("{0} holds no pack")]
    None(String),
    #[error("{0} holds several packs: {1}")]
    Several(String, String),
}

/// Reads a location as the user wrote it.
pub(super) fn location(text: &str) -> Result<Location, Failure> {
    Ok(Location::parse(text, |path| path.symlink_metadata().is_ok())?)
}

/// Everything that the sources and the key sources give, resolved.
pub(super) struct Found {
    pub(super) discovery: Discovery,
    pub(super) gathered: Gathered,
    pub(super) resolution: Resolution,
}

/// Reads the sources and resolves what their signatures need.
pub(super) fn find(args: &Read, output: &Output) -> Result<Found, Failure> {
    let mut gathered = Gathered::default();
    for path in &args.key {
        gathered.add_key_file(path)?;
    }
    for path in &args.trusted_root {
        gathered.add_trusted_root(path)?;
    }
    gathered.add_builtin();
    gathered.tell_conflicts();
    let sources = sources(args, output)?;
    let targets: Vec<_> =
        sources.iter().map(|(source, only)| Target { source: source.as_ref(), only: only.clone() }).collect();
    output.working("looking for signatures");
    let discovery = discover(&targets, &mut |place| {
        output.working(&format!("looking for signatures in {}: {} manifests", place.name, place.read));
    })?;
    if discovery.places.iter().all(|p| p.read == 0) {
        let places: Vec<_> = discovery.places.iter().map(|p| p.name.as_str()).collect();
        return Err(Failure::new(
            "nothing-readable",
            format!("{} holds no image that can be read", places.join(", ")),
            super::Exit::CouldNot,
        ));
    }
    output.working("verifying signatures");
    let questions: Vec<_> = discovery
        .images
        .iter()
        .flat_map(|image| {
            image.signatures.iter().filter_map(|found| {
                found.content.as_ref().ok().map(|signature| Question { image: image.digest, signature })
            })
        })
        .collect();
    let resolution = resolve(&questions, &gathered.candidates);
    Ok(Found { discovery, gathered, resolution })
}

/// A place, and the one image of it that is meant.
type Opened = (Box<dyn Source>, Option<String>);

/// Opens the places, or the registries of the images that `--images` lists; each with the one image that is meant.
fn sources(args: &Read, output: &Output) -> Result<Vec<Opened>, Failure> {
    let locations = args.sources.iter().map(|s| location(s)).collect::<Result<Vec<_>, _>>()?;
    let options = || Options { frugal: true, ..args.wire.options() };
    if let Some(list) = &args.images {
        if locations.len() > 1 {
            return Err(Failure::usage(
                "--images goes with one SOURCE at most",
                "run keypack once for each registry",
            ));
        }
        let images = images(list, locations.first(), &args.wire)?;
        args.wire.check(images.len())?;
        return Ok(images
            .into_iter()
            .map(|(host, images)| -> Opened {
                (Box::new(Registry::new(host, Extent::Images(images), options())), None)
            })
            .collect());
    }
    args.wire.check(hosts(&locations))?;
    let mut sources = Vec::new();
    for location in &locations {
        output.working(&format!("opening {location}"));
        sources.push((content::open_source(location, &options)?, location.reference()));
    }
    Ok(sources)
}

fn hosts(locations: &[Location]) -> usize {
    let hosts: BTreeSet<_> = locations
        .iter()
        .filter_map(|location| match location {
            Location::Registry(reference) => Some(&reference.host),
            Location::Repositories(host, _) => Some(host),
            _ => None,
        })
        .collect();
    hosts.len()
}

/// Fetches the pack that a location names or, where it names none, the only one that is there.
pub(super) fn pack(location: &Location, wire: &Wire) -> Result<UntrustedPack, Failure> {
    wire.check(1)?;
    let source = content::open_source(location, &|| wire.options())?;
    let (repository, descriptor) = match location.reference() {
        Some(name) => named(source.as_ref(), &name)?,
        None => only(source.as_ref())?,
    };
    let artifact = content::fetch_artifact(source.as_ref(), &repository, &descriptor)?;
    Ok(parse(&artifact)?)
}

fn named(source: &dyn Source, name: &str) -> Result<(String, Descriptor), Failure> {
    for repository in source.repositories()? {
        if let Some(descriptor) = source.resolve(&repository, name)? {
            return Ok((repository, descriptor));
        }
    }
    let kind = if name.parse::<Digest>().is_ok() { "manifest" } else { "tag" };
    Err(content::ContentError::NoSuchName { place: source.place(), name: format!("{kind} {name}") }.into())
}

fn only(source: &dyn Source) -> Result<(String, Descriptor), Failure> {
    let mut packs: Vec<(String, String, Descriptor)> = Vec::new();
    for repository in source.repositories()? {
        for listed in source.manifests(&repository)? {
            let fetched = content::fetch_manifest(source, &repository, &listed.descriptor);
            let Ok(Some((_, Document::Manifest(manifest)))) = fetched else { continue };
            let known = packs.iter().any(|(_, _, d)| d.digest == listed.descriptor.digest);
            let config = |config: &Descriptor| {
                content::fetch(source, &repository, config, limits::CONFIG).ok().flatten()
            };
            if !known && looks_like_a_pack(&manifest, config) {
                let name = match &listed.name {
                    Name::Tag(tag) => tag.clone(),
                    _ => listed.descriptor.digest.to_string(),
                };
                packs.push((repository.clone(), name, listed.descriptor));
            }
        }
    }
    match packs.len() {
        1 => packs.pop().map(|(repository, _, descriptor)| (repository, descriptor)),
        0 => return Err(Ambiguous::None(source.place()).into()),
        _ => {
            let names: Vec<_> = packs.into_iter().map(|(_, name, _)| name).collect();
            return Err(Ambiguous::Several(source.place(), names.join(", ")).into());
        }
    }
    .ok_or_else(|| Ambiguous::None(source.place()).into())
}

/// Loads a keys/ directory; `None` if it does not exist or is empty.
pub(super) fn keys(path: &Path) -> Result<Option<crate::pack::Draft>, Failure> {
    let Some(contents) = write::read(path)? else { return Ok(None) };
    if contents.files.is_empty() && contents.foreign.is_empty() {
        return Ok(None);
    }
    if !contents.foreign.is_empty() {
        return Err(write::WriteError::foreign(path, &contents.foreign).into());
    }
    let draft = crate::pack::Draft::from_files(contents.files);
    draft.map(Some).map_err(|e| Failure::from(e).on(&path.display().to_string()))
}
