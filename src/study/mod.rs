//! Studies: pairs of source and target x methods x seeds, every cell a run of its own, scratch beside every method, and the verdict.
//!
//! `file` is what a study says, `definition` what it means; `stages` are its cells, `schedule` runs them, `cell` is one of them;
//! `results` gathers what came of it by `measure` and `transfer_metrics`, and `verdict` judges.

pub mod cell;
pub mod definition;
pub mod estimate;
pub mod file;
pub mod looks;
pub mod measure;
pub mod proposal;
pub mod results;
pub mod schedule;
pub mod stages;
pub mod transfer_metrics;
pub mod verdict;

pub use cell::{Cell, CellResult};
pub use definition::{Definition, Origin, Pair};
pub use file::{Changes, File, Measure};
pub use results::{Arm, PairResults, Results};
pub use verdict::{Comparison, Verdict};
