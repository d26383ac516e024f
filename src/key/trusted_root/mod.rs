//! sigstore's `trusted_root.json`: reading media types 0.1 and 0.2, writing 0.1.
//!
//! The format is protos/sigstore_trustroot.proto of sigstore/protobuf-specs in protobuf JSON. keypack writes exactly
//! `application/vnd.dev.sigstore.trustedroot+json;version=0.1`, the one string that sigstore-go (and so cosign,
//! policy-controller, Talos) accepts, and gives every log a `validFor.start`, which sigstore-go requires.

mod read;
mod wire;
mod write;

pub use read::{Contents, TrustedRootError, Unusable, read};
pub use write::{Entry, write};

/// The media type that keypack writes.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

#[cfg(test)]
mod tests {
    use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, TrustedRoot};

    use super::*;
    use crate::{
        key::{Grade, Provenance},
        oci::Digest,
    };

    fn provenance() -> Provenance {
        Provenance { grade: Grade::File, source: "t".into(), sha256: Digest::of(b""), date: None }
    }

    #[test]
    fn every_entry_of_the_public_roots_is_read_and_written_again() {
        for json in [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT] {
            let Contents { candidates, unusable, undated } = read(json.as_bytes(), &provenance()).unwrap();
            assert_eq!((unusable.len(), undated.len()), (0, 0));
            let entries: Vec<_> = candidates.iter().map(|c| Entry::from(&c.key)).collect();
            let ours = TrustedRoot::from_json(&String::from_utf8(write(&entries)).unwrap()).unwrap();
            let theirs = TrustedRoot::from_json(json).unwrap();
            let ids = |root: &TrustedRoot| {
                let mut ids: Vec<_> = root
                    .tlogs
                    .iter()
                    .map(|l| {
                        (l.base_url.clone(), l.log_id.key_id.clone().into_bytes(), l.public_key.valid_for)
                    })
                    .chain(root.ctlogs.iter().map(|l| {
                        (l.base_url.clone(), l.log_id.key_id.clone().into_bytes(), l.public_key.valid_for)
                    }))
                    .collect();
                ids.sort_by(|a, b| a.1.cmp(&b.1));
                ids
            };
            assert_eq!(ids(&ours), ids(&theirs));
            assert_eq!(ours.certificate_authorities.len(), theirs.certificate_authorities.len());
            assert_eq!(ours.timestamp_authorities.len(), theirs.timestamp_authorities.len());
        }
    }

    #[test]
    fn another_key_under_a_known_id_is_told_apart() {
        let mut root: serde_json::Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
        root["tlogs"][0]["publicKey"]["rawBytes"] = root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
        let Contents { candidates, unusable, .. } = read(root.to_string().as_bytes(), &provenance()).unwrap();
        assert_eq!(unusable.len(), 1);
        assert_eq!(unusable[0].problem.code.as_str(), "key-id-mismatch");
        assert_eq!(
            unusable[0].claims.unwrap().1.hex(),
            "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d"
        );
        assert!(candidates.len() > 4, "the rest is still used");
    }

    #[test]
    fn other_media_types_are_refused() {
        let json = SIGSTORE_PRODUCTION_TRUSTED_ROOT.replace("version=0.1", "version=9");
        assert!(matches!(read(json.as_bytes(), &provenance()), Err(TrustedRootError::MediaType(_))));
    }
}
