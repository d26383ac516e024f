//! How verdicts on indexes and their instances affect each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lists::{Instance, Lists};
use crate::{
    diag::{Code, Diagnostic},
    discover::{Discovery, Kind},
    oci::Digest,
    outcome::verify::{Change, Row, VerifyState},
};

/// The name of an image: location, repository, digest.
type Name<'a> = (&'a str, &'a str, Digest);

/// Combines the verdicts on indexes and their instances: a valid index covers its instances, because it contains their
/// digests; and an index whose instances are all valid is valid, because one of them is what runs. Removes the instances
/// for platforms other than those that were asked for.
pub(super) fn join(
    rows: &mut Vec<Row>,
    lists: &Lists,
    discovery: &Discovery<u32>,
    platforms: bool,
) -> BTreeMap<u32, Change> {
    let name = |row: &Row, digest| {
        let image = &discovery.images[row.number as usize];
        (&*image.place, &*image.repository, digest)
    };
    let digest = |row: &Row| discovery.images[row.number as usize].digest;
    let instances: HashSet<_> = lists.values().flatten().flatten().map(|instance| instance.digest).collect();
    let own: HashMap<Name<'_>, VerifyState> = rows
        .iter()
        .filter(|row| instances.contains(&digest(row)))
        .map(|row| (name(row, digest(row)), row.state))
        .collect();
    let (mut changes, mut unwanted) = (BTreeMap::<u32, Change>::new(), HashSet::new());
    let mut platform_of: HashMap<Name<'_>, &String> = HashMap::new();
    for row in rows.iter_mut().filter(|row| !row.is_instance) {
        let Some(instances) = lists.get(&row.number) else { continue };
        let instances = match instances {
            Ok(instances) => instances,
            Err(problem) => {
                row.state = VerifyState::Unreadable;
                changes.entry(row.number).or_default().problems.push(problem.clone());
                continue;
            }
        };
        for instance in instances {
            if let Some(platform) = &instance.platform {
                platform_of.insert(name(row, instance.digest), platform);
            }
            if !instance.wanted {
                unwanted.insert(name(row, instance.digest));
            }
        }
        let wanted: Vec<_> = instances.iter().filter(|instance| instance.wanted).collect();
        if platforms && !wanted.iter().any(|instance| instance.here) {
            row.state = VerifyState::Unreadable;
            changes.entry(row.number).or_default().problems.push(Diagnostic::new(
                Code::BlobMissing,
                "the image for the platform that is asked for is not here",
            ));
            continue;
        }
        let mut here = wanted.iter().filter(|instance| instance.here).peekable();
        let good =
            |instance: &&&Instance| own.get(&name(row, instance.digest)).is_some_and(|state| state.is_good());
        let lacks = !row.state.is_good() && row.state != VerifyState::Unreadable;
        // An invalid signature of the index itself is not offset by its instances.
        if lacks && row.broken == 0 && here.peek().is_some() && here.all(|instance| good(&instance)) {
            row.state = VerifyState::GoodByList;
            changes.entry(row.number).or_default().is_mended = true;
        }
    }
    rows.retain(|row| !row.is_instance || !unwanted.contains(&name(row, digest(row))));
    let is_list = |row: &&Row| discovery.images[row.number as usize].kind == Kind::Index;
    let lists: HashMap<Name<'_>, VerifyState> =
        rows.iter().filter(is_list).map(|row| (name(row, digest(row)), row.state)).collect();
    for row in rows.iter_mut() {
        if let Some(platform) = platform_of.get(&name(row, digest(row))) {
            changes.entry(row.number).or_default().platform = Some((*platform).clone());
        }
        let Some(list) = discovery.images[row.number as usize].instance_of else { continue };
        let covered = matches!(
            row.state,
            VerifyState::Unsigned | VerifyState::SignedOtherwise | VerifyState::Unexpected
        );
        if covered && lists.get(&name(row, list)) == Some(&VerifyState::Good) {
            row.state = VerifyState::GoodByList;
        }
    }
    changes
}
