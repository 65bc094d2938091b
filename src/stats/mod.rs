//! Statistics: numbers in, numbers out, all f64. Knows nothing of policies or environments.

mod interval;
mod moments;

pub use interval::{Interval, mean_interval};
pub use moments::{interquartile_mean, mean, standard_deviation};
