//! The contract behind bit-identical resume: everything that a learner's future depends on, as named arrays.

use crate::error::Result;
use crate::file::digest;
use crate::file::tensors::{Array, Tensors, take_u64};

/// Named arrays: parameters, moments, stream positions, environment snapshots, counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// By name.
    pub tensors: Tensors,
}

impl State {
    /// Adds counters.
    pub fn put_counters(&mut self, name: &str, counters: &[u64]) {
        self.tensors.insert(name.to_owned(), Array::u64(counters.to_vec()));
    }

    /// SHA-256 over every name, shape and bit.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::of_tensors("state", &self.tensors)
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
