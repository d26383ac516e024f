use std::collections::BTreeSet;

use crate::{export::Mirrored, ops::verify::Survey};

/// The repositories of a mirror with the names of their sources.
pub(super) fn mirrored(survey: &Survey) -> Vec<Mirrored> {
    let of = |pull: &crate::ops::verify::Pull| {
        let at = pull.at.as_ref().or(pull.name.as_ref())?;
        let source = pull.name.as_ref().unwrap_or(at);
        Some(Mirrored { at: at.name().to_owned(), source: source.name().to_owned() })
    };
    let all: BTreeSet<_> = survey.pulls.iter().filter_map(of).collect();
    all.into_iter().collect()
}

/// The pulls by the names that the images have at the mirror.
pub(super) fn pull_by_mirror(survey: &mut Survey) {
    for pull in &mut survey.pulls {
        pull.name = pull.at.clone().or_else(|| pull.name.clone());
    }
}
