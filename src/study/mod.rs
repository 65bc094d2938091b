//! Studies: sources x targets x methods x seeds on one budget of target steps, every cell a run of its own, scratch beside every method.

pub mod cell;
pub mod definition;
pub mod estimate;
pub mod grid;
pub mod results;
pub mod schedule;

pub use cell::{Cell, CellResult};
pub use definition::Definition;
pub use grid::Grid;
pub use results::{Results, Row};
