//! What a study found: for each pair its anchors, its arms with curves, metrics and verdicts, and what is to be known before they are believed.

use super::arm::{Context, curves, sure_below};
use super::cell::{CellResult, Point};
use super::definition::{Definition, Pair};
use super::file::Measure;
use super::gathered::{Gathered, copies};
use super::measure::measure;
use super::stages::Trial;
use super::transfer_metrics::{Anchors, Estimate, TimeToThreshold, TransferMetrics, difference};
use super::verdict::{Budget, Comparison, LEAST_SEEDS, MARGIN, Sides, SignChange, judge, sign_changes};
use crate::choose::{Method, Source};
use crate::stats::{Interval, mean, mean_interval};

/// Both arms so near the ceiling (a share of the way from random) have nothing to tell.
const SATURATED: f64 = 0.01;

/// All pairs, in the study's order.
pub struct Results {
    /// The pairs.
    pub pairs: Vec<PairResults>,
}

/// What was found for a pair.
pub struct PairResults {
    /// The source of each seed; one alone where the study judges a policy.
    pub sources: Vec<Source>,
    /// Random and reference.
    pub anchors: Anchors,
    /// Final returns of the reference's runs.
    pub reference: Vec<f64>,
    /// Environment steps that the arms took: a budget is filled up to a whole update.
    pub steps: u64,
    /// Evaluations on the way: an update may pass several that were due.
    pub evaluations: u64,
    /// Runs of reference and control that diverged, and count as the worst return of all.
    pub failed: Vec<String>,
    /// Scratch, then the methods.
    pub arms: Vec<Arm>,
    /// Scratch with the source's steps too, where the source has some.
    pub control: Option<Control>,
    /// The method, scratch aside, that was best on the tuning seeds.
    pub best: Option<Method>,
    /// Scratch ends below the reference by more than the margin: its budget is too small to learn the task.
    pub weak_baseline: bool,
    /// Runs that are one run under two names.
    pub copies: Vec<String>,
}

/// A method in a pair.
#[derive(Debug, Clone)]
pub struct Arm {
    /// The method.
    pub method: Method,
    /// The factor of its learning rate.
    pub factor: f64,
    /// What was tried on the tuning seeds.
    pub trials: Vec<Trial>,
    /// The evaluations of each seed; one alone where nothing is learned.
    pub curves: Vec<Vec<Point>>,
    /// The study's measure of each seed.
    pub values: Vec<f64>,
    /// Mean of the values with its t-interval.
    pub mean: Estimate,
    /// Their interquartile mean with its bootstrap interval.
    pub iqm: Estimate,
    /// Mean return at the end, with drawn actions.
    pub sampled: f64,
    /// Seeds whose run diverged, and counts as the worst.
    pub failed: Vec<u64>,
    /// Taylor & Stone's metrics.
    pub metrics: TransferMetrics,
    /// Against scratch; `None` for scratch itself.
    pub against: Option<Against>,
}

/// An arm against scratch.
#[derive(Debug, Clone)]
pub struct Against {
    /// Test and verdict; `None` below three seeds.
    pub comparison: Option<Comparison>,
    /// Probability that a run of the arm beats one of scratch.
    pub improvement: Estimate,
    /// The difference at eight budgets.
    pub band: Vec<Budget>,
    /// Where its sign changes.
    pub sign_changes: Vec<SignChange>,
    /// Both within a hundredth of the ceiling, or both where random actions stand.
    pub idle: Option<Idle>,
    /// At so many steps it is sure of itself and worse than scratch: the usual cause of negative transfer.
    pub sure_of_the_wrong: Option<u64>,
    /// After how many targets the source's steps are won back.
    pub pays: Pays,
}

/// Why two arms tell nothing apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Nothing better can be reached.
    Saturated,
    /// Neither has learned anything.
    AtRandom,
}

