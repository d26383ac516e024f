//! The expiry dates in a pack, as a table.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::OpenNeed;
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
    /// The time. Without one nothing ends: newer signatures need what the pack lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The file; `keypack.json` for the pack itself, and for what it lacks.
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
    Lacking,
    Past,
    Soon,
    Later,
}

impl End {
    fn nearness(&self, now: Timestamp) -> Nearness {
        match self.at {
            None => Nearness::Lacking,
            Some(at) if at <= now => Nearness::Past,
            Some(at) if at.duration_since(now) <= AHEAD => Nearness::Soon,
            Some(_) => Nearness::Later,
        }
    }

    /// A log or an authority that signatures name and the pack lacks.
    pub(crate) fn lacking(need: &OpenNeed) -> Self {
        let images = count(need.images, "image");
        let (title, id) = (need.role.title(), shown(&need.id));
        let what = format!(
            "the {title} {id}, which the pack lacks: {images} need it, such as {}",
            shown(&need.example)
        );
        Self { at: None, file: "keypack.json".into(), what, counts: true }
    }

    /// Images that could not be read: what they need is not known.
    pub(crate) fn not_known(images: &str) -> Self {
        let what = format!("{} could not be read, and what they need is not known", shown(images));
        Self { at: None, file: "keypack.json".into(), what, counts: true }
    }

    /// Whether it matters and has passed, or is within 30 days.
    pub(crate) fn is_near(&self, now: Timestamp) -> bool {
        self.counts && self.nearness(now) != Nearness::Later
    }

    /// The warning, if it matters and is within 30 days.
    pub(crate) fn warning(&self, now: Timestamp) -> Option<String> {
        let soon = self.counts && self.nearness(now) == Nearness::Soon;
        let at = self.at.filter(|_| soon)?;
        let days = at.duration_since(now).as_hours() / 24;
        Some(format!("{}: {} ends in {}, at {at:.0}", self.file, self.what, count(days, "day")))
    }
}

/// All expiry dates of a pack, the earliest first. This authenticates nothing in a pack from outside.
pub(crate) fn ends(draft: &Draft) -> Vec<End> {
    let inventory = draft.inventory();
    let end = |file: &str, what: &str, at, counts| End {
        at: Some(at),
        file: file.into(),
        what: what.into(),
        counts,
    };
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
            Nearness::Lacking => "OPEN  ",
            Nearness::Past => "ENDED ",
            Nearness::Soon => "soon  ",
            Nearness::Later => "      ",
        };
        let at = end.at.map_or_else(|| "now".to_owned(), |at| format!("{at:.0}"));
        out.push_str(&format!("{mark}{at:<20}  {:<32}  {}\n", end.file, end.what));
    }
    out
}
