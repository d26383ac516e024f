//! Manifests that carry signatures in their layers.

use super::{Form, FoundSignature, Problem, Via};
use crate::{
    content::{self, Attachment, Completeness, Source},
    limits,
    oci::{Descriptor, Digest, ImageManifest},
    signature::{SIGSTORE_JSON, UntrustedBundle, UntrustedSignature, UntrustedSimple, media},
};

/// Whether a layer holds a signature that keypack knows.
fn form_of(layer: &Descriptor) -> Option<Form> {
    if layer.media_type == media::SIMPLE_SIGNING {
        Some(Form::SimpleSigning)
    } else if layer.media_type.starts_with(media::BUNDLE_PREFIX) {
        Some(Form::Bundle)
    } else {
        None
    }
}

/// Whether this manifest carries signatures.
pub(super) fn carries_signatures(manifest: &ImageManifest) -> bool {
    manifest.layers.iter().any(|layer| form_of(layer).is_some())
}

/// Reads the signatures of a carrier. A layer that can't be read becomes a signature with a problem: it must not
/// pass as "no signature".
pub(super) fn signatures(
    source: &dyn Source,
    repository: &str,
    digest: Digest,
    manifest: &ImageManifest,
    via: Via,
) -> Vec<FoundSignature> {
    let mut found = Vec::new();
    for layer in manifest.layers.iter().take(limits::SIGNATURES_PER_IMAGE) {
        let Some(form) = form_of(layer) else { continue };
        let content = signature(source, repository, layer, form);
        let form = match &content {
            Ok(UntrustedSignature::Bundle(bundle)) if bundle.is_attestation() => Form::Attestation,
            _ => form,
        };
        found.push(FoundSignature { via, at: digest.to_string(), form, content });
    }
    found
}

fn signature(
    source: &dyn Source,
    repository: &str,
    layer: &Descriptor,
    form: Form,
) -> Result<UntrustedSignature, Problem> {
    let blob = content::fetch(source, repository, layer, limits::SIGNATURE)
        .map_err(|e| Problem::from(&e))?
        .ok_or_else(|| missing(source, &layer.digest))?;
    let parsed = if form == Form::SimpleSigning {
        UntrustedSimple::parse(blob.into_bytes(), &layer.annotations)
            .map(|simple| UntrustedSignature::Simple(Box::new(simple)))
    } else {
        UntrustedBundle::parse(blob.bytes()).map(|bundle| UntrustedSignature::Bundle(Box::new(bundle)))
    };
    parsed.map_err(|e| Problem::from(&e))
}

/// A signature that lies beside its image as a file.
pub(super) fn file_signature(file: Attachment) -> FoundSignature {
    let (form, content) = if file.bytes.starts_with(SIGSTORE_JSON) {
        let parsed = UntrustedSimple::parse_file(&file.bytes);
        let parsed = parsed.map(|simple| UntrustedSignature::Simple(Box::new(simple)));
        (Form::SimpleSigning, parsed.map_err(|e| Problem::from(&e)))
    } else {
        let message =
            "an OpenPGP signature, which needs its GPG key and which this version does not verify".into();
        (Form::OpenPgp, Err(Problem { code: "openpgp-unsupported", message }))
    };
    FoundSignature { via: Via::File, at: file.name, form, content }
}

/// A blob that is named and not there: damage, or lawful where another archive holds it.
pub(super) fn missing(source: &dyn Source, digest: &Digest) -> Problem {
    let place = source.place();
    match source.completeness() {
        Completeness::Whole => {
            Problem { code: "blob-missing", message: format!("{place} names {digest} but does not hold it") }
        }
        Completeness::Partial => Problem {
            code: "blob-elsewhere",
            message: format!("{place} has a link to {digest}, but the blob is not in this archive set"),
        },
    }
}
