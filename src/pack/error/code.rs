//! The code of each error, and the conversion of other errors to pack errors.

use super::PackError;
use crate::{
    diag::{Code, Diagnostic, Exit},
    policy::rule::RuleError,
};

impl PackError {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::NotAPack(_) => Code::NotAPack,
            Self::Index => Code::PackIsIndex,
            Self::Urls => Code::PackHasUrls,
            Self::Empty => Code::PackEmpty,
            Self::Layer(_) => Code::PackLayerMalformed,
            Self::Entry { .. } => Code::PackEntryRefused,
            Self::Name(_) => Code::NameUnsafe,
            Self::NoKeys => Code::PackWithoutKeys,
            Self::Duplicate(_) => Code::FileDuplicate,
            Self::TooLarge(_) => Code::TooLarge,
            Self::Inconsistent { .. } => Code::PackInconsistent,
            Self::Inventory(_) => Code::InventoryMalformed,
            Self::Version(_) => Code::InventoryVersionUnknown,
            Self::Superseded => Code::InventorySuperseded,
            Self::Missing(_) => Code::FileMissing,
            Self::Extra(_) => Code::FileNotInInventory,
            Self::Unaccounted(_) => Code::FileUnaccounted,
            Self::TrustedRoot(_) => Code::TrustedRootMismatch,
            Self::Content { .. } => Code::FileMismatch,
            Self::Key { .. } => Code::KeyMismatch,
            Self::PrivateKey(_) => Code::PrivateKey,
            Self::NoAnchor => Code::NoAnchor,
            Self::Digest { .. } => Code::AnchorDigestMismatch,
            Self::Unsigned => Code::PackUnsigned,
            Self::Signature(_) => Code::PackSignatureRefused,
            Self::Threshold { .. } => Code::ThresholdNotMet,
            Self::SignatureStale(_) => Code::SignatureStale,
            Self::SignatureFile { .. } => Code::SignatureFile,
            Self::NotPinned { .. } => Code::KeyNotPinned,
            Self::PinIncomplete { .. } => Code::PinIncomplete,
            Self::PinNotMet(_) => Code::PinNotMet,
            Self::Chain { .. } => Code::TufTarRefused,
            Self::NoChain => Code::TufChainMissing,
            Self::Tuf { error, .. } => error.code(),
            Self::NotInTuf(_) => Code::KeyNotInTuf,
            Self::TufDiffers { .. } => Code::KeyDiffersFromTuf,
            Self::Revoked { .. } => Code::KeyRevoked,
            Self::Expired { .. } => Code::PackExpired,
            Self::TooOld { .. } | Self::TufTooOld { .. } => Code::PackTooOld,
            Self::TufClockBehind { .. } => Code::ClockBehind,
            Self::FromTheFuture { .. } => Code::VersionFromTheFuture,
            Self::Rule { .. } => Code::RuleUnmet,
            Self::Lineage { .. } => Code::LineageMismatch,
        }
    }
}

impl From<PackError> for Diagnostic {
    fn from(e: PackError) -> Self {
        let diagnostic = Self::new(e.code(), e.to_string());
        // A problem with a pack refuses it, even if elsewhere it would only be a failed read. An unmet rule refuses
        // nothing: a needed key is missing.
        if matches!(e, PackError::Rule { .. }) { diagnostic } else { diagnostic.ending(Exit::Refused) }
    }
}

impl From<RuleError> for PackError {
    fn from(e: RuleError) -> Self {
        match e {
            RuleError::TwoRules(_) => Self::Inventory(e.to_string()),
            RuleError::Key { scope, key, reason } => Self::Rule { scope: scope.to_string(), key, reason },
        }
    }
}
