#![cfg_attr(fuzzing, no_main)]
//! Certificates: every field that keypack reads.

use keypack::key::{Certificate, Chain, Role};

/// Reads one DER certificate.
pub fn run(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else { return };
    assert_eq!(certificate.der(), data);
    let _ = (certificate.subject(), certificate.issuer(), certificate.common_name());
    let _ = (certificate.organisation(), certificate.subject_key_id(), certificate.authority_key_id());
    let _ =
        (certificate.may_issue(), certificate.ct_logs(), certificate.validity(), certificate.public_key());
    assert!(!certificate.serial().starts_with("00"), "a number with leading zeros");
    if let Ok(chain) = Chain::new(vec![certificate]) {
        for role in Role::ALL {
            let _ = keypack::trust::check_chain(&chain, role);
        }
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));
