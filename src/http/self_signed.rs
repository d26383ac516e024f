//! Self-signed server certificates: `openssl req -x509` makes them with CA:TRUE, as several vendors' guides to private
//! registries show. webpki rejects a CA as a server's certificate (`CaUsedAsEndEntity`); skopeo, oras, crane and curl
//! accept one that is byte for byte among the configured roots.

use std::sync::Arc;

use reqwest::blocking::ClientBuilder;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use x509_cert::der::Decode;

/// Accepts only the given certificates themselves, within their dates and for their names, and nothing issued by them.
#[derive(Debug)]
struct Given {
    certificates: Vec<Vec<u8>>,
    provider: Arc<CryptoProvider>,
}

/// A client that accepts these certificates alone and presents the identity: a key and a certificate in PEM. `None` if
/// the identity does not match, which the usual client reports.
pub(super) fn accept(
    builder: ClientBuilder,
    certificates: Vec<Vec<u8>>,
    identity: Option<&[u8]>,
) -> Option<ClientBuilder> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let verifier = Given { certificates, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(pem) => {
            let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
            config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pem).ok()?).ok()?
        }
    };
    Some(builder.tls_backend_preconfigured(config))
}

impl Given {
    fn algorithms(&self) -> &crypto::WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

/// Whether now is within the dates of a certificate (RFC 5280 §4.1.2.5).
fn check_dates(der: &[u8], now: UnixTime) -> Result<(), CertificateError> {
    let certificate = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.tbs_certificate.validity;
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        Err(CertificateError::NotValidYet)
    } else if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        Err(CertificateError::Expired)
    } else {
        Ok(())
    }
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.certificates.iter().any(|given| given == end_entity.as_ref()) {
            return Err(CertificateError::UnknownIssuer.into());
        }
        check_dates(end_entity, now)?;
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls12_signature(message, cert, dss, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls13_signature(message, cert, dss, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}
