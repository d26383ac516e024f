//! The signatures that a pull reads (`docker/docker_image_src.go`): first the lookaside, then the tag `sha256-<hex>.sig`.

use std::collections::{HashMap, hash_map::Entry};

use super::lookaside::Lookaside;
use crate::{
    content::{self, Source},
    diag::{Code, Diagnostic, Exit},
    limits,
    oci::{Descriptor, Digest, Document, media},
    ops::Context,
    policy::consumer::{Found, ImageName, Lookup, from_file},
};

/// Why signatures are not to be had.
pub(super) enum Missing {
    /// keypack could not read them now.
    Unread(Diagnostic),
    /// What is there ends every pull.
    Ends(Diagnostic),
}

pub(super) struct Reader<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) repository: &'a str,
    pub(super) ctx: &'a Context,
    pub(super) lookaside: &'a Lookaside,
}

impl Reader<'_> {
    /// The signatures of an image. `at` is its name where it lies.
    pub(super) fn signatures(
        &self,
        image: Digest,
        lookup: &Lookup,
        at: &ImageName,
    ) -> Result<Vec<Found>, Missing> {
        let mut found = self.beside(image)?;
        if let Some(base) = &lookup.lookaside {
            found.extend(self.lookaside.read(base, at, image, self.ctx)?);
        }
        if lookup.attachments {
            found.extend(self.attached(image)?);
        }
        Ok(found)
    }

    /// The files beside the image, in a `dir:`.
    fn beside(&self, image: Digest) -> Result<Vec<Found>, Missing> {
        let Some(sidecars) = self.source.abilities().sidecars else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        sidecars
            .attachments(self.repository, &image, &mut |file| found.push((file.name, from_file(file.bytes))))
            .map_err(|e| Missing::Unread(e.into()))?;
        found.into_iter().map(|(name, read)| read.map_err(|e| ends(&format!("{name}: {}", e.0)))).collect()
    }

    pub(super) fn attached(&self, image: Digest) -> Result<Vec<Found>, Missing> {
        let tag = format!("sha256-{}.sig", image.hex());
        let unread = |e: content::ContentError| of_content(&tag, e.into());
        let Some(descriptor) = self.source.resolve(self.repository, &tag).map_err(unread)? else {
            return Ok(Vec::new());
        };
        let read = content::fetch_manifest(self.source, self.repository, &descriptor).map_err(unread)?;
        let Some((_, document)) = read else {
            return Err(ends(&format!("the manifest at {tag} is missing")));
        };
        let Document::Manifest(manifest) = document else {
            return Err(ends(&format!("{tag} is a list of manifests, and one manifest is taken")));
        };
        let own = manifest.media_type.as_deref().unwrap_or(&descriptor.media_type);
        if !matches!(own, media::MANIFEST | "") {
            return Err(ends(&format!(
                "{tag} is of the type {own:?}, and {} alone is taken",
                media::MANIFEST
            )));
        }
        if manifest.layers.len() > limits::SIGNATURES_PER_IMAGE {
            let what = format!("{tag} has more than {} layers", limits::SIGNATURES_PER_IMAGE);
            return Err(Missing::Unread(Diagnostic::new(Code::TooLarge, what)));
        }
        let (mut known, mut total) = (HashMap::new(), 0);
        let mut found = Vec::new();
        for layer in manifest.layers {
            let payload = match known.entry(layer.digest) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.payload(&layer, &tag)?),
            };
            // Each signature holds a copy.
            total += payload.len() as u64;
            if total > limits::SIGNATURE {
                let what = format!("the signatures at {tag} have more than {} bytes", limits::SIGNATURE);
                return Err(Missing::Unread(Diagnostic::new(Code::TooLarge, what)));
            }
            found.push(Found::Sigstore {
                payload: payload.clone(),
                media_type: layer.media_type,
                annotations: layer.annotations,
            });
        }
        Ok(found)
    }

    fn payload(&self, layer: &Descriptor, tag: &str) -> Result<Vec<u8>, Missing> {
        let blob = content::fetch(self.source, self.repository, layer, limits::CONSUMER_SIGNATURE);
        let blob = blob.map_err(|e| of_content(&format!("a signature at {tag}"), e.into()))?;
        let gone = || ends(&format!("{tag} names the signature {}, which is missing", layer.digest));
        Ok(blob.ok_or_else(gone)?.into_bytes())
    }
}

/// What is there ends the pull, if it is the content that is wrong and not the way to it.
fn of_content(what: &str, problem: Diagnostic) -> Missing {
    let is_content = matches!(
        problem.code,
        Code::Malformed
            | Code::ManifestMalformed
            | Code::ManifestAmbiguous
            | Code::ManifestSchema1
            | Code::DigestMismatch
            | Code::SizeMismatch
            | Code::DigestUnsupported
            | Code::TooLarge
            | Code::BlobMissing
    );
    let problem = problem.on(what).ending(Exit::Incomplete);
    if is_content { Missing::Ends(problem) } else { Missing::Unread(problem) }
}

pub(super) fn ends(what: &str) -> Missing {
    let what = format!("the consumer ends the pull before it looks at any requirement: {what}");
    Missing::Ends(Diagnostic::new(Code::SignatureEndsPull, what))
}
