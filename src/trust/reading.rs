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

    /// The same for a signature of this file, whose statement may also name it by sha512.
    pub(super) fn of_file(
        signature: &'a UntrustedSignature,
        file: &'a [u8],
        digest: &Digest,
    ) -> Result<Self, Refusal> {
        if !is_named_by_sha512(signature, file) {
            is_about(signature, digest)?;
        }
        let (needs, bundle) = signature.read()?;
        Ok(Self { signature, image: *digest, needs, bundle, file: Some(file) })
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

fn is_named_by_sha512(signature: &UntrustedSignature, file: &[u8]) -> bool {
    let UntrustedSignature::Bundle(bundle) = signature else { return false };
    let digest = || sigstore_crypto::sha512(file).to_hex();
    !bundle.claimed_sha512.is_empty() && bundle.claimed_sha512.contains(&digest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::UntrustedBundle;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde_json::json;

    fn about(subject: &serde_json::Value, file: &[u8]) -> Result<(), Refusal> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": "p", "predicate": {},
        });
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": "a"}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(statement.to_string()),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"sig": "AAAA"}],
            },
        });
        let bundle = UntrustedBundle::parse(bundle.to_string().as_bytes()).unwrap();
        let signature = UntrustedSignature::Bundle(Box::new(bundle));
        Reading::of_file(&signature, file, &Digest::of(file)).map(|_| ())
    }

    #[test]
    fn a_statement_may_name_a_file_by_sha512_alone() {
        let sha512 = sigstore_crypto::sha512(b"file").to_hex();
        let sha256 = Digest::of(b"file").hex();
        for digest in
            [json!({"sha512": sha512}), json!({"sha512": sha512.to_uppercase()}), json!({"sha256": sha256})]
        {
            about(&json!({"digest": digest}), b"file").unwrap();
            assert!(matches!(about(&json!({"digest": digest}), b"other"), Err(Refusal::OtherImage { .. })));
        }
        // Of two digests of one file both must be right.
        let other = Digest::of(b"other").hex();
        let both = json!({"digest": {"sha512": sha512, "sha256": other}});
        assert!(matches!(about(&both, b"file"), Err(Refusal::OtherImage { .. })));
        assert!(about(&json!({"digest": {"sha384": sha512}}), b"file").is_err());
    }
}
