use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    oci::Digest,
    outcome::{End, KeyStanding, RevokedKey, ends, rule},
    pack::{Draft, Revoked},
};

/// The pack whose keys were used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackPart {
    pub(crate) directory: String,
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    pub(crate) key_set_digest: Digest,
    pub(crate) created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    /// Its maker's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) collected_by: Option<String>,
    /// What authenticated it.
    pub(crate) anchors: Vec<String>,
    /// When this host did, if it remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authenticated: Option<Timestamp>,
    /// The signatures beside it, each with what it is by its own word.
    pub(crate) signatures: BTreeMap<String, &'static str>,
    /// Who did what with it on this host, by this host's log.
    pub(crate) history: Vec<Handled>,
    /// The pack that was here before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Before>,
    pub(crate) ends: Vec<End>,
    pub(crate) keys: Vec<KeyStanding>,
    pub(crate) rules: Vec<String>,
    pub(crate) revoked: Vec<Revoked>,
    pub(crate) revoked_here: Vec<RevokedKey>,
}

/// A line of this host's log about a pack.
#[derive(Debug, Serialize)]
pub(crate) struct Handled {
    pub(crate) time: Timestamp,
    pub(crate) command: String,
    pub(crate) result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    pub(crate) anchors: Vec<String>,
}

/// An earlier pack of the same lineage on this host.
#[derive(Debug, Serialize)]
pub(crate) struct Before {
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    pub(crate) at: Timestamp,
}

impl PackPart {
    /// What the pack says. What this host knows of it is added by the caller.
    pub(crate) fn of(draft: &Draft) -> Self {
        let inventory = draft.inventory();
        let signatures = draft.coverage();
        Self {
            directory: String::new(),
            name: inventory.name.clone(),
            version: inventory.version,
            digest: draft.digest(),
            key_set_digest: inventory.key_set(),
            created: inventory.created,
            expires: inventory.expires,
            collected_by: inventory.collected_by.clone(),
            anchors: Vec::new(),
            authenticated: None,
            signatures: signatures.iter().map(|(name, is)| (name.to_string(), is.summary())).collect(),
            history: Vec::new(),
            before: None,
            ends: ends(draft),
            keys: draft.keys().map(|(record, _)| record.into()).collect(),
            rules: inventory.rules.iter().map(|one| one_line(&rule(one, inventory))).collect(),
            revoked: inventory.revoked.clone(),
            revoked_here: Vec::new(),
        }
    }
}

/// The lines of a text in one line.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}
