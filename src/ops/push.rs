//! Writes a keys/ directory as an OCI artifact.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    Context,
    ends::warn_of_ends,
    place::{hosts, keys_to_read, location},
    revoked_here,
};
use crate::{
    content::{self, ContentError, Destination, Location, Source},
    diag::{Code, Diagnostic},
    fs, limits,
    oci::{Descriptor, Digest, Document},
    pack::{self, Coverage, to_artifact},
};

/// What to write, and where.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The directory that was collected or pulled.
    pub keys: String,
    /// The location to write to.
    pub dest: String,
    /// The form of the artifact.
    pub form: Form,
    /// A file for the manifest digest.
    pub digestfile: Option<PathBuf>,
    /// A file for the pack digest.
    pub pack_digestfile: Option<PathBuf>,
    /// Where this host remembers what was revoked here; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
}

/// The form of an artifact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// A scratch image with one layer.
    #[default]
    Image,
    /// One layer per file.
    Artifact,
}

/// What was written; the JSON is described by `schemas/results-v1.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The location.
    pub place: String,
    /// The tag.
    pub tag: String,
    /// The full reference, as an argument for `pull`.
    pub reference: String,
    /// The digest of `keypack.json`.
    pub pack_digest: Digest,
    /// The digest of the artifact's manifest.
    pub manifest_digest: Digest,
    /// The number of blobs and manifests written; 0 if everything existed already.
    pub written: usize,
    /// Whether the tag had to be created or moved.
    #[serde(skip)]
    pub tagged: bool,
}

/// The tag in a location without tags, such as an oc-mirror directory.
const TAG: &str = "latest";

const DESTINATION: &str = "write docker://HOST/REPO:TAG, oci:DIR:TAG or oci-archive:FILE:TAG";

/// Whether a manifest is that of a pack. An unreadable one is not.
fn is_pack(source: &dyn Source, repository: &str, manifest: &Descriptor) -> bool {
    let config =
        |config: &Descriptor| content::fetch(source, repository, config, limits::CONFIG).ok().flatten();
    matches!(content::fetch_manifest(source, repository, manifest),
        Ok(Some((_, Document::Manifest(manifest)))) if pack::looks_like_a_pack(&manifest, config))
}

/// Refuses to move a tag away from something that is not a pack, or is unreadable: it would be lost.
fn refuse_taken_tag(source: &dyn Source, repository: &str, tag: &str) -> Result<(), Diagnostic> {
    let there = source.resolve(repository, tag).map_err(|e| Diagnostic::from(e).on("destination"))?;
    if there.is_none_or(|there| is_pack(source, repository, &there)) {
        return Ok(());
    }
    let error =
        format!("the tag {tag} of {} names something that is not a pack, or can't be read", source.place());
    Err(Diagnostic::new(Code::TagTaken, error))
}

/// Refuses to replace an archive that contains anything but packs, or is unreadable.
fn refuse_other_content(replaced: &Result<Box<dyn Source>, ContentError>) -> Result<(), Diagnostic> {
    let taken = |error| {
        let hint = "find out what it is, and move the file away; a push then writes a new one";
        Err(Diagnostic::new(Code::TagTaken, error).hinting(hint))
    };
    let source = match replaced {
        Ok(source) => source.as_ref(),
        Err(e) => return taken(format!("the file in the place of the pack can't be read: {e}")),
    };
    match source.manifests("") {
        Ok(found) if found.iter().all(|listed| is_pack(source, "", &listed.descriptor)) => Ok(()),
        _ => taken(format!("{} holds something that is not a pack, or can't be read", source.place())),
    }
}

