use crate::oci::Digest;

/// What authenticates a pack, and arrived by another way than the pack.
///
/// More kinds come: an organisation's key, pins, a TUF root. Several anchors are AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The pack digest or the manifest digest.
    Digest(Digest),
}

/// Which of a pack's two digests an anchor met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The sha256 of keypack.json: it survives every repackaging.
    Pack,
    /// The manifest's digest: it changes when a tool repackages.
    Manifest,
    /// Neither.
    Neither,
}

impl Compared {
    /// How a digest relates to a pack.
    pub fn of(digest: Digest, pack: Digest, manifest: Option<Digest>) -> Self {
        if digest == pack {
            Self::Pack
        } else if Some(digest) == manifest {
            Self::Manifest
        } else {
            Self::Neither
        }
    }

    /// The name in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "pack digest",
            Self::Manifest => "manifest digest",
            Self::Neither => "neither digest",
        }
    }
}
