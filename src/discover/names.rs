//! The tag conventions of signatures.

use crate::oci::Digest;

/// The meaning of a tag's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagName {
    /// `sha256-<hex>.sig`: cosign's signatures for that manifest.
    Signature(Digest),
    /// `sha256-<hex>.att`: cosign's older attestations about that manifest.
    Attestation(Digest),
    /// `sha256-<hex>.sbom`: cosign's older bills of materials of that manifest.
    Sbom(Digest),
    /// `sha256-<hex>`: the fallback tag with the referrers of that manifest (OCI distribution-spec, "Referrers Tag
    /// Schema"), or the manifest itself, which oc-mirror v2 tags this way if it was selected by digest.
    Digest(Digest),
    /// Any other name: an image.
    Image,
}

/// Parses a tag's name.
pub(crate) fn tag_name(tag: &str) -> TagName {
    let Some(rest) = tag.strip_prefix("sha256-") else { return TagName::Image };
    let (hex, suffix) = rest.split_once('.').map_or((rest, None), |(hex, suffix)| (hex, Some(suffix)));
    let Ok(digest) = Digest::from_hex(hex) else { return TagName::Image };
    match suffix {
        None => TagName::Digest(digest),
        Some("sig") => TagName::Signature(digest),
        Some("att") => TagName::Attestation(digest),
        Some("sbom") => TagName::Sbom(digest),
        Some(_) => TagName::Image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_are_recognised_and_nothing_else() {
        let digest = Digest::of(b"x");
        let hex = digest.hex();
        assert_eq!(tag_name(&format!("sha256-{hex}.sig")), TagName::Signature(digest));
        assert_eq!(tag_name(&format!("sha256-{hex}")), TagName::Digest(digest));
        assert_eq!(tag_name(&format!("sha256-{hex}.att")), TagName::Attestation(digest));
        assert_eq!(tag_name(&format!("sha256-{hex}.sbom")), TagName::Sbom(digest));
        for tag in
            ["v1", "sha256-12.sig", &format!("sha256-{hex}.sig2"), &format!("sha256-{}", hex.to_uppercase())]
        {
            assert_eq!(tag_name(tag), TagName::Image, "{tag}");
        }
    }
}
