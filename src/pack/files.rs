//! The files in keys/ that are derived from the inventory.

use super::{Draft, FileRecord, KeyRecord, PackError, TufRecord, chain};
use crate::{
    display::shown,
    key::{Material, Role, trusted_root},
    limits,
    oci::Digest,
    tree::{OutFile, SafeName},
    trust::tuf::Chain,
};

/// The inventory.
pub const INVENTORY: &str = "keypack.json";
/// The keys of logs and authorities for sigstore clients.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// An explanation of the files, for people.
pub const README: &str = "README.txt";
/// sha256 of the inventory and its files, for `sha256sum -c`.
pub const SUMS: &str = "SHA256SUMS";

/// Whether a file is a signature of the inventory: `keypack.json.sigstore.json`, `keypack.json.<name>.sigstore.json`,
/// or the bare signatures `keypack.json.sig` and `keypack.json.<name>.sig`.
pub fn is_signature(name: &str) -> bool {
    let rest = name.strip_prefix(INVENTORY);
    let middle =
        rest.and_then(|rest| rest.strip_suffix(".sigstore.json").or_else(|| rest.strip_suffix(".sig")));
    middle.is_some_and(|middle| middle.is_empty() || (middle.starts_with('.') && middle.len() > 1))
}

/// Refuses too many signatures, because each of the given keys is tried on every one.
pub(super) fn refuse_many_signatures(count: usize) -> Result<(), PackError> {
    if count > limits::SIGNATURE_FILES {
        let reason = format!("it has more than {} signature files", limits::SIGNATURE_FILES);
        return Err(PackError::TooLarge(reason));
    }
    Ok(())
}

/// Whether a file is generated from the records of all keys together. README.txt is regenerated wherever a pack is
/// unpacked, so an inventory need not list it.
pub(super) fn is_derived(name: &str) -> bool {
    matches!(name, TRUSTED_ROOT | README)
}