/// Scratch with the source's steps too.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its steps.
    pub steps: u64,
    /// Final return of each seed.
    pub finals: Vec<f64>,
    /// When it reaches the threshold.
    pub time_to_threshold: TimeToThreshold,
}

/// After how many targets the source's steps are won back: `source steps / (scratch's time to threshold - the method's)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    /// After so many.
    After(u64),
    /// After so many at most: scratch does not reach the threshold within all steps.
    AtMost(u64),
    /// It saves no steps.
    Never,
    /// Half of the method's runs do not reach the threshold.
    Unknown,
    /// There is no source, it cost nothing, or there is no threshold.
    Unasked,
}

impl Results {
    /// Computes everything from what was run.
    #[must_use]
    pub fn new(definition: &Definition, gathered: Vec<Gathered>) -> Self {
        let mut pairs: Vec<PairResults> =
            definition.pairs.iter().zip(gathered).map(|(pair, gathered)| pair_results(definition, pair, gathered)).collect();
        // One family: all methods in all pairs.
        let mut sides = Vec::new();
        for pair in &pairs {
            let [scratch, others @ ..] = pair.arms.as_slice() else { continue };
            sides.extend(others.iter().map(|arm| Sides { arm: &arm.values, scratch: &scratch.values, range: pair.anchors.range() }));
        }
        let mut judged = judge(&sides).into_iter();
        for against in pairs.iter_mut().flat_map(|pair| &mut pair.arms).filter_map(|arm| arm.against.as_mut()) {
            against.comparison = judged.next().flatten();
            // The whole budget is what the study judges: there the band says what the study says, within the wider of both intervals, so that
            // the band still holds together.
            if let (Some(last), Some(comparison)) = (against.band.last_mut(), &against.comparison) {
                let wider = |[a, b]: [f64; 2], [c, d]: [f64; 2]| [a.min(c), b.max(d)];
                last.interval = last.interval.map(|interval| wider(interval, comparison.interval));
                last.verdict = Some(comparison.verdict);
            }
            against.sign_changes = sign_changes(&against.band);
        }
        Self { pairs }
    }
}

impl PairResults {
    /// Scratch.
    ///
    /// # Panics
    /// Never: a study always has it.
    #[must_use]
    pub fn scratch(&self) -> &Arm {
        &self.arms[0]
    }

    /// The arm of a method.
    #[must_use]
    pub fn arm(&self, method: Method) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.method == method)
    }

    /// The arms that speak for the pair: the method that was best on the tuning seeds; where nothing was tuned, every method.
    #[must_use]
    pub fn speaking(&self) -> Vec<&Arm> {
        let best = self.best.and_then(|best| self.arm(best));
        best.map_or_else(|| self.arms.iter().filter(|arm| arm.against.is_some()).collect(), |arm| vec![arm])
    }
}

impl Arm {
    /// The mean over seeds at each evaluation, with its t-interval where there are enough seeds.
    #[must_use]
    pub fn mean_curve(&self) -> Vec<(u64, Interval)> {
        mean_curve(&self.curves, |point| Some(point.mean))
    }
}

/// The mean, over the seeds that have it, of something at each evaluation; nothing where none has it. Runs that failed have only their
/// returns.
#[must_use]
pub fn mean_curve(curves: &[Vec<Point>], of: impl Fn(&Point) -> Option<f64>) -> Vec<(u64, Interval)> {
    let length = curves.iter().map(Vec::len).min().unwrap_or(0);
    let at = |index: usize| {
        let values: Vec<f64> = curves.iter().filter_map(|curve| of(&curve[index])).filter(|value| value.is_finite()).collect();
        let mean = mean(&values);
        let interval = interval_of(&values).unwrap_or(Interval { mean, low: mean, high: mean });
        (!values.is_empty()).then(|| (curves[0][index].steps, interval))
    };
    (0..length).filter_map(at).collect()
}

/// Student's t-interval, where there are seeds enough for one.
pub(super) fn interval_of(values: &[f64]) -> Option<Interval> {
    if values.len() < LEAST_SEEDS { None } else { mean_interval(values, 0.95) }
}

