//! What `--fix` found out about the images that would be refused.

use serde::Serialize;

use crate::diag::Code;

/// The file with the commands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FixReport {
    /// As the user named it.
    pub file: String,
    /// Whether it was written: nothing is where nothing would be refused.
    pub written: bool,
    /// The signatures that it copies.
    pub copies: usize,
    /// How it is run: `direct`, or `carried` if the sources can't be reached from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<&'static str>,
    /// The sources that could not be asked.
    pub not_asked: Vec<NotAsked>,
}

/// A source that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotAsked {
    /// The registry.
    pub host: String,
    /// Why.
    pub cause: String,
}

/// What cures one refused pull.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum PullFix {
    /// A copy, for which the file has the command.
    Copy {
        /// The signature tag at the source.
        from: String,
        /// That at the mirror.
        to: String,
        /// Whether the source has it, and the policy would admit the image with it. If not, the source could not be asked.
        asked: bool,
    },
    /// The source was asked, and has no signature of the image at its tag.
    SourceUnsigned {
        /// The repository there.
        from: String,
        /// What it has instead.
        #[serde(skip_serializing_if = "Option::is_none")]
        instead: Option<Instead>,
    },
    /// The policy would refuse the image with the signatures of its source too.
    SourceRefused {
        /// The repository there.
        from: String,
        /// Why.
        code: Code,
        /// The same for people.
        cause: String,
    },
    /// It is not known where the image was mirrored from.
    SourceUnknown,
    /// A copy does not cure it.
    Other,
}

/// What a source has instead of a signature at the image's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instead {
    /// A signature of the list that the image is in.
    List,
    /// A bundle.
    Bundle,
}

impl PullFix {
    /// What to do, where it is not a copy. `hint` is that of the code.
    pub fn cure(&self, hint: &str) -> String {
        match self {
            Self::SourceUnsigned { from, instead: None } => {
                format!("{from} has no signature for it either: its publisher must sign it, or the policy must not ask for it")
            }
            Self::SourceUnsigned { from, instead: Some(Instead::List) } => format!(
                "{from} has a signature for the list alone, and consumers check the image of their platform: its publisher must sign each of \
                 them (cosign sign --recursive)"
            ),
            Self::SourceUnsigned { from, instead: Some(Instead::Bundle) } => format!(
                "{from} has a bundle alone, cosign 3's default, which this consumer does not read: its publisher must sign with a tag \
                 (cosign sign --new-bundle-format=false --use-signing-config=false)"
            ),
            Self::SourceRefused { from, code, cause } => {
                format!("a copy does not help, the policy refuses what {from} has: {cause} ({code}); {}", code.hint())
            }
            Self::SourceUnknown => {
                "where it was mirrored from is not known, so the signature can't be copied from there: --idms FILE or --map MIRROR=SOURCE \
                 says it"
                    .into()
            }
            Self::Copy { .. } | Self::Other => hint.to_owned(),
        }
    }
}
