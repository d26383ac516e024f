//! The two questions that a person has about a key: do signatures verify with it, and who says that it is the right one?
//! An attacker's key passes the first test too, on what the attacker signed.

use std::fmt;

use serde::Serialize;

use crate::{
    display::{count, shown},
    key::{Fingerprint, Grade, KeyRef, Provenance, Role, well_known},
    pack::KeyRecord,
};

/// What a pack says about a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStanding {
    /// Its file.
    pub file: String,
    /// What it is for.
    pub role: Role,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether a signature has verified with it. The number is not in a pack: each image more would make another pack,
    /// which somebody would have to approve again.
    pub proved: bool,
    /// Who gave the file that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<String>,
    /// Its sources.
    pub provenance: Vec<Provenance>,
    #[serde(skip)]
    key: KeyRef,
}

impl From<&KeyRecord> for KeyStanding {
    fn from(record: &KeyRecord) -> Self {
        Self {
            file: record.file.clone(),
            role: record.role,
            fingerprint: record.fingerprint,
            proved: record.proved,
            given_by: record.given_by.clone(),
            provenance: record.provenance.clone(),
            key: record.key_ref(),
        }
    }
}

impl KeyStanding {
    /// What it fits.
    pub(super) const fn fits(&self) -> &'static str {
        fits(self.proved)
    }

    /// Who vouches for it.
    pub(super) fn vouched(&self) -> String {
        vouched_for_by(self.key, self.given_by.as_deref(), &self.provenance)
    }
}

impl fmt::Display for KeyStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28} fits {}; vouched for by {}", self.file, self.fits(), self.vouched())
    }
}

/// What a key fits, as far as a pack records it.
pub(super) const fn fits(proved: bool) -> &'static str {
    if proved { "a signature" } else { "no signature that is known" }
}

/// What a key fits in one run.
pub(super) fn fits_so_many(signatures: usize) -> String {
    count(signatures, "signature")
}

/// Everyone who says that a key is the right one.
pub(super) fn vouched_for_by(key: KeyRef, given_by: Option<&str>, provenance: &[Provenance]) -> String {
    let mut by: Vec<_> = provenance.iter().filter_map(|source| vouches(given_by, source)).collect();
    let builtin = provenance.iter().any(|source| source.grade == Grade::Builtin);
    if !builtin && well_known(key).is_some() {
        by.push("this program, which has its fingerprint built in".into());
    }
    let from: Vec<_> = provenance.iter().filter_map(|source| only_holds(given_by, source)).collect();
    match (by.is_empty(), from.is_empty()) {
        (true, true) => "no one".into(),
        (true, false) => format!("no one ({})", from.join("; ")),
        (false, true) => by.join("; "),
        (false, false) => format!("{}; it is also in {}", by.join("; "), from.join(", ")),
    }
}

/// Who vouches for a key that is from this source.
fn vouches(given_by: Option<&str>, provenance: &Provenance) -> Option<String> {
    let source = shown(&provenance.source);
    Some(match provenance.grade {
        Grade::Tuf => format!("the TUF repository {source}"),
        Grade::Pinned => "a pin".into(),
        Grade::Tls => format!("the host of {source}, over https"),
        Grade::Builtin => match provenance.date {
            Some(date) => format!("this program, which has {source} of {date:.0} built in"),
            None => format!("this program, which has {source} built in"),
        },
        Grade::File => format!("the file {source}, given by {}", shown(given_by?)),
        Grade::Release => return None,
    })
}

/// A source that vouches for nothing: a file of which it is not known who gave it, or content of the mirror, whose keys
/// are claims.
fn only_holds(given_by: Option<&str>, provenance: &Provenance) -> Option<String> {
    let source = shown(&provenance.source);
    match provenance.grade {
        Grade::File if given_by.is_none() => Some(format!("the file {source}, giver not recorded")),
        Grade::Release => Some(format!("the {source}")),
        _ => None,
    }
}
