//! Which keys may have which role, and the role that a file name implies.

use std::str::FromStr;

use thiserror::Error;

use super::{Material, Role};

/// Why a key can't have a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RoleError {
    /// It is not the kind of key that the role requires.
    #[error("it is {is}, and the role {role} takes {}", role.takes())]
    Kind {
        /// The role.
        role: Role,
        /// What the key is.
        is: &'static str,
    },
    /// The purpose of a certificate chain is not stated.
    #[error(
        "a certificate chain is given with its role: --key fulcio=FILE, --key tsa=FILE, or --key pki=FILE for a CA \
         whose certificates sign without a log"
    )]
    Unstated,
}

impl Role {
    /// Whether this is the role of a log that records signatures.
    pub const fn logs_signatures(self) -> bool {
        matches!(self, Self::Rekor | Self::Rekor2)
    }

    /// The role of a file with a name like those that keypack gives: `ROLE.pub` or `ROLE-….pub`, with the extension
    /// that files of this role have in keys/.
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (stem, ending) = name.rsplit_once('.')?;
        let (word, _) = stem.split_once('-').unwrap_or((stem, ""));
        word.parse().ok().filter(|role: &Self| role.extension() == ending)
    }

    /// Whether a key that is listed in this role may be a key of the role `needed`. Trusted roots do not state the
    /// version of a Rekor log, and an ECDSA log has the same id in both.
    pub fn may_serve_as(self, needed: Self) -> bool {
        self == needed || (self == Self::Rekor && needed == Self::Rekor2)
    }

    /// Whether it is the role of a log.
    pub(crate) const fn is_log(self) -> bool {
        self.logs_signatures() || matches!(self, Self::CtLog)
    }

    /// The kind of key that this role has.
    const fn takes(self) -> &'static str {
        match self {
            Self::Rekor | Self::Rekor2 | Self::CtLog | Self::Signer => "a public key",
            Self::Fulcio | Self::Tsa | Self::Pki => "a certificate chain",
            Self::Gpg => "an OpenPGP key",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| {
            format!("{text:?} is not a role; the roles are {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

impl Material {
    /// Checks that the key is of the kind that this role has.
    pub const fn check_role(&self, role: Role) -> Result<(), RoleError> {
        let (fits, is) = match self {
            Self::Key(_) => (!role.is_chain() && !matches!(role, Role::Gpg), "a public key"),
            Self::Chain(_) => (role.is_chain(), "a certificate chain"),
            Self::OpenPgp(_) => (matches!(role, Role::Gpg), "an OpenPGP key"),
        };
        if fits { Ok(()) } else { Err(RoleError::Kind { role, is }) }
    }

    /// The role of a key that is given without one: signer. Signing something never makes a key a log or an authority,
    /// whatever the signature claims.
    pub const fn default_role(&self) -> Result<Role, RoleError> {
        match self {
            Self::Key(_) => Ok(Role::Signer),
            Self::Chain(_) => Err(RoleError::Unstated),
            Self::OpenPgp(_) => Ok(Role::Gpg),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_keypacks_files_give_the_role() {
        for (name, role) in [
            ("rekor-sigstore.pub", Role::Rekor),
            ("rekor-e69e8241.pub", Role::Rekor),
            ("rekor.pub", Role::Rekor),
            ("rekor2-rekor2-test-dd20f7e7.pub", Role::Rekor2),
            ("ctlog-sigstore-2022.pub", Role::CtLog),
            ("fulcio-sigstore.pem", Role::Fulcio),
            ("tsa.pem", Role::Tsa),
            ("pki-0123abcd.pem", Role::Pki),
            ("signer-redhat-release3.pub", Role::Signer),
            ("gpg-redhat-release.asc", Role::Gpg),
        ] {
            assert_eq!(Role::of_file_name(name), Some(role), "{name}");
        }
    }

    #[test]
    fn other_names_give_none() {
        for name in [
            "vendor.pub",
            "vendor-rekor.pub",
            "vendor.rekor.pub",
            "rekor.pem",
            "rekor",
            "rekor.pub.bak",
            "rekor_sigstore.pub",
            "rekorvendor.pub",
            "rekor3.pub",
            "rekor2024.pub",
            "Rekor.pub",
            "REKOR-x.pub",
            "fulcio.crt",
            "fulcio_v1.crt.pem",
            "fulcio.pub",
            "ctfe.pub",
            "-rekor.pub",
            "rekor .pub",
            ".pub",
            "",
        ] {
            assert_eq!(Role::of_file_name(name), None, "{name}");
        }
    }
}
