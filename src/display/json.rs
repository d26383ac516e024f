//! JSON for people's terminals and files, written as it is made: the report of a large mirror is larger than the data it is
//! made from.

use std::io::{self, Write};

use super::hidden;

/// Passes JSON on with escapes for what a terminal acts on. JSON itself requires that only for the oldest controls.
pub struct Plain<W>(pub W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Most pieces are names and digests, in which nothing has to be looked for.
        if bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        }
        // serde_json writes whole characters.
        let text = str::from_utf8(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| *c != '\n' && hidden(*c)) {
            self.0.write_all(&rest.as_bytes()[..at])?;
            // Above the basic plane, JSON takes two (RFC 8259 §7).
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(self.0, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped_and_nothing_else() {
        let mut out = Vec::new();
        let text = "a\u{1b}[2J\u{202e}é\u{e0001}\n";
        serde_json::to_writer_pretty(Plain(&mut out), &[text]).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert!(!json.chars().any(|c| c != '\n' && hidden(c)), "{json:?}");
        assert!(json.contains('é'));
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    }
}
