//! Parses bytes into keys.

use std::io::Read;

use pgp::{
    armor::{BlockType, Dearmor},
    composed::{Deserializable, SignedPublicKey},
    errors::Error,
    packet::{Packet, PacketParser},
    types::KeyDetails,
};

use super::{OpenPgpKey, certificate};
use crate::{diag::Code, limits};

/// Why bytes contain no keys at all.
#[derive(Debug)]
pub(in crate::key) enum Unread {
    /// They include a secret key.
    Secret,
    /// They are not key blocks.
    Malformed(String),
}

/// The keys of a block; for each key that can't be used, its fingerprint and the reason.
type Keys = Vec<Result<OpenPgpKey, (String, Code, String)>>;

/// Reads one armoured block.
pub(in crate::key) fn read_armoured(block: &[u8]) -> Result<Keys, Unread> {
    let malformed = |reason: &str| Unread::Malformed(reason.to_owned());
    let mut armour = Dearmor::new(block);
    let mut bytes = Vec::new();
    // The checksum is ignored (RFC 9580 §6.1): the self-signatures show whether a key is intact.
    (&mut armour)
        .take(limits::KEY_FILE)
        .read_to_end(&mut bytes)
        .map_err(|_| malformed("its armour is damaged"))?;
    match armour.into_parts().0 {
        Some(BlockType::PublicKey) => read_binary(&bytes),
        Some(BlockType::PrivateKey) => Err(Unread::Secret),
        _ => Err(malformed("its armour is not that of a public key")),
    }
}

/// Reads consecutive binary key blocks.
pub(in crate::key) fn read_binary(bytes: &[u8]) -> Result<Keys, Unread> {
    let mut groups: Vec<Vec<Packet>> = Vec::new();
    let mut malformed = None;
    for (number, packet) in PacketParser::new(bytes).enumerate() {
        if number >= limits::OPENPGP_PACKETS {
            let reason = format!("it holds more than {} packets", limits::OPENPGP_PACKETS);
            return Err(Unread::Malformed(reason));
        }
        match packet {
            // Refuse a secret key wherever it is, and whatever else is wrong.
            Ok(Packet::SecretKey(_) | Packet::SecretSubkey(_)) => return Err(Unread::Secret),
            Ok(packet @ Packet::PublicKey(_)) => groups.push(vec![packet]),
            // Skip GnuPG's own notes, padding, and pictures.
            Ok(Packet::Trust(_) | Packet::Marker(_) | Packet::Padding(_)) => {}
            Ok(packet) => match groups.last_mut() {
                Some(group) => group.push(packet),
                None => {
                    malformed.get_or_insert_with(|| "it does not start with a public key".to_owned());
                }
            },
            Err(e) => {
                malformed.get_or_insert_with(|| words(&e).to_owned());
            }
        }
    }
    if let Some(reason) = malformed {
        return Err(Unread::Malformed(reason));
    }
    if groups.is_empty() {
        return Err(Unread::Malformed("it holds no public key".into()));
    }
    Ok(groups.into_iter().map(key).collect())
}

fn key(packets: Vec<Packet>) -> Result<OpenPgpKey, (String, Code, String)> {
    let name = match packets.first() {
        Some(Packet::PublicKey(key)) => super::text(&key.fingerprint()),
        _ => String::new(),
    };
    let packets = packets.into_iter().map(Ok).peekable();
    match SignedPublicKey::from_packets(packets).next() {
        Some(Ok(key)) => certificate::normalise(&key).map_err(|e| (name, e.code, e.reason)),
        Some(Err(e)) => Err((name, code(&e), words(&e).to_owned())),
        None => Err((name, Code::KeyMalformed, "it holds no public key".to_owned())),
    }
}

const fn code(e: &Error) -> Code {
    match e {
        Error::Unsupported { .. } | Error::Unimplemented { .. } => Code::KeyUnsupported,
        _ => Code::KeyMalformed,
    }
}

/// Describes an error in words, because the crate's own texts quote its types.
pub(super) const fn words(e: &Error) -> &'static str {
    match e {
        Error::PacketIncomplete { .. } | Error::NoMatchingPacket { .. } => "it is cut short",
        Error::Unsupported { .. } | Error::Unimplemented { .. } => {
            "a packet of it is of a version or kind that is not supported"
        }
        Error::PacketTooLarge { .. } | Error::RequestedSizeTooLarge => {
            "a packet of it is longer or shorter than it says"
        }
        _ => "a packet of it is damaged",
    }
}
