//! Verifies that the images of a location are signed by the expected signers. Offline, with exactly the keys of an
//! authenticated keys/.
//!
//! A consumer's policy (`--policy`) is a separate question about the same images: `admit` answers it.

mod admit;
mod authenticated;
mod consumers;
mod evaluate;
mod expected;
mod files;
mod join;
mod judge;
mod keys;
mod lists;
mod names;
mod pattern;
mod report;
mod revoked;
mod signers;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

pub use self::{
    admit::{AdmitRequest, PolicySpec, admit},
    authenticated::Authentication,
    expected::ExpectedIdentity,
    lists::Platform,
    names::Mapping,
    pattern::TextPattern,
    report::{ReportRequest, ReportTo},
};
pub(in crate::ops) use self::{
    admit::{Pull, Survey, given, judge_policy, of_manifest, of_policy_json, survey},
    authenticated::Authenticated,
    files::{report_unusable, set_of},
    keys::{Keys, check_times, of_pack},
};
use self::{
    evaluate::Evaluation,
    expected::Expected,
    judge::{Closing, Judge},
    keys::{KeysOrigin, UsedPack},
    names::Namer,
    report::{Inputs, Report},
    signers::Signers,
};
use super::{
    Context, mappings,
    place::location,
    sources::{Opened, open},
};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Target, discover_all},
    keysource::KeyFile,
    outcome::{
        Found, SourceReport,
        verify::{ExpectedReport, Images, KeysReport, PackIdentity, Verification, VerifyCounts},
    },
};

/// What to verify, with which keys, and the expected signers.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The locations, as the user writes them.
    pub places: Vec<String>,
    /// A list of images; then at most one location is allowed, the registry at which they are looked up.
    pub images: Option<String>,
    /// An additional repository with the signatures of the images: `HOST/REPOSITORY`.
    pub signature_repository: Option<String>,
    /// An oc-mirror cache.
    pub cache_dir: Option<PathBuf>,
    /// The keys; `keys` if omitted, or keys/ in the oc-mirror directory that is read.
    pub keys_dir: Option<PathBuf>,
    /// What authenticates the keys.
    pub authentication: Authentication,
    /// Trusted roots to use instead of a keys/: the caller vouches for them.
    pub trusted_roots: Vec<PathBuf>,
    /// Key files to use instead of a keys/.
    pub keys: Vec<KeyFile>,
    /// The expected signer of every image, instead of the pack's rules.
    pub identity: Option<ExpectedIdentity>,
    /// The sources of mirrored repositories.
    pub mappings: Vec<Mapping>,
    /// Files and directories with this information: mirror sets, registries.conf, mapping.txt.
    pub mapping_files: Vec<PathBuf>,
    /// The platforms whose index instances matter; if empty, all that exist here.
    pub platforms: Vec<Platform>,
    /// Whether every image must have a signature that counts.
    pub require_signed: bool,
    /// Whether all signatures must be valid, rather than one.
    pub all_signatures: bool,
    /// Whether only signatures in a log count.
    pub require_log: bool,
    /// The consumers that are asked which images they could verify: `openshift@4.22`.
    pub targets: Vec<String>,
    /// The report to write.
    pub report: Option<ReportRequest>,
}

/// Verifies every signature of every image in the locations.
pub fn verify(request: &Request, ctx: &Context) -> Result<Verification, Diagnostic> {
    names::map_of(&request.mappings)?;
    expected::warn_of_expressions(request.identity.as_ref(), ctx);
    let locations = keys::sources(request).locations()?;
    let targets = consumers::asked(request)?;
    let (authentication, inputs) = (&request.authentication, Inputs::from(request));
    let report = Report::prepare(request.report.as_ref(), authentication, &request.places, &inputs)?;
    let keys = keys::load(request, &locations, ctx)?;
    let used = keys.used().filter(|_| report.is_some()).cloned();
    let result = with_keys(request, keys, ctx);
    let mut result = result.and_then(|found| {
        Ok(Verification { consumers: consumers::reports(request, &targets, ctx)?, ..found })
    });
    if let Some(report) = report {
        let written = report.write(&result, |found| Found::Verification(found), used.as_ref(), ctx)?;
        if let Ok(found) = &mut result {
            found.report = written;
        }
    }
    result
}

