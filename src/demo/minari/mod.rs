//! Minari: data sets of the Farama Foundation, version 0.5 on disk (`data/main_data.hdf5` and `data/metadata.json`).
//!
//! `read` brings one in, `write` takes one out; `metadata` and `space` are the JSON of both, `gymnasium` says which of our environments
//! are Gymnasium's. A group `episode_K` holds `observations` `[T + 1, O]`, `actions` `[T]` or `[T, A]`, `rewards`, `terminations` and
//! `truncations` `[T]`, and `infos`.

mod gymnasium;
mod metadata;
mod read;
mod space;
mod write;

pub use read::import;
pub use write::{Export, check_name, export, memory};

/// The HDF5 file.
const MAIN: &str = "main_data.hdf5";
/// The JSON beside it.
const METADATA: &str = "metadata.json";
/// The folder of both.
const DATA: &str = "data";
