//! What a study found: for each source, target and method, curves and final returns over seeds, scratch beside every method.

use super::cell::Point;
use super::{CellResult, Definition, Grid};
use crate::choose::Method;
use crate::stats::{Interval, interquartile_mean, mean, mean_interval};

/// One method, from one source, in one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The source's name.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The method.
    pub method: Method,
    /// Final return of each seed.
    pub finals: Vec<f64>,
    /// Their mean with its 95 % t-interval; no interval below two seeds.
    pub interval: Option<Interval>,
    /// Their interquartile mean.
    pub iqm: f64,
    /// The evaluations of each seed.
    pub curves: Vec<Vec<Point>>,
}

/// All rows, source by source, target by target, scratch first.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Results {
    /// Puts cells' results into rows.
    #[must_use]
    pub fn new(definition: &Definition, grid: &Grid, cells: &[CellResult]) -> Self {
        let mut rows = Vec::new();
        for (s, source) in definition.sources.iter().enumerate() {
            for (t, target) in definition.targets.iter().enumerate() {
                for &method in &definition.methods {
                    let cells = definition.seed_range().map(|seed| &cells[grid.index(s, t, method, seed)]);
                    let curves: Vec<Vec<Point>> = cells.map(|cell| cell.evaluations.clone()).collect();
                    let finals: Vec<f64> = curves.iter().filter_map(|curve| curve.last()).map(|point| point.mean).collect();
                    rows.push(Row {
                        source: source.name(),
                        target: target.environment.name.clone(),
                        method,
                        interval: mean_interval(&finals, 0.95),
                        iqm: interquartile_mean(&finals),
                        finals,
                        curves,
                    });
                }
            }
        }
        Self { rows }
    }
}

impl Row {
    /// The mean return over seeds at each evaluation, with its t-interval where there are at least two seeds. A method that learns
    /// nothing has one point.
    #[must_use]
    pub fn mean_curve(&self) -> Vec<(u64, Interval)> {
        let length = self.curves.iter().map(Vec::len).min().unwrap_or(0);
        let at = |index: usize| {
            let values: Vec<f64> = self.curves.iter().map(|curve| curve[index].mean).collect();
            let mean = mean(&values);
            let interval = mean_interval(&values, 0.95).unwrap_or(Interval { mean, low: mean, high: mean });
            (self.curves[0][index].steps, interval)
        };
        (0..length).map(at).collect()
    }
}
