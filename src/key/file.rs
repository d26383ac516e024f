//! Key files in the forms people have them: PEM with text around it, several blocks, DER, certificates.

mod form;

use crate::diag::{Code, Diagnostic};
use thiserror::Error;

use super::{
    Certificate, Chain, ChainError, Material, OpenPgpKey, PublicKey, PublicKeyError,
    openpgp::{self, Unread},
    secret,
};

/// Why a key file is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyFileError {
    /// It holds a private key. Reading stops there, and its content is never shown.
    #[error("it holds a private key ({label})")]
    PrivateKey {
        /// The kind of private key.
        label: String,
    },
    /// It holds no key.
    #[error("it holds no public key and no certificate: {reason}")]
    NoKey {
        /// What the file appears to be instead.
        reason: String,
    },
    /// A PEM block is damaged.
    #[error("its PEM block {number} is damaged: {reason}")]
    Pem {
        /// The block's number, counting from 1.
        number: usize,
        /// The parser's message.
        reason: String,
    },
}

impl KeyFileError {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Self::PrivateKey { .. } => Code::PrivateKey,
            Self::NoKey { .. } | Self::Pem { .. } => Code::KeyMalformed,
        }
    }
}

impl From<&KeyFileError> for Diagnostic {
    fn from(e: &KeyFileError) -> Self {
        Self::new(e.code(), e.to_string())
    }
}

/// A block that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableBlock {
    /// Which.
    pub block: String,
    /// Whether it is damaged, or of a kind that is not supported.
    pub code: Code,
    /// Why.
    pub reason: String,
}

impl UnusableBlock {
    fn new(block: impl Into<String>, code: Code, reason: &impl ToString) -> Self {
        Self { block: block.into(), code, reason: reason.to_string() }
    }
}

impl From<UnusableBlock> for Diagnostic {
    fn from(e: UnusableBlock) -> Self {
        Self::new(e.code, e.reason)
    }
}

/// What was read from one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The keys and chains, in the file's order. Consecutive certificates, each issued by the next, form one chain.
    pub material: Vec<Material>,
    /// Blocks that could not be used. The other blocks are still used.
    pub unusable: Vec<UnusableBlock>,
}

/// The labels of the PEM blocks that are read (RFC 7468).
const READ: [&str; 3] = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"];

/// OpenPGP's own label: armour looks like PEM but differs from it (headers, a checksum).
const OPENPGP: &str = "PGP PUBLIC KEY BLOCK";

/// The kind of private key that a file is, if it is one, in any form that [`parse_named_key_file`] reads.
pub fn private_key(bytes: &[u8]) -> Option<String> {
    match parse_named_key_file(bytes) {
        Err(KeyFileError::PrivateKey { label }) => Some(label),
        _ => None,
    }
}

/// Reads a key file named by the user. Also accepts UTF-16, base64, and line breaks written as `\n`.
pub fn parse_named_key_file(bytes: &[u8]) -> Result<Parsed, KeyFileError> {
    // Check the raw bytes first: a binary key does not survive the conversions below.
    if let Some(label) = secret::label(bytes) {
        return Err(KeyFileError::PrivateKey { label });
    }
    parse_key_file(&form::unwrapped(bytes))
}

/// Reads a key as programs write it: PEM blocks (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`) and OpenPGP key blocks
/// with any text around them, or a single DER key or certificate, or binary OpenPGP keys.
pub fn parse_key_file(bytes: &[u8]) -> Result<Parsed, KeyFileError> {
    if let Some(label) = secret::label(bytes) {
        return Err(KeyFileError::PrivateKey { label });
    }
    let starts = count(bytes, b"-----BEGIN ");
    if starts == 0 {
        return parse_der(bytes);
    }
    let mut parsed = Parsed::default();
    let mut certificates = Vec::new();
    let mut number = 0;
    for block in blocks(bytes) {
        number += 1;
        // Other armoured data (OpenPGP) is not always well-formed PEM.
        let label = label(block);
        if label.as_deref() == Some(OPENPGP) {
            match openpgp::read_armoured(block) {
                Err(Unread::Malformed(why)) => {
                    let block = format!("block {number}");
                    parsed.unusable.push(UnusableBlock::new(block, Code::KeyMalformed, &why));
                }
                read => parsed.openpgp(read)?,
            }
            continue;
        }
        if let Some(other) = label.filter(|label| !READ.contains(&label.as_str())) {
            let reason = format!("a {other:?} block is not a key keypack reads");
            let block = format!("block {number}");
            parsed.unusable.push(UnusableBlock::new(block, Code::KeyUnsupported, &reason));
            continue;
        }
        let block = pem::parse(block).map_err(|e| KeyFileError::Pem { number, reason: e.to_string() })?;
        match block.tag() {
            "PUBLIC KEY" => parsed.key(number, PublicKey::from_spki(block.contents())),
            "RSA PUBLIC KEY" => parsed.key(number, PublicKey::from_pkcs1(block.contents())),
            _ => match Certificate::from_der(block.contents()) {
                Ok(certificate) => certificates.push(certificate),
                Err(e) => parsed.unusable.push(UnusableBlock::new(format!("block {number}"), e.code(), &e)),
            },
        }
    }
    if number != starts {
        return Err(KeyFileError::Pem { number: number + 1, reason: "it has no end line".into() });
    }
    parsed.chains(certificates);
    if parsed.material.is_empty() && parsed.unusable.is_empty() {
        return Err(KeyFileError::NoKey { reason: "its PEM blocks are empty".into() });
    }
    Ok(parsed)
}

