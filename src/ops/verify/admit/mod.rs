//! Would a consumer admit the images of a place? Its own policy decides, with the keys that are in it: `--policy`.
//!
//! A verdict belongs to one pull: an image by a tag or by its digest, on one platform. As the consumer does, it is made from the
//! signatures of the one image that is pulled, never from those of the list it is in, and from those alone that the consumer
//! reads: the tag `sha256-<hex>.sig` where registries.d says so, and GPG signatures in the lookaside.

mod ask;
mod by_mirror;
mod fix;
mod instances;
mod judge;
mod load;
mod lookaside;
mod pulls;
mod read;
mod registries;
mod registries_d;
mod release;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

pub use self::load::PolicySpec;
pub(in crate::ops::verify) use self::registries_d::files as registries_files;
use self::{judge::Run, release::InMirror};
pub(in crate::ops) use self::{
    load::{Loaded, of_manifest, of_policy_json},
    pulls::Pull,
};
use super::{
    Authentication, Mapping, Platform, ReportRequest,
    keys::UsedPack,
    names::{self, Namer},
    report::{Inputs, Report},
};
use crate::{
    content::{self, Location},
    diag::{Code, Diagnostic},
    ops::{
        Context, KeySources, Sources, mappings,
        place::location,
        sources::{Opened, open},
    },
    outcome::{
        Found, SourceReport,
        admission::{AdmissionReport, Counts},
    },
    policy::{consumer::Verdict, mapping::NameMap},
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
    /// The registries that OpenShift allows and blocks: its object `image.config`.
    pub image_config: Option<PathBuf>,
    /// Where mirrored repositories are from.
    pub mappings: Vec<Mapping>,
    /// Files and folders that say it: sets of mirrors, registries.conf, mapping.txt.
    pub mapping_files: Vec<PathBuf>,
    /// The platforms of the nodes; none means those of the release, or all that are here.
    pub platforms: Vec<Platform>,
    /// Where to write the commands that copy missing signatures.
    pub fix: Option<PathBuf>,
    /// The keys/ that a release is authenticated with, for the policy in a mirror; without it, keys/ in the oc-mirror
    /// directory that is read.
    pub keys_dir: Option<PathBuf>,
    /// What authenticates these keys.
    pub authentication: Authentication,
    /// The report to write.
    pub report: Option<ReportRequest>,
}

/// Tells for every pull whether the policy admits it.
pub fn admit(request: &AdmitRequest, ctx: &Context) -> Result<AdmissionReport, Diagnostic> {
    if let Some(file) = &request.fix {
        fix::refuse_other(file)?;
    }
    let (authentication, inputs) = (&request.authentication, Inputs::from(request));
    let report = Report::prepare(request.report.as_ref(), authentication, &request.places, &inputs)?;
    let mut used = None;
    let mut result = evaluate(request, &mut used, ctx);
    if let Some(report) = report {
        let written = report.write(&result, |found| Found::Admission(found), used.as_ref(), ctx)?;
        if let Ok(found) = &mut result {
            found.report = written;
        }
    }
    result
}

/// The same without its report; `used` becomes the pack that a release was authenticated with.
fn evaluate(
    request: &AdmitRequest,
    used: &mut Option<UsedPack>,
    ctx: &Context,
) -> Result<AdmissionReport, Diagnostic> {
    let given = given(request)?;
    let loaded = load::load(request, &given)?;
    let mut survey = survey(request, given, ctx)?;
    let (loaded, in_mirror) = if let Some(loaded) = loaded {
        (loaded, InMirror::default())
    } else {
        let Survey { opened, pulls, locations, namer, .. } = &mut survey;
        InMirror::read(request, opened, pulls, locations, namer, used, ctx)?
    };
    judge(&survey, &loaded, in_mirror, request, ctx)
}

/// The pulls that a policy is asked about, with the places that hold their images.
pub(in crate::ops) struct Survey {
    locations: Vec<Location>,
    opened: Vec<Opened>,
    places: Vec<SourceReport>,
    pub(in crate::ops) pulls: Vec<Pull>,
    namer: Namer,
}

