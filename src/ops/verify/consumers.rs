//! `verify --for`: which consumer could verify which of the images, with the keys that they are verified with. It is the question
//! of `discover --for`, so the images are read once more, as it reads them.

use super::{Request, keys};
use crate::{
    diag::Diagnostic,
    key::Fingerprint,
    ops::{
        Context, KeySources, discover::targets, discover_and_resolve::discover_and_resolve, oc_mirror,
        revoked_here,
    },
    outcome::{self, ConsumerReport},
    policy::target::Target,
};

/// The consumers that are asked.
pub(super) fn asked(request: &Request) -> Result<Vec<Target>, Diagnostic> {
    let targets = targets(&request.targets)?;
    if !targets.is_empty() && request.images.as_deref() == Some("-") {
        return Err(Diagnostic::usage(
            "--for reads the list of images a second time, and stdin can't be",
            "write the list to a file: --images FILE",
        ));
    }
    Ok(targets)
}

/// What they could verify.
pub(super) fn reports(
    request: &Request,
    targets: &[Target],
    ctx: &Context,
) -> Result<Vec<ConsumerReport>, Diagnostic> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let state_dir = &request.authentication.state_dir;
    let are_files = !(request.trusted_roots.is_empty() && request.keys.is_empty());
    let mut sources = keys::sources(request);
    let directory = oc_mirror::keys_directory(request.keys_dir.as_deref(), &sources.locations()?);
    sources.keys = KeySources {
        keys_dir: (!are_files).then_some(directory),
        state_dir: state_dir.clone(),
        trusted_roots: request.trusted_roots.clone(),
        keys: request.keys.clone(),
        host_root: None,
        alone: true,
        ..KeySources::default()
    };
    let here = revoked_here::load(state_dir.as_deref(), &ctx.env)?;
    let revoked = |key: &Fingerprint| here.all().contains_key(key);
    let found = discover_and_resolve(&sources, &revoked, ctx)?;
    Ok(outcome::consumers(targets, &found.discovery, &found.resolution))
}
