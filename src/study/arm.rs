//! An arm beside scratch: its curves, its values, and all that is compared before the study as a whole judges.

use super::cell::{CellResult, Point};
use super::definition::{Definition, Pair};
use super::gathered::GatheredArm;
use super::measure::{measure, up_to};
use super::results::{Against, Arm, Control, Pays, interval_of, mean_curve};
use super::transfer_metrics::{Anchors, Estimate, TimeToThreshold, TransferMetrics, improvement, iqm, transfer_metrics};
use super::verdict::{Budget, MARGIN, Verdict, band};
use crate::choose::Method;
use crate::env::ActionSpace;
use crate::stats::{Interval, mean};

/// Budgets at which arms are compared, on a log scale.
const BUDGETS: usize = 8;

/// A policy with less than this share of the greatest entropy is sure of itself.
const SURE: f64 = 0.1;

/// What an arm is judged beside.
pub(super) struct Context<'a> {
    pub(super) definition: &'a Definition,
    pub(super) pair: &'a Pair,
    pub(super) anchors: Anchors,
    pub(super) scratch: &'a [Vec<Point>],
    pub(super) control: Option<&'a Control>,
    pub(super) times: &'a [u64],
    pub(super) worst: f64,
    pub(super) sure: f64,
}

impl Context<'_> {
    pub(super) fn arm(&self, arm: GatheredArm) -> Arm {
        let kind = self.pair.measure;
        let curves = curves(&arm.cells, self.worst);
        let values: Vec<f64> = curves.iter().map(|curve| measure(kind, curve)).collect();
        let metrics = transfer_metrics(&curves, self.scratch, self.anchors, self.definition.threshold);
        let last = |curve: &Vec<Point>| curve.last().map(|point| point.sampled);
        let failed = self.definition.seed_range().zip(&arm.cells).filter(|(_, cell)| cell.failed.is_some()).map(|(seed, _)| seed);
        Arm {
            method: arm.method,
            factor: arm.factor,
            trials: arm.trials,
            mean: Estimate { value: mean(&values), interval: interval_of(&values).map(|interval| [interval.low, interval.high]) },
            iqm: iqm(&values),
            sampled: mean(&curves.iter().filter_map(last).collect::<Vec<_>>()),
            failed: failed.collect(),
            against: (arm.method != Method::Scratch).then(|| self.against(arm.method, &curves, &values, &metrics)),
            curves,
            values,
            metrics,
        }
    }

    fn against(&self, method: Method, curves: &[Vec<Point>], values: &[f64], metrics: &TransferMetrics) -> Against {
        let kind = self.pair.measure;
        let by = |curves: &[Vec<Point>], steps: u64| curves.iter().map(|curve| up_to(kind, curve, steps)).collect::<Vec<f64>>();
        let budgets: Vec<(u64, Vec<f64>, Vec<f64>)> =
            budgets(self.times).into_iter().map(|steps| (steps, by(curves, steps), by(self.scratch, steps))).collect();
        let band = band(&budgets, self.anchors.range());
        let scratch_values = by(self.scratch, u64::MAX);
        Against {
            comparison: None,
            improvement: improvement(values, &scratch_values),
            sign_changes: Vec::new(),
            idle: None,
            sure_of_the_wrong: self.sure_of_the_wrong(curves, &band),
            band,
            // What started from no source has nothing to win back; what started from another one than the others, other steps.
            pays: if method.needs_source() && !self.pair.starts_elsewhere(method) {
                self.pays(metrics.time_to_threshold.median)
            } else {
                Pays::Unasked
            },
        }
    }

    /// The first evaluation at which an arm is sure and behind, where the band says that being behind is no accident.
    fn sure_of_the_wrong(&self, curves: &[Vec<Point>], band: &[Budget]) -> Option<u64> {
        if !band.iter().any(|budget| budget.verdict == Some(Verdict::Hurt)) {
            return None;
        }
        let entropy = mean_curve(curves, |point| Some(point.entropy));
        let returns = mean_curve(curves, |point| Some(point.mean));
        let scratch = mean_curve(self.scratch, |point| Some(point.mean));
        let margin = MARGIN * self.anchors.range().max(0.0);
        let at =
            |curve: &[(u64, Interval)], steps: u64| curve.iter().rev().find(|(here, _)| *here <= steps).map(|(_, interval)| interval.mean);
        let behind = |steps: u64| Some(at(&returns, steps)? < at(&scratch, steps)? - margin);
        // The start says nothing: there scratch has not learned.
        let found = entropy.iter().find(|(steps, entropy)| *steps > 0 && entropy.mean < self.sure && behind(*steps) == Some(true));
        found.map(|(steps, _)| *steps)
    }

    fn pays(&self, own: Option<u64>) -> Pays {
        // Of a source whose budget nobody knows there is nothing to win back that could be counted.
        let source = self.pair.origin.steps().filter(|source| *source > 0 && self.anchors.range() > 0.0);
        let Some(source) = source else { return Pays::Unasked };
        let Some(own) = own else { return Pays::Unknown };
        let scratch = TimeToThreshold::of(self.anchors.threshold(self.definition.threshold), self.scratch).median;
        let longer = self.control.and_then(|control| control.time_to_threshold.median);
        let most = self.control.map_or(self.pair.steps, |control| control.steps);
        let after = |saved: u64| source.div_ceil(saved.max(1));
        match scratch.or(longer) {
            Some(scratch) if scratch > own => Pays::After(after(scratch - own)),
            Some(_) => Pays::Never,
            // Without the control nothing is known beyond the budget.
            None => Pays::AtMost(after(most.saturating_sub(own))),
        }
    }
}

