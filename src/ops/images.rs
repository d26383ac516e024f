//! `--images`: the selected images of a registry.

use std::{collections::BTreeMap, io, path::Path};

use super::{Context, not_carried::MirroredFrom, place::location};
use crate::{
    content::{
        self, Images, ListedImage, Location, copied, is_image_set, locate, oc_mirror_path, parse_image_set,
        parse_list,
    },
    diag::{Code, Diagnostic},
    discover::{Kind, Target, discover},
    fs, limits,
    registry::{Host, RegistryRef, is_repository},
    text,
};

/// The images selected by a list.
pub(super) struct Listed {
    /// By registry.
    pub(super) images: BTreeMap<Host, Images>,
    /// The mirrored repositories according to a list written by the user, each with its source.
    pub(super) copied: Vec<(String, String)>,
    /// Whether oc-mirror is going to mirror them from there: the list is one of its own, read at the source.
    pub(super) to_be_mirrored: bool,
    /// Set if the list is one of oc-mirror's own and a mirror is read: what oc-mirror mirrored.
    pub(super) mirrored_from: Option<MirroredFrom>,
}

/// Determines the registries and images selected by a list, at `mirror` if given.
pub(super) fn images(list: &str, place: Option<&Location>, ctx: &Context) -> Result<Listed, Diagnostic> {
    let mirror = match place {
        None => None,
        Some(Location::Repositories(host, prefix)) => Some((host, prefix.as_str())),
        // It is read as a whole, and compared with the list.
        Some(folder) if oc_mirror_path(folder).is_some() => None,
        Some(other) => {
            return Err(Diagnostic::usage(
                format!("--images requires a registry, and {other} is not one"),
                "name the mirror as docker://HOST or docker://HOST/PREFIX, or what oc-mirror left as oc-mirror:DIR",
            ));
        }
    };
    let (mut of_oc_mirror, mut is_written) = (false, true);
    let listed = match read(list)? {
        Some(text) if is_image_set(&text) => {
            of_oc_mirror = true;
            let set = parse_image_set(&text)
                .map_err(|e| Diagnostic::new(Code::ListMalformed, format!("{list}: {e}")))?;
            for what in &set.others {
                ctx.events
                    .warn(&format!("{list} also names {what}: not checked; oc-mirror --dry-run lists them"));
            }
            set.images
        }
        Some(text) => {
            let plain = parse_list(&text)
                .map_err(|e| Diagnostic::new(Code::ListMalformed, format!("{list}: {e}")))?;
            for what in &plain.others {
                ctx.events.warn(&format!("{list} also names {what}: not checked"));
            }
            of_oc_mirror = plain.images.iter().any(|image| image.destination.is_some());
            plain.images
        }
        None => {
            is_written = false;
            of_source(list, ctx)?
        }
    };
    if listed.is_empty() {
        return Err(Diagnostic::new(Code::ListMalformed, format!("{list} names no image")));
    }
    if place.is_some() && mirror.is_none() && !of_oc_mirror {
        return Err(Diagnostic::usage(
            format!("--images {list} is not a list of oc-mirror, and oc-mirror:DIR is read as a whole"),
            "give the ImageSetConfiguration or mapping.txt, whose sources are compared with what is there",
        ));
    }
    // The names in a location with images are only claims.
    let copied = mirror.filter(|_| is_written).map_or_else(Vec::new, |mirror| copied(&listed, mirror));
    let images = locate(&listed, mirror);
    let mirror = mirror.map(|(host, prefix)| (host.clone(), prefix.to_owned()));
    let mirrored_from = (of_oc_mirror && place.is_some()).then_some(MirroredFrom { list: listed, mirror });
    Ok(Listed { images, copied, to_be_mirrored: of_oc_mirror && place.is_none(), mirrored_from })
}

/// The text of a list; `None` if the name is that of a location with images.
fn read(list: &str) -> Result<Option<String>, Diagnostic> {
    let failed = |e: io::Error| Diagnostic::new(Code::ReadFailed, format!("could not read {list}: {e}"));
    let path = Path::new(if list == "-" { "/dev/stdin" } else { list });
    // A directory, or the name of a location.
    if path.is_dir() || !fs::may_be_there(path) {
        return Ok(None);
    }
    let read = fs::open(path).and_then(|file| fs::read(file, limits::NAMES_PAGE)).map_err(failed)?;
    let bytes = read.ok_or_else(|| {
        Diagnostic::new(Code::TooLarge, format!("{list} is longer than any list of images"))
    })?;
    let bytes = text::utf8(&bytes);
    // An archive is a file too; a list never contains NUL.
    if bytes.contains(&0) {
        return Ok(None);
    }
    String::from_utf8(bytes.into_owned())
        .map(Some)
        .map_err(|_| Diagnostic::new(Code::ListMalformed, format!("{list} is not UTF-8 text")))
}

/// The images of another location, by their names there.
fn of_source(place: &str, ctx: &Context) -> Result<Vec<ListedImage>, Diagnostic> {
    let location = location(place)?;
    let source = content::open_source(&location, &|| ctx.registry())?;
    let target = Target { source: source.as_ref(), only: location.reference() };
    let found = discover(&[target], &mut |_| {})?;
    let mut listed = Vec::new();
    // A location without hosts (registry storage, an oc-mirror archive) needs one in a reference; the mirror at which
    // the images are looked up drops it again.
    let nowhere = Host::parse("source.invalid")
        .map_err(|e| Diagnostic::usage(e.to_string(), "this is a fault of keypack"))?;
    for image in found.images.iter().filter(|i| i.kind != Kind::Absent && i.instance_of.is_none()) {
        let whole =
            image.tags.iter().filter_map(|t| t.contains('/').then(|| t.parse::<RegistryRef>().ok())?);
        let before = listed.len();
        listed.extend(whole.map(|source| ListedImage { source, destination: None, mirrored: None }));
        if listed.len() == before && is_repository(image.repository()) {
            let names = if image.tags.is_empty() {
                vec![None]
            } else {
                image.tags.iter().cloned().map(Some).collect()
            };
            for tag in names {
                let digest = tag.is_none().then_some(image.digest);
                let source = RegistryRef {
                    host: nowhere.clone(),
                    repository: image.repository().to_owned(),
                    tag,
                    digest,
                };
                listed.push(ListedImage { source, destination: None, mirrored: None });
            }
        }
    }
    Ok(listed)
}
