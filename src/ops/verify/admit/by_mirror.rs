//! Images that a cluster pulls by their name at the mirror, whatever its mirror sets say: oc-mirror writes operator catalogs and the
//! graph image into no mirror set (oc-mirror 855b64a, `internal/pkg/clusterresources`, `generateImageMirrors`), and names them at the
//! mirror in its CatalogSources and its UpdateService. It rebuilds a filtered catalog, so nobody signed that.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

use super::pulls::Pull;
use crate::{
    content::{self, Source},
    diag::{Code, Diagnostic},
    limits,
    oci::{Descriptor, Digest, Document},
    policy::consumer::{ImageName, Matched, Verdict},
};

/// The labels of an operator catalog (operator-registry, `pkg/containertools/labels.go`).
const LABELS: [&str; 2] =
    ["operators.operatorframework.io.index.configs.v1", "operators.operatorframework.io.index.database.v1"];

/// Where oc-mirror puts the image with the graph of updates.
const GRAPH: &str = "openshift/graph-image";

/// Which images are catalogs: one is pulled by several tags and by digest, and its config is read once.
#[derive(Default)]
pub(super) struct Catalogs(Mutex<HashMap<Digest, bool>>);

/// What a cluster calls such an image.
pub(super) enum Called {
    /// Its name at the mirror.
    Known(ImageName),
    /// The mirror's name is not known: a name that stands for it.
    Unknown(ImageName),
}

/// The name, if it is such an image.
pub(super) fn name(
    source: &dyn Source,
    pull: &Pull,
    image: Digest,
    catalogs: &Catalogs,
) -> Result<Option<Called>, Diagnostic> {
    // The images of a release are none, and a name of its own is that of the mirror already.
    let is_renamed = match (&pull.name, &pull.at) {
        (Some(name), Some(at)) => name.name() != at.name(),
        _ => !pull.repository.is_empty(),
    };
    if !is_renamed
        || pull.is_of_release()
        || !(is_graph(&pull.repository) || catalogs.has(source, pull, image)?)
    {
        return Ok(None);
    }
    let nowhere = || ImageName::of(&format!("mirror.invalid/{}", pull.repository), &pull.reference);
    Ok(pull.at.clone().map(Called::Known).or_else(|| nowhere().map(Called::Unknown)))
}

fn is_graph(repository: &str) -> bool {
    repository.strip_suffix(GRAPH).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

impl Catalogs {
    fn has(&self, source: &dyn Source, pull: &Pull, image: Digest) -> Result<bool, Diagnostic> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&image) {
            return Ok(*known);
        }
        // A config that is not here says nothing, as in an incremental archive; another place may have it.
        let Some(is_catalog) = is_catalog(source, pull, image)? else { return Ok(false) };
        known().insert(image, is_catalog);
        Ok(is_catalog)
    }
}

fn is_catalog(source: &dyn Source, pull: &Pull, image: Digest) -> Result<Option<bool>, Diagnostic> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        config: Option<Config>,
    }
    #[derive(Deserialize)]
    struct Config {
        #[serde(default, rename = "Labels")]
        labels: Option<std::collections::BTreeMap<String, serde_json::Value>>,
    }
    let read = content::fetch_manifest(source, &pull.repository, &Descriptor::of_digest(image))?;
    let Some((_, Document::Manifest(manifest))) = read else { return Ok(None) };
    let Some(blob) = content::fetch(source, &pull.repository, &manifest.config, limits::CONFIG)? else {
        return Ok(None);
    };
    let file = serde_json::from_slice::<File>(blob.bytes());
    let labels = file.ok().and_then(|file| file.config?.labels);
    Ok(Some(labels.is_some_and(|labels| LABELS.iter().any(|label| labels.contains_key(*label)))))
}

/// The verdict about an image whose mirror is not known. `hosts` are those of the other images: a scope that is none of theirs may be
/// the mirror's.
pub(super) fn without_mirror<'a>(
    verdict: Verdict,
    matched: Option<Matched>,
    cause: Option<Diagnostic>,
    hosts: &BTreeSet<String>,
    mut scopes: impl Iterator<Item = &'a String>,
) -> (Verdict, Option<Matched>, Option<Diagnostic>) {
    let is_source = |scope: &String| {
        let host = scope.split('/').next().unwrap_or_default();
        match host.strip_prefix('*') {
            Some(domain) => hosts.iter().any(|known| known.ends_with(domain)),
            None => hosts.contains(host),
        }
    };
    let is_outside = verdict <= Verdict::AdmittedUnverified;
    if is_outside && scopes.all(is_source) {
        return (verdict, matched, cause);
    }
    let what = "it is an operator catalog or the graph image, which clusters pull by the mirror's name, and that is not known here";
    (Verdict::NotJudged, None, Some(Diagnostic::new(Code::PulledNameUnknown, what)))
}

/// Why it is refused: a scope of the policy is the mirror's.
pub(super) fn refused(cause: &Diagnostic) -> Diagnostic {
    let what = format!(
        "clusters pull operator catalogs and the graph image by the mirror's name, which this scope covers: {} ({})",
        cause.message, cause.code
    );
    Diagnostic::new(Code::MirrorNameInScope, what)
}
