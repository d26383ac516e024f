//! Shared by the targets: one input split into several, and a location on disk for functions that take a path.
#![allow(dead_code, reason = "no target uses all of it")]
#![allow(clippy::disallowed_methods, reason = "the functions under test read files")]

use std::{
    cell::OnceCell,
    rc::Rc,
    fs,
    path::{Path, PathBuf},
};

use keypack::{
    key::{Grade, Key, Provenance, Role, trusted_root},
    oci::Digest,
    trust::{KeySet, Verifier},
};

/// Separates two parts of an input. It is not valid UTF-8, so no text contains it.
pub(crate) const CUT: &[u8] = b"\xff\n";

/// The parts of an input.
pub(crate) fn parts(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(CUT.len()).position(|w| w == CUT) {
        parts.push(&rest[..at]);
        rest = &rest[at + CUT.len()..];
    }
    parts.push(rest);
    parts
}

/// A part as text, or an empty text if there is none.
pub(crate) fn text<'a>(parts: &[&'a [u8]], index: usize) -> std::borrow::Cow<'a, str> {
    String::from_utf8_lossy(parts.get(index).copied().unwrap_or_default())
}

/// A folder for this thread, in memory if the system has such a location.
pub(crate) fn folder() -> PathBuf {
    thread_local! { static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() }; }
    FOLDER.with(|folder| {
        let new = || {
            let memory = Path::new("/dev/shm");
            let builder = tempfile::Builder::new().prefix("keypack-fuzz-").to_owned();
            if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.unwrap()
        };
        folder.get_or_init(new).path().to_owned()
    })
}

/// A file with this content.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// The stated provenance of a target's keys.
pub(crate) fn provenance() -> Provenance {
    Provenance { grade: Grade::File, source: "fuzz".into(), sha256: Digest::of(b""), date: None }
}

/// The lab keys whose signatures the corpora start from.
pub(crate) fn lab_keys() -> Rc<Verifier> {
    thread_local! { static KEYS: OnceCell<Rc<Verifier>> = const { OnceCell::new() }; }
    KEYS.with(|keys| Rc::clone(keys.get_or_init(|| Rc::new(read_lab_keys()))))
}

fn read_lab_keys() -> Verifier {
    const ROOT: &[u8] = include_bytes!("../../testdata/lab/trust/trusted_root.json");
    const SIGNER: &[u8] = include_bytes!("../../testdata/lab/trust/cosign.pub");
    let mut candidates = trusted_root::read(ROOT, &provenance()).unwrap().candidates;
    let signer = keypack::key::parse_key_file(SIGNER).unwrap().material;
    let signer = signer.into_iter();
    candidates.extend(
        signer.map(|key| keypack::key::Candidate::new(Role::Signer, key, provenance()).unwrap()),
    );
    let keys = candidates.into_iter().map(|c| Key { ct_required: c.key.role == Role::Fulcio, ..c.key });
    Verifier::new(KeySet::new(keys).expect("the laboratory has each key once"))
}
