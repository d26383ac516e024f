//! Validates the fields.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use super::{Config, Enforce, Revocation, Sources, Tuf, VerifyKeys, enforce::STATE, wire};
use jiff::SignedDuration;

use crate::{
    address::quiet,
    keysource::{AddressOrPath, KeyFile},
    pack::{is_lineage, parse_duration, parse_time},
    policy::rule::rules,
    registry::{AllowedRealm, RegistryRef},
    trust::tuf::RootName,
    yaml::{At, Fault, truth, value},
};

pub(super) fn file(file: wire::File, base: &Path) -> Result<Config, Fault> {
    Ok(Config {
        when: file.when,
        on_failure: file.on_failure,
        name: file.name.map(lineage).transpose()?,
        expires: file.expires.as_ref().map(value).transpose()?,
        include: file.include,
        sources: sources(file.sources.unwrap_or_default(), base)?,
        network: file.network.as_ref().map(truth).transpose()?,
        rules: file.rules.map(rules).transpose()?,
        pins: file.pins.map(|pins| pins.iter().map(value).collect()).transpose()?,
        verify_keys: file.verify_keys.map(|keys| verify_keys(keys, base)).transpose()?,
        tuf_roots: file
            .tuf_roots
            .map(|roots| roots.iter().map(|text| root(text, base)).collect())
            .transpose()?,
        revoked: file.revoked.unwrap_or_default().into_iter().map(revocation).collect::<Result<_, _>>()?,
        images: file.images.map(|images| place(&images, base)).transpose()?,
        signature_repository: file.signature_repository.map(signature_repository).transpose()?,
        allow_realms: file
            .allow_realms
            .unwrap_or_default()
            .into_iter()
            .map(realm)
            .collect::<Result<_, _>>()?,
        state: file.state.map(|state| path(&state, base)).transpose()?,
        require_state: file.require_state.as_ref().map(truth).transpose()?,
        max_age: file.max_age.as_ref().map(duration).transpose()?,
        max_expires: file.max_expires.as_ref().map(duration).transpose()?,
        enforce: file.enforce.map(|enforce| enforced(enforce, base)).transpose()?,
    })
}

fn enforced(enforce: wire::Enforce, base: &Path) -> Result<Enforce, Fault> {
    let roots = enforce.tuf_roots.unwrap_or_default();
    Ok(Enforce {
        name: enforce.name.map(lineage).transpose()?,
        state: enforce.state.map_or_else(|| Ok(STATE.into()), |state| absolute(&state))?,
        require_state: enforce.require_state.as_ref().map(truth).transpose()?.unwrap_or_default(),
        max_age: enforce.max_age.as_ref().map(duration).transpose()?,
        max_expires: enforce.max_expires.as_ref().map(duration).transpose()?,
        digest: enforce.digest.as_ref().map(value).transpose()?,
        verify_keys: enforce.verify_keys.map(|keys| verify_keys(keys, base)).transpose()?.unwrap_or_default(),
        tuf_roots: roots.iter().map(|text| root(text, base)).collect::<Result<_, _>>()?,
        pins: enforce.pins.unwrap_or_default().iter().map(value).collect::<Result<_, _>>()?,
    })
}

/// An absolute path, which does not depend on the program's working directory.
fn absolute(text: &At<String>) -> Result<PathBuf, Fault> {
    if text.value.starts_with('/') {
        return Ok(text.value.clone().into());
    }
    Err(Fault::at(text, format!("{:?} is not an absolute path", text.value)))
}

fn duration(text: &At<String>) -> Result<SignedDuration, Fault> {
    parse_duration(&text.value).map_err(|e| Fault::at(text, e))
}

/// The keys, and how many must have signed. A threshold above the number of keys could never be met and is refused.
fn verify_keys(keys: wire::VerifyKeys, base: &Path) -> Result<VerifyKeys, Fault> {
    let many = keys.keys.len();
    let threshold = keys.threshold.map(|threshold| {
        let number = usize::try_from(threshold.value).ok().and_then(NonZeroUsize::new);
        number.filter(|number| number.get() <= many).ok_or_else(|| {
            Fault::at(&threshold, format!("a threshold of {many} keys is a number from 1 to {many}"))
        })
    });
    Ok(VerifyKeys { threshold: threshold.transpose()?, keys: paths(Some(keys.keys), base)? })
}

fn lineage(name: At<String>) -> Result<String, Fault> {
    if is_lineage(&name.value) {
        return Ok(name.value);
    }
    Err(Fault::at(&name, format!("{:?} is not 1 to 64 letters, digits, dots and dashes", name.value)))
}

