//! Our own timestamp authority (RFC 3161): it stamps any time.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Key, Material, Role},
    oci::Digest,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, SigningKey};
use serde_json::{Value, json};
use x509_cert::der::{Decode, Encode};

use super::{
    lab::Form,
    test_keys::{self, Authority},
};

/// An authority's own certificate, its key, and the chain above it.
pub struct Stamper {
    certificate: keypack::key::Certificate,
    key: rcgen::KeyPair,
    pub authority: Key,
}

/// The parameters of an authority's own certificate.
pub fn good() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::NoCa;
    params.serial_number = Some(77.into());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
    params
}

impl Stamper {
    /// An authority below these issuers, the nearest first.
    pub fn new(params: CertificateParams, issuers: &[&Authority]) -> Self {
        let (certificate, key) = issuers[0].leaf(params);
        Self::of(certificate, key, issuers)
    }

    pub fn of(certificate: keypack::key::Certificate, key: rcgen::KeyPair, issuers: &[&Authority]) -> Self {
        let certificates: Vec<_> =
            [&certificate].into_iter().chain(issuers.iter().map(|a| &a.certificate)).collect();
        let chain = test_keys::chain(&certificates);
        let authority = Key::new(Role::Tsa, Material::Chain(chain)).unwrap();
        Self { certificate, key, authority }
    }

    /// The bundle with a timestamp over its signature.
    pub fn stamps(&self, form: &Form, time: &str) -> Form {
        form.with_bundle(|bundle| {
            let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
            let token = self.token(&BASE64.decode(signature).unwrap(), time);
            let stamps =
                &mut bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
            if !stamps.is_array() {
                *stamps = json!([]);
            }
            stamps.as_array_mut().unwrap().push(json!({ "signedTimestamp": BASE64.encode(token) }));
        })
    }

    /// A token over these bytes. `time` is a `GeneralizedTime`: `20261122120000Z`.
    fn token(&self, signature: &[u8], time: &str) -> Vec<u8> {
        let sha256 = sequence(&[&oid("2.16.840.1.101.3.4.2.1")]);
        let imprint = sequence(&[&sha256, &tlv(0x04, Digest::of(signature).as_bytes())]);
        let info =
            sequence(&[&integer(1), &oid("1.2.3.4"), &imprint, &integer(9), &tlv(0x18, time.as_bytes())]);
        let tst_info = oid("1.2.840.113549.1.9.16.1.4");
        let attributes = [
            sequence(&[&oid("1.2.840.113549.1.9.3"), &tlv(0x31, &tst_info)]),
            sequence(&[&oid("1.2.840.113549.1.9.4"), &tlv(0x31, &tlv(0x04, Digest::of(&info).as_bytes()))]),
        ]
        .concat();
        let signature = self.key.sign(&tlv(0x31, &attributes)).unwrap();
        let own = x509_cert::Certificate::from_der(self.certificate.der()).unwrap().tbs_certificate;
        let sid = sequence(&[&own.issuer.to_der().unwrap(), &own.serial_number.to_der().unwrap()]);
        let signer = sequence(&[
            &integer(1),
            &sid,
            &sha256,
            &tlv(0xa0, &attributes),
            &sequence(&[&oid("1.2.840.10045.4.3.2")]),
            &tlv(0x04, &signature),
        ]);
        let signed = sequence(&[
            &integer(3),
            &tlv(0x31, &sha256),
            &sequence(&[&tst_info, &tlv(0xa0, &tlv(0x04, &info))]),
            &tlv(0x31, &signer),
        ]);
        sequence(&[&oid("1.2.840.113549.1.7.2"), &tlv(0xa0, &signed)])
    }
}

/// The bundle without its log entries.
pub fn unlogged(form: &Form) -> Form {
    form.with_bundle(|bundle| {
        bundle["verificationMaterial"].as_object_mut().unwrap().insert("tlogEntries".into(), Value::Null);
        bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    })
}

fn oid(text: &str) -> Vec<u8> {
    x509_cert::der::oid::ObjectIdentifier::new_unwrap(text).to_der().unwrap()
}

fn integer(value: u8) -> Vec<u8> {
    tlv(0x02, &[value])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// DER: a tag, the length, the content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match length {
        [0, short @ 0..128] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, content.to_vec()].concat()
}
