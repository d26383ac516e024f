//! How verdicts on indexes and their instances affect each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Request,
    lists::{self, Instance, Lists},
};
use crate::{
    content::Source,
    diag::{Code, Diagnostic},
    discover::{Discovery, Kind},
    oci::Digest,
    ops::sources::Opened,
    outcome::verify::{Change, Row, VerifyState},
};

/// The name of an image: location, repository, digest.
type Name<'a> = (&'a str, &'a str, Digest);

/// Rereads the indexes that are not valid by themselves, and combines the verdicts on them and their instances.
pub(super) fn join_lists(
    request: &Request,
    opened: &[Opened],
    discovery: &Discovery<u32>,
    rows: &mut Vec<Row>,
) -> BTreeMap<u32, Change> {
    let sources: BTreeMap<String, &dyn Source> =
        opened.iter().map(|opened| (opened.source.place(), opened.source.as_ref())).collect();
    let signed: HashSet<_> =
        discovery.images.iter().filter_map(|image| Some((image.place(), image.list()?))).collect();
    let image = |number: u32| &discovery.images[number as usize];
    let good = || rows.iter().filter(|row| row.state.is_good()).map(|row| image(row.number));
    // An instance with a tag or an entry of its own is not listed as one of the list.
    let near_good: HashSet<_> = good().map(|image| (image.place(), image.repository())).collect();
    let good: HashSet<_> =
        good().filter(|image| image.kind == Kind::Index).map(|image| image.digest).collect();
    let platforms = !request.platforms.is_empty();
    let needed = |number: u32| {
        let image = image(number);
        let instances_may_be_good = || {
            signed.contains(&(image.place(), image.digest))
                || near_good.contains(&(image.place(), image.repository()))
        };
        image.kind == Kind::Index && (platforms || (!good.contains(&image.digest) && instances_may_be_good()))
    };
    let lists = lists::read(discovery, &sources, &request.platforms, &needed);
    join(rows, &lists, discovery, platforms)
}

/// Combines the verdicts on indexes and their instances: a valid index covers its instances, because it contains their
/// digests; and an index whose instances are all valid is valid, because one of them is what runs. Removes the instances
/// for platforms other than those that were asked for.
fn join(
    rows: &mut Vec<Row>,
    lists: &Lists,
    discovery: &Discovery<u32>,
    platforms: bool,
) -> BTreeMap<u32, Change> {
    let name = |row: &Row, digest| {
        let image = &discovery.images[row.number as usize];
        (image.place(), image.repository(), digest)
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
        let Some(list) = discovery.images[row.number as usize].list() else { continue };
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
