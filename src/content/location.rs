use std::{
    fmt,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::foreign::foreign;
use crate::{
    address::quiet,
    diag::Diagnostic,
    oci::Digest,
    registry::{Host, ReferenceError, RegistryRef, without_user},
};

/// A location as the user wrote it. Parsing one accesses neither disk nor network.
///
/// In `oci:DIR:TAG` and `oci-archive:FILE:TAG` the path ends at the first colon, as in every containers/image tool: the
/// meaning of a reference does not depend on the files on disk. A path with a colon can be given without a prefix
/// (`./name:tag`), or with `dir:`, `lookaside:` and `oc-mirror:`, which use all of the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `docker://host/repository:tag`, `docker://host/repository@digest`: one image of a registry.
    Registry(RegistryRef),
    /// `docker://host[/prefix]`: the repository with this name and all below it.
    Repositories(Host, String),
    /// `oci:DIR[:TAG]`, `oci:DIR@sha256:…`: an OCI layout.
    Layout(PathBuf, Option<Selector>),
    /// `oci-archive:FILE[:TAG]`, `oci-archive:FILE@sha256:…`: an OCI layout in a tar.
    Archive(PathBuf, Option<Selector>),
    /// `dir:DIR`: one image in skopeo's format, or a tree of them as written by `skopeo sync`.
    Dir(PathBuf),
    /// `lookaside:DIR`: detached signatures as containers/image stores them, for images that are elsewhere.
    Lookaside(PathBuf),
    /// `oc-mirror:DIR`: an output root, workspace, cache or archive folder of oc-mirror.
    OcMirror(PathBuf),
    /// A path without a prefix; its kind is recognised when it is opened.
    Path(PathBuf),
}

/// Selects an image in a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// By its name in index.json.
    Tag(String),
    /// By its digest.
    Digest(Digest),
}

/// An invalid location.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a place that keypack knows: {reason}")]
pub struct LocationError {
    text: String,
    reason: String,
    hint: String,
}

impl LocationError {
    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Location {
    /// The registry, if it is in one.
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Registry(RegistryRef { host, .. }) | Self::Repositories(host, _) => Some(host),
            _ => None,
        }
    }

    /// Parses a location. `exists` returns whether a path exists: a text without a prefix is an existing path, or
    /// otherwise a reference whose first part must be a registry. Nothing else is guessed.
    pub fn parse(text: &str, exists: impl Fn(&Path) -> bool) -> Result<Self, LocationError> {
        let error = |reason: &str, hint: &str| LocationError {
            text: quiet(&without_user(text)).into_owned(),
            reason: reason.to_owned(),
            hint: hint.to_owned(),
        };
        if let Some((reason, hint)) = foreign(text) {
            return Err(error(reason, hint));
        }
        let path = |rest: &str| match rest {
            "" => Err(error("the path is missing", "write the path after the colon")),
            _ => Ok(PathBuf::from(rest)),
        };
        let image = |rest: &str| {
            let (before, selector) = split_image(rest)
                .map_err(|reason| error(&reason, "write PATH, PATH:TAG or PATH@sha256:…"))?;
            Ok((path(before)?, selector))
        };
        let registry = |rest: &str| {
            registry(rest).map_err(|reason| {
                error(&reason, "write docker://HOST/REPOSITORY[:TAG][@sha256:…], or docker://HOST/PREFIX")
            })
        };
        match text.split_once(':') {
            Some(("docker", rest)) => match rest.strip_prefix("//") {
                Some(rest) => registry(rest),
                None => Err(error("two slashes follow docker:", "write docker://HOST/REPOSITORY")),
            },
            Some(("oci", rest)) => image(rest).map(|(path, selector)| Self::Layout(path, selector)),
            Some(("oci-archive", rest)) => image(rest).map(|(path, selector)| Self::Archive(path, selector)),
            Some(("dir", rest)) => path(rest).map(Self::Dir),
            Some(("lookaside", rest)) => path(rest).map(Self::Lookaside),
            Some(("oc-mirror", rest)) => path(rest).map(Self::OcMirror),
            _ if exists(Path::new(text)) => path(text).map(Self::Path),
            _ if ["/", "./", "../"].iter().any(|start| text.starts_with(start)) => path(text).map(Self::Path),
            _ if text.split_once('/').is_some_and(|(host, _)| Host::is_evident(host)) => registry(text),
            Some((before, _)) if !before.is_empty() && exists(Path::new(before)) => Err(error(
                "no such path",
                "write oci:DIR:TAG for a layout, oci-archive:FILE:TAG for an archive",
            )),
            _ if is_host_with_port(text.trim_end_matches('/')) => registry(text),
            _ => Err(error(
                "no such path, and no registry either (its host would have a dot, a port, or be localhost)",
                "check the path; a registry is written docker://HOST/REPOSITORY",
            )),
        }
    }

    /// The repository: the empty string, except in a registry.
    pub fn repository(&self) -> &str {
        match self {
            Self::Registry(reference) => &reference.repository,
            Self::Repositories(_, prefix) => prefix,
            _ => "",
        }
    }

    /// The selected image, as an argument for [`super::Source::resolve`]: the digest, otherwise the tag.
    pub fn reference(&self) -> Option<String> {
        match self {
            Self::Registry(r) => r.digest.map(|d| d.to_string()).or_else(|| r.tag.clone()),
            Self::Layout(_, selector) | Self::Archive(_, selector) => {
                selector.as_ref().map(ToString::to_string)
            }
            Self::Repositories(..)
            | Self::Dir(_)
            | Self::Lookaside(_)
            | Self::OcMirror(_)
            | Self::Path(_) => None,
        }
    }

    /// The file or directory, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Registry(_) | Self::Repositories(..) => None,
            Self::Layout(path, _)
            | Self::Archive(path, _)
            | Self::Dir(path)
            | Self::Lookaside(path)
            | Self::OcMirror(path)
            | Self::Path(path) => Some(path),
        }
    }
}

