//! Studies: pairs of source and target x methods x seeds, every cell a run of its own, scratch beside every method, and the verdict.
//!
//! `file` is what a study says, `definition` what it means; `stages` are its cells, `schedule` runs them, `cell` is one of them;
//! `gathered` is what came of it, `arm` compares by `measure` and
//! `transfer_metrics`, `verdict` judges, `results` is all of it.

mod arm;
pub mod cell;
pub mod definition;
pub mod estimate;
pub mod file;
pub mod gathered;
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
