//! The releases of OpenShift in the places, and the policies that they bring.
//!
//! Whoever can change images can change the policy in a release. So nothing of a payload is read before the release is
//! authenticated: by a GPG signature for the digest by which it is pulled. From there on each digest leads to the next:
//! manifest or list, instance, layer, file.

mod complete;
mod configmap;
mod in_mirror;
mod keys;
mod payload;
mod signatures;
mod stages;

use std::collections::BTreeSet;

pub(super) use self::in_mirror::InMirror;
use self::{
    keys::ReleaseKeys,
    payload::Payload,
    signatures::{Signatures, Verified},
};
use super::{
    AdmitRequest,
    load::{self, Loaded},
    pulls::Pull,
};
use crate::{
    content::{self, Location, Source},
    diag::{Code, Diagnostic, Exit},
    discover::missing,
    oci::{Descriptor, Digest},
    ops::{
        Context,
        place::location,
        sources::Opened,
        verify::{keys::UsedPack, names::Namer},
    },
    outcome::admission::ReleaseReport,
    policy::{
        consumer::openshift::{PAYLOAD, PayloadPolicy, Summary},
        mapping::NameMap,
    },
};

/// An authenticated release.
struct Release {
    /// The place, as its source names it.
    place: String,
    repository: String,
    /// The digest by which it is pulled.
    digest: Digest,
    by: Verified,
    payload: Payload,
}

/// A release that does not count, and why.
struct Rejected {
    digest: Digest,
    /// What its image says.
    version: Option<String>,
    why: Diagnostic,
}

impl Rejected {
    /// The same as the failure of a run.
    fn failure(&self) -> Diagnostic {
        let version = self.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
        let named = format!("release{version} ({})", self.digest);
        self.why.clone().on(&named).ending(Exit::Incomplete)
    }
}

/// The releases that were found.
#[derive(Default)]
struct Releases {
    verified: Vec<Release>,
    rejected: Vec<Rejected>,
}

/// An image that may be a release.
struct Candidate<'a> {
    source: &'a dyn Source,
    repository: &'a str,
    digest: Digest,
    version: Option<String>,
}

impl Releases {
    /// Finds the releases among the pulls. It is an error if none of them counts.
    fn find(
        request: &AdmitRequest,
        opened: &[Opened],
        pulls: &[Pull],
        locations: &[Location],
        namer: &Namer,
        used: &mut Option<UsedPack>,
        ctx: &Context,
    ) -> Result<Self, Diagnostic> {
        ctx.events.step("authenticating the release");
        let (candidates, mut rejected) = candidates(opened, pulls, namer);
        if candidates.is_empty() && rejected.is_empty() {
            let what = "no release of OpenShift is in what was read, so the policy of one can't be";
            return Err(Diagnostic::new(Code::PolicyNotInMirror, what));
        }
        let listed = request.images.iter().filter_map(|list| location(list).ok());
        let all: Vec<_> = locations.iter().cloned().chain(listed).collect();
        let keys = ReleaseKeys::load(request, &all, ctx)?;
        used.clone_from(&keys.used);
        let wanted = candidates.iter().map(|candidate| candidate.digest).collect();
        let signatures = Signatures::collect(request, opened, &all, &wanted)?;
        let mut verified = Vec::new();
        for candidate in candidates {
            let beside = signatures::beside(candidate.source, candidate.repository, &candidate.digest);
            let found = signatures.verify(&candidate.digest, &beside, &keys, ctx.now);
            let read = found.and_then(|by| {
                let payload = Payload::read(
                    candidate.source,
                    candidate.repository,
                    candidate.digest,
                    &request.platforms,
                )?;
                Ok((by, payload))
            });
            match read {
                Ok((by, payload)) => verified.push(Release {
                    place: candidate.source.place(),
                    repository: candidate.repository.to_owned(),
                    digest: candidate.digest,
                    by,
                    payload,
                }),
                Err(why) => {
                    rejected.push(Rejected { digest: candidate.digest, version: candidate.version, why });
                }
            }
        }
        // A registry may list the instances too, which the signature of their list authenticates.
        let is_instance = |one: &Rejected| {
            verified.iter().any(|release: &Release| release.payload.instances.contains(&one.digest))
        };
        rejected.retain(|one| !is_instance(one));
        match rejected.first() {
            Some(first) if verified.is_empty() => Err(first.failure()),
            _ => Ok(Self { verified, rejected }),
        }
    }

    /// The policies that are in force, each once, with the versions that bring it.
    fn policies(&self) -> Vec<(Vec<&str>, &PayloadPolicy)> {
        let mut found: Vec<(Vec<&str>, &PayloadPolicy)> = Vec::new();
        for release in &self.verified {
            for policy in &release.payload.policies {
                let version = release.payload.version();
                match found.iter_mut().find(|(_, known)| known.summary == policy.summary) {
                    Some((versions, _)) if versions.contains(&version) => {}
                    Some((versions, _)) => versions.push(version),
                    None => found.push((vec![version], policy)),
                }
            }
        }
        found
    }

