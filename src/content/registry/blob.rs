use std::io::{self, Read};

use super::{token::Scope, wire::Wire};
use crate::{
    content::ContentError,
    events::Transfer,
    net::{Body, Method, Request, Response, StatusCode, header},
    oci::Descriptor,
};

/// A blob that flows from a registry. Where the connection breaks, it goes on from there (RFC 9110 §14, `Range`), as
/// often as requests are tried again. What it yields is not checked: `content::fetch` does that.
pub(super) struct Download<'a> {
    wire: &'a Wire,
    scope: Scope,
    blob: Descriptor,
    body: Body,
    at: u64,
    resumed: u32,
    transfer: Transfer,
}

impl<'a> Download<'a> {
    /// `Ok(None)`: the registry does not have it.
    pub(super) fn open(
        wire: &'a Wire,
        scope: Scope,
        blob: &Descriptor,
    ) -> Result<Option<Self>, ContentError> {
        let answer = ask(wire, &scope, blob, 0)?;
        match answer.status {
            StatusCode::OK => {
                let transfer = wire.client().options().meter.begin(blob.size.unwrap_or(0));
                let (blob, body) = (blob.clone(), answer.body);
                Ok(Some(Self { wire, scope, blob, body, at: 0, resumed: 0, transfer }))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(wire.refused_stream(&scope, &format!("read the blob {}", blob.digest), answer)),
        }
    }

    fn resume(&mut self, why: &str) -> io::Result<()> {
        self.wire
            .client()
            .pause(self.resumed, &format!("{} {why}", self.wire.place(self.scope.repository())));
        self.resumed += 1;
        let answer = ask(self.wire, &self.scope, &self.blob, self.at).map_err(io::Error::other)?;
        match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                let range = answer.text(header::CONTENT_RANGE).unwrap_or("");
                if range.strip_prefix("bytes ").and_then(|r| r.split_once('-')).map(|(from, _)| from)
                    != Some(self.at.to_string().as_str())
                {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "another range than the one asked for",
                    ));
                }
                self.body = answer.body;
            }
            StatusCode::OK => {
                // The whole again: what we have is read once more and dropped.
                self.body = answer.body;
                let skipped = io::copy(&mut Read::by_ref(&mut self.body).take(self.at), &mut io::sink())?;
                if skipped != self.at {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shorter than before"));
                }
            }
            _ => {
                let what = format!("go on reading the blob {}", self.blob.digest);
                return Err(io::Error::other(self.wire.refused_stream(&self.scope, &what, answer)));
            }
        }
        Ok(())
    }
}

fn ask(wire: &Wire, scope: &Scope, blob: &Descriptor, from: u64) -> Result<Response<Body>, ContentError> {
    // `urls` of a descriptor are never asked: GHSA-qvqc-4c52-x6qp.
    let url = wire.url(scope.repository(), "blobs/", &blob.digest.to_string())?;
    let mut request = Request::new(Method::GET, url);
    if from > 0 {
        request = request.header(header::RANGE, &format!("bytes={from}-"));
    }
    wire.open(scope, request)
}

impl Read for Download<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let early = |at: u64| self.blob.size.is_some_and(|size| at < size);
            let why = match self.body.read(buf) {
                Ok(0) if !buf.is_empty() && early(self.at) => "sent less than the whole".to_owned(),
                Ok(n) => {
                    self.at += n as u64;
                    self.transfer.pass(n as u64);
                    return Ok(n);
                }
                Err(e) => e.to_string(),
            };
            if self.resumed >= self.wire.client().options().retries {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            self.resume(&why)?;
        }
    }
}
