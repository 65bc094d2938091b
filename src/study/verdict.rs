//! The verdict on an arm against scratch, its rule in one place.
//!
//! 1. One number for each run: the study's measure. The unit is the seed, with a source of its own where the study judges an environment.
//! 2. Welch's t on the difference of means; Holm over all arms and pairs of the study at 5 %: **helped** or **hurt** where the adjusted p is at
//!    most 5 %, which is where the interval at the level of Holm's step excludes 0.
//! 3. **Equivalent** where the simultaneous interval (Bonferroni's, which holds for all comparisons together) lies within 5 % of the way from
//!    random to the reference; otherwise **undecided**.

use crate::stats::{Welch, holm, mean, t_quantile};
use serde::Serialize;

/// The chance that a study of nothing but nulls finds anything.
pub const ALPHA: f64 = 0.05;
/// A difference below this share of the way from random to the reference is as good as none.
pub const MARGIN: f64 = 0.05;
/// With fewer values in an arm there is no interval and no verdict: two values say next to nothing about spread.
pub const LEAST_SEEDS: usize = 3;
/// Normal quantile of the power that a planned number of seeds has: 80 %.
const POWER_QUANTILE: f64 = 0.841_621_233_572_914_3;
/// Nobody runs more.
const MOST_SEEDS: usize = 1000;

/// What a transfer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Better than scratch.
    Helped,
    /// Worse than scratch.
    Hurt,
    /// As good as scratch, as far as it matters.
    Equivalent,
    /// It cannot be told.
    Undecided,
}

impl Verdict {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::Hurt => "hurt",
            Self::Equivalent => "equivalent",
            Self::Undecided => "undecided",
        }
    }

    /// What an interval of the difference says.
    #[must_use]
    pub fn of([low, high]: [f64; 2], margin: f64) -> Self {
        if low > 0.0 {
            Self::Helped
        } else if high < 0.0 {
            Self::Hurt
        } else if low > -margin && high < margin {
            Self::Equivalent
        } else {
            Self::Undecided
        }
    }
}

/// An arm and scratch, before they are compared.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// A value for each run of the arm.
    pub arm: &'a [f64],
    /// A value for each run of scratch.
    pub scratch: &'a [f64],
    /// The way from random to the reference.
    pub range: f64,
}

/// An arm and scratch, compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The difference of means.
    pub welch: Welch,
    /// p after Holm's correction.
    pub p: f64,
    /// The interval of the difference that holds for all comparisons of the study together.
    pub interval: [f64; 2],
    /// The interval at the level of Holm's step: it excludes 0 exactly where `p` is at most 5 %.
    pub step: [f64; 2],
    /// What is as good as no difference.
    pub margin: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// About how many seeds would decide with 80 % power, where it is undecided and fewer than a thousand would.
    pub seeds: Option<u64>,
}

impl Comparison {
    /// The interval at Holm's step, where Holm decides and the interval that holds for all comparisons together still includes 0.
    #[must_use]
    pub fn decisive_step(&self) -> Option<[f64; 2]> {
        let decided = matches!(self.verdict, Verdict::Helped | Verdict::Hurt);
        let includes_zero = self.interval[0] <= 0.0 && self.interval[1] >= 0.0;
        (decided && includes_zero).then_some(self.step)
    }
}

/// Welch's test where both sides have enough values.
#[must_use]
pub fn welch(a: &[f64], b: &[f64]) -> Option<Welch> {
    if a.len().min(b.len()) < LEAST_SEEDS { None } else { Welch::new(a, b) }
}

/// What is as good as no difference; nothing is where scratch does not learn more than random actions get.
fn margin(range: f64) -> f64 {
    MARGIN * range.max(0.0)
}

