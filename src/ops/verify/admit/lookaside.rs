//! GPG signatures in a lookaside tree: `BASE/REPOSITORY@sha256=<hex>/signature-N`, from 1 on, until one is not there
//! (containers/image `docs/signature-protocols.md`).

use std::{io, path::Path, sync::OnceLock};

use super::read::{Missing, ends};
use crate::{
    diag::{Code, Diagnostic},
    fs,
    http::{Client, Method, Request, Url},
    limits,
    oci::Digest,
    ops::Context,
    policy::consumer::{Found, ImageName, from_file},
};

/// Reads lookaside trees; one HTTP client, with its connections, serves all pulls.
pub(super) struct Lookaside {
    client: OnceLock<Client>,
}

impl Lookaside {
    pub(super) const fn new() -> Self {
        Self { client: OnceLock::new() }
    }

    pub(super) fn read(
        &self,
        base: &str,
        at: &ImageName,
        image: Digest,
        ctx: &Context,
    ) -> Result<Vec<Found>, Missing> {
        let client = || self.client.get_or_init(|| Client::new(ctx.registry().http));
        read(base, at, image, client)
    }
}

fn read<'a>(
    base: &str,
    at: &ImageName,
    image: Digest,
    client: impl Fn() -> &'a Client,
) -> Result<Vec<Found>, Missing> {
    let mut url = Url::parse(base)
        .map_err(|e| ends(&format!("the lookaside {base:?} in registries.d is not an address: {e}")))?;
    let path = format!("{}/{}@sha256={}", url.path(), at.path(), image.hex());
    let client = match url.scheme() {
        "file" => None,
        "http" | "https" => Some(client()),
        other => return Err(ends(&format!("the consumer reads no lookaside of the scheme {other:?}"))),
    };
    let mut found = Vec::new();
    for number in 1.. {
        if found.len() >= limits::LOOKASIDE_SIGNATURES {
            return Err(ends(&format!("the lookaside has more than {} signatures", found.len())));
        }
        let file = format!("{path}/signature-{number}");
        let bytes = match client {
            None => local(Path::new(&file))?,
            Some(client) => {
                url.set_path(&file);
                remote(client, &url)?
            }
        };
        let Some(bytes) = bytes else { break };
        found.push(from_file(bytes).map_err(|e| ends(&format!("{file}: {}", e.0)))?);
    }
    Ok(found)
}

fn local(path: &Path) -> Result<Option<Vec<u8>>, Missing> {
    match fs::open(path).and_then(|file| fs::read(file, limits::CONSUMER_SIGNATURE)) {
        Ok(Some(bytes)) => Ok(Some(bytes)),
        Ok(None) => Err(ends(&format!("{} is too long for a signature", path.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Missing::Unread(fs::FsError::read(e, path).into())),
    }
}

fn remote(client: &Client, url: &Url) -> Result<Option<Vec<u8>>, Missing> {
    let request = Request::new(Method::GET, url.clone());
    let answer = client
        .fetch(&request, limits::CONSUMER_SIGNATURE)
        .map_err(|e| Missing::Unread(Diagnostic::new(e.code(), e.to_string())))?;
    match answer.status.as_u16() {
        200 => Ok(Some(answer.body)),
        404 => Ok(None),
        other => Err(Missing::Unread(Diagnostic::new(
            Code::RegistryAnswer,
            format!("the lookaside answers {url} with status {other}"),
        ))),
    }
}
