//! Where a parameter lies in training (inside) and where in extrapolation alone (outside): intervals of shares of its law.

use crate::env::parameter::{Distribution, Quantity};
use crate::seed::Rng;
use statrs::distribution::{ContinuousCDF, Normal};
use std::fmt;

/// From a lower share to an upper one.
pub(super) type Interval = [f64; 2];

/// One drawn parameter.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) law: Distribution,
    pub(super) inside: Interval,
    /// None, one or two, none of which meets the inside.
    pub(super) outside: Vec<Interval>,
}

impl Region {
    /// Everything but the inside is outside.
    pub(super) fn around(name: String, law: Distribution, inside: Interval) -> Self {
        let outside = [[0.0, inside[0]], [inside[1], 1.0]].into_iter().filter(|[low, high]| low < high).collect();
        Self { name, law, inside, outside }
    }

    /// How much of all that can be drawn lies outside.
    pub(super) fn share_outside(&self) -> f64 {
        let outside = width(&self.outside);
        outside / (outside + width(&[self.inside]))
    }

    /// Its law without what is kept from training.
    pub(super) fn law_inside(&self) -> Distribution {
        let [low, high] = self.inside.map(|share| self.law.quantile(share));
        match &self.law {
            Distribution::Uniform(..) => Distribution::Uniform(low, high),
            Distribution::LogUniform(..) => Distribution::LogUniform(low, high),
            Distribution::TruncatedNormal(mean, sd, ..) => Distribution::TruncatedNormal(*mean, *sd, low, high),
            Distribution::Choice(values) => Distribution::Choice(values.clone()),
        }
    }

    /// The mass that a normal law has in the region of training; of other laws, which are drawn from directly, 1.
    pub(super) fn mass_inside(&self) -> f64 {
        match self.law_inside() {
            Distribution::TruncatedNormal(mean, sd, low, high) => {
                let [least, most] = [low, high].map(|end| Normal::standard().cdf((end - mean) / sd));
                most - least
            }
            _ => 1.0,
        }
    }

    /// Its name, its law, where training, validation and test lie in it, and where extrapolation does.
    pub(super) fn row(&self) -> [String; 4] {
        let [inside, outside] = match (&self.law, self.outside.as_slice()) {
            (Distribution::Choice(_), _) => ["all of it".to_owned(), "all of it".to_owned()],
            (_, []) => [self.values(&self.inside), "none".to_owned()],
            (_, outside) => [self.values(&self.inside), self.all_values(outside)],
        };
        [self.name.clone(), Quantity::Drawn(self.law.clone()).to_string(), inside, outside]
    }

    fn values(&self, interval: &Interval) -> String {
        interval.map(|share| short(self.law.quantile(share))).join(" to ")
    }

    fn all_values(&self, intervals: &[Interval]) -> String {
        intervals.iter().map(|interval| self.values(interval)).collect::<Vec<_>>().join(" and ")
    }

    pub(super) fn draw_inside(&self, rng: &mut Rng) -> f64 {
        self.draw(&[self.inside], rng)
    }

    pub(super) fn draw_outside(&self, rng: &mut Rng) -> f64 {
        self.draw(&self.outside, rng)
    }

    pub(super) fn draw_anywhere(&self, rng: &mut Rng) -> f64 {
        self.draw(&[&[self.inside], self.outside.as_slice()].concat(), rng)
    }

    /// One uniform number, laid along the intervals.
    fn draw(&self, intervals: &[Interval], rng: &mut Rng) -> f64 {
        let mut along = rng.unit() * width(intervals);
        let last = intervals.len() - 1;
        for [low, high] in &intervals[..last] {
            if along < high - low {
                return self.law.quantile(low + along);
            }
            along -= high - low;
        }
        let [low, high] = intervals[last];
        self.law.quantile((low + along).min(high))
    }
}

fn width(intervals: &[Interval]) -> f64 {
    intervals.iter().map(|[low, high]| high - low).sum()
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, Quantity::Drawn(self.law.clone()))?;
        if matches!(self.law, Distribution::Choice(_)) {
            return write!(f, "; the same in every split");
        }
        write!(f, "; train, validation and test {}", self.values(&self.inside))?;
        match self.outside.as_slice() {
            [] => write!(f, "; no extrapolation"),
            outside => write!(f, "; extrapolation {}", self.all_values(outside)),
        }
    }
}

/// Four digits behind the point, or four that matter.
fn short(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e7).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
