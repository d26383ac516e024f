//! Finds the requested pack in a location.

use std::path::Path;

use thiserror::Error;

use super::{
    Context, oc_mirror,
    place::{hosts, keys_to_read, location},
    revoked_here::without,
};
use crate::{
    content::{self, ContentError, Layout, Location, Name, Source, TarFiles},
    diag::{Code, Diagnostic},
    discover::{Target, discover},
    limits,
    oci::{Descriptor, Digest, Document},
    pack::{Draft, INVENTORY, UnverifiedPack, looks_like_a_pack, parse},
    signature::UntrustedSignature,
    state::RevokedHere,
};

/// There is no pack, or more than one.
#[derive(Debug, Error)]
enum Ambiguous {
    #[error("{0} holds no pack")]
    None(String),
    #[error("{0} holds several packs: {1}")]
    Several(String, String),
}

impl From<Ambiguous> for Diagnostic {
    fn from(e: Ambiguous) -> Self {
        Self::new(Code::PackNotFound, e.to_string())
    }
}

/// Where to look for a pack, and what the caller knows about it.
pub(super) struct Wanted<'a> {
    pub(super) location: &'a Location,
    /// An oc-mirror cache.
    pub(super) cache_dir: Option<&'a Path>,
    /// Digests given by the caller: of several packs, the one that has one of them is selected.
    pub(super) digests: &'a [Digest],
}

/// A fetched pack, and its location.
pub(super) struct Fetched {
    pub(super) pack: UnverifiedPack,
    source: Box<dyn Source>,
}

impl Fetched {
    /// Signatures of the pack's manifest, stored next to it.
    pub(super) fn manifest_signatures(&self) -> ManifestSignatures {
        let mut signatures = ManifestSignatures::default();
        let manifest = self.pack.manifest_digest();
        let target = Target { source: self.source.as_ref(), only: Some(manifest.to_string()) };
        match discover(&[target], &mut |_| {}) {
            Ok(found) => {
                for image in found.images.into_iter().filter(|image| image.digest == manifest) {
                    signatures.unreadable.extend(image.problems);
                    for signature in image.signatures {
                        match signature.content {
                            Ok(content) => signatures.readable.push(content),
                            Err(problem) => signatures.unreadable.push(*problem),
                        }
                    }
                }
            }
            Err(problem) => signatures.unreadable.push(problem.into()),
        }
        signatures
    }
}

/// The signatures next to a manifest. An unreadable one must not count as absent.
#[derive(Default)]
pub(super) struct ManifestSignatures {
    pub(super) readable: Vec<UntrustedSignature>,
    /// Why others could not be read or looked up.
    pub(super) unreadable: Vec<Diagnostic>,
}

/// A pack from a directory or an artifact, with the artifact's manifest digest and without the keys revoked on this host.
pub(super) fn keys_or_pack(
    place: &str,
    cache_dir: Option<&Path>,
    here: &RevokedHere,
    ctx: &Context,
) -> Result<(Draft, Option<Digest>), Diagnostic> {
    let path = Path::new(place);
    if path.join(INVENTORY).is_file() {
        return Ok((keys_to_read(path, here)?, None));
    }
    let location = location(place)?;
    let untrusted = pack(&Wanted { location: &location, cache_dir, digests: &[] }, ctx)?.pack;
    let manifest = untrusted.manifest_digest();
    Ok((without(untrusted.into_draft()?, here), Some(manifest)))
}

/// Fetches the pack that a location names or, if it names none, the only one there.
pub(super) fn pack(wanted: &Wanted<'_>, ctx: &Context) -> Result<Fetched, Diagnostic> {
    let location = wanted.location;
    ctx.net.check(hosts(std::slice::from_ref(location)))?;
    if content::oc_mirror_path(location).is_some() {
        return in_oc_mirror(wanted, ctx);
    }
    let source = content::open_source(location, &|| ctx.registry())?;
    let pack = match location.reference() {
        Some(name) => {
            let (repository, descriptor) = named(source.as_ref(), &name)?;
            fetch(source.as_ref(), &repository, &descriptor)?
        }
        None => only(source.as_ref(), wanted.digests)?,
    };
    Ok(Fetched { pack, source })
}

