//! Charts: our own SVG, written from Rust. Inert, light or dark as its reader is, sharp in print, and a file of its own when wanted.
//!
//! [`Curves`] and [`Dots`] are what is drawn, a [`Figure`] is what comes out. They know names, numbers and colours, and nothing of
//! policies or studies.

pub mod axis;
pub mod curves;
pub mod dots;
pub mod figure;
pub mod label;
pub mod legend;
pub mod palette;
pub mod scale;
pub mod strip;
pub mod thin;

pub use curves::{Axis, Course, Curve, Curves, Names, Point};
pub use dots::{DotRow, Dots};
pub use figure::{Figure, Frame, Px};
pub use palette::Colour;
pub use scale::Scale;
