//! A digest from paper: typed on the terminal, in the groups in which people read it.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    str::FromStr,
};

use crate::{diag::Diagnostic, display::count, oci::Digest};

/// What `--digest` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestArg {
    /// The digest.
    Given(Digest),
    /// `-`: ask for it.
    Ask,
}

impl FromStr for DigestArg {
    type Err = <Digest as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "-" { Ok(Self::Ask) } else { Digest::typed(text).map(Self::Given) }
    }
}

/// How often a mistyped digest may be typed again.
const TRIES: usize = 3;

/// The part of the typed text that is read: 64 digits with room around each.
const LONGEST: u64 = 1024;

/// Asks on the terminal. Nothing of the pack has been read by then, so that there is nothing to copy the digest from.
pub(super) fn ask() -> Result<Digest, Diagnostic> {
    let not_given = |what: &str| Diagnostic::usage(what, "give it as --digest sha256:…");
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(not_given("--digest - asks on a terminal, but stdin is not one"));
    }
    for _ in 0..TRIES {
        let _ = write!(
            io::stderr(),
            "keypack: type the pack digest from your paper (64 digits, in any groups): "
        );
        let _ = io::stderr().flush();
        let mut line = String::new();
        let read = stdin.lock().take(LONGEST).read_line(&mut line);
        if read.is_err() || line.is_empty() {
            break;
        }
        match typed(&line) {
            Ok(digest) => return Ok(digest),
            Err(reason) => drop(writeln!(io::stderr(), "keypack: {reason}")),
        }
    }
    Err(not_given("no digest was typed"))
}

/// The digest in what was typed: blanks, dashes and dots between its digits are ignored, as is case.
fn typed(text: &str) -> Result<Digest, String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("sha256:").unwrap_or(&text);
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !['-', '.'].contains(c)).collect();
    if let Some(other) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("{other:?} is not a hex digit"));
    }
    if digits.len() != 64 {
        return Err(format!("{} were typed, but a digest has 64", count(digits.len(), "digit")));
    }
    format!("sha256:{digits}").parse().map_err(|_| "that is not a digest".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_people_write_it() {
        let plain = "6417a0611de0a93ba9ba6283f1026339f0d3b1675404b5357ee07be552a0794f";
        let digest: Digest = format!("sha256:{plain}").parse().unwrap();
        let groups: Vec<_> = plain.as_bytes().chunks(4).map(|four| str::from_utf8(four).unwrap()).collect();
        for text in [
            plain.to_owned(),
            format!("  sha256:{plain}\r\n"),
            plain.to_uppercase(),
            groups.join(" ").to_uppercase(),
            format!("SHA256: {}", groups.join(" - ")),
            groups.join("."),
        ] {
            assert_eq!(typed(&text), Ok(digest), "{text:?}");
        }
        assert_eq!(typed(&plain[1..]).unwrap_err(), "63 digits were typed, but a digest has 64");
        assert_eq!(typed(&format!("{plain}0")).unwrap_err(), "65 digits were typed, but a digest has 64");
        assert_eq!(typed(&plain.replace('a', "o")).unwrap_err(), "'o' is not a hex digit");
        assert!(typed("").is_err() && typed("sha512:00").is_err());
    }
}
