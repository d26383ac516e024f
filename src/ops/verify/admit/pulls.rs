//! Which pulls there are: the one that is named, those of a list, or every image of a place by each of its tags and by digest.

use std::collections::BTreeSet;

use super::{super::names::Namer, instances::Found};
use crate::{
    content::{Name, Source},
    diag::{Code, Diagnostic},
    discover::{Image, Kind, TagName, Target, discover_all, tag_name},
    oci::Digest,
    ops::{Context, not_carried::Nothing, sources::Opened},
    outcome::{SourceReport, admission::PullReport},
    policy::{
        consumer::{Form, ImageName, Matched, Verdict},
        mapping,
    },
};

/// A pull.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Pull {
    /// The place, as its source names it.
    pub(super) place: String,
    /// The repository there.
    pub(super) repository: String,
    /// The tag or the digest.
    pub(super) reference: String,
    /// What it is called where it lies, if that is a registry.
    pub(in crate::ops) at: Option<ImageName>,
    /// By which name the cluster pulls it.
    pub(in crate::ops) name: Option<ImageName>,
}

impl Pull {
    /// `tags` are those of the image: in a layout, they may be whole names.
    pub(super) fn of(
        place: &Opened,
        repository: &str,
        reference: &str,
        tags: &[String],
        namer: &Namer,
    ) -> Self {
        let source = place.source.as_ref();
        let at = source.host().and_then(|host| ImageName::of(&format!("{host}/{repository}"), reference));
        let digest = reference.parse::<Digest>().unwrap_or_else(|_| Digest::of(b""));
        let is_tag = !reference.contains(':') || reference.contains('/');
        let own = [reference.to_owned()];
        let tags = if is_tag { &own } else { tags };
        let host = source.host().map_or_else(|| source.place(), |host| format!("docker://{host}"));
        let way = if reference.starts_with("sha256:") { mapping::Pull::Digest } else { mapping::Pull::Tag };
        let source_name = namer.pulled(&host, repository, tags, digest, way);
        // A layout may have whole names for tags: what is behind the last colon is the tag then.
        let short = reference.rsplit_once('/').map_or(reference, |(_, last)| last);
        let short = if reference.contains('/') {
            short.split_once(':').map_or("latest", |(_, tag)| tag)
        } else {
            reference
        };
        let name = source_name.and_then(|name| ImageName::of(&name, short));
        Self {
            place: source.place(),
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            at,
            name,
        }
    }

    /// Whether it is an image of a release: a cluster pulls those by digest alone.
    pub(super) fn is_of_release(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.name().starts_with("quay.io/openshift-release-dev/"))
    }

    /// What is found of it.
    pub(super) fn report(
        &self,
        found: Option<&Found>,
        verdict: Verdict,
        matched: Option<Matched>,
        cause: Option<Diagnostic>,
    ) -> PullReport {
        let form = if self.reference.starts_with("sha256:") { Form::Digest } else { Form::Tag };
        let separator = if form == Form::Digest { '@' } else { ':' };
        let own = || match self.repository.as_str() {
            "" => format!("{}{separator}{}", self.place, self.reference),
            repository => format!("{repository}{separator}{}", self.reference),
        };
        PullReport {
            source: self.place.clone(),
            repository: self.repository.clone(),
            reference: self.at.as_ref().map_or_else(own, ToString::to_string),
            form: if form == Form::Digest { "digest" } else { "tag" },
            name: self.name.as_ref().map(ToString::to_string),
            digest: found.map(|found| found.named),
            platform: found.and_then(|found| found.platform.clone()),
            instance: found
                .and_then(|found| found.image.as_ref().ok().copied().filter(|image| *image != found.named)),
            verdict,
            scope: matched.map(|matched| match matched {
                Matched::Scope(scope) => scope,
                Matched::Transport => "docker".into(),
                Matched::Default => "default".into(),
            }),
            code: cause.as_ref().map(|cause| cause.code),
            cause: cause.as_ref().map(|cause| cause.message.clone()),
            hint: cause.map(|cause| cause.hint.into_owned()),
            fix: None,
        }
    }
}

