//! Which key is meant. Only a whole fingerprint revokes: another key can be made to match a part of one.

use crate::{
    diag::Diagnostic,
    key::{Fingerprint, KeyRef, Material},
    pack::Draft,
    state::RevokedHere,
};

/// The shortest part of a fingerprint or an id that is looked for, in digits: what tools print.
const SHORT: usize = 6;

/// A key that the text may mean.
struct Known {
    file: String,
    name: String,
    key: KeyRef,
    material: Material,
}

/// Reads the fingerprint. Where the text is an id, a short form or the name of a key that is here, it is refused with the
/// fingerprint of that key.
pub(super) fn fingerprint(
    text: &str,
    draft: Option<&Draft>,
    here: &RevokedHere,
) -> Result<Fingerprint, Diagnostic> {
    let known = known(draft, here);
    let parsed = text.parse::<Fingerprint>();
    if let Ok(fingerprint) = &parsed
        && known.iter().any(|known| known.material.fingerprints().contains(fingerprint))
    {
        return Ok(*fingerprint);
    }
    let meant: Vec<_> = known.iter().filter(|known| known.is_meant(text)).collect();
    if let Some(first) = meant.first() {
        let fingerprints: Vec<_> = meant
            .iter()
            .map(|known| {
                format!("{} ({}) is {}", known.file, known.key.role.title(), known.material.fingerprint())
            })
            .collect();
        return Err(Diagnostic::usage(
            format!("{text:?} is not the whole fingerprint of a key; {}", fingerprints.join("; ")),
            format!(
                "compare it with what you were told, digit for digit, and give it whole: keypack revoke {}",
                first.material.fingerprint()
            ),
        ));
    }
    parsed.map_err(|reason| {
        Diagnostic::usage(
            format!("{text:?} is not a fingerprint: {reason}"),
            "`keypack inspect` prints the fingerprint of each key",
        )
    })
}

fn known(draft: Option<&Draft>, here: &RevokedHere) -> Vec<Known> {
    let there = draft.into_iter().flat_map(|draft| {
        let left_out = draft.left_out();
        let gone = left_out
            .filter_map(|(record, there)| Some((record, there.cloned().or_else(|| here.removed(record))?)));
        draft.keys().map(|(record, material)| (record, material.clone())).chain(gone)
    });
    let known = there.map(|(record, material)| Known {
        file: record.file.clone(),
        name: record.name.clone(),
        key: record.key_ref(),
        material,
    });
    known.collect()
}

impl Known {
    fn is_meant(&self, text: &str) -> bool {
        let text = text.trim();
        if text == self.file || text == self.name {
            return true;
        }
        let digits =
            text.split_once(':').filter(|(before, _)| before.len() == 6).map_or(text, |(_, hex)| hex);
        let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let digits = digits.to_ascii_lowercase();
        let digits = digits.strip_prefix("0x").unwrap_or(&digits).trim_end_matches('…');
        if digits.len() < SHORT || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
        let is_part = |hex: &str| {
            let hex = hex.to_ascii_lowercase();
            let hex = hex.strip_prefix("sha256:").unwrap_or(&hex);
            hex.starts_with(digits) || hex.ends_with(digits)
        };
        is_part(&self.key.id.hex())
            || self.material.fingerprints().iter().any(|fingerprint| is_part(&fingerprint.to_string()))
            || digits.parse().is_ok_and(|other: Fingerprint| other.is_other_id_of(self.key, &self.material))
    }
}
