#![allow(clippy::disallowed_types, reason = "content reads files: this reads an archive's headers")]

use std::{
    cell::Cell,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};

use crate::limits;

/// The minimum and the maximum size of one read from disk.
const LEAST: usize = 2 << 10;
const MOST: usize = 64 << 10;

/// The maximum number of bytes that the tar reader may read for one entry: its header and the extensions before it.
const ENTRY: u64 = limits::TAR_EXTENSION + (16 << 10);

/// A reader for tar headers: seeks instead of reading content, reads ahead if small entries follow each other, and
/// stops at a header that is larger than any legitimate one.
pub(super) struct Window<'a> {
    file: &'a File,
    watch: &'a Watch,
    position: u64,
    buffer: Vec<u8>,
    start: u64,
    ask: usize,
}

/// State shared by the scan and its reader.
#[derive(Default)]
pub(super) struct Watch {
    allowed: Cell<u64>,
    /// Whether a read found the end of the file.
    pub(super) ended: Cell<bool>,
    /// The position that the tar reader has reached.
    pub(super) position: Cell<u64>,
}

impl Watch {
    /// Allows the bytes of one entry's headers.
    pub(super) fn allow_entry(&self) {
        self.allowed.set(ENTRY);
    }
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a File, watch: &'a Watch) -> Self {
        Self { file, watch, position: 0, buffer: Vec::new(), start: 0, ask: LEAST }
    }

    /// The buffered bytes from the current position; reads more if there are none.
    fn fill(&mut self) -> io::Result<&[u8]> {
        let end = self.start + self.buffer.len() as u64;
        if !(self.start..end).contains(&self.position) {
            let near = self.position >= end && self.position - end <= self.ask as u64;
            self.ask = if near { (self.ask * 2).min(MOST) } else { LEAST };
            self.buffer.resize(self.ask, 0);
            let read = self.file.read_at(&mut self.buffer, self.position);
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            self.start = self.position;
            read?;
        }
        let skip = usize::try_from(self.position - self.start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(skip..).unwrap_or_default())
    }
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let available = self.fill()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.watch.ended.set(count == 0);
        let left = self.watch.allowed.get().checked_sub(count as u64);
        self.watch.allowed.set(left.ok_or_else(|| {
            io::Error::other(format!("a header is longer than {} bytes", limits::TAR_EXTENSION))
        })?);
        self.position += count as u64;
        self.watch.position.set(self.position);
        Ok(count)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(_) => None,
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
