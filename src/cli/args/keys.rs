//! Where keys come from.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};

use crate::{
    cli::heading,
    config,
    key::Pin,
    keysource::KeyFile,
    ops::{self, TufRoot},
};

/// Where keys come from.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct KeySources {
    /// A sigstore trusted_root.json of version 0.1 or 0.2 [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE")]
    pub(in crate::cli) trusted_root: Vec<PathBuf>,
    /// A signer's public key, PEM (text around it is fine) or DER, or OpenPGP keys. Any other key comes with its role, as
    /// ROLE=FILE: rekor, rekor2 or ctlog for a log's key, fulcio, tsa or pki for a certificate chain, signer, gpg. A file
    /// that is named as in keys/ (rekor-….pub, fulcio-….pem) gets its role from its name [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "[ROLE=]FILE", value_parser = OsStringValueParser::new().try_map(|text| KeyFile::parse(&text)))]
    pub(in crate::cli) key: Vec<KeyFile>,
    /// The keys that a policy.json names; it is only read. This host's own, /etc/containers/policy.json, is read anyway.
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE")]
    pub(in crate::cli) from_policy: Option<PathBuf>,
    /// Leave out what this host has: its policy.json, and /etc/pki/sigstore.
    #[arg(help_heading = heading::KEYS, long, conflicts_with = "host_root")]
    pub(in crate::cli) no_host: bool,
    /// Read a host's policy.json and /etc/pki/sigstore below this directory, such as a mounted RHEL image.
    #[arg(help_heading = heading::KEYS, long, value_name = "DIR", default_value = "/")]
    pub(in crate::cli) host_root: PathBuf,
    /// Accept a key with this fingerprint although it was found in a release payload [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "ROLE:FINGERPRINT")]
    pub(in crate::cli) pin: Vec<Pin>,
    /// The address of a Rekor instance, to fetch its key, or a file with that key [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "URL|FILE")]
    pub(in crate::cli) rekor: Vec<String>,
    /// A TUF repository, published or in a directory, whose targets are keys; it is verified from its root [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "URL|DIR")]
    pub(in crate::cli) tuf: Vec<String>,
    /// The root that a repository of --tuf starts with; of several, the one that it serves. sigstore's public
    /// repository and GitHub's need none [repeatable].
    #[arg(help_heading = heading::KEYS, long, value_name = "FILE|builtin[:NAME]")]
    pub(in crate::cli) tuf_root: Vec<TufRoot>,
    /// Ask no host: neither for keys nor for images.
    #[arg(help_heading = heading::KEYS, long, overrides_with = "network")]
    no_network: bool,
    /// Ask hosts, even if the setting forbids it.
    #[arg(help_heading = heading::KEYS, long, overrides_with = "no_network")]
    network: bool,
}

impl KeySources {
    /// Adds what the setting names. It comes after what the command line names: of two sources that say the same, the
    /// first is reported.
    pub(in crate::cli) fn under(&mut self, setting: config::Sources, network: Option<bool>) {
        self.trusted_root.extend(setting.trusted_roots);
        self.key.extend(setting.keys);
        self.rekor.extend(setting.rekor);
        for tuf in setting.tuf {
            self.tuf.push(tuf.repository);
            self.tuf_root.extend(tuf.root.map(TufRoot::from));
        }
        self.from_policy = self.from_policy.take().or(setting.from_policy);
        self.no_network |= network == Some(false) && !self.network;
    }
}

impl From<&KeySources> for ops::KeySources {
    fn from(args: &KeySources) -> Self {
        let args = args.clone();
        Self {
            keys_dir: None,
            state_dir: None,
            trusted_roots: args.trusted_root,
            keys: args.key,
            from_policy: args.from_policy,
            host_root: (!args.no_host).then_some(args.host_root),
            pins: args.pin,
            rekor: args.rekor,
            tuf: args.tuf,
            tuf_roots: args.tuf_root,
            offline: args.no_network,
            alone: false,
        }
    }
}
