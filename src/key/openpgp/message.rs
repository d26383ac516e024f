//! A signed message, as used for release signatures and lookaside signatures: one signature over one binary text,
//! possibly compressed once. Readers of container signatures accept nothing else: containers/image requires exactly one
//! signature (`mechanism_gpgme.go`), and library-go refuses nested ones.

use std::{fmt, io::Read};

use pgp::packet::{LiteralData, OnePassSignature, Packet, PacketParser, Signature, SignatureType};
use thiserror::Error;

use super::{read::words, text, time};
use crate::limits;

/// A well-formed message whose signature has not been checked.
#[derive(Clone)]
pub struct OpenPgpMessage {
    content: Vec<u8>,
    pub(super) signature: Box<Signature>,
    issuer: Option<String>,
    key_id: String,
}

/// Why bytes are not a supported message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenPgpMessageError {
    /// It is not OpenPGP, or it is damaged.
    #[error("{0}")]
    Malformed(String),
    /// It is OpenPGP of an unsupported form.
    #[error("{0}")]
    Unsupported(String),
}

use OpenPgpMessageError::{Malformed, Unsupported};

impl OpenPgpMessage {
    /// Reads a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenPgpMessageError> {
        if bytes.starts_with(b"-----BEGIN PGP SIGNED MESSAGE") {
            return Err(Unsupported(
                "it is a text with a signature below; container tools take the binary form".into(),
            ));
        }
        if bytes.starts_with(b"-----BEGIN PGP") {
            return Err(Unsupported("it is in armour; container tools take the binary form".into()));
        }
        match bytes.first() {
            None => return Err(Malformed("it is empty".into())),
            // The first bit is set in every packet (RFC 9580 §4.2).
            Some(first) if first & 0x80 == 0 => return Err(Malformed("it is not an OpenPGP message".into())),
            Some(_) => {}
        }
        let mut packets = packets(bytes)?;
        if let [Packet::CompressedData(compressed)] = packets.as_slice() {
            let reader = compressed
                .decompress()
                .map_err(|_| Unsupported("it is compressed in a way that is not supported".into()))?;
            let mut plain = Vec::new();
            let limit = limits::OPENPGP_MESSAGE;
            reader
                .take(limit + 1)
                .read_to_end(&mut plain)
                .map_err(|_| Malformed("its compression is damaged".into()))?;
            if plain.len() as u64 > limit {
                return Err(Malformed(format!("it unpacks to more than {limit} bytes")));
            }
            packets = self::packets(&plain)?;
        }
        Self::of(packets)
    }

    fn of(packets: Vec<Packet>) -> Result<Self, OpenPgpMessageError> {
        let signatures = packets.iter().filter(|p| matches!(p, Packet::Signature(_))).count();
        let encrypted = packets.iter().any(|p| {
            matches!(
                p,
                Packet::PublicKeyEncryptedSessionKey(_)
                    | Packet::SymKeyEncryptedSessionKey(_)
                    | Packet::SymEncryptedData(_)
                    | Packet::SymEncryptedProtectedData(_)
                    | Packet::GnupgAeadData(_)
            )
        });
        let (ops, literal, signature): (Option<OnePassSignature>, LiteralData, Signature) =
            match <[Packet; 3]>::try_from(packets).map_err(<[Packet; 2]>::try_from) {
                Ok([Packet::OnePassSignature(ops), Packet::LiteralData(text), Packet::Signature(s)]) => {
                    (Some(ops), text, s)
                }
                // The old form, with the signature in front (RFC 9580 §10.3).
                Err(Ok([Packet::Signature(s), Packet::LiteralData(text)])) => (None, text, s),
                Err(Err(rest)) if matches!(rest.as_slice(), [Packet::Signature(_)]) => {
                    let reason = "it is a signature without its text; container tools take both in one file";
                    return Err(Unsupported(reason.into()));
                }
                _ if encrypted => return Err(Unsupported("it is encrypted".into())),
                _ if signatures == 0 => return Err(Malformed("it holds no signature".into())),
                _ if signatures > 1 => {
                    return Err(Unsupported(format!("it holds {signatures} signatures, and one is taken")));
                }
                _ => return Err(Unsupported("it is not one signature over one text".into())),
            };
        if signature.typ() != Some(SignatureType::Binary) {
            return Err(Unsupported("its signature is not one over a binary document".into()));
        }
        // Compare field by field: the crate's own comparison does not support version 3, which Red Hat writes.
        let same = |ops: &OnePassSignature| {
            Some(ops.typ()) == signature.typ() && Some(ops.hash_algorithm()) == signature.hash_alg()
        };
        if ops.as_ref().is_some_and(|ops| !same(ops)) {
            return Err(Malformed("it announces another signature than it brings".into()));
        }
        let issuer = signature.issuer_fingerprint().first().map(|f| text(f));
        let key_id = signature.issuer_key_id().first().map(|id| hex::encode_upper(id.as_ref()));
        if issuer.is_none() && key_id.is_none() {
            return Err(Unsupported("its signature does not say which key made it".into()));
        }
        Ok(Self {
            content: literal.data().to_vec(),
            signature: Box::new(signature),
            issuer,
            key_id: key_id.unwrap_or_default(),
        })
    }

    /// The text. It is unauthenticated.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The fingerprint of the key, as named by the signature: a hint.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The key id named by the signature: a hint, and easy to forge. Empty if the signature names none.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The signature's claimed creation time.
    pub fn created(&self) -> Option<jiff::Timestamp> {
        self.signature.created().map(time)
    }
}

impl fmt::Debug for OpenPgpMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenPgpMessage({}, {} bytes)", self.key_id, self.content.len())
    }
}

/// The packets of a message. A valid message has three.
fn packets(bytes: &[u8]) -> Result<Vec<Packet>, OpenPgpMessageError> {
    let mut packets = Vec::new();
    for packet in PacketParser::new(bytes) {
        match packet.map_err(|e| Malformed(format!("it is not an OpenPGP message: {}", words(&e))))? {
            Packet::Marker(_) | Packet::Padding(_) => {}
            packet => packets.push(packet),
        }
        if packets.len() > limits::OPENPGP_MESSAGE_PACKETS {
            return Err(Unsupported("it is not one signature over one text".into()));
        }
    }
    Ok(packets)
}
