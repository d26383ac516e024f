//! A directory of oc-mirror v2: the segments of an archive set, a working-dir, a cache, or any combination.

mod layers;
mod mounts;
mod survey;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use layers::Layers;
use mounts::{is_unfinished, mounts, named_cache, usual_cache};
pub(crate) use survey::WORKING_DIR;
pub(super) use survey::segment_number;
use survey::{Survey, folder_above, is_working_dir};

use super::{
    Abilities, Attachment, Completeness, ContentError, DetachedSignatures, Files, ImageSets, Layout, Listed,
    Location, ReleaseManifests, Source, Storage, TarFiles,
    recognise::{Kind, recognise},
    storage::{BASES, is_storage},
};
use crate::{
    limits,
    oci::{Descriptor, Digest},
};

/// The path of the pack, below the root, as an oci-archive.
pub(super) const CARRIED: &str = "working-dir/keypack/keypack.oci.tar";

/// The depth of release manifests: `hold-release/ocp-release/<tag>/release-manifests`, with some reserve.
const PAYLOAD_DEPTH: usize = 4;

/// Possible locations of oc-mirror's cache.
#[derive(Debug, Clone, Default)]
pub struct Caches {
    /// The one named by the user, which is read like the location itself.
    pub named: Option<PathBuf>,
    /// Default bases of caches. The first that exists provides blobs that an archive set refers to but does not
    /// contain, and nothing else, because it may contain the images of other mirrors.
    pub usual: Vec<PathBuf>,
}

/// All of oc-mirror's files at one path, as one location. Segments take precedence over the working-dir and the cache,
/// and later segments over earlier ones, as in disk-to-mirror.
pub struct OcMirror {
    place: String,
    storage: Option<Storage<Layers>>,
    working_dir: Layers,
    survey: Survey,
    cache: Option<PathBuf>,
    /// Whether its archive set lacks the last entry that mirror-to-disk writes.
    unfinished: bool,
}

impl OcMirror {
    /// Opens one location without any cache but its own.
    pub fn open(path: &Path) -> Result<Self, ContentError> {
        let mut all = Self::open_all(&[path.to_owned()], &Caches::default())?;
        all.pop().ok_or_else(|| ContentError::wrong_place(path, "a folder of oc-mirror", "it is gone"))
    }

    /// Opens several locations together: a blob missing in one is taken from the others, or else from the cache.
    pub fn open_all(paths: &[PathBuf], caches: &Caches) -> Result<Vec<Self>, ContentError> {
        let surveys = paths.iter().map(|path| Survey::of(path)).collect::<Result<Vec<_>, _>>()?;
        let mut storages = Vec::new();
        let mut working_dirs = Vec::new();
        for survey in &surveys {
            let (storage, working_dir) = mounts(survey)?;
            storages.push(storage);
            working_dirs.push(working_dir);
        }
        let (named, usual) = (named_cache(caches)?, usual_cache(caches, &surveys)?);
        if let (Some((_, mount)), Some(first)) = (&named, storages.first_mut()) {
            first.push(mount.clone());
        }
        let mut opened = Vec::new();
        for (index, (survey, working_dir)) in surveys.into_iter().zip(working_dirs).enumerate() {
            let others = storages.iter().enumerate().filter(|(other, _)| *other != index);
            let mut fill: Vec<_> = others.flat_map(|(_, mounts)| mounts.iter().cloned()).collect();
            fill.extend(usual.iter().map(|(_, mount)| mount.clone()));
            let layers = Layers { own: storages[index].clone(), fill };
            let place = Location::OcMirror(paths[index].clone()).to_string();
            let storage = if is_storage(&layers, BASES[0])? {
                Some(Storage::open(place.clone(), layers)?)
            } else {
                None
            };
            let cache = named.as_ref().or(usual.as_ref()).filter(|_| storage.is_some());
            opened.push(Self {
                cache: cache.map(|(path, _)| path.clone()),
                unfinished: is_unfinished(&survey, &working_dir)?,
                working_dir: Layers { own: working_dir, fill: Vec::new() },
                place,
                storage,
                survey,
            });
        }
        Ok(opened)
    }

