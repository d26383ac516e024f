//! A key that signatures need, as one line: `role id state` separated by single spaces, with the whole id, so that it
//! can be searched for in every part of the report.

use crate::{
    display::{Paint, shown},
    key::{KeyRef, Role},
    outcome::{NeedReport, NeedState},
};

/// The minimum length of a number that counts as an id: GPG key ids have sixteen digits, some serial numbers fewer.
const DIGITS: usize = 8;

/// The line. The name of an authority, which follows its number in the id, is put after the state.
pub(super) fn row(role: Role, id: &str, state: NeedState, paint: Paint) -> String {
    let (id, name) = split(id);
    let words = format!("({id})");
    let id = if name.is_empty() && id.starts_with("not named") { &words } else { id };
    format!("{} {} {}{}", role.as_str(), shown(id), state_word(state, paint), shown(&name))
}

/// The id of a need, or of the key that met it if the signature names none.
pub(super) fn id(need: &NeedReport) -> String {
    match (need.need.is_unnamed(), need.key, need.state) {
        (true, Some(KeyRef { id, .. }), NeedState::Have) => id.hex(),
        _ => need.need.id(),
    }
}

/// The state in its usual colour.
pub(super) fn state_word(state: NeedState, paint: Paint) -> String {
    match state {
        NeedState::Have => paint.good(state.as_str()),
        NeedState::Missing | NeedState::Unproved => paint.warn(state.as_str()),
        NeedState::Refused => paint.bad(state.as_str()),
    }
}

/// The id up to and including its number, and the rest with the space before it.
fn split(id: &str) -> (&str, String) {
    let is_number = |word: &str| word.len() >= DIGITS && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut end = 0;
    for word in id.split(' ') {
        end += word.len();
        if is_number(word) {
            return (&id[..end], id[end..].to_owned());
        }
        end += 1;
    }
    (id, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_the_number() {
        let hex = "0123456789abcdef".repeat(4);
        let row = |id: &str| row(Role::Fulcio, id, NeedState::Have, Paint::default());
        assert_eq!(row(&hex), format!("fulcio {hex} have"));
        assert_eq!(
            row("631f79ee20a99f860e50 (CN=sigstore)"),
            "fulcio 631f79ee20a99f860e50 have (CN=sigstore)"
        );
        assert_eq!(row("7f3226c761 issued by CN=Test TSA"), "fulcio 7f3226c761 have issued by CN=Test TSA");
        assert_eq!(row(&format!("rekor2.test {hex}")), format!("fulcio rekor2.test {hex} have"));
        assert_eq!(row("CN=no number"), "fulcio CN=no number have");
        assert_eq!(row("\u{1b}[2J 0123456789"), "fulcio \\u{1b}[2J 0123456789 have");
    }
}
