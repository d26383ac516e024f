//! Our own Rekor v1 log: it signs anything, so that a test can reach the checks that come after the log's.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Key, Role},
    oci::Digest,
};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;

use super::{
    lab::{Form, Parts, without},
    test_keys,
};

pub struct Log {
    pair: KeyPair,
    pub key: Key,
}

impl Log {
    pub fn new() -> Self {
        let (pair, public) = test_keys::pair();
        Self { pair, key: test_keys::named(Role::Rekor, &public) }
    }

    /// An entry with a signed timestamp and a proof of inclusion in a tree of one leaf.
    pub fn entry(&self, kind: &str, body: &[u8], time: i64) -> Value {
        let id = self.key.id;
        let body64 = BASE64.encode(body);
        // JCS (RFC 8785) of these four members: names sorted, no whitespace.
        let set =
            format!(r#"{{"body":"{body64}","integratedTime":{time},"logID":"{}","logIndex":7}}"#, id.hex());
        let leaf = Digest::of(&[&[0], body].concat());
        let root = BASE64.encode(leaf.as_bytes());
        let text = format!("own.test - 1\n1\n{root}\n");
        let mut signature = id.as_bytes()[..4].to_vec();
        signature.extend(test_keys::sign(&self.pair, text.as_bytes()).as_bytes());
        let envelope = format!("{text}\n\u{2014} own.test {}\n", BASE64.encode(signature));
        json!({
            "logIndex": "7",
            "logId": { "keyId": BASE64.encode(id.as_bytes()) },
            "kindVersion": { "kind": kind, "version": "0.0.1" },
            "integratedTime": time.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": BASE64.encode(test_keys::sign(&self.pair, set.as_bytes()).as_bytes())
            },
            "inclusionProof": {
                "logIndex": "0", "rootHash": root, "treeSize": "1",
                "checkpoint": { "envelope": envelope }
            },
            "canonicalizedBody": body64
        })
    }

    /// An entry as cosign keeps it in an annotation: with only a signed timestamp.
    pub fn set(&self, body: &[u8], time: i64) -> String {
        let body = BASE64.encode(body);
        let id = self.key.id.hex();
        let entry = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":7}}"#);
        let set = BASE64.encode(test_keys::sign(&self.pair, entry.as_bytes()).as_bytes());
        format!(r#"{{"SignedEntryTimestamp":"{set}","Payload":{entry}}}"#)
    }

    /// The form, logged here instead of in the lab, with a change in the body of its entry.
    pub fn logs(&self, form: &Form, change: impl FnOnce(&mut Value)) -> (Form, Vec<Key>) {
        let mut body = body(form);
        change(&mut body);
        self.logs_bytes(form, body.to_string().as_bytes())
    }

    /// The same with arbitrary bytes as the body.
    pub fn logs_bytes(&self, form: &Form, body: &[u8]) -> (Form, Vec<Key>) {
        let form = form.with_bundle(|bundle| {
            let old = &bundle["verificationMaterial"]["tlogEntries"][0];
            let kind = old["kindVersion"]["kind"].as_str().unwrap().to_owned();
            let time = old["integratedTime"].as_str().unwrap().parse().unwrap();
            bundle["verificationMaterial"]["tlogEntries"] = json!([self.entry(&kind, body, time)]);
        });
        let mut keys = without(&form.keys(), Role::Rekor);
        keys.push(self.key.clone());
        (form, keys)
    }
}

/// The body of a form's log entry.
pub fn body(form: &Form) -> Value {
    let Parts::Bundle(bundle) = &form.parts else { panic!("{} is no bundle", form.name) };
    let body = bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"].as_str().unwrap();
    serde_json::from_slice(&BASE64.decode(body).unwrap()).unwrap()
}
