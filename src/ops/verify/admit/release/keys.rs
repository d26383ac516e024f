//! The GPG keys that releases are authenticated with: those of an authenticated keys/, and Red Hat's by its built-in
//! fingerprint.

use super::super::AdmitRequest;
use crate::{
    content::Location,
    diag::Diagnostic,
    fs,
    key::{Fingerprint, Material, OpenPgpKey, Role},
    keysource::{RELEASE_KEY, release_key},
    ops::{
        Context,
        ends::warn_of_ends,
        oc_mirror, state_dir,
        verify::keys::{UsedPack, check_times},
    },
    pack::{Inventory, KeyRecord},
    state,
};

/// The keys.
pub(super) struct ReleaseKeys {
    /// Each with its name.
    pub(super) keys: Vec<(String, OpenPgpKey)>,
    /// The pack that some of them are from.
    pub(super) used: Option<UsedPack>,
    /// Why those of the keys/ that is here don't count.
    pub(super) left_out: Option<Diagnostic>,
}

impl ReleaseKeys {
    /// A keys/ that the caller names must be authenticated. One that only lies there, and is not, is left out.
    pub(super) fn load(
        request: &AdmitRequest,
        locations: &[Location],
        ctx: &Context,
    ) -> Result<Self, Diagnostic> {
        let authentication = &request.authentication;
        let directory = oc_mirror::keys_directory(request.keys_dir.as_deref(), locations);
        let is_named = request.keys_dir.is_some()
            || !(authentication.anchors.is_empty() || authentication.are_of_setting);
        let (mut keys, mut used, mut left_out, mut withdrawn) = (Vec::new(), None, None, Vec::new());
        if is_named || fs::is_directory(&directory).unwrap_or_default() {
            let found = authentication
                .of_directory(&directory, locations, request.cache_dir.as_deref(), ctx)
                .and_then(|found| {
                    check_times(found.pack.draft().inventory(), &found.state, ctx)?;
                    Ok(found)
                });
            match found {
                Ok(found) => {
                    let draft = found.pack.draft();
                    warn_of_ends(draft, ctx);
                    withdrawn = revoked(draft.inventory());
                    let gpg = |(record, material): (&KeyRecord, &Material)| {
                        let key = material.openpgp().filter(|_| record.role == Role::Gpg)?;
                        Some((record.file.clone(), key.clone()))
                    };
                    keys = draft.keys().filter_map(gpg).collect();
                    let at = found.known.map(|known| known.at);
                    used = Some(UsedPack::of(&found.pack, directory, at, found.left_out));
                }
                Err(e) if is_named => return Err(e),
                Err(e) => left_out = Some(e),
            }
        }
        // A host that enforces anchors takes only keys that it pulled.
        if authentication.enforced.is_empty() {
            let here = match state_dir::path(authentication.state_dir.as_deref(), &ctx.env) {
                Ok(dir) => state::revoked_here(&dir)?,
                // Without a state nothing was revoked in it.
                Err(_) => state::RevokedHere::default(),
            };
            let is_good = |key: &Material| {
                here.names(key).is_none() && key.fingerprints().iter().all(|own| !withdrawn.contains(own))
            };
            let builtin = release_key().filter(is_good);
            let known = |key: &OpenPgpKey| keys.iter().any(|(_, other)| other.is_same_key(key));
            let builtin = builtin.as_ref().and_then(Material::openpgp).filter(|key| !known(key)).cloned();
            keys.extend(builtin.map(|key| (format!("{RELEASE_KEY} (built in)"), key)));
        }
        Ok(Self { keys, used, left_out })
    }
}

/// The keys that a pack revokes.
fn revoked(inventory: &Inventory) -> Vec<Fingerprint> {
    inventory.revoked.iter().map(|revoked| revoked.fingerprint).collect()
}