fn pair_results(definition: &Definition, pair: &Pair, gathered: Gathered) -> PairResults {
    let Gathered { sources, random, action, reference, arms, control, best } = gathered;
    let copies = copies(definition, &arms, &sources);
    let failed = failures(&reference, "the reference").chain(failures(&control, "scratch with all steps")).collect();
    let random = mean(&random);
    let all = || arms.iter().flat_map(|arm| &arm.cells).chain(&reference).chain(&control);
    let worst = all().flat_map(|cell| &cell.evaluations).map(|point| point.mean).fold(random, f64::min);
    let ends = |curves: &[Vec<Point>]| curves.iter().map(|curve| measure(Measure::Final, curve)).collect::<Vec<f64>>();
    let reference = ends(&curves(&reference, worst));
    let anchors = Anchors { random, reference: mean(&reference) };
    let scratch = arms.first().map_or_else(Vec::new, |arm| curves(&arm.cells, worst));
    let control = pair.control_steps(definition).filter(|_| !control.is_empty()).map(|steps| {
        let curves = curves(&control, worst);
        Control { steps, finals: ends(&curves), time_to_threshold: TimeToThreshold::of(anchors.threshold(definition.threshold), &curves) }
    });
    let whole = arms.iter().filter(|arm| arm.method.learns()).flat_map(|arm| &arm.cells).find(|cell| cell.failed.is_none());
    let times: Vec<u64> = whole.map_or_else(Vec::new, |cell| cell.evaluations.iter().map(|point| point.steps).collect());
    let sure = sure_below(&action, &scratch);
    let context = Context { definition, pair, anchors, scratch: &scratch, control: control.as_ref(), times: &times, worst, sure };
    let mut arms: Vec<Arm> = arms.into_iter().map(|arm| context.arm(arm)).collect();
    find_idle(&mut arms, anchors);
    let short = |scratch: &Arm| scratch.metrics.asymptotic < anchors.reference - MARGIN * anchors.range();
    PairResults {
        sources,
        anchors,
        reference,
        steps: times.last().copied().unwrap_or(pair.steps),
        evaluations: if times.is_empty() { definition.evaluations } else { times.len() as u64 - 1 },
        failed,
        weak_baseline: anchors.range() > 0.0 && arms.first().is_some_and(short),
        arms,
        control,
        best,
        copies,
    }
}

fn failures<'a>(cells: &'a [CellResult], of: &'a str) -> impl Iterator<Item = String> + 'a {
    cells.iter().filter_map(move |cell| Some(format!("{of}: {}", cell.failed.as_ref()?)))
}

/// Where an arm and scratch both stand at the ceiling, or both at random.
fn find_idle(arms: &mut [Arm], anchors: Anchors) {
    let Some(scratch) = arms.first().map(|arm| arm.mean.value) else { return };
    let highest = arms.iter().flat_map(Arm::mean_curve).map(|(_, interval)| interval.mean).fold(anchors.reference, f64::max);
    let near = SATURATED * (highest - anchors.random);
    for arm in arms {
        let both = |test: &dyn Fn(f64) -> bool| test(arm.mean.value) && test(scratch);
        let idle = match near > 0.0 {
            true if both(&|value| highest - value <= near) => Some(Idle::Saturated),
            true if both(&|value| (value - anchors.random).abs() <= near) => Some(Idle::AtRandom),
            _ => None,
        };
        if let Some(against) = &mut arm.against {
            against.idle = idle;
        }
    }
}

/// The reference beside the control: how far scratch gets with all steps, and the arm's difference to it.
#[must_use]
pub fn against_control(arm: &Arm, control: &Control) -> Estimate {
    let finals: Vec<f64> = arm.curves.iter().map(|curve| measure(Measure::Final, curve)).collect();
    difference(&finals, &control.finals)
}
