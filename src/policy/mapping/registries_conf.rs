//! The mirror configuration of podman, CRI-O and skopeo: containers-registries.conf(5), version 2.

use serde::Deserialize;

use super::{Entry, MappingError, NameMap, Pull, Scope, location, source};

/// The parts of a file that concern mirrors.
#[derive(Deserialize)]
struct FileDto {
    registry: Option<Vec<RegistryDto>>,
    /// Version 1, which has no mirrors.
    registries: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RegistryDto {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    mirror: Vec<MirrorDto>,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MirrorDto {
    location: String,
    pull_from_mirror: Option<PullDto>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum PullDto {
    All,
    DigestOnly,
    TagOnly,
}

/// Parses a registries.conf, or a file of registries.conf.d.
pub fn parse_registries_conf(text: &str) -> Result<NameMap, MappingError> {
    let file: FileDto = toml::from_str(text).map_err(|e| {
        let place = e.span().map_or_else(String::new, |span| {
            format!("line {}: ", text.get(..span.start).unwrap_or_default().lines().count().max(1))
        });
        MappingError::Malformed(format!("{place}{}", e.message()))
    })?;
    let mut map = NameMap::default();
    for registry in file.registry.into_iter().flatten() {
        let named = if registry.prefix.is_empty() { &registry.location } else { &registry.prefix };
        // A prefix may also be a single image, which does not apply to its repository.
        if named.parse::<Scope>().is_ok_and(|scope| scope.is_image()) {
            continue;
        }
        let prefix = source(named)?;
        map.entries.insert(prefix.clone(), Entry { is_cut_off: registry.blocked, ..Entry::default() });
        for mirror in registry.mirror {
            let only = match mirror.pull_from_mirror {
                Some(PullDto::DigestOnly) => Some(Pull::Digest),
                Some(PullDto::TagOnly) => Some(Pull::Tag),
                None if registry.mirror_by_digest_only => Some(Pull::Digest),
                Some(PullDto::All) | None => None,
            };
            map.add(&prefix, &location(&mirror.location)?, only);
        }
        // If it has a location, the source itself is read there.
        if !registry.blocked && !registry.location.is_empty() && registry.location != prefix {
            map.add(&prefix, &location(&registry.location)?, None);
            map.entries.entry(prefix).or_default().is_cut_off = true;
        }
    }
    let empty = if file.registries.is_some() {
        "it is of version 1, which names no mirrors"
    } else {
        "it names no [[registry.mirror]]"
    };
    map.named(empty)
}
