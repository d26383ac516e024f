//! Payloads that need not be read, because their digest tells what they are.

use std::sync::{PoisonError, RwLock};

use crate::{
    limits,
    oci::{Blob, Descriptor, Digest},
};

/// How many forms are kept of one repository, none of them longer than usual payloads are. One is usual; several come from several signers.
const FORMS: usize = 8;

/// The simple-signing payloads of a repository as they were read, with the image's digest taken out of them.
///
/// A signer writes the same payload for every image of a repository but for the digest. Where one is put together from
/// a known form and has the digest that the layer names, it *is* the payload: it is verified like any other, and no
/// request was needed. What is not told in this way is read.
#[derive(Default)]
pub(super) struct Payloads(RwLock<Vec<Vec<String>>>);

impl Payloads {
    /// The payload of this layer, if it is of a form that was met before.
    pub(super) fn derive(&self, layer: &Descriptor, image: Digest) -> Option<Blob> {
        let forms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        forms.iter().rev().find_map(|form| {
            let text = form.join(&image.to_string());
            if layer.size.is_some_and(|size| size != text.len() as u64) {
                return None;
            }
            Blob::checked(layer.digest, text.into_bytes()).ok()
        })
    }

    /// Keeps the form of a payload that was read for this image.
    pub(super) fn learn(&self, payload: &[u8], image: Digest) {
        if payload.len() as u64 > limits::LARGE_SIGNATURE {
            return;
        }
        let Ok(text) = std::str::from_utf8(payload) else { return };
        let form: Vec<_> = text.split(&image.to_string()).map(str::to_owned).collect();
        if form.len() < 2 {
            return;
        }
        let mut forms = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if forms.len() == FORMS {
            forms.remove(0);
        }
        forms.push(form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(payload: &str) -> Descriptor {
        Descriptor {
            size: Some(payload.len() as u64),
            ..Descriptor::of_digest(Digest::of(payload.as_bytes()))
        }
    }

    #[test]
    fn only_what_has_the_digest_is_the_payload() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let payload = |image, more: &str| format!(r#"{{"image":"{image}","optional":{more}}}"#);
        let payloads = Payloads::default();
        assert_eq!(payloads.derive(&layer(&payload(a, "null")), a), None, "nothing is known yet");
        payloads.learn(payload(a, "null").as_bytes(), a);
        let wanted = payload(b, "null");
        assert_eq!(payloads.derive(&layer(&wanted), b).unwrap().bytes(), wanted.as_bytes());
        assert_eq!(payloads.derive(&layer(&payload(b, "1234")), b), None, "another text of the same length");
        assert_eq!(payloads.derive(&layer(&payload(a, "null")), b), None, "a payload for another image");
        for n in 0..100 {
            payloads.learn(payload(a, &n.to_string()).as_bytes(), a);
        }
        assert_eq!(payloads.0.into_inner().unwrap().len(), FORMS);
    }
}
