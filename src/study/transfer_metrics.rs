//! The measures of transfer of Taylor & Stone 2009 ("Transfer Learning for Reinforcement Learning Domains", section 2), figure 2 there.

use super::cell::Point;
use super::file::Measure;
use super::measure::{measure, time_to};
use super::verdict::{LEAST_SEEDS, welch};
use crate::seed::Stream;
use crate::stats::{interquartile_mean, mean, percentile_interval, probability_of_improvement};

/// Resamplings of a bootstrap.
const REPETITIONS: usize = 2000;
const LEVEL: f64 = 0.95;
/// Scratch this little above random (a share of the way to the reference) is no base for a ratio.
const LEAST_BASE: f64 = 0.01;

/// A number with its 95 % interval, where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its interval; `None` below [`LEAST_SEEDS`].
    pub interval: Option<[f64; 2]>,
}

/// What an arm did, in the terms of Taylor & Stone.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferMetrics {
    /// Return before the first step in the target, minus scratch's.
    pub jumpstart: Estimate,
    /// Steps to the threshold.
    pub time_to_threshold: TimeToThreshold,
    /// Mean return of the last tenth of the evaluations.
    pub asymptotic: f64,
    /// Area under the curve over its length: mean return over the budget.
    pub area: f64,
    /// `(area - scratch's area) / scratch's area`, of returns normalised to 0 for random and 1 for the reference; `None` where scratch's is
    /// not above random by a hundredth.
    pub transfer_ratio: Option<Estimate>,
}

/// When runs reach the threshold. Those that never do are censored: counted, and given no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeToThreshold {
    /// How many runs reach it.
    pub reached: usize,
    /// Of how many.
    pub runs: usize,
    /// The time by which half of all runs have reached it; `None` where fewer do.
    pub median: Option<u64>,
}

impl TimeToThreshold {
    /// Of some learning curves.
    #[must_use]
    pub fn of(threshold: f64, curves: &[Vec<Point>]) -> Self {
        let mut times: Vec<u64> = curves.iter().filter_map(|curve| time_to(threshold, curve)).collect();
        times.sort_unstable();
        let half = curves.len().div_ceil(2).max(1);
        Self { reached: times.len(), runs: curves.len(), median: times.get(half - 1).copied() }
    }
}

/// Between which returns a target's returns are normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchors {
    /// What random actions get: 0.
    pub random: f64,
    /// What scratch gets at a long budget: 1.
    pub reference: f64,
}

impl Anchors {
    /// The way from random to the reference.
    #[must_use]
    pub const fn range(&self) -> f64 {
        self.reference - self.random
    }

    /// A return as a share of that way; `None` where scratch does not learn more than random does.
    #[must_use]
    pub fn normalized(&self, value: f64) -> Option<f64> {
        (self.range() > 0.0).then(|| (value - self.random) / self.range())
    }

    /// The return at a share of the way; none reaches it where there is no way.
    #[must_use]
    pub fn threshold(&self, share: f64) -> f64 {
        if self.range() > 0.0 { self.random + share * self.range() } else { f64::INFINITY }
    }
}

/// The metrics of an arm beside scratch.
#[must_use]
pub fn transfer_metrics(arm: &[Vec<Point>], scratch: &[Vec<Point>], anchors: Anchors, threshold: f64) -> TransferMetrics {
    let starts = |curves: &[Vec<Point>]| curves.iter().filter_map(|curve| Some(curve.first()?.mean)).collect::<Vec<f64>>();
    let by = |kind: Measure, curves: &[Vec<Point>]| curves.iter().map(|curve| measure(kind, curve)).collect::<Vec<f64>>();
    let ends = by(Measure::Final, arm);
    let areas = by(Measure::Mean, arm);
    TransferMetrics {
        jumpstart: difference(&starts(arm), &starts(scratch)),
        time_to_threshold: TimeToThreshold::of(anchors.threshold(threshold), arm),
        asymptotic: mean(&ends),
        area: mean(&areas),
        transfer_ratio: transfer_ratio(&areas, &by(Measure::Mean, scratch), anchors),
    }
}

/// The difference of means, with Welch's interval.
#[must_use]
pub fn difference(a: &[f64], b: &[f64]) -> Estimate {
    Estimate { value: mean(a) - mean(b), interval: welch(a, b).map(|welch| welch.interval(LEVEL)) }
}