/// The pulls of these places.
pub(super) fn of(
    opened: &[Opened],
    are_listed: bool,
    namer: &Namer,
    ctx: &Context,
) -> Result<(Vec<Pull>, Vec<SourceReport>), Diagnostic> {
    let (mut pulls, mut places, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for place in opened {
        let source = place.source.as_ref();
        match &place.only {
            Some(reference) => {
                let repositories = source.repositories()?;
                let repository = repositories.first().map_or("", String::as_str);
                pulls.push(Pull::of(place, repository, reference, &[], namer));
                places.push(SourceReport {
                    place: source.place(),
                    read: 1,
                    absent: 0,
                    unreadable: 0,
                    problems: Vec::new(),
                });
            }
            None if are_listed => places.push(listed(place, source, namer, &mut pulls)?),
            None => whole.push(place),
        }
    }
    if !whole.is_empty() {
        let targets: Vec<_> =
            whole.iter().map(|opened| Target { source: opened.source.as_ref(), only: None }).collect();
        let found = discover_all(&targets, &Nothing, &mut |place| {
            ctx.events.advance(&format!("looking for images in {}: {} manifests", place.name, place.read));
        })?;
        places.extend(
            found.places.iter().zip(&whole).map(|(place, opened)| super::super::of_place(place, opened)),
        );
        for image in &found.images {
            let place = whole.iter().find(|opened| opened.source.place() == image.place());
            if let Some(place) = place {
                of_image(place, image, namer, &mut pulls);
            }
        }
    }
    if pulls.is_empty() {
        let names: Vec<_> = places.iter().map(|place| place.place.as_str()).collect();
        let what = format!("{} holds no image that can be read", names.join(", "));
        return Err(Diagnostic::new(Code::NothingReadable, what));
    }
    Ok((pulls, places))
}

/// Each image of a list, in the form in which the list has it. A registry adds the signatures of the images, which nobody
/// pulls.
fn listed(
    place: &Opened,
    source: &dyn Source,
    namer: &Namer,
    pulls: &mut Vec<Pull>,
) -> Result<SourceReport, Diagnostic> {
    let mut report =
        SourceReport { place: source.place(), read: 0, absent: 0, unreadable: 0, problems: Vec::new() };
    let mut seen = BTreeSet::new();
    for repository in source.repositories()? {
        source.list(&repository, &mut |listed| match listed {
            Ok(listed) => {
                report.read += 1;
                let digest = listed.descriptor.digest;
                let by_digest = Pull::of(place, &repository, &digest.to_string(), &[], namer);
                let pull = match listed.name {
                    Name::Untagged | Name::Unlisted => by_digest,
                    Name::Tag(tag) => match tag_name(&tag) {
                        TagName::Image if by_digest.is_of_release() => by_digest,
                        TagName::Image => Pull::of(place, &repository, &tag, &[], namer),
                        // oc-mirror's own tag of an image that is pulled by digest.
                        TagName::Digest(own) if own == digest => by_digest,
                        _ => return,
                    },
                };
                if seen.insert((repository.clone(), pull.reference.clone())) {
                    pulls.push(pull);
                }
            }
            Err(e) => report.problems.push(e.into()),
        })?;
    }
    Ok(report)
}

fn of_image(place: &Opened, image: &Image<()>, namer: &Namer, pulls: &mut Vec<Pull>) {
    let is_pulled = matches!(image.kind, Kind::Image | Kind::Index | Kind::Unreadable);
    if !is_pulled || image.instance_of.is_some() {
        return;
    }
    let of = |reference: &str| Pull::of(place, image.repository(), reference, &image.tags, namer);
    // oc-mirror's own tag of an image that is pulled by digest.
    let own = format!("sha256-{}", image.digest.hex());
    // The end of a whole name that the image has too.
    let is_short = |tag: &String| {
        image.tags.iter().any(|whole| whole.contains('/') && whole.ends_with(&format!(":{tag}")))
    };
    let digest = of(&image.digest.to_string());
    // A cluster pulls the images of its release by digest alone.
    if !digest.is_of_release() {
        pulls.extend(image.tags.iter().filter(|tag| **tag != own && !is_short(tag)).map(|tag| of(tag)));
    }
    pulls.push(digest);
}
