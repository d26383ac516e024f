//! Manifests with signatures in their layers.

use std::{collections::BTreeSet, convert::Infallible};

use super::{At, Form, FoundSignature, Via, problem, store::Store};
use crate::{
    content::{self, Attachment, Completeness, Source},
    diag::{Code, Diagnostic},
    limits,
    oci::{Blob, Descriptor, Digest, ImageManifest},
    signature::{
        SIGSTORE_JSON, SignatureError, SimplePayload, UntrustedBundle, UntrustedGpg, UntrustedSignature,
        UntrustedSimple, media,
    },
};

/// The form of the signature in a layer, if keypack knows it.
fn form_of(layer: &Descriptor) -> Option<Form> {
    if layer.media_type == media::SIMPLE_SIGNING {
        Some(Form::SimpleSigning)
    } else if layer.media_type.starts_with(media::BUNDLE_PREFIX) {
        Some(Form::Bundle)
    } else {
        None
    }
}

/// Whether this manifest contains signatures.
pub(super) fn carries_signatures(manifest: &ImageManifest) -> bool {
    manifest.layers.iter().any(|layer| form_of(layer).is_some())
}

/// The source of the layers of signature manifests.
pub(super) struct Layers<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) repository: &'a str,
    pub(super) store: &'a Store,
}

/// Reads the signatures of a signature manifest. A repeated layer is the same signature. An unreadable layer becomes a
/// signature with a problem: it must not count as "no signature".
pub(super) fn signatures(
    layers: &Layers<'_>,
    digest: Digest,
    manifest: &ImageManifest,
    via: Via,
) -> Vec<FoundSignature> {
    let mut seen = BTreeSet::new();
    let known = manifest.layers.iter().filter_map(|layer| Some((layer, form_of(layer)?)));
    let known = known.filter(|(layer, form)| seen.insert((layer.digest, *form, &layer.annotations)));
    let mut known: Vec<_> = known.collect();
    let all = known.len();
    known.truncate(limits::SIGNATURES_PER_IMAGE);
    let read = |(layer, form): &(&Descriptor, Form)| {
        let content = layers.signature(layer, *form);
        let form = match &content {
            Ok(UntrustedSignature::Bundle(bundle)) if bundle.is_attestation() => Form::Attestation,
            _ => *form,
        };
        let content = content.map_err(Box::new);
        Ok::<_, Infallible>(FoundSignature { via, at: At::Manifest(digest), form, content })
    };
    let Ok(mut found) = layers.source.abilities().workers().map(&known, read);
    // The unread rest must be reported.
    if all > known.len() {
        let error =
            format!("{digest} holds {all} signatures, but only {} of one manifest are read", known.len());
        found.push(FoundSignature::unreadable(via, digest, Diagnostic::new(Code::TooLarge, error)));
    }
    found
}

/// The error for a manifest that contains or lists more signatures than are read for one image.
pub(super) fn too_many(digest: &Digest) -> Diagnostic {
    let most = limits::SIGNATURES_PER_IMAGE;
    Diagnostic::new(
        Code::TooLarge,
        format!("{digest} has more than {most} signatures, and the rest are not read"),
    )
}

impl Layers<'_> {
    fn signature(&self, layer: &Descriptor, form: Form) -> Result<UntrustedSignature, Diagnostic> {
        let wrong = |e: &SignatureError| problem(e);
        if form == Form::SimpleSigning {
            let payload = self.store.payload(layer, || {
                SimplePayload::parse(self.read(layer)?.into_bytes()).map_err(|e| wrong(&e))
            })?;
            let simple = UntrustedSimple::of(payload, &layer.annotations).map_err(|e| wrong(&e))?;
            self.store.keep(layer.annotations.values().map(|text| text.len() as u64).sum())?;
            Ok(UntrustedSignature::Simple(Box::new(simple)))
        } else {
            let bundle = self
                .store
                .bundle(layer, || UntrustedBundle::parse(self.read(layer)?.bytes()).map_err(|e| wrong(&e)))?;
            Ok(UntrustedSignature::Bundle(Box::new(bundle)))
        }
    }

    fn read(&self, layer: &Descriptor) -> Result<Blob, Diagnostic> {
        content::fetch(self.source, self.repository, layer, limits::SIGNATURE)
            .map_err(|e| problem(&e))?
            .ok_or_else(|| missing(self.source, &layer.digest))
    }
}

/// A signature stored next to its image as a file.
pub(super) fn file_signature(file: Attachment) -> FoundSignature {
    let (form, content) = if file.bytes.starts_with(SIGSTORE_JSON) {
        let parsed = UntrustedSimple::parse_file(&file.bytes);
        let parsed = parsed.map(|simple| UntrustedSignature::Simple(Box::new(simple)));
        (Form::SimpleSigning, parsed.map_err(|e| problem(&e)))
    } else {
        let parsed = UntrustedGpg::parse(&file.bytes).map(|gpg| UntrustedSignature::Gpg(Box::new(gpg)));
        (Form::OpenPgp, parsed.map_err(|e| problem(&e)))
    };
    FoundSignature {
        via: Via::File,
        at: At::File(file.name.into()),
        form,
        content: content.map_err(Box::new),
    }
}

/// The problem of a missing blob: damage, or legitimate if another archive may contain it.
pub(crate) fn missing(source: &dyn Source, digest: &Digest) -> Diagnostic {
    let place = source.place();
    match source.abilities().completeness {
        Completeness::Whole => {
            Diagnostic::new(Code::BlobMissing, format!("{place} names {digest} but does not hold it"))
        }
        Completeness::Partial => Diagnostic::new(
            Code::BlobElsewhere,
            format!("{place} has a link to {digest}, but the blob is not in this archive set"),
        ),
    }
}
