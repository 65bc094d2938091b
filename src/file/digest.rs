//! SHA-256, for files (check with `sha256sum`) and for the identity of policies and runs.

use super::Tensors;
use super::tensors::{Array, Data};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::OnceLock;

/// The SHA-256 of some bytes, as 64 hexadecimal digits.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of all that a reader gives, without holding it.
///
/// # Errors
/// When reading fails.
pub fn of_reader(mut reader: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&block[..count]),
        }
    }
}

/// The SHA-256 of named tensors and a text that describes them: independent of any file's layout, sensitive to every bit of value.
#[must_use]
pub fn of_tensors(description: &str, tensors: &Tensors) -> String {
    of_arrays(description, tensors)
}

/// The same of arrays that lie in several places, in this order.
#[must_use]
pub fn of_arrays<'a>(description: &str, arrays: impl IntoIterator<Item = (&'a String, &'a Array)>) -> String {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(description.as_bytes());
    for (name, array) in arrays {
        field(name.as_bytes());
        field(&array.shape.iter().flat_map(|size| (*size as u64).to_le_bytes()).collect::<Vec<_>>());
        match &array.data {
            Data::F32(values) => field(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()),
            Data::F64(values) => field(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()),
            Data::U64(values) => field(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()),
        }
    }
    hex(&hash.finalize())
}

/// SHA-256 of the running program: what it computes may change with every build, its own environments included. Empty where the
/// system does not say which file it is.
#[must_use]
pub fn of_program() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| std::env::current_exe().and_then(std::fs::read).map(|bytes| of_bytes(&bytes)).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_what_sha256sum_says() {
        assert_eq!(of_bytes(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn every_bit_counts() {
        let of = |name: &str, shape: &[usize], values: &[f32]| {
            of_tensors("", &Tensors::from([(name.to_owned(), Array::f32(shape, values.to_vec()))]))
        };
        let digest = of("w", &[2], &[1.0, 0.0]);
        assert_ne!(digest, of("w", &[2], &[1.0, -0.0]));
        assert_ne!(digest, of("w", &[1, 2], &[1.0, 0.0]));
        assert_ne!(digest, of("v", &[2], &[1.0, 0.0]));
    }
}
