//! A requirement, field by field.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use super::{
    super::encoded,
    super::requirement::{CertificateName, Needed, Root},
    PolicyInput,
};
use crate::key::KeyRef;

/// The requirement; its key files are added to `files`.
pub(super) fn of(needed: &Needed, input: &PolicyInput<'_>, files: &mut BTreeMap<String, String>) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, keys: &[KeyRef]| {
        let (many, one) = (keys.len() > 1, keys.first());
        let path = |key: &KeyRef, files: &mut BTreeMap<String, String>, at: &Path| -> PathBuf {
            files.insert(input.keys.file(*key), input.keys.pem(*key));
            at.join(input.keys.file(*key))
        };
        let (field, value) = match (input.keys_at, many) {
            (Some(at), true) => {
                ("Paths", keys.iter().map(|key| json!(path(key, files, at))).collect::<Vec<_>>().into())
            }
            (Some(at), false) => ("Path", json!(one.map(|key| path(key, files, at)))),
            (None, true) => (
                "Datas",
                keys.iter().map(|key| json!(encoded(&input.keys.pem(*key)))).collect::<Vec<_>>().into(),
            ),
            (None, false) => ("Data", json!(one.map(|key| encoded(&input.keys.pem(*key))))),
        };
        fields.insert(format!("{name}{field}"), value);
    };
    let kind = match &needed.root {
        Root::Keys(keys) => {
            put("key", keys);
            "sigstoreSigned"
        }
        Root::Gpg(keys) => {
            put("key", keys);
            "signedBy"
        }
        Root::Fulcio { .. } | Root::Pki { .. } => "sigstoreSigned",
        Root::Nobody => "reject",
    };
    if !needed.logs.is_empty() {
        put("rekorPublicKey", &needed.logs);
    }
    if kind == "signedBy" {
        fields.insert("keyType".into(), "GPGKeys".into());
    }
    match &needed.root {
        Root::Fulcio { authorities, email, issuer } => {
            let ca = input.keys.pems(authorities);
            let mut fulcio = json!({"oidcIssuer": issuer, "subjectEmail": email});
            put_text(&mut fulcio, "ca", &named(authorities, input), ca, input.keys_at, files);
            fields.insert("fulcio".into(), fulcio);
        }
        Root::Pki { authorities, name } => {
            let mut pki = match name {
                CertificateName::Email(email) => json!({"subjectEmail": email}),
                CertificateName::Host(host) => json!({"subjectHostname": host}),
            };
            let roots = input.keys.pems(authorities);
            put_text(&mut pki, "caRoots", &named(authorities, input), roots, input.keys_at, files);
            fields.insert("pki".into(), pki);
        }
        Root::Keys(_) | Root::Gpg(_) | Root::Nobody => {}
    }
    fields.insert("type".into(), kind.into());
    if let Some(identity) = needed.identity.as_ref().filter(|_| kind != "reject") {
        fields.insert("signedIdentity".into(), json!(identity));
    }
    fields.into()
}

/// A file of several CAs is named after the first.
fn named(authorities: &[KeyRef], input: &PolicyInput<'_>) -> String {
    let first = authorities.first().map(|key| input.keys.file(*key)).unwrap_or_default();
    if authorities.len() > 1 { format!("and-others-{first}") } else { first }
}

fn put_text(
    object: &mut Value,
    name: &str,
    file: &str,
    text: String,
    at: Option<&Path>,
    files: &mut BTreeMap<String, String>,
) {
    match at {
        Some(at) => {
            object[format!("{name}Path")] = json!(at.join(file));
            files.insert(file.to_owned(), text);
        }
        None => object[format!("{name}Data")] = encoded(&text).into(),
    }
}
