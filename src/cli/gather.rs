//! From flags to keys that could be the right ones.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};

use super::{heading, output::Output, tuf, wire::Wire};
use crate::{
    config::Sources,
    content::Source,
    diag::{Code, Diagnostic},
    http::Client,
    key::{Pin, Role},
    keysource::{AddressOrPath, Gathered, KeyFile},
    trust::tuf::RootName,
};

/// Where policy.json lies on a host, and where keys lie beside it.
const POLICY: &str = "/etc/containers/policy.json";

/// Where keys come from.
#[derive(Debug, Clone, Args)]
pub(super) struct KeySources {
    /// A sigstore trusted_root.json of version 0.1 or 0.2 [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE")]
    pub(super) trusted_root: Vec<PathBuf>,
    /// A signer's public key, PEM (text around it is fine) or DER, or OpenPGP keys. Any other key comes with its role, as
    /// ROLE=FILE: rekor, rekor2 or ctlog for a log's key, fulcio, tsa or pki for a certificate chain, signer, gpg. A file
    /// that is named as in keys/ (rekor-….pub, fulcio-….pem) has its role by its name [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "[ROLE=]FILE", value_parser = OsStringValueParser::new().try_map(|text| KeyFile::parse(&text)))]
    pub(super) key: Vec<KeyFile>,
    /// The keys that a policy.json names [default FILE: /etc/containers/policy.json]; it is only read.
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = POLICY)]
    pub(super) from_policy: Option<PathBuf>,
    /// Leave out what this host has: its policy.json, and /etc/pki/sigstore.
    #[arg(help_heading = heading::KEYS, long, conflicts_with = "host_root")]
    pub(super) no_host: bool,
    /// Read a host's policy.json and /etc/pki/sigstore below this directory, such as a mounted RHEL image.
    #[arg(help_heading = heading::KEYS, long, value_name = "DIR", default_value = "/")]
    pub(super) host_root: PathBuf,
    /// A key with this fingerprint counts though it was found in a release payload [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "ROLE:FINGERPRINT")]
    pub(super) pin: Vec<Pin>,
    /// A Rekor's address, to ask it for its key, or a file with that key [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "URL|FILE")]
    pub(super) rekor: Vec<String>,
    /// A TUF repository, published or in a directory, whose targets are keys; it is verified from its root [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "URL|DIR")]
    pub(super) tuf: Vec<String>,
    /// The root that a repository of --tuf begins with; of several, the one that it serves. sigstore's public
    /// repository and GitHub's need none [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE|builtin[:NAME]")]
    pub(super) tuf_root: Vec<RootName>,
    /// Ask no host: neither for keys nor for images.
    #[arg(help_heading = heading::KEYS, long, overrides_with = "network")]
    no_network: bool,
    /// Ask hosts, though the setting forbids it.
    #[arg(help_heading = heading::KEYS, long, overrides_with = "no_network")]
    network: bool,
}

impl KeySources {
    /// Whether hosts may be asked.
    pub(super) const fn offline(&self) -> bool {
        self.no_network
    }

    /// Adds what the setting names. It comes after what the command line names: of two sources that say the same, the
    /// first is told.
    pub(super) fn under(&mut self, setting: Sources, network: Option<bool>) {
        self.trusted_root.extend(setting.trusted_roots);
        self.key.extend(setting.keys);
        self.rekor.extend(setting.rekor);
        for tuf in setting.tuf {
            self.tuf.push(tuf.repository);
            self.tuf_root.extend(tuf.root);
        }
        self.from_policy = self.from_policy.take().or(setting.from_policy);
        self.no_network |= network == Some(false) && !self.network;
    }

    /// Reads the sources that the user names, then what is built in.
    pub(super) fn gather(&self, wire: &Wire, output: &Output) -> Result<Gathered, Diagnostic> {
        let mut gathered = Gathered { pins: self.pin.clone(), ..Gathered::default() };
        for file in &self.key {
            add_key_file(&mut gathered, file, output)?;
        }
        for path in &self.trusted_root {
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
                AddressOrPath::Address(_) if self.no_network => {
                    return Err(Diagnostic::usage(
                        format!("--no-network forbids to ask {rekor}"),
                        "give the log's key as a file: --rekor FILE",
                    ));
                }
                AddressOrPath::Address(url) => {
                    if url.scheme() != "https" {
                        output.warn(&format!(
                            "{rekor} is asked without TLS: anybody on the way could answer; compare the key's \
                             fingerprint with its owner"
                        ));
                    }
                    output.working(&format!("asking {rekor} for its keys"));
                    gathered.add_rekor(&url, &Client::new(wire.options(output).http))?;
                }
                AddressOrPath::Path(path) => gathered.add_rekor_file(&path).map_err(|e| {
                    // A host without its scheme looks like a file that is not there.
                    let absent = e.code() == Code::KeyFileNotFound;
                    let mut failure = Diagnostic::from(e);
                    if absent {
                        failure.hint = "give the path of a file, or an address: https://HOST".into();
                    }
                    failure
                })?,
            }
        }
        let asked = tuf::Asked { repositories: &self.tuf, roots: &self.tuf_root, offline: self.offline() };
        tuf::gather(&asked, &mut gathered, wire, output)?;
        if !self.no_host {
            if !self.host_root.is_dir() {
                return Err(Diagnostic::usage(
                    format!("--host-root names {}, which is no directory", self.host_root.display()),
                    "name the directory below which that host's /etc lies",
                ));
            }
            gathered.add_host(&self.host_root);
        }
        gathered.add_builtin();
        Ok(gathered)
    }
}

fn add_key_file(gathered: &mut Gathered, file: &KeyFile, output: &Output) -> Result<(), Diagnostic> {
    let path = file.path.display().to_string();
    gathered.add_key_file(file).map_err(|e| {
        let mistyped = e.code() == Code::KeyFileNotFound && path.contains('=');
        let failure = Diagnostic::from(e);
        let roles = Role::ALL.map(Role::as_str).join(", ");
        let hint = format!("check the path; if ROLE=FILE is meant, the roles are {roles}");
        if mistyped { failure.hinting(hint) } else { failure }
    })?;
    // Whoever hands over a file also names it.
    if let Some(role) = file.role_by_name().filter(|role| !matches!(role, Role::Signer | Role::Gpg)) {
        output.warn(&format!(
            "{path} is taken for the key of a {} because of its name; write --key {role}=FILE if it is one, and its \
             true role if not",
            role.title()
        ));
    }
    Ok(())
}

/// Adds what release payloads inside the mirror say: claims, unless they are known.
pub(super) fn add_payloads(gathered: &mut Gathered, source: &dyn Source) -> Result<(), Diagnostic> {
    let Some(releases) = source.abilities().releases else { return Ok(()) };
    releases.release_manifests(&mut |manifest| {
        gathered.add_release_manifest(&manifest.name, &manifest.bytes);
    })?;
    Ok(())
}
