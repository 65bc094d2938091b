//! The contract behind bit-identical resume: everything that a learner's future depends on, as named arrays.
//!
//! What only grows, a replay buffer, is in [`Segment`]s: once full they never change, so that a state shares them with the learner instead of
//! copying them, and a checkpoint writes each of them once.

use crate::error::Result;
use crate::file::digest;
use crate::file::tensors::{Array, Tensors, take_u64, to_bytes};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Named arrays: parameters, moments, stream positions, environment snapshots, counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// By name.
    pub tensors: Tensors,
    /// What will not change any more, by name.
    pub segments: BTreeMap<String, Arc<Segment>>,
}

/// An array that is complete.
#[derive(Debug)]
pub struct Segment {
    array: Array,
    /// SHA-256 of its file, once somebody asked for it or read it.
    digest: OnceLock<String>,
}

impl PartialEq for Segment {
    fn eq(&self, other: &Self) -> bool {
        self.array == other.array
    }
}

impl Segment {
    /// The name of the array in the file of a segment.
    const ROWS: &str = "rows";

    /// Seals an array.
    #[must_use]
    pub fn new(array: Array) -> Arc<Self> {
        Arc::new(Self { array, digest: OnceLock::new() })
    }

    /// The array.
    #[must_use]
    pub const fn array(&self) -> &Array {
        &self.array
    }

    /// The bytes of its file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&Tensors::from([(Self::ROWS.to_owned(), self.array.clone())]))
    }

    /// SHA-256 of its file, computed once.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| digest::of_bytes(&self.to_bytes()))
    }

    /// Reads the bytes of a file of which the SHA-256 is known to be `digest`.
    ///
    /// # Errors
    /// Exit 3 when it is not a segment's.
    pub fn from_bytes(bytes: &[u8], digest: &str) -> Result<Arc<Self>> {
        let mut tensors = crate::file::tensors::from_bytes(bytes)?;
        let array = tensors.remove(Self::ROWS).filter(|_| tensors.is_empty());
        let array = array.ok_or_else(|| crate::Error::artefact(format!("is no segment: it does not hold `{}` alone", Self::ROWS)))?;
        Ok(Arc::new(Self { array, digest: OnceLock::from(digest.to_owned()) }))
    }
}

impl State {
    /// Adds counters.
    pub fn put_counters(&mut self, name: &str, counters: &[u64]) {
        self.tensors.insert(name.to_owned(), Array::u64(counters.to_vec()));
    }

    /// SHA-256 over every name, shape and bit.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::of_arrays("state", self.tensors.iter().chain(self.segments.iter().map(|(name, segment)| (name, segment.array()))))
    }

    /// A copy from which tensors are taken one by one ([`State::finish`] confirms that none is left).
    #[must_use]
    pub fn to_take(&self) -> Tensors {
        self.tensors.clone()
    }

    /// Takes counters out.
    ///
    /// # Errors
    /// Exit 3 when they are missing or another number of them.
    pub fn take_counters<const N: usize>(from: &mut Tensors, name: &str) -> Result<[u64; N]> {
        let counters = take_u64(from, name, N)?;
        Ok(counters.try_into().expect("the length was checked"))
    }

    /// Confirms that everything was taken.
    ///
    /// # Errors
    /// Exit 3 with the first name that was not.
    pub fn finish(left: &Tensors) -> Result<()> {
        match left.keys().next() {
            Some(name) => Err(crate::Error::artefact("is not part of this learner's state").at(name)),
            None => Ok(()),
        }
    }
}
