use std::io::{self, Read};

/// Requires all bytes to be UTF-8, including those that are skipped (RFC 8259 §8.1), because other readers may use
/// them.
pub(super) struct Utf8<R> {
    inner: R,
    /// An incomplete character, to be completed by the next read.
    rest: Vec<u8>,
    pub(super) is_not_text: bool,
}

impl<R: Read> Utf8<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, rest: Vec::new(), is_not_text: false }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(&into[..count]);
        match str::from_utf8(&bytes) {
            Ok(_) => {}
            Err(e) if e.error_len().is_none() && (count > 0 || into.is_empty()) => {
                self.rest = bytes.split_off(e.valid_up_to());
            }
            Err(_) => {
                self.is_not_text = true;
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(count)
    }
}
