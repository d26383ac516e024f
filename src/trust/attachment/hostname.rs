//! Whether a certificate is for a host name, as Go's `x509.Certificate.VerifyHostname` has it (RFC 6125 §6.4.3).

use std::net::IpAddr;

use x509_cert::{
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::key::Certificate;

/// Whether the certificate is for this host.
pub(super) fn fits(leaf: &Certificate, wanted: &str) -> bool {
    let Some(names) = alternatives(leaf) else { return false };
    let address = wanted.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(wanted);
    if let Ok(address) = address.parse::<IpAddr>() {
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        return names.iter().any(|name| matches!(name, GeneralName::IpAddress(ip) if ip.as_bytes() == bytes));
    }
    let wanted = wanted.to_ascii_lowercase();
    let is_host = is_valid(&wanted, false);
    names.iter().any(|name| match name {
        GeneralName::DnsName(name) if is_host && is_valid(name.as_str(), true) => {
            matches(name.as_str(), &wanted)
        }
        // Neither is a host name, such as `*.example.com` in the policy: then they must be equal.
        GeneralName::DnsName(name) => {
            let name = name.as_str().to_ascii_lowercase();
            !matches!(name.as_str(), "" | ".") && name == wanted
        }
        _ => false,
    })
}

fn alternatives(leaf: &Certificate) -> Option<Vec<GeneralName>> {
    let certificate = x509_cert::Certificate::from_der(leaf.der()).ok()?;
    Some(certificate.tbs_certificate.get::<SubjectAltName>().ok()??.1.0)
}

/// Go's `validHostname`.
fn is_valid(host: &str, is_pattern: bool) -> bool {
    let host = if is_pattern { host } else { host.strip_suffix('.').unwrap_or(host) };
    !host.is_empty()
        && host != "*"
        && host.split('.').enumerate().all(|(at, part)| {
            let letter =
                |(at, c): (usize, char)| c.is_ascii_alphanumeric() || c == '_' || (c == '-' && at != 0);
            (is_pattern && at == 0 && part == "*")
                || (!part.is_empty() && part.chars().enumerate().all(letter))
        })
}

/// Go's `matchHostnames`: a wildcard stands for one whole label, the first.
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(host);
    let (pattern, host): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern.len() == host.len()
        && pattern
            .iter()
            .zip(&host)
            .enumerate()
            .all(|(at, (own, part))| (at == 0 && *own == "*") || own == part)
}
