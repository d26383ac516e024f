//! Versions and dates in a chain. They are authentic only for a verified chain.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use sigstore_tuf::{
    Metadata, Root, Snapshot, Targets,
    metadata::{RoleKeys, Timestamp as Stamp},
};

use super::{Chain, TufError, error};
use crate::oci::Digest;

/// The roles of every repository, whose keys are listed in its root.
const ROLES: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// The number of days for which a role's metadata are valid, as `tuf-on-ci` records it in the signed root. It allows
/// the signing date, which TUF itself does not record, to be derived from the expiry.
const PERIOD: &str = "x-tuf-on-ci-expiry-period";

/// The versions and dates that a chain proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The roots that were followed, starting with the given one.
    pub roots: Vec<RootSeen>,
    /// The version of each role: root, timestamp, snapshot, targets, and delegated ones by name.
    pub versions: BTreeMap<String, u64>,
    /// When each role's metadata expire.
    pub expires: BTreeMap<String, Timestamp>,
    /// The timestamp was signed no earlier than this. Known only if the root states how long one is valid.
    pub signed_after: Option<Timestamp>,
    /// The same for the targets: the date of the listed files.
    pub targets_date: Option<Timestamp>,
}

/// A root of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSeen {
    /// sha256 of the file.
    pub digest: Digest,
    /// Its version.
    pub version: u64,
    /// The roles whose keys are still the same in the last root: only their versions may be compared. After a change of
    /// a role's keys, its versions may start from one again (specification 5.3.11, recovery from fast-forward attacks).
    pub same_keys: BTreeSet<String>,
}

impl Evidence {
    /// When the first of its metadata expires: the last moment at which a client without state would have accepted it,
    /// and so the last at which it can have been collected.
    pub fn good_until(&self) -> Timestamp {
        self.expires.values().min().copied().unwrap_or(Timestamp::MIN)
    }

    /// The version of a role.
    pub fn version(&self, role: &str) -> u64 {
        self.versions.get(role).copied().unwrap_or_default()
    }

    /// `root 16, timestamp 762, snapshot 165, targets 14`, and the delegated roles.
    pub fn summary(&self) -> String {
        let mut parts: Vec<_> = ROLES.iter().map(|role| format!("{role} {}", self.version(role))).collect();
        let delegated = self.versions.iter().filter(|(role, _)| !ROLES.contains(&role.as_str()));
        parts.extend(delegated.map(|(role, version)| format!("{role} {version}")));
        parts.join(", ")
    }

    pub(super) fn new(
        roots: &[&[u8]],
        timestamp: &Stamp,
        snapshot: &Snapshot,
        targets: &[(String, &Targets)],
    ) -> Result<Self, TufError> {
        let roots = roots
            .iter()
            .map(|bytes| Ok((Digest::of(bytes), parse::<Root>(bytes)?)))
            .collect::<Result<Vec<_>, TufError>>()?;
        let (_, root) = roots.last().ok_or_else(|| TufError::Missing("root.json".into()))?;
        let mut versions = BTreeMap::new();
        let mut expires = BTreeMap::new();
        let mut note = |role: &str, version, end| {
            versions.insert(role.to_owned(), version);
            expires.insert(role.to_owned(), end);
        };
        note("root", root.version, root.expires);
        note("timestamp", timestamp.version, timestamp.expires);
        note("snapshot", snapshot.version, snapshot.expires);
        for (role, targets) in targets {
            note(role, targets.version, targets.expires);
        }
        let period = root.role("timestamp").and_then(|keys| keys.extra.get(PERIOD));
        let top = targets.iter().find(|(role, _)| role == "targets").map(|(_, t)| *t);
        Ok(Self {
            signed_after: before(timestamp.expires, period),
            targets_date: top.and_then(|t| before(t.expires, t.extra.get(PERIOD))),
            versions,
            expires,
            roots: roots
                .iter()
                .map(|(digest, seen)| RootSeen {
                    digest: *digest,
                    version: seen.version,
                    same_keys: ROLES
                        .into_iter()
                        .filter(|role| *role == "root" || authority(seen, role) == authority(root, role))
                        .map(str::to_owned)
                        .collect(),
                })
                .collect(),
        })
    }
}

/// The keys and the threshold of a role.
fn authority<'a>(root: &'a Root, role: &str) -> Option<(usize, BTreeMap<&'a String, &'a str>)> {
    let keys: &RoleKeys = root.role(role)?;
    let held = keys.keyids.iter().filter_map(|id| Some((id, root.keys.get(id)?.keyval.public.as_str())));
    Some((keys.threshold, held.collect()))
}

fn before(end: Timestamp, days: Option<&Value>) -> Option<Timestamp> {
    let days = days?.as_i64().filter(|days| (1..=36_500).contains(days))?;
    end.checked_sub((days * 24).hours()).ok()
}

pub(super) fn parse<T: sigstore_tuf::Role + Clone>(bytes: &[u8]) -> Result<T, TufError> {
    let metadata = Metadata::<T>::from_slice(bytes).map_err(|e| TufError::Malformed(error::chain(&e)))?;
    Ok(metadata.into_signed())
}

/// The versions and dates in a chain, without verifying anything: for showing the claims of a pack.
pub fn describe(chain: &Chain) -> Result<Evidence, TufError> {
    let roots: Vec<_> = chain.roots().into_iter().map(|(_, bytes)| bytes).collect();
    let last = parse::<Root>(roots.last().ok_or_else(|| TufError::Missing("root.json".into()))?)?;
    let read = |name: String| chain.get(&name).ok_or(TufError::Missing(name));
    let versioned = |name: &str, version: u64| {
        read(if last.consistent_snapshot { format!("{version}.{name}") } else { name.to_owned() })
    };
    let timestamp: Stamp = parse(read("timestamp.json".into())?)?;
    let version = timestamp.snapshot_meta().map(|m| m.version).unwrap_or_default();
    let snapshot: Snapshot = parse(versioned("snapshot.json", version)?)?;
    let version = snapshot.meta.get("targets.json").map(|m| m.version).unwrap_or_default();
    let targets: Targets = parse(versioned("targets.json", version)?)?;
    Evidence::new(&roots, &timestamp, &snapshot, &[("targets".to_owned(), &targets)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_that_makes_no_sense_dates_nothing() {
        let end: Timestamp = "2026-08-28T00:00:00Z".parse().unwrap();
        let dated = |days: Value| before(end, Some(&days)).map(|t| t.to_string());
        assert_eq!(dated(7.into()).unwrap(), "2026-08-21T00:00:00Z");
        assert_eq!(dated(1.into()).unwrap(), "2026-08-27T00:00:00Z");
        // No period, one that puts the date after the expiry, and one of a century, which would make an old chain look
        // new.
        for days in
            [Value::Null, "7".into(), 7.5.into(), 0.into(), (-1).into(), 36_501.into(), i64::MIN.into()]
        {
            assert_eq!(dated(days.clone()), None, "{days}");
        }
        assert_eq!(before(end, None), None);
        assert_eq!(before(Timestamp::MIN, Some(&7.into())), None);
    }
}
