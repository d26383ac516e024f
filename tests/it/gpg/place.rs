//! An image in a folder, signed with GPG, for the built program.

use keypack::oci::Digest;
use pgp::composed::{KeyType, SignedSecretKey};

use super::{
    lab::{Say, block, bytes, message, payload_for, secret_of},
    program::Test,
};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// The time of everything that this module signs: the program uses its own clock, or this.
pub const EPOCH: &str = "1771545600";

/// A folder `image` with an image that `owner` signed under the name `reference`, and the owner's key in `owner.asc`.
pub fn signed_image(test: &Test, owner: &SignedSecretKey, reference: &str) {
    let image = Digest::of(MANIFEST.as_bytes());
    let content = payload_for(image, reference);
    let signature = Say::default().sign(&owner.primary_key, &content);
    test.write("image/manifest.json", MANIFEST);
    test.write("image/signature-1", message(&signature, &content));
    test.write("owner.asc", bytes(&block(owner, &Say::default())));
}

pub fn owner() -> SignedSecretKey {
    secret_of(KeyType::Ed25519Legacy, pgp::types::KeyVersion::V4)
}
