//! The folder registries.d, as `docker/registries_d.go` reads and merges it: which repositories have sigstore attachments, and
//! where their GPG signatures lie.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::{reference::ImageName, scope::namespaces};
use crate::yaml;

/// The merged folder.
#[derive(Debug, Clone, Default)]
pub struct RegistriesD {
    default: Option<(String, Section)>,
    docker: BTreeMap<String, (String, Section)>,
}

/// What the folder says of one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Whether sigstore attachments are looked for.
    pub attachments: bool,
    /// Below which address the GPG signatures lie; without it, in the consumer's own folder.
    pub lookaside: Option<String>,
}

/// Why the consumer refuses the whole folder: then every pull fails, whatever the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RegistriesFault(String);

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "default-docker", default)]
    default: Option<Section>,
    #[serde(default)]
    docker: Option<BTreeMap<String, Option<Section>>>,
}

/// Fields that are not named here are not read, as there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Section {
    #[serde(default)]
    lookaside: Option<String>,
    /// The old name of `lookaside`.
    #[serde(default)]
    sigstore: Option<String>,
    #[serde(default)]
    use_sigstore_attachments: Option<yaml::GoBool>,
}

impl RegistriesD {
    /// Adds a file. A section may stand in one file only.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RegistriesFault> {
        let document: Option<Document> =
            yaml::read_as_go(text).map_err(|what| RegistriesFault(format!("{file}: {what}")))?;
        let Some(document) = document else { return Ok(()) };
        let twice = |what: &str, other: &str| {
            let what = format!("{what} is both in {other} and in {file}, and the consumer refuses that");
            Err(RegistriesFault(what))
        };
        if let Some(default) = document.default {
            if let Some((other, _)) = &self.default {
                return twice("default-docker", other);
            }
            self.default = Some((file.to_owned(), default));
        }
        for (name, section) in document.docker.unwrap_or_default() {
            if let Some((other, _)) = self.docker.get(&name) {
                return twice(&format!("docker {name:?}"), other);
            }
            self.docker.insert(name, (file.to_owned(), section.unwrap_or_default()));
        }
        Ok(())
    }

    /// Switches attachments on for a scope, as OpenShift does for the scopes of its policies and their mirrors.
    pub fn switch_on(&mut self, scope: &str) {
        let section = Section { use_sigstore_attachments: Some(yaml::GoBool(true)), ..Section::default() };
        self.docker.insert(scope.to_owned(), (String::new(), section));
    }

    /// What is said of an image, field by field: what a section leaves out, the next wider one may say.
    pub fn lookup(&self, name: &ImageName) -> Lookup {
        let names = namespaces(name);
        let sections = || {
            let own = names.iter().filter_map(|name| self.docker.get(name));
            own.chain(&self.default).map(|(_, section)| section)
        };
        let address = |section: &Section| {
            let lookaside = section.lookaside.clone().filter(|text| !text.is_empty());
            lookaside.or_else(|| section.sigstore.clone().filter(|text| !text.is_empty()))
        };
        Lookup {
            attachments: sections().find_map(|s| s.use_sigstore_attachments).is_some_and(|on| on.0),
            lookaside: sections().find_map(address),
        }
    }
}
