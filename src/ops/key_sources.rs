//! Reads candidates from the given key sources.

use std::path::{Path, PathBuf};

use super::{Context, TufRoot, place::keys_to_read, revoked_here, tuf};
use crate::{
    content::Source,
    diag::{Code, Diagnostic},
    fs,
    http::Client,
    key::{Candidate, Grade, Pin, Provenance, Role},
    keysource::{AddressOrPath, Gathered, KeyFile},
    state::RevokedHere,
};

/// The key sources, in addition to built-in ones.
#[derive(Debug, Clone)]
pub struct KeySources {
    /// A keys/ directory, whose keys are then the only ones used. They are not authenticated here; the result shows
    /// whether they fit.
    pub keys_dir: Option<PathBuf>,
    /// Where this host remembers which keys of that directory were revoked here; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
    /// `trusted_root.json` files.
    pub trusted_roots: Vec<PathBuf>,
    /// Files with keys or chains, each with its role if given.
    pub keys: Vec<KeyFile>,
    /// A `policy.json` whose keys are used.
    pub from_policy: Option<PathBuf>,
    /// The root directory of a host with /etc, to read its policy.json and /etc/pki/sigstore; if omitted, no host's
    /// keys are read.
    pub host_root: Option<PathBuf>,
    /// A key with one of these fingerprints is used even if it was found in a release payload.
    pub pins: Vec<Pin>,
    /// Rekor logs, by address or by a file with the key.
    pub rekor: Vec<String>,
    /// TUF repositories, by address or directory.
    pub tuf: Vec<String>,
    /// Possible initial roots of these repositories.
    pub tuf_roots: Vec<TufRoot>,
    /// Whether network access is disabled, for keys as well as for images.
    pub offline: bool,
    /// Whether only what is named here counts: nothing built in, nothing that the images bring, nothing from the network.
    pub alone: bool,
}

impl Default for KeySources {
    /// The built-in sources, and this host.
    fn default() -> Self {
        Self {
            keys_dir: None,
            state_dir: None,
            trusted_roots: Vec::new(),
            keys: Vec::new(),
            from_policy: None,
            host_root: Some("/".into()),
            pins: Vec::new(),
            rekor: Vec::new(),
            tuf: Vec::new(),
            tuf_roots: Vec::new(),
            offline: false,
            alone: false,
        }
    }
}

impl KeySources {
    /// Reads the sources given by the caller, then the built-in ones.
    pub(super) fn gather(&self, ctx: &Context) -> Result<Gathered, Diagnostic> {
        let mut gathered = Gathered { pins: self.pins.clone(), ..Gathered::default() };
        if let Some(directory) = &self.keys_dir {
            let here = revoked_here::load(self.state_dir.as_deref(), &ctx.env)?;
            gathered.candidates = of_directory(directory, &here, ctx)?;
            return Ok(gathered);
        }
        for file in &self.keys {
            add_key_file(&mut gathered, file, ctx)?;
        }
        for path in &self.trusted_roots {
            gathered.add_trusted_root(path)?;
        }
        if let Some(path) = &self.from_policy {
            gathered.add_policy(path)?;
        }
        for rekor in &self.rekor {
            let place = rekor.parse().map_err(|e| {
                Diagnostic::usage(
                    format!("--rekor: {e}"),
                    "write https://HOST without password and query, or fetch the key and give its file",
                )
            })?;
            match place {
                AddressOrPath::Address(_) if self.offline => {
                    return Err(Diagnostic::usage(
                        format!("--no-network forbids asking {rekor}"),
                        "give the log's key as a file: --rekor FILE",
                    ));
                }
                AddressOrPath::Address(url) => {
                    if url.scheme() != "https" {
                        ctx.events.warn(&format!(
                            "{rekor} is asked without TLS: anyone on the path could answer; confirm the key's \
                             fingerprint with its owner"
                        ));
                    }
                    ctx.events.step(&format!("asking {rekor} for its keys"));
                    gathered.add_rekor(&url, &Client::new(ctx.registry().http))?;
                }
                AddressOrPath::Path(path) => gathered.add_rekor_file(&path).map_err(|e| {
                    // A host without its scheme looks like a missing file.
                    let absent = e.is_absent();
                    let failure = Diagnostic::from(e);
                    if absent {
                        failure.hinting("give the path of a file, or an address: https://HOST")
                    } else {
                        failure
                    }
                })?,
            }
        }
        let asked = tuf::Asked { repositories: &self.tuf, roots: &self.tuf_roots, offline: self.offline };
        tuf::gather(&asked, &mut gathered, ctx)?;
        if let Some(root) = &self.host_root {
            let found = fs::is_directory(root).map_err(|e| {
                Diagnostic::new(Code::ReadFailed, format!("could not read {}: {e}", root.display()))
            })?;
            if !found {
                return Err(Diagnostic::usage(
                    format!("--host-root names {}, which is not a directory", root.display()),
                    "name the directory that holds that host's /etc",
                ));
            }
            gathered.add_host(root);
        }
        if !self.alone {
            gathered.add_builtin();
        }
        Ok(gathered)
    }
}

/// The keys of a keys/ directory, each as described by its inventory.
fn of_directory(directory: &Path, here: &RevokedHere, ctx: &Context) -> Result<Vec<Candidate>, Diagnostic> {
    let draft = keys_to_read(directory, here)?;
    for key in revoked_here::left_out(&draft, here) {
        ctx.events.warn(&format!("{key}; it is left out"));
    }
    let candidates = draft.keys().map(|(record, material)| {
        let key = record.key(material);
        let source = directory.join(&record.file).display().to_string();
        let provenance = Provenance { grade: Grade::File, source, sha256: draft.digest(), date: None };
        Candidate { key, provenance }
    });
    Ok(candidates.collect())
}

fn add_key_file(gathered: &mut Gathered, file: &KeyFile, ctx: &Context) -> Result<(), Diagnostic> {
    let path = file.path.display().to_string();
    gathered.add_key_file(file).map_err(|e| {
        let mistyped = e.is_absent() && path.contains('=');
        let failure = Diagnostic::from(e);
        let roles = Role::ALL.map(Role::as_str).join(", ");
        let hint = format!("check the path; if ROLE=FILE is meant, the roles are {roles}");
        if mistyped { failure.hinting(hint) } else { failure }
    })?;
    // The file's maker has named it too.
    if let Some(role) = file.role_by_name().filter(|role| !matches!(role, Role::Signer | Role::Gpg)) {
        ctx.events.warn(&format!(
            "{path} is taken for the key of a {} because of its name; write --key {role}=FILE if it is one, and its \
             true role if not",
            role.title()
        ));
    }
    Ok(())
}

/// Adds the claims of release payloads inside the mirror; only well-known or pinned keys are used.
pub(super) fn add_payloads(gathered: &mut Gathered, source: &dyn Source) -> Result<(), Diagnostic> {
    let Some(releases) = source.abilities().releases else { return Ok(()) };
    releases.release_manifests(&mut |manifest| {
        gathered.add_release_manifest(&manifest.name, &manifest.bytes);
    })?;
    Ok(())
}