/// The tag for the pack. A location with tags requires one, because a default tag would be moved by the next push.
fn tag(location: &Location) -> Result<String, Diagnostic> {
    match (location, location.reference()) {
        (_, Some(name)) if name.starts_with("sha256:") => {
            Err(Diagnostic::usage("a destination has a tag, not a digest", DESTINATION))
        }
        (_, Some(tag)) => Ok(tag),
        (
            Location::Registry(_) | Location::Repositories(..) | Location::Layout(..) | Location::Archive(..),
            None,
        ) => {
            let repository = match location {
                Location::Repositories(_, prefix) if prefix.is_empty() => "/keypack/trust",
                _ => "",
            };
            Err(Diagnostic::usage(
                format!("{location} names no tag for the pack"),
                format!("name one, such as {location}{repository}:keys-2026-11"),
            ))
        }
        (_, None) => Ok(TAG.into()),
    }
}

/// Writes a keys/ directory as an artifact. Existing content that is not a pack is never replaced.
///
/// # Errors
///
/// Fails if the directory is not a keys/ directory or was modified, if a signature in it is for an older inventory, if
/// the tag names something other than a pack, and if the location cannot be written to.
pub fn push(request: &Request, ctx: &Context) -> Result<Outcome, Diagnostic> {
    let path = Path::new(&request.keys);
    if !path.exists() && Path::new(&request.dest).join(pack::INVENTORY).exists() {
        return Err(Diagnostic::usage(
            format!("{} is not a directory with keys", request.keys),
            format!("the directory comes first: keypack push {} {}", request.dest, request.keys),
        ));
    }
    let here = revoked_here::load(request.state_dir.as_deref(), &ctx.env)?;
    let draft = keys_to_read(path, &here)?;
    // Nobody could read what is left: its inventory lists more. And nobody should get the rest.
    if let Some(key) = revoked_here::left_out(&draft, &here).first() {
        return Err(Diagnostic::new(Code::RevokedHere, key.to_string())
            .hinting("pass on what is collected without the key: collect --revoke on the connected side"));
    }
    draft.refuse_stale_signatures()?;
    warn_of_ends(&draft, ctx);
    for (name, covers) in draft.coverage() {
        if covers == Coverage::Unsaid {
            ctx.events.warn(&format!(
                "{name} does not say which inventory it is about (Ed25519 signatures do not); only its key can tell"
            ));
        }
    }
    let location = location(&request.dest).map_err(|e| e.hinting(DESTINATION))?;
    let tag = tag(&location)?;
    let form = match request.form {
        Form::Image => pack::Form::Image,
        Form::Artifact => pack::Form::Artifact,
    };
    let artifact = to_artifact(&draft, form)?;
    ctx.net.check(hosts(std::slice::from_ref(&location)))?;
    ctx.events.step(&format!("writing to {location}"));
    let Destination { sink, source, replaced } =
        content::open_destination(&location, &|| ctx.registry(), &ctx.progress).map_err(|e| {
            let unsupported = matches!(e, ContentError::Unsupported { .. });
            let failure = Diagnostic::from(e).on("destination");
            if unsupported { failure.hinting(DESTINATION) } else { failure }
        })?;
    if let Some(source) = source {
        refuse_taken_tag(source.as_ref(), location.repository(), &tag)?;
    }
    replaced.iter().try_for_each(refuse_other_content)?;
    ctx.interrupt.leaves(format!(
        "the tag {tag} of {} names either what it named before or the whole pack; push again to be sure",
        sink.place()
    ));
    let stored = sink.put(&artifact, &tag).map_err(|e| Diagnostic::from(e).on("destination"))?;
    ctx.interrupt.leaves(format!("the tag {tag} of {} names the pack", sink.place()));
    stored.warning.iter().for_each(|warning| ctx.events.warn(warning));
    for (file, digest) in [(&request.digestfile, stored.digest), (&request.pack_digestfile, draft.digest())] {
        if let Some(file) = file {
            fs::write(file, format!("{digest}\n").as_bytes())?;
        }
    }
    Ok(Outcome {
        place: sink.place(),
        tag,
        reference: location.to_string(),
        pack_digest: draft.digest(),
        manifest_digest: stored.digest,
        written: stored.written,
        tagged: stored.tagged,
    })
}
