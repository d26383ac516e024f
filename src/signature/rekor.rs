//! The signer's public key in the body of a Rekor entry. It is a claim by the entry's author.

use std::cell::RefCell;

use sigstore_rekor::RekorEntryBody;
use sigstore_types::TransparencyLogEntry;

use super::proposed;
use crate::{
    key::{Material, PublicKey, parse_key_file},
    limits,
};

/// The public key in the entry, if it contains one (and not a certificate).
pub(super) fn claimed_key(entry: &TransparencyLogEntry) -> Option<PublicKey> {
    if let Some(proposed) = proposed::read(entry) {
        return from_pem(&proposed.verifier);
    }
    let body = RekorEntryBody::parse(&entry.canonicalized_body, entry.kind_version).ok()?;
    match body {
        RekorEntryBody::HashedRekordV001(body) => from_pem(body.spec.signature.public_key.content.as_bytes()),
        RekorEntryBody::HashedRekordV002(body) => {
            let key = body.spec.hashed_rekord_v002.signature.verifier.public_key?;
            PublicKey::from_spki(key.raw_bytes.as_bytes()).ok()
        }
        RekorEntryBody::DsseV001(body) => from_pem(body.spec.signatures.first()?.verifier.as_bytes()),
        RekorEntryBody::IntotoV002(body) => {
            from_pem(body.spec.content.envelope.signatures.first()?.public_key.as_bytes())
        }
        _ => None,
    }
}

/// Reads a key. The last one is remembered: most signatures in a mirror are made by one signer.
fn from_pem(pem: &[u8]) -> Option<PublicKey> {
    thread_local! {
        static LAST: RefCell<(Vec<u8>, Option<PublicKey>)> = const { RefCell::new((Vec::new(), None)) };
    }
    if pem.len() > limits::EVIDENCE {
        return read_pem(pem);
    }
    LAST.with_borrow_mut(|last| {
        if last.0 != pem {
            *last = (pem.to_vec(), read_pem(pem));
        }
        last.1.clone()
    })
}

fn read_pem(pem: &[u8]) -> Option<PublicKey> {
    parse_key_file(pem).ok()?.material.into_iter().find_map(|material| match material {
        Material::Key(key) => Some(key),
        Material::Chain(_) | Material::OpenPgp(_) => None,
    })
}
