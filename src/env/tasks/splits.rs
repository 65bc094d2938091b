//! What a configuration may say of how tasks are divided.

use super::region::{Interval, Region};
use crate::env::parameter::{Distribution, Quantity};
use crate::error::{Error, Result, did_you_mean};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the tasks of a distribution are divided by region. Unless said by hand, training has the middle of every law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Splits {
    /// The share of every law that is kept from training, half of it at either end: of the width of a Uniform law, of the logarithm's
    /// width of a `LogUniform` one, of the mass of a `TruncatedNormal` one. 0: train on the whole law, as the MAML paper does. A Choice is the
    /// same in every split.
    pub extrapolate: f64,
    /// Regions of training by hand: parameter to (low, high). What the law has beyond is then extrapolation.
    pub inside: BTreeMap<String, (f64, f64)>,
    /// Regions of extrapolation by hand: parameter to (low, high), apart from the region of training.
    pub outside: BTreeMap<String, (f64, f64)>,
}

impl Default for Splits {
    fn default() -> Self {
        Self { extrapolate: 0.2, inside: BTreeMap::new(), outside: BTreeMap::new() }
    }
}

/// Whoever draws again until a number falls into a region, draws a million times at most.
const LEAST_MASS: f64 = 1e-6;

/// More than that leaves nothing to train on.
const MOST_EXTRAPOLATED: f64 = 0.9;

impl Splits {
    /// The regions of every drawn parameter.
    pub(super) fn regions(&self, laws: Vec<(String, Distribution)>) -> Result<Vec<Region>> {
        if !(0.0..=MOST_EXTRAPOLATED).contains(&self.extrapolate) {
            return Err(Error::usage(format!("`extrapolate` cannot be {}", self.extrapolate))
                .hint(format!("it lies between 0 and {MOST_EXTRAPOLATED}")));
        }
        for name in self.inside.keys().chain(self.outside.keys()) {
            if !laws.iter().any(|(known, _)| known == name) {
                return Err(Error::usage(format!("the splits name `{name}`, which is not drawn"))
                    .hint(did_you_mean(name, laws.iter().map(|(known, _)| known.as_str()))));
            }
        }
        laws.into_iter().map(|(name, law)| self.region(name, law)).collect()
    }

    fn region(&self, name: String, law: Distribution) -> Result<Region> {
        let by_hand = |ends: &BTreeMap<String, (f64, f64)>| ends.get(&name).map(|ends| interval(&name, &law, *ends)).transpose();
        let (inside, outside) = (by_hand(&self.inside)?, by_hand(&self.outside)?);
        let whole = matches!(law, Distribution::Choice(_));
        let kept = if whole { 0.0 } else { self.extrapolate / 2.0 };
        let region = Region::around(name, law, inside.unwrap_or([kept, 1.0 - kept]));
        if region.mass_inside() < LEAST_MASS {
            let law = Quantity::Drawn(region.law_inside());
            return Err(Error::usage(format!("`{}` almost never falls into its region of training: {law}", region.name)).hint("widen it"));
        }
        let Some(outside) = outside else { return Ok(region) };
        if outside[0] < region.inside[1] && region.inside[0] < outside[1] {
            let [train, extrapolation] =
                [region.inside, outside].map(|ends| ends.map(|share| region.law.quantile(share).to_string()).join(" to "));
            let message = format!("the splits of `{}` overlap: training has {train}, extrapolation {extrapolation}", region.name);
            return Err(Error::usage(message).hint("a task of extrapolation must lie where training never is"));
        }
        Ok(Region { outside: vec![outside], ..region })
    }
}

