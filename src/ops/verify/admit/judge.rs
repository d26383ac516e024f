//! The verdict about each pull: what a reference leads to, which signatures the consumer reads there, what the policy says of them.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    super::Platform,
    by_mirror::{self, Called, Catalogs},
    instances::{self, find},
    load::Loaded,
    lookaside::Lookaside,
    pulls::Pull,
    read::{Missing, Reader},
};
use crate::{
    content::{Remote, Source},
    diag::{Code, Diagnostic},
    oci::Digest,
    ops::{Context, sources::Opened},
    outcome::admission::PullReport,
    policy::consumer::{Admission, Found, ImageName, Lookup, Matched, Pulled, Verdict},
    workers::WorkerPool,
};

/// A pull on one platform, with what is found of it.
pub(super) struct Judged<'a> {
    pub(super) pull: &'a Pull,
    /// The image that is pulled, if it is known.
    pub(super) image: Option<Digest>,
    pub(super) report: PullReport,
}

/// A verdict, where its requirements are from, and why, where it is not admitted.
type Verdicted = (Verdict, Option<Matched>, Option<Diagnostic>);

/// A verdict on one platform: the image that is pulled, and where its requirements are from.
type OnPlatform = (PullReport, Option<Digest>, Option<Matched>);

pub(super) struct Run<'a> {
    platforms: &'a [Platform],
    /// Those of the releases, where none is asked for.
    of_release: &'a [Platform],
    pub(super) loaded: &'a Loaded,
    pub(super) ctx: &'a Context,
    pub(super) lookaside: Lookaside,
    /// The hosts that images are pulled from by name.
    hosts: BTreeSet<String>,
    catalogs: Catalogs,
    /// The number of pulls that are judged.
    done: AtomicUsize,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        pulls: &[Pull],
        platforms: &'a [Platform],
        of_release: &'a [Platform],
        loaded: &'a Loaded,
        ctx: &'a Context,
    ) -> Self {
        let names = pulls.iter().filter_map(|pull| pull.name.as_ref());
        let hosts = names.filter_map(|name| name.name().split('/').next()).map(str::to_owned).collect();
        Self {
            platforms,
            of_release,
            loaded,
            ctx,
            lookaside: Lookaside::new(),
            hosts,
            catalogs: Catalogs::default(),
            done: AtomicUsize::new(0),
        }
    }

    /// Judges every pull on each platform. Also returns the scopes that matched one.
    pub(super) fn all<'p>(
        &self,
        opened: &[Opened],
        pulls: &'p [Pull],
    ) -> (Vec<Judged<'p>>, BTreeSet<String>) {
        // Images on disk wait for signature checks, those of a registry for its answers.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let local = WorkerPool::new(cores - 1);
        let (mut images, mut scopes) = (Vec::new(), BTreeSet::new());
        for of_place in pulls.chunk_by(|one, other| one.place == other.place) {
            let place = opened.iter().find(|opened| of_place[0].place == opened.source.place());
            let Some(source) = place.map(|opened| opened.source.as_ref()) else { continue };
            let workers = source.abilities().remote.map_or(&local, Remote::workers);
            let Ok(judged) = workers.map(of_place, |pull| {
                let number = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                self.ctx.events.advance(&format!("evaluating the policy: {number} of {} pulls", pulls.len()));
                Ok::<_, Infallible>(self.pull(source, pull))
            });
            for (pull, judged) in of_place.iter().zip(judged) {
                for (report, image, matched) in judged {
                    images.push(Judged { pull, image, report });
                    scopes.extend(match matched {
                        Some(Matched::Scope(scope)) => Some(scope),
                        _ => None,
                    });
                }
            }
        }
        (images, scopes)
    }

    /// Judges a pull on each platform.
    fn pull(&self, source: &dyn Source, pull: &Pull) -> Vec<OnPlatform> {
        let found = match self.find(source, pull) {
            Ok(found) => found,
            Err(why) => {
                let report = pull.report(None, Verdict::NotJudged, None, Some(why));
                return vec![(report, None, None)];
            }
        };
        let mut renamed = None;
        let mut judged: HashMap<Digest, Verdicted> = HashMap::new();
        let on_platform = |instance: instances::Found| {
            let (verdict, matched, cause) = match &instance.image {
                Ok(digest) => judged
                    .entry(*digest)
                    .or_insert_with(|| match by_mirror::name(source, pull, *digest, &self.catalogs) {
                        Ok(None) => self.judge(source, pull, *digest),
                        Ok(Some(called)) => {
                            let (verdict, own) = self.judge_by_mirror(source, pull, called, *digest);
                            renamed = own;
                            verdict
                        }
                        Err(why) => (Verdict::NotJudged, None, Some(why)),
                    })
                    .clone(),
                Err(why) => (Verdict::NotJudged, None, Some(why.clone())),
            };
            let report =
                renamed.as_ref().unwrap_or(pull).report(Some(&instance), verdict, matched.clone(), cause);
            (report, instance.image.ok(), matched)
        };
        found.into_iter().map(on_platform).collect()
    }

    /// What a pull leads to. Where the platforms are those of the release, a list without any of them is for other machines.
    fn find(&self, source: &dyn Source, pull: &Pull) -> Result<Vec<instances::Found>, Diagnostic> {
        if self.platforms.is_empty() {
            find(source, pull, self.of_release).or_else(|_| find(source, pull, &[]))
        } else {
            find(source, pull, self.platforms)
        }
    }

    /// Judges an image that is pulled by the mirror's name. Also returns the pull by that, if it is known.
    fn judge_by_mirror(
        &self,
        source: &dyn Source,
        pull: &Pull,
        called: Called,
        image: Digest,
    ) -> (Verdicted, Option<Pull>) {
        let (name, is_known) = match called {
            Called::Known(name) => (name, true),
            Called::Unknown(name) => (name, false),
        };
        let own = Pull { name: Some(name), ..pull.clone() };
        let (verdict, matched, cause) = self.judge(source, &own, image);
        if !is_known {
            let scopes = self.loaded.report.scopes.iter();
            return (by_mirror::without_mirror(verdict, matched, cause, &self.hosts, scopes), None);
        }
        let cause = match cause {
            Some(why) if verdict == Verdict::Refused && matches!(matched, Some(Matched::Scope(_))) => {
                Some(by_mirror::refused(&why))
            }
            cause => cause,
        };
        ((verdict, matched, cause), Some(own))
    }

    fn judge(&self, source: &dyn Source, pull: &Pull, image: Digest) -> Verdicted {
        let Some(name) = &pull.name else {
            // oc-mirror drops the host and keeps the path.
            let evaluator = &self.loaded.evaluator;
            if source.abilities().image_sets.is_some() && evaluator.is_outside_on_every_host(&pull.repository)
            {
                let why = "no scope of the policy is its own, whatever host it is from, and the default accepts anything";
                return (Verdict::Outside, None, Some(Diagnostic::new(Code::NotVerifiedByPolicy, why)));
            }
            let why = match pull.repository.as_str() {
                "" => "it has no name that a cluster pulls by: this location does not record repositories",
                _ => {
                    "it has no name that a cluster pulls by: this location does not record which host its repositories are from"
                }
            };
            return (Verdict::NotJudged, None, Some(Diagnostic::new(Code::PulledNameUnknown, why)));
        };
        if let Some(why) = pull.at.as_ref().and_then(|at| self.loaded.rules.refuses_contact(at.name())) {
            return (Verdict::Refused, None, Some(why));
        }
        // By what it is pulled from, not by what it is called (docker/docker_image_src.go).
        let at = pull.at.as_ref().unwrap_or(name);
        let lookup = self.loaded.registries.lookup(if self.loaded.by_name { name } else { at });
        let reader =
            Reader { source, repository: &pull.repository, ctx: self.ctx, lookaside: &self.lookaside };
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
        let admission = self.loaded.rules.explain(self.loaded.evaluator.admit(&pulled, self.ctx.now));
        (admission.verdict, Some(admission.matched), admission.cause)
    }

    /// What the policy would say if these were the sigstore signatures of an image here.
    pub(super) fn admits(
        &self,
        source: &dyn Source,
        pull: &Pull,
        name: &ImageName,
        image: Digest,
        attached: Vec<Found>,
    ) -> Result<Admission, Missing> {
        let at = pull.at.as_ref().unwrap_or(name);
        let lookup = self.loaded.registries.lookup(if self.loaded.by_name { name } else { at });
        let reader =
            Reader { source, repository: &pull.repository, ctx: self.ctx, lookaside: &self.lookaside };
        let mut found = reader.signatures(image, &Lookup { attachments: false, ..lookup }, at)?;
        found.extend(attached);
        let pulled = Pulled { name, image, attachments: true, signatures: Ok(&found) };
        Ok(self.loaded.evaluator.admit(&pulled, self.ctx.now))
    }
}
