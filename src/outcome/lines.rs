//! Lines of text, wrapped between words.

use crate::display::shown;

/// The maximum width of a line, as far as names and digests allow: that of a default terminal.
pub(super) const WIDTH: usize = 80;

/// The maximum width of a line in what `verify` writes, whose lines start with full names of images.
pub(super) const WIDE: usize = 100;

pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A text in lines of at most [`WIDTH`], each of them indented.
pub(super) fn paragraph(out: &mut String, indent: usize, text: &str) {
    wrapped(out, &" ".repeat(indent), text, WIDTH);
}

/// A text in lines of at most `most` columns. The first starts with `head`, the others below the end of it.
pub(super) fn wrapped(out: &mut String, head: &str, text: &str, most: usize) {
    let indent = visible(head);
    let mut row = head.to_owned();
    let mut used = indent;
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        // Keep an option and its value together.
        let value = words.next_if(|next| word.starts_with("--") && is_placeholder(next));
        let word = value.map_or_else(|| word.to_owned(), |value| format!("{word} {value}"));
        let width = visible(&word);
        if used > indent && used + 1 + width > most {
            line(out, &row);
            row = " ".repeat(indent);
            used = indent;
        }
        if used > indent {
            row.push(' ');
            used += 1;
        }
        row.push_str(&word);
        used += width;
    }
    line(out, &row);
}

/// Whether a word is a placeholder for a value: `FILE`, `ROLE=FILE`.
fn is_placeholder(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.contains(|c: char| c.is_ascii_lowercase())
}

/// The width of a text in columns, not counting colour codes.
pub(super) fn visible(word: &str) -> usize {
    let mut parts = word.split('\u{1b}');
    let first = parts.next().unwrap_or_default().chars().count();
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count())).sum::<usize>()
}

/// The hint for the lines above.
pub(super) fn hint(out: &mut String, indent: usize, text: &str) {
    paragraph(out, indent, &format!("hint: {}", shown(text)));
}

/// An empty line between two sections.
pub(super) fn gap(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}
