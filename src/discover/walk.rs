mod examine;
mod fallback;
mod findings;
mod finish;
mod images;
mod record;
mod referrers;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    FoundSignature, Home, Image, Keep, Other, Via,
    names::{TagName, tag_name},
    problem,
    store::Store,
};
use crate::{
    content::{self, Abilities, ContentError, Listed, Source},
    diag::{Code, Diagnostic},
    oci::{Descriptor, Digest, Document, ManifestError},
};
use examine::Examined;
use findings::Findings;
use images::Images;

/// A signature whose image is not in its own repository: where it is, image, signature.
pub(super) type Loose<S> = (Arc<Home>, Digest, FoundSignature<S>);

/// Findings, each with its image.
type Found<S> = Vec<(Digest, Evidence<S>)>;

/// The number of manifests that are read before their content is evaluated.
const AT_ONCE: usize = 256;

/// A manifest that refers to an image, not read yet.
#[derive(Debug, Clone)]
struct Referrer {
    via: Via,
    descriptor: Descriptor,
    /// The image, if the referrer's location shows it.
    subject: Option<Digest>,
}

/// A finding about an image.
enum Evidence<S> {
    Signature(FoundSignature<S>),
    Other(Other),
    /// A manifest that should contain signatures is in another archive.
    Elsewhere(Via, Digest),
    /// Something about the image that could not be determined.
    Problem(Box<Diagnostic>),
}

/// The number of manifests of a location that were read, and of those that are listed but missing.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) read: AtomicUsize,
    pub(super) absent: AtomicUsize,
}

/// The input of a walk.
pub(super) struct Route<'a, K> {
    pub(super) source: &'a dyn Source,
    /// The only image to look at, if set.
    pub(super) only: Option<&'a str>,
    /// Takes the signatures.
    pub(super) keep: &'a K,
    pub(super) store: &'a Store,
    pub(super) counts: &'a Counts,
    /// Called from time to time.
    pub(super) progress: &'a (dyn Fn() + Sync),
}

/// The walk through one repository.
pub(super) struct Walk<'a, K: Keep> {
    route: &'a Route<'a, K>,
    abilities: Abilities<'a>,
    home: Arc<Home>,
    /// The first error that concerns the location and not its content.
    failure: Mutex<Option<ContentError>>,
    images: Images<K::Kept>,
    /// Instances of indexes, with their index.
    instances: HashMap<Digest, Digest>,
    /// Referrers that can't be read before the selected image is known.
    waiting: Vec<Referrer>,
    /// Untagged indexes, with their entries: an old state of a fallback tag lists referrers.
    untagged: BTreeMap<Digest, Vec<Digest>>,
    /// What was found, and the referrers that have been or will be read.
    found: Findings<K::Kept>,
    problems: Vec<Diagnostic>,
    /// The number of images for which not even the digest could be read.
    unreadable: usize,
    /// Why the location could not be asked what refers to its images.
    unasked: Option<Diagnostic>,
}

/// The result of a walk.
pub(super) struct Walked<S> {
    pub(super) images: Vec<Image<S>>,
    pub(super) loose: Vec<Loose<S>>,
    pub(super) problems: Vec<Diagnostic>,
    /// The number of images for which not even the digest could be read.
    pub(super) unreadable: usize,
    /// The first error that concerns the location and not its content.
    pub(super) failure: Option<ContentError>,
}

impl<'a, K: Keep> Walk<'a, K> {
    pub(super) fn new(route: &'a Route<'a, K>, place: &Arc<str>, repository: &str) -> Self {
        Self {
            route,
            abilities: route.source.abilities(),
            home: Arc::new(Home { place: Arc::clone(place), repository: repository.into() }),
            failure: Mutex::default(),
            images: Images::new(),
            instances: HashMap::new(),
            waiting: Vec::new(),
            untagged: BTreeMap::new(),
            found: Findings::new(),
            problems: Vec::new(),
            unreadable: 0,
            unasked: None,
        }
    }

    /// Walks through the whole repository. An error about one thing in it is a problem of that thing.
    pub(super) fn run(mut self) -> Walked<K::Kept> {
        if let Err(e) = self.list() {
            self.not_given(e);
        }
        self.ask_for_referrers();
        self.read_sidecars();
        self.read_waiting();
        self.finish()
    }

