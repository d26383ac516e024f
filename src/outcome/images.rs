//! The images of a report. For a large mirror they are generated one at a time on request, because together they are
//! larger than the data they are generated from.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{ImageReport, label::Labels, make};
use crate::{
    discover::Discovery,
    resolve::{Resolution, Verdict},
};

/// The images, location by location.
#[derive(Debug, Clone)]
pub struct Images(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Made(Vec<ImageReport>),
    Found(Arc<Discovery<Verdict>>, Arc<Resolution>, Arc<Labels>),
}

impl Images {
    pub(super) fn of(discovery: &Arc<Discovery<Verdict>>, resolution: &Arc<Resolution>) -> Self {
        let labels = Arc::new(Labels::of(discovery));
        Self(Kept::Found(Arc::clone(discovery), Arc::clone(resolution), labels))
    }

    /// The images, in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = ImageReport> + '_> {
        match &self.0 {
            Kept::Made(images) => Box::new(images.iter().cloned()),
            Kept::Found(discovery, resolution, labels) => {
                Box::new(discovery.images.iter().map(|found| make::image(found, resolution, labels)))
            }
        }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Made(images) => images.len(),
            Kept::Found(discovery, ..) => discovery.images.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
