//! What a code is; the codes are in `table.rs`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::table::Code;

/// Makes the enum, and everything that is known about each code, from one table: a code without a hint does not
/// compile. The documentation of a code is its title.
macro_rules! codes {
    ($(#[doc = $title:literal] $code:ident $name:literal $exit:ident $hint:literal;)*) => {
        /// What a diagnostic is about. The names are stable: scripts and monitoring may compare them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The stable name, in lower case with hyphens.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// What it means, in one sentence.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title.trim_ascii(),)*
                }
            }

            /// What to do about it, where nothing more is known about the situation.
            pub const fn hint(self) -> &'static str {
                match self {
                    $(Self::$code => $hint,)*
                }
            }

            /// How a command ends that fails for this reason, unless the situation says otherwise.
            pub const fn exit(self) -> Exit {
                match self {
                    $(Self::$code => Exit::$exit,)*
                }
            }
        }
    };
}

pub(super) use codes;

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_has_a_name_a_title_and_a_hint() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let titles: BTreeSet<_> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!((names.len(), titles.len()), (Code::ALL.len(), Code::ALL.len()), "no name or title twice");
        for code in Code::ALL {
            let name = code.as_str();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(!name.is_empty() && name.bytes().all(plain), "{name}");
            assert!(
                code.title().ends_with('.') && !code.title().starts_with(' '),
                "{name}: {:?}",
                code.title()
            );
            assert!(!code.hint().is_empty() && !code.hint().ends_with('.'), "{name}: {:?}", code.hint());
        }
    }

    #[test]
    fn the_name_of_a_variant_is_its_code() {
        for code in Code::ALL {
            let words = code.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
            assert_eq!(format!("{code:?}"), words.collect::<String>());
        }
    }
}
