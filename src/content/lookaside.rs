use std::{io::Read, path::Path};

use super::{
    Abilities, Attachment, ContentError, DetachedSignatures, Files, Listed, Source, files::join,
    found::holding,
};
use crate::{
    limits,
    oci::{Descriptor, Digest},
};

/// A tree of detached signatures: `REPOSITORY@sha256=<hex>/signature-N`, from 1 on until one does not exist
/// (containers/image `docs/signature-protocols.md`). It has signatures of images that are elsewhere, and no images.
pub struct Lookaside<F> {
    place: String,
    files: F,
}

impl<F: Files> Lookaside<F> {
    /// Checks that it holds signatures. `place` is the folder's name in messages.
    pub fn open(place: impl Into<String>, files: F) -> Result<Self, ContentError> {
        let tree = Self { place: place.into(), files };
        let mut found = false;
        tree.visit("", 0, &mut |_, _| {
            found = true;
            Ok(())
        })?;
        if found {
            return Ok(tree);
        }
        let reason =
            format!("no folder is named REPOSITORY@sha256=<digest>; it holds {}", holding(&tree.files));
        Err(ContentError::wrong_place(Path::new(&tree.place), "a lookaside tree", reason))
    }

    /// Passes every folder of signatures to `take`, with the image that its name claims.
    fn visit(
        &self,
        folder: &str,
        depth: usize,
        take: &mut dyn FnMut(&str, Digest) -> Result<(), ContentError>,
    ) -> Result<(), ContentError> {
        for child in self.files.list(folder)?.into_iter().filter(|child| child.is_dir) {
            let path = join(folder, &child.name);
            let image = child.name.rsplit_once("@sha256=").and_then(|(_, hex)| Digest::from_hex(hex).ok());
            match image {
                Some(image) => take(&path, image)?,
                None if depth < limits::TREE_DEPTH => self.visit(&path, depth + 1, take)?,
                None => {}
            }
        }
        Ok(())
    }
}

impl<F: Files> DetachedSignatures for Lookaside<F> {
    fn detached(&self, take: &mut dyn FnMut(Digest, Attachment)) -> Result<(), ContentError> {
        self.visit("", 0, &mut |folder, image| {
            for number in 1..=limits::LOOKASIDE_SIGNATURES {
                let name = join(folder, &format!("signature-{number}"));
                let Some(bytes) = self.files.read(&name, limits::SIGNATURE)? else { break };
                take(image, Attachment { name, bytes });
            }
            Ok(())
        })
    }
}

impl<F: Files> Source for Lookaside<F> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn repositories(&self) -> Result<Vec<String>, ContentError> {
        Ok(Vec::new())
    }

    fn list(
        &self,
        _repository: &str,
        _take: &mut dyn FnMut(Result<Listed, ContentError>),
    ) -> Result<(), ContentError> {
        Ok(())
    }

    fn resolve(&self, _repository: &str, _reference: &str) -> Result<Option<Descriptor>, ContentError> {
        Ok(None)
    }

    fn open(
        &self,
        _repository: &str,
        _blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + '_>>, ContentError> {
        Ok(None)
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities { detached: Some(self), ..Abilities::default() }
    }
}
