//! Manifests that carry signatures in their layers.

use super::{Form, FoundSignature, Problem, Via};
use crate::{
    content::{self, Completeness, Source},
    limits,
    oci::{Descriptor, Digest, ImageManifest},
    signature::{UntrustedBundle, UntrustedSignature, UntrustedSimple, media},
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

/// A blob that is named and not there.
pub(super) fn missing(source: &dyn Source, digest: &Digest) -> Problem {
    let more = match source.completeness() {
        Completeness::Whole => "",
        Completeness::Partial => "; an incremental archive leaves out what an earlier one holds",
    };
    Problem {
        code: "blob-missing",
        message: format!("{} names {digest} but does not hold it{more}", source.place()),
    }
}
