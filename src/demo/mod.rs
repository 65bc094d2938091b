//! Demonstrations: recorded episodes with what is needed to read, trust, replay and learn from them.
//!
//! A set is a folder. While it is recorded, every episode goes into a journal when it ends; the journal is sealed, part by part, into
//! Apache Parquet, which pandas, polars and DuckDB read without us. `dataset` reads, `recording` writes, the rest works on episodes.

mod array;
pub mod dataset;
pub mod drift;
pub mod episode;
pub mod filmed;
pub mod filter;
pub mod header;
pub mod import;
pub mod inspect;
mod journal;
pub mod making;
pub mod merge;
pub mod minari;
pub mod npz;
pub mod numbers;
mod part;
pub mod play;
pub mod record;
pub mod recording;
pub mod replay;
pub mod stage;

pub use dataset::Demonstrations;
pub use episode::{Episode, Start};
pub use header::{Header, Recorder};
pub use recording::Recording;
