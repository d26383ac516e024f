//! The requirements of a policy: `signature/policy_config.go` and `policy_config_sigstore.go`.

use std::path::PathBuf;

use serde_json::Value;

use super::{
    PolicyFault,
    fields::{Fields, fault},
    identity::Identity,
};

/// What an image must meet.
#[derive(Debug, Clone)]
pub(super) enum Requirement {
    /// `insecureAcceptAnything`: it asks for nothing.
    Accept,
    /// `reject`: nothing meets it.
    Reject,
    /// `signedBaseLayer`, which no consumer has ever implemented: nothing meets it.
    SignedBaseLayer,
    /// `signedBy`: simple signing with GPG.
    SignedBy { key_type: KeyType, keys: Material, identity: Identity },
    /// `sigstoreSigned`.
    Sigstore { signer: SigstoreSigner, rekor: Option<Material>, identity: Identity },
}

/// What kind of keys a `signedBy` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Gpg,
    /// One that the consumer reads and never implemented: nothing meets it.
    Unimplemented,
}

/// Files, or their contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    Paths(Vec<PathBuf>),
    Data(Vec<Vec<u8>>),
}

/// Who may sign.
#[derive(Debug, Clone)]
pub(super) enum SigstoreSigner {
    Keys(Material),
    Fulcio { ca: Material, issuer: String, email: String },
    Pki { roots: Material, intermediates: Option<Material>, email: Option<String>, hostname: Option<String> },
}

impl Requirement {
    pub(super) fn read(what: &str, value: &Value) -> Result<Self, PolicyFault> {
        match value.get("type").and_then(Value::as_str) {
            Some("insecureAcceptAnything") => Fields::of(what, value, &["type"]).map(|_| Self::Accept),
            Some("reject") => Fields::of(what, value, &["type"]).map(|_| Self::Reject),
            Some("signedBaseLayer") => {
                let fields = Fields::of(what, value, &["type", "baseLayerIdentity"])?;
                let identity = fields.value("baseLayerIdentity");
                let identity = identity.ok_or_else(|| fault(what, "baseLayerIdentity is missing"))?;
                Identity::read(what, identity).map(|_| Self::SignedBaseLayer)
            }
            Some("signedBy") => signed_by(what, value),
            Some("sigstoreSigned") => sigstore(what, value),
            Some(other) => Err(fault(what, &format!("the consumer knows no requirement of type {other:?}"))),
            None => Err(fault(what, "a requirement has no type")),
        }
    }

    /// The files that it names.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let all = match self {
            Self::SignedBy { keys, .. } => vec![keys],
            Self::Sigstore { signer, rekor, .. } => {
                let mut all = match signer {
                    SigstoreSigner::Keys(keys) => vec![keys],
                    SigstoreSigner::Fulcio { ca, .. } => vec![ca],
                    SigstoreSigner::Pki { roots, intermediates, .. } => {
                        std::iter::once(roots).chain(intermediates).collect()
                    }
                };
                all.extend(rekor);
                all
            }
            _ => Vec::new(),
        };
        all.into_iter().flat_map(|material| match material {
            Material::Paths(paths) => paths.as_slice(),
            Material::Data(_) => &[],
        })
    }
}

fn identity(what: &str, fields: &Fields<'_>) -> Result<Identity, PolicyFault> {
    fields
        .value("signedIdentity")
        .map_or(Ok(Identity::MatchRepoDigestOrExact), |value| Identity::read(what, value))
}

fn path(text: &str) -> Option<Material> {
    (!text.is_empty()).then(|| Material::Paths(vec![text.into()]))
}

/// One of `NAMEPath`, `NAMEPaths`, `NAMEData` and `NAMEDatas`. An empty path is as if it were not there.
fn materials(fields: &Fields<'_>, name: &str) -> Result<Vec<Material>, PolicyFault> {
    let mut found = Vec::new();
    found.extend(fields.text(&format!("{name}Path"))?.and_then(path));
    let paths = fields.texts(&format!("{name}Paths"))?;
    found.extend(paths.map(|paths| Material::Paths(paths.into_iter().map(PathBuf::from).collect())));
    found.extend(fields.bytes(&format!("{name}Data"))?.map(|data| Material::Data(vec![data])));
    found.extend(fields.byte_lists(&format!("{name}Datas"))?.map(Material::Data));
    Ok(found)
}

/// One of `NAMEPath` and `NAMEData`.
fn one_of_two(what: &str, fields: &Fields<'_>, name: &str) -> Result<Option<Material>, PolicyFault> {
    let mut found = materials(fields, name)?;
    match (found.pop(), found.is_empty()) {
        (material, true) => Ok(material),
        (_, false) => Err(fault(what, &format!("{name}Path and {name}Data exclude each other"))),
    }
}

