use std::path::PathBuf;

use super::{
    ArchiveSink, ContentError, DirFiles, DirImages, Layout, LayoutSink, Location, Segments, Sink, Source,
    Storage, TarFiles,
    recognise::{Kind, recognise},
};

/// Opens a place to read from it: the one list of all kinds of places.
pub fn open_source(location: &Location) -> Result<Box<dyn Source>, ContentError> {
    let place = location.to_string();
    let unsupported = |what| Err(ContentError::Unsupported { place: location.to_string(), what });
    let (kind, path) = match location {
        Location::Registry(_) => {
            return unsupported("read yet: copy it into a layout, for example with skopeo");
        }
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
        Kind::OcMirror => {
            return unsupported("read yet: name the cache folder, or one of the archives, by its path");
        }
    })
}

/// Opens a place to write to it: what is not listed here can't be written.
pub fn open_sink(location: &Location) -> Result<Box<dyn Sink>, ContentError> {
    let what = match location {
        Location::Layout(path, _) => return Ok(Box::new(LayoutSink::new(location.to_string(), path))),
        Location::Archive(path, _) => return Ok(Box::new(ArchiveSink::new(location.to_string(), path))),
        Location::Registry(_) | Location::OcMirror(_) => {
            "written to yet: write to oci:DIR:TAG or oci-archive:FILE:TAG"
        }
        Location::Dir(_) | Location::Path(_) => "written to: write to oci:DIR:TAG or oci-archive:FILE:TAG",
    };
    Err(ContentError::Unsupported { place: location.to_string(), what })
}
