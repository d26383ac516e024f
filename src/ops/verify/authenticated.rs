//! A keys/ that this host has authenticated, or that anchors authenticate now.

use std::path::{Path, PathBuf};

use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    ops::{
        AnchorSpec, Context,
        place::keys_to_read,
        pull::{Travelled, anchors_of},
        revoked_here, state_dir,
    },
    outcome::RevokedKey,
    pack::{self, Anchor, Demand, Draft, Pack, PackError, UnverifiedPack, refuse_revoked},
    state::{self, KnownPack, Origin, RevokedHere, State},
};

/// The requirements for a keys/ before its keys are used.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// What authenticates the keys, where this host has not pulled them.
    pub anchors: Vec<AnchorSpec>,
    /// Whether the anchors are from a configuration file: they are then used only if this host has not pulled the keys.
    pub are_of_setting: bool,
    /// The configuration files that may contain them: none may have been transferred with the keys.
    pub settings: Vec<PathBuf>,
    /// What this host's administrator requires of pulled keys, even of those pulled before it was required.
    pub enforced: Vec<AnchorSpec>,
    /// The required lineage.
    pub name: Option<String>,
    /// Where this host remembers what it authenticated; without it, the usual directory.
    pub state_dir: Option<PathBuf>,
}

/// An authenticated keys/ with this host's state for its lineage.
pub(in crate::ops) struct Authenticated {
    pub(in crate::ops) pack: Pack,
    pub(in crate::ops) state: State,
    /// This host's record of it, if that is what authenticates it.
    pub(in crate::ops) known: Option<KnownPack>,
    /// The keys revoked on this host, and those of them that the pack lists.
    pub(super) here: RevokedHere,
    pub(in crate::ops) left_out: Vec<RevokedKey>,
}

impl Authentication {
    /// Authenticates the keys in a directory. `locations` are being verified, and may contain the directory.
    pub(in crate::ops) fn of_directory(
        &self,
        directory: &Path,
        locations: &[Location],
        cache_dir: Option<&Path>,
        ctx: &Context,
    ) -> Result<Authenticated, Diagnostic> {
        let state_dir = state_dir::path(self.state_dir.as_deref(), &ctx.env)?;
        let revoked = state::revoked_here(&state_dir)?;
        let draft = keys_to_read(directory, &revoked)?;
        let left_out = revoked_here::left_out(&draft, &revoked);
        revoked_here::warn_of_those_there(directory, &left_out, ctx);
        let actual = draft.inventory().name.clone();
        let state = state::load(&state_dir, &state_dir::lineage(&actual)?)?;
        let known = state.known(draft.digest()).copied();
        let pulled = known.filter(|known| known.origin == Origin::Pulled);
        let refuse = |path: &Path, what: &str| {
            // The directory itself counts if no location is read, but only a list of images.
            let here = Location::Path(directory.to_owned());
            std::iter::once(&here).chain(locations).try_for_each(|location| {
                Travelled::new(location, cache_dir, directory, ctx.env.home.as_deref()).refuse(path, what)
            })
        };
        let enforced = anchors_of(&self.enforced, None, &|_, _| Ok(()))?;
        let is_known = pulled.is_some() && self.are_of_setting;
        if self.anchors.is_empty() || is_known {
            if let Some(expected) = self.name.as_ref().filter(|name| **name != actual) {
                return Err(PackError::Lineage { expected: expected.clone(), actual }.into());
            }
            let Some(known) = pulled else {
                return Err(match known {
                    Some(_) => collected_here(directory, &draft),
                    None => unknown(directory, state.packs().iter().any(|p| p.origin == Origin::Pulled)),
                });
            };
            if !enforced.is_empty() {
                check_again(&draft, &enforced, &state, ctx)?;
            }
            let pack = state.recognise(draft, &state_dir::absolute(directory))?;
            return Ok(Authenticated { pack, state, known: Some(known), here: revoked, left_out });
        }
        self.settings.iter().try_for_each(|path| refuse(path, "the setting"))?;
        let anchors = anchors_of(&self.anchors, None, &refuse)?;
        let expected = self.name.clone().or_else(|| known.map(|_| actual));
        let lineage = expected.as_deref().unwrap_or("default");
        let demand = Demand { anchors: &anchors, manifest_signatures: &[], lineage, now: ctx.now };
        let pack = pack::authenticate(UnverifiedPack::of_directory(&draft)?, &demand)?;
        refuse_revoked(pack.draft(), |key| state.is_revoked(key, &state_dir::absolute(directory)))?;
        Ok(Authenticated { pack, state, known: None, here: revoked, left_out })
    }
}

/// Checks that pulled keys meet this host's current requirements. A signature of the manifest was not unpacked with
/// them, so the record of that pull is used instead.
fn check_again(draft: &Draft, enforced: &[Anchor], state: &State, ctx: &Context) -> Result<(), Diagnostic> {
    let lineage = &draft.inventory().name;
    let attempt = |anchors: &[Anchor]| -> Result<(), PackError> {
        let demand = Demand { anchors, manifest_signatures: &[], lineage, now: ctx.now };
        pack::authenticate(UnverifiedPack::of_directory(draft)?, &demand).map(drop)
    };
    let Err(refused) = attempt(enforced) else { return Ok(()) };
    let pull = state.last_pull().filter(|pull| pull.pack == draft.digest());
    let signed_the_manifest = |anchor: &&Anchor| match (anchor, pull) {
        (Anchor::Keys { keys, threshold }, Some(pull)) => {
            let signed = keys.iter().filter(|key| {
                let ending = format!("-signature:{}", key.fingerprint());
                pull.anchors.iter().any(|id| id.ends_with(&ending))
            });
            signed.count() >= threshold.get()
        }
        _ => false,
    };
    let others: Vec<_> = enforced.iter().filter(|anchor| !signed_the_manifest(anchor)).cloned().collect();
    let again = match others.len() {
        0 => Ok(()),
        n if n == enforced.len() => Err(refused),
        _ => attempt(&others),
    };
    again.map_err(|e| {
        let refused = Diagnostic::from(e);
        let message = format!(
            "the anchors that this host enforces now do not authenticate these keys: {}",
            refused.message
        );
        Diagnostic { message, ..refused }.hinting(
            "pull the keys again with the enforced anchors; for an enforced digest, give the pack digest (keypack \
             inspect), which the keys keep",
        )
    })
}

fn collected_here(directory: &Path, draft: &Draft) -> Diagnostic {
    let error = format!(
        "{} was collected on this host and is not authenticated: keys that signatures brought were proved only by \
         those signatures",
        directory.display()
    );
    let hint = format!(
        "confirm the keys with their owners; then give the pack digest as the anchor: --digest {}",
        draft.digest()
    );
    Diagnostic::new(Code::KeysCollectedHere, error).hinting(hint)
}

fn unknown(directory: &Path, others_pulled: bool) -> Diagnostic {
    let why = if others_pulled {
        "it is not a pack that this host pulled: it was changed since, or was not pulled here"
    } else {
        "this host has pulled no pack of its name"
    };
    Diagnostic::new(
        Code::KeysNotAuthenticated,
        format!("nothing authenticates {}: {why}", directory.display()),
    )
}
