//! Would a consumer admit the images of a place? Its own policy decides, with the keys that are in it: `--policy`.
//!
//! A verdict belongs to one pull: an image by a tag or by its digest, on one platform. As the consumer does, it is made from the
//! signatures of the one image that is pulled, never from those of the list it is in, and from those alone that the consumer
//! reads: the tag `sha256-<hex>.sig` where registries.d says so, and GPG signatures in the lookaside.

mod load;
mod lookaside;
mod pulls;
mod read;

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

pub use self::load::PolicySpec;
use self::{
    load::Loaded,
    pulls::Pull,
    read::{Missing, Reader},
};
use super::{
    Mapping, Platform,
    lists::instances,
    names::{self, Namer},
};
use crate::{
    content::{self, Source},
    diag::{Code, Diagnostic},
    oci::{Descriptor, Digest, Document},
    ops::{
        Context, KeySources, Sources, mappings,
        place::location,
        sources::{Opened, open},
    },
    outcome::admission::{AdmissionReport, Counts, PullReport},
    policy::consumer::{Matched, Pulled, Verdict},
};

/// Which images, and what they are to be admitted by.
#[derive(Debug, Clone)]
pub struct AdmitRequest {
    /// The places, as a person writes them.
    pub places: Vec<String>,
    /// A list of images; then at most one place, the registry that they are looked up at.
    pub images: Option<String>,
    /// A cache of oc-mirror.
    pub cache_dir: Option<PathBuf>,
    /// The policy.
    pub policy: PolicySpec,
    /// The folders registries.d.
    pub registries_d: Vec<PathBuf>,
    /// Where mirrored repositories are from.
    pub mappings: Vec<Mapping>,
    /// Files and folders that say it: sets of mirrors, registries.conf, mapping.txt.
    pub mapping_files: Vec<PathBuf>,
    /// The platforms of the nodes; none means all that are here.
    pub platforms: Vec<Platform>,
}

/// Tells for every pull whether the policy admits it.
pub fn admit(request: &AdmitRequest, ctx: &Context) -> Result<AdmissionReport, Diagnostic> {
    let sources = Sources {
        places: request.places.clone(),
        images: request.images.clone(),
        signature_repository: None,
        keys: KeySources { host_root: None, ..KeySources::default() },
        revoked: Vec::new(),
        cache_dir: request.cache_dir.clone(),
    };
    let mut given = names::map_of(&request.mappings)?;
    given.merge(mappings::read(&request.mapping_files)?);
    let loaded = load::load(request)?;
    let locations = sources.locations()?;
    let opened = open(&sources, ctx)?;
    let listed = request.images.iter().filter_map(|list| location(list).ok());
    let found = mappings::found(locations.iter().chain(&listed.collect::<Vec<_>>()), ctx);
    for (mirror, source) in opened.iter().flat_map(|opened| &opened.copied) {
        given.add_copy(mirror, source, true);
    }
    let namer = Namer { given, found, sources: Vec::new(), was_used: AtomicBool::new(false) };
    let (pulls, places) = pulls::of(&opened, request.images.is_some(), &namer, ctx)?;
    ctx.events.step("evaluating the policy");
    let mut run = Run { request, ctx, loaded: &loaded, scopes: BTreeSet::new() };
    let mut images = Vec::new();
    for (number, pull) in pulls.iter().enumerate() {
        ctx.events.advance(&format!("evaluating the policy: {} of {} pulls", number + 1, pulls.len()));
        let Some(place) = opened.iter().find(|opened| opened.source.place() == pull.place) else { continue };
        run.pull(place, pull, &mut images);
    }
    images.sort_by_key(|image: &PullReport| std::cmp::Reverse(image.verdict));
    let mut policy = loaded.report.clone();
    policy.notes.extend(run.notes(&namer));
    let counts = Counts::of(&images, places.iter().map(|place| place.problems.len()).sum());
    let failure = counts.failure();
    Ok(AdmissionReport {
        schema_version: 1,
        command: "verify",
        verdict: images.iter().map(|image| image.verdict).max().unwrap_or(Verdict::NotJudged),
        failure,
        policy,
        sources: places,
        images,
        counts,
    })
}

struct Run<'a> {
    request: &'a AdmitRequest,
    ctx: &'a Context,
    loaded: &'a Loaded,
    /// The scopes that are an image's.
    scopes: BTreeSet<String>,
}

