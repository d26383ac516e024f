//! Several places together: each is walked alone, then signatures are brought to the images that they speak for.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    Discovery, Image, Kind, Place, Problem, Target,
    carrier::file_signature,
    store::Store,
    walk::{Loose, Walk},
};
use crate::content::ContentError;

/// Finds all images and signatures of these places. A signature whose image lies in another of the places is
/// brought to it; one whose image is nowhere is listed with an absent image, for its keys are needed all the same.
///
/// `progress` is called after each repository.
pub fn discover(
    targets: &[Target<'_>],
    progress: &mut (dyn FnMut(&Place) + Send),
) -> Result<Discovery, ContentError> {
    let mut discovery = Discovery::default();
    let mut loose = Vec::new();
    let store = Store::default();
    for target in targets {
        let place = Place { name: target.source.place(), read: 0, absent: 0, problems: Vec::new() };
        let first = discovery.images.len();
        let counted = Mutex::new((place, &mut *progress));
        let walked =
            target.source.abilities().workers().map(&target.source.repositories()?, |repository| {
                let mut walk = Walk::new(target.source, repository, &store);
                walk.list()?;
                walk.follow_api()?;
                walk.read_carriers(target.only.as_deref());
                let problems: Vec<_> =
                    target.source.problems(repository)?.iter().map(Problem::from).collect();
                let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                let (place, progress) = &mut *counted;
                let (read, absent) = walk.counts();
                place.read += read;
                place.absent += absent;
                progress(place);
                drop(counted);
                Ok::<_, ContentError>((walk.finish(), problems))
            })?;
        let (mut place, _) = counted.into_inner().unwrap_or_else(PoisonError::into_inner);
        for ((images, left), problems) in walked {
            discovery.images.extend(images);
            loose.extend(left);
            place.problems.extend(problems);
        }
        if let Some(detached) = target.source.abilities().detached {
            detached.detached(&mut |image, file| {
                loose.push((place.name.clone(), String::new(), image, file_signature(file, &store)));
            })?;
        }
        if let Some(only) = &target.only {
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

fn bring_home(images: &mut Vec<Image>, loose: Vec<Loose>) {
    for (place, repository, digest, signature) in loose {
        if let Some(image) = images.iter_mut().find(|i| i.digest == digest && i.kind != Kind::Absent) {
            image.signatures.push(signature);
        } else if let Some(image) =
            images.iter_mut().find(|i| i.digest == digest && i.place == place && i.repository == repository)
        {
            image.signatures.push(signature);
        } else {
            images.push(Image {
                place,
                repository,
                tags: Vec::new(),
                digest,
                kind: Kind::Absent,
                instance_of: None,
                signatures: vec![signature],
                problems: Vec::new(),
            });
        }
    }
}