/// In the archive next to the images, otherwise as an image among them.
fn in_oc_mirror(wanted: &Wanted<'_>, ctx: &Context) -> Result<Fetched, Diagnostic> {
    let opened = oc_mirror::open(std::slice::from_ref(wanted.location), wanted.cache_dir, ctx)?;
    let Some(source) = opened.into_iter().next() else {
        return Err(Ambiguous::None(wanted.location.to_string()).into());
    };
    let read = |archive: Result<Layout<TarFiles>, ContentError>| -> Result<Fetched, Diagnostic> {
        let archive = archive?;
        Ok(Fetched { pack: only(&archive, &[])?, source: Box::new(archive) })
    };
    // There may be many, so they are read one at a time, and only the identifying data of each is kept.
    let seen: Vec<_> =
        source.carried()?.map(|archive| Some(Seen::of(read(archive).ok()?, wanted.digests))).collect();
    if seen.is_empty() {
        return Ok(Fetched { pack: only(&source, wanted.digests)?, source: Box::new(source) });
    }
    // Of several the first one is used, as disk-to-mirror will, unless the caller selects one.
    warn_of_newer(&seen, ctx);
    let meant = seen.iter().position(|seen| seen.as_ref().is_some_and(|seen| seen.meant));
    if meant.is_none()
        && !wanted.digests.is_empty()
        // It may be among the images; if not, the first one is refused later, by name.
        && let Ok(pack) = only(&source, wanted.digests)
        && matches(&pack, wanted.digests)
    {
        return Ok(Fetched { pack, source: Box::new(source) });
    }
    let chosen = source.carried()?.nth(meant.unwrap_or_default()).map(read);
    let chosen = chosen.unwrap_or_else(|| Err(Ambiguous::None(wanted.location.to_string()).into()))?;
    ctx.events.note(&format!("the pack is {}", chosen.source.place()));
    Ok(chosen)
}

/// The data kept of one of several packs. Nothing is authenticated yet: these are the packs' own claims.
struct Seen {
    place: String,
    meant: bool,
    lineage: Option<(String, u64)>,
}

impl Seen {
    fn of(found: Fetched, digests: &[Digest]) -> Self {
        let (place, meant) = (found.source.place(), matches(&found.pack, digests));
        let draft = found.pack.into_draft().ok();
        let lineage = draft.map(|draft| (draft.inventory().name.clone(), draft.inventory().version));
        Self { place, meant, lineage }
    }
}

/// Warns if the selected pack claims to be older than another one there.
fn warn_of_newer(seen: &[Option<Seen>], ctx: &Context) {
    let Some(Some(first)) = seen.first() else { return };
    let Some((name, version)) = &first.lineage else { return };
    let newer = |other: &&Seen| other.lineage.as_ref().is_some_and(|(n, v)| n == name && v > version);
    if let Some(newer) = seen.iter().flatten().find(newer) {
        ctx.events.warn(&format!(
            "{} is older than {}, and disk-to-mirror will leave the older one: remove the segments of earlier archives",
            first.place, newer.place
        ));
    }
}

fn fetch(source: &dyn Source, repository: &str, manifest: &Descriptor) -> Result<UnverifiedPack, Diagnostic> {
    Ok(parse(&content::fetch_artifact(source, repository, manifest)?)?)
}

fn named(source: &dyn Source, name: &str) -> Result<(String, Descriptor), Diagnostic> {
    for repository in source.repositories()? {
        if let Some(descriptor) = source.resolve(&repository, name)? {
            return Ok((repository, descriptor));
        }
    }
    let kind = if name.parse::<Digest>().is_ok() { "manifest" } else { "tag" };
    Err(content::ContentError::NoSuchName { place: source.place(), name: format!("{kind} {name}") }.into())
}

/// Whether a pack has one of these digests. This selects a pack; it authenticates nothing.
fn matches(pack: &UnverifiedPack, digests: &[Digest]) -> bool {
    digests.contains(&pack.manifest_digest()) || digests.contains(&pack.digest())
}

fn only(source: &dyn Source, digests: &[Digest]) -> Result<UnverifiedPack, Diagnostic> {
    let mut packs: Vec<(String, Vec<String>, Descriptor)> = Vec::new();
    for repository in source.repositories()? {
        for listed in source.manifests(&repository)? {
            let fetched = content::fetch_manifest(source, &repository, &listed.descriptor);
            let Ok(Some((_, Document::Manifest(manifest)))) = fetched else { continue };
            let known = packs
                .iter_mut()
                .find(|(held_by, _, d)| (held_by, d.digest) == (&repository, listed.descriptor.digest));
            if let Some((_, names, _)) = known {
                if let Name::Tag(tag) = listed.name {
                    names.push(tag);
                }
                continue;
            }
            let config = |config: &Descriptor| {
                content::fetch(source, &repository, config, limits::CONFIG).ok().flatten()
            };
            if looks_like_a_pack(&manifest, config) {
                let name = match &listed.name {
                    Name::Tag(tag) => tag.clone(),
                    _ => listed.descriptor.digest.to_string(),
                };
                packs.push((repository.clone(), vec![name], listed.descriptor));
            }
        }
    }
    match packs.as_slice() {
        [] => Err(Ambiguous::None(source.place()).into()),
        [(repository, _, descriptor)] => fetch(source, repository, descriptor),
        several => {
            let meant = several.iter().filter_map(|(repository, _, d)| fetch(source, repository, d).ok());
            if let Some(pack) = meant.into_iter().find(|pack| matches(pack, digests)) {
                return Ok(pack);
            }
            let named = |(repository, names, _): &(String, Vec<String>, _)| {
                let repository = if source.repositories().is_ok_and(|all| all.len() > 1) {
                    format!("{repository}:")
                } else {
                    String::new()
                };
                names.iter().map(|name| format!("{repository}{name}")).collect::<Vec<_>>().join(" = ")
            };
            let names: Vec<_> = several.iter().map(named).collect();
            Err(Ambiguous::Several(source.place(), names.join(", ")).into())
        }
    }
}
