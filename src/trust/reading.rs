//! A signature and its claims, parsed once for all attempts to verify it.

use std::borrow::Cow;

use sigstore_types::{Bundle, SignatureContent};

use super::Refusal;
use crate::{
    oci::Digest,
    signature::{Needs, UntrustedSignature},
};

/// A signature that claims to cover an image.
pub(crate) struct Reading<'a> {
    pub(super) signature: &'a UntrustedSignature,
    pub(super) image: Digest,
    pub(super) needs: Needs,
    /// `None` for a GPG signature.
    pub(super) bundle: Option<Cow<'a, Bundle>>,
    /// The file that a bundle should cover, if it is not a manifest and is available.
    pub(super) file: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    /// Parses it. A signature for another image is refused, because no keys need to be found for it.
    pub(crate) fn new(signature: &'a UntrustedSignature, image: &Digest) -> Result<Self, Refusal> {
        is_about(signature, image)?;
        let (needs, bundle) = signature.read()?;
        Ok(Self { signature, image: *image, needs, bundle, file: None })
    }

    /// Sets the file that a bundle should cover.
    pub(super) fn of_file(self, bytes: Option<&'a [u8]>) -> Self {
        Self { file: bytes, ..self }
    }

    /// The keys that it says it needs.
    pub(crate) const fn needs(&self) -> &Needs {
        &self.needs
    }
}

/// Checks that the signature claims to cover this image. A message-signature bundle makes no claim: the verifier
/// compares its digest. An envelope without a subject covers nothing.
fn is_about(signature: &UntrustedSignature, image: &Digest) -> Result<(), Refusal> {
    let claimed = signature.claimed_images();
    let silent = matches!(signature, UntrustedSignature::Bundle(b)
        if matches!(b.bundle.content, SignatureContent::MessageSignature(_)));
    if silent || claimed.contains(image) {
        Ok(())
    } else {
        Err(Refusal::OtherImage { claimed, image: *image })
    }
}
