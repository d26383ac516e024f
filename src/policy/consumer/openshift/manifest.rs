//! The objects as the API server admits them: the fields and rules of openshift/api 2a3d739
//! (`config/v1/types_image_policy.go`). How long a key may be differs by version and is not held against it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::{
    super::{PolicyFault, fields::fault},
    dto::{IdentityDto, ObjectDto, PkiSubjectDto, PolicyDto, RootDto, SpecDto},
};
use crate::{trust::attachment::base64, yaml};

/// An object that was read.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    kind: String,
    name: String,
    pub(super) namespace: Option<String>,
    pub(super) scopes: Vec<String>,
    /// The requirement that it makes.
    pub(super) requirement: Value,
}

impl Manifest {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// Objects of one file.
const OBJECTS: usize = 256;
/// Scopes of one object.
const SCOPES: usize = 256;

const LABEL: &str = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";

/// A host with a dot or localhost, and a path.
fn repository() -> String {
    format!(
        r"(?:{LABEL}(?:\.{LABEL})+(?::[0-9]+)?|localhost(?::[0-9]+)?)(?:/[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*)*"
    )
}

static WILDCARD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!(r"^\*(?:\.{LABEL})+$")).ok());
static SCOPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let repository = repository();
    Regex::new(&format!(r"^{repository}(?::[0-9A-Za-z_][0-9A-Za-z_.-]{{0,127}})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{{32,}})?$")).ok()
});
static REPOSITORY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("^{}$", repository())).ok());

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Reads the objects of a file: one or several documents, or a List.
pub(super) fn read(text: &str) -> Result<Vec<Manifest>, PolicyFault> {
    let documents: Vec<Value> = yaml::documents(text).map_err(|fault| PolicyFault(fault.what))?;
    let mut found = Vec::new();
    for document in documents {
        add(document, &mut found)?;
    }
    if found.is_empty() {
        return Err(PolicyFault("it holds no ClusterImagePolicy and no ImagePolicy".into()));
    }
    Ok(found)
}

fn add(document: Value, found: &mut Vec<Manifest>) -> Result<(), PolicyFault> {
    let object: ObjectDto =
        serde_json::from_value(document).map_err(|e| PolicyFault(format!("an object can't be read: {e}")))?;
    if object.kind.ends_with("List") {
        return object.items.unwrap_or_default().into_iter().try_for_each(|item| add(item, found));
    }
    if found.len() >= OBJECTS {
        return Err(PolicyFault(format!("it holds more than {OBJECTS} objects")));
    }
    let what = format!("{} {:?}", object.kind, object.metadata.name);
    let version = object.api_version.as_str();
    if !matches!(version, "config.openshift.io/v1" | "config.openshift.io/v1alpha1") {
        let reason =
            format!("its apiVersion is {version:?}, and config.openshift.io/v1 and v1alpha1 are evaluated");
        return Err(fault(&what, &reason));
    }
    let namespace = match object.kind.as_str() {
        "ClusterImagePolicy" => None,
        "ImagePolicy" => Some(object.metadata.namespace.unwrap_or_default()),
        _ => {
            return Err(fault(
                &what,
                "ClusterImagePolicy and ImagePolicy are evaluated, and this is neither",
            ));
        }
    };
    let spec = object.spec.ok_or_else(|| fault(&what, "spec is missing"))?;
    let spec: SpecDto = serde_json::from_value(spec)
        .map_err(|e| fault(&what, &format!("the API server would not take it: {e}")))?;
    if spec.scopes.len() > SCOPES {
        return Err(fault(&what, &format!("it has more than {SCOPES} scopes")));
    }
    for scope in &spec.scopes {
        let is_good = if scope.contains('*') { matches(&WILDCARD, scope) } else { matches(&SCOPE, scope) };
        if !is_good || scope.len() > 512 {
            return Err(fault(&what, &format!("the API server takes no scope {scope:?}")));
        }
    }
    let requirement = requirement(&what, spec.policy)?;
    found.push(Manifest {
        kind: object.kind,
        name: object.metadata.name,
        namespace,
        scopes: spec.scopes,
        requirement,
    });
    Ok(())
}

