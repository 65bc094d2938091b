//! Named arrays as safetensors: weights, optimiser moments, counters, snapshots.
//!
//! Reading checks everything before an array is made: header at most 1 MiB, 4,096 tensors, 8 dimensions, products that do not
//! overflow, no holes, no overlaps, no duplicate names, nothing after the end, and only the three types that we write.

use super::disk;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

const HEADER_CAP: u64 = 1 << 20;
const TENSOR_CAP: usize = 4096;
const DIMENSION_CAP: usize = 8;
/// The one key of the metadata that is ours.
const METADATA: &str = "heirloom";
/// Files beyond this are refused unread.
const FILE_CAP: u64 = 8 << 30;

/// Arrays by name, in name order: the order of the file and of digests.
pub type Tensors = BTreeMap<String, Array>;

/// A dense row-major array.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Data,
}

/// The elements of an [`Array`].
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Weights and moments.
    F32(Vec<f32>),
    /// Statistics and simulator states.
    F64(Vec<f64>),
    /// Counters and positions.
    U64(Vec<u64>),
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::U64(values) => values.len(),
        }
    }

    const fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::U64(_) => Dtype::U64,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::U64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

impl Array {
    /// An array of `f32`.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape.
    #[must_use]
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        Self::new(shape, Data::F32(values))
    }

    /// An array of `f64`.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape.
    #[must_use]
    pub fn f64(shape: &[usize], values: Vec<f64>) -> Self {
        Self::new(shape, Data::F64(values))
    }

    /// A list of counters.
    #[must_use]
    pub fn u64(values: Vec<u64>) -> Self {
        Self::new(&[values.len()], Data::U64(values))
    }

    fn new(shape: &[usize], data: Data) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?}");
        Self { shape: shape.to_vec(), data }
    }

    /// The type's name as safetensors writes it.
    #[must_use]
    pub fn dtype(&self) -> String {
        format!("{:?}", self.data.dtype())
    }
}

/// Takes an array out of a set and checks that it is what is expected.
///
/// # Errors
/// Exit 3 when it is missing or of another type or shape.
pub fn take(tensors: &mut Tensors, name: &str, dtype: &str, shape: &[usize]) -> Result<Data> {
    let array = tensors.remove(name).ok_or_else(|| Error::artefact("is missing").at(name))?;
    if array.dtype() != dtype || array.shape != shape {
        let message = format!("is {} {:?}, but {dtype} {shape:?} is needed", array.dtype(), array.shape);
        return Err(Error::artefact(message).at(name));
    }
    Ok(array.data)
}

/// Takes an array of `f32` of a known shape.
///
/// # Errors
/// As [`take`].
pub fn take_f32(tensors: &mut Tensors, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    match take(tensors, name, "F32", shape)? {
        Data::F32(values) => Ok(values),
        _ => unreachable!("the type was checked"),
    }
}

/// Takes an array of `f64` of a known shape.
///
/// # Errors
/// As [`take`].
pub fn take_f64(tensors: &mut Tensors, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    match take(tensors, name, "F64", shape)? {
        Data::F64(values) => Ok(values),
        _ => unreachable!("the type was checked"),
    }
}

/// Takes a list of `count` counters.
///
/// # Errors
/// As [`take`].
pub fn take_u64(tensors: &mut Tensors, name: &str, count: usize) -> Result<Vec<u64>> {
    match take(tensors, name, "U64", &[count])? {
        Data::U64(values) => Ok(values),
        _ => unreachable!("the type was checked"),
    }
}

/// The bytes of a safetensors file: the same for the same tensors, every time.
///
/// # Panics
/// Never: shapes are checked when arrays are made.
#[must_use]
pub fn to_bytes(tensors: &Tensors) -> Vec<u8> {
    write(tensors, None)
}

/// The bytes of a safetensors file that carries a text, under the key `heirloom` of its metadata.
#[must_use]
pub fn to_bytes_with(tensors: &Tensors, text: &str) -> Vec<u8> {
    write(tensors, Some(text))
}

fn write(tensors: &Tensors, text: Option<&str>) -> Vec<u8> {
    let bytes: Vec<(&String, &Array, Vec<u8>)> = tensors.iter().map(|(name, array)| (name, array, array.data.bytes())).collect();
    let views = bytes.iter().map(|(name, array, bytes)| {
        (name.as_str(), TensorView::new(array.data.dtype(), array.shape.clone(), bytes).expect("shape and length agree"))
    });
    // The format's own type; with one key there is one order.
    let metadata = text.map(|text| [(METADATA.to_owned(), text.to_owned())].into_iter().collect());
    safetensors::serialize(views, metadata).expect("shape and length agree")
}

/// The text that a safetensors file carries ([`to_bytes_with`]).
///
/// # Errors
/// Exit 3 with what is wrong, or that there is none.
pub fn text(bytes: &[u8]) -> Result<String> {
    let damaged = |what: String| Error::artefact(format!("is not a sound safetensors file: {what}"));
    header(bytes).map_err(damaged)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(METADATA));
    text.cloned().ok_or_else(|| Error::artefact("carries no text of Heirloom's"))
}

