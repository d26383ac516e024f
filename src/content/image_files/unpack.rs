//! The tar in a layer, whatever its compression: media types are not always right, so the first bytes decide.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use crate::limits;

/// Decompresses a layer.
pub(super) fn unpack<'a>(blob: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut blob = blob;
    let (mut magic, mut length) = ([0; 4], 0);
    while length < magic.len() {
        match blob.read(&mut magic[length..])? {
            0 => break,
            read => length += read,
        }
    }
    let whole = io::Cursor::new(magic).take(length as u64).chain(blob);
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Box::new(Frames::new(whole)),
        _ => Box::new(whole),
    })
}

/// zstd frames, with skippable ones between them (RFC 8878 §3), as zstd:chunked has them.
struct Frames<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    is_open: bool,
}

impl<R: Read> Frames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(limits::ZSTD_WINDOW);
        Self { source: BufReader::new(source), decoder, is_open: false }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_open && self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if self.is_open && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
                continue;
            }
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => self.is_open = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    self.is_open = false;
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(e) => return Err(io::Error::other(e)),
            }
        }
    }
}

/// What may still be read.
pub(super) struct Allowance<'a> {
    /// Of all layers.
    pub(super) unpacked: &'a Cell<u64>,
    /// Up to the end of the next header.
    pub(super) next: &'a Cell<u64>,
}

/// A stream that ends with an error where the allowance does.
pub(super) struct Limited<'a, R> {
    stream: R,
    allowance: &'a Allowance<'a>,
}

impl<'a, R> Limited<'a, R> {
    pub(super) fn new(stream: R, allowance: &'a Allowance<'a>) -> Self {
        Self { stream, allowance }
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(into)? as u64;
        let Allowance { unpacked, next } = self.allowance;
        unpacked.set(unpacked.get().saturating_sub(read));
        if unpacked.get() == 0 {
            return Err(io::Error::other("it unpacks to more than is read"));
        }
        let left = next.get().checked_sub(read);
        next.set(left.ok_or_else(|| {
            io::Error::other(format!("a header is longer than {} bytes", limits::TAR_EXTENSION))
        })?);
        Ok(usize::try_from(read).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zstd frame with two bytes of content, `ab`, and a window of 1 KiB.
    const FRAME: &[u8] = b"\x28\xb5\x2f\xfd\0\0\x11\0\0ab";
    const SKIPPED: &[u8] = b"\x5f\x2a\x4d\x18\x04\0\0\0note";

    fn text(blob: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        unpack(blob)?.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn every_compression_is_recognised_by_its_first_bytes() {
        let mut gzip = flate2::read::GzEncoder::new(&b"ab"[..], flate2::Compression::fast());
        let mut member = Vec::new();
        gzip.read_to_end(&mut member).unwrap();
        for (blob, expected) in [
            (b"plain".to_vec(), "plain"),
            (b"ab".to_vec(), "ab"),
            (Vec::new(), ""),
            (member.repeat(2), "abab"),
            ([FRAME, SKIPPED, FRAME, SKIPPED].concat(), "abab"),
            ([SKIPPED, FRAME].concat(), "ab"),
        ] {
            assert_eq!(text(&blob).unwrap(), expected, "{blob:?}");
        }
        // A window of 64 MiB.
        assert!(text(b"\x28\xb5\x2f\xfd\0\x81\x11\0\0ab").is_err());
        assert!(text(&FRAME[..9]).is_err());
    }
}