/// The requirement that a policy makes (`policyItemFromSpec`).
fn requirement(what: &str, policy: PolicyDto) -> Result<Value, PolicyFault> {
    let RootDto { policy_type, public_key, fulcio, pki } = policy.root_of_trust;
    let mut requirement = json!({"type": "sigstoreSigned"});
    match (policy_type.as_str(), public_key, fulcio, pki) {
        ("PublicKey", Some(key), None, None) => {
            requirement["keyData"] = pem(what, "keyData", &key.key_data, "PUBLIC KEY")?.into();
            if let Some(rekor) = key.rekor_key_data.filter(|data| !data.is_empty()) {
                requirement["rekorPublicKeyData"] = pem(what, "rekorKeyData", &rekor, "PUBLIC KEY")?.into();
            }
        }
        ("FulcioCAWithRekor", None, Some(fulcio), None) => {
            requirement["rekorPublicKeyData"] =
                pem(what, "rekorKeyData", &fulcio.rekor, "PUBLIC KEY")?.into();
            if !is_email(&fulcio.subject.email) || fulcio.subject.email.len() > 320 {
                return Err(fault(what, "signedEmail is not an e-mail address"));
            }
            if url::Url::parse(&fulcio.subject.issuer).is_err() || fulcio.subject.issuer.len() > 2048 {
                return Err(fault(what, "oidcIssuer is not an address"));
            }
            requirement["fulcio"] = json!({
                "caData": pem(what, "fulcioCAData", &fulcio.ca, "CERTIFICATE")?,
                "oidcIssuer": fulcio.subject.issuer,
                "subjectEmail": fulcio.subject.email,
            });
        }
        ("PKI", None, None, Some(pki)) => {
            let mut made =
                json!({"caRootsData": pem(what, "caRootsData", &pki.ca_roots_data, "CERTIFICATE")?});
            if let Some(between) = pki.ca_intermediates_data.filter(|data| !data.is_empty()) {
                made["caIntermediatesData"] =
                    pem(what, "caIntermediatesData", &between, "CERTIFICATE")?.into();
            }
            let PkiSubjectDto { email, hostname } = pki.pki_certificate_subject;
            let given = |text: Option<String>| text.filter(|text| !text.is_empty());
            if let Some(email) = given(email) {
                if !is_email(&email) || email.len() > 320 {
                    return Err(fault(what, "the email of pkiCertificateSubject is not an e-mail address"));
                }
                made["subjectEmail"] = email.into();
            }
            if let Some(hostname) = given(hostname) {
                if !is_host(&hostname) {
                    return Err(fault(what, "the hostname of pkiCertificateSubject is not that of a host"));
                }
                made["subjectHostname"] = hostname.into();
            }
            requirement["pki"] = made;
        }
        ("PublicKey" | "FulcioCAWithRekor" | "PKI", ..) => {
            let reason =
                format!("policyType {policy_type} needs its own member of rootOfTrust, and no other");
            return Err(fault(what, &reason));
        }
        (other, ..) => return Err(fault(what, &format!("there is no policyType {other:?}"))),
    }
    if let Some(identity) = policy.signed_identity {
        requirement["signedIdentity"] = signed_identity(what, identity)?;
    }
    Ok(requirement)
}

fn signed_identity(what: &str, identity: IdentityDto) -> Result<Value, PolicyFault> {
    let name = |text: String| {
        // A tag is not allowed, and a port is none.
        let has_tag = text.rsplit('/').next().is_some_and(|last| text.contains('/') && last.contains(':'));
        if matches(&REPOSITORY, &text) && !has_tag {
            Ok(text)
        } else {
            Err(fault(what, &format!("the API server takes no repository or prefix {text:?}")))
        }
    };
    let IdentityDto { match_policy, exact_repository, remap_identity } = identity;
    match (match_policy.as_str(), exact_repository, remap_identity) {
        ("MatchRepoDigestOrExact", None, None) => Ok(json!({"type": "matchRepoDigestOrExact"})),
        ("MatchRepository", None, None) => Ok(json!({"type": "matchRepository"})),
        ("ExactRepository", Some(exact), None) => {
            Ok(json!({"type": "exactRepository", "dockerRepository": name(exact.repository)?}))
        }
        ("RemapIdentity", None, Some(remap)) => Ok(json!({
            "type": "remapIdentity", "prefix": name(remap.prefix)?, "signedPrefix": name(remap.signed_prefix)?,
        })),
        (other, ..) => Err(fault(
            what,
            &format!("matchPolicy {other} is none, or needs its own member of signedIdentity and no other"),
        )),
    }
}

/// `^\S+@\S+$`.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.contains(char::is_whitespace)
}

/// An RFC 1123 subdomain, with `*.` before it or not.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(good) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.strip_prefix("*.").unwrap_or(text).split('.').all(is_label)
}

/// Base64 of a PEM text with nothing around it, as the rules of the API demand.
fn pem(what: &str, field: &str, data: &str, tag: &str) -> Result<String, PolicyFault> {
    let bytes = base64(data).ok_or_else(|| fault(what, &format!("{field} is not base64")))?;
    let text = String::from_utf8_lossy(&bytes);
    let (begin, end) = (format!("-----BEGIN {tag}-----"), format!("-----END {tag}-----"));
    let is_pem = text.starts_with(&begin) && text.strip_suffix('\n').unwrap_or(&text).ends_with(&end);
    if is_pem && text.matches(&begin).count() == text.matches(&end).count() {
        Ok(data.to_owned())
    } else {
        let reason = format!(
            "{field} must be base64 of a text that begins with {begin} and ends with {end}, with nothing around"
        );
        Err(fault(what, &reason))
    }
}
