//! Signatures that images have at their source but not in the mirror: oc-mirror copies the tag `sha256-<hex>.sig` but
//! no referrers, and does not report it.

use std::{collections::BTreeMap, time::Duration};

use super::Context;
use crate::{
    content::{Doubt, Images, ListedImage, RegistrySource, Selection, locate},
    discover::{Discovery, Form, Keep, Kind, Target, discover_all},
    export::{Asked, RegistriesD, full_name},
    oci::Digest,
    registry::Host,
    resolve::Verdict,
    signature::UntrustedSignature,
};

/// The maximum number of images named in a warning.
const NAMED: usize = 5;

/// How long to wait for a source. In a network without access to it there is no answer, and the user only asked about
/// the mirror.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What oc-mirror mirrored, by the names of the images at their sources and in the mirror.
#[derive(Debug, Clone)]
pub(super) struct MirroredFrom {
    pub(super) list: Vec<ListedImage>,
    /// The registry and prefix; `None` for an oc-mirror directory.
    pub(super) mirror: Option<(Host, String)>,
}

/// Stores nothing of a signature: its existence is enough.
pub(super) struct Nothing;

impl Keep for Nothing {
    const WHOLE: bool = false;
    type Kept = ();

    fn keep(&self, _image: &Digest, signatures: &[UntrustedSignature]) -> Vec<()> {
        vec![(); signatures.len()]
    }
}

/// Looks up the images without a signature here at their sources, marks those that have one there, and reports how to
/// get their signatures mirrored.
pub(super) fn compare(discovery: &mut Discovery<Verdict>, from: &MirroredFrom, ctx: &Context) {
    // Credentials on the command line are only for the registry given there.
    if ctx.net.creds.is_some() {
        return;
    }
    let (asked, here) = unsigned(discovery, from);
    let (mut by_tag, mut by_bundle) = (Vec::new(), Vec::new());
    for (host, images) in &asked {
        let mut options = ctx.registry();
        options.http.retries = 0;
        options.http.connect_timeout = PATIENCE;
        let source = RegistrySource::new(host.clone(), Selection::Images(images.clone()), options);
        let source = source.by_name_alone();
        ctx.events.step(&format!("comparing with {host}"));
        let found = discover_all(&[Target { source: &source, only: None }], &Nothing, &mut |_| {});
        let unknown = |why: &str| {
            ctx.events.warn(&format!(
                "{host}: it is not known whether images without a signature here have one at their source: {why}"
            ));
        };
        let found = match found {
            Ok(found) => found,
            Err(e) => {
                unknown(&e.to_string());
                continue;
            }
        };
        let asked = [Asked { place: crate::content::Source::place(&source), host: host.to_string(), images }];
        for repository in RegistriesD::decide(&asked, &found).repositories {
            by_tag.extend(repository.signed);
            by_bundle.extend(repository.bundles);
            if let Some(name) = repository.unread.first() {
                unknown(&format!("{name} could not be read there"));
            }
        }
    }
    for name in by_tag.iter().chain(&by_bundle) {
        for index in here.get(name).into_iter().flatten() {
            discovery.images[*index].doubt = Some(Doubt::Source);
        }
    }
    warn_of_bundles(&by_bundle, ctx);
    if !by_tag.is_empty() {
        let mut signatures = discovery.images.iter().flat_map(|image| &image.signatures);
        // If some were mirrored, the others were not left out on purpose.
        let way = if signatures.any(|signature| signature.form == Form::SimpleSigning) {
            "other signatures came along; mirror these images again"
        } else {
            "oc-mirror 4.19 and 4.20 leave signatures out; mirror again with --remove-signatures=false"
        };
        let some = some(&by_tag);
        ctx.events.warn(&match by_tag.len() {
            1 => format!("1 image has a signature tag at its source and not here: {some}; {way}"),
            n => format!("{n} images have a signature tag at their source and not here: {some}; {way}"),
        });
    }
}

/// Warns of images whose only signatures are bundles, with the remedy.
pub(super) fn warn_of_bundles(images: &[String], ctx: &Context) {
    if images.is_empty() {
        return;
    }
    ctx.events.warn(&format!(
        "{} signed by bundles alone, which oc-mirror does not mirror, whatever its flags: {}; copy them with oras cp -r, \
         or have them signed with tags (docs/oc-mirror.md)",
        if images.len() == 1 { "1 image is".to_owned() } else { format!("{} images are", images.len()) },
        some(images)
    ));
}

fn some(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(NAMED).cloned().collect();
    if names.len() > NAMED {
        shown.push(format!("{} more", names.len() - NAMED));
    }
    shown.join(", ")
}

/// The images without a signature here: what to request from their sources, and their positions by full source name.
fn unsigned(
    discovery: &Discovery<Verdict>,
    from: &MirroredFrom,
) -> (BTreeMap<Host, Images>, BTreeMap<String, Vec<usize>>) {
    let signed: Vec<_> = discovery
        .images
        .iter()
        .filter(|image| !image.signatures.is_empty())
        .map(|image| image.list().unwrap_or(image.digest))
        .collect();
    let mut images: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (index, image) in discovery.images.iter().enumerate() {
        let is_unsigned = matches!(image.kind, Kind::Image | Kind::Index)
            && image.instance_of.is_none()
            && image.problems.is_empty()
            && !signed.contains(&image.digest);
        if is_unsigned {
            for name in image.tags.iter().cloned().chain([image.digest.to_string()]) {
                images.entry((image.repository().to_owned(), name)).or_default().push(index);
            }
        }
    }
    let (mut asked, mut here): (BTreeMap<Host, Images>, BTreeMap<String, Vec<usize>>) = Default::default();
    // An oc-mirror directory has the paths of the mirror without its host.
    let nowhere = Host::parse("mirror.invalid").ok();
    let mirror = from.mirror.as_ref().map(|(host, prefix)| (host, prefix.as_str()));
    let Some(mirror) = mirror.or(nowhere.as_ref().map(|host| (host, ""))) else { return (asked, here) };
    for image in &from.list {
        let one = std::slice::from_ref(image);
        let there = locate(one, Some(mirror)).into_values().flatten().flat_map(names);
        let found: Vec<_> = there.filter_map(|name| images.get(&name)).flatten().copied().collect();
        if found.is_empty() {
            continue;
        }
        for (host, images) in locate(one, None) {
            for (repository, name) in images.into_iter().flat_map(names) {
                here.entry(full_name(host.as_str(), &repository, &name)).or_default().extend(&found);
                let names = asked.entry(host.clone()).or_default().entry(repository).or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    (asked, here)
}

fn names((repository, names): (String, Vec<String>)) -> impl Iterator<Item = (String, String)> {
    names.into_iter().map(move |name| (repository.clone(), name))
}
