//! Reads the given locations and resolves what their signatures need.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Context, Sources,
    key_sources::add_payloads,
    misplaced, not_carried,
    redhat::{self, RedHat},
    sources::{Opened, open},
};
use crate::{
    content::{Completeness, Doubt},
    diag::{Code, Diagnostic},
    discover::{Discovery, Target, discover_all},
    display::count,
    export::{Asked, RegistriesD},
    key::{Fingerprint, Key, Role},
    keysource::Gathered,
    resolve::{Answer, Judge, Resolution, Resolver, Verdict},
};

/// Everything found in the locations and the key sources, resolved.
pub(super) struct Found {
    pub(super) discovery: Arc<Discovery<Verdict>>,
    pub(super) gathered: Gathered,
    pub(super) resolution: Arc<Resolution>,
    /// The missing needs that a revoked key would fit: role and id.
    pub(super) revoked: BTreeSet<(Role, String)>,
}

/// Reads the locations and resolves what their signatures need.
///
/// A revoked key satisfies no need: it is not even a candidate.
pub(super) fn discover_and_resolve(
    wanted: &Sources,
    revoked: &(dyn Fn(&Fingerprint) -> bool + Sync),
    ctx: &Context,
) -> Result<Found, Diagnostic> {
    let mut gathered = wanted.keys.gather(ctx)?;
    let sources = open(wanted, ctx)?;
    let only_given = wanted.keys.keys_dir.is_some() || wanted.keys.alone;
    for Opened { source, .. } in sources.iter().filter(|_| !only_given) {
        add_payloads(&mut gathered, source.as_ref())?;
    }
    gathered.tell_conflicts();
    let mut left_out = leave_out(&mut gathered, revoked, ctx);
    let targets: Vec<_> = sources
        .iter()
        .map(|opened| Target { source: opened.source.as_ref(), only: opened.only.clone() })
        .collect();
    ctx.events.step("looking for signatures");
    let redhat = RedHat::new(revoked, ctx);
    let mut resolver = Resolver::new(&gathered.candidates, ctx.now);
    if !wanted.keys.offline && !only_given {
        resolver = resolver.asking(redhat.late_keys());
    }
    let judge = Judge::new(resolver);
    let mut discovery = discover_all(&targets, &judge, &mut |place| {
        ctx.events.advance(&format!("looking for signatures: {} manifests of {}", place.read, place.name));
    })?;
    if discovery.places.iter().all(|p| p.read == 0) {
        return Err(nothing_readable(&discovery, &sources));
    }
    warn_of_absent(&discovery, &sources, ctx);
    warn_of_doubt(&discovery, ctx);
    warn_of_bundles(&discovery, &sources, ctx);
    for from in sources.iter().filter_map(|opened| opened.mirrored_from.as_ref()) {
        not_carried::compare(&mut discovery, from, ctx);
    }
    let mut resolution = judge.finish();
    let late = redhat.found();
    gathered.candidates.extend(late.candidates);
    left_out.extend(late.left_out);
    redhat::keep_proved(&mut gathered, &resolution);
    misplaced::report(&mut gathered, &mut resolution);
    let needs = resolution.answers.iter().flat_map(|answers| &answers.needs);
    let missing = needs.filter(|(_, answer)| matches!(answer, Answer::Missing { .. }));
    let revoked = missing.filter(|(need, _)| !need.is_unnamed() && left_out.iter().any(|key| need.fits(key)));
    let revoked = revoked.map(|(need, _)| (need.role(), need.id())).collect();
    Ok(Found { discovery: Arc::new(discovery), gathered, resolution: Arc::new(resolution), revoked })
}

