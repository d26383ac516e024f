//! The authority that signed an RFC 3161 timestamp: only its name is read here, nothing is verified.

use cms::{
    cert::IssuerAndSerialNumber,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier},
};
use x509_cert::der::{AnyRef, Decode, Encode, Reader, SliceReader};

use super::{Need, SignatureError};
use crate::{key::serial, limits};

const WHAT: &str = "the RFC 3161 timestamp";

/// The signer named by a token (RFC 5652 §5.3 `SignerInfo.sid`).
pub(super) fn signer(token: &[u8]) -> Result<Need, SignatureError> {
    let wrong = |e: x509_cert::der::Error| SignatureError::malformed(WHAT, e);
    if token.len() > limits::EVIDENCE {
        return Err(SignatureError::malformed(WHAT, format!("it has more than {} bytes", limits::EVIDENCE)));
    }
    // A TimeStampResp (RFC 3161 §2.4.2) contains a status and the token; some tools store the bare token.
    let info = response(token).or_else(|_| ContentInfo::from_der(token)).map_err(wrong)?;
    let signed = SignedData::from_der(&info.content.to_der().map_err(wrong)?).map_err(wrong)?;
    let signer = signed.signer_infos.0.as_slice().first().map(|info| &info.sid);
    match signer {
        Some(SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber { issuer, serial_number })) => {
            Ok(Need::Tsa { issuer: issuer.to_string(), serial: serial(serial_number) })
        }
        Some(SignerIdentifier::SubjectKeyIdentifier(_)) => Err(SignatureError::Unsupported {
            what: WHAT,
            reason: "it names its signer by key identifier".into(),
        }),
        None => Err(SignatureError::malformed(WHAT, "it has no signer")),
    }
}

fn response(token: &[u8]) -> Result<ContentInfo, x509_cert::der::Error> {
    let mut reader = SliceReader::new(token)?;
    let info = reader.sequence(|inner| {
        let _status: AnyRef<'_> = inner.decode()?;
        inner.decode::<ContentInfo>()
    })?;
    reader.finish(info)
}
