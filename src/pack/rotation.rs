//! Known places: an address, or a file name, from which a pack already has a key. A different key there may be a
//! rotation, or an attack during collection (a Rekor that lost its key; a modified page; an additional key beside the
//! right one; another CA behind a known certificate). A person has to decide which it is.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use url::Url;

use super::{Include, Inventory, KeyRecord, description::KeyDescription};
use crate::{
    key::{Fingerprint, Grade, KeyRef, Provenance, well_known},
    oci::Digest,
};

/// A key that is new in a pack, from a place from which the pack has other keys of that role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// The new key.
    pub key: KeyRef,
    /// The address, the file name, or the subject of the certificate before it.
    pub place: String,
    /// The new key's fingerprint.
    pub fingerprint: Fingerprint,
    /// The keys that the pack has.
    pub known: Vec<KnownKey>,
}

/// A key in the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownKey {
    /// Its file.
    pub file: String,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

/// A key with its sources.
struct Given<'a> {
    key: KeyRef,
    url: Option<&'a str>,
    provenance: &'a [Provenance],
    fingerprint: Fingerprint,
    /// The digest and subject of a chain's first certificate.
    first: Option<(Digest, String)>,
}

/// Finds the keys among `include` that are new at a place known to the replaced pack. `one_file` returns whether a
/// document of the pack and one of this run may have been read from the same file, because an inventory omits
/// directories.
pub fn rotations(
    old: &Inventory,
    include: &[Include],
    one_file: &dyn Fn(&Digest, &Digest) -> bool,
) -> Vec<Rotation> {
    let given = |one: &Include| {
        let about = KeyDescription::of(&one.material).ok()?;
        let first = about.certificates.into_iter().next();
        let Include { key, url, provenance, .. } = one;
        let given = Given {
            key: *key,
            url: url.as_deref(),
            provenance,
            fingerprint: about.fingerprint,
            first: first.map(|first| (first.sha256, first.subject)),
        };
        // Two documents in one run are two files, even if they have the same name in different directories.
        let in_another_file = |known: &KeyRecord, file: &str| {
            include
                .iter()
                .filter(|other| other.key == known.key_ref())
                .flat_map(|other| &other.provenance)
                .any(|p| {
                    let other_document = provenance.iter().all(|own| own.sha256 != p.sha256);
                    p.grade == Grade::File && p.source == file && other_document
                })
                || !known
                    .provenance
                    .iter()
                    .filter(|known| known.grade == Grade::File && known.source == file)
                    .any(|known| provenance.iter().any(|new| one_file(&known.sha256, &new.sha256)))
        };
        new_at_place(&given, old, &in_another_file)
    };
    include.iter().filter_map(given).collect()
}

/// Does the same for two successive packs.
pub(super) fn new_in(old: &Inventory, new: &Inventory) -> Vec<Rotation> {
    let given = new.keys.iter().map(|record| Given {
        key: record.key_ref(),
        url: record.url.as_deref(),
        provenance: &record.provenance,
        fingerprint: record.fingerprint,
        first: record.certificates.first().map(|first| (first.sha256, first.subject.clone())),
    });
    given.filter_map(|given| new_at_place(&given, old, &|_, _| false)).collect()
}

