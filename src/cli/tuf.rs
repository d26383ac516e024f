//! TUF: which repositories and roots are meant, and what is said of how old their evidence is.

use std::{path::PathBuf, str::FromStr};

use jiff::Timestamp;

use super::{
    args,
    failure::{Exit, Failure},
    gather::KeySources,
    output::Output,
    past,
    wire::Wire,
};
use crate::{
    display::count,
    keysource::{Gathered, TufChoice, TufPlace, read_root},
    net::Client,
    pack::{self, Pack},
    trust::tuf::{Instance, Root},
};

/// A root as it is named: one that is built in, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RootArg {
    Builtin(Instance),
    File(PathBuf),
}

impl FromStr for RootArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "builtin" {
            return Ok(Self::Builtin(Instance::PublicGood));
        }
        let Some(name) = text.strip_prefix("builtin:") else { return Ok(Self::File(text.into())) };
        let known = Instance::ALL.into_iter().find(|instance| instance.name() == name);
        let names = Instance::ALL.map(Instance::name).join(", ");
        known.map(Self::Builtin).ok_or_else(|| format!("{name:?} is not built in; these are: {names}"))
    }
}

impl RootArg {
    pub(super) fn read(&self) -> Result<Root, Failure> {
        match self {
            Self::Builtin(instance) => instance
                .root()
                .map_err(|e| Failure::new(e.code(), format!("the built-in root: {e}"), Exit::Refused)),
            Self::File(path) => Ok(read_root(path)?),
        }
    }
}

/// Reads the repositories that the user names, strictly, as of now.
pub(super) fn gather(
    sources: &KeySources,
    gathered: &mut Gathered,
    wire: &Wire,
    output: &Output,
) -> Result<(), Failure> {
    let roots = sources.tuf_root.iter().map(RootArg::read).collect::<Result<Vec<_>, _>>()?;
    let mut used = vec![false; roots.len()];
    for text in &sources.tuf {
        let place = TufPlace::parse(text)
            .map_err(|e| Failure::usage(format!("--tuf: {e}"), "give an http(s) address or a directory"))?;
        if sources.no_network && matches!(place, TufPlace::Web(_)) {
            return Err(Failure::usage(
                format!("--no-network forbids to ask {text}"),
                "give a copy of the repository in a directory: --tuf DIR",
            ));
        }
        output.working(&format!("reading the TUF repository {text}"));
        let client = || Client::new(wire.options().net);
        let choice = gathered.add_tuf(&place, &roots, client, past::whole_second(Timestamp::now()))?;
        if let TufChoice::Given(index) = choice {
            used[index] = true;
        }
        if let Some(read) = gathered.chains.last() {
            output.note(&format!("verified the TUF repository {text}: {}", read.evidence.summary()));
            for url in read.items.iter().filter_map(|item| item.url.as_deref()).filter(|url| is_internal(url))
            {
                output.warn(&format!(
                    "{text} says {url}, the address of a service inside its own cluster (a known fault of RHTAS up to \
                     1.3.2); the keys are good, verifiers that compare addresses may refuse them"
                ));
            }
        }
    }
    for (arg, _) in sources.tuf_root.iter().zip(used).filter(|(_, used)| !used) {
        if let RootArg::File(path) = arg {
            output
                .warn(&format!("no repository begins with the root {}, so it was not used", path.display()));
        }
    }
    Ok(())
}

/// Kubernetes' names of services, which nobody outside can resolve.
fn is_internal(url: &str) -> bool {
    let host = crate::key::origin_of(url);
    host.ends_with(".svc") || host.ends_with(".svc.cluster.local") || !host.contains(['.', ':'])
}

/// Checks the age of the evidence; answers whether some is taken that is too old, because the user says so.
pub(super) fn fresh(
    args: &args::Pull,
    pack: &Pack,
    now: Timestamp,
    output: &Output,
) -> Result<bool, Failure> {
    let mut limits = args.max_age.map_or_else(pack::Limits::default, pack::Limits::of);
    limits.allow_stale = args.except.allow_stale_unsafe;
    let created = pack.is_whole().then(|| pack.draft().inventory().created);
    let mut stale = false;
    for vouched in pack.vouched() {
        let dated = vouched.dated(created);
        let age = pack::evidence_age(&vouched.file, &dated, now, &limits)?;
        stale |= age.stale;
        let (file, until) = (&vouched.file, vouched.verified.evidence.good_until());
        output.note(&format!("{file}: {}, good until {until}", vouched.verified.evidence.summary()));
        if age.old {
            output.warn(&format!(
                "the evidence in {file} is {} old; ask for a newer pack",
                count(age.days(), "day")
            ));
        } else if dated.after.is_none() && now <= until {
            output.warn(&format!(
                "when the evidence in {file} was signed nobody tells: its repository does not say how long a timestamp \
                 is good for; it was no later than {until}"
            ));
        }
        let left = vouched.verified.items.candidates.len().saturating_sub(pack.draft().keys().count());
        if left > 0 && !pack.is_whole() {
            output.note(&format!(
                "its repository lists {} that the pack leaves out",
                count(left, "further key")
            ));
        }
    }
    Ok(stale)
}
