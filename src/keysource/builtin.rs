//! The public-good instance's trusted root, as of the build of this program.

use sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;

use crate::{
    key::{Grade, Provenance, trusted_root, trusted_root::Contents},
    oci::Digest,
};

/// The name of the built-in root in inventories and messages.
pub const BUILTIN_SOURCE: &str = "sigstore public-good trusted root";

/// The release date of the `sigstore-trust-root` version that ships this root; a test checks the root's digest.
pub const BUILTIN_DATE: &str = "2026-10-23T00:00:00Z";

pub(super) fn root() -> Contents {
    let json = SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes();
    let provenance = Provenance {
        grade: Grade::Builtin,
        source: BUILTIN_SOURCE.into(),
        sha256: Digest::of(json),
        date: BUILTIN_DATE.parse().ok(),
    };
    // The root is a constant that a test parses, so it can't be malformed.
    trusted_root::read(json, &provenance).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_belongs_to_this_root() {
        assert_eq!(
            Digest::of(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes()).hex(),
            "6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66",
            "another root is built in: set BUILTIN_DATE, and name its new keys in key::names"
        );
        assert!(BUILTIN_DATE.parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn all_of_it_is_usable() {
        let Contents { candidates, unusable, undated } = root();
        assert_eq!(candidates.len(), 7);
        assert_eq!((unusable.len(), undated.len()), (0, 0));
    }
}
