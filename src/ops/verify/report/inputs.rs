use std::{
    io,
    path::{Path, PathBuf},
};

use super::super::{AdmitRequest, Mapping, Request, admit};
use crate::{
    content::Location,
    diag::{Code, Diagnostic},
    fs, limits,
    oci::Digest,
    ops::{mappings, place::location},
    outcome::Input,
};

/// The files beside the images that a result depends on. The policy is reported by what is read of it.
pub(in crate::ops::verify) struct Inputs<'a> {
    places: &'a [String],
    images: Option<&'a str>,
    mappings: &'a [Mapping],
    mapping_files: &'a [PathBuf],
    registries_d: &'a [PathBuf],
    image_config: Option<&'a PathBuf>,
    keys: Vec<&'a PathBuf>,
}

impl<'a> From<&'a Request> for Inputs<'a> {
    fn from(request: &'a Request) -> Self {
        Self {
            places: &request.places,
            images: request.images.as_deref(),
            mappings: &request.mappings,
            mapping_files: &request.mapping_files,
            registries_d: &[],
            image_config: None,
            keys: request.keys.iter().map(|key| &key.path).chain(&request.trusted_roots).collect(),
        }
    }
}

impl<'a> From<&'a AdmitRequest> for Inputs<'a> {
    fn from(request: &'a AdmitRequest) -> Self {
        Self {
            places: &request.places,
            images: request.images.as_deref(),
            mappings: &request.mappings,
            mapping_files: &request.mapping_files,
            registries_d: &request.registries_d,
            image_config: request.image_config.as_ref(),
            keys: Vec::new(),
        }
    }
}

impl Inputs<'_> {
    pub(super) fn digests(&self) -> Result<Vec<Input>, Diagnostic> {
        let mut all = Vec::new();
        if let Some(list) = self.images.map(Path::new).filter(|list| list.is_file()) {
            all.push(input("list of images", list)?);
        }
        for directory in self.registries_d {
            for file in admit::registries_files(directory)? {
                all.push(input("registries.d", &file)?);
            }
        }
        all.extend(self.image_config.map(|file| input("image config", file)).transpose()?);
        for mapping in self.mappings {
            let name = mapping.to_string();
            all.push(Input { what: "mapping", sha256: Digest::of(name.as_bytes()), name });
        }
        let places: Vec<Location> = self.places.iter().filter_map(|place| location(place).ok()).collect();
        for file in mappings::files(self.mapping_files, &places)? {
            all.push(input("mapping", &file)?);
        }
        for file in &self.keys {
            all.push(input("key", file)?);
        }
        Ok(all)
    }
}

/// A file with its digest. Whoever reads it says what else is wrong with it.
fn input(what: &'static str, file: &Path) -> Result<Input, Diagnostic> {
    let failed = |e: io::Error| Diagnostic::from(fs::FsError::read(e, file));
    let read = fs::open(file).and_then(|opened| fs::read(opened, limits::MAPPING)).map_err(failed)?;
    let bytes = read.ok_or_else(|| {
        let error = format!("{} is longer than {} bytes", file.display(), limits::MAPPING);
        Diagnostic::new(Code::TooLarge, error)
    })?;
    Ok(Input { what, name: file.display().to_string(), sha256: Digest::of(&bytes) })
}
