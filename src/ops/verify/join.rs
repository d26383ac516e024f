//! How verdicts on indexes and their instances affect each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lists::{Instance, Lists};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Image},
    oci::Digest,
    outcome::verify::{ImageVerdict, SignatureState, VerifyState},
};

/// Combines the verdicts on indexes and their instances: a valid index covers its instances, because it contains their
/// digests; and an index whose instances are all valid is valid, because one of them is what runs.
pub(super) fn join(
    images: &mut Vec<ImageVerdict>,
    lists: &HashMap<(String, String, Digest), Result<Vec<Instance>, Diagnostic>>,
    platforms: bool,
) {
    let own: HashMap<_, _> = images
        .iter()
        .map(|image| ((image.source.clone(), image.repository.clone(), image.digest), image.state))
        .collect();
    let mut unwanted = HashSet::new();
    let mut named: BTreeMap<(String, String, Digest), String> = BTreeMap::new();
    for image in images.iter_mut().filter(|image| image.instance_of.is_none()) {
        let key = |digest| (image.source.clone(), image.repository.clone(), digest);
        let Some(instances) = lists.get(&key(image.digest)) else { continue };
        let instances = match instances {
            Ok(instances) => instances,
            Err(problem) => {
                image.state = VerifyState::Unreadable;
                image.problems.push(problem.clone());
                continue;
            }
        };
        for instance in instances {
            if let Some(platform) = &instance.platform {
                named.insert(key(instance.digest), platform.clone());
            }
            if !instance.wanted {
                unwanted.insert(key(instance.digest));
            }
        }
        let wanted: Vec<_> = instances.iter().filter(|instance| instance.wanted).collect();
        if platforms && !wanted.iter().any(|instance| instance.here) {
            image.state = VerifyState::Unreadable;
            image.problems.push(Diagnostic::new(
                Code::BlobMissing,
                "the image for the platform that is asked for is not here",
            ));
            continue;
        }
        let mut here = wanted.iter().filter(|instance| instance.here).peekable();
        let good =
            |instance: &&&Instance| own.get(&key(instance.digest)).is_some_and(|state| state.is_good());
        let lacks = !image.state.is_good() && image.state != VerifyState::Unreadable;
        // An invalid signature of the index itself is not offset by its instances.
        let broken = image.signatures.iter().any(|signature| signature.state == SignatureState::Refused);
        if lacks && !broken && here.peek().is_some() && here.all(|instance| good(&instance)) {
            image.state = VerifyState::GoodByList;
            image.problems.clear();
        }
    }
    images.retain(|image| {
        let key = (image.source.clone(), image.repository.clone(), image.digest);
        image.instance_of.is_none() || !unwanted.contains(&key)
    });
    let lists: HashMap<_, _> = images
        .iter()
        .map(|image| ((image.source.clone(), image.repository.clone(), image.digest), image.state))
        .collect();
    for image in images.iter_mut() {
        image.platform = named.remove(&(image.source.clone(), image.repository.clone(), image.digest));
        let Some(list) = image.instance_of else { continue };
        let covered = matches!(
            image.state,
            VerifyState::Unsigned | VerifyState::SignedOtherwise | VerifyState::Unexpected
        );
        let list = lists.get(&(image.source.clone(), image.repository.clone(), list));
        if covered && list == Some(&VerifyState::Good) {
            image.state = VerifyState::GoodByList;
        }
    }
}

/// Converts indexes keyed by position in `discovery` to indexes keyed by image name.
pub(super) fn by_name(
    lists: Lists,
    discovery: &Discovery<u32>,
) -> HashMap<(String, String, Digest), Result<Vec<Instance>, Diagnostic>> {
    let name = |image: &Image<u32>| (image.place.to_string(), image.repository.to_string(), image.digest);
    lists.into_iter().map(|(index, list)| (name(&discovery.images[index]), list)).collect()
}
