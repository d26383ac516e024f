//! The images of a report. Of a large mirror they are made one by one as they are asked for: together they are larger than
//! all that is known of them.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{ImageReport, make};
use crate::{
    discover::Discovery,
    resolve::{Resolution, Verdict},
};

/// The images, place by place.
#[derive(Debug, Clone)]
pub struct Images(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Made(Vec<ImageReport>),
    Found(Arc<Discovery<Verdict>>, Arc<Resolution>),
}

impl Images {
    pub(super) fn of(discovery: &Arc<Discovery<Verdict>>, resolution: &Arc<Resolution>) -> Self {
        Self(Kept::Found(Arc::clone(discovery), Arc::clone(resolution)))
    }

    /// The images in their order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = ImageReport> + '_> {
        match &self.0 {
            Kept::Made(images) => Box::new(images.iter().cloned()),
            Kept::Found(discovery, resolution) => {
                Box::new(discovery.images.iter().map(|found| make::image(found, resolution)))
            }
        }
    }
}

impl<'a> IntoIterator for &'a Images {
    type Item = ImageReport;
    type IntoIter = Box<dyn Iterator<Item = ImageReport> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<ImageReport>> for Images {
    fn from(images: Vec<ImageReport>) -> Self {
        Self(Kept::Made(images))
    }
}

impl Serialize for Images {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
