//! The release payload's own manifests inside a mirror. Their keys are only claims: a key is accepted only if its
//! fingerprint is pinned or is in the table of [`crate::key::well_known`], which cites its sources.

use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::{Gathered, Unusable};
use crate::{
    diag::{Code, Diagnostic},
    key::{Candidate, Grade, KeyRef, Pin, Provenance, Role, parse_key_file, well_known},
    oci::Digest,
};

impl Gathered {
    /// Adds the keys of a manifest `0000_90_*` from a release payload.
    pub fn add_release_manifest(&mut self, name: &str, bytes: &[u8]) {
        let file = name.rsplit('/').next().unwrap_or(name);
        let source = format!("release payload {}", file.chars().take(150).collect::<String>());
        let provenance = Provenance { grade: Grade::Release, source, sha256: Digest::of(bytes), date: None };
        // Several releases in one mirror contain the same manifest.
        if !self.seen.insert(Digest::of(format!("{} {}", provenance.sha256, provenance.source).as_bytes())) {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        // Red Hat's ConfigMap contains its namespace twice; the last one wins, as for `oc apply`. The keys here are
        // only claims either way.
        let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
        let manifest = match serde_saphyr::from_str_with_options::<Value>(&text, options) {
            Ok(manifest) => manifest,
            Err(e) if text.contains("verifier-public-key-") || text.contains("rootOfTrust") => {
                let reason = e.to_string().lines().next().unwrap_or_default().to_owned();
                return self.leave(
                    &provenance.source,
                    None,
                    Diagnostic::new(Code::ManifestMalformed, reason),
                );
            }
            Err(_) => return,
        };
        match manifest["kind"].as_str() {
            Some("ClusterImagePolicy" | "ImagePolicy") => {
                let key = &manifest["spec"]["policy"]["rootOfTrust"]["publicKey"];
                for (field, role) in [("keyData", Role::Signer), ("rekorKeyData", Role::Rekor)] {
                    if let Some(data) = key[field].as_str() {
                        self.add_claim(field, role, data, &provenance);
                    }
                }
            }
            Some("ConfigMap") => {
                for (name, block) in manifest["data"].as_object().into_iter().flatten() {
                    if let Some(block) = block.as_str().filter(|_| name.starts_with("verifier-public-key-")) {
                        self.add_claims(name, Role::Gpg, block.as_bytes(), &provenance);
                    }
                }
            }
            _ => {}
        }
    }

    fn add_claim(&mut self, entry: &str, role: Role, data: &str, provenance: &Provenance) {
        if let Some(pem) = super::decode(data) {
            self.add_claims(entry, role, &pem, provenance);
        } else {
            let problem = Diagnostic::new(Code::KeyMalformed, "it is not a key in base64");
            self.leave(&provenance.source, Some(entry), problem);
        }
    }

    /// Adds the keys that are well known or pinned. The others are reported, with what would make them acceptable.
    fn add_claims(&mut self, entry: &str, role: Role, bytes: &[u8], provenance: &Provenance) {
        let parsed = match parse_key_file(bytes) {
            Ok(parsed) => parsed,
            Err(e) => return self.leave(&provenance.source, Some(entry), &e),
        };
        for unusable in parsed.unusable {
            let part = format!("{entry}, {}", unusable.block);
            self.leave(&provenance.source, Some(&part), unusable);
        }
        for material in parsed.material {
            if material.check_role(role).is_err() {
                continue;
            }
            let id = material.id();
            let whole = Pin::of(role, &material, None);
            let pinned = self.pins.iter().any(|pin| pin.names(&whole));
            if !pinned && well_known(KeyRef { role, id }).is_none() {
                let pin = whole.short();
                let reason = format!(
                    "a key found in content is a claim; compare its fingerprint with its publisher, then give \
                     --pin {pin}, or the key by --key {role}=FILE"
                );
                self.leave(&provenance.source, Some(entry), Diagnostic::new(Code::KeyClaim, reason));
                continue;
            }
            let grade = if pinned { Grade::Pinned } else { Grade::Release };
            let provenance = Provenance { grade, ..provenance.clone() };
            self.candidates.extend(Candidate::new(role, material, provenance));
        }
    }

    /// Records once that an entry of a source is not used.
    pub(super) fn leave(&mut self, source: &str, entry: Option<&str>, problem: impl Into<Diagnostic>) {
        let (entry, problem) = (entry.map(str::to_owned), problem.into());
        let words = [source, entry.as_deref().unwrap_or_default(), problem.code.as_str(), &problem.message]
            .join("\0");
        if self.seen.insert(Digest::of(words.as_bytes())) {
            self.unusable.push(Unusable { source: source.into(), entry, problem, claims: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    const RELEASE3: &str = "-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA0ASyuH2TLWvBUqPHZ4Ip
75g7EncBkgQHdJnjzxAW5KQTMh/siBoB/BoSrtiPMwnChbTCnQOIQeZuDiFnhuJ7
M/D3b7JoX0m123NcCSn67mAdjBa6Bg6kukZgCP4ZUZeESajWX/EjylFcRFOXW57p
RDCEN42J/jYlVqt+g9+Grker8Sz86H3l0tbqOdjbz/VxHYhwF0ctUMHsyVRDq2QP
tqzNXlmlMhS/PoFr6R4u/7HCn/K+LegcO2fAFOb40KvKSKKVD6lewUZErhop1CgJ
XjDtGmmO9dGMF71mf6HEfaKSdy+EE6iSF2A2Vv9QhBawMiq2kOzEiLg4nAdJT8wg
ZrMAmPCqGIsXNGZ4/Q+YTwwlce3glqb5L9tfNozEdSR9N85DESfQLQEdY3CalwKM
BT1OEhEX1wHRCU4drMOej6BNW0VtscGtHmCrs74jPezhwNT8ypkyS+T0zT4Tsy6f
VXkJ8YSHyenSzMB2Op2bvsE3grY+s74WhG9UIA6DBxcTie15NSzKwfzaoNWODcLF
p7BY8aaHE2MqFxYFX+IbjpkQRfaeQQsouDFdCkXEFVfPpbD2dk6FleaMTPuyxtIT
gjVEtGQK2qGCFGiQHFd4hfV+eCA63Jro1z0zoBM5BbIIQ3+eVFwt3AlZp5UVwr6d
secqki/yrmv3Y0dqZ9VOn3UCAwEAAQ==
-----END PUBLIC KEY-----
";
    const OTHER: &str = include_str!("../../testdata/lab/trust/cosign.pub");

    fn gathered(pem: &str) -> Gathered {
        let data = BASE64_STANDARD.encode(pem);
        let yaml = format!(
            "apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nspec:\n  policy:\n    rootOfTrust:\n      \
             policyType: PublicKey\n      publicKey:\n        keyData: {data}\n"
        );
        let mut gathered = Gathered::default();
        // Several releases in one mirror contain the same manifest.
        for release in ["4.20.1", "4.20.2"] {
            let name = format!("working-dir/hold-release/{release}/release-manifests/0000_90_policy.yaml");
            gathered.add_release_manifest(&name, yaml.as_bytes());
        }
        gathered
    }

    #[test]
    fn a_key_of_the_payload_is_a_claim_unless_it_is_in_the_table() {
        let known = gathered(RELEASE3);
        assert_eq!((known.candidates.len(), known.unusable.len()), (1, 0));
        assert_eq!(known.candidates[0].provenance.grade, Grade::Release);
        let claimed = gathered(OTHER);
        assert_eq!(claimed.candidates, []);
        assert_eq!(claimed.unusable.len(), 1);
        assert_eq!(claimed.unusable[0].problem.code, Code::KeyClaim);
        assert!(
            claimed.unusable[0].problem.message.contains("--pin signer:"),
            "{}",
            claimed.unusable[0].problem.message
        );
    }

    #[test]
    fn gpg_keys_are_named_and_rubbish_is_nothing() {
        let mut gathered = Gathered::default();
        gathered.add_release_manifest(
            "x",
            b"kind: ConfigMap\ndata:\n  verifier-public-key-redhat: x\n  store-x: y\n",
        );
        assert_eq!(gathered.unusable.len(), 1);
        for rubbish in [&b"{"[..], b"", b"\xff", b"kind: ClusterImagePolicy\n", b"- 1\n"] {
            gathered.add_release_manifest("x", rubbish);
        }
        assert_eq!((gathered.candidates.len(), gathered.unusable.len()), (0, 1));
    }
}