impl Run<'_> {
    /// Judges a pull on each platform.
    fn pull(&mut self, place: &Opened, pull: &Pull, out: &mut Vec<PullReport>) {
        let source = place.source.as_ref();
        let found = match find(source, pull, &self.request.platforms) {
            Ok(found) => found,
            Err(why) => return out.push(pull.report(None, Verdict::NotJudged, None, Some(why))),
        };
        let mut judged: HashMap<Digest, (Verdict, Option<Matched>, Option<Diagnostic>)> = HashMap::new();
        for instance in found {
            let (verdict, matched, cause) = match &instance.image {
                Ok(digest) => {
                    judged.entry(*digest).or_insert_with(|| self.judge(source, pull, *digest)).clone()
                }
                Err(why) => (Verdict::NotJudged, None, Some(why.clone())),
            };
            if let Some(Matched::Scope(scope)) = &matched {
                self.scopes.insert(scope.clone());
            }
            out.push(pull.report(Some(&instance), verdict, matched, cause));
        }
    }

    fn judge(
        &self,
        source: &dyn Source,
        pull: &Pull,
        image: Digest,
    ) -> (Verdict, Option<Matched>, Option<Diagnostic>) {
        let Some(name) = &pull.name else {
            let why = "it has no name that a cluster pulls by: this location does not record repositories";
            return (Verdict::NotJudged, None, Some(Diagnostic::new(Code::PulledNameUnknown, why)));
        };
        // By what it is pulled from, not by what it is called (docker/docker_image_src.go).
        let at = pull.at.as_ref().unwrap_or(name);
        let lookup = self.loaded.registries.lookup(if self.loaded.by_name { name } else { at });
        let reader = Reader { source, repository: &pull.repository, ctx: self.ctx };
        let found = reader.signatures(image, &lookup, at);
        let signatures = match &found {
            Ok(found) => Ok(found.as_slice()),
            Err(Missing::Unread(why)) => {
                let matched = self.loaded.evaluator.matched(name);
                return (Verdict::NotJudged, Some(matched), Some(why.clone()));
            }
            Err(Missing::Ends(why)) => Err(why.clone()),
        };
        let pulled = Pulled { name, image, attachments: lookup.attachments, signatures };
        let admission = self.loaded.evaluator.admit(&pulled, self.ctx.now);
        (admission.verdict, Some(admission.matched), admission.cause)
    }

    /// What of the policy and the command line is about nothing here.
    fn notes(&self, namer: &Namer) -> Vec<Diagnostic> {
        let unused = self.loaded.policy.scopes().filter(|scope| !self.scopes.contains(*scope));
        let mut notes: Vec<_> = unused
            .map(|scope| {
                Diagnostic::new(Code::ScopeUnused, format!("the scope {scope:?} is that of no image here"))
            })
            .collect();
        let named = !(self.request.mappings.is_empty() && self.request.mapping_files.is_empty());
        if named && !namer.was_used.load(Ordering::Relaxed) {
            let what = "the mapping applies to none of the images here";
            notes.push(Diagnostic::new(Code::MappingUnused, what));
        }
        notes
    }
}

/// The image that is pulled on a platform.
struct Found {
    /// The manifest or list that the reference names.
    named: Digest,
    platform: Option<String>,
    image: Result<Digest, Diagnostic>,
}

/// What a pull leads to: the image itself, or the instances of a list.
fn find(source: &dyn Source, pull: &Pull, platforms: &[Platform]) -> Result<Vec<Found>, Diagnostic> {
    let absent = || {
        let what = format!("{} holds no {}", source.place(), pull.reference);
        Diagnostic::new(Code::NameUnknown, what)
    };
    let descriptor = source.resolve(&pull.repository, &pull.reference)?.ok_or_else(absent)?;
    let named = descriptor.digest;
    let (_, document) = content::fetch_manifest(source, &pull.repository, &Descriptor::of_digest(named))?
        .ok_or_else(absent)?;
    if matches!(document, Document::Manifest(_)) {
        return Ok(vec![Found { named, platform: None, image: Ok(named) }]);
    }
    let instances = instances(source, &pull.repository, named, platforms)?;
    let mut found: Vec<Found> = Vec::new();
    for instance in instances.into_iter().filter(|instance| instance.wanted) {
        // Of several for one platform the consumer takes the first.
        if !platforms.is_empty() && found.iter().any(|other| other.platform == instance.platform) {
            continue;
        }
        let image = if instance.here {
            Ok(instance.digest)
        } else if platforms.is_empty() {
            continue;
        } else {
            let what = format!("the list names {} for this platform, and it is not here", instance.digest);
            Err(Diagnostic::new(Code::ImageElsewhere, what))
        };
        found.push(Found { named, platform: instance.platform, image });
    }
    if found.is_empty() {
        let what = "the list has no image here for the platforms that are asked for";
        return Err(Diagnostic::new(Code::ImageElsewhere, what));
    }
    Ok(found)
}
