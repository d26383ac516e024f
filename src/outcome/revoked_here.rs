use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    display::shown,
    key::{Fingerprint, Role},
};

/// A key of a pack that was revoked on this host: it is left out, whatever the pack says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokedKey {
    /// Its file.
    pub file: String,
    /// What it was for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// When it was revoked.
    pub at: Timestamp,
    /// Since when its signatures don't count; without it, none counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Whether it lies in the directory all the same.
    pub still_there: bool,
}

impl fmt::Display for RevokedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, fingerprint, at, since, reason, .. } = self;
        write!(f, "{file} ({fingerprint}) was revoked on this host at {at:.0}: {}", shown(reason))?;
        match since {
            Some(since) => write!(f, "; of its signatures those count that are dated before {since}"),
            None => Ok(()),
        }
    }
}