/// The OpenPGP keys of a file; for each key that can't be used, its name and the reason.
type Blocks = Vec<Result<OpenPgpKey, (String, Code, String)>>;

impl Parsed {
    fn key(&mut self, number: usize, key: Result<PublicKey, PublicKeyError>) {
        match key {
            Ok(key) => self.material.push(Material::Key(key)),
            Err(e) => self.unusable.push(UnusableBlock::new(format!("block {number}"), e.code(), &e)),
        }
    }

    fn openpgp(&mut self, read: Result<Blocks, Unread>) -> Result<(), KeyFileError> {
        let keys = read.map_err(|e| match e {
            Unread::Secret => KeyFileError::PrivateKey { label: "OpenPGP".into() },
            Unread::Malformed(reason) => KeyFileError::NoKey { reason },
        })?;
        for key in keys {
            match key {
                Ok(key) => self.material.push(Material::OpenPgp(key)),
                Err((name, code, reason)) => {
                    self.unusable.push(UnusableBlock::new(format!("the GPG key {name}"), code, &reason));
                }
            }
        }
        Ok(())
    }

    /// Splits a list of certificates into chains: a certificate continues a chain if it issued the one before it.
    fn chains(&mut self, certificates: Vec<Certificate>) {
        let mut runs: Vec<Vec<Certificate>> = Vec::new();
        for certificate in certificates {
            match runs.last_mut() {
                Some(run)
                    if run.last().is_some_and(|last| {
                        last.issuer() == certificate.subject() && last.issuer() != last.subject()
                    }) =>
                {
                    run.push(certificate);
                }
                _ => runs.push(vec![certificate]),
            }
        }
        for run in runs {
            let subject = run[0].subject();
            match Chain::new(run) {
                Ok(chain) => self.material.push(Material::Chain(chain)),
                Err(e) => {
                    self.unusable.push(UnusableBlock::new(format!("certificate {subject:?}"), e.code(), &e));
                }
            }
        }
    }
}

fn parse_der(bytes: &[u8]) -> Result<Parsed, KeyFileError> {
    let no_key = |reason: &str| Err(KeyFileError::NoKey { reason: reason.into() });
    if let Some(reason) = form::describe(bytes) {
        return no_key(reason);
    }
    // The first bit is set in every OpenPGP packet (RFC 9580 §4.2) and never in the first byte of a DER key.
    // A text may start like that too, and no packet is valid UTF-8.
    if bytes.first().is_some_and(|first| first & 0x80 != 0) && std::str::from_utf8(bytes).is_err() {
        let mut parsed = Parsed::default();
        return parsed.openpgp(openpgp::read_binary(bytes)).map(|()| parsed);
    }
    let read = PublicKey::from_spki(bytes);
    let read = if let Err(PublicKeyError::Form(_)) = read { PublicKey::from_pkcs1(bytes) } else { read };
    let mut parsed = Parsed::default();
    match read {
        Ok(key) => parsed.material.push(Material::Key(key)),
        Err(PublicKeyError::Form(_)) => {
            match Certificate::from_der(bytes).and_then(|c| Chain::new(vec![c])) {
                Ok(chain) => parsed.material.push(Material::Chain(chain)),
                Err(ChainError::Form(_)) => {
                    return no_key("it is neither PEM nor a DER key nor a DER certificate");
                }
                Err(e) => parsed.unusable.push(UnusableBlock::new("the certificate", e.code(), &e)),
            }
        }
        Err(e) => parsed.unusable.push(UnusableBlock::new("the key", e.code(), &e)),
    }
    Ok(parsed)
}

fn count(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|w| *w == needle).count()
}

/// The label of a PEM block.
fn label(block: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(block);
    let label = text.strip_prefix("-----BEGIN ")?.split_once("-----")?.0;
    Some(label.chars().take(60).collect())
}

/// The text of each PEM block, from its begin line to its end line.
fn blocks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"-----END ";
    let find = |from: usize, what: &[u8]| {
        bytes[from..].windows(what.len()).position(|w| w == what).map(|at| from + at)
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = find(at, BEGIN)?;
        let end = find(begin, END)?;
        let line = find(end + END.len(), b"-----")? + 5;
        at = line;
        Some(&bytes[begin..line])
    })
}
