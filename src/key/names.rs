//! File names of keys. A bare name is permanently assigned to one id; every other key is named after its role and the
//! first 8 digits of its id.

use super::{KeyRef, Material, Role};

/// The ids that have a bare name. Sources: the public-good trusted root (sigstore/root-signing, targets version 14) and
/// openshift/cluster-update-keys (`0000_90_openshift-cluster-image-policy.yaml`, `verifier-public-key-redhat-release`
/// and `-beta-2`). Existing lines must never change.
const NAMES: [(Role, &str, &str); 10] = [
    (Role::Rekor, "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d", "rekor-sigstore"),
    (
        Role::Rekor2,
        "cf1199155bddd051268d1f16ac5c0c75c009f6fb5a63f4177f8e18d7051e3fa0",
        "rekor2-sigstore-2025-1",
    ),
    (Role::CtLog, "086092f02852ff6845d1d16b27849c456718ac163dc338d26de6bc2206366f72", "ctlog-sigstore-test"),
    (Role::CtLog, "dd3d306ac6c7113263191e1c99673702a24a5eb8de3cadff878a72802f29ee8e", "ctlog-sigstore-2022"),
    (
        Role::Fulcio,
        "03a38ffb1f450100c2596d1d10b900ac4d504058006dda58199576bbeb9c73d0",
        "fulcio-sigstore-2021",
    ),
    (Role::Fulcio, "cf5f49145cc815a8dfe06f9eee5e464e15497852d92cd994192b983f234e3bf6", "fulcio-sigstore"),
    (Role::Tsa, "ab0cf070e217c96aae5642a3f58f23620e874c74745dd20d83aee416c197789f", "tsa-sigstore"),
    (
        Role::Signer,
        "ba9d26350d78893a20f337e2153a113108bfcf064085afaee60d446e63405576",
        "signer-redhat-release3",
    ),
    // The OpenPGP fingerprint is 567E347AD0044ADE55BA8A5F199E2F91FD431D51.
    (Role::Gpg, "f8182ff2447ab5ed22e481b0804a29a92007a0854fc3b1ce05c2763a2825236a", "gpg-redhat-release"),
    // The OpenPGP fingerprint is B08B659EE86AF623BC90E8DB938A80CAF21541EB.
    (Role::Gpg, "c4efd81b897d1a6c5d666064736a93982069d2e3e93890282c0dbe66572a619b", "gpg-redhat-beta"),
];

/// The bare name of a well-known key.
pub fn well_known(key: KeyRef) -> Option<&'static str> {
    let hex = key.id.hex();
    NAMES.iter().find(|(role, id, _)| *role == key.role && *id == hex).map(|(_, _, name)| *name)
}

/// The name of a key, without the file extension. It depends on the key alone, never on its source: a private CA that
/// calls itself "sigstore" must not look like the public one.
pub fn name_of(key: KeyRef, material: &Material) -> String {
    well_known(key).map_or_else(|| plain_name(key, material), str::to_owned)
}

/// Role and the first 8 digits: of the fingerprint for a GPG key, whose id is not in common use, otherwise of the id.
fn plain_name(key: KeyRef, material: &Material) -> String {
    let digits = match material {
        Material::OpenPgp(key) => key.fingerprint().to_ascii_lowercase(),
        Material::Key(_) | Material::Chain(_) => key.id.hex(),
    };
    format!("{}-{}", key.role, digits.get(..8).unwrap_or_default())
}

/// Whether a key may have this name. A key that got its bare name after the pack was made keeps the plain one.
pub fn is_name_of(name: &str, key: KeyRef, material: &Material) -> bool {
    well_known(key) == Some(name) || plain_name(key, material) == name
}

/// Keeps letters and digits and replaces runs of other characters with a single dash; at most 40 characters.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

impl Role {
    /// The file extension for this role.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Fulcio | Self::Tsa | Self::Pki => "pem",
            Self::Gpg => "asc",
            _ => "pub",
        }
    }
}

impl Material {
    /// PEM, or armour for an OpenPGP key: LF, 64 columns, one newline after each block, no surrounding text.
    pub fn to_pem(&self) -> String {
        match self {
            Self::Key(key) => key.to_pem(),
            Self::Chain(chain) => chain.to_pem(),
            Self::OpenPgp(key) => key.to_armour(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn names_are_safe_whatever_the_source_says() {
        assert_eq!(slug("http://127.0.0.1:5021/"), "http-127-0-0-1-5021");
        assert_eq!(slug("../../etc/\u{1b}[2J passwd"), "etc-2j-passwd");
        assert_eq!(slug(&"x".repeat(300)).len(), 40);
        assert_eq!(slug("日本"), "");
    }

    #[test]
    fn a_name_is_the_keys_own_whoever_gives_it() {
        let pem = include_bytes!("../../testdata/lab/trust/fulcio.pem");
        let material = super::super::parse_key_file(pem).unwrap().material.remove(0);
        // Its certificate says CN=sigstore, like the public one's.
        assert!(matches!(&material, Material::Chain(chain) if chain.first().common_name() == "sigstore"));
        let key = KeyRef { role: Role::Fulcio, id: material.id() };
        assert_eq!(name_of(key, &material), format!("fulcio-{}", &key.id.hex()[..8]));
        assert!(is_name_of(&name_of(key, &material), key, &material));
        assert!(!is_name_of("fulcio-sigstore", key, &material));
        assert!(!is_name_of("fulcio-sigstore-98cd189d", key, &material));
    }

    #[test]
    fn no_bare_name_stands_twice() {
        let mut names: Vec<_> = NAMES.iter().map(|(_, _, name)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
        assert!(
            NAMES
                .iter()
                .all(|(role, id, name)| name.starts_with(role.as_str()) && Digest::from_hex(id).is_ok())
        );
    }
}
