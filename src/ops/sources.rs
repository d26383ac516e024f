//! The places that are read, and which images of them.

use std::path::PathBuf;

use super::{
    Context, KeySources,
    images::{Listed, images},
    oc_mirror,
    place::{hosts, location},
};
use crate::{
    config::Revocation,
    content::{self, Images, Location, RegistrySource, Selection, Source},
    diag::Diagnostic,
    registry::Host,
};

/// Where to look, and which keys there are.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The places, as a person writes them; several are read together.
    pub places: Vec<String>,
    /// Only these images: a file with a list, or a place whose images are looked up at the registry among `places`.
    pub images: Option<String>,
    /// Where keys come from.
    pub keys: KeySources,
    /// Keys that must not be trusted any more.
    pub revoked: Vec<Revocation>,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
}

/// A place that was opened.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// The one image of it that is meant.
    pub(super) only: Option<String>,
    pub(super) is_registry: bool,
    /// What oc-mirror is to mirror from there.
    pub(super) to_be_mirrored: Option<(Host, Images)>,
}

impl Sources {
    pub(super) fn locations(&self) -> Result<Vec<Location>, Diagnostic> {
        self.places.iter().map(|place| location(place)).collect()
    }
}

/// The images of a list, at the one registry that is named or at their own.
pub(super) fn listed(list: &str, locations: &[Location], ctx: &Context) -> Result<Listed, Diagnostic> {
    if locations.len() > 1 {
        return Err(Diagnostic::usage(
            "--images goes with one SOURCE at most",
            "run keypack once for each registry",
        ));
    }
    let listed = images(list, locations.first(), ctx)?;
    ctx.net.check(listed.images.len())?;
    Ok(listed)
}

/// Opens the places, or the registries of the images that are listed.
pub(super) fn open(wanted: &Sources, ctx: &Context) -> Result<Vec<Opened>, Diagnostic> {
    let locations = wanted.locations()?;
    let options = || ctx.registry();
    if wanted.keys.offline && (wanted.images.is_some() || hosts(&locations) > 0) {
        return Err(Diagnostic::usage("--no-network forbids to read a registry", "name a place on the disk"));
    }
    if let Some(list) = &wanted.images {
        let Listed { images, to_be_mirrored } = listed(list, &locations, ctx)?;
        let open = |(host, images): (Host, Images)| Opened {
            to_be_mirrored: to_be_mirrored.then(|| (host.clone(), images.clone())),
            source: Box::new(RegistrySource::new(host, Selection::Images(images), options())),
            only: None,
            is_registry: true,
        };
        return Ok(images.into_iter().map(open).collect());
    }
    ctx.net.check(hosts(&locations))?;
    ctx.events.advance("opening");
    let mut of_oc_mirror = oc_mirror::open(&locations, wanted.cache_dir.as_deref(), ctx)?.into_iter();
    let mut sources = Vec::new();
    for location in &locations {
        ctx.events.step(&format!("opening {location}"));
        let source = match content::oc_mirror_path(location).and_then(|_| of_oc_mirror.next()) {
            Some(source) => Box::new(source),
            None => content::open_source(location, &options)?,
        };
        let is_registry = matches!(location, Location::Registry(_) | Location::Repositories(..));
        sources.push(Opened { source, only: location.reference(), is_registry, to_be_mirrored: None });
    }
    Ok(sources)
}
