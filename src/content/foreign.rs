/// Reference syntax of other tools, with the equivalent here: prefix, reason, hint.
const FOREIGN: [(&str, &str, &str); 11] = [
    (
        "oci://",
        "oci:// has no meaning here",
        "write oci:DIR for a layout, docker://HOST/REPOSITORY for a registry",
    ),
    ("ocidir://", "ocidir:// is regctl's word", "write oci:DIR"),
    ("oci-archive://", "a path follows the colon directly", "write oci-archive:FILE"),
    ("dir://", "a path follows the colon directly", "write dir:DIR"),
    ("oc-mirror://", "a path follows the colon directly", "write oc-mirror:DIR"),
    ("https://", "a place in a registry has no https://", "write docker://HOST/REPOSITORY"),
    ("http://", "a place in a registry has no http://", "write docker://HOST/REPOSITORY and --plain-http"),
    ("file://", "file:// has no meaning here", "write oc-mirror:DIR, oci:DIR or the bare path"),
    (
        "docker-archive:",
        "docker-archive loses digests",
        "make an oci-archive: skopeo copy docker-archive:… oci-archive:FILE",
    ),
    (
        "docker-daemon:",
        "keypack does not read a container engine's store",
        "make an oci-archive: skopeo copy docker-daemon:… oci-archive:FILE",
    ),
    (
        "containers-storage:",
        "keypack does not read a container engine's store",
        "make an oci-archive: podman save --format oci-archive",
    ),
];

/// Why another tool's syntax is not supported, and what to write instead.
pub(super) fn foreign(text: &str) -> Option<(&'static str, &'static str)> {
    FOREIGN.iter().find(|(prefix, ..)| text.starts_with(prefix)).map(|(_, reason, hint)| (*reason, *hint))
}
