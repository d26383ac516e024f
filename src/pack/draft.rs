mod left_out;

use std::collections::{BTreeMap, BTreeSet};

pub use left_out::LeftOut;

use super::{
    Inventory, KeyRecord, PackError, TufRecord, chain,
    description::KeyDescription,
    files::{self, INVENTORY, README, SUMS, TRUSTED_ROOT, is_signature},
};
use crate::{
    key::{
        Candidate, Grade, Key, KeyRef, Material, Provenance, Role, UnusableBlock, is_name_of, parse_key_file,
        private_key,
        trusted_root::{self, Contents},
    },
    limits,
    oci::Digest,
    tree::{OutFile, SafeName},
    trust::tuf::Chain,
};

/// A pack that is complete and consistent: every key file contains the key that its record describes, and there are no
/// other files. Whether it is *trustworthy* is a separate question: see [`super::check`].
///
/// It stores keys, not files. Its files ([`Draft::to_files`]) are derived from the inventory's records, so that nothing
/// else gets into keys/: no text around a key, no additional CA in trusted_root.json, no instructions for the admin in
/// README.txt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    inventory: Inventory,
    json: Vec<u8>,
    signatures: BTreeMap<SafeName, Vec<u8>>,
    /// By record; none for a key that is left out.
    materials: Vec<Option<Material>>,
    chains: Vec<Chain>,
    /// The left out keys that lie there all the same.
    lying: BTreeMap<KeyRef, Material>,
}

impl Draft {
    /// Reads the files of a keys/ directory or of an artifact. SHA256SUMS and README.txt are ignored and regenerated.
    /// Keys and trusted_root.json are compared with the records by value; GPG keys and TUF chains, which contain more
    /// than their records, are compared byte for byte.
    pub fn from_files(files: impl IntoIterator<Item = OutFile>) -> Result<Self, PackError> {
        Self::from_files_without(files, &|_, _| false)
    }