    /// What every image is judged by.
    fn loaded(&self, request: &AdmitRequest, mirrors: &NameMap) -> Result<Loaded, Diagnostic> {
        let policies = self.policies();
        let mut notes = Vec::new();
        let mut names = Vec::new();
        for (versions, policy) in &policies {
            for version in versions {
                names.push(match Summary::builtin(version) {
                    None => format!("as release {version} ships it"),
                    Some(builtin) if builtin == policy.summary => {
                        format!("as release {version} ships it (same as the built-in copy)")
                    }
                    Some(builtin) => {
                        let what = format!(
                            "the policy of release {version} is not the built-in copy of it. In the release: {}. Built in: {builtin}",
                            policy.summary
                        );
                        notes.push(Diagnostic::new(Code::PolicyDiffersFromBuiltin, what));
                        format!("as release {version} ships it")
                    }
                });
            }
        }
        for release in self.verified.iter().filter(|release| release.payload.policies.is_empty()) {
            let version = release.payload.version();
            let what = if release.payload.has_policy {
                "brings a policy that is off by default (TechPreviewNoUpgrade)"
            } else {
                "brings no policy for images"
            };
            notes.push(Diagnostic::new(Code::PolicyNotInForce, format!("release {version} {what}")));
            names.push(format!("release {version} {what}"));
        }
        let policies: Vec<_> = policies.into_iter().map(|(_, policy)| policy).collect();
        load::of_releases(format!("openshift, {}", names.join(", and ")), &policies, notes, request, mirrors)
    }

    /// The platforms of the nodes that the releases are for.
    fn platforms(&self) -> Vec<super::Platform> {
        let all: BTreeSet<_> = self.verified.iter().flat_map(|release| &release.payload.platforms).collect();
        all.into_iter().filter_map(|platform| platform.parse().ok()).collect()
    }

    /// Each of them for the report.
    fn reports(&self) -> Vec<ReleaseReport> {
        let verified = self.verified.iter().map(|release| ReleaseReport {
            version: Some(release.payload.version().to_owned()),
            digest: release.digest,
            source: release.place.clone(),
            platforms: release.payload.platforms.clone(),
            signed_by: Some(release.by.key.clone()),
            signature: Some(release.by.at.clone()),
            images: release.payload.references.images.len(),
            problem: None,
        });
        let rejected = self.rejected.iter().map(|release| ReleaseReport {
            version: release.version.clone(),
            digest: release.digest,
            source: String::new(),
            platforms: Vec::new(),
            signed_by: None,
            signature: None,
            images: 0,
            problem: Some(release.failure()),
        });
        verified.chain(rejected).collect()
    }
}

/// The images that say that they are a release. Those that can't be read are rejected.
fn candidates<'a>(
    opened: &'a [Opened],
    pulls: &'a [Pull],
    namer: &Namer,
) -> (Vec<Candidate<'a>>, Vec<Rejected>) {
    let (mut seen, mut found, mut rejected) = (BTreeSet::new(), Vec::new(), Vec::new());
    let is_release = |pull: &Pull| pull.name.as_ref().is_some_and(|name| name.name() == PAYLOAD);
    for pull in pulls {
        let Some(place) = opened.iter().find(|opened| opened.source.place() == pull.place) else { continue };
        let source = place.source.as_ref();
        // Mirror sets may be for pulls by digest alone, and the release may have been named by its tag.
        let nowhere = Digest::of(b"").to_string();
        if !is_release(pull) && !is_release(&Pull::of(place, &pull.repository, &nowhere, &[], namer)) {
            continue;
        }
        let digest = match source.resolve(&pull.repository, &pull.reference) {
            Ok(Some(descriptor)) => descriptor.digest,
            // The pull itself is reported.
            Ok(None) | Err(_) => continue,
        };
        if !seen.insert((&pull.place, &pull.repository, digest)) {
            continue;
        }
        match payload::label(source, &pull.repository, digest) {
            Ok(Some(version)) => {
                let repository = pull.repository.as_str();
                found.push(Candidate { source, repository, digest, version: Some(version) });
            }
            Ok(None) => {}
            Err(why) => rejected.push(Rejected { digest, version: None, why }),
        }
    }
    (found, rejected)
}

/// The manifest with this digest, which must be there.
fn manifest(
    source: &dyn Source,
    repository: &str,
    digest: Digest,
) -> Result<crate::oci::Document, Diagnostic> {
    let read = content::fetch_manifest(source, repository, &Descriptor::of_digest(digest))?;
    read.map(|(_, document)| document).ok_or_else(|| missing(source, &digest))
}
