//! Single files of an image, read out of its layers as they would be unpacked (OCI image-spec v1.1, layer.md "Applying
//! Changesets"). Nothing is unpacked: the layers are streamed from the top one down, until each file is decided.

mod layer;
mod unpack;

use std::{cell::Cell, collections::BTreeMap};

use layer::read_layer;

use super::{ContentError, Source};
use crate::{limits, oci::ImageManifest};

/// Files of an image by their paths.
pub type ImageFiles<'p> = BTreeMap<&'p str, Vec<u8>>;

/// The files with these paths (`directory/name`), each with its content; those that the image does not have are left
/// out. `enough` is asked before each further layer: the cost is that of the layers that are read.
pub fn image_files<'p>(
    source: &dyn Source,
    repository: &str,
    image: &ImageManifest,
    paths: &[&'p str],
    enough: &dyn Fn(&ImageFiles<'p>) -> bool,
) -> Result<ImageFiles<'p>, ContentError> {
    let (mut open, mut found) = (paths.to_vec(), ImageFiles::new());
    let unpacked = Cell::new(limits::IMAGE_UNPACKED);
    for layer in image.layers.iter().rev() {
        if open.is_empty() || enough(&found) {
            break;
        }
        let seen = read_layer(source, repository, layer, &open, &unpacked)?;
        open.retain(|path| !seen.files.contains_key(path) && !seen.hidden.contains(path));
        found.extend(seen.files);
    }
    Ok(found)
}
