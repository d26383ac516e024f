//! A file tree as a value: the files to write, before the disk is touched.

use thiserror::Error;

use crate::limits;

/// The name of a file that is safe to create on any file system and to print on any terminal.
///
/// A pack has no subdirectories, so a path is a single name. Only letters, digits and `._-+@=`, not starting with a dot
/// or a dash: no separator, no control character, no option-like or hidden name, nothing that differs between file
/// systems.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeName(String);

/// A name that is not safe to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the file name {name:?} is not allowed: {reason}")]
pub struct UnsafeName {
    /// The original name; displayed with control characters escaped.
    pub name: String,
    /// The rule that it breaks.
    pub reason: &'static str,
}

impl SafeName {
    /// Accepts `name` if it is safe.
    pub fn new(name: &str) -> Result<Self, UnsafeName> {
        let refuse = |reason| Err(UnsafeName { name: name.chars().take(80).collect(), reason });
        match name {
            "" => refuse("it is empty"),
            _ if name.len() > limits::NAME => refuse("it is longer than 200 bytes"),
            _ if name.contains(['/', '\\']) => refuse("it holds a path separator"),
            _ if name.starts_with('.') => refuse("it starts with a dot"),
            _ if name.starts_with('-') => refuse("it starts with a dash"),
            _ if name.ends_with('.') => refuse("it ends with a dot"),
            _ if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+@=".contains(&b)) => {
                refuse("it holds characters other than letters, digits and ._-+@=")
            }
            _ if is_device(name) => refuse("Windows has a device of this name"),
            _ => Ok(Self(name.to_owned())),
        }
    }

    /// Whether some file system treats both as the same file: many ignore case.
    pub fn collides(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether Windows would open a device instead of a file with this name, whatever follows the first dot (Microsoft's
/// "Naming Files, Paths, and Namespaces"). Disks and archives with keys/ may be opened there.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |word| stem.strip_prefix(word).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

impl std::fmt::Display for SafeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutFile {
    /// Its name in the target directory.
    pub name: SafeName,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl OutFile {
    /// A file with this name and content.
    pub fn new(name: SafeName, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name, bytes: bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass() {
        for name in [
            "keypack.json",
            "rekor-sigstore.pub",
            "keypack.json.sigstore.json",
            "SHA256SUMS",
            "console",
            "COM10",
            "signer-con.pub",
        ] {
            assert_eq!(SafeName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_leave_or_lie_are_refused() {
        let long = "a".repeat(201);
        for name in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            ".hidden",
            "-rf",
            "a\nb",
            "a\u{1b}[2J",
            "a\0",
            "ü",
            "a\u{202e}b",
            "x ",
            "dot.",
            "C:\\x",
            "C:x",
            "nul",
            "Con.pub",
            "COM1.tar.gz",
            long.as_str(),
        ] {
            assert!(SafeName::new(name).is_err(), "{name:?} was accepted");
        }
    }
}