/// Reads a safetensors file. Whether names, shapes and values are the right ones is for the caller to say ([`take`]).
///
/// # Errors
/// Exit 3 with what is wrong, 6 when the disk refuses.
pub fn read(path: &Path) -> Result<Tensors> {
    from_bytes(&disk::read(path, FILE_CAP)?).map_err(|error| error.at(path.display()))
}

/// Reads the bytes of a safetensors file.
///
/// # Errors
/// Exit 3 with what is wrong.
pub fn from_bytes(bytes: &[u8]) -> Result<Tensors> {
    let damaged = |what: String| Error::artefact(format!("is not a sound safetensors file: {what}"));
    let header = header(bytes).map_err(damaged)?;
    serde_json::from_slice::<unique_keys::UniqueKeys>(header).map_err(|error| damaged(error.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    if file.len() > TENSOR_CAP {
        return Err(damaged(format!("{} tensors; at most {TENSOR_CAP} are read", file.len())));
    }
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        tensors.insert(name.to_owned(), array(&view).map_err(|what| damaged(format!("tensor `{}`: {what}", name.escape_debug())))?);
    }
    Ok(tensors)
}

fn header(bytes: &[u8]) -> std::result::Result<&[u8], String> {
    let length = bytes.get(..8).ok_or("it is shorter than 8 bytes")?;
    let length = u64::from_le_bytes(length.try_into().map_err(|_| "it is shorter than 8 bytes")?);
    if length > HEADER_CAP {
        return Err(format!("its header claims {length} bytes; at most {HEADER_CAP} are read"));
    }
    let end = usize::try_from(length + 8).map_err(|error| error.to_string())?;
    bytes.get(8..end).ok_or_else(|| format!("its header claims {length} bytes, it ends before"))
}

fn array(view: &TensorView<'_>) -> std::result::Result<Array, String> {
    let shape = view.shape();
    if shape.len() > DIMENSION_CAP {
        return Err(format!("{} dimensions; at most {DIMENSION_CAP} are read", shape.len()));
    }
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size)).ok_or("its size overflows")?;
    let bytes = view.data();
    let data = match view.dtype() {
        Dtype::F32 => Data::F32(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F64 => Data::F64(bytes.chunks_exact(8).map(|b| f64::from_bits(u64_of(b))).collect()),
        Dtype::U64 => Data::U64(bytes.chunks_exact(8).map(u64_of).collect()),
        other => return Err(format!("type {other:?}; F32, F64 and U64 are read")),
    };
    if data.len() == count { Ok(Array { shape: shape.to_vec(), data }) } else { Err("its length is not that of its shape".into()) }
}

fn u64_of(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// JSON whose objects hold no key twice: the safetensors crate lets the last one win, which hides what a file holds.
mod unique_keys {
    use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
    use std::collections::BTreeSet;

    pub(super) struct UniqueKeys;

    impl<'de> Deserialize<'de> for UniqueKeys {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Keys;
            impl<'de> Visitor<'de> for Keys {
                type Value = UniqueKeys;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueKeys, A::Error> {
                    let mut seen = BTreeSet::new();
                    while let Some(key) = map.next_key::<String>()? {
                        map.next_value::<IgnoredAny>()?;
                        if let Some(key) = seen.replace(key) {
                            return Err(A::Error::custom(format!("the name `{}` stands twice", key.escape_debug())));
                        }
                    }
                    Ok(UniqueKeys)
                }
            }
            deserializer.deserialize_map(Keys)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tensors {
        Tensors::from([
            ("a".to_owned(), Array::f32(&[2, 3], vec![1.0, -0.0, f32::MIN_POSITIVE / 4.0, 4.0, 5.0, f32::INFINITY])),
            ("b".to_owned(), Array::f64(&[], vec![0.1])),
            ("c".to_owned(), Array::u64(vec![u64::MAX, 0])),
            ("d".to_owned(), Array::f32(&[0], vec![])),
        ])
    }

    #[test]
    fn what_is_written_reads_back_bit_for_bit_and_always_the_same() {
        let bytes = to_bytes(&sample());
        assert_eq!(from_bytes(&bytes).unwrap(), sample());
        assert_eq!(bytes, to_bytes(&sample()));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let bytes = to_bytes(&sample());
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length]).is_err(), "cut at {length}");
        }
        assert!(from_bytes(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn lies_in_the_header_are_refused() {
        let file = |header: &str, data: usize| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat();
        let one = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        assert!(from_bytes(&file(one, 8)).is_ok());
        for (header, data) in [
            (r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}"#, 8),
            (r#"{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}"#, 8),
            (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12),
            (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
            (r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, 4),
            (r#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#, 8),
            (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8),
            (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12),
            (r#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8),
            (r#"["a"]"#, 0),
        ] {
            assert!(from_bytes(&file(header, data)).is_err(), "{header}");
        }
        assert!(from_bytes(&[&u64::MAX.to_le_bytes()[..], &[0; 100]].concat()).is_err());
    }
}
