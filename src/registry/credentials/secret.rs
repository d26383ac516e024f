use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

/// A string that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Credentials for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password (or a token used as one).
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An identity token: an OAuth 2 refresh token, valid only for the registry's token service.
    IdentityToken(Secret),
    /// A bearer token that is sent to the registry unchanged (`registrytoken`).
    RegistryToken(Secret),
}

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The plain string, for use in a request only.
    pub(in crate::registry) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Credentials {
    /// A user and a password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { user: user.into(), password: Secret::new(password) }
    }

    /// Parses `--creds USER[:PASSWORD]`. `None` if it has no user.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        (!user.is_empty()).then(|| Self::password(user, password))
    }

    /// The value of an `Authorization` header for HTTP Basic (RFC 7617), if these are a user and a password.
    pub(in crate::registry) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal()))))
            }
            Self::IdentityToken(_) | Self::RegistryToken(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        assert_eq!(Credentials::parse("u:p:q"), Some(Credentials::password("u", "p:q")));
        assert_eq!(Credentials::parse("u"), Some(Credentials::password("u", "")));
        assert_eq!(Credentials::parse(":p"), None);
    }

    #[test]
    fn nothing_shows_a_secret() {
        for c in [
            Credentials::password("alice", "hunter2"),
            Credentials::IdentityToken(Secret::new("hunter2")),
            Credentials::RegistryToken(Secret::new("hunter2")),
        ] {
            assert!(!format!("{c:?} {c:#?}").contains("hunter2"));
        }
    }
}
