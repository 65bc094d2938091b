//! Reports: results as pages that are one file each, need nothing from anywhere, and can do nothing to their reader. Knows no tensors.

pub mod adaptation;
pub mod chart;
pub mod drift;
pub mod number;
pub mod page;
pub mod study;
pub mod watch;
pub mod words;
