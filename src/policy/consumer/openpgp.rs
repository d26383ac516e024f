//! `signedBy`: simple signing with GPG (`signature/policy_eval_signedby.go`, `mechanism_gpgme.go`).

use jiff::Timestamp;

use crate::{
    diag::{Code, Diagnostic},
    key::{OpenPgpFault, OpenPgpKey, OpenPgpMessage, OpenPgpMessageError},
};

/// The keys of a requirement.
#[derive(Debug, Clone)]
pub(super) struct SignedBy {
    pub(super) keys: Vec<OpenPgpKey>,
}

impl SignedBy {
    /// The text that one of the keys signed. The second value of a refusal tells whether it hangs on the host.
    pub(super) fn text(&self, file: &[u8], now: Timestamp) -> Result<Vec<u8>, (Diagnostic, bool)> {
        let message = OpenPgpMessage::parse(file).map_err(|e| match e {
            OpenPgpMessageError::Malformed(why) => (Diagnostic::new(Code::SignatureMalformed, why), false),
            OpenPgpMessageError::Unsupported(why) => {
                (Diagnostic::new(Code::SignatureUnsupported, why), false)
            }
        })?;
        let mut fault = None;
        for key in &self.keys {
            match key.verify(&message, now) {
                Ok(()) => return Ok(message.content().to_vec()),
                Err(OpenPgpFault::NotMade(_)) => {}
                Err(other) => fault = Some(other),
            }
        }
        Err(match fault {
            Some(fault @ OpenPgpFault::Hash(_)) => {
                let why = format!("{fault}: whether it counts hangs on the crypto policy of the host");
                (Diagnostic::new(Code::SignatureWeak, why), true)
            }
            Some(fault @ OpenPgpFault::Revoked(_)) => {
                (Diagnostic::new(Code::SigningKeyRevoked, fault.to_string()), false)
            }
            Some(fault) => (Diagnostic::new(Code::SignatureLapsed, fault.to_string()), false),
            None => {
                let by = message.issuer().unwrap_or(message.key_id());
                let why =
                    format!("by its own words it is by the GPG key {by}, and no key of the policy made it");
                (Diagnostic::new(Code::SignatureDoesNotMatch, why), false)
            }
        })
    }
}
