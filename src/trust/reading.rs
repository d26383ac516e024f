//! A signature with what it says of itself, read once for all attempts to verify it.

use sigstore_types::{Bundle, SignatureContent};

use super::Refusal;
use crate::{
    oci::Digest,
    signature::{Needs, UntrustedSignature},
};

/// A signature that, by its own words, is about an image.
pub(crate) struct Reading<'a> {
    pub(super) signature: &'a UntrustedSignature,
    pub(super) image: Digest,
    pub(super) needs: Needs,
    /// Of a GPG signature there is none.
    pub(super) bundle: Option<Bundle>,
    /// The file that a bundle is to be about, where it is no manifest and is at hand.
    pub(super) file: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    /// Reads it. One that is about another image is nothing to find keys for.
    pub(crate) fn new(signature: &'a UntrustedSignature, image: &Digest) -> Result<Self, Refusal> {
        is_about(signature, image)?;
        let needs = signature.needs()?;
        let bundle = match signature {
            UntrustedSignature::Simple(simple) => Some(simple.to_bundle()),
            UntrustedSignature::Bundle(bundle) => Some(Bundle::clone(&bundle.bundle)),
            UntrustedSignature::Gpg(_) => None,
        };
        Ok(Self { signature, image: *image, needs, bundle, file: None })
    }

    /// The same of a bundle about a file.
    pub(super) fn of_file(self, bytes: Option<&'a [u8]>) -> Self {
        Self { file: bytes, ..self }
    }

    /// The keys that it says it needs.
    pub(crate) const fn needs(&self) -> &Needs {
        &self.needs
    }
}

/// Whether the signature, by its own words, is about this image. A message-signature bundle has no words of its own:
/// its digest is compared by the verifier. An envelope without a subject is about nothing.
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
