use std::path::PathBuf;

use super::{
    ArchiveSink, ContentError, DirFiles, DirImages, Layout, LayoutSink, Location, Lookaside, OcMirror,
    OcMirrorSink, RegistrySource, Segments, Selection, Sink, Source, Storage, TarFiles,
    layout::INDEX,
    recognise::{Kind, recognise},
};
use crate::{
    events::Progress,
    registry::{Options, Registry, RegistryRef},
};

/// Opens a location for reading. All kinds of locations are listed here.
///
/// `registry` creates the options for a registry; it is called only for registries.
pub fn open_source(
    location: &Location,
    registry: &dyn Fn() -> Options,
) -> Result<Box<dyn Source>, ContentError> {
    let place = location.to_string();
    let (kind, path) = match location {
        Location::Registry(r) => {
            let images = [(r.repository.clone(), location.reference().into_iter().collect())];
            let selection = Selection::Images(images.into());
            return Ok(Box::new(RegistrySource::new(r.host.clone(), selection, registry())));
        }
        Location::Repositories(host, prefix) => {
            return Ok(Box::new(RegistrySource::new(
                host.clone(),
                Selection::Prefix(prefix.clone()),
                registry(),
            )));
        }
        Location::Lookaside(path) => return Ok(Box::new(Lookaside::open(place, DirFiles::open(path)?)?)),
        Location::OcMirror(path) => (Kind::OcMirror, path),
        Location::Layout(path, _) => (Kind::Layout, path),
        Location::Archive(path, _) => (Kind::Archive, path),
        Location::Dir(path) => (Kind::Dir, path),
        Location::Path(path) => (recognise(path)?, path),
    };
    let tar = |segments| TarFiles::open(&[PathBuf::from(path)], segments);
    Ok(match kind {
        Kind::Layout => Box::new(Layout::open(place, DirFiles::open(path)?)?),
        Kind::Archive => Box::new(Layout::open(place, tar(Segments::One)?)?),
        Kind::StorageFolder => Box::new(Storage::open(place, DirFiles::open(path)?)?),
        Kind::StorageTar => Box::new(Storage::open(place, tar(Segments::Set)?)?),
        Kind::Dir => Box::new(DirImages::open(place, DirFiles::open(path)?)?),
        Kind::OcMirror => Box::new(OcMirror::open(path)?),
    })
}

/// A location to write to, and its current content.
pub struct Destination {
    /// For writing.
    pub sink: Box<dyn Sink>,
    /// For reading, if it exists.
    pub source: Option<Box<dyn Source>>,
    /// Archives that a push replaces as a whole, whatever the tag. `Err` for one that exists but can't be read.
    pub replaced: Vec<Result<Box<dyn Source>, ContentError>>,
}

/// Opens a location for writing. Kinds of locations that are not listed here can't be written to. It is an error if a
/// location exists and can't be read, because then it is unknown what would be replaced. `meter` counts the bytes
/// copied on disk; network transfers are counted by the meter in the registry options.
pub fn open_destination(
    location: &Location,
    registry: &dyn Fn() -> Options,
    meter: &Progress,
) -> Result<Destination, ContentError> {
    let beside = |sink: Box<dyn Sink>, there: bool| {
        let source = if there { Some(open_source(location, registry)?) } else { None };
        Ok(Destination { sink, source, replaced: Vec::new() })
    };
    let what = match location {
        // Without an index it has no images yet: it is new, or a push was interrupted.
        Location::Layout(path, _) => {
            let there = path.join(INDEX).symlink_metadata().is_ok();
            return beside(Box::new(LayoutSink::new(location.to_string(), path)), there);
        }
        Location::Archive(path, _) => {
            let sink = ArchiveSink::new(location.to_string(), path).metered(meter.clone());
            return beside(Box::new(sink), path.exists());
        }
        Location::OcMirror(path) => {
            let sink = OcMirrorSink::new(location.to_string(), path);
            let replaced = sink.replaced();
            return Ok(Destination { sink: Box::new(sink), source: None, replaced });
        }
        Location::Registry(RegistryRef { host, repository, .. })
        | Location::Repositories(host, repository) => {
            // One client for both: they share a connection, a token and a cache.
            let client = Registry::new(host.clone(), registry()).for_writing();
            let source = RegistrySource::of(client, Selection::Repositories(vec![repository.clone()]));
            return Ok(Destination {
                sink: Box::new(source.sink(repository)?),
                source: Some(Box::new(source)),
                replaced: Vec::new(),
            });
        }
        Location::Dir(_) | Location::Lookaside(_) | Location::Path(_) => {
            "written to: write to oci:DIR:TAG or oci-archive:FILE:TAG"
        }
    };
    Err(ContentError::Unsupported { place: location.to_string(), what })
}
