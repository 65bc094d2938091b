//! Statistics: numbers in, numbers out, all f64. Knows nothing of policies or environments.

mod bootstrap;
mod holm;
mod improvement;
mod interval;
mod moments;
mod welch;

pub use bootstrap::{percentile, percentile_interval};
pub use holm::{Adjusted, holm};
pub use improvement::probability_of_improvement;
pub use interval::{Interval, mean_interval, t_quantile};
pub use moments::{interquartile_mean, mean, standard_deviation};
pub use welch::Welch;
