//! The expiry dates in a pack, as a table.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    display::{count, shown},
    key::Role,
    pack::{ChainSide, Draft, Limits},
};

/// How long in advance an expiry is warned of.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An expiry date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct End {
    /// The time.
    pub at: Timestamp,
    /// The file; `keypack.json` for the pack itself.
    pub file: String,
    /// What expires.
    pub what: String,
    /// Whether something stops working then. The end of a retired key's period of use is history, and so is the expiry
    /// of TUF metadata, which are verified as of their collection.
    pub counts: bool,
}

/// How close an expiry date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearness {
    Past,
    Soon,
    Later,
}

impl End {
    fn nearness(&self, now: Timestamp) -> Nearness {
        match () {
            () if self.at <= now => Nearness::Past,
            () if self.at.duration_since(now) <= AHEAD => Nearness::Soon,
            () => Nearness::Later,
        }
    }

    /// Whether it matters and has passed, or is within 30 days.
    pub(crate) fn is_near(&self, now: Timestamp) -> bool {
        self.counts && self.nearness(now) != Nearness::Later
    }

    /// The warning, if it matters and is within 30 days.
    pub(crate) fn warning(&self, now: Timestamp) -> Option<String> {
        let soon = self.counts && self.nearness(now) == Nearness::Soon;
        let days = self.at.duration_since(now).as_hours() / 24;
        soon.then(|| {
            format!("{}: {} ends in {}, at {:.0}", self.file, self.what, count(days, "day"), self.at)
        })
    }
}

/// All expiry dates of a pack, the earliest first. This authenticates nothing in a pack from outside.
pub(crate) fn ends(draft: &Draft) -> Vec<End> {
    let inventory = draft.inventory();
    let end = |file: &str, what: &str, at, counts| End { at, file: file.into(), what: what.into(), counts };
    let mut ends = Vec::new();
    let pack = "keypack.json";
    ends.extend(inventory.expires.map(|at| end(pack, "the pack, by its maker's word", at, true)));
    let limit = Limits::default().refuse;
    if let Ok(at) = inventory.created.checked_add(limit) {
        ends.push(end(pack, "the pack, by the age that pull takes", at, true));
    }
    for (key, material) in draft.keys() {
        let closed = key.validity.end.is_some();
        if let Some(at) = key.validity.end.filter(|_| key.role != Role::Gpg) {
            ends.push(end(&key.file, "the period in which the key was in use", at, false));
        }
        for certificate in &key.certificates {
            let what = format!("the certificate {}", shown(&certificate.subject));
            ends.push(end(&key.file, &what, certificate.not_after, !closed));
        }
        let expires = material.openpgp().and_then(crate::key::OpenPgpKey::expires);
        ends.extend(expires.map(|at| end(&key.file, "the GPG key, by its owner's word", at, true)));
    }
    for (file, side) in ChainSide::all(draft) {
        ends.extend(side.good_until.map(|at| end(&file, "the first of the TUF metadata", at, false)));
    }
    ends.sort_by(|a, b| (a.at, &a.file, &a.what).cmp(&(b.at, &b.file, &b.what)));
    ends
}

/// The table, one date per line.
pub(crate) fn ends_table(ends: &[End], now: Timestamp) -> String {
    let mut out = String::new();
    for end in ends {
        let mark = match end.nearness(now) {
            _ if !end.counts => "      ",
            Nearness::Past => "ENDED ",
            Nearness::Soon => "soon  ",
            Nearness::Later => "      ",
        };
        out.push_str(&format!("{mark}{:.0}  {:<32}  {}\n", end.at, end.file, end.what));
    }
    out
}
