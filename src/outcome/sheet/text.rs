use std::fmt::Write;

use super::Part;
use crate::outcome::html::groups;

/// The maximum line width.
const COLUMNS: usize = 80;

/// The page, in lines of at most [`COLUMNS`].
pub(super) fn render(parts: &[Part]) -> String {
    let mut out = String::from("KEY SHEET\n\n");
    for part in parts {
        match part {
            // A digest is compared by eye, and stays in one line.
            Part::Field(name, value) if value.split(' ').any(|word| word.len() > COLUMNS - 13) => {
                let _ = writeln!(out, "{name}");
                wrapped(&mut out, "    ", value);
            }
            Part::Field(name, value) => wrapped(&mut out, &format!("{name:<13}"), value),
            Part::Digest(name, digest) => {
                let _ = writeln!(out, "\n{name} (sha256)");
                for line in groups(&digest.hex()) {
                    let _ = writeln!(out, "    {line}");
                }
            }
            Part::Heading(title) => {
                let _ = writeln!(out, "\n{title}");
            }
            Part::Key([file, fingerprint, vouched]) => {
                let _ = writeln!(out, "  {file}\n    {fingerprint}");
                wrapped(&mut out, "    ", vouched);
            }
            Part::Exact(text) => {
                let _ = writeln!(out, "    {text}");
            }
            Part::Line(text) => wrapped(&mut out, "  ", text),
            Part::Detail(text) => wrapped(&mut out, "    ", text),
            Part::Signatures => {
                out.push_str("\nAPPROVED by two people, who compared the digests and every fingerprint\n");
                for _ in 0..2 {
                    out.push_str(
                        "\n  Name ________________________  Signature ____________________  Date __________\n",
                    );
                }
            }
        }
    }
    out
}

/// A text in lines of [`COLUMNS`], wrapped at spaces if there are any.
fn wrapped(out: &mut String, head: &str, text: &str) {
    let room = COLUMNS - head.len();
    let mut rest: Vec<char> = text.chars().collect();
    let mut head = head.to_owned();
    loop {
        let end = if rest.len() <= room {
            rest.len()
        } else {
            rest[..=room].iter().rposition(|c| *c == ' ').filter(|at| *at > 0).unwrap_or(room)
        };
        let line: String = rest.drain(..end).collect();
        let _ = writeln!(out, "{}", format!("{head}{line}").trim_end());
        if rest.first() == Some(&' ') {
            rest.remove(0);
        }
        if rest.is_empty() {
            return;
        }
        head = " ".repeat(head.len());
    }
}
