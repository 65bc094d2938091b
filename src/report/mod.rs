//! Reports: results as pages that are one file each, and need nothing from anywhere. Knows no tensors.

pub mod study;