/// The curves of some runs; one that failed stands at the worst return of the pair from its beginning.
pub(super) fn curves(cells: &[CellResult], worst: f64) -> Vec<Vec<Point>> {
    let longest = cells.iter().max_by_key(|cell| cell.evaluations.len()).map_or(&[][..], |cell| cell.evaluations.as_slice());
    let whole = |cell: &CellResult| match cell.failed {
        Some(_) if longest.is_empty() => vec![lost(0, worst)],
        Some(_) => longest.iter().map(|point| lost(point.steps, worst)).collect(),
        None => cell.evaluations.clone(),
    };
    cells.iter().map(whole).collect()
}

/// An evaluation of a run that failed: its return counts, the rest is not known.
const fn lost(steps: u64, worst: f64) -> Point {
    Point { steps, mean: worst, sampled: worst, entropy: f64::NAN, divergence: None, explained_variance: None }
}

/// The entropy under which a policy is sure of itself: a tenth of `ln n` for n actions; for a Gaussian, a tenth of the deviation that
/// scratch starts with.
#[expect(clippy::cast_precision_loss, reason = "a handful of actions")]
pub(super) fn sure_below(action: &ActionSpace, scratch: &[Vec<Point>]) -> f64 {
    match action {
        ActionSpace::Discrete(names) => SURE * (names.len() as f64).ln(),
        ActionSpace::Continuous(channels) => {
            let starts: Vec<f64> =
                scratch.iter().filter_map(|curve| Some(curve.first()?.entropy)).filter(|entropy| entropy.is_finite()).collect();
            mean(&starts) + channels.len() as f64 * SURE.ln()
        }
    }
}

/// Eight budgets, or as many as there are, of a learner's evaluations: evenly spread on a log scale, the last one the whole.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of evaluations")]
fn budgets(times: &[u64]) -> Vec<u64> {
    let after_start: Vec<u64> = times.iter().copied().filter(|steps| *steps > 0).collect();
    let (count, most) = (after_start.len(), after_start.len().min(BUDGETS));
    let mut indices: Vec<usize> = Vec::new();
    for budget in 0..most {
        let wanted = (count as f64).powf((budget as f64) / (most as f64 - 1.0).max(1.0)).round() as usize;
        let least = indices.last().map_or(1, |last| last + 1);
        // Room for those that follow.
        indices.push(wanted.clamp(least, count - (most - 1 - budget)));
    }
    if let Some(last) = indices.last_mut() {
        *last = count;
    }
    indices.into_iter().map(|index| after_start[index - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_spread_on_a_log_scale() {
        let times: Vec<u64> = (0..=20).map(|index| index * 100).collect();
        assert_eq!(budgets(&times), [100, 200, 300, 400, 600, 800, 1300, 2000]);
        assert_eq!(budgets(&times[..5]), [100, 200, 300, 400]);
        assert_eq!(budgets(&[0]), [0_u64; 0]);
    }
}
