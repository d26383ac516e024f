use super::{KeyId, KeyRef, Material, Role, RoleError, Validity, note_key_id};

/// A public key in its role: the one type for keys that were found, keys that were proved, and keys used to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What the key is for.
    pub role: Role,
    /// Its id in this role.
    pub id: KeyId,
    /// The key.
    pub material: Material,
    /// The address of the log or authority, if known.
    pub url: Option<String>,
    /// The checkpoint origin of a Rekor v2 log, if known from something other than the address.
    pub origin: Option<String>,
    /// When the key was or is in use.
    pub validity: Validity,
    /// For a CA: whether its certificates contain a CT log's timestamp. They do if the CA's instance has CT logs.
    pub ct_required: bool,
}

impl Key {
    /// A key of which only the role is known.
    pub fn new(role: Role, material: Material) -> Result<Self, RoleError> {
        material.check_role(role)?;
        let (id, validity) = (material.id(), Validity::default());
        let key = Self { role, id, material, url: None, origin: None, validity, ct_required: false };
        Ok(key.renamed(""))
    }

    /// Sets the address. The id of a Rekor v2 log depends on it.
    #[must_use]
    pub fn at(mut self, url: Option<String>) -> Self {
        self.url = url;
        self.renamed("")
    }

    /// Makes this the key of the Rekor v2 log with this checkpoint origin. Trusted roots do not state the version of a
    /// log, so a key listed as that of a Rekor v1 log may belong to a v2 log.
    #[must_use]
    pub fn of_rekor2(mut self, origin: &str) -> Self {
        self.role = Role::Rekor2;
        self = self.renamed(origin);
        self.origin = Some(origin.to_owned());
        self
    }

    /// Role and id.
    pub const fn key_ref(&self) -> KeyRef {
        KeyRef { role: self.role, id: self.id }
    }

    /// The checkpoint origin of a log: the one its source states, otherwise the host of its address.
    pub fn own_origin(&self) -> Option<String> {
        self.origin.clone().or_else(|| self.url.as_deref().map(origin_of))
    }

    /// Whether this is a Rekor v2 log's key with unknown origin, as read from a bare file. Its true id is then unknown.
    pub fn is_nameless(&self) -> bool {
        self.role == Role::Rekor2 && self.own_origin().is_none()
    }

    /// The id of this key as that of the Rekor v2 log with this origin, for a source that does not state one. An ECDSA
    /// key has the same id in both versions of Rekor.
    pub fn rekor2_id(&self, origin: &str) -> KeyId {
        match &self.material {
            _ if self.role == Role::Rekor2 && self.own_origin().is_some() => self.id,
            Material::Key(key) => note_key_id(self.own_origin().as_deref().unwrap_or(origin), key),
            material => material.id(),
        }
    }

    fn renamed(mut self, origin: &str) -> Self {
        if let (Role::Rekor2, Material::Key(key)) = (self.role, &self.material) {
            self.id = note_key_id(self.own_origin().as_deref().unwrap_or(origin), key);
        }
        self
    }
}

/// The origin of a Rekor v2 log: its URL's host, without scheme, port and path (sigstore-go `trust_root.go`).
pub fn origin_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or_default().to_owned()
    } else {
        host.split(':').next().unwrap_or_default().to_owned()
    }
}