/// Parses the part after `docker://`. A name without tag and digest means everything below it.
fn registry(text: &str) -> Result<Location, String> {
    let trimmed = text.trim_end_matches('/');
    if !trimmed.contains('/') && Host::is_evident(trimmed) {
        return Host::parse(trimmed)
            .map(|h| Location::Repositories(h, String::new()))
            .map_err(|e| e.to_string());
    }
    let reference: RegistryRef = trimmed.parse().map_err(|e: ReferenceError| e.to_string())?;
    Ok(match reference {
        RegistryRef { host, repository, tag: None, digest: None } => Location::Repositories(host, repository),
        reference => Location::Registry(reference),
    })
}

/// Whether a text is a registry with its port: `mirror:5000`. Docker Hub is never assumed, so the number is not a tag;
/// but a number below 80 is more likely meant as one, as in `postgres:16`.
fn is_host_with_port(text: &str) -> bool {
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    port.is_some_and(|port| port >= 80) && Host::parse(text).is_ok()
}

/// Splits `PATH[:TAG]` or `PATH@DIGEST`.
fn split_image(text: &str) -> Result<(&str, Option<Selector>), String> {
    if let Some((path, digest)) = text.split_once("@sha") {
        let digest = format!("sha{digest}").parse::<Digest>().map_err(|e| e.to_string())?;
        return if path.contains(':') {
            Err("an image is named by its tag or by its digest, not by both".to_owned())
        } else {
            Ok((path, Some(Selector::Digest(digest))))
        };
    }
    let Some((path, tag)) = text.split_once(':') else { return Ok((text, None)) };
    if is_ref_name(tag) {
        Ok((path, Some(Selector::Tag(tag.to_owned()))))
    } else {
        Err(format!("{tag:?} is not a tag"))
    }
}

/// The grammar of `org.opencontainers.image.ref.name`: words joined by separators, in parts joined by slashes.
fn is_ref_name(text: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.len() <= 512
        && text.split('/').all(|part| {
            edge(part.bytes().next())
                && edge(part.bytes().last())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:@+".contains(&b))
        })
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path, selector) = match self {
            Self::Registry(reference) => return write!(f, "docker://{reference}"),
            Self::Repositories(host, prefix) if prefix.is_empty() => return write!(f, "docker://{host}"),
            Self::Repositories(host, prefix) => return write!(f, "docker://{host}/{prefix}"),
            Self::Layout(path, selector) => ("oci:", path, selector.as_ref()),
            Self::Archive(path, selector) => ("oci-archive:", path, selector.as_ref()),
            Self::Dir(path) => ("dir:", path, None),
            Self::Lookaside(path) => ("lookaside:", path, None),
            Self::OcMirror(path) => ("oc-mirror:", path, None),
            Self::Path(path) => ("", path, None),
        };
        write!(f, "{kind}{}", path.display())?;
        match selector {
            Some(Selector::Tag(tag)) => write!(f, ":{tag}"),
            Some(Selector::Digest(digest)) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl From<LocationError> for Diagnostic {
    fn from(e: LocationError) -> Self {
        let hint = e.hint().to_owned();
        Self::usage(e.to_string(), hint)
    }
}

#[cfg(test)]
mod tests;
