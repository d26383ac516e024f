//! Signatures in three forms by keys that the bench makes, each logged: what cosign writes.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keypack::{
    key::{Certificate, Chain, Key, Material, PublicKey, Role, trusted_root},
    oci::Digest,
    signature::UntrustedSimple,
};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SanType, SigningKey,
};
use sigstore_crypto::KeyPair;

/// When everything was signed.
const TIME: i64 = 1_795_359_500;

/// Who signs where a certificate does.
pub(crate) const IDENTITY: &str = "ci@r.test";
pub(crate) const ISSUER: &str = "https://issuer.test";

/// So many signatures are by one certificate: making one takes longer than verifying it, and none is kept.
const EACH: usize = 50;

/// A form of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Simple signing by a key, with a signed entry timestamp.
    Key,
    /// A sigstore bundle by a key, with the same.
    Bundle,
    /// Simple signing by a certificate, with the same.
    Keyless,
}

impl Form {
    pub(crate) const ALL: [Self; 3] = [Self::Key, Self::Bundle, Self::Keyless];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Key => "key + SET",
            Self::Bundle => "bundle",
            Self::Keyless => "keyless",
        }
    }

    /// The signatures in P-256 that verifying one takes, and those in P-384.
    pub(crate) const fn crypto(self) -> (u32, u32) {
        match self {
            Self::Key | Self::Bundle => (2, 0),
            // The certificate is issued by a key on P-384, as the public Fulcio's are.
            Self::Keyless => (2, 1),
        }
    }
}

/// The keys of one run.
pub(crate) struct Signers {
    log: KeyPair,
    log_key: PublicKey,
    signer: rcgen::KeyPair,
    signer_key: PublicKey,
    chain: Chain,
    issuer: Issuer<'static, rcgen::KeyPair>,
    leaf: Option<(usize, String, rcgen::KeyPair)>,
}

/// A signature with what cosign writes beside it.
pub(crate) struct Signed {
    pub(crate) payload: Vec<u8>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Signers {
    pub(crate) fn new() -> Self {
        let log = KeyPair::generate_ecdsa_p256().unwrap();
        let log_key = PublicKey::from_spki(log.public_key_der().unwrap().as_bytes()).unwrap();
        let signer = rcgen::KeyPair::generate().unwrap();
        let signer_key =
            PublicKey::from_spki(&rcgen::PublicKeyData::subject_public_key_info(&signer)).unwrap();
        let (chain, issuer) = authority();
        Self { log, log_key, signer, signer_key, chain, issuer, leaf: None }
    }

    /// The signer's key, PEM.
    pub(crate) fn key(&self) -> String {
        self.signer_key.to_pem()
    }

    /// Everything else that verifies the signatures, as a trusted root.
    pub(crate) fn trusted_root(&self) -> Vec<u8> {
        let keys: Vec<_> = self.keys().into_iter().filter(|key| key.role != Role::Signer).collect();
        trusted_root::write(&keys.iter().map(trusted_root::Entry::from).collect::<Vec<_>>())
    }

    /// All keys that verify the signatures.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let keys = [
            (Role::Rekor, Material::Key(self.log_key.clone())),
            (Role::Signer, Material::Key(self.signer_key.clone())),
            (Role::Fulcio, Material::Chain(self.chain.clone())),
        ];
        let start = jiff::Timestamp::from_second(TIME - 1_000_000).ok();
        keys.into_iter()
            .map(|(role, material)| {
                let mut key =
                    Key::new(role, material).unwrap().at(Some(format!("https://{}.test", role.as_str())));
                key.validity.start = start;
                key
            })
            .collect()
    }

    /// The signature of one image.
    pub(crate) fn sign(&mut self, number: usize, form: Form, manifest: &[u8], reference: &str) -> Signed {
        let image = Digest::of(manifest);
        let payload = if form == Form::Bundle {
            manifest.to_vec()
        } else {
            format!(
                r#"{{"critical":{{"identity":{{"docker-reference":"{reference}"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"cosign container image signature"}},"optional":null}}"#
            )
            .into_bytes()
        };
        let annotations = if form == Form::Keyless {
            let leaf = match self.leaf.take() {
                Some(leaf) if leaf.0 == number / EACH => leaf,
                _ => {
                    let (pem, key) = leaf(&self.issuer);
                    (number / EACH, pem, key)
                }
            };
            let mut annotations = self.logged(number, &payload, &leaf.2, &leaf.1);
            annotations.insert("dev.sigstore.cosign/certificate".into(), leaf.1.clone());
            self.leaf = Some(leaf);
            annotations
        } else {
            self.logged(number, &payload, &self.signer, &self.signer_key.to_pem())
        };
        Signed { payload, annotations }
    }

    fn logged(
        &self,
        number: usize,
        payload: &[u8],
        signer: &impl SigningKey,
        verifier: &str,
    ) -> BTreeMap<String, String> {
        let signature = BASE64.encode(signer.sign(payload).unwrap());
        let body = BASE64.encode(format!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{}"}}}},"signature":{{"content":"{signature}","publicKey":{{"content":"{}"}}}}}}}}"#,
            Digest::of(payload).hex(),
            BASE64.encode(verifier)
        ));
        let id = self.log_key.fingerprint().hex();
        let entry =
            format!(r#"{{"body":"{body}","integratedTime":{TIME},"logID":"{id}","logIndex":{number}}}"#);
        let set = BASE64.encode(self.log.sign(entry.as_bytes()).unwrap().as_bytes());
        BTreeMap::from([
            ("dev.cosignproject.cosign/signature".to_owned(), signature),
            (
                "dev.sigstore.cosign/bundle".to_owned(),
                format!(r#"{{"SignedEntryTimestamp":"{set}","Payload":{entry}}}"#),
            ),
        ])
    }
}

impl Signed {
    /// The same as a sigstore bundle of version 0.1. What it signs is not part of it.
    pub(crate) fn bundle(&self) -> String {
        let payload = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r.test/x"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            Digest::of(b"")
        );
        let mut simple = UntrustedSimple::parse(payload.into_bytes(), &self.annotations).unwrap();
        simple.payload = self.payload.clone().into();
        simple.to_bundle().to_json().unwrap()
    }
}

/// An intermediate under a root, both on P-384, as the public Fulcio has them.
fn authority() -> (Chain, Issuer<'static, rcgen::KeyPair>) {
    let params = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.use_authority_key_identifier_extension = true;
        params
    };
    let key = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let (root, root_key) = (params("root"), key());
    let root_certificate = root.self_signed(&root_key).unwrap();
    let (intermediate, intermediate_key) = (params("intermediate"), key());
    let certificate =
        intermediate.signed_by(&intermediate_key, &Issuer::from_params(&root, &root_key)).unwrap();
    let chain = [certificate, root_certificate].map(|c| Certificate::from_der(c.der()).unwrap());
    (Chain::new(chain.into()).unwrap(), Issuer::new(intermediate, intermediate_key))
}

fn leaf(issuer: &Issuer<'static, rcgen::KeyPair>) -> (String, rcgen::KeyPair) {
    let mut params = CertificateParams::default();
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.subject_alt_names = vec![SanType::Rfc822Name(IDENTITY.try_into().unwrap())];
    // Fulcio's extension 1.3.6.1.4.1.57264.1.1, the OIDC issuer as bare text.
    let issued_by = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 1], ISSUER.into());
    params.custom_extensions = vec![issued_by];
    let key = rcgen::KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key)
}