/// Verifies them with these keys.
pub(in crate::ops) fn with_keys(
    request: &Request,
    mut keys: Keys,
    ctx: &Context,
) -> Result<Verification, Diagnostic> {
    let sources = keys::sources(request);
    let locations = sources.locations()?;
    let mut given = names::map_of(&request.mappings)?;
    given.merge(mappings::read(&request.mapping_files)?);
    let opened = open(&sources, ctx)?;
    let expected = Expected::new(std::mem::take(&mut keys.rules), request.identity.clone())?;

    // Read and judge at the same time.
    let judge = Judge::new(keys.set.clone(), keys.revoked.clone(), ctx.now);
    let discovery = walk(&opened, &judge, ctx)?;
    let judged = judge.finish();

    // Compare each image with its requirements.
    let listed = request.images.iter().filter_map(|list| location(list).ok());
    let found = mappings::found(locations.iter().chain(&listed.collect::<Vec<_>>()), ctx);
    for (mirror, source) in opened.iter().flat_map(|opened| &opened.copied) {
        given.add_copy(mirror, source, true);
    }
    let namer = Namer { given, found, sources: expected.hosts(), was_used: AtomicBool::new(false) };
    let evaluation = Arc::new(Evaluation {
        keys,
        expected,
        namer,
        discovery,
        judged,
        require_log: request.require_log,
        all_signatures: request.all_signatures,
    });
    let Evaluation { keys, expected, namer, discovery, .. } = &*evaluation;
    let (mut rows, mut signers) = evaluation.rows();
    let all = rows.len();
    let changes = join::join_lists(request, &opened, discovery, &mut rows);
    let is_less = rows.len() < all;
    let images = Images::new(rows, changes, evaluation.clone());
    if is_less {
        signers = Signers::default();
        images.iter().for_each(|image| signers.add(&image));
    }
    warn_of_mapping(request, namer, ctx);

    let sources: Vec<_> =
        discovery.places.iter().zip(&opened).map(|(place, opened)| of_place(place, opened)).collect();
    let counts = VerifyCounts::of(images.rows(), &sources);
    let (verdict, failure) = counts.verdict(request.require_signed, request.all_signatures);
    Ok(Verification {
        schema_version: 1,
        command: "verify",
        verdict,
        failure,
        keys: of_keys(keys, ctx),
        expected: ExpectedReport {
            by: match (&request.identity, expected.rules()) {
                (Some(_), _) => "identity",
                (None, 0) => "signer-keys",
                _ => "rules",
            },
            rules: expected.rules(),
            identity: request.identity.as_ref().map(|identity| identity.name.to_string()),
            issuer: request.identity.as_ref().and_then(|i| i.issuer.as_ref()).map(ToString::to_string),
        },
        sources,
        signers: signers.counts(),
        images,
        counts,
        consumers: Vec::new(),
        report: None,
    })
}

/// Warns of a mapping that matches none of the images. It was written for another mirror, and every rule that may apply
/// to the images is then applied.
fn warn_of_mapping(request: &Request, namer: &Namer, ctx: &Context) {
    let named = !(request.mappings.is_empty() && request.mapping_files.is_empty());
    if named && !namer.was_used.load(Ordering::Relaxed) {
        let mirrors: Vec<_> = namer.given.mirrors().take(3).collect();
        ctx.events.warn(&format!(
            "the mapping applies to none of the images here: its mirrors are {}{} [{}]",
            mirrors.join(", "),
            if namer.given.len() > 3 { ", …" } else { "" },
            Code::MappingUnused
        ));
    }
}

/// Finds all images, while their signatures are judged on all cores.
fn walk(opened: &[Opened], judge: &Judge, ctx: &Context) -> Result<Discovery<u32>, Diagnostic> {
    let targets: Vec<_> = opened
        .iter()
        .map(|opened| Target { source: opened.source.as_ref(), only: opened.only.clone() })
        .collect();
    ctx.events.step("verifying signatures");
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let discovery = thread::scope(|scope| {
        let closing = Closing(judge);
        for _ in 0..cores {
            scope.spawn(|| judge.work());
        }
        let found = discover_all(&targets, judge, &mut |place| {
            ctx.events.advance(&format!("verifying {}: {} manifests", place.name, place.read));
        });
        drop(closing);
        found
    })?;
    if discovery.places.iter().all(|place| place.read == 0) {
        let places: Vec<_> = discovery.places.iter().map(|place| place.name.as_str()).collect();
        let error = format!("{} holds no image that can be read", places.join(", "));
        return Err(Diagnostic::new(Code::NothingReadable, error));
    }
    Ok(discovery)
}

fn of_place(place: &crate::discover::Place, opened: &Opened) -> SourceReport {
    let mut problems: Vec<_> = place.problems.clone();
    if place.absent > 0 {
        let advice = opened.source.abilities().advice;
        let error = format!(
            "{} names {} that it does not hold",
            place.name,
            crate::display::count(place.absent, "manifest")
        );
        let elsewhere = Diagnostic::new(Code::ImageElsewhere, error);
        problems.push(match advice {
            Some(advice) => elsewhere.hinting(advice),
            None => elsewhere,
        });
    }
    let unreadable = place.unreadable;
    SourceReport { place: place.name.clone(), read: place.read, absent: place.absent, problems, unreadable }
}

fn of_keys(keys: &Keys, ctx: &Context) -> KeysReport {
    let count = keys.count;
    match &keys.origin {
        KeysOrigin::Files(files) => KeysReport {
            authenticated: false,
            by: Vec::new(),
            at: None,
            from: files.clone(),
            pack: None,
            count,
            revoked_here: Vec::new(),
        },
        KeysOrigin::Directory(UsedPack { directory, draft, by, at, left_out }) => {
            let inventory = draft.inventory();
            KeysReport {
                authenticated: true,
                by: by.clone(),
                at: *at,
                from: vec![directory.display().to_string()],
                pack: Some(PackIdentity {
                    name: inventory.name.clone(),
                    version: inventory.version,
                    digest: draft.digest(),
                    created: inventory.created,
                    days: ctx.now.duration_since(inventory.created).as_hours() / 24,
                }),
                count,
                revoked_here: left_out.clone(),
            }
        }
    }
}
