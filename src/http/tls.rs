use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use reqwest::{Certificate, Identity, blocking::ClientBuilder};
use x509_cert::der::Decode;

use super::{HttpError, Origin, self_signed};
use crate::{fs, limits};

/// TLS settings on top of the system's roots.
///
/// The files are those of containers-certs.d(5): every `*.crt` is a CA, and a `NAME.cert` with its `NAME.key` is the
/// client certificate. Other implementations skip files that they can't read; keypack reports them.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Whether the server's certificate is verified (`--tls-verify`).
    pub verify: bool,
    /// `--cert-dir`: used instead of the directories in `search`. Its CAs apply to every host of this client, because a
    /// token service often uses the registry's CA; its client certificate is presented to [`Tls::host`] alone.
    pub cert_dir: Option<PathBuf>,
    /// The host, with its port if it has one, for which the client certificate of `cert_dir` is intended.
    pub host: String,
    /// Directories with one subdirectory per `host[:port]`; the first one that has the host's is used.
    pub search: Vec<PathBuf>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            verify: true,
            cert_dir: None,
            host: String::new(),
            search: ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from).into(),
        }
    }
}

impl Tls {
    /// Searches the user's own certs.d before the system's.
    #[must_use]
    pub fn with_home(mut self, home: &Path) -> Self {
        self.search.insert(0, home.join(".config/containers/certs.d"));
        self
    }

    /// Applies these settings to a client.
    pub(super) fn apply(&self, origin: &Origin, builder: ClientBuilder) -> Result<ClientBuilder, HttpError> {
        let mut builder = builder;
        if !self.verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        let Some(material) = self.material(origin)? else { return Ok(builder) };
        let roots = material.roots.iter().map(|der| Certificate::from_der(der));
        let roots = roots.collect::<Result<Vec<_>, _>>();
        let roots = roots.map_err(|_| bad(&material.dir, "it holds a certificate that can't be used"))?;
        builder = builder.tls_certs_merge(roots);
        if let Some((key, pem)) = material.identity {
            let identity = Identity::from_pem(&pem).map_err(|_| {
                bad(&key, "it holds no private key in PEM that fits the certificate next to it")
            })?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }

    /// Makes a client accept the certificates configured for this origin themselves (see [`self_signed`]); `None` if
    /// there are none.
    pub(super) fn apply_self_signed(
        &self,
        origin: &Origin,
        builder: ClientBuilder,
    ) -> Result<Option<ClientBuilder>, HttpError> {
        let material = self.material(origin)?.filter(|m| self.verify && !m.roots.is_empty());
        let Some(Material { roots, identity, .. }) = material else { return Ok(None) };
        Ok(self_signed::accept(builder, roots, identity.as_ref().map(|(_, pem)| pem.as_slice())))
    }

    /// Reads and checks the contents of the directory for an origin.
    fn material(&self, origin: &Origin) -> Result<Option<Material>, HttpError> {
        let named = names(origin);
        let (dir, shows) = match &self.cert_dir {
            Some(dir) => (Some(dir.clone()), named.contains(&self.host)),
            None => (self.find(&named), true),
        };
        let Some(dir) = dir else { return Ok(None) };
        let Files { authorities, client } = Files::list(&dir)?;
        let mut material = Material { dir, roots: Vec::new(), identity: None };
        for path in &authorities {
            material.roots.extend(certificates(path)?);
        }
        if let Some((certificate, key)) = client.filter(|_| shows) {
            certificates(&certificate)?;
            let mut pem = read(&key)?;
            pem.push(b'\n');
            pem.extend(read(&certificate)?);
            material.identity = Some((key, pem));
        }
        Ok(Some(material))
    }

    fn find(&self, named: &[String]) -> Option<PathBuf> {
        self.search
            .iter()
            .flat_map(|dir| named.iter().map(move |name| dir.join(name)))
            .find(|dir| dir.is_dir())
    }
}

/// Possible names of an origin's directory in certs.d.
fn names(origin: &Origin) -> Vec<String> {
    let with_port = format!("{}:{}", origin.host(), origin.port());
    if origin.has_default_port() { vec![origin.host().to_owned(), with_port] } else { vec![with_port] }
}

/// The parsed contents of one directory.
struct Material {
    dir: PathBuf,
    /// In DER.
    roots: Vec<Vec<u8>>,
    /// The path of the key file; the key and the certificate in PEM.
    identity: Option<(PathBuf, Vec<u8>)>,
}

/// The files in one directory.
struct Files {
    authorities: Vec<PathBuf>,
    client: Option<(PathBuf, PathBuf)>,
}

impl Files {
    fn list(dir: &Path) -> Result<Self, HttpError> {
        let unreadable = |e: std::io::Error| bad(dir, &format!("it can't be listed: {e}"));
        let (mut authorities, mut pairs) = (Vec::new(), BTreeMap::<PathBuf, (bool, bool)>::new());
        for entry in std::fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            match path.extension().and_then(|e| e.to_str()) {
                Some("crt") => authorities.push(path),
                Some("cert") => pairs.entry(path.with_extension("")).or_default().0 = true,
                Some("key") => pairs.entry(path.with_extension("")).or_default().1 = true,
                _ => {}
            }
        }
        authorities.sort();
        let mut client = None;
        for (stem, has) in pairs {
            let (certificate, key) = (with(&stem, "cert"), with(&stem, "key"));
            match has {
                (true, false) => {
                    return Err(bad(&certificate, "its private key, the same name with .key, is missing"));
                }
                (false, _) => return Err(bad(&key, "its certificate, the same name with .cert, is missing")),
                _ if client.is_some() => {
                    return Err(bad(
                        &certificate,
                        "it is the second client certificate here; keypack shows one",
                    ));
                }
                _ => client = Some((certificate, key)),
            }
        }
        Ok(Self { authorities, client })
    }
}

fn with(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn bad(path: &Path, reason: &str) -> HttpError {
    HttpError::CertificateFile { path: path.to_owned(), reason: reason.to_owned() }
}

fn read(path: &Path) -> Result<Vec<u8>, HttpError> {
    fs::open(path)
        .and_then(|file| fs::read(file, limits::KEY_FILE))
        .map_err(|e| bad(path, &format!("it can't be read: {e}")))?
        .ok_or_else(|| bad(path, "it is too large"))
}

/// The certificates of a PEM file. reqwest would treat a file of junk as an empty list.
fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, HttpError> {
    let blocks = pem::parse_many(read(path)?).map_err(|e| bad(path, &format!("it is not PEM: {e}")))?;
    let mut found = Vec::new();
    for block in blocks.into_iter().filter(|b| b.tag() == "CERTIFICATE") {
        let der = block.into_contents();
        x509_cert::Certificate::from_der(&der)
            .map_err(|e| bad(path, &format!("a certificate is malformed: {e}")))?;
        found.push(der);
    }
    if found.is_empty() { Err(bad(path, "it holds no certificate in PEM")) } else { Ok(found) }
}
