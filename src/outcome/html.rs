//! Text in HTML.

/// A text as content of an element, or of an attribute in quotes (HTML Living Standard, 13.1.4). Whatever has an effect
/// on a terminal or hides text was escaped before ([`crate::display::shown`]).
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
