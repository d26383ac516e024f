//! Several places together: each is walked alone, then signatures are brought to the images that they speak for.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::{Mutex, PoisonError, atomic::Ordering},
};

use super::{
    Discovery, Image, Kind, Place, Target,
    carrier::file_signature,
    problem,
    store::Store,
    walk::{Counts, Loose, Route, Walk},
};
use crate::content::ContentError;

/// Finds all images and signatures of these places. A signature whose image lies in another of the places is
/// brought to it; one whose image is nowhere is listed with an absent image, for its keys are needed all the same.
///
/// What can't be read is a problem of that thing. `Err`: the only place can't be read at all, or does not hold the one
/// image that is meant.
///
/// `progress` is called now and then.
pub fn discover(
    targets: &[Target<'_>],
    progress: &mut (dyn FnMut(&Place) + Send),
) -> Result<Discovery, ContentError> {
    let mut discovery = Discovery::default();
    let mut loose = Vec::new();
    let store = Store::default();
    let progress = Mutex::new(progress);
    for target in targets {
        let first = discovery.images.len();
        let name = target.source.place();
        let mut place = Place { name, ..Place::default() };
        if let Err(e) = walk(target, &store, &progress, &mut place, &mut discovery.images, &mut loose) {
            if targets.len() == 1 {
                return Err(e);
            }
            place.problems.push(problem(&e));
        } else if let Some(only) = &target.only {
            keep_only(&mut discovery.images, first, only, &place.name)?;
            loose.retain(|(_, _, image, _)| {
                discovery.images[first..].iter().any(|i| i.digest == *image) || only == &image.to_string()
            });
        }
        discovery.places.push(place);
    }
    bring_home(&mut discovery.images, loose);
    Ok(discovery)
}

/// Walks through one place. `Err`: nothing of it can be read.
fn walk(
    target: &Target<'_>,
    store: &Store,
    progress: &Mutex<&mut (dyn FnMut(&Place) + Send)>,
    place: &mut Place,
    images: &mut Vec<Image>,
    loose: &mut Vec<Loose>,
) -> Result<(), ContentError> {
    let (abilities, counts) = (target.source.abilities(), Counts::default());
    let so_far = |name: &str| Place {
        name: name.to_owned(),
        read: counts.read.load(Ordering::Relaxed),
        absent: counts.absent.load(Ordering::Relaxed),
        problems: Vec::new(),
    };
    let name = place.name.clone();
    let tell = || (progress.lock().unwrap_or_else(PoisonError::into_inner))(&so_far(&name));
    let route = Route {
        source: target.source,
        only: target.only.as_deref(),
        store,
        counts: &counts,
        progress: &tell,
    };
    let walked = abilities.workers().map(&target.source.repositories()?, |repository| {
        Ok::<_, Infallible>(Walk::new(route, repository).run())
    });
    let Ok(walked) = walked;
    let mut failure = None;
    let mut problems = Vec::new();
    for walked in walked {
        images.extend(walked.images);
        loose.extend(walked.loose);
        problems.extend(walked.problems);
        failure = failure.or(walked.failure);
    }
    if let Some(detached) = abilities.detached {
        detached.detached(&mut |image, file| {
            loose.push((name.clone(), String::new(), image, file_signature(file, store)));
        })?;
    }
    *place = Place { problems, ..so_far(&name) };
    match failure {
        Some(e) if place.read == 0 => {
            place.problems.clear();
            Err(e)
        }
        _ => Ok(()),
    }
}

fn keep_only(images: &mut Vec<Image>, first: usize, only: &str, place: &str) -> Result<(), ContentError> {
    let wanted = |i: &Image| i.tags.iter().any(|t| t == only) || i.digest.to_string() == only;
    let roots: BTreeSet<_> = images[first..].iter().filter(|i| wanted(i)).map(|i| i.digest).collect();
    if roots.is_empty() {
        let kind = if only.starts_with("sha256:") { "manifest" } else { "tag" };
        return Err(ContentError::NoSuchName { place: place.into(), name: format!("{kind} {only}") });
    }
    let mut index = 0;
    images.retain(|i| {
        index += 1;
        index <= first || wanted(i) || i.instance_of.is_some_and(|list| roots.contains(&list))
    });
    Ok(())
}

/// Brings signatures whose image was not in their own repository to that image.
fn bring_home(images: &mut Vec<Image>, loose: Vec<Loose>) {
    let (mut here, mut absent) = (HashMap::new(), HashMap::new());
    if !loose.is_empty() {
        for (index, image) in images.iter().enumerate() {
            if image.kind == Kind::Absent {
                absent.insert((image.place.clone(), image.repository.clone(), image.digest), index);
            } else {
                here.entry(image.digest).or_insert(index);
            }
        }
    }
    for (place, repository, digest, signature) in loose {
        let name = (place, repository, digest);
        if let Some(index) = here.get(&digest).or_else(|| absent.get(&name)) {
            images[*index].signatures.push(signature);
            continue;
        }
        absent.insert(name.clone(), images.len());
        let (place, repository, _) = name;
        images.push(Image {
            place,
            repository,
            tags: Vec::new(),
            digest,
            kind: Kind::Absent,
            instance_of: None,
            signatures: vec![signature],
            others: Vec::new(),
            problems: Vec::new(),
        });
    }
}
