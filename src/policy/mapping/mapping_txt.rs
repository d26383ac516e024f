//! oc-mirror's mapping.txt: `docker://SOURCE=docker://DESTINATION`, one image per line.

use super::{MappingError, NameMap};
use crate::content::{ListedImage, parse_list};

/// Parses a mapping.txt. Its lines are images; the mapping is applied to their repositories.
pub fn parse_mapping_txt(text: &str) -> Result<NameMap, MappingError> {
    let list = parse_list(text).map_err(|e| MappingError::Malformed(e.to_string()))?;
    let mut map = NameMap::default();
    let mut of_cache = false;
    for image in list.images {
        if image.is_of_cache() {
            of_cache = true;
            continue;
        }
        let ListedImage { source, destination, .. } = image;
        let Some(destination) = destination else {
            return Err(MappingError::Malformed(format!(
                "{source} has no destination: write SOURCE=DESTINATION"
            )));
        };
        let name = |image: &crate::registry::RegistryRef| format!("{}/{}", image.host, image.repository);
        map.add_copy(&name(&destination), &name(&source), true);
    }
    map.named(if of_cache {
        "its sources are oc-mirror's own cache (localhost): take the mapping.txt of mirror-to-disk, or cluster-resources"
    } else {
        "it names no image"
    })
}
