//! Ids, cut so that they can be read and still tell keys apart.

use std::collections::BTreeSet;

use crate::{
    key::KeyRef,
    outcome::{NeedReport, NeedState, Report},
};

/// The digits of an id that are shown where more are not needed.
const DIGITS: usize = 12;

/// Cuts the ids of one report.
pub(super) struct Ids {
    digits: usize,
}

impl Ids {
    pub(super) fn of(report: &Report) -> Self {
        let needs = report.images.iter().flat_map(|image| image.signatures).flat_map(|s| s.needs);
        let ids: BTreeSet<_> =
            needs.map(|need| id(&need)).chain(report.open.iter().map(|need| need.id.clone())).collect();
        let mut digits = DIGITS;
        while digits < 64 && ids.iter().map(|id| cut(id, digits)).collect::<BTreeSet<_>>().len() < ids.len() {
            digits += 4;
        }
        Self { digits }
    }

    /// An id as signatures name it.
    pub(super) fn cut(&self, id: &str) -> String {
        cut(id, self.digits)
    }

    /// The id of a need, or of the key that met it where the signature names none.
    pub(super) fn of_need(&self, need: &NeedReport) -> String {
        cut(&id(need), self.digits)
    }
}

fn id(need: &NeedReport) -> String {
    match (need.need.is_unnamed(), need.key, need.state) {
        (false, _, _) => need.need.id(),
        (true, Some(KeyRef { id, .. }), NeedState::Have) => id.hex(),
        (true, _, _) => "not named".to_owned(),
    }
}

/// What tells the key apart: of an authority, its number and not the name beside it.
fn cut(id: &str, digits: usize) -> String {
    let is_hex = |word: &&str| word.len() >= DIGITS && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words: Vec<_> = id.split(' ').collect();
    let Some(at) = words.iter().position(is_hex) else { return id.to_owned() };
    let number = match words[at].get(..digits) {
        Some(start) if start.len() < words[at].len() => format!("{start}…"),
        _ => words[at].to_owned(),
    };
    [&words[..at], &[number.as_str()]].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(cut(&hex, 12), "0123456789ab…");
        assert_eq!(cut(&hex, 64), hex);
        assert_eq!(cut(&format!("rekor2.test {hex}"), 16), "rekor2.test 0123456789abcdef…");
        assert_eq!(cut("631f79ee20a99f860e50 (CN=sigstore)", 12), "631f79ee20a9…");
        assert_eq!(cut("7f3226c761a908ef2ba48b issued by CN=Test TSA", 12), "7f3226c761a9…");
        assert_eq!(cut("567E347AD004", 12), "567E347AD004");
        assert_eq!(cut("CN=no number", 12), "CN=no number");
    }
}