/// Compares all arms of a study at once; `None` where an arm or scratch has fewer than [`LEAST_SEEDS`] values.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a study has few comparisons")]
pub fn judge(all: &[Sides<'_>]) -> Vec<Option<Comparison>> {
    let tests: Vec<Option<Welch>> = all.iter().map(|sides| welch(sides.arm, sides.scratch)).collect();
    let p: Vec<f64> = tests.iter().flatten().map(|welch| welch.p).collect();
    let level = 1.0 - ALPHA / p.len().max(1) as f64;
    let mut adjusted = holm(&p, ALPHA).into_iter();
    let compare = |(welch, sides): (Option<Welch>, &Sides<'_>)| {
        let (welch, adjusted) = (welch?, adjusted.next()?);
        let (interval, step, margin) = (welch.interval(level), welch.interval(adjusted.level), margin(sides.range));
        let verdict = match adjusted.p <= ALPHA {
            true if welch.difference > 0.0 => Verdict::Helped,
            true => Verdict::Hurt,
            false if interval[0] > -margin && interval[1] < margin => Verdict::Equivalent,
            false => Verdict::Undecided,
        };
        let seeds = if verdict == Verdict::Undecided { seeds_to_decide(&welch, sides, level, margin) } else { None };
        Some(Comparison { welch, p: adjusted.p, interval, step, margin, verdict, seeds })
    };
    tests.into_iter().zip(all).map(compare).collect()
}

/// The least number of seeds in each arm at which an interval of this level would exclude 0, or lie within the margin, with 80 % power, if
/// means and spreads are what they seem.
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
fn seeds_to_decide(welch: &Welch, sides: &Sides<'_>, level: f64, margin: f64) -> Option<u64> {
    if welch.error == 0.0 {
        return None;
    }
    let fewer = sides.arm.len().min(sides.scratch.len());
    let per_seed = welch.error * (fewer as f64).sqrt();
    let distance = welch.difference.abs();
    let decides = |seeds: &usize| {
        let freedom = welch.freedom * (*seeds as f64 - 1.0) / (fewer as f64 - 1.0);
        let needed = (t_quantile(level, freedom) + POWER_QUANTILE) * per_seed / (*seeds as f64).sqrt();
        needed < distance || distance + needed < margin
    };
    (fewer + 1..=MOST_SEEDS).find(decides).map(|seeds| seeds as u64)
}

/// The difference at one budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budget {
    /// Target steps.
    pub steps: u64,
    /// Mean of the arm up to there.
    pub arm: f64,
    /// Mean of scratch up to there.
    pub scratch: f64,
    /// Its interval, simultaneous over all budgets of the arm; `None` below [`LEAST_SEEDS`].
    pub interval: Option<[f64; 2]>,
    /// What the interval says; at the whole budget, the study's own verdict.
    pub verdict: Option<Verdict>,
}

impl Budget {
    /// The mean difference.
    #[must_use]
    pub const fn difference(&self) -> f64 {
        self.arm - self.scratch
    }
}

/// Compares an arm with scratch at some budgets, `(steps, values of the arm, values of scratch)`, by intervals that hold together
/// (Bonferroni).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "eight budgets")]
pub fn band(budgets: &[(u64, Vec<f64>, Vec<f64>)], range: f64) -> Vec<Budget> {
    let level = 1.0 - ALPHA / budgets.len().max(1) as f64;
    let at = |(steps, arm, scratch): &(u64, Vec<f64>, Vec<f64>)| {
        let interval = welch(arm, scratch).map(|welch| welch.interval(level));
        let verdict = interval.map(|interval| Verdict::of(interval, margin(range)));
        Budget { steps: *steps, arm: mean(arm), scratch: mean(scratch), interval, verdict }
    };
    budgets.iter().map(at).collect()
}

/// A budget at which the mean difference changes its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SignChange {
    /// Steps, between two budgets by a straight line.
    pub steps: u64,
    /// Whether the arm is behind scratch before and ahead of it after; else the other way round.
    pub upwards: bool,
    /// Whether both sides are decided, hurt on the one and helped on the other; else only one is.
    pub confirmed: bool,
}

