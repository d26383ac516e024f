//! Where candidates come from. The readers here don't know which keys are needed.
#![allow(clippy::disallowed_types, reason = "key files are named by the user and read here, bounded")]

mod builtin;
mod error;
mod host;
mod key_file;
mod payload;
mod pki;
mod policy;
mod redhat;
mod rekor;
mod tuf;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::value::RawValue;

pub use builtin::{BUILTIN_DATE, BUILTIN_SOURCE};
pub use error::KeySourceError;
pub use key_file::KeyFile;
pub use redhat::{RELEASE_KEY, is_redhat, is_redhats, release_key};
pub use rekor::AddressOrPath;
pub use tuf::{Choice as TufChoice, Collected, Place as TufPlace, read_root};

use crate::{
    diag::{Code, Diagnostic},
    fs,
    key::{
        Candidate, Grade, KeyId, Material, Pin, Provenance, PublicKey, Role, private_key,
        trusted_root::{self, Contents, TrustedRootError},
    },
    limits,
    oci::Digest,
    text,
};

/// The combined result of all sources.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Keys that may be the ones needed.
    pub candidates: Vec<Candidate>,
    /// Entries that can't be used. The rest of their source is used.
    pub unusable: Vec<Unusable>,
    /// Logs in trusted roots without a start date. They are used.
    pub undated: Vec<Undated>,
    /// Fingerprints given by the user. A key found in content counts if its fingerprint is among them.
    pub pins: Vec<Pin>,
    /// The host's documents, which the user did not name.
    pub host: BTreeSet<Provenance>,
    /// The TUF repositories that gave candidates.
    pub chains: Vec<Collected>,
    /// Release payload manifests and the entries left out of them, recorded so that each is handled once.
    pub(crate) seen: BTreeSet<Digest>,
    /// The files that documents were read from, by the path given: provenance has no directories.
    pub documents: BTreeMap<Digest, BTreeSet<PathBuf>>,
}

/// One entry of a source that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The source: a file's name.
    pub source: String,
    /// Which entry of it; `None` for the whole source.
    pub entry: Option<String>,
    /// Why.
    pub problem: Diagnostic,
    /// The id that the entry claims, if its key has a different id.
    pub claims: Option<(Role, KeyId)>,
}

/// A log of a trusted root without the start of its validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undated {
    /// The source: a file's name.
    pub source: String,
    /// Which entry of it, for example `tlogs[2] https://…`.
    pub entry: String,
}

/// Reads a file with exactly one public key, with which an organisation's signatures are verified.
pub fn read_public_key(path: &Path) -> Result<PublicKey, KeySourceError> {
    let (bytes, _) = read(path)?;
    let parsed = key_file::parsed(&bytes, path)?;
    match (parsed.material.as_slice(), parsed.unusable.first()) {
        ([Material::Key(key)], None) => Ok(key.clone()),
        (_, Some(unusable)) => {
            Err(KeySourceError::NotOneKey { path: path.into(), reason: unusable.reason.clone() })
        }
        _ => Err(KeySourceError::NotOneKey {
            path: path.into(),
            reason: "it must hold one public key, and no certificate".into(),
        }),
    }
}

impl Gathered {
    /// Adds the public-good trusted root that is built into the program.
    pub fn add_builtin(&mut self) {
        self.take(BUILTIN_SOURCE, builtin::root());
    }

    /// Adds the entries of a `trusted_root.json`, or of a `trusted_root.jsonl` with one root per line, as printed by
    /// `gh attestation trusted-root` (`--trusted-root`).
    pub fn add_trusted_root(&mut self, path: &Path) -> Result<(), KeySourceError> {
        let (bytes, provenance) = self.read(path)?;
        let bytes = text::utf8(&bytes);
        if private_key(&bytes).is_some() {
            return Err(KeySourceError::PrivateKey { path: path.into() });
        }
        let roots = read_roots(&bytes, &provenance)
            .map_err(|source| KeySourceError::TrustedRoot { path: path.into(), source })?;
        if roots.iter().flat_map(|root| &root.unusable).any(|e| e.problem.code == Code::PrivateKey) {
            return Err(KeySourceError::PrivateKey { path: path.into() });
        }
        for mut root in roots {
            root.candidates.retain(|candidate| !self.candidates.contains(candidate));
            self.take(&provenance.source, root);
        }
        Ok(())
    }

    /// Reads a file named by the user.
    fn read(&mut self, path: &Path) -> Result<(Vec<u8>, Provenance), KeySourceError> {
        let (bytes, provenance) = read(path)?;
        self.is_from(&provenance, path);
        Ok((bytes, provenance))
    }