/// The files of the keys and chains, and trusted_root.json, by name.
pub(super) fn of_keys(
    keys: &[(&KeyRecord, &Material)],
    chains: &[(&TufRecord, &Chain)],
) -> Result<Vec<OutFile>, PackError> {
    let mut out = Vec::new();
    for (record, material) in keys {
        out.push(OutFile::new(SafeName::new(&record.file)?, material.to_pem()));
    }
    if let Some(root) = trusted_root(keys) {
        out.push(OutFile::new(SafeName::new(TRUSTED_ROOT)?, root));
    }
    for (record, chain) in chains {
        let refused =
            |e: std::io::Error| PackError::Chain { name: record.file.clone(), reason: e.to_string() };
        out.push(OutFile::new(SafeName::new(&record.file)?, chain::write(chain).map_err(refused)?));
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

/// The `trusted_root.json` with these keys, or `None` if it can't contain any of them.
pub(crate) fn trusted_root(keys: &[(&KeyRecord, &Material)]) -> Option<Vec<u8>> {
    let addresses: Vec<_> = keys.iter().map(|(key, _)| key.address()).collect();
    let entries: Vec<_> = keys
        .iter()
        .zip(&addresses)
        .filter(|((key, _), _)| key.role.in_trusted_root())
        .map(|((key, material), address)| trusted_root::Entry {
            role: key.role,
            id: key.id,
            material,
            url: address.as_deref(),
            validity: key.validity,
        })
        .collect();
    (!entries.is_empty()).then(|| trusted_root::write(&entries))
}

/// `SHA256SUMS` of these files.
pub(super) fn sums(files: &[OutFile]) -> Vec<u8> {
    let line = |file: &OutFile| format!("{}  {}\n", Digest::of(&file.bytes).hex(), file.name);
    files.iter().map(line).collect::<String>().into_bytes()
}

/// The record of a file.
pub(super) fn record(file: &OutFile) -> FileRecord {
    FileRecord {
        name: file.name.as_str().into(),
        sha256: Digest::of(&file.bytes),
        size: file.bytes.len() as u64,
    }
}

/// `README.txt`. It is not covered by the pack digest, so its wording may change.
pub(super) fn readme(draft: &Draft) -> Vec<u8> {
    let chains = &draft.inventory().tuf;
    let keys: Vec<_> = draft.keys().map(|(record, _)| record).collect();
    let mut text = String::from(
        "Trust these files only if `keypack pull` wrote them, or if you collected them yourself.\n\
         \n\
         Public keys that verify the signatures of mirrored container images. keypack.json lists where each\n\
         key came from; `keypack inspect` prints it. `sha256sum -c SHA256SUMS` tells damage, not forgery.\n\
         \n",
    );
    for key in &keys {
        text.push_str(&format!("{:<32} {}\n", key.file, describe(key)));
        // A name from outside, in a file that people read.
        if let Some(name) = key.url.as_deref().or(key.subject()) {
            let name: String = shown(name).chars().take(120).collect();
            text.push_str(&format!("{:<32}   {name:?}\n", ""));
        }
        if !key.proved {
            text.push_str(&format!("{:<32}   no signature has verified with it yet\n", ""));
        }
    }
    for (key, _) in draft.left_out() {
        text.push_str(&format!("{:<32} revoked on this host, and not here any more\n", key.file));
    }
    if keys.iter().any(|k| k.role.in_trusted_root()) {
        text.push_str(&format!("{TRUSTED_ROOT:<32} all logs and authorities, for cosign --trusted-root\n"));
    }
    for chain in chains {
        text.push_str(&format!(
            "{:<32} TUF metadata that vouch for keys above: pull --tuf-root\n",
            chain.file
        ));
    }
    text.push_str("\nRHEL, Fedora (podman, CRI-O, skopeo): copy what policy.json names, by hand\n");
    for key in keys
        .iter()
        .filter(|k| matches!(k.role, Role::Signer | Role::Rekor | Role::Fulcio | Role::Pki | Role::Gpg))
    {
        text.push_str(&format!("  sudo install -D -m 0644 {0} /etc/pki/keypack/{0}\n", key.file));
    }
    for key in keys.iter().filter(|k| k.role == Role::Gpg) {
        text.push_str(&format!("  {} has the fingerprint {}\n", key.file, key.fingerprint));
    }
    text.push_str(
        "  One PEM a file: these programs read the first key of a file and skip the rest in silence.\n\
         OpenShift: never copy to nodes; put the keys into a ClusterImagePolicy and `oc apply` it.\n",
    );
    cosign(&mut text, &keys);
    text.into_bytes()
}

/// The settings that cosign needs for these keys. Only files in the pack are named, because the lines get copied.
fn cosign(text: &mut String, keys: &[&KeyRecord]) {
    let root = keys.iter().any(|k| k.role.in_trusted_root());
    let trust = if root { "--trusted-root trusted_root.json" } else { "--insecure-ignore-tlog=true" };
    if let Some(signer) = keys.iter().find(|k| k.role == Role::Signer) {
        text.push_str(&format!("cosign: cosign verify {trust} --key {} IMAGE\n", signer.file));
        if !root {
            text.push_str(
                "  There is no log key here: these signers use no log, or its key was not collected.\n",
            );
        }
    }
    if keys.iter().any(|k| k.role == Role::Fulcio) {
        text.push_str(&format!(
            "cosign, keyless: cosign verify {trust} --certificate-identity WHO --certificate-oidc-issuer URL IMAGE\n"
        ));
    }
}

const fn describe(key: &KeyRecord) -> &'static str {
    match key.role {
        Role::Rekor => "transparency log (Rekor v1)",
        Role::Rekor2 => "transparency log (Rekor v2; not for policy.json)",
        Role::CtLog => "certificate transparency log",
        Role::Fulcio => "certificate authority of signers, intermediate first",
        Role::Tsa => "timestamp authority, leaf first",
        Role::Pki => "certificate authority of signers that use no log, intermediate first",
        Role::Signer => "key of a signer",
        Role::Gpg => "GPG key of a signer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_told_by_name() {
        assert!(is_signature("keypack.json.sigstore.json"));
        assert!(is_signature("keypack.json.ops.sigstore.json"));
        assert!(is_signature("keypack.json.sig") && is_signature("keypack.json.org.sig"));
        for name in [
            "keypack.json",
            "keypack.jsonx.sig",
            "keypack.json..sig2",
            "keypack.json..sigstore.json2",
            "x.sigstore.json",
            "keypack.jsonx.sigstore.json",
        ] {
            assert!(!is_signature(name), "{name}");
        }
    }
}
