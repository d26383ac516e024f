//! The tag conventions of signatures.

use crate::oci::Digest;

/// What a tag's name says about what lies behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagName {
    /// `sha256-<hex>.sig`: cosign's signatures for that manifest.
    Signature(Digest),
    /// `sha256-<hex>.att`, `.sbom`: cosign's older attachments, which are not signatures of the image.
    Attachment,
    /// `sha256-<hex>`: the fallback tag that lists referrers.
    Fallback(Digest),
    /// Any other: an image.
    Image,
}

/// Reads a tag's name.
pub(super) fn tag_name(tag: &str) -> TagName {
    let Some(rest) = tag.strip_prefix("sha256-") else { return TagName::Image };
    let (hex, suffix) = rest.split_once('.').map_or((rest, None), |(hex, suffix)| (hex, Some(suffix)));
    let Ok(digest) = Digest::from_hex(hex) else { return TagName::Image };
    match suffix {
        None => TagName::Fallback(digest),
        Some("sig") => TagName::Signature(digest),
        Some("att" | "sbom") => TagName::Attachment,
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
        assert_eq!(tag_name(&format!("sha256-{hex}")), TagName::Fallback(digest));
        assert_eq!(tag_name(&format!("sha256-{hex}.att")), TagName::Attachment);
        for tag in
            ["v1", "sha256-12.sig", &format!("sha256-{hex}.sig2"), &format!("sha256-{}", hex.to_uppercase())]
        {
            assert_eq!(tag_name(tag), TagName::Image, "{tag}");
        }
    }
}
