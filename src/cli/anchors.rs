//! From flags to anchors, and from anchors to an authenticated pack.

use std::path::{Path, PathBuf};

use super::{args, output::Output, packs::Fetched, travelled::Travelled, tuf};
use crate::{
    content::Location,
    diag::Diagnostic,
    keysource::read_public_key,
    oci::Digest,
    pack::{self, Anchor, Demand, Pack, PackError},
    signature::UntrustedSignature,
    state::Signer,
    trust::tuf::RootName,
};

/// Reads the anchors: the flags, those of the setting, and a digest in the reference itself, which the user typed as well.
/// None may come from a file that travelled with the pack.
pub(super) fn read(pull: &args::Pull, location: &Location, target: &Path) -> Result<Vec<Anchor>, Diagnostic> {
    let args = &pull.anchors;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let travelled = Travelled::new(location, pull.cache.named(), target, home.as_deref());
    if let Some(path) = &args.setting {
        travelled.refuse(path, "the setting")?;
    }
    let named = location.reference().and_then(|name| name.parse::<Digest>().ok());
    let mut anchors: Vec<_> = args.digest.into_iter().chain(named).map(Anchor::Digest).collect();
    let mut keys = Vec::new();
    for path in &args.verify_key {
        let key = read_public_key(path).map_err(Diagnostic::from)?;
        travelled.refuse(path, "the key")?;
        keys.push(key);
    }
    if !keys.is_empty() {
        anchors.push(Anchor::Keys(keys));
    }
    if !args.pin.is_empty() {
        anchors.push(Anchor::Pins(args.pin.clone()));
    }
    let mut roots = Vec::new();
    for name in &args.tuf_root {
        if let RootName::File(path) = name {
            travelled.refuse(path, "the TUF root")?;
        }
        let root = tuf::root(name)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    if !roots.is_empty() {
        anchors.push(Anchor::Tuf(roots));
    }
    Ok(anchors)
}

/// Authenticates. Signatures of the manifest are looked for only where the pack's own do not do.
pub(super) fn authenticate(
    fetched: &Fetched,
    anchors: &[Anchor],
    lineage: &str,
    now: jiff::Timestamp,
    output: &Output,
) -> Result<Pack, Diagnostic> {
    let attempt = |manifest_signatures: &[UntrustedSignature]| {
        pack::authenticate(fetched.pack.clone(), &Demand { anchors, manifest_signatures, lineage, now })
    };
    match attempt(&[]) {
        Err(e @ (PackError::Unsigned | PackError::Signature(_))) => {
            output.working("looking for signatures of the manifest");
            match fetched.manifest_signatures() {
                Ok(found) if found.is_empty() => Err(e.into()),
                Ok(found) => Ok(attempt(&found)?),
                Err(problem) => {
                    output
                        .warn(&format!("could not look for signatures of the manifest: {}", problem.message));
                    Err(e.into())
                }
            }
        }
        other => Ok(other?),
    }
}

/// Who vouches for this pack, and who would be believed here: the counters that it is compared with.
pub(super) fn signers(anchors: &[Anchor], pack: &Pack) -> (Vec<Signer>, Vec<Signer>) {
    let mut believed = Vec::new();
    for anchor in anchors {
        match anchor {
            Anchor::Digest(_) => believed.push(Signer::Digest),
            Anchor::Keys(keys) => believed.extend(keys.iter().map(|k| Signer::Key(k.fingerprint()))),
            Anchor::Pins(_) | Anchor::Tuf(_) => {}
        }
    }
    believed.sort_unstable();
    believed.dedup();
    let signed = |signer: &Signer| match signer {
        Signer::Digest => true,
        Signer::Key(key) => pack.evidence().iter().any(|met| met.signer() == Some(*key)),
    };
    let vouching = believed.iter().copied().filter(signed).collect();
    (vouching, believed)
}
