//! TUF: selects repositories and roots.

use super::{Context, TufRoot, context::whole_second};
use crate::{
    diag::{Diagnostic, Exit},
    http::Client,
    keysource::{Gathered, TufChoice, TufPlace, read_root},
    trust::tuf::{Root, RootName},
};

/// The requested TUF repositories.
pub(super) struct Asked<'a> {
    /// Their addresses or directories.
    pub(super) repositories: &'a [String],
    /// Possible initial roots.
    pub(super) roots: &'a [TufRoot],
    /// Whether network access is disabled.
    pub(super) offline: bool,
}

/// Reads a root given by the caller.
pub(super) fn root(name: &TufRoot) -> Result<Root, Diagnostic> {
    match &name.0 {
        RootName::Builtin(instance) => instance
            .root()
            .map_err(|e| Diagnostic::new(e.code(), format!("the built-in root: {e}")).ending(Exit::Refused)),
        RootName::File(path) => Ok(read_root(path)?),
    }
}

/// Reads the repositories given by the caller, strictly, as of now.
pub(super) fn gather(asked: &Asked<'_>, gathered: &mut Gathered, ctx: &Context) -> Result<(), Diagnostic> {
    if asked.repositories.is_empty() && !asked.roots.is_empty() {
        return Err(Diagnostic::usage(
            "--tuf-root names a root, and no --tuf names the repository that begins with it",
            "give --tuf URL or --tuf DIR",
        ));
    }
    let roots = asked.roots.iter().map(root).collect::<Result<Vec<_>, _>>()?;
    let mut used = vec![false; roots.len()];
    for text in asked.repositories {
        let place = TufPlace::parse(text).map_err(|e| {
            Diagnostic::usage(
                format!("--tuf: {e}"),
                "give an http(s) address without password and query, or a directory",
            )
        })?;
        if asked.offline && matches!(place, TufPlace::Web(_)) {
            return Err(Diagnostic::usage(
                format!("--no-network forbids asking {text}"),
                "give a copy of the repository in a directory: --tuf DIR",
            ));
        }
        ctx.events.step(&format!("reading the TUF repository {text}"));
        let client = || Client::new(ctx.registry().http);
        let choice = gathered.add_tuf(&place, &roots, client, whole_second(ctx.now))?;
        if let TufChoice::Given(index) = choice {
            used[index] = true;
        }
        if let Some(read) = gathered.chains.last() {
            ctx.events.note(&format!("verified the TUF repository {text}: {}", read.evidence.summary()));
            for url in
                read.items.iter().filter_map(|item| item.key.url.as_deref()).filter(|url| is_internal(url))
            {
                ctx.events.warn(&format!(
                    "{text} gives {url}, the address of a service inside its own cluster (a known fault of RHTAS up \
                     to 1.3.2); the keys are good, but verifiers that compare addresses may refuse them"
                ));
            }
        }
    }
    for (arg, _) in asked.roots.iter().zip(used).filter(|(_, used)| !used) {
        if let RootName::File(path) = &arg.0 {
            ctx.events
                .warn(&format!("no repository starts with the root {}, so it was not used", path.display()));
        }
    }
    Ok(())
}

/// Kubernetes service names, which can't be resolved outside the cluster.
fn is_internal(url: &str) -> bool {
    let host = crate::key::origin_of(url);
    let labels: Vec<_> = host.split('.').collect();
    matches!(labels.as_slice(), [name] if !name.contains(':'))
        || matches!(labels.as_slice(), [_, .., "svc"] | [_, .., "svc", "cluster", "local"])
}

#[cfg(test)]
mod tests {
    use super::is_internal;

    #[test]
    fn names_that_only_a_cluster_knows() {
        for inside in [
            "http://fulcio-server",
            "http://rekor:3000/x",
            "http://rekor.trusted.svc",
            "https://rekor.trusted.svc.cluster.local:443",
        ] {
            assert!(is_internal(inside), "{inside}");
        }
        for outside in [
            "https://rekor.example.com",
            "https://svc.example.com",
            "https://cluster.local",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert!(!is_internal(outside), "{outside}");
        }
    }
}
