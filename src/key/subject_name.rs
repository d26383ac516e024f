use x509_cert::ext::pkix::{SubjectAltName, name::GeneralName};

use super::Certificate;

/// A subject alternative name of a certificate (RFC 5280 §4.2.1.6), of a kind that is text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectName {
    /// Its kind.
    pub kind: NameKind,
    /// The name.
    pub name: String,
}

/// A kind of subject alternative name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// `rfc822Name`.
    Email,
    /// `uniformResourceIdentifier`.
    Uri,
    /// `dNSName`.
    Dns,
}

impl NameKind {
    /// The name in JSON, tables and rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Dns => "dns",
        }
    }
}

impl Certificate {
    /// The subject alternative names, in order. Other kinds are left out, and so are all names of an extension that
    /// can't be read: no rule can then match the signer by name.
    pub fn subject_names(&self) -> Vec<SubjectName> {
        let Ok(Some((_, names))) = self.parsed.tbs_certificate.get::<SubjectAltName>() else {
            return Vec::new();
        };
        let text = |name: &GeneralName| {
            let (kind, name) = match name {
                GeneralName::Rfc822Name(name) => (NameKind::Email, name.to_string()),
                GeneralName::UniformResourceIdentifier(name) => (NameKind::Uri, name.to_string()),
                GeneralName::DnsName(name) => (NameKind::Dns, name.to_string()),
                _ => return None,
            };
            Some(SubjectName { kind, name })
        };
        names.0.iter().filter_map(text).collect()
    }
}
