//! Simple signing with GPG: an OpenPGP signed message whose text is the payload. Red Hat signs releases this way, and
//! `skopeo copy --sign-by` writes it (containers-signature(5)).

use super::{
    Needs, SignatureError,
    payload::{self, Claims},
};
use crate::{
    key::{OpenPgpMessage, OpenPgpMessageError},
    oci::Digest,
};

const MESSAGE: &str = "the OpenPGP signature";

/// A signed message with the claims in its text.
#[derive(Debug, Clone)]
pub struct UntrustedGpg {
    /// The message.
    pub message: OpenPgpMessage,
    /// `critical.image.docker-manifest-digest`.
    pub claimed_image: Digest,
    /// `critical.identity.docker-reference`.
    pub claimed_reference: String,
}

impl UntrustedGpg {
    /// Parses a signature file.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        let message = OpenPgpMessage::parse(bytes).map_err(|e| match e {
            OpenPgpMessageError::Malformed(reason) => SignatureError::Malformed { what: MESSAGE, reason },
            OpenPgpMessageError::Unsupported(reason) => SignatureError::Unsupported { what: MESSAGE, reason },
        })?;
        let Claims { image: claimed_image, reference: claimed_reference } =
            payload::read(message.content(), "atomic container signature")?;
        Ok(Self { message, claimed_image, claimed_reference })
    }

    /// The key named by the signature.
    pub(super) fn needs(&self) -> Needs {
        Needs::of_gpg(self.message.issuer().map(str::to_owned), self.message.key_id().to_owned())
    }
}
