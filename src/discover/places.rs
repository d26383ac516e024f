//! Searches several locations: each is walked separately, then signatures are assigned to their images.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use super::{
    Discovery, Home, Image, Keep, Kind, Place, Target, Whole,
    carrier::file_signature,
    keep::{kept, push},
    problem,
    store::Store,
    walk::{Counts, Loose, Route, Walk, Walked},
};
use crate::content::ContentError;

/// Finds all images and signatures in these locations, and keeps whole signatures: see [`discover_all`].
pub fn discover(
    targets: &[Target<'_>],
    progress: &mut (dyn FnMut(&Place) + Send),
) -> Result<Discovery, ContentError> {
    discover_all(targets, &Whole, progress)
}

/// Finds all images and signatures in these locations; `keep` takes each signature when it is found. A signature whose
/// image is in another of the locations is assigned to it; if the image is in none, the signature is listed with an
/// absent image, because its keys are needed nevertheless.
///
/// A read error is a problem of the thing that could not be read. `Err`: the only location can't be read at all, or
/// does not contain the selected image.
///
/// `progress` is called from time to time.
pub fn discover_all<K: Keep>(
    targets: &[Target<'_>],
    keep: &K,
    progress: &mut (dyn FnMut(&Place) + Send),
) -> Result<Discovery<K::Kept>, ContentError> {
    let mut discovery = Discovery::default();
    let mut loose = Vec::new();
    let store = Store::new(K::WHOLE);
    let progress = Mutex::new(progress);
    for target in targets {
        let first = discovery.images.len();
        let (mut walked, place) = walk(target, keep, &store, &progress);
        if let Some(e) = walked.failure.take().filter(|_| place.read == 0) {
            if targets.len() == 1 {
                return Err(e);
            }
            discovery.places.push(Place { problems: vec![problem(&e)], ..place });
            continue;
        }
        append(&mut discovery.images, walked.images);
        append(&mut loose, walked.loose);
        if let Some(only) = &target.only {
            keep_only(&mut discovery.images, first, only, &place.name)?;
            loose.retain(|(_, image, signature)| {
                discovery.images[first..].iter().any(|i| i.digest == *image)
                    || only == &image.to_string()
                    || signature.is_for_nobody(image)
            });
        }
        discovery.places.push(Place { problems: walked.problems, unreadable: walked.unreadable, ..place });
    }
    bring_home(&mut discovery.images, loose);
    Ok(discovery)
}

/// Puts one list behind another, without a copy where that is empty.
fn append<T>(all: &mut Vec<T>, more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.extend(more);
    }
}

/// Walks through one location. Returns what it found, and the location with its counts.
fn walk<K: Keep>(
    target: &Target<'_>,
    keep: &K,
    store: &Store,
    progress: &Mutex<&mut (dyn FnMut(&Place) + Send)>,
) -> (Walked<K::Kept>, Place) {
    let (abilities, counts) = (target.source.abilities(), Counts::default());
    let name: Arc<str> = target.source.place().into();
    let so_far = || Place {
        name: name.to_string(),
        host: target.source.host().cloned(),
        read: counts.read.load(Ordering::Relaxed),
        absent: counts.absent.load(Ordering::Relaxed),
        problems: Vec::new(),
        unreadable: 0,
    };
    let route = Route {
        source: target.source,
        only: target.only.as_deref(),
        keep,
        store,
        counts: &counts,
        progress: &|| (progress.lock().unwrap_or_else(PoisonError::into_inner))(&so_far()),
    };
    let mut all =
        Walked { images: Vec::new(), loose: Vec::new(), problems: Vec::new(), unreadable: 0, failure: None };
    match target.source.repositories() {
        Err(e) => all.failure = Some(e),
        Ok(repositories) => {
            let walk = |repository: &String| Ok::<_, Infallible>(Walk::new(&route, &name, repository).run());
            let Ok(walked) = abilities.workers().map(&repositories, walk);
            for walked in walked {
                append(&mut all.images, walked.images);
                append(&mut all.loose, walked.loose);
                append(&mut all.problems, walked.problems);
                all.unreadable += walked.unreadable;
                all.failure = all.failure.or(walked.failure);
            }
        }
    }
    if let Some(detached) = abilities.detached {
        let home = Arc::new(Home { place: name.clone(), repository: "".into() });
        let result = detached.detached(&mut |image, file| {
            let found = kept(keep, vec![(image, file_signature(file))]);
            all.loose
                .extend(found.into_iter().map(|(image, signature)| (Arc::clone(&home), image, signature)));
        });
        if let Err(e) = result {
            all.problems.push(problem(&e));
            all.failure = all.failure.or(Some(e));
        }
    }
    (all, so_far())
}

fn keep_only<S>(
    images: &mut Vec<Image<S>>,
    first: usize,
    only: &str,
    place: &str,
) -> Result<(), ContentError> {
    let wanted = |i: &Image<S>| i.tags.iter().any(|t| t == only) || i.digest.to_string() == only;
    let roots: BTreeSet<_> = images[first..].iter().filter(|i| wanted(i)).map(|i| i.digest).collect();
    if roots.is_empty() {
        let kind = if only.starts_with("sha256:") { "manifest" } else { "tag" };
        return Err(ContentError::NoSuchName { place: place.into(), name: format!("{kind} {only}") });
    }
    let mut index = 0;
    images.retain(|i| {
        index += 1;
        index <= first || wanted(i) || i.list().is_some_and(|list| roots.contains(&list))
    });
    Ok(())
}

/// Assigns signatures whose image is not in their own repository to that image.
fn bring_home<S>(images: &mut Vec<Image<S>>, loose: Vec<Loose<S>>) {
    let (mut here, mut absent) = (HashMap::new(), HashMap::new());
    if !loose.is_empty() {
        for (index, image) in images.iter().enumerate() {
            if image.kind == Kind::Absent {
                absent.insert((Arc::clone(&image.home), image.digest), index);
            } else {
                here.entry(image.digest).or_insert(index);
            }
        }
    }
    for (home, digest, signature) in loose {
        if signature.is_for_nobody(&digest)
            && let Some(index) = only_image(images, &home)
        {
            images[index].signatures.push(signature);
            continue;
        }
        let name = (Arc::clone(&home), digest);
        if let Some(index) = here.get(&digest).or_else(|| absent.get(&name)) {
            push(&mut images[*index].signatures, signature);
            continue;
        }
        absent.insert(name, images.len());
        let mut image = Image::new(&home, digest, Kind::Absent);
        image.signatures.push(signature);
        images.push(image);
    }
}

/// The image of a repository, if it has only one: an unreadable artifact next to it may be its signature.
fn only_image<S>(images: &[Image<S>], home: &Home) -> Option<usize> {
    let mut here = images.iter().enumerate().filter(|(_, image)| {
        *image.home == *home && image.instance_of.is_none() && image.kind != Kind::Absent
    });
    let (index, _) = here.next()?;
    here.next().is_none().then_some(index)
}