    /// The same where the files of some keys may be gone, and the keys are left out whether they are or not. Who decides
    /// which is not the directory: whoever can write to it could put a file back.
    pub fn from_files_without(
        files: impl IntoIterator<Item = OutFile>,
        left_out: LeftOut<'_>,
    ) -> Result<Self, PackError> {
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
        take(&mut all, README);
        let inventory = Inventory::parse(&json)?;
        if inventory.keys.is_empty() {
            return Err(PackError::NoKeys);
        }
        let (signatures, mut all): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(name, _)| is_signature(name.as_str()));
        files::refuse_many_signatures(signatures.len())?;
        let mut carried = BTreeMap::new();
        // It is derived, so that a pack which does not list it gets one all the same.
        let root = take(&mut all, TRUSTED_ROOT);
        let gone = |name: &str| inventory.keys.iter().any(|key| key.file == name && left_out(key, None));
        // Without the last of its keys there is none.
        let mut in_root = inventory.keys.iter().filter(|key| key.role.in_trusted_root());
        let rootless = in_root.all(|key| left_out(key, None));
        for record in inventory.files.iter().filter(|record| record.name != README) {
            SafeName::new(&record.name)?;
            match take(&mut all, &record.name) {
                Some(bytes) => drop(carried.insert(record.name.as_str(), bytes)),
                None if gone(&record.name) => {}
                None if record.name == TRUSTED_ROOT && (root.is_some() || rootless) => {}
                None => return Err(PackError::Missing(record.name.clone())),
            }
        }
        if let Some(name) = all.keys().next() {
            return Err(PackError::Extra(name.to_string()));
        }
        let (mut materials, mut lying) = (Vec::new(), BTreeMap::new());
        for key in &inventory.keys {
            let Some(bytes) = carried.remove(key.file.as_str()) else {
                materials.push(None);
                continue;
            };
            if key.role == Role::Gpg {
                same_bytes(&inventory, &key.file, &bytes)?;
            }
            let material = material(key, &bytes)?;
            if left_out(key, Some(&material)) {
                lying.insert(key.key_ref(), material);
                materials.push(None);
            } else {
                materials.push(Some(material));
            }
        }
        let mut chains = Vec::new();
        for TufRecord { file, .. } in &inventory.tuf {
            let bytes = carried.remove(file.as_str()).unwrap_or_default();
            same_bytes(&inventory, file, &bytes)?;
            chains.push(chain::read(file, &bytes)?);
        }
        let mut draft = Self { inventory, json, signatures, materials, chains, lying };
        if let Some(root) = root {
            let lying = draft.same_trusted_root(&root)?;
            draft.lying.extend(lying.into_iter().map(|key| (key.key_ref(), key.material)));
        }
        Ok(draft)
    }

    /// Holds a trusted_root.json to the records: the same keys, addresses and times, none missing, none more but those
    /// that are left out, which are returned.
    fn same_trusted_root(&self, carried: &[u8]) -> Result<Vec<Key>, PackError> {
        let wrong = |reason: String| Err(PackError::TrustedRoot(reason));
        let provenance = nobody();
        let ours = files::trusted_root(&self.keys().collect::<Vec<_>>());
        let ours =
            ours.and_then(|json| trusted_root::read(&json, &provenance).ok()).unwrap_or_default().candidates;
        let Contents { candidates: theirs, unusable, .. } = match trusted_root::read(carried, &provenance) {
            Ok(read) => read,
            Err(e) => return wrong(e.to_string()),
        };
        if let Some(entry) = unusable.first() {
            return wrong(format!("{}: {}", entry.entry, entry.problem.message));
        }
        let describe = |c: &Candidate| {
            let address = c.key.url.as_deref().unwrap_or("no address");
            format!("{} {} ({address})", c.key.role.title(), c.key.material.fingerprint())
        };
        let left_out: BTreeSet<_> = self.left_out().map(|(record, _)| record.key_ref()).collect();
        let (lying, theirs): (Vec<_>, Vec<_>) =
            theirs.into_iter().partition(|candidate| left_out.contains(&candidate.key.key_ref()));
        if let Some(more) = theirs.iter().find(|candidate| !ours.contains(candidate)) {
            return wrong(format!(
                "it holds a {} that keypack.json does not describe, or describes differently",
                describe(more)
            ));
        }
        if let Some(less) = ours.iter().find(|candidate| !theirs.contains(candidate)) {
            return wrong(format!("it lacks the {}", describe(less)));
        }
        Ok(lying.into_iter().map(|candidate| candidate.key).collect())
    }

    /// The inventory.
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The pack digest: sha256 of `keypack.json`.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.json)
    }

    /// The keys with their records, but for those that are left out.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyRecord, &Material)> {
        let all = self.inventory.keys.iter().zip(&self.materials);
        all.filter_map(|(record, material)| Some((record, material.as_ref()?)))
    }

    /// The TUF chains, in the order of their records.
    pub(super) fn chain_files(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter()
    }

    /// The names of the signature files.
    pub fn signatures(&self) -> impl Iterator<Item = &SafeName> {
        self.signatures.keys()
    }

    /// The signature files.
    pub(super) fn signature_files(&self) -> impl Iterator<Item = (&SafeName, &[u8])> {
        self.signatures.iter().map(|(name, bytes)| (name, bytes.as_slice()))
    }

    /// All files of keys/, by name.
    pub fn to_files(&self) -> Vec<OutFile> {
        let mut files = self.derived();
        let readme = files::readme(self);
        // Every name was checked when it was read, or is a constant.
        let mut push = |name: &str, bytes: Vec<u8>| {
            if let Ok(name) = SafeName::new(name) {
                files.push(OutFile::new(name, bytes));
            }
        };
        push(README, readme);
        push(INVENTORY, self.json.clone());
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let sums = files::sums(&files);
        files.extend(self.signatures.iter().map(|(name, bytes)| OutFile::new(name.clone(), bytes.clone())));
        if let Ok(name) = SafeName::new(SUMS) {
            files.push(OutFile::new(name, sums));
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    /// The files listed by the inventory, generated from its records.
    fn derived(&self) -> Vec<OutFile> {
        let keys: Vec<_> = self.keys().collect();
        files::of_keys(&keys, &self.chains().collect::<Vec<_>>()).unwrap_or_default()
    }

    /// The bytes of `keypack.json`.
    pub(super) fn inventory_bytes(&self) -> &[u8] {
        &self.json
    }

    /// A copy without these signature files.
    pub(super) fn without_signatures(mut self, these: &dyn Fn(&SafeName) -> bool) -> Self {
        self.signatures.retain(|name, _| !these(name));
        self
    }
}

/// Checks a file against the digest in the inventory.
fn same_bytes(inventory: &Inventory, name: &str, bytes: &[u8]) -> Result<(), PackError> {
    let Some(record) = inventory.files.iter().find(|file| file.name == name) else { return Ok(()) };
    let actual = Digest::of(bytes);
    if actual == record.sha256 {
        return Ok(());
    }
    Err(PackError::Content { name: name.to_owned(), expected: record.sha256, actual })
}

/// A placeholder provenance for values that are only compared.
fn nobody() -> Provenance {
    Provenance { grade: Grade::File, source: String::new(), sha256: Digest::of(b""), date: None }
}

fn take(files: &mut BTreeMap<SafeName, Vec<u8>>, name: &str) -> Option<Vec<u8>> {
    files.remove(&SafeName::new(name).ok()?)
}

/// Parses the key in a file and checks it against its record: the id is recomputed.
fn material(record: &KeyRecord, bytes: &[u8]) -> Result<Material, PackError> {
    let wrong = |reason: String| PackError::Key { name: record.file.clone(), reason };
    let mut parsed = parse_key_file(bytes).map_err(|e| wrong(e.to_string()))?;
    if let Some(UnusableBlock { block, reason, .. }) = parsed.unusable.first() {
        return Err(wrong(format!("{block}: {reason}")));
    }
    let (Some(material), true) = (parsed.material.pop(), parsed.material.is_empty()) else {
        return Err(wrong("it must hold exactly one key or chain".into()));
    };
    let url = record.origin.clone().map(|o| format!("https://{o}")).or_else(|| record.url.clone());
    let Key { id, material, .. } = Key::new(record.role, material).map_err(|e| wrong(e.to_string()))?.at(url);
    if id != record.id {
        return Err(wrong(format!("its id is {}, not {}", id.hex(), record.id.hex())));
    }
    let about = KeyDescription::of(&material).map_err(wrong)?;
    // A GPG key states its own validity; for other keys, only the record does.
    let said = KeyDescription {
        fingerprint: record.fingerprint,
        algorithm: record.algorithm,
        certificates: record.certificates.clone(),
        user_id: record.user_id.clone(),
        validity: about.validity.and(Some(record.validity)),
    };
    if about != said {
        return Err(wrong("its fingerprint, algorithm, certificates, user id or times differ".into()));
    }
    let key = record.key_ref();
    if !is_name_of(&record.name, key, &material) {
        let name = crate::key::name_of(key, &material);
        return Err(wrong(format!("a key of this fingerprint is called {name:?}")));
    }
    if record.ct_required && record.role != Role::Fulcio {
        return Err(wrong("only a Fulcio CA can need CT logs".into()));
    }
    if record.role == Role::Rekor2 && record.origin.is_none() {
        return Err(wrong("its record has no origin".into()));
    }
    Ok(material)
}
