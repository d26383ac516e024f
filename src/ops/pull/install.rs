//! Replaces the directory while the state is locked.

use std::path::Path;

use super::Request;
use crate::{
    diag::Diagnostic,
    fs,
    ops::{Context, place::file_names, revoked_here},
    outcome::{self, RevokedKey},
    pack::{Diff, Draft, Pack, PackError},
    state::{self, RevokedHere, State},
    tree::SafeName,
    write,
};

/// The new content of the directory.
pub(super) struct Installed {
    pub(super) draft: Draft,
    pub(super) unchanged: bool,
    /// The keys of the pack that were revoked here.
    pub(super) left_out: Vec<RevokedKey>,
}

/// The input for admission, installation and recording, used while the state is locked.
pub(super) struct Step<'a> {
    pub(super) request: &'a Request,
    pub(super) ctx: &'a Context,
    pub(super) directory: &'a Path,
    pub(super) pack: &'a Pack,
    /// The existing content of the directory.
    pub(super) in_place: Option<&'a Draft>,
    /// Whether this host collected or authenticated it.
    pub(super) known: bool,
    /// What was revoked here.
    pub(super) here: &'a RevokedHere,
}

impl Step<'_> {
    /// Replaces the existing content with the pack, and reports the changes.
    pub(super) fn install(&self, state_dir: &Path) -> Result<Installed, Diagnostic> {
        let (pack, events) = (self.pack, &self.ctx.events);
        // If only the keys are authenticated, the date is that of this pull: the same keys are then no change.
        let old = self.in_place.filter(|_| self.known);
        let again = old.filter(|old| !pack.is_whole() && Diff::of(Some(old), pack.draft()).is_empty());
        let (draft, dropped) = again.unwrap_or_else(|| pack.draft()).clone().without_stale_signatures();
        self.note_signatures(&draft, &dropped);
        let (draft, left_out) = self.leave_out(draft, state_dir)?;
        match self.in_place {
            Some(in_place) if in_place.digest() == draft.digest() => {}
            Some(in_place) if !self.known => {
                events.warn(&format!(
                    "this host neither collected nor authenticated the pack in {} (lineage {}, version {}): it is \
                     replaced, and nothing is compared with it",
                    self.directory.display(),
                    in_place.inventory().name,
                    in_place.inventory().version
                ));
                outcome::diff(&Diff::of(None, &draft)).lines().for_each(|line| events.note(line));
            }
            _ => outcome::diff(&Diff::of(old, &draft)).lines().for_each(|line| events.note(line)),
        }
        let names = self.in_place.map(file_names).unwrap_or_default();
        let outcome = self.ctx.interrupt.whole(format!("{} is written", self.directory.display()), || {
            write::replace(self.directory, &draft.to_files(), &|name| names.iter().any(|n| n == name))
        })?;
        outcome.warnings().for_each(|warning| events.warn(&warning));
        Ok(Installed { draft, unchanged: outcome.change == fs::Change::Unchanged, left_out })
    }

    /// The pack without the keys that were revoked here, which are kept in the state. One without any other key would
    /// verify nothing, and is not installed.
    fn leave_out(&self, whole: Draft, state_dir: &Path) -> Result<(Draft, Vec<RevokedKey>), Diagnostic> {
        let draft = revoked_here::without(whole, self.here);
        let mut left_out = revoked_here::left_out(&draft, self.here);
        for key in &mut left_out {
            key.still_there = false;
        }
        if draft.keys().next().is_none() {
            return Err(Diagnostic::from(PackError::NoKeys).hinting(
                "every key of it was revoked on this host (`keypack state show`), and nothing was installed; get a pack \
                 with the keys that replace them",
            ));
        }
        if !left_out.is_empty() {
            state::update_revoked_here(state_dir, |here| here.keep(&draft))?;
        }
        for key in &left_out {
            self.ctx.events.warn(&format!("{key}; the pack still holds it, and it is not installed"));
        }
        Ok((draft, left_out))
    }

    /// Notes if only version and dates are new and the keys are the same as before, because then there is nothing to
    /// approve again.
    pub(super) fn note_same_keys(&self, state: &State) {
        let Some(old) = self.in_place.filter(|old| old.digest() != self.pack.draft().digest()) else {
            return;
        };
        if let Some(known) = state.known(old.digest())
            && old.inventory().key_set() == self.pack.draft().inventory().key_set()
        {
            self.ctx.events.note(&format!(
                "the same key set as version {}, approved here at {:.0}: {}",
                known.version,
                known.at,
                old.inventory().key_set()
            ));
        }
    }

    /// Notes which signature files are not installed, and which are installed although no anchor verified them.
    fn note_signatures(&self, draft: &Draft, dropped: &[SafeName]) {
        for name in dropped {
            self.ctx.events.warn(&format!("{name} is not a signature of this inventory, and is left out"));
        }
        let verified = self.pack.verified_signatures();
        for (name, covers) in draft.coverage().iter().filter(|(name, _)| !verified.contains(name)) {
            self.ctx.events.note(&format!("{name} is {}; not verified here", covers.summary()));
        }
    }
}