    /// Messages for the user: what was recognised, and which cache is used.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("{} holds {}", self.place, self.survey.words())];
        if let Some(cache) = &self.cache {
            notes.push(format!("blobs that are not there are looked for in the cache {}", cache.display()));
        }
        if self.unfinished && self.storage.is_some() {
            notes.push(format!(
                "{} holds no isc_… entry, which oc-mirror writes last: a segment is missing, or mirror to disk failed \
                 while archiving (exit status 1) and left a partial archive",
                self.place
            ));
        }
        notes.extend(self.survey.lookalikes.iter().map(|name| {
            format!(
                "{name:?} is not read here, but oc-mirror would read it as part of the archive: move it away"
            )
        }));
        notes
    }

    /// `hold-release/**/release-manifests/0000_90_*`. The other directories there contain layers of unpacked images.
    fn find_manifests(
        &self,
        folder: &str,
        depth: usize,
        take: &mut dyn FnMut(Attachment),
    ) -> Result<(), ContentError> {
        let children = self.working_dir.list(folder)?;
        let here = children.iter().find(|child| child.is_dir && child.name == "release-manifests");
        for child in children.iter().filter(|child| child.is_dir && here.is_none() && depth < PAYLOAD_DEPTH) {
            self.find_manifests(&format!("{folder}/{}", child.name), depth + 1, take)?;
        }
        if let Some(manifests) = here {
            let folder = format!("{folder}/{}", manifests.name);
            for child in
                self.working_dir.list(&folder)?.into_iter().filter(|c| c.name.starts_with("0000_90_"))
            {
                let name = format!("{folder}/{}", child.name);
                if let Some(bytes) = self.working_dir.read(&name, limits::KEY_FILE)? {
                    take(Attachment { name, bytes });
                }
            }
        }
        Ok(())
    }

    /// The packs in the segments, or otherwise in the working-dir, each as a layout: first the one that disk-to-mirror
    /// keeps in the working-dir, then those that it overwrites. They are read one at a time.
    pub fn carried(
        &self,
    ) -> Result<impl Iterator<Item = Result<Layout<TarFiles>, ContentError>>, ContentError> {
        Ok(self.working_dir.every(CARRIED)?.into_iter().take(limits::CARRIED_PACKS).map(|(place, file)| {
            let bytes = file.read(&|| place.clone(), limits::PACK_ARCHIVE)?;
            let files = TarFiles::of_bytes(&place, &bytes)?;
            Layout::open(place, files)
        }))
    }
}

/// The path, if a location is an oc-mirror directory, either by its prefix or as recognised.
pub fn oc_mirror_path(location: &Location) -> Option<&Path> {
    match location {
        Location::OcMirror(path) => Some(path),
        Location::Path(path) if path.is_dir() => {
            recognise(path).is_ok_and(|kind| kind == Kind::OcMirror).then_some(path)
        }
        _ => None,
    }
}

/// The root of oc-mirror's output, with keys/ next to the working-dir; `None` for a single archive.
pub fn oc_mirror_root(location: &Location) -> Option<PathBuf> {
    let path = oc_mirror_path(location).filter(|path| !path.is_file())?;
    match path.file_name() {
        Some(name) if name == WORKING_DIR => Some(path.parent()?.to_owned()),
        _ if is_working_dir(path) => folder_above(path),
        _ => Some(path.to_owned()),
    }
}

impl Source for OcMirror {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        self.storage.as_ref().map_or(Ok(Vec::new()), Source::repositories)
    }

    fn list(
        &self,
        repository: &str,
        take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        self.storage.as_ref().map_or(Ok(()), |s| s.list(repository, take))
    }

    fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Descriptor>, ContentError> {
        self.storage.as_ref().map_or(Ok(None), |s| s.resolve(repository, reference))
    }

    fn open(&self, repository: &str, blob: &Descriptor) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        self.storage.as_ref().map_or(Ok(None), |s| s.open(repository, blob))
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            detached: Some(self),
            releases: Some(self),
            image_sets: Some(self),
            completeness: Completeness::Partial,
            advice: Some(self.advice()),
            ..Abilities::default()
        }
    }
}

impl DetachedSignatures for OcMirror {
    /// The signatures of OpenShift's releases: `working-dir/signatures/<tag>-sha256-<hex>`.
    fn detached(&self, take: &mut dyn FnMut(Digest, Attachment)) -> Result<(), ContentError> {
        let folder = format!("{WORKING_DIR}/signatures");
        for child in self.working_dir.list(&folder)?.into_iter().filter(|child| !child.is_dir) {
            let hex = child.name.rsplit_once("sha256-").map_or("", |(_, hex)| hex);
            let Ok(image) = Digest::from_hex(hex) else { continue };
            let name = format!("{folder}/{}", child.name);
            if let Some(bytes) = self.working_dir.read(&name, limits::SIGNATURE)? {
                take(image, Attachment { name, bytes });
            }
        }
        Ok(())
    }
}

impl ReleaseManifests for OcMirror {
    fn release_manifests(&self, take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError> {
        self.find_manifests(&format!("{WORKING_DIR}/hold-release"), 0, take)
    }
}

impl ImageSets for OcMirror {
    /// `isc_<time>` in the archives, `isc_pinned_<time>.yaml` in the working-dir.
    fn image_sets(&self, take: &mut dyn FnMut(Attachment)) -> Result<(), ContentError> {
        for mount in &self.working_dir.own {
            let children = mount.files.list("")?;
            for child in children.into_iter().filter(|child| !child.is_dir && child.name.starts_with("isc_"))
            {
                if let Some(bytes) = mount.files.read(&child.name, limits::SETTING)? {
                    take(Attachment { name: child.name, bytes });
                }
            }
        }
        Ok(())
    }
}

impl OcMirror {
    fn advice(&self) -> &'static str {
        if self.storage.is_none() && self.survey.segments.is_empty() {
            "the working-dir of a mirror-to-mirror run holds no images, they are only in the registry: name it as \
             docker://HOST/PREFIX, with --images working-dir/dry-run/mapping.txt to restrict it to these; for a \
             mirror-to-disk run that made no archive, name its cache with --cache-dir DIR"
        } else if self.storage.is_none() {
            "the links of all images are in the first segments of an archive: put all mirror_NNNNNN.tar into the \
             folder"
        } else {
            "an incremental archive leaves out what earlier ones hold: give oc-mirror's cache with --cache-dir DIR, \
             or the earlier archives as further oc-mirror:DIR"
        }
    }
}