fn signed_by(what: &str, value: &Value) -> Result<Requirement, PolicyFault> {
    let known = ["type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"];
    let fields = Fields::of(what, value, &known)?;
    let key_type = match fields.text("keyType")? {
        Some("GPGKeys") => KeyType::Gpg,
        Some("signedByGPGKeys" | "X509Certificates" | "signedByX509CAs") => KeyType::Unimplemented,
        _ => return Err(fault(what, "keyType is not one that the consumer knows; GPGKeys is the usual one")),
    };
    let identity = identity(what, &fields)?;
    let given = ["keyPath", "keyPaths", "keyData"].into_iter().filter(|name| fields.has(name)).count();
    let keys = match fields.value("keyPaths") {
        // Here, and only here, the list may be empty: then there is no key.
        Some(Value::Array(list)) if list.is_empty() => Some(Material::Paths(Vec::new())),
        _ => materials(&fields, "key")?.pop(),
    };
    match (keys, given) {
        (Some(keys), 1) => Ok(Requirement::SignedBy { key_type, keys, identity }),
        _ => Err(fault(what, "exactly one of keyPath, keyPaths and keyData must be there")),
    }
}

fn sigstore(what: &str, value: &Value) -> Result<Requirement, PolicyFault> {
    let known = [
        "type",
        "keyPath",
        "keyPaths",
        "keyData",
        "keyDatas",
        "fulcio",
        "rekorPublicKeyPath",
        "rekorPublicKeyPaths",
        "rekorPublicKeyData",
        "rekorPublicKeyDatas",
        "pki",
        "signedIdentity",
    ];
    let fields = Fields::of(what, value, &known)?;
    let identity = identity(what, &fields)?;
    let mut signers: Vec<_> = materials(&fields, "key")?.into_iter().map(SigstoreSigner::Keys).collect();
    signers.extend(fields.value("fulcio").map(|value| fulcio(what, value)).transpose()?);
    signers.extend(fields.value("pki").map(|value| pki(what, value)).transpose()?);
    let mut logs = materials(&fields, "rekorPublicKey")?;
    let rekor = logs.pop();
    if !logs.is_empty() {
        return Err(fault(what, "at most one of the fields rekorPublicKey… may be there"));
    }
    let (Some(signer), true) = (signers.pop(), signers.is_empty()) else {
        return Err(fault(
            what,
            "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki must be there",
        ));
    };
    match (&signer, &rekor) {
        (SigstoreSigner::Fulcio { .. }, None) => Err(fault(what, "fulcio needs a field rekorPublicKey…")),
        (SigstoreSigner::Pki { .. }, Some(_)) => {
            Err(fault(what, "pki and rekorPublicKey… exclude each other"))
        }
        _ => Ok(Requirement::Sigstore { signer, rekor, identity }),
    }
}

fn fulcio(what: &str, value: &Value) -> Result<SigstoreSigner, PolicyFault> {
    let what = format!("{what} fulcio");
    let fields = Fields::of(&what, value, &["caPath", "caData", "oidcIssuer", "subjectEmail"])?;
    let ca =
        one_of_two(&what, &fields, "ca")?.ok_or_else(|| fault(&what, "caPath or caData must be there"))?;
    let needed = |name| {
        let text = fields.text(name)?.filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| fault(&what, &format!("{name} must be there")))
    };
    Ok(SigstoreSigner::Fulcio { ca, issuer: needed("oidcIssuer")?, email: needed("subjectEmail")? })
}

fn pki(what: &str, value: &Value) -> Result<SigstoreSigner, PolicyFault> {
    let what = format!("{what} pki");
    let known = [
        "caRootsPath",
        "caRootsData",
        "caIntermediatesPath",
        "caIntermediatesData",
        "subjectEmail",
        "subjectHostname",
    ];
    let fields = Fields::of(&what, value, &known)?;
    let roots = one_of_two(&what, &fields, "caRoots")?
        .ok_or_else(|| fault(&what, "caRootsPath or caRootsData must be there"))?;
    let intermediates = one_of_two(&what, &fields, "caIntermediates")?;
    let text = |name| Ok(fields.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let (email, hostname) = (text("subjectEmail")?, text("subjectHostname")?);
    if email.is_none() && hostname.is_none() {
        return Err(fault(&what, "subjectEmail or subjectHostname must be there"));
    }
    Ok(SigstoreSigner::Pki { roots, intermediates, email, hostname })
}
