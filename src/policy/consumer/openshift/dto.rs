//! The objects as they are written (openshift/api 2a3d739, `config/v1/types_image_policy.go`).

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectDto {
    pub(super) api_version: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) metadata: MetadataDto,
    #[serde(default)]
    pub(super) spec: Option<Value>,
    /// Of a List.
    #[serde(default)]
    pub(super) items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
pub(super) struct MetadataDto {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpecDto {
    pub(super) scopes: Vec<String>,
    pub(super) policy: PolicyDto,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicyDto {
    pub(super) root_of_trust: RootDto,
    pub(super) signed_identity: Option<IdentityDto>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RootDto {
    pub(super) policy_type: String,
    pub(super) public_key: Option<KeyDto>,
    #[serde(rename = "fulcioCAWithRekor")]
    pub(super) fulcio: Option<FulcioDto>,
    pub(super) pki: Option<PkiDto>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyDto {
    pub(super) key_data: String,
    pub(super) rekor_key_data: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FulcioDto {
    #[serde(rename = "fulcioCAData")]
    pub(super) ca: String,
    #[serde(rename = "rekorKeyData")]
    pub(super) rekor: String,
    #[serde(rename = "fulcioSubject")]
    pub(super) subject: FulcioSubjectDto,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FulcioSubjectDto {
    #[serde(rename = "oidcIssuer")]
    pub(super) issuer: String,
    #[serde(rename = "signedEmail")]
    pub(super) email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PkiDto {
    pub(super) ca_roots_data: String,
    pub(super) ca_intermediates_data: Option<String>,
    pub(super) pki_certificate_subject: PkiSubjectDto,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PkiSubjectDto {
    pub(super) email: Option<String>,
    pub(super) hostname: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IdentityDto {
    pub(super) match_policy: String,
    pub(super) exact_repository: Option<ExactDto>,
    pub(super) remap_identity: Option<RemapDto>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExactDto {
    pub(super) repository: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RemapDto {
    pub(super) prefix: String,
    pub(super) signed_prefix: String,
}