/// The shares between two values, which must lie in the law.
fn interval(name: &str, law: &Distribution, (low, high): (f64, f64)) -> Result<Interval> {
    let shown = Quantity::Drawn(law.clone());
    let shares = law.share_below(low).zip(law.share_below(high));
    let shares = shares.ok_or_else(|| Error::usage(format!("`{name}` is a {shown}, which has no regions")).hint("leave it out"))?;
    if !(low < high && shown.can_be(low) && shown.can_be(high)) {
        return Err(Error::usage(format!("the region of `{name}` from {low} to {high} is none of {shown}"))
            .hint("write the smaller number first, and stay within the law"));
    }
    if shares.0 < shares.1 {
        Ok([shares.0, shares.1])
    } else {
        Err(Error::usage(format!("{shown} almost never falls between {low} and {high}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Split, Tasks};
    use super::*;
    use crate::env::{Registry, Spec};

    fn tasks(splits: &str) -> Result<Tasks> {
        let text = "(simulator: \"tasks/navigation\", objective: (goal_x: Uniform(-1, 1), goal_y: LogUniform(0.1, 10), \
                    goal_radius: TruncatedNormal(1, 0.001, 0, 2), goal_tolerance: Choice([0, 0.01])))";
        let spec = Spec::from_ron(&Registry::standard(), "family", text).unwrap();
        Tasks::new(&spec, &ron::from_str(splits).unwrap(), 0)
    }

    #[test]
    fn regions_by_hand_replace_the_middle_and_the_rest() {
        let value = |tasks: &Tasks, split, index| {
            tasks.task(split, index).unwrap().values.into_iter().find(|(name, _)| name == "goal_x").unwrap().1
        };
        let by_hand = tasks("(extrapolate: 0, inside: {\"goal_x\": (-1, 0)})").unwrap();
        assert!((0..200).all(|index| value(&by_hand, Split::Train, index) <= 0.0));
        assert!((0..200).all(|index| value(&by_hand, Split::Extrapolation, index) >= 0.0));
        let both = tasks("(extrapolate: 0, inside: {\"goal_x\": (-1, 0)}, outside: {\"goal_x\": (0.5, 0.51)})").unwrap();
        assert!((0..200).all(|index| (0.5..=0.51).contains(&value(&both, Split::Extrapolation, index))));
        assert!(both.describe().contains("goal_x: Uniform(-1, 1); train, validation and test -1 to 0; extrapolation 0.5 to 0.51"));
    }

    #[test]
    fn splits_that_overlap_or_do_not_fit_are_refused() {
        for (splits, said) in [
            ("(extrapolate: 1)", "`extrapolate` cannot be 1"),
            ("(extrapolate: NaN)", "`extrapolate` cannot be NaN"),
            ("(inside: {\"goal_z\": (0, 1)})", "the splits name `goal_z`, which is not drawn"),
            ("(inside: {\"sparse_radius\": (0, 1)})", "the splits name `sparse_radius`, which is not drawn"),
            ("(inside: {\"goal_x\": (0.5, -0.5)})", "the region of `goal_x` from 0.5 to -0.5 is none of Uniform(-1, 1)"),
            ("(inside: {\"goal_x\": (0, 2)})", "the region of `goal_x` from 0 to 2 is none of Uniform(-1, 1)"),
            ("(inside: {\"goal_x\": (NaN, 1)})", "the region of `goal_x` from NaN to 1 is none of Uniform(-1, 1)"),
            ("(outside: {\"goal_tolerance\": (0, 1)})", "`goal_tolerance` is a Choice([0.0, 0.01]), which has no regions"),
            ("(inside: {\"goal_radius\": (1.5, 2)})", "TruncatedNormal(1, 0.001, 0, 2) almost never falls between 1.5 and 2"),
            (
                "(inside: {\"goal_x\": (-0.5, 0.5)}, outside: {\"goal_x\": (0.25, 1)})",
                "the splits of `goal_x` overlap: training has -0.5 to 0.5, extrapolation 0.25 to 1",
            ),
        ] {
            let error = tasks(splits).unwrap_err();
            assert_eq!((error.message(), error.kind()), (said, crate::error::Kind::Usage));
        }
        // Touching is not overlapping.
        assert!(tasks("(inside: {\"goal_x\": (-0.5, 0.5)}, outside: {\"goal_x\": (0.5, 1)})").is_ok());
    }
}
