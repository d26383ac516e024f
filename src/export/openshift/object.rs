//! One object, and what its fields can't say.

use std::fmt::Write as _;

use super::ObjectsInput;
use crate::{
    export::{
        encoded,
        requirement::{CertificateName, Needed, Root},
    },
    key::KeyRef,
    policy::{consumer::openshift::is_host, rule::SignedIdentity},
    yaml::quoted,
};

/// Whether the fields of these objects can say it.
pub(super) fn fits(needed: &Needed, input: &ObjectsInput<'_>) -> Result<(), String> {
    let one = |keys: &[KeyRef], what: &str| {
        if keys.len() == 1 {
            return Ok(());
        }
        Err(format!(
            "it accepts any of {} {what}, and a policy of OpenShift holds one; two policies for a scope must both be met",
            keys.len()
        ))
    };
    let fit = |what: &str, text: &str| {
        let length = encoded(text).len();
        if length <= input.api.key_data {
            return Ok(());
        }
        Err(format!(
            "{what} has {length} characters in base64, and {} takes {}",
            input.target, input.api.key_data
        ))
    };
    let all = |keys: &[KeyRef]| input.keys.pems(keys);
    match &needed.root {
        Root::Keys(keys) => {
            one(keys, "keys")?;
            fit("the key", &all(keys))?;
        }
        Root::Fulcio { authorities, issuer, .. } => {
            fit("the CA", &all(authorities))?;
            if url::Url::parse(issuer).is_err() {
                return Err(format!(
                    "its oidcIssuer {issuer:?} is not an address, and OpenShift takes nothing else"
                ));
            }
        }
        Root::Pki { authorities, name } => {
            if !input.api.pki {
                return Err(format!(
                    "{} has policyType PKI, for private CAs, only as a technology preview",
                    input.target
                ));
            }
            fit("the CA", &all(authorities))?;
            if let CertificateName::Host(host) = name
                && !is_host(host)
            {
                return Err(format!("its identity {host:?} is not a host's name in lower case"));
            }
        }
        Root::Gpg(_) => {
            return Err(
                "it accepts a GPG key, and the policies of OpenShift know sigstore signatures alone".into()
            );
        }
        Root::Nobody => {
            return Err("every signer, or every log, of it was revoked, and a policy of OpenShift can't reject: remove its images from the mirror, and the rule".into());
        }
    }
    if !needed.logs.is_empty() {
        one(&needed.logs, "logs")?;
        fit("the log's key", &all(&needed.logs))?;
    }
    match &needed.identity {
        Some(SignedIdentity::MatchExact {} | SignedIdentity::ExactReference { .. }) => Err(
            "its signedIdentity is matchExact or exactReference, and OpenShift has MatchRepoDigestOrExact, MatchRepository, ExactRepository and RemapIdentity alone"
                .into(),
        ),
        _ => Ok(()),
    }
}

/// The object as YAML. Texts that are not base64 or names are quoted.
pub(super) fn text(name: &str, scopes: &[&String], needed: &Needed, input: &ObjectsInput<'_>) -> String {
    let mut out = format!("apiVersion: config.openshift.io/{}\n", input.api.api_version);
    out.push_str(if input.namespace.is_some() {
        "kind: ImagePolicy\n"
    } else {
        "kind: ClusterImagePolicy\n"
    });
    let _ = writeln!(out, "metadata:\n  name: {}", quoted(name));
    if let Some(namespace) = input.namespace {
        let _ = writeln!(out, "  namespace: {}", quoted(namespace));
    }
    out.push_str("spec:\n  scopes:\n");
    for scope in scopes {
        let _ = writeln!(out, "    - {}", quoted(scope));
    }
    out.push_str("  policy:\n    rootOfTrust:\n");
    let pem = |keys: &[KeyRef]| encoded(&input.keys.pems(keys));
    // Only where the rule asks for that log: without a key there, entries are not looked at.
    let log = |out: &mut String| {
        if !needed.logs.is_empty() {
            let _ = writeln!(out, "        rekorKeyData: {}", pem(&needed.logs));
        }
    };
    match &needed.root {
        Root::Keys(keys) => {
            let _ = writeln!(
                out,
                "      policyType: PublicKey\n      publicKey:\n        keyData: {}",
                pem(keys)
            );
            log(&mut out);
        }
        Root::Fulcio { authorities, email, issuer } => {
            out.push_str("      policyType: FulcioCAWithRekor\n      fulcioCAWithRekor:\n");
            let _ = writeln!(out, "        fulcioCAData: {}", pem(authorities));
            log(&mut out);
            let _ = writeln!(
                out,
                "        fulcioSubject:\n          oidcIssuer: {}\n          signedEmail: {}",
                quoted(issuer),
                quoted(email)
            );
        }
        Root::Pki { authorities, name } => {
            let _ =
                writeln!(out, "      policyType: PKI\n      pki:\n        caRootsData: {}", pem(authorities));
            let (field, value) = match name {
                CertificateName::Email(email) => ("email", email),
                CertificateName::Host(host) => ("hostname", host),
            };
            let _ = writeln!(out, "        pkiCertificateSubject:\n          {field}: {}", quoted(value));
        }
        Root::Gpg(_) | Root::Nobody => {}
    }
    identity(&mut out, needed.identity.as_ref());
    out
}

fn identity(out: &mut String, identity: Option<&SignedIdentity>) {
    let mut put = |policy: &str| {
        let _ = writeln!(out, "    signedIdentity:\n      matchPolicy: {policy}");
    };
    match identity {
        None | Some(SignedIdentity::MatchExact {} | SignedIdentity::ExactReference { .. }) => {}
        Some(SignedIdentity::MatchRepoDigestOrExact {}) => put("MatchRepoDigestOrExact"),
        Some(SignedIdentity::MatchRepository {}) => put("MatchRepository"),
        Some(SignedIdentity::ExactRepository { docker_repository }) => {
            put("ExactRepository");
            let _ =
                writeln!(out, "      exactRepository:\n        repository: {}", quoted(docker_repository));
        }
        Some(SignedIdentity::RemapIdentity { prefix, signed_prefix }) => {
            put("RemapIdentity");
            let _ = writeln!(
                out,
                "      remapIdentity:\n        prefix: {}\n        signedPrefix: {}",
                quoted(prefix),
                quoted(signed_prefix)
            );
        }
    }
}
