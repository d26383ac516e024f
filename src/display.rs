//! How values are written for people: text from content made harmless, a number with its noun, colours.

/// Text from content with everything escaped that a terminal acts on or that hides what is written: control
/// characters and the Unicode characters that change direction or have no width.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a terminal acts on this character, or hides or reorders text by it.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A number with its noun, as English has it: `1 key`, `2 keys`.
pub fn count(n: impl std::fmt::Display, noun: &str) -> String {
    let n = n.to_string();
    let many = if n == "1" { "" } else { "s" };
    format!("{n} {noun}{many}")
}

/// Colours, where the terminal wants them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Something good.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Something to look at.
    pub fn warn(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something bad.
    pub fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n"), "a\\u{1b}[2Jb\\u{d}\\u{a}");
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(shown("a\u{feff}b"), "a\\u{feff}b");
        assert_eq!(shown("größe/app:v1"), "größe/app:v1");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|n| count(n, "key")), ["0 keys", "1 key", "2 keys"]);
    }
}
