use serde::{Serialize, Serializer};

use super::{NeedState, as_optional_reason};
use crate::{
    diag::Diagnostic,
    key::{KeyRef, Role},
    oci::Digest,
    signature::Need,
};

/// A signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureReport {
    /// `simple-signing`, `bundle`, `attestation` or `openpgp`.
    pub form: &'static str,
    /// How it was found: `tag`, `fallback-tag`, `referrers-api`, `signature-repository`, `referrer`, `untagged`,
    /// `unlisted`, `file`.
    pub found: &'static str,
    /// The manifest or file that contains it.
    pub at: String,
    /// The reference that the signer wrote into it: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The signer according to the verified certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The OIDC issuer in the certificate, which vouches for that identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whether it has an entry in a transparency log. Without one less is proved, because the entry may have been
    /// removed. `None` if the signature was not verified, and for GPG signatures, which have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<bool>,
    /// The keys that it needs.
    pub needs: Vec<NeedReport>,
    /// Why it does not count, unless its needs already show it: it can't be read, is not for this image, or does not
    /// verify although its keys verify others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Diagnostic>,
}

/// A need of one signature.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedReport {
    /// The key as the signature names it.
    #[serde(flatten, serialize_with = "role_and_id")]
    pub need: Need,
    /// Whether it is met.
    pub state: NeedState,
    /// The key that meets it, or that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyRef>,
    /// The fingerprint of the signer key in the log entry: a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Digest>,
    /// Why it is not met, if there is a key.
    #[serde(flatten, serialize_with = "as_optional_reason")]
    pub problem: Option<Diagnostic>,
}

fn role_and_id<S: Serializer>(need: &Need, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Named {
        role: Role,
        id: String,
    }
    Named { role: need.role(), id: need.id() }.serialize(serializer)
}
