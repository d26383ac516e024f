//! From the places that are named to what their signatures need.

use jiff::Timestamp;

use super::{
    args::Read,
    gather::add_payloads,
    images::images,
    misplaced,
    output::Output,
    places::{hosts, location},
    redhat,
};
use crate::{
    content::{self, Completeness, RegistrySource, Selection, Source},
    diag::{Code, Diagnostic},
    discover::{Discovery, Target, discover},
    display::count,
    key::Fingerprint,
    keysource::Gathered,
    resolve::{Question, Resolution, resolve},
};

/// Everything that the sources and the key sources give, resolved.
pub(super) struct Found {
    pub(super) discovery: Discovery,
    pub(super) gathered: Gathered,
    pub(super) resolution: Resolution,
}

/// Reads the sources and resolves what their signatures need.
///
/// A revoked key satisfies no need: it is no candidate at all.
pub(super) fn find(
    args: &Read,
    revoked: &dyn Fn(&Fingerprint) -> bool,
    now: Timestamp,
    output: &Output,
) -> Result<Found, Diagnostic> {
    let mut gathered = args.keys.gather(&args.wire, output)?;
    let sources = sources(args, output)?;
    for (source, _) in &sources {
        add_payloads(&mut gathered, source.as_ref())?;
    }
    gathered.tell_conflicts();
    leave_out(&mut gathered, revoked, output);
    let targets: Vec<_> =
        sources.iter().map(|(source, only)| Target { source: source.as_ref(), only: only.clone() }).collect();
    output.working("looking for signatures");
    let discovery = discover(&targets, &mut |place| {
        output.further(&format!("looking for signatures in {}: {} manifests", place.name, place.read));
    })?;
    if discovery.places.iter().all(|p| p.read == 0) {
        let places: Vec<_> = discovery.places.iter().map(|p| p.name.as_str()).collect();
        let mut what = format!("{} holds no image that can be read", places.join(", "));
        let problems = discovery.images.iter().flat_map(|image| &image.problems);
        let problems = problems.chain(discovery.places.iter().flat_map(|place| &place.problems));
        // What lies elsewhere is the advice's business.
        let damage = problems.filter(|problem| problem.code != Code::BlobElsewhere).collect::<Vec<_>>();
        if let Some(first) = damage.first() {
            what.push_str(&format!("; the first of {}: {}", count(damage.len(), "problem"), first.message));
        }
        let mut failure = Diagnostic::new(Code::NothingReadable, what);
        if let Some(first) = damage.first() {
            failure.hint = first.code.hint().into();
        } else if let Some(advice) = sources.iter().find_map(|(source, _)| source.abilities().advice) {
            failure.hint = advice.into();
        } else if places.iter().all(|place| place.starts_with("docker://")) {
            failure.hint =
                "check the name: the registry lists no image in a repository of this name or below it; \
                            or name the images by --images LIST"
                    .into();
        }
        return Err(failure);
    }
    tell_absent(&discovery, &sources, output);
    output.working("verifying signatures");
    let questions: Vec<_> = discovery
        .images
        .iter()
        .flat_map(|image| {
            image.signatures.iter().filter_map(|found| {
                found.content.as_ref().ok().map(|signature| Question { image: image.digest, signature })
            })
        })
        .collect();
    let mut resolution = resolve(&questions, &gathered.candidates, now);
    if !args.keys.offline() && redhat::ask(&mut gathered, &questions, &resolution, &args.wire, output) {
        leave_out(&mut gathered, revoked, output);
        resolution = resolve(&questions, &gathered.candidates, now);
        redhat::keep_proved(&mut gathered, &resolution);
    }
    misplaced::tell(&mut gathered, &mut resolution);
    Ok(Found { discovery, gathered, resolution })
}

/// Takes out the keys that somebody revoked who may say so.
fn leave_out(gathered: &mut Gathered, revoked: &dyn Fn(&Fingerprint) -> bool, output: &Output) {
    gathered.candidates.retain(|candidate| {
        let found = candidate.material.fingerprints().into_iter().find(|f| revoked(f));
        if let Some(key) = found {
            let source = &candidate.provenance.source;
            output.warn(&format!("the key {key} from {source} is revoked, and is left out"));
        }
        found.is_none()
    });
}

/// Says where manifests are named and lie in another archive: what is signed may be among them.
fn tell_absent(discovery: &Discovery, sources: &[(Box<dyn Source>, Option<String>)], output: &Output) {
    for (place, (source, _)) in discovery.places.iter().zip(sources) {
        if place.absent > 0 && source.abilities().completeness == Completeness::Partial {
            let advice =
                source.abilities().advice.unwrap_or("give the place that holds them as a further source");
            output.warn(&format!(
                "{} names {} that it does not hold, and signatures may be among them; {advice}",
                place.name,
                count(place.absent, "manifest")
            ));
        }
    }
}

/// A place, and the one image of it that is meant.
type Opened = (Box<dyn Source>, Option<String>);

/// Opens the places, or the registries of the images that `--images` lists; each with the one image that is meant.
fn sources(args: &Read, output: &Output) -> Result<Vec<Opened>, Diagnostic> {
    let locations = args.sources.iter().map(|s| location(s)).collect::<Result<Vec<_>, _>>()?;
    let options = || args.wire.options(output);
    if args.keys.offline() && (args.images.is_some() || hosts(&locations) > 0) {
        return Err(Diagnostic::usage("--no-network forbids to read a registry", "name a place on the disk"));
    }
    if let Some(list) = &args.images {
        if locations.len() > 1 {
            return Err(Diagnostic::usage(
                "--images goes with one SOURCE at most",
                "run keypack once for each registry",
            ));
        }
        let images = images(list, locations.first(), &args.wire, output)?;
        args.wire.check(images.len())?;
        return Ok(images
            .into_iter()
            .map(|(host, images)| -> Opened {
                (Box::new(RegistrySource::new(host, Selection::Images(images), options())), None)
            })
            .collect());
    }
    args.wire.check(hosts(&locations))?;
    output.further("opening");
    let mut of_oc_mirror = args.cache.open(&locations, output)?.into_iter();
    let mut sources: Vec<(Box<dyn Source>, _)> = Vec::new();
    for location in &locations {
        output.working(&format!("opening {location}"));
        let source = match content::oc_mirror_path(location).and_then(|_| of_oc_mirror.next()) {
            Some(source) => Box::new(source),
            None => content::open_source(location, &options)?,
        };
        sources.push((source, location.reference()));
    }
    Ok(sources)
}
