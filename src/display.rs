//! Formatting of values for display: text from content is made harmless, numbers get a noun, colours.

mod json;

use std::sync::LazyLock;

use regex::Regex;

pub use json::Plain;

/// Control and format characters, separators other than the space, and everything without a glyph of its own (Unicode's
/// `Default_Ignorable_Code_Point`: soft hyphens, joiners, variation selectors, fillers, tags); and the empty Braille
/// cell.
static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u{2800}--[ ]]").ok()
});

/// Text from content, with every character escaped that has an effect on a terminal or hides other text: see
/// [`hidden`]. Everything shown to people goes through this function or uses [`hidden`]; there is no other list.
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

/// Whether this character has an effect on a terminal, or hides or reorders text.
pub fn hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    HIDDEN.as_ref().is_none_or(|hidden| hidden.is_match(c.encode_utf8(&mut [0; 4])))
}

/// A text as one word of a POSIX shell, quoted where that is needed.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._/-:@".contains(&b);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A number with its noun in English: `1 key`, `2 keys`.
pub fn count(n: impl std::fmt::Display, noun: &str) -> String {
    let n = n.to_string();
    let many = if n == "1" { "" } else { "s" };
    format!("{n} {noun}{many}")
}

/// Colours, if the terminal supports them.
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

    /// Something that needs attention.
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
    fn a_word_of_the_shell_is_what_it_was() {
        for (word, written) in [
            ("https://a.test/b@main", "https://a.test/b@main"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)`y`", "'$(x)`y`'"),
            ("", "''"),
            ("~", "'~'"),
            ("--option", "'--option'"),
        ] {
            assert_eq!(shell_word(word), written);
        }
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n"), "a\\u{1b}[2Jb\\u{d}\\u{a}");
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(shown("a\u{feff}b"), "a\\u{feff}b");
        assert_eq!(shown("größe/app:v1"), "größe/app:v1");
    }

    #[test]
    fn what_is_not_seen_is_escaped_and_what_is_seen_is_not() {
        let marks =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let invisible = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180e}\u{200b}\u{200c}\u{200d}\u{2060}\u{2061}\
                         \u{206a}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffb}\u{1d173}\u{e0001}\u{e0041}\u{e01ef}";
        let blanks = "\u{a0}\u{1680}\u{2000}\u{2003}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";
        let controls = "\0\u{1}\u{7}\u{8}\t\n\u{b}\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9f}";
        for c in [marks, invisible, blanks, controls].concat().chars() {
            assert!(hidden(c), "{}", c.escape_unicode());
            assert_eq!(shown(&format!("a{c}b")), format!("a{}b", c.escape_unicode()));
        }
        for text in [
            "plain ~!",
            "größe",
            "ελληνικά",
            "עברית",
            "العربية",
            "日本語。",
            "हिन्दी",
            "e\u{301}",
            "…—’“”→",
            "🔑",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|n| count(n, "key")), ["0 keys", "1 key", "2 keys"]);
    }
}
