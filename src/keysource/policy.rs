//! The keys that a host trusts according to its policy.json (containers-policy.json(5)). Only the keys are read.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{Gathered, KeySourceError, host::Host, pki::Pki};
use crate::{
    diag::{Code, Diagnostic},
    key::{Candidate, Certificate, Material, Parsed, Provenance, Role, parse_named_key_file},
    limits,
    oci::Digest,
    text,
};

/// The keys embedded in a policy.json, in one scope. Each is a separate source: a different key in another scope is not
/// a change, but a different key in the same place is.
struct Inline<'a> {
    policy: &'a Provenance,
    scope: String,
    taken: BTreeMap<&'static str, usize>,
}

impl Inline<'_> {
    /// The name of the next key of this kind.
    fn name(&mut self, prefix: &'static str) -> String {
        let number = self.taken.entry(prefix).or_default();
        *number += 1;
        match number {
            1 => format!("{} {prefix}Data", self.scope),
            n => format!("{} {prefix}Data {n}", self.scope),
        }
    }
}

impl Gathered {
    /// Adds the keys that a policy.json names or embeds. Unusable entries are reported; the rest is used.
    pub fn add_policy(&mut self, path: &Path) -> Result<(), KeySourceError> {
        let (bytes, provenance) = self.read(path)?;
        self.add_policy_of(&Host::own(), path, &bytes, &provenance)
    }

    /// Does the same for the content of a policy.json, whose paths are those of `host`.
    pub(super) fn add_policy_of(
        &mut self,
        host: &Host,
        path: &Path,
        bytes: &[u8],
        provenance: &Provenance,
    ) -> Result<(), KeySourceError> {
        let malformed = |reason: String| KeySourceError::Policy { path: path.into(), reason };
        let policy: Value =
            serde_json::from_slice(&text::utf8(bytes)).map_err(|e| malformed(e.to_string()))?;
        if policy["default"].as_array().is_none() {
            return Err(malformed("it has no \"default\"".to_owned()));
        }
        let transports = policy["transports"].as_object().into_iter().flatten();
        let scopes = transports.flat_map(|(transport, scopes)| {
            let scopes = scopes.as_object().into_iter().flatten();
            scopes.map(move |(scope, list)| (format!("{transport} {scope}"), list))
        });
        for (scope, list) in scopes.chain([("default".to_owned(), &policy["default"])]) {
            let scope: String = scope.trim_end().chars().take(limits::NAME).collect();
            // Several keys of one scope are distinguished by their position.
            let mut inline = Inline { policy: provenance, scope, taken: BTreeMap::new() };
            for requirement in list.as_array().into_iter().flatten() {
                self.add_requirement(host, requirement, &mut inline);
            }
        }
        Ok(())
    }

    /// The fields are those of containers/image (`signature/policy_types.go`): `prSignedBy`, `prSigstoreSigned` with
    /// `prSigstoreSignedFulcio` and `prSigstoreSignedPKI`.
    fn add_requirement(&mut self, host: &Host, requirement: &Value, inline: &mut Inline<'_>) {
        let fulcio = &requirement["fulcio"];
        let sigstore = [
            (requirement, "key", Role::Signer),
            (requirement, "rekorPublicKey", Role::Rekor),
            (fulcio, "ca", Role::Fulcio),
        ];
        let gpg = [(requirement, "key", Role::Gpg)];
        let fields = match requirement["type"].as_str() {
            Some("sigstoreSigned") => sigstore.as_slice(),
            Some("signedBy") => gpg.as_slice(),
            _ => return,
        };
        for (of, prefix, role) in fields.iter().copied() {
            for Document { parsed, provenance, entry, held } in self.documents(host, of, prefix, inline) {
                // Many scopes contain the same key: only the first is reported.
                let known = |c: &Candidate| c.provenance.sha256 == provenance.sha256 && c.key.role == role;
                if !held || !self.candidates.iter().any(known) {
                    self.add_parsed(parsed, Some(role), &provenance, entry.as_deref());
                }
            }
        }
        if requirement["type"] == "sigstoreSigned" {
            let pki = &requirement["pki"];
            let roots = self.certificates(host, pki, "caRoots", inline);
            let intermediates = self.certificates(host, pki, "caIntermediates", inline);
            self.add_pki(&Pki { roots, intermediates });
        }
    }

