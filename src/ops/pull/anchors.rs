//! Reads anchors from a request, and authenticates a pack with them.

use std::{num::NonZeroUsize, path::Path};

use super::{Request, travelled::Travelled};
use crate::ops::{
    AnchorSpec, Context,
    fetch::{Fetched, ManifestSignatures},
    tuf,
};
use crate::{
    content::Location,
    diag::Diagnostic,
    key::PublicKey,
    keysource::read_public_key,
    oci::Digest,
    pack::{self, Anchor, Demand, Pack, PackError},
    signature::UntrustedSignature,
    trust::tuf::RootName,
};

/// The anchors of a pull, in groups that each authenticate the pack separately: a key or a pin of one group does not
/// count in the other.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// Those required by this host's administrator.
    enforced: Vec<Anchor>,
    /// Those given by the caller.
    given: Vec<Anchor>,
}

impl Anchors {
    /// Reads the anchors: those of the request, and a digest in the reference itself, which the caller wrote too. None
    /// of them may be in a file that was transferred with the pack.
    pub(super) fn read(
        request: &Request,
        location: &Location,
        target: &Path,
        ctx: &Context,
    ) -> Result<Self, Diagnostic> {
        let travelled =
            Travelled::new(location, request.cache_dir.as_deref(), target, ctx.env.home.as_deref());
        for path in &request.settings {
            travelled.refuse(path, "the setting")?;
        }
        let named = location.reference().and_then(|name| name.parse::<Digest>().ok());
        let refuse = |path: &Path, what: &str| travelled.refuse(path, what);
        Ok(Self {
            enforced: group(&request.enforced, None, &refuse)?,
            given: group(&request.anchors, named, &refuse)?,
        })
    }

    /// All anchors.
    pub(super) fn all(&self) -> impl Iterator<Item = &Anchor> {
        self.enforced.iter().chain(&self.given)
    }

    /// The digests among them: of several packs, the one that has one of them is selected.
    pub(super) fn digests(&self) -> Vec<Digest> {
        self.all()
            .filter_map(|anchor| if let Anchor::Digest(digest) = anchor { Some(*digest) } else { None })
            .collect()
    }

    /// If several keys are given, how many of them signed, because it is not obvious that one is enough.
    pub(super) fn signed(&self, pack: &Pack) -> impl Iterator<Item = String> {
        self.all().filter_map(|anchor| match anchor {
            Anchor::Keys { keys, threshold } if keys.len() > 1 => {
                let by = |key: &PublicKey| {
                    pack.evidence().iter().any(|evidence| evidence.signer() == Some(key.fingerprint()))
                };
                let signed = keys.iter().filter(|key| by(key)).count();
                let demanded = match threshold.get() {
                    1 => "one is enough without --threshold".to_owned(),
                    n => format!("{n} are demanded"),
                };
                Some(format!("{signed} of {} given keys signed; {demanded}", keys.len()))
            }
            _ => None,
        })
    }

    /// Authenticates with each group that has anchors.
    pub(super) fn authenticate(
        &self,
        fetched: &Fetched,
        lineage: &str,
        ctx: &Context,
    ) -> Result<Pack, Diagnostic> {
        if self.enforced.is_empty() {
            return authenticate(fetched, &self.given, lineage, ctx);
        }
        let enforced = authenticate(fetched, &self.enforced, lineage, ctx)?;
        if self.given.is_empty() {
            return Ok(enforced);
        }
        Ok(enforced.and(authenticate(fetched, &self.given, lineage, ctx)?))
    }
}

/// Reads the anchors of a request and the digest in its reference. `refuse` rejects a file that was transferred with
/// the keys.
pub(in crate::ops) fn group(
    specs: &[AnchorSpec],
    named: Option<Digest>,
    refuse: &dyn Fn(&Path, &str) -> Result<(), Diagnostic>,
) -> Result<Vec<Anchor>, Diagnostic> {
    let (mut digests, mut keys, mut pins, mut roots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut threshold = None;
    for spec in specs {
        match spec {
            AnchorSpec::Digest(digest) => digests.push(*digest),
            AnchorSpec::Key(path) => {
                let key = read_public_key(path)?;
                refuse(path, "the key")?;
                keys.push(key);
            }
            AnchorSpec::Threshold(number) => threshold = Some(*number),
            AnchorSpec::Pin(pin) => pins.push(pin.clone()),
            AnchorSpec::TufRoot(name) => {
                if let RootName::File(path) = &name.0 {
                    refuse(path, "the TUF root")?;
                }
                let root = tuf::root(name)?;
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
        }
    }
    digests.extend(named);
    let mut anchors: Vec<_> = digests.into_iter().map(Anchor::Digest).collect();
    anchors.extend(keys_of(keys, threshold)?);
    anchors.extend((!pins.is_empty()).then_some(Anchor::Pins(pins)));
    anchors.extend((!roots.is_empty()).then_some(Anchor::Tuf(roots)));
    Ok(anchors)
}

/// The keys, without duplicates, and how many of them must have signed.
fn keys_of(mut keys: Vec<PublicKey>, threshold: Option<NonZeroUsize>) -> Result<Option<Anchor>, Diagnostic> {
    keys.sort_by_key(PublicKey::fingerprint);
    keys.dedup_by_key(|key| key.fingerprint());
    if let Some(threshold) = threshold.filter(|threshold| threshold.get() > keys.len()) {
        let given = if keys.len() == 1 { "1 key is".to_owned() } else { format!("{} keys are", keys.len()) };
        return Err(Diagnostic::usage(
            format!("the threshold is {threshold}, and {given} given"),
            "give as many different keys with --verify-key, or in verifyKeys of the setting",
        ));
    }
    let threshold = threshold.unwrap_or(NonZeroUsize::MIN);
    Ok((!keys.is_empty()).then_some(Anchor::Keys { keys, threshold }))
}

/// Authenticates. Signatures of the manifest are looked up only if those in the pack are not sufficient.
fn authenticate(
    fetched: &Fetched,
    anchors: &[Anchor],
    lineage: &str,
    ctx: &Context,
) -> Result<Pack, Diagnostic> {
    let attempt = |manifest_signatures: &[UntrustedSignature]| {
        pack::authenticate(
            fetched.pack.clone(),
            &Demand { anchors, manifest_signatures, lineage, now: ctx.now },
        )
    };
    let refused = match attempt(&[]) {
        Err(e @ (PackError::Unsigned | PackError::Signature(_) | PackError::Threshold { .. })) => e,
        other => return Ok(other?),
    };
    ctx.events.step("looking for signatures of the manifest");
    let ManifestSignatures { readable, unreadable } = fetched.manifest_signatures();
    let refused = if readable.is_empty() {
        refused
    } else {
        match attempt(&readable) {
            Err(e) => e,
            Ok(pack) => return Ok(pack),
        }
    };
    match (refused, unreadable.into_iter().next()) {
        // It is unknown whether it is signed.
        (PackError::Unsigned, Some(problem)) => Err(problem.on("a signature of the manifest")),
        (refused, problem) => {
            if let Some(problem) = problem {
                ctx.events
                    .warn(&format!("a signature of the manifest could not be read: {}", problem.message));
            }
            Err(refused.into())
        }
    }
}
