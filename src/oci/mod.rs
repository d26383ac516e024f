//! OCI types: digests, descriptors, manifests and indexes, and bytes with a verified digest. No I/O.

mod blob;
mod digest;
mod hashed;
mod manifest;

pub use blob::{Blob, BlobError};
pub use digest::{Digest, DigestError};
pub use hashed::Hashed;
pub use manifest::{Descriptor, Document, ImageIndex, ImageManifest, ManifestError};

/// Media types that keypack reads or writes.
pub mod media {
    /// OCI image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image config.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// OCI layer, gzip.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// The media type of the empty descriptor.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// Docker manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image config.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
}

/// Annotation keys of the OCI image specification.
pub mod annotation {
    /// The tag of a manifest in a layout's index.json.
    pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
    /// The whole name of an image in a layout's index.json, beside a short [`REF_NAME`]: docker save, ctr and nerdctl write it
    /// (containerd `core/images/annotations.go`).
    pub const CONTAINERD_NAME: &str = "io.containerd.image.name";
    /// A file name; oras writes and reads it.
    pub const TITLE: &str = "org.opencontainers.image.title";
}