fn transfer_ratio(arm: &[f64], scratch: &[f64], anchors: Anchors) -> Option<Estimate> {
    let normalized = |values: &[f64]| values.iter().map(|value| anchors.normalized(*value)).collect::<Option<Vec<f64>>>();
    let (arm, scratch) = (normalized(arm)?, normalized(scratch)?);
    // A resampled scratch at random would turn the ratio around: then there is no interval.
    let lost = std::cell::Cell::new(false);
    let ratio = |arms: &[Vec<f64>]| {
        let base = mean(&arms[1]);
        lost.set(lost.get() || base <= LEAST_BASE);
        (mean(&arms[0]) - base) / base
    };
    (mean(&scratch) > LEAST_BASE).then(|| {
        let estimate = bootstrapped(&[&arm, &scratch], ratio, 0);
        Estimate { interval: estimate.interval.filter(|_| !lost.get()), ..estimate }
    })
}

/// The interquartile mean with its percentile interval.
#[must_use]
pub fn iqm(values: &[f64]) -> Estimate {
    bootstrapped(&[values], |arms| interquartile_mean(&arms[0]), 1)
}

/// The probability that a run of the arm beats a run of scratch, with its stratified percentile interval.
#[must_use]
pub fn improvement(arm: &[f64], scratch: &[f64]) -> Estimate {
    bootstrapped(&[arm, scratch], |arms| probability_of_improvement(&arms[0], &arms[1]), 2)
}

/// Every statistic has its own stream and the same one every time: the same values have the same interval, bit for bit.
fn bootstrapped(arms: &[&[f64]], statistic: impl Fn(&[Vec<f64>]) -> f64, stream: u64) -> Estimate {
    let value = statistic(&arms.iter().map(|arm| arm.to_vec()).collect::<Vec<_>>());
    let enough = arms.iter().all(|arm| arm.len() >= LEAST_SEEDS);
    let mut rng = Stream::Bootstrap(stream).under(0);
    let interval = enough.then(|| percentile_interval(arms, statistic, REPETITIONS, LEVEL, |n| rng.below(n)));
    Estimate { value, interval: interval.filter(|[low, high]| low.is_finite() && high.is_finite()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: [f64; 3]) -> Vec<Point> {
        let point = |(steps, mean)| Point { steps, mean, sampled: mean, entropy: 0.0, divergence: None, explained_variance: None };
        [0, 50, 100].into_iter().zip(values).map(point).collect()
    }

    #[test]
    fn metrics_by_hand() {
        let arm = [curve([10.0, 50.0, 90.0]), curve([30.0, 70.0, 90.0])];
        let scratch = [curve([0.0, 20.0, 80.0]), curve([0.0, 40.0, 100.0])];
        let found = transfer_metrics(&arm, &scratch, Anchors { random: 0.0, reference: 100.0 }, 0.9);
        assert_eq!((found.jumpstart.value, found.asymptotic), (20.0, 90.0));
        assert_eq!(found.time_to_threshold, TimeToThreshold { reached: 2, runs: 2, median: Some(100) });
        // Areas 50 and 65 against 30 and 45: 57.5 / 37.5 - 1.
        assert_eq!(found.area, 57.5);
        assert!((found.transfer_ratio.unwrap().value - 20.0 / 37.5).abs() < 1e-12);
    }

    #[test]
    fn a_censored_time_is_no_time() {
        let curves = [curve([0.0, 95.0, 0.0]), curve([0.0, 10.0, 20.0]), curve([0.0, 10.0, 20.0])];
        assert_eq!(TimeToThreshold::of(90.0, &curves), TimeToThreshold { reached: 1, runs: 3, median: None });
    }

    #[test]
    fn negative_returns_have_a_ratio_only_above_random() {
        let (arm, scratch) = ([curve([-200.0, -100.0, -100.0])], [curve([-200.0, -150.0, -120.0])]);
        let anchors = Anchors { random: -200.0, reference: -100.0 };
        // Normalised areas 0.75 and 0.525 (by hand: (0 + 0.5)/2 and (0.5 + 0.8)/2, halved).
        let scratch_area: f64 = 0.5 * (0.25 + 0.65);
        let found = transfer_metrics(&arm, &scratch, anchors, 0.9).transfer_ratio.unwrap();
        assert!((found.value - (0.75 - scratch_area) / scratch_area).abs() < 1e-12 && found.interval.is_none());
        let anchors = Anchors { random: -100.0, reference: -200.0 };
        assert!(transfer_metrics(&arm, &scratch, anchors, 0.9).transfer_ratio.is_none());
    }
}