    fn list(&mut self) -> Result<(), ContentError> {
        let (source, repository) = (self.route.source, Arc::clone(&self.home.repository));
        let mut some = Vec::new();
        source.list(&repository, &mut |listed| match listed {
            Ok(listed) => {
                some.push(listed);
                if some.len() == AT_ONCE {
                    self.take(&std::mem::take(&mut some));
                }
            }
            Err(e) => self.not_given(e),
        })?;
        self.take(&some);
        Ok(())
    }

    /// Records something unreadable: if it has a name, as a problem of the image that the name refers to, or as an
    /// unreadable image.
    fn not_given(&mut self, error: ContentError) {
        let about = match &error {
            ContentError::OfName { name, .. } => tag_name(name),
            _ => return self.fail(error),
        };
        let about = match about {
            TagName::Signature(image)
            | TagName::Attestation(image)
            | TagName::Sbom(image)
            | TagName::Digest(image) => Some(image),
            TagName::Image => None,
        };
        let problem = self.problem(error);
        if let Some(image) = about {
            self.found.push(image, Evidence::Problem(Box::new(problem)));
            return;
        }
        // A requested name that does not exist is not an image.
        if problem.code != Code::NameUnknown {
            self.unreadable += 1;
        }
        self.problems.push(problem);
    }

    /// Reads the manifests of a part of the list, then records what they are.
    fn take(&mut self, listed: &[Listed]) {
        let mut first = HashSet::new();
        let new: Vec<_> = listed
            .iter()
            .filter(|listed| {
                let digest = listed.descriptor.digest;
                let known = self.images.contains(&digest) || self.found.contains(&digest);
                !known && first.insert(digest)
            })
            .collect();
        let examined = self.side_by_side(&new, |listed| self.examine(listed));
        let mut examined: HashMap<_, _> =
            new.iter().map(|listed| listed.descriptor.digest).zip(examined).collect();
        for listed in listed {
            let examined = examined.remove(&listed.descriptor.digest);
            self.note(listed, examined.unwrap_or(Examined::Known));
        }
        (self.route.progress)();
    }

    /// Does the work for all items, as many at a time as the location supports.
    fn side_by_side<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let work = |item: &T| Ok::<_, std::convert::Infallible>(work(item));
        let Ok(done) = self.abilities.workers().map(items, work);
        done
    }

    /// Reads a manifest. `Ok(None)` if it is missing.
    fn read(&self, descriptor: &Descriptor) -> Result<Option<Document>, Unread> {
        match content::fetch_manifest(self.route.source, &self.home.repository, descriptor) {
            Ok(Some((_, document))) => {
                self.route.counts.read.fetch_add(1, Ordering::Relaxed);
                Ok(Some(document))
            }
            Ok(None) => {
                self.route.counts.absent.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Err(ContentError::Manifest(ManifestError::Schema1 { .. })) => {
                self.route.counts.read.fetch_add(1, Ordering::Relaxed);
                Err(Unread::Schema1)
            }
            Err(e) => Err(Unread::Problem(self.problem(e))),
        }
    }

    /// Converts an error to a problem of the thing that it concerns. A failure of the location itself is recorded too.
    fn problem(&self, error: ContentError) -> Diagnostic {
        let problem = problem(&error);
        if !is_about_content(&error) {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        problem
    }

    /// Records an error about the repository.
    fn fail(&mut self, error: ContentError) {
        let problem = self.problem(error);
        self.problems.push(problem);
    }
}

/// Why a manifest can't be read.
enum Unread {
    /// It is a Docker schema 1 manifest.
    Schema1,
    /// It can't be read.
    Problem(Diagnostic),
}

/// Whether an error concerns one piece of content and not its location.
fn is_about_content(error: &ContentError) -> bool {
    let error = if let ContentError::OfName { why, .. } = error { why } else { error };
    matches!(
        error,
        ContentError::Blob(_)
            | ContentError::Manifest(_)
            | ContentError::TooLarge { .. }
            | ContentError::MissingBlob { .. }
            | ContentError::NoSuchName { .. }
            | ContentError::Malformed { .. }
            | ContentError::TooManySignatures { .. }
            | ContentError::UncheckedEntry { .. }
    )
}
