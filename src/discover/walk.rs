mod examine;
mod fallback;
mod finish;
mod record;
mod referrers;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{FoundSignature, Image, Keep, Other, Via, problem, store::Store};
use crate::{
    content::{self, Abilities, ContentError, Listed, Source},
    diag::Diagnostic,
    oci::{Descriptor, Digest, Document, ManifestError},
};
use examine::Examined;

/// A signature whose image is not in its own repository: place, repository, image, signature.
pub(super) type Loose<S> = (Arc<str>, Arc<str>, Digest, FoundSignature<S>);

/// What was found, each with its image.
type Found<S> = Vec<(Digest, Evidence<S>)>;

/// Manifests that are read before what they say is taken together.
const AT_ONCE: usize = 256;

/// A manifest that refers to an image, before it is read.
#[derive(Debug, Clone)]
struct Referrer {
    via: Via,
    descriptor: Descriptor,
    /// The image, where the place of the referrer tells it.
    subject: Option<Digest>,
}

/// Something that was found about an image.
enum Evidence<S> {
    Signature(FoundSignature<S>),
    Other(Other),
    /// A manifest that should hold signatures lies in another archive.
    Elsewhere(Via, Digest),
    /// What can't be told of the image.
    Problem(Diagnostic),
}

/// How many manifests of a place were read, and how many it names and does not hold.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) read: AtomicUsize,
    pub(super) absent: AtomicUsize,
}

/// Where a walk goes, and whom it tells.
pub(super) struct Route<'a, K> {
    pub(super) source: &'a dyn Source,
    /// The one image that is meant.
    pub(super) only: Option<&'a str>,
    /// Takes the signatures.
    pub(super) keep: &'a K,
    pub(super) store: &'a Store,
    pub(super) counts: &'a Counts,
    /// Called now and then.
    pub(super) progress: &'a (dyn Fn() + Sync),
}

/// The walk through one repository.
pub(super) struct Walk<'a, K: Keep> {
    route: &'a Route<'a, K>,
    abilities: Abilities<'a>,
    repository: Arc<str>,
    /// How messages name the place.
    place: Arc<str>,
    /// What failed first of what is about the place and not about content.
    failure: Mutex<Option<ContentError>>,
    images: BTreeMap<Digest, Image<K::Kept>>,
    /// Instances of lists, with the list.
    instances: HashMap<Digest, Digest>,
    /// The referrers that were read or will be.
    referrers: HashSet<Digest>,
    /// Referrers that wait until it is known which image is meant.
    waiting: Vec<Referrer>,
    /// Lists without a tag, with what they list: an older state of a fallback tag lists referrers.
    untagged: BTreeMap<Digest, Vec<Digest>>,
    found: Found<K::Kept>,
    problems: Vec<Diagnostic>,
}

/// What a walk found.
pub(super) struct Walked<S> {
    pub(super) images: Vec<Image<S>>,
    pub(super) loose: Vec<Loose<S>>,
    pub(super) problems: Vec<Diagnostic>,
    /// What failed first of what is about the place and not about content.
    pub(super) failure: Option<ContentError>,
}

impl<'a, K: Keep> Walk<'a, K> {
    pub(super) fn new(route: &'a Route<'a, K>, place: &Arc<str>, repository: &str) -> Self {
        Self {
            route,
            abilities: route.source.abilities(),
            repository: repository.into(),
            place: Arc::clone(place),
            failure: Mutex::default(),
            images: BTreeMap::new(),
            instances: HashMap::new(),
            referrers: HashSet::new(),
            waiting: Vec::new(),
            untagged: BTreeMap::new(),
            found: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads the repository to its end. What is wrong with one thing in it is a problem of that thing.
    pub(super) fn run(mut self) -> Walked<K::Kept> {
        if let Err(e) = self.list() {
            self.fail(e);
        }
        self.ask_for_referrers();
        self.read_sidecars();
        self.read_waiting();
        self.finish()
    }

    fn list(&mut self) -> Result<(), ContentError> {
        let (source, repository) = (self.route.source, self.repository.clone());
        let mut some = Vec::new();
        source.list(&repository, &mut |listed| match listed {
            Ok(listed) => {
                some.push(listed);
                if some.len() == AT_ONCE {
                    self.take(&std::mem::take(&mut some));
                }
            }
            Err(e) => self.fail(e),
        })?;
        self.take(&some);
        Ok(())
    }

    /// Reads the manifests of a part of the list, then notes what they are.
    fn take(&mut self, listed: &[Listed]) {
        let mut first = HashSet::new();
        let new: Vec<_> = listed
            .iter()
            .filter(|listed| {
                let digest = listed.descriptor.digest;
                let known = self.images.contains_key(&digest) || self.referrers.contains(&digest);
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

    /// Does the work for all items, as many at a time as the place allows.
    fn side_by_side<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let work = |item: &T| Ok::<_, std::convert::Infallible>(work(item));
        let Ok(done) = self.abilities.workers().map(items, work);
        done
    }

    /// Reads a manifest. `Ok(None)`: it is not here.
    fn read(&self, descriptor: &Descriptor) -> Result<Option<Document>, Unread> {
        match content::fetch_manifest(self.route.source, &self.repository, descriptor) {
            Ok(Some((_, document))) => {
                self.route.counts.read.fetch_add(1, Ordering::Relaxed);
                Ok(Some(document))
            }
            Ok(None) => {
                self.route.counts.absent.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Err(ContentError::Manifest(ManifestError::Schema1 { .. })) => Err(Unread::Schema1),
            Err(e) => Err(Unread::Problem(self.problem(e))),
        }
    }

    /// An error as a problem of the thing that it is about. That the place itself failed is kept beside it.
    fn problem(&self, error: ContentError) -> Diagnostic {
        let problem = problem(&error);
        if !is_about_content(&error) {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        problem
    }

    /// Notes what can't be told of the repository.
    fn fail(&mut self, error: ContentError) {
        let problem = self.problem(error);
        self.problems.push(problem);
    }
}

/// Why a manifest is not read.
enum Unread {
    /// It is a Docker schema 1 manifest.
    Schema1,
    /// It can't be read.
    Problem(Diagnostic),
}

/// Whether an error is about one piece of content and not about the place that holds it.
const fn is_about_content(error: &ContentError) -> bool {
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
