use super::{RegistryError, manifests, token::Scope, wire::Wire};
use crate::{
    content::ContentError,
    events::Transfer,
    limits,
    net::{self, Method, NetError, Request, Response, StatusCode, Url, header},
    oci::Blob,
};

/// Blobs above this size go up in pieces, so that a broken connection or a proxy's limit costs one piece.
pub(super) const WHOLE: usize = 8 << 20;

/// The pieces.
const PIECE: usize = 4 << 20;

/// The pieces after a proxy found the whole too large (nginx allows 1 MiB unless told otherwise).
const SMALL_PIECE: usize = 512 << 10;

/// What is uploaded and where to (distribution-spec, "Pushing blobs").
pub(super) struct Upload<'a> {
    pub(super) wire: &'a Wire,
    pub(super) repository: &'a str,
    /// A repository of the same registry that may have the blob already.
    pub(super) mount_from: Option<&'a str>,
    /// The largest blob that goes up in one request.
    pub(super) whole: usize,
}

impl Upload<'_> {
    /// Sees to it that the registry has the blob; `ask`: whether it may have it already. Says whether it had to be
    /// brought there.
    pub(super) fn bring(&self, blob: &Blob, ask: bool) -> Result<bool, ContentError> {
        let retries = self.wire.client().options().retries;
        let mut brought = false;
        for attempt in 0.. {
            // Asked anew after a failure: the answer may have got lost, not the blob.
            if (ask || brought) && self.has(blob)? {
                return Ok(brought);
            }
            brought = true;
            match self.upload(blob) {
                Ok(()) => return Ok(true),
                Err(e) if attempt < retries && may_pass(&e) => {
                    self.wire.client().pause(attempt, &e.to_string());
                }
                Err(e) => return Err(e),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn has(&self, blob: &Blob) -> Result<bool, ContentError> {
        let url = self.wire.url(self.repository, "blobs/", &blob.digest().to_string())?;
        let scope = self.scope();
        let answer = self.wire.fetch(&scope, Request::new(Method::HEAD, url), limits::ERROR_ANSWER)?;
        match answer.status.as_u16() {
            200 => Ok(true),
            404 | 405 => Ok(false),
            // A store behind the registry does not know HEAD; uploading decides.
            _ if answer.elsewhere => Ok(false),
            _ => Err(self.wire.refused(&scope, &format!("look for the blob {}", blob.digest()), &answer)),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Push(self.repository.to_owned())
    }

    fn upload(&self, blob: &Blob) -> Result<(), ContentError> {
        // What the other side confirmed counts: of bytes handed to this system nobody knows whether they arrived.
        let mut transfer = self.wire.client().options().meter.begin(blob.size());
        let Some(session) = self.begin(blob)? else { return Ok(()) };
        if blob.bytes().len() > self.whole {
            return self.pieces(session, blob, PIECE, &mut transfer);
        }
        let answer = self.finish(&session, blob, blob.bytes())?;
        if answer.status == StatusCode::PAYLOAD_TOO_LARGE && blob.bytes().len() > SMALL_PIECE {
            let Some(session) = self.start(&self.scope(), "")? else { return Ok(()) };
            return self.pieces(session, blob, SMALL_PIECE, &mut transfer);
        }
        self.created(blob, &answer)
    }

    /// A session, or nothing where the registry mounted the blob.
    fn begin(&self, blob: &Blob) -> Result<Option<Session>, ContentError> {
        if let Some(from) = self.mount_from.filter(|from| *from != self.repository) {
            let scope = Scope::Mount { into: self.repository.to_owned(), from: from.to_owned() };
            // Mounting is a favour: whoever may not read the other repository uploads.
            match self.start(&scope, &format!("?mount={}&from={from}", blob.digest())) {
                Err(ContentError::Registry(
                    RegistryError::Unauthorized { .. }
                    | RegistryError::Denied { .. }
                    | RegistryError::Answer { .. },
                )) => {}
                other => return other,
            }
        }
        self.start(&self.scope(), "")
    }

    fn start(&self, scope: &Scope, query: &str) -> Result<Option<Session>, ContentError> {
        let mut url = self.wire.url(self.repository, "blobs/uploads/", "")?;
        url.set_query(query.strip_prefix('?'));
        let request = Request::new(Method::POST, url).header(header::CONTENT_LENGTH, "0");
        let answer = self.wire.fetch(scope, request, limits::ERROR_ANSWER)?;
        match answer.status {
            StatusCode::CREATED => Ok(None),
            StatusCode::ACCEPTED => {
                let piece = answer.text("oci-chunk-min-length").and_then(|v| v.parse().ok()).unwrap_or(0);
                let url = self.location(&answer)?;
                let url = url.ok_or_else(|| self.wire.strange("it begins an upload without saying where"))?;
                Ok(Some(Session { url, piece }))
            }
            _ => Err(self.wire.refused(scope, "upload a blob", &answer)),
        }
    }

    /// Where an upload goes on; `None` where the answer does not say.
    fn location(&self, answer: &Response<Vec<u8>>) -> Result<Option<Url>, ContentError> {
        let Some(found) = answer.text(header::LOCATION) else { return Ok(None) };
        let refused = |to: &str, reason: &str| RegistryError::LocationRefused {
            place: self.wire.place(self.repository),
            to: super::error::printable(to.split(['?', '#']).next().unwrap_or("")),
            reason: reason.to_owned(),
        };
        let url = net::resolve(&answer.url, found).map_err(|why| refused(found, &why.to_string()))?;
        if self.wire.is_home(&url)? {
            Ok(Some(url))
        } else {
            Err(refused(&net::shown(&url), "it is another origin").into())
        }
    }

    /// distribution-spec, "Pushing a blob in chunks".
    fn pieces(
        &self,
        session: Session,
        blob: &Blob,
        piece: usize,
        transfer: &mut Transfer,
    ) -> Result<(), ContentError> {
        let (mut url, mut at, scope) = (session.url, 0, self.scope());
        for bytes in blob.bytes().chunks(piece.max(session.piece).min(limits::UPLOAD_PIECE)) {
            let end = at + bytes.len();
            let request = Request::new(Method::PATCH, url.clone())
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_LENGTH, &bytes.len().to_string())
                .header(header::CONTENT_RANGE, &format!("{at}-{}", end - 1))
                .body(bytes)
                .once();
            let answer = self.wire.fetch(&scope, request, limits::ERROR_ANSWER)?;
            if answer.status != StatusCode::ACCEPTED {
                return Err(self.wire.refused(
                    &scope,
                    &format!("upload the blob {}", blob.digest()),
                    &answer,
                ));
            }
            url = self.location(&answer)?.unwrap_or(url);
            at = end;
            transfer.pass(bytes.len() as u64);
        }
        let answer = self.finish(&Session { url, piece: 0 }, blob, &[])?;
        self.created(blob, &answer)
    }

    fn finish(&self, session: &Session, blob: &Blob, body: &[u8]) -> Result<Response<Vec<u8>>, ContentError> {
        let mut url = session.url.clone();
        url.query_pairs_mut().append_pair("digest", &blob.digest().to_string());
        let request = Request::new(Method::PUT, url)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, &body.len().to_string())
            .body(body)
            .once();
        self.wire.fetch(&self.scope(), request, limits::ERROR_ANSWER)
    }

    fn created(&self, blob: &Blob, answer: &Response<Vec<u8>>) -> Result<(), ContentError> {
        if !matches!(answer.status.as_u16(), 200 | 201 | 204) {
            return Err(self.wire.refused(
                &self.scope(),
                &format!("upload the blob {}", blob.digest()),
                answer,
            ));
        }
        match answer.text(manifests::DIGEST).filter(|said| manifests::contradicts(said, blob.digest())) {
            None => Ok(()),
            Some(said) => Err(RegistryError::HeaderDigest {
                place: self.wire.place(self.repository),
                what: "the uploaded blob".into(),
                said: super::error::printable(said),
                actual: blob.digest(),
            }
            .into()),
        }
    }
}

/// An upload under way.
struct Session {
    url: Url,
    /// The smallest piece that the registry takes.
    piece: usize,
}

/// Whether an upload that failed so may succeed from the beginning: the connection broke, or the session is gone.
fn may_pass(e: &ContentError) -> bool {
    match e {
        ContentError::Net(e) => {
            matches!(
                e,
                NetError::Unreachable { .. } | NetError::TimedOut { .. } | NetError::Unavailable { .. }
            )
        }
        ContentError::Registry(RegistryError::Answer { status, .. }) => matches!(status, 404 | 416 | 500),
        _ => false,
    }
}
