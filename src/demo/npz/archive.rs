//! The arrays of an archive, read within bounds: no pickles, no header that claims what the file does not hold, no entry that unfolds
//! without end.

use crate::demo::array::{Array, Kind, exact, product};
use crate::error::{Error, Result};
use npyz::npz::NpzArchive;
use npyz::{DType, NpyFile, NpyHeader, Order, TypeChar};
use std::fs::File;
use std::io::{self, BufReader, Read};

/// An archive may have so many numbers whatever its size, and [`UNFOLDING`] as many as it has bytes.
const FREE_NUMBERS: u64 = 1 << 20;
const UNFOLDING: u64 = 4;
/// NumPy writes headers of 128 bytes and reads them up to 10,000.
const MOST_HEADER: usize = 10_000;
/// More entries are no archive of arrays.
const MOST_ENTRIES: usize = 1024;

/// An archive that was opened.
pub(super) struct Archive {
    zip: NpzArchive<BufReader<File>>,
    names: Vec<String>,
    left: u64,
}

impl Archive {
    pub(super) fn open(file: File) -> Result<Self> {
        let size = file.metadata().map_or(0, |found| found.len());
        let mut zip = NpzArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
        let entries = zip.zip_archive().len();
        if entries > MOST_ENTRIES {
            return Err(Error::artefact(format!("has {entries} entries; at most {MOST_ENTRIES} are read")));
        }
        let mut names = Vec::with_capacity(entries);
        for index in 0..entries {
            let entry = zip.zip_archive().by_index_raw(index).map_err(|error| damaged(&error.into()))?;
            names.push(entry.name().strip_suffix(".npy").unwrap_or(entry.name()).to_owned());
        }
        Ok(Self { zip, names, left: size.saturating_mul(UNFOLDING).saturating_add(FREE_NUMBERS) })
    }

    /// The names of its arrays, in the order of the file.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The array at a place in that order.
    pub(super) fn array(&mut self, index: usize) -> Result<Array> {
        let mut entry = self.zip.zip_archive().by_index(index).map_err(|error| damaged(&error.into()))?;
        let claimed = entry.size();
        let head = head(&mut entry)?;
        let header = NpyHeader::from_reader(&head[..]).map_err(|error| damaged(&error))?;
        if header.uses_pickled_array() {
            return Err(
                Error::artefact("holds Python objects; they are pickled, and pickles are programs").hint("save it as an array of numbers")
            );
        }
        let (DType::Plain(of), Some(width)) = (header.dtype(), header.dtype().num_bytes()) else {
            return Err(Error::artefact("is an array of records, where numbers belong"));
        };
        let shape = header.shape().to_vec();
        let count = product(&shape).filter(|count| shape.len() <= 3 && *count <= self.left);
        let count = count.ok_or_else(|| {
            Error::artefact(format!("claims the shape {:?}: more than belongs into this file", &shape[..shape.len().min(8)]))
        })?;
        if claimed.checked_sub(head.len() as u64) != count.checked_mul(width as u64) {
            return Err(Error::artefact(format!("has {claimed} bytes, which do not belong to the shape {shape:?} of {of}")));
        }
        self.left -= count;
        let order = header.order();
        let (kind, values) = values(of.type_char(), width, NpyFile::with_header(header, entry.by_ref()))?;
        // Only the end of an entry is compared with its checksum.
        match entry.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => return Err(Error::artefact("has more bytes than it says")),
            Err(error) => return Err(damaged(&error)),
        }
        let shape: Vec<usize> = shape.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX)).collect();
        Ok(Array { kind, values: if order == Order::Fortran { by_row(&values, &shape) } else { values }, shape })
    }
}

fn damaged(error: &io::Error) -> Error {
    Error::artefact(format!("is not a sound NumPy archive: {}", error.to_string().escape_debug()))
}

/// Everything before the numbers. The parser behind it follows brackets as deep as they go, so it gets no deep ones.
fn head(entry: &mut impl Read) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut more = |head: &mut Vec<u8>, count: usize| {
        let before = head.len();
        head.resize(before + count, 0);
        entry.read_exact(&mut head[before..]).map_err(|error| damaged(&error))
    };
    more(&mut head, 10)?;
    if &head[..6] != b"\x93NUMPY" {
        return Err(Error::artefact("is no array of NumPy"));
    }
    let length = if head[6] == 1 {
        usize::from(u16::from_le_bytes([head[8], head[9]]))
    } else {
        more(&mut head, 2)?;
        usize::try_from(u32::from_le_bytes([head[8], head[9], head[10], head[11]])).unwrap_or(usize::MAX)
    };
    if length > MOST_HEADER {
        return Err(Error::artefact(format!("claims a header of {length} bytes; at most {MOST_HEADER} are read")));
    }
    let before = head.len();
    more(&mut head, length)?;
    if head[before..].iter().filter(|byte| b"([{".contains(byte)).count() > 8 {
        return Err(Error::artefact("has a header that no array of numbers has"));
    }
    Ok(head)
}

/// The numbers, in the order of the file.
fn values(of: TypeChar, width: usize, file: NpyFile<impl Read>) -> Result<(Kind, Vec<f64>)> {
    let numbers = |kind: Kind, values: io::Result<Vec<f64>>| Ok((kind, values.map_err(|error| damaged(&error))?));
    macro_rules! read {
        ($type:ty, $kind:expr) => {
            numbers($kind, file.into_vec::<$type>().map(|values| values.into_iter().map(f64::from).collect()))
        };
    }
    match (of, width) {
        (TypeChar::Float, 8) => numbers(Kind::Float, file.into_vec::<f64>()),
        (TypeChar::Float, 4) => read!(f32, Kind::Float),
        (TypeChar::Bool, 1) => read!(bool, Kind::Flag),
        (TypeChar::Int, 1) => read!(i8, Kind::Integer),
        (TypeChar::Int, 2) => read!(i16, Kind::Integer),
        (TypeChar::Int, 4) => read!(i32, Kind::Integer),
        (TypeChar::Uint, 1) => read!(u8, Kind::Integer),
        (TypeChar::Uint, 2) => read!(u16, Kind::Integer),
        (TypeChar::Uint, 4) => read!(u32, Kind::Integer),
        (TypeChar::Int, 8) => Ok((Kind::Integer, exact(file.into_vec::<i64>().map_err(|error| damaged(&error))?)?)),
        (TypeChar::Uint, 8) => Ok((Kind::Integer, exact(file.into_vec::<u64>().map_err(|error| damaged(&error))?)?)),
        _ => Err(Error::artefact("is of a type that is no number of 1 to 8 bytes")
            .hint("floats of 4 or 8 bytes, integers and booleans are read")),
    }
}

/// The first dimension slowest, where the file has it fastest.
fn by_row(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let rows = shape.first().copied().unwrap_or(1);
    let width = values.len().checked_div(rows).unwrap_or(0);
    (0..rows).flat_map(|row| (0..width).map(move |column| values[column * rows + row])).collect()
}
