//! A file that only grows, with a known good length: metric logs and event streams.
//!
//! A checkpoint records [`Journal::len`]; whoever continues from that checkpoint opens the journal at that length, and what was
//! written after it is dropped, since it will be written again. What a full disk refuses is kept and written when there is room.

use super::disk::{self, gate, gate_write};
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An append-only file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    pending: Vec<u8>,
}

impl Journal {
    /// Opens or makes the file and keeps its first `len` bytes.
    ///
    /// # Errors
    /// When the disk refuses, or the file is shorter than `len`.
    pub fn open(path: &Path, len: u64) -> Result<Self> {
        let fail = |error| Error::io("open", path, error);
        Self::check(path, len)?;
        gate("open").map_err(fail)?;
        let mut file = disk::plain(OpenOptions::new().create(true).truncate(false).read(true).write(true), path).map_err(fail)?;
        file.set_len(len).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        Ok(Self { path: path.to_owned(), file, len, pending: Vec::new() })
    }

    /// Fails when the file is shorter than `len`; one that is not there is empty.
    ///
    /// # Errors
    /// Exit 3 with both lengths.
    pub fn check(path: &Path, len: u64) -> Result<()> {
        let found = path.metadata().map_or(0, |found| found.len());
        if found < len {
            return Err(Error::artefact(format!("holds {found} bytes, its checkpoint says {len}")).at(path.display()));
        }
        Ok(())
    }

    /// Appends. A refused write is taken back, so that no torn record stays, and is tried again with the next one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let appended = if self.pending.is_empty() {
            // Straight to the file; a copy is made of what waits alone.
            self.write(bytes).inspect_err(|_| self.pending.extend_from_slice(bytes))
        } else {
            self.pending.extend_from_slice(bytes);
            self.flush()
        };
        appended.map_err(|error| Error::io("append to", &self.path, error))
    }

    /// Gives up what was refused and waits: it is not written with what comes next.
    pub fn give_up(&mut self) {
        self.pending.clear();
    }

    /// Brings all that was appended to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&mut self) -> Result<()> {
        self.flush().and_then(|()| self.file.sync_data()).map_err(|error| Error::io("sync", &self.path, error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.write(&pending).inspect_err(|_| self.pending = pending)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = gate_write(bytes).and_then(|(bytes, afterwards)| self.file.write_all(bytes).and(afterwards));
        if let Err(error) = written {
            self.file.set_len(self.len).and_then(|()| self.file.seek(SeekFrom::End(0)))?;
            return Err(error);
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was appended yet, written or waiting for room.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0 && self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::disk::faults::{self, Fault};

    #[test]
    fn what_a_full_disk_refuses_is_written_later_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut journal = Journal::open(&path, 0).unwrap();
        assert!(faults::with(0, Fault::Error(28), || journal.append(b"one\n")).0.is_err());
        assert!(!journal.is_empty(), "a line waits, so a heading would come twice");
        journal.sync().unwrap();
        for fault in [Fault::Error(28), Fault::ShortWrite] {
            let before = std::fs::read(&path).unwrap();
            assert!(faults::with(0, fault, || journal.append(b"two\n")).0.is_err());
            assert_eq!(std::fs::read(&path).unwrap(), before, "no torn line");
        }
        journal.append(b"three\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\ntwo\nthree\n");
        assert_eq!(journal.len(), 18);
    }

    #[test]
    fn reopening_at_a_length_drops_what_came_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut journal = Journal::open(&path, 0).unwrap();
        journal.append(b"one\n").unwrap();
        let good = journal.len();
        journal.append(b"two\n").unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, good).unwrap();
        journal.append(b"three\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\nthree\n");
        assert!(Journal::open(&path, 1000).is_err());
    }
}