/// Where the mean difference changes its sign. Means that wander around 0 do so all the time: a change counts only where the band says
/// helped or hurt on one of its sides.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps between two steps")]
pub fn sign_changes(band: &[Budget]) -> Vec<SignChange> {
    let nonzero: Vec<&Budget> = band.iter().filter(|budget| budget.difference() != 0.0).collect();
    let stretches: Vec<&[&Budget]> = nonzero.chunk_by(|a, b| (a.difference() > 0.0) == (b.difference() > 0.0)).collect();
    let decided = |stretch: &[&Budget], expected: Verdict| stretch.iter().any(|budget| budget.verdict == Some(expected));
    let change = |pair: &[&[&Budget]]| {
        let (before, after) = (pair[0].last()?, pair[1].first()?);
        let upwards = after.difference() > 0.0;
        let [below, above] = [Verdict::Hurt, Verdict::Helped];
        let sides = if upwards { [below, above] } else { [above, below] };
        let sides = [decided(pair[0], sides[0]), decided(pair[1], sides[1])];
        let (from, to) = (before.steps as f64, after.steps as f64);
        let share = before.difference() / (before.difference() - after.difference());
        let steps = (from + share * (to - from)).round() as u64;
        (sides[0] || sides[1]).then_some(SignChange { steps, upwards, confirmed: sides[0] && sides[1] })
    };
    stretches.windows(2).filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_verdicts() {
        let cases = [
            ([1.0, 3.0], Verdict::Helped),
            ([-3.0, -0.1], Verdict::Hurt),
            ([-0.5, 0.5], Verdict::Equivalent),
            ([-0.5, 1.5], Verdict::Undecided),
        ];
        for (interval, expected) in cases {
            assert_eq!(Verdict::of(interval, 1.0), expected);
        }
    }

    #[test]
    fn holm_decides_and_all_intervals_stand_together() {
        let (arm, scratch) = ([3.0, 4.0, 5.0, 4.5], [1.0, 2.0, 1.5, 2.5]);
        let sides = Sides { arm: &arm, scratch: &scratch, range: 10.0 };
        let alone = judge(&[sides])[0].unwrap();
        let among = judge(&[sides, Sides { arm: &scratch, ..sides }, Sides { arm: &[1.0, 2.0], ..sides }]);
        assert!(among[2].is_none() && among[0].unwrap().interval[0] < alone.interval[0]);
        assert_eq!((alone.verdict, among[1].unwrap().welch.difference), (Verdict::Helped, 0.0));
        assert!(among[1].unwrap().seeds.unwrap() > 4 && among[0].unwrap().decisive_step().is_none());
        // Equal data have equal intervals.
        let twice = judge(&[sides, sides]);
        assert_eq!(twice[0].unwrap().interval, twice[1].unwrap().interval);
    }

    #[test]
    fn where_nothing_varies_and_nothing_is_learned_nothing_is_decided() {
        let floor = [-200.0; 3];
        let judged = |range| judge(&[Sides { arm: &floor, scratch: &floor, range }])[0].unwrap();
        assert_eq!((judged(0.0).verdict, judged(0.0).seeds), (Verdict::Undecided, None));
        assert_eq!(judged(-10.0).verdict, Verdict::Undecided, "a reference below random measures nothing");
        assert_eq!(judged(10.0).verdict, Verdict::Equivalent);
    }

    #[test]
    fn a_sign_changes_where_one_side_is_decided() {
        let budget = |steps, arm, verdict| Budget { steps, arm, scratch: 0.0, interval: None, verdict: Some(verdict) };
        let (hurt, open) = (Verdict::Hurt, Verdict::Undecided);
        let band = [budget(5, 0.0, open), budget(10, -1.0, hurt), budget(20, 0.0, open), budget(30, 3.0, open), budget(40, 1.0, open)];
        assert_eq!(sign_changes(&band), [SignChange { steps: 15, upwards: true, confirmed: false }]);
        let noise = [budget(10, -1.0, open), budget(20, 2.0, open)];
        assert!(sign_changes(&noise).is_empty());
        let wandering = [budget(10, -1.0, hurt), budget(20, 1.0, open), budget(30, -1.0, open), budget(40, 1.0, open)];
        assert_eq!(sign_changes(&wandering).len(), 1, "only beside what is decided");
        let both = [budget(10, 1.0, Verdict::Helped), budget(20, -1.0, hurt)];
        assert_eq!(sign_changes(&both), [SignChange { steps: 15, upwards: false, confirmed: true }]);
    }
}