fn sources(sources: wire::Sources, base: &Path) -> Result<Sources, Fault> {
    Ok(Sources {
        trusted_roots: paths(sources.trusted_roots, base)?,
        keys: sources
            .keys
            .unwrap_or_default()
            .iter()
            .map(|key| key_file(key, base))
            .collect::<Result<_, _>>()?,
        from_policy: sources.from_policy.map(|policy| path(&policy, base)).transpose()?,
        rekor: sources
            .rekor
            .unwrap_or_default()
            .into_iter()
            .map(|rekor| address_or_path(rekor, base))
            .collect::<Result<_, _>>()?,
        tuf: sources.tuf.unwrap_or_default().into_iter().map(|t| tuf(t, base)).collect::<Result<_, _>>()?,
    })
}

fn paths(paths: Option<Vec<At<String>>>, base: &Path) -> Result<Vec<PathBuf>, Fault> {
    paths.unwrap_or_default().iter().map(|text| path(text, base)).collect()
}

/// A key file, with a path relative to the configuration file.
fn key_file(text: &At<String>, base: &Path) -> Result<KeyFile, Fault> {
    let KeyFile { role, path: file } = KeyFile::parse(text.value.as_ref()).map_err(|e| Fault::at(text, e))?;
    let file = At { value: file.display().to_string(), ..text.clone() };
    Ok(KeyFile { role, path: path(&file, base)? })
}

/// A path relative to the configuration file.
fn path(text: &At<String>, base: &Path) -> Result<PathBuf, Fault> {
    if text.value.is_empty() {
        return Err(Fault::at(text, "the path is empty"));
    }
    if text.value.contains("://") {
        return Err(Fault::at(
            text,
            format!("{:?} is an address, but a file is expected", quiet(&text.value)),
        ));
    }
    Ok(base.join(&text.value))
}

fn tuf(tuf: wire::Tuf, base: &Path) -> Result<Tuf, Fault> {
    let root = tuf.root.map(|text| root(&text, base)).transpose()?;
    Ok(Tuf { repository: address_or_path(tuf.repository, base)?, root })
}

/// A root file, with a path relative to the configuration file.
fn root(text: &At<String>, base: &Path) -> Result<RootName, Fault> {
    match value(text)? {
        RootName::File(_) => path(text, base).map(RootName::File),
        builtin @ RootName::Builtin(_) => Ok(builtin),
    }
}

/// An address, or a path.
fn address_or_path(text: At<String>, base: &Path) -> Result<String, Fault> {
    match text.value.parse::<AddressOrPath>() {
        Ok(AddressOrPath::Address(_)) => Ok(text.value),
        Ok(AddressOrPath::Path(_)) => path(&text, base).map(|path| path.display().to_string()),
        Err(e) => {
            Err(Fault::at(&text, e).hinting("write https://HOST without password and query, or a path"))
        }
    }
}

/// The value of `--images`, with a path relative to the configuration file.
fn place(text: &At<String>, base: &Path) -> Result<String, Fault> {
    if text.value == "-" {
        return Err(
            Fault::at(text, "a list from stdin can't stand in a file").hinting("give it as --images -")
        );
    }
    if text.value.starts_with("docker://") {
        return Ok(text.value.clone());
    }
    let kinds = ["oci-archive:", "oc-mirror:", "oci:", "dir:"];
    let kind = kinds.into_iter().find(|kind| text.value.starts_with(kind)).unwrap_or_default();
    let rest = At { value: text.value[kind.len()..].to_owned(), ..text.clone() };
    path(&rest, base).map(|path| format!("{kind}{}", path.display()))
}

fn revocation(entry: wire::Revoked) -> Result<Revocation, Fault> {
    if entry.reason.value.trim().is_empty() {
        return Err(Fault::at(&entry.reason, "the reason is empty"));
    }
    let date = entry.date.as_ref().map(|date| parse_time(&date.value).map_err(|e| Fault::at(date, e)));
    Ok(Revocation {
        fingerprint: value(&entry.fingerprint)?,
        reason: entry.reason.value,
        date: date.transpose()?,
    })
}

fn signature_repository(text: At<String>) -> Result<String, Fault> {
    let name = text.value.strip_prefix("docker://").unwrap_or(&text.value);
    match name.parse::<RegistryRef>() {
        Ok(reference) if reference.tag.is_none() && reference.digest.is_none() => Ok(text.value),
        Ok(_) => Err(Fault::at(&text, format!("{:?} is an image, but a repository is expected", text.value))
            .hinting("write HOST/REPOSITORY")),
        Err(e) => Err(Fault::at(&text, e.to_string()).hinting("write HOST/REPOSITORY")),
    }
}

fn realm(text: At<String>) -> Result<String, Fault> {
    match AllowedRealm::parse(&text.value) {
        Ok(_) => Ok(text.value),
        Err(e) => Err(Fault::at(&text, e.to_string()).hinting("give a host, with a port where needed")),
    }
}