/// What the caller says about names.
pub(in crate::ops) fn given(request: &AdmitRequest) -> Result<NameMap, Diagnostic> {
    let mut given = names::map_of(&request.mappings)?;
    given.merge(mappings::read(&request.mapping_files)?);
    Ok(given)
}

/// Reads which images there are.
pub(in crate::ops) fn survey(
    request: &AdmitRequest,
    mut given: NameMap,
    ctx: &Context,
) -> Result<Survey, Diagnostic> {
    let sources = Sources {
        places: request.places.clone(),
        images: request.images.clone(),
        signature_repository: None,
        keys: KeySources { host_root: None, ..KeySources::default() },
        revoked: Vec::new(),
        cache_dir: request.cache_dir.clone(),
    };
    let locations = sources.locations()?;
    let opened = open(&sources, ctx)?;
    let listed = request.images.iter().filter_map(|list| location(list).ok());
    let mut found = mappings::found(locations.iter().chain(&listed.collect::<Vec<_>>()), ctx);
    for place in &opened {
        mappings::add_image_sets(place.source.as_ref(), &mut found, ctx);
    }
    for (mirror, source) in opened.iter().flat_map(|opened| &opened.copied) {
        given.add_copy(mirror, source, true);
    }
    let namer = Namer { given, found, sources: Vec::new(), was_used: AtomicBool::new(false) };
    let (pulls, places) = pulls::of(&opened, request.images.is_some(), &namer, ctx)?;
    Ok(Survey { locations, opened, places, pulls, namer })
}

/// Evaluates a policy that is in no mirror for each of the pulls.
pub(in crate::ops) fn judge_policy(
    survey: &Survey,
    loaded: &Loaded,
    request: &AdmitRequest,
    ctx: &Context,
) -> Result<AdmissionReport, Diagnostic> {
    judge(survey, loaded, InMirror::default(), request, ctx)
}

fn judge(
    survey: &Survey,
    loaded: &Loaded,
    in_mirror: InMirror,
    request: &AdmitRequest,
    ctx: &Context,
) -> Result<AdmissionReport, Diagnostic> {
    let Survey { locations, opened, places, pulls, namer } = survey;
    ctx.events.step("evaluating the policy");
    let of_release = in_mirror.platforms();
    let run = Run::new(pulls, &request.platforms, &of_release, loaded, ctx);
    let (mut judged, scopes) = run.all(opened, pulls);
    judged.sort_by_key(|judged| std::cmp::Reverse(judged.report.verdict));
    let is_oc_mirror = locations.iter().any(|location| content::oc_mirror_path(location).is_some());
    let fix =
        request.fix.as_deref().map(|file| fix::write(file, &mut judged, opened, is_oc_mirror, namer, &run));
    let fix = fix.transpose()?;
    let images: Vec<_> = judged.into_iter().map(|judged| judged.report).collect();
    let mut policy = loaded.report.clone();
    let unused = loaded.report.scopes.iter().filter(|scope| !scopes.contains(*scope));
    policy.notes.extend(
        unused.map(|scope| {
            Diagnostic::new(Code::ScopeUnused, format!("no image here is in the scope {scope:?}"))
        }),
    );
    let named = !(request.mappings.is_empty() && request.mapping_files.is_empty());
    if named && !namer.was_used.load(Ordering::Relaxed) {
        let what = "the mapping applies to none of the images here";
        policy.notes.push(Diagnostic::new(Code::MappingUnused, what));
    }
    let counts = Counts::of(&images, places.iter().map(|place| place.problems.len()).sum());
    let failure = in_mirror.failure(counts.failure());
    Ok(AdmissionReport {
        schema_version: 1,
        command: "verify",
        verdict: images.iter().map(|image| image.verdict).max().unwrap_or(Verdict::NotJudged),
        failure,
        policy,
        releases: in_mirror.reports(),
        sources: places.clone(),
        stages: in_mirror.stages(&images),
        images,
        missing: in_mirror.missing,
        fix,
        counts,
        report: None,
    })
}
