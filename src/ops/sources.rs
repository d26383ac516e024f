//! The locations to read, and their selected images.

use std::path::PathBuf;

use super::{
    Context, KeySources,
    images::{Listed, images},
    not_carried::MirroredFrom,
    oc_mirror,
    place::{hosts, location},
};
use crate::{
    config::Revocation,
    content::{self, Images, Location, RegistrySource, Selection, SignatureRepository, Source},
    diag::Diagnostic,
    registry::{Host, RegistryRef},
};

/// The locations and the key sources.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The locations, as the user writes them; several are read together.
    pub places: Vec<String>,
    /// Select only these images: a file with a list, or a location whose images are looked up at the registry among
    /// `places`.
    pub images: Option<String>,
    /// An additional repository with the signatures of the images: `HOST/REPOSITORY`.
    pub signature_repository: Option<String>,
    /// The key sources.
    pub keys: KeySources,
    /// Revoked keys.
    pub revoked: Vec<Revocation>,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
}

/// An opened location.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// The only image of it to read, if set.
    pub(super) only: Option<String>,
    pub(super) is_registry: bool,
    /// The repositories according to a list: the name there, and the name at the source.
    pub(super) copied: Vec<(String, String)>,
    /// The images that oc-mirror is going to mirror from there.
    pub(super) to_be_mirrored: Option<(Host, Images)>,
    /// What oc-mirror mirrored there.
    pub(super) mirrored_from: Option<MirroredFrom>,
}

impl Sources {
    pub(super) fn locations(&self) -> Result<Vec<Location>, Diagnostic> {
        self.places.iter().map(|place| location(place)).collect()
    }
}

/// The images of a list, at the given registry or at their own.
pub(super) fn listed(list: &str, locations: &[Location], ctx: &Context) -> Result<Listed, Diagnostic> {
    if locations.len() > 1 {
        return Err(Diagnostic::usage(
            "--images allows one SOURCE at most",
            "run keypack once for each registry",
        ));
    }
    let listed = images(list, locations.first(), ctx)?;
    ctx.net.check(listed.images.len())?;
    Ok(listed)
}

/// Opens the locations, or the registries of the listed images.
pub(super) fn open(wanted: &Sources, ctx: &Context) -> Result<Vec<Opened>, Diagnostic> {
    let locations = wanted.locations()?;
    let signatures = wanted.signature_repository.as_deref().map(signature_repository).transpose()?;
    if wanted.keys.offline && (wanted.images.is_some() || hosts(&locations) > 0) {
        return Err(Diagnostic::usage("--no-network forbids reading a registry", "name a location on disk"));
    }
    if wanted.keys.offline && signatures.is_some() {
        return Err(Diagnostic::usage(
            "--no-network forbids reading a registry",
            "leave --signature-repository out",
        ));
    }
    let mut opened = open_images(wanted, &locations, ctx)?;
    if let Some(repository) = signatures {
        let apart = locations.iter().filter_map(Location::host).all(|host| *host != repository.host);
        ctx.net.check(hosts(&locations) + usize::from(apart))?;
        let registry =
            RegistrySource::new(repository.host.clone(), Selection::Repositories(Vec::new()), ctx.registry());
        for place in &mut opened {
            let images = std::mem::replace(&mut place.source, Box::new(registry.clone()));
            place.source = Box::new(SignatureRepository::new(images, &registry, &repository));
        }
    }
    Ok(opened)
}

/// Parses the name of a signature repository, as cosign parses `COSIGN_REPOSITORY`.
fn signature_repository(text: &str) -> Result<RegistryRef, Diagnostic> {
    const HINT: &str =
        "write --signature-repository HOST/REPOSITORY, what COSIGN_REPOSITORY names for cosign";
    let name = text.strip_prefix("docker://").unwrap_or(text);
    let reference = name
        .parse::<RegistryRef>()
        .map_err(|e| Diagnostic::usage(format!("--signature-repository: {e}"), HINT))?;
    if reference.tag.is_some() || reference.digest.is_some() {
        return Err(Diagnostic::usage(
            format!("--signature-repository names a repository, and {text} names an image in one"),
            HINT,
        ));
    }
    Ok(reference)
}

fn open_images(wanted: &Sources, locations: &[Location], ctx: &Context) -> Result<Vec<Opened>, Diagnostic> {
    let options = || ctx.registry();
    let mut from = None;
    if let Some(list) = &wanted.images {
        let Listed { images, mut copied, to_be_mirrored, mirrored_from } = listed(list, locations, ctx)?;
        from = mirrored_from;
        if from.as_ref().is_some_and(|from| from.mirror.is_none()) {
            return open_locations(wanted, locations, from, ctx);
        }
        let mut open = |(host, images): (Host, Images)| Opened {
            copied: std::mem::take(&mut copied),
            to_be_mirrored: to_be_mirrored.then(|| (host.clone(), images.clone())),
            mirrored_from: from.take(),
            source: Box::new(RegistrySource::new(host, Selection::Images(images), options())),
            only: None,
            is_registry: true,
        };
        return Ok(images.into_iter().map(&mut open).collect());
    }
    open_locations(wanted, locations, from, ctx)
}

/// Opens each location; `from` is what oc-mirror mirrored to the only one.
fn open_locations(
    wanted: &Sources,
    locations: &[Location],
    mut from: Option<MirroredFrom>,
    ctx: &Context,
) -> Result<Vec<Opened>, Diagnostic> {
    let options = || ctx.registry();
    ctx.net.check(hosts(locations))?;
    ctx.events.advance("opening");
    let mut of_oc_mirror = oc_mirror::open(locations, wanted.cache_dir.as_deref(), ctx)?.into_iter();
    let mut sources = Vec::new();
    for location in locations {
        ctx.events.step(&format!("opening {location}"));
        let source = match content::oc_mirror_path(location).and_then(|_| of_oc_mirror.next()) {
            Some(source) => Box::new(source),
            None => content::open_source(location, &options)?,
        };
        let is_registry = matches!(location, Location::Registry(_) | Location::Repositories(..));
        sources.push(Opened {
            source,
            only: location.reference(),
            is_registry,
            copied: Vec::new(),
            to_be_mirrored: None,
            mirrored_from: from.take(),
        });
    }
    Ok(sources)
}
