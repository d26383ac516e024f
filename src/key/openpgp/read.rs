//! From bytes to keys.

use std::io::Read;

use pgp::{
    armor::{BlockType, Dearmor},
    composed::{Deserializable, SignedPublicKey},
    packet::{Packet, PacketParser},
    types::KeyDetails,
};

use super::{OpenPgpKey, certificate};
use crate::limits;

/// Why bytes give no keys at all.
#[derive(Debug)]
pub(in crate::key) enum Unread {
    /// A secret key among them.
    Secret,
    /// They are not key blocks.
    Malformed(String),
}

/// What a block gave: keys, and the fingerprint of those that can't be used, with the reason.
type Keys = Vec<Result<OpenPgpKey, (String, String)>>;

/// Reads one armoured block.
pub(in crate::key) fn read_armoured(block: &[u8]) -> Result<Keys, Unread> {
    let malformed = |e: &dyn std::fmt::Display| Unread::Malformed(format!("its armour is damaged: {e}"));
    let mut armour = Dearmor::new(block);
    let mut bytes = Vec::new();
    // The checksum is not looked at (RFC 9580 §6.1): the self-signatures say whether a key is whole.
    (&mut armour).take(limits::KEY_FILE).read_to_end(&mut bytes).map_err(|e| malformed(&e))?;
    match armour.into_parts().0 {
        Some(BlockType::PublicKey) => read_binary(&bytes),
        Some(BlockType::PrivateKey) => Err(Unread::Secret),
        _ => Err(malformed(&"it is not a public key block")),
    }
}

/// Reads binary key blocks, one after the other.
pub(in crate::key) fn read_binary(bytes: &[u8]) -> Result<Keys, Unread> {
    let mut groups: Vec<Vec<Packet>> = Vec::new();
    let mut malformed = None;
    for (number, packet) in PacketParser::new(bytes).enumerate() {
        if number >= limits::OPENPGP_PACKETS {
            let reason = format!("it holds more than {} packets", limits::OPENPGP_PACKETS);
            return Err(Unread::Malformed(reason));
        }
        match packet {
            // Wherever it stands, and whatever else is wrong.
            Ok(Packet::SecretKey(_) | Packet::SecretSubkey(_)) => return Err(Unread::Secret),
            Ok(packet @ Packet::PublicKey(_)) => groups.push(vec![packet]),
            // What GnuPG notes for itself, what fills up, and pictures.
            Ok(Packet::Trust(_) | Packet::Marker(_) | Packet::Padding(_)) => {}
            Ok(packet) => match groups.last_mut() {
                Some(group) => group.push(packet),
                None => {
                    malformed.get_or_insert_with(|| "it does not start with a public key".to_owned());
                }
            },
            Err(e) => {
                malformed.get_or_insert_with(|| short(&e));
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

fn key(packets: Vec<Packet>) -> Result<OpenPgpKey, (String, String)> {
    let name = match packets.first() {
        Some(Packet::PublicKey(key)) => super::text(&key.fingerprint()),
        _ => String::new(),
    };
    let refuse = |reason: String| (name.clone(), reason);
    let packets = packets.into_iter().map(Ok).peekable();
    match SignedPublicKey::from_packets(packets).next() {
        Some(Ok(key)) => certificate::normalise(&key).map_err(refuse),
        Some(Err(e)) => Err(refuse(short(&e))),
        None => Err(refuse("it holds no public key".to_owned())),
    }
}

/// An error of the crate in one line: some of its texts quote what was read.
pub(super) fn short(e: &pgp::errors::Error) -> String {
    e.to_string().lines().next().unwrap_or_default().chars().take(120).collect()
}