    /// Records the path of a document, unless it was opened by a shell: such a path has no meaning in the next run.
    fn is_from(&mut self, document: &Provenance, path: &Path) {
        if !fs::is_stream(path) {
            self.documents.entry(document.sha256).or_default().insert(path.to_owned());
        }
    }

    fn take(&mut self, source: &str, root: Contents) {
        self.candidates.extend(root.candidates);
        self.undated.extend(root.undated.into_iter().map(|entry| Undated { source: source.into(), entry }));
        self.unusable.extend(root.unusable.into_iter().map(|entry| Unusable {
            source: source.into(),
            entry: Some(entry.entry),
            problem: entry.problem,
            claims: entry.claims,
        }));
    }

    /// Reports conflicts after all sources have been read: entries that claim the id of a key from another source. Ids
    /// are computed, so it is clear which key is right, but the claim is an error or an attack.
    pub fn tell_conflicts(&mut self) {
        let mut roles: BTreeMap<KeyId, Vec<Role>> = BTreeMap::new();
        for Candidate { key, .. } in &self.candidates {
            roles.entry(key.id).or_default().push(key.role);
        }
        let known = |(role, id): (Role, KeyId)| {
            let named = roles.get(&id).into_iter().flatten();
            named.into_iter().any(|own| own.may_serve_as(role) || role.may_serve_as(*own))
        };
        for entry in &mut self.unusable {
            if entry.claims.is_some_and(known) {
                entry.problem =
                    Diagnostic::new(Code::KeyConflict, std::mem::take(&mut entry.problem.message));
            }
        }
    }
}

/// Reads consecutive JSON documents as trusted roots. It is an error if there are none, or if any is not a trusted
/// root.
fn read_roots(bytes: &[u8], provenance: &Provenance) -> Result<Vec<Contents>, TrustedRootError> {
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>().peekable();
    if documents.peek().is_none() {
        return trusted_root::read(bytes, provenance).map(|root| vec![root]);
    }
    let form = |e| TrustedRootError::form(bytes, &e);
    let mut roots = Vec::new();
    for document in documents {
        let mut root = trusted_root::read(document.map_err(form)?.get().as_bytes(), provenance)?;
        if !roots.is_empty() {
            let number = roots.len() + 1;
            for entry in root.unusable.iter_mut().map(|u| &mut u.entry).chain(&mut root.undated) {
                *entry = format!("root {number}: {entry}");
            }
        }
        roots.push(root);
    }
    Ok(roots)
}

/// Reads a file up to a limit. Its provenance has the file name without the directory: paths differ between hosts, and
/// keys/ must not.
fn read(path: &Path) -> Result<(Vec<u8>, Provenance), KeySourceError> {
    read_opened(fs::open(path), path)
}

/// Reads an opened file, or reports why it could not be opened.
fn bounded(file: io::Result<File>, path: &Path, limit: u64) -> Result<Vec<u8>, KeySourceError> {
    let read = file.and_then(|file| fs::read(file, limit)).map_err(|e| {
        let path = path.to_owned();
        match e.kind() {
            _ if fs::is_special(&e) => KeySourceError::NotAFile { path, reason: e.to_string() },
            io::ErrorKind::NotFound if is_address(&path) => KeySourceError::Address { path },
            _ => KeySourceError::Read { path, source: e },
        }
    })?;
    read.ok_or_else(|| KeySourceError::TooLarge { path: path.into(), limit })
}

/// Whether a path that does not exist is an address: cosign's `--key` accepts addresses, including those of keys in a
/// KMS or a cluster.
fn is_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        || text.starts_with("pkcs11:")
}

/// Like [`bounded`], with the provenance.
fn read_opened(file: io::Result<File>, path: &Path) -> Result<(Vec<u8>, Provenance), KeySourceError> {
    let bytes = bounded(file, path, limits::KEY_FILE)?;
    // The name of a file opened by a shell is a number that changes from run to run.
    let name = if fs::is_stream(path) { Some("pipe".as_ref()) } else { path.file_name() };
    let source = name.map(|n| n.to_string_lossy().chars().take(200).collect()).unwrap_or_default();
    let provenance = Provenance { grade: Grade::File, source, sha256: Digest::of(&bytes), date: None };
    Ok((bytes, provenance))
}

/// Base64 with or without line breaks, as in YAML and JSON files.
fn decode(data: &str) -> Option<Vec<u8>> {
    let data: String = data.split_whitespace().collect();
    BASE64_STANDARD.decode(data).ok()
}