/// It is no rotation if an unchanged document has always had both keys (the second is needed for the first time now),
/// or if the key's id is well known. But a changed document that still has the old key counts: an additional key is
/// enough for an attacker, because any one of several keys is accepted.
fn new_at_place(
    given: &Given<'_>,
    old: &Inventory,
    in_another_file: &dyn Fn(&KeyRecord, &str) -> bool,
) -> Option<Rotation> {
    let builtin = given.provenance.iter().any(|p| p.grade == Grade::Builtin);
    if old.key(given.key).is_some() || builtin || well_known(given.key).is_some() {
        return None;
    }
    let others: Vec<_> = old.keys.iter().filter(|record| record.role == given.key.role).collect();
    let found = |place: &str, known: Vec<&KeyRecord>| {
        let known = known
            .into_iter()
            .map(|r| KnownKey { file: r.file.clone(), fingerprint: r.fingerprint })
            .collect::<Vec<_>>();
        let (key, fingerprint) = (given.key, given.fingerprint);
        (!known.is_empty()).then(|| Rotation { key, place: place.to_owned(), fingerprint, known })
    };
    // Another CA behind a known certificate is another chain, whatever its source.
    if let Some((first, subject)) = &given.first {
        let same = |r: &&&KeyRecord| r.certificates.first().is_some_and(|known| known.sha256 == *first);
        let new = found(subject, others.iter().filter(same).copied().collect());
        if new.is_some() {
            return new;
        }
    }
    let (place, known): (_, Vec<_>) = if let Some(url) = given.url {
        let place = address(url);
        let there = |r: &&KeyRecord| r.url.as_deref().is_some_and(|known| address(known) == place);
        (url, others.into_iter().filter(there).collect())
    } else {
        let file = &given.provenance.iter().find(|p| p.grade == Grade::File)?.source;
        let of_file = |p: &Provenance| p.grade == Grade::File && p.source == *file;
        let there = |r: &&KeyRecord| r.provenance.iter().any(of_file) && !in_another_file(r, file);
        (file, others.into_iter().filter(there).collect())
    };
    let documents: BTreeSet<_> = given.provenance.iter().map(|p| p.sha256).collect();
    let same_document = |r: &&KeyRecord| r.provenance.iter().any(|p| documents.contains(&p.sha256));
    if known.iter().any(same_document) { None } else { found(place, known) }
}

/// An address in a normal form, without anything in which two spellings may differ: http or https, their default ports,
/// the user, query and fragment, case, slashes, dots and escapes in the path, a dot after the host, an IPv4 address in
/// other notations (WHATWG URL, "host parser"). Anything that is not an address is compared unchanged.
fn address(url: &str) -> String {
    let text = url.trim();
    let parsed = text.parse::<Url>().ok().filter(Url::has_host);
    let Some(url) = parsed.or_else(|| format!("https://{text}").parse::<Url>().ok()) else {
        return text.to_ascii_lowercase();
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let path = percent_decode_str(url.path()).decode_utf8_lossy().to_ascii_lowercase();
    let parts = path.split(['/', '\\']).filter(|part| !matches!(part.trim(), "" | "."));
    std::iter::once(format!("{host}{port}")).chain(parts.map(str::to_owned)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_other_spellings_is_one_place() {
        let known = address("http://127.0.0.1:5021");
        for other in [
            "http://127.0.0.1:5021/",
            "http://127.0.0.1:05021",
            "http://127.0.0.1:5021/.",
            "http://127.0.0.1:5021//",
            "http://x@127.0.0.1:5021",
            "http://x:y@127.0.0.1:5021/?",
            "http://127.0.0.1:5021?token=1",
            "http://127.0.0.1:5021#a",
            "http://127.1:5021",
            "http://0x7f000001:5021",
            "http://2130706433:5021",
            " http://127.0.0.1:5021 ",
            "HTTP://127.0.0.1:5021",
            "https://127.0.0.1:5021",
            "127.0.0.1:5021",
            "http:127.0.0.1:5021",
            "http:\\\\127.0.0.1:5021",
            "http://127.0.0.1:5021/a/..",
            "http://127.0.0.1\t:5021",
        ] {
            assert_eq!(address(other), known, "{other:?}");
        }
        let named = address("https://ct.example.com/2022");
        for other in [
            "https://CT.example.com/2022/",
            "https://ct.example.com./2022",
            "https://ct.example.com:443/2022",
            "http://ct.example.com:80/2022",
            "https://ct.example.com/%32022",
            "https://ct.example.com/./2022",
            "https://ct.example.com/%2e/2022",
            "https://ct.example.com\\2022",
        ] {
            assert_eq!(address(other), named, "{other:?}");
        }
        for elsewhere in
            ["https://ct.example.com/2021", "https://ct.example.com", "https://ct.example.org/2022"]
        {
            assert_ne!(address(elsewhere), named, "{elsewhere:?}");
        }
    }
}
