//! The JSON of a trusted root, in both directions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root<T> {
    pub(super) media_type: String,
    #[serde(default = "Vec::new")]
    pub(super) tlogs: Vec<T>,
    #[serde(default = "Vec::new")]
    pub(super) certificate_authorities: Vec<T>,
    #[serde(default = "Vec::new")]
    pub(super) ctlogs: Vec<T>,
    #[serde(default = "Vec::new")]
    pub(super) timestamp_authorities: Vec<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    #[serde(default)]
    pub(super) base_url: String,
    #[serde(default)]
    pub(super) hash_algorithm: String,
    pub(super) public_key: LogKey,
    /// Version 0.1. In 0.2 a log may have only a `checkpointKeyId`, which is a prefix of the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log_id: Option<LogId>,
    #[serde(default, skip_serializing)]
    pub(super) checkpoint_key_id: Option<LogId>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogKey {
    pub(super) raw_bytes: String,
    #[serde(default)]
    pub(super) key_details: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) valid_for: Option<Window>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogId {
    pub(super) key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authority {
    #[serde(default)]
    pub(super) subject: Subject,
    #[serde(default)]
    pub(super) uri: String,
    pub(super) cert_chain: CertChain,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) valid_for: Option<Window>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) common_name: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CertChain {
    pub(super) certificates: Vec<RawBytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawBytes {
    pub(super) raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Window {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Timestamp>,
}