    /// The certificates of these fields, one by one: their order does not show which of them form a chain.
    fn certificates(
        &mut self,
        host: &Host,
        of: &Value,
        prefix: &'static str,
        inline: &mut Inline<'_>,
    ) -> Vec<(Certificate, Provenance)> {
        let mut certificates = Vec::new();
        for Document { mut parsed, provenance, entry, .. } in self.documents(host, of, prefix, inline) {
            for material in std::mem::take(&mut parsed.material) {
                match material {
                    Material::Chain(chain) => {
                        certificates
                            .extend(chain.certificates().iter().map(|c| (c.clone(), provenance.clone())));
                    }
                    other => parsed.material.push(other),
                }
            }
            // Called only to report the unusable entries.
            self.add_parsed(parsed, Some(Role::Pki), &provenance, entry.as_deref());
        }
        certificates
    }

    /// The documents that the fields of a requirement name or embed. Unreadable ones are reported and left out.
    fn documents(
        &mut self,
        host: &Host,
        of: &Value,
        prefix: &'static str,
        inline: &mut Inline<'_>,
    ) -> Vec<Document> {
        let policy = inline.policy;
        let mut documents = Vec::new();
        for path in texts(of, prefix, "Path") {
            match host.read(path) {
                Ok((bytes, provenance)) => {
                    self.is_from(&provenance, Path::new(path));
                    documents.push((bytes, provenance, Some(path.to_owned()), false));
                }
                Err(e) => self.leave(&policy.source, Some(path), &e),
            }
        }
        for data in texts(of, prefix, "Data") {
            let entry = inline.name(prefix);
            let Some(bytes) = super::decode(data) else {
                let problem = Diagnostic::new(Code::KeyMalformed, "it is not base64");
                self.leave(&policy.source, Some(&entry), problem);
                continue;
            };
            let source = format!("{} ({entry})", policy.source);
            let provenance = Provenance { source, sha256: Digest::of(&bytes), ..policy.clone() };
            for path in self.documents.get(&policy.sha256).cloned().unwrap_or_default() {
                self.is_from(&provenance, &path);
            }
            documents.push((bytes, provenance, None, true));
        }
        let mut parsed = Vec::new();
        for (bytes, provenance, entry, held) in documents {
            match parse_named_key_file(&bytes) {
                Ok(keys) => parsed.push(Document { parsed: keys, provenance, entry, held }),
                Err(e) => self.leave(&provenance.source, entry.as_deref(), &e),
            }
        }
        parsed
    }
}

/// A key file named by a policy.json, or its embedded content.
struct Document {
    parsed: Parsed,
    provenance: Provenance,
    /// The entry's name in the report; `None` if it is a separate source.
    entry: Option<String>,
    /// Whether it is embedded in the policy.json.
    held: bool,
}

/// `keyPath` and all of `keyPaths`.
fn texts<'a>(of: &'a Value, prefix: &str, kind: &str) -> impl Iterator<Item = &'a str> {
    let one = of[format!("{prefix}{kind}")].as_str();
    let many = of[format!("{prefix}{kind}s")].as_array();
    one.into_iter().chain(many.into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the tests make the files that they read")]
    use super::*;

    #[test]
    fn keys_of_a_policy_are_candidates_with_their_roles() {
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/lab/trust");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        let policy = serde_json::json!({
            "default": [{"type": "reject"}],
            "transports": {
                "docker": {"r.test": [
                    {"type": "sigstoreSigned", "keyPath": format!("{lab}/cosign.pub"),
                     "rekorPublicKeyPaths": [format!("{lab}/rekor.pub"), "/nowhere/rekor.pub"]},
                    {"type": "sigstoreSigned", "keyPath": format!("{lab}/cosign.pub")},
                    {"type": "sigstoreSigned", "fulcio": {"caPath": format!("{lab}/fulcio.pem")},
                     "keyData": "!"}]},
                "docker-daemon": {"": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x",
                    "keyData": "!"}]}
            }
        });
        std::fs::write(&path, policy.to_string()).unwrap();
        let mut gathered = Gathered::default();
        gathered.add_policy(&path).unwrap();
        let roles: Vec<_> = gathered.candidates.iter().map(|c| c.key.role).collect();
        assert_eq!(roles, [Role::Signer, Role::Rekor, Role::Fulcio]);
        let mut codes: Vec<_> = gathered.unusable.iter().map(|u| u.problem.code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["key-file-not-found", "key-file-not-found", "key-malformed", "key-malformed"]);
        std::fs::write(&path, "[]").unwrap();
        assert_eq!(gathered.add_policy(&path).unwrap_err().code().as_str(), "policy-malformed");
    }
}