/// The failure if no image could be read, with the first damage that was found.
fn nothing_readable(discovery: &Discovery<Verdict>, sources: &[Opened]) -> Diagnostic {
    let places: Vec<_> = discovery.places.iter().map(|p| p.name.as_str()).collect();
    let mut what = format!("{} holds no image that can be read", places.join(", "));
    let problems = discovery.images.iter().flat_map(|image| &image.problems);
    let problems = problems.chain(discovery.places.iter().flat_map(|place| &place.problems));
    // Content in other archives is covered by the advice.
    let damage = problems.filter(|problem| problem.code != Code::BlobElsewhere).collect::<Vec<_>>();
    if let Some(first) = damage.first() {
        what.push_str(&format!("; the first of {}: {}", count(damage.len(), "problem"), first.message));
    }
    let mut failure = Diagnostic::new(Code::NothingReadable, what);
    if let Some(first) = damage.first() {
        failure.hint = first.code.hint().into();
    } else if let Some(advice) = sources.iter().find_map(|opened| opened.source.abilities().advice) {
        failure.hint = advice.into();
    } else if sources.iter().all(|opened| opened.is_registry) {
        failure.hint =
            "check the name: the registry lists no image in a repository of this name or below it; \
                        or name the images with --images LIST"
                .into();
    }
    failure
}

/// Removes the revoked keys.
pub(super) fn leave_out(
    gathered: &mut Gathered,
    revoked: &dyn Fn(&Fingerprint) -> bool,
    ctx: &Context,
) -> Vec<Key> {
    let mut left_out = Vec::new();
    gathered.candidates.retain(|candidate| {
        let found = candidate.key.material.fingerprints().into_iter().find(|f| revoked(f));
        if let Some(key) = found {
            let source = &candidate.provenance.source;
            ctx.events.warn(&format!("the key {key} from {source} is revoked, and is left out"));
            left_out.push(candidate.key.clone());
        }
        found.is_none()
    });
    left_out
}

/// Warns of images that may have signatures although none is listed.
fn warn_of_doubt(discovery: &Discovery<Verdict>, ctx: &Context) {
    let mut doubts: BTreeMap<(&str, Doubt), usize> = BTreeMap::new();
    for image in discovery.images.iter().filter(|image| image.problems.is_empty()) {
        if let Some(doubt) = image.doubt {
            *doubts.entry((image.place(), doubt)).or_default() += 1;
        }
    }
    for ((place, doubt), unsigned) in doubts {
        let why = match doubt {
            Doubt::List => {
                "a list of tags may leave some out, as a cache's does: --images with the names of the images asks for \
                 each by name"
            }
            // There was already a warning when this was found.
            Doubt::Source => continue,
            Doubt::Login => {
                "the registry requires a login to list what refers to an image: give credentials for it (--authfile)"
            }
        };
        ctx.events.warn(&format!("{place}: no signature is listed for {}; {why}", count(unsigned, "image")));
    }
}

/// Warns if there are manifests in other archives, because signed images may be among them.
fn warn_of_absent(discovery: &Discovery<Verdict>, sources: &[Opened], ctx: &Context) {
    for (place, Opened { source, .. }) in discovery.places.iter().zip(sources) {
        if place.absent > 0 && source.abilities().completeness == Completeness::Partial {
            let advice =
                source.abilities().advice.unwrap_or("give the location that holds them as a further source");
            ctx.events.warn(&format!(
                "{} names {} that it does not hold, and signatures may be among them; {advice}",
                place.name,
                count(place.absent, "manifest")
            ));
        }
    }
}

/// Warns of images that oc-mirror would mirror without their signatures.
fn warn_of_bundles(discovery: &Discovery<Verdict>, sources: &[Opened], ctx: &Context) {
    let asked: Vec<_> = sources
        .iter()
        .filter_map(|opened| opened.to_be_mirrored.as_ref().map(|listed| (opened.source.place(), listed)))
        .map(|(place, (host, images))| Asked { place, host: host.to_string(), images })
        .collect();
    let decision = RegistriesD::decide(&asked, discovery);
    let bundles: Vec<_> = decision.repositories.into_iter().flat_map(|found| found.bundles).collect();
    not_carried::warn_of_bundles(&bundles, ctx);
}
