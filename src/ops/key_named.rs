//! Which key a text means that should be a fingerprint. Only a whole fingerprint revokes: another key can be made to match
//! a part of one.

use crate::{
    diag::Diagnostic,
    key::{Fingerprint, KeyRef, Material, Role, name_of},
};

/// The shortest part of a fingerprint or an id that is looked for, in digits: what tools print.
const SHORT: usize = 6;

/// A key that the text may mean.
pub(super) struct Known {
    name: String,
    key: KeyRef,
    material: Material,
}

impl Known {
    /// A key, under the name of its file without the extension.
    pub(super) fn named(name: &str, key: KeyRef, material: &Material) -> Self {
        Self { name: name.to_owned(), key, material: material.clone() }
    }

    /// A key of a source.
    pub(super) fn new(key: KeyRef, material: &Material) -> Self {
        Self::named(&name_of(key, material), key, material)
    }

    fn file(&self) -> String {
        format!("{}.{}", self.name, self.key.role.extension())
    }

    fn is_meant(&self, text: &str) -> bool {
        let text = text.trim();
        if text == self.name || text == self.file() {
            return true;
        }
        let Some(digits) = digits(text) else { return false };
        let is_part = |hex: &str| {
            let hex = hex.to_ascii_lowercase();
            let hex = hex.strip_prefix("sha256:").unwrap_or(&hex);
            hex.starts_with(&digits) || hex.ends_with(&digits)
        };
        let own = self.material.fingerprints();
        own.iter().any(|fingerprint| is_part(&fingerprint.to_string()))
            || self.material.other_ids(self.key).iter().any(|id| {
                // Serial numbers are shown without the zeros that some tools print in front.
                is_part(id) || id == digits.trim_start_matches('0')
            })
    }
}

/// Reads a fingerprint. Where the text is an id, a short form or the name of one of these keys, it is refused with the
/// fingerprint of that key; `command` is what takes it.
pub(super) fn fingerprint(text: &str, known: &[Known], command: &str) -> Result<Fingerprint, Diagnostic> {
    let text = of_pin(text);
    let parsed = text.parse::<Fingerprint>();
    if let Ok(fingerprint) = &parsed
        && known.iter().any(|known| known.material.fingerprints().contains(fingerprint))
    {
        return Ok(*fingerprint);
    }
    let meant: Vec<_> = known.iter().filter(|known| known.is_meant(text)).collect();
    if let Some(first) = meant.first() {
        let mut fingerprints: Vec<_> = meant
            .iter()
            .map(|known| {
                format!("{} ({}) is {}", known.file(), known.key.role.title(), known.material.fingerprint())
            })
            .collect();
        fingerprints.dedup();
        return Err(Diagnostic::usage(
            format!("{text:?} is not the whole fingerprint of a key; {}", fingerprints.join("; ")),
            format!(
                "compare it with what you were told, digit for digit, and give it whole: {command} {}",
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

/// The fingerprint in a pin, `ROLE:FINGERPRINT` or `ROLE:FINGERPRINT@REST`, as `inspect` prints it.
fn of_pin(text: &str) -> &str {
    let pin = text.trim().split_once(':').filter(|(role, _)| role.parse::<Role>().is_ok());
    pin.map_or(text, |(_, rest)| rest.split_once('@').map_or(rest, |(fingerprint, _)| fingerprint))
}

/// Whether a text may be a part of a fingerprint or an id, so that it is worth looking which key it means.
pub(super) fn may_be_part(text: &str) -> bool {
    digits(text).is_some()
}

/// The digits of a text, if it has only digits and enough of them.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.split_once(':').filter(|(before, _)| before.len() == 6).map_or(text, |(_, hex)| hex);
    let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let digits = digits.to_ascii_lowercase();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits).trim_end_matches('…');
    (digits.len() >= SHORT && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digits.to_owned())
}
