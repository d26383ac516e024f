use std::collections::BTreeMap;

use super::{
    Inventory, KeyRecord, PackError,
    about::About,
    chain,
    files::{INVENTORY, SUMS, is_signature, sums},
};
use crate::{
    key::{Candidate, Material, Provenance, Role, parse_key_file, private_key},
    limits,
    oci::Digest,
    tree::{OutFile, SafeName},
    trust::tuf::Chain,
};

/// A pack that is whole and consistent: every file is the one that its inventory lists, and every key file holds
/// the key that its record describes. Whether it is *trustworthy* is another question: see [`super::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    inventory: Inventory,
    json: Vec<u8>,
    /// The listed files and the signatures, by name; without inventory and SHA256SUMS.
    files: BTreeMap<SafeName, Vec<u8>>,
    materials: Vec<Material>,
    chains: Vec<Chain>,
}

impl Draft {
    /// Takes the files of a keys/ directory or of an artifact. SHA256SUMS is not believed; it is made anew.
    pub fn from_files(files: impl IntoIterator<Item = OutFile>) -> Result<Self, PackError> {
        let mut all: BTreeMap<SafeName, Vec<u8>> = BTreeMap::new();
        for file in files {
            if all.len() >= limits::PACK_FILES {
                return Err(PackError::TooLarge(format!("it has more than {} files", limits::PACK_FILES)));
            }
            if let Some(label) = private_key(&file.bytes) {
                return Err(PackError::PrivateKey(format!("{} ({label})", file.name)));
            }
            if all.keys().any(|other| other.collides(&file.name)) {
                return Err(PackError::Duplicate(file.name.to_string()));
            }
            all.insert(file.name, file.bytes);
        }
        let json = take(&mut all, INVENTORY).ok_or_else(|| PackError::Missing(INVENTORY.into()))?;
        take(&mut all, SUMS);
        let inventory = Inventory::parse(&json)?;
        if inventory.keys.is_empty() {
            return Err(PackError::NoKeys);
        }
        for record in &inventory.files {
            let name = SafeName::new(&record.name)?;
            if record.name == INVENTORY || record.name == SUMS || is_signature(&record.name) {
                return Err(PackError::Inventory(format!("it lists {:?}", record.name)));
            }
            let bytes = all.get(&name).ok_or_else(|| PackError::Missing(record.name.clone()))?;
            let actual = Digest::of(bytes);
            if actual != record.sha256 || bytes.len() as u64 != record.size {
                return Err(PackError::Content {
                    name: record.name.clone(),
                    expected: record.sha256,
                    actual,
                });
            }
        }
        for name in all.keys() {
            let listed = inventory.files.iter().any(|f| f.name == name.as_str());
            if !listed && !is_signature(name.as_str()) {
                return Err(PackError::Extra(name.to_string()));
            }
        }
        let mut materials = Vec::new();
        for key in &inventory.keys {
            let bytes =
                SafeName::new(&key.file).ok().and_then(|name| all.get(&name).cloned()).unwrap_or_default();
            materials.push(material(key, &bytes)?);
        }
        let mut chains = Vec::new();
        for record in &inventory.tuf {
            let bytes = SafeName::new(&record.file).ok().and_then(|name| all.get(&name));
            chains.push(chain::read(&record.file, bytes.map(Vec::as_slice).unwrap_or_default())?);
        }
        Ok(Self { inventory, json, files: all, materials, chains })
    }

    /// The inventory.
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The pack digest: sha256 of `keypack.json`.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.json)
    }

    /// The keys with their records.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyRecord, &Material)> {
        self.inventory.keys.iter().zip(&self.materials)
    }

    /// The TUF chains, in the order of their records.
    pub(super) fn chain_files(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter()
    }

    /// The names of the signature files that are there.
    pub fn signatures(&self) -> impl Iterator<Item = &SafeName> {
        self.files.keys().filter(|name| is_signature(name.as_str()))
    }

    /// All files of keys/, by name.
    pub fn to_files(&self) -> Vec<OutFile> {
        let mut files: Vec<_> =
            self.files.iter().map(|(name, bytes)| OutFile::new(name.clone(), bytes.clone())).collect();
        for (name, bytes) in [(INVENTORY, self.json.clone()), (SUMS, sums(&self.inventory, self.digest()))] {
            if let Ok(name) = SafeName::new(name) {
                files.push(OutFile::new(name, bytes));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    /// The bytes of `keypack.json`.
    pub(super) fn inventory_bytes(&self) -> &[u8] {
        &self.json
    }

    /// The same pack without these signature files.
    pub(super) fn without_signatures(mut self, these: &dyn Fn(&SafeName) -> bool) -> Self {
        self.files.retain(|name, _| !(is_signature(name.as_str()) && these(name)));
        self
    }
}

fn take(files: &mut BTreeMap<SafeName, Vec<u8>>, name: &str) -> Option<Vec<u8>> {
    files.remove(&SafeName::new(name).ok()?)
}

/// Reads the key out of its file and holds it to its record: the id is computed anew.
fn material(record: &KeyRecord, bytes: &[u8]) -> Result<Material, PackError> {
    let wrong = |reason: String| PackError::Key { name: record.file.clone(), reason };
    let mut parsed = parse_key_file(bytes).map_err(|e| wrong(e.to_string()))?;
    if let Some((block, reason)) = parsed.unusable.first() {
        return Err(wrong(format!("{block}: {reason}")));
    }
    let (Some(material), true) = (parsed.material.pop(), parsed.material.is_empty()) else {
        return Err(wrong("it must hold exactly one key or chain".into()));
    };
    material.check_role(record.role).map_err(|e| wrong(e.to_string()))?;
    if material.to_pem().as_bytes() != bytes {
        return Err(wrong("it is not normalised PEM".into()));
    }
    let candidate = Candidate {
        role: record.role,
        url: record.origin.clone().map(|o| format!("https://{o}")).or_else(|| record.url.clone()),
        validity: record.validity,
        provenance: record.provenance.first().cloned().unwrap_or(Provenance {
            grade: crate::key::Grade::File,
            source: String::new(),
            sha256: Digest::of(b""),
            date: None,
        }),
        material,
    };
    let id = candidate.key_ref(record.role, record.origin.as_deref()).id;
    if id != record.id {
        return Err(wrong(format!("its id is {}, not {}", id.hex(), record.id.hex())));
    }
    let about = About::of(&candidate.material).map_err(wrong)?;
    if (about.spki, about.algorithm, &about.openpgp) != (record.spki, record.algorithm, &record.openpgp) {
        return Err(wrong("its fingerprint or algorithm differs".into()));
    }
    // Whoever wrote the record may not put other words into the mouth of a GPG key.
    if about.openpgp.is_some() && (&about.subject, about.validity) != (&record.subject, Some(record.validity))
    {
        return Err(wrong("its user id or its times differ".into()));
    }
    if record.role == Role::Rekor2 && record.origin.is_none() {
        return Err(wrong("its record has no origin".into()));
    }
    Ok(candidate.material)
}
