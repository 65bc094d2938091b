//! The task as channels: what a policy could know if somebody told it.

use crate::env::parameter::{Distribution, Quantity};
use crate::env::{Action, Channel, Company, Env, Scene, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::Rng;
use std::collections::BTreeMap;

struct ShowParameters {
    inner: Box<dyn Env>,
    spaces: Spaces,
    /// Channels of the inner observation.
    seen: usize,
    /// Each parameter, and over which law its channel goes from -1 to 1.
    laws: Vec<(String, Distribution)>,
    /// What the channels show in this episode.
    shown: Vec<f64>,
}

/// Fails where a law has no beginning and no end.
pub(super) fn check(name: &str, law: &Distribution) -> Result<()> {
    let [low, high] = ends(law);
    let fine = low.is_finite() && high.is_finite() && low <= high && (low > 0.0 || !matches!(law, Distribution::LogUniform(..)));
    if fine {
        return Ok(());
    }
    let shown = Quantity::Drawn(law.clone());
    Err(Error::usage(format!("`{name}` cannot be shown over {shown}")).hint("write a law of finite numbers, the smaller one first"))
}

fn ends(law: &Distribution) -> [f64; 2] {
    let law = Quantity::Drawn(law.clone());
    [law.least(), law.greatest()]
}

/// Where a value lies between the ends of a law: from -1 to 1, and beyond; 0 where the law has one value alone.
fn place(law: &Distribution, value: f64) -> f64 {
    let [low, high] = ends(law);
    let between = |low: f64, value: f64, high: f64| if low < high { 2.0 * (value - low) / (high - low) - 1.0 } else { 0.0 };
    match law {
        Distribution::LogUniform(..) => between(low.ln(), value.ln(), high.ln()),
        _ => between(low, value, high),
    }
}

/// # Errors
/// When the environment has no such parameter.
pub(super) fn around(inner: Box<dyn Env>, laws: &BTreeMap<String, Distribution>) -> Result<Box<dyn Env>> {
    if let Some(name) = laws.keys().find(|name| inner.parameter(name).is_none()) {
        return Err(Error::usage(format!("there is no parameter `{name}` to show")).hint("`heirloom envs show NAME` lists them"));
    }
    let Spaces { observation: mut channels, action } = inner.spaces().clone();
    let seen = channels.len();
    // Beyond its ends a parameter is shown too.
    channels.extend(laws.keys().map(Channel::unbounded));
    let laws: Vec<(String, Distribution)> = laws.iter().map(|(name, law)| (name.clone(), law.clone())).collect();
    let shown = vec![0.0; laws.len()];
    Ok(Box::new(ShowParameters { inner, spaces: Spaces { observation: channels, action }, seen, laws, shown }))
}

impl ShowParameters {
    /// Reads the parameters of the episode that has begun.
    fn read(&mut self) {
        for (shown, (name, law)) in self.shown.iter_mut().zip(&self.laws) {
            *shown = place(law, self.inner.parameter(name).unwrap_or(f64::NAN));
        }
    }
}

impl Env for ShowParameters {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        self.inner.join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        self.inner.announce(action, rng);
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        let (seen, shown) = observation.split_at_mut(self.seen);
        self.inner.reset(rng, seen)?;
        self.read();
        shown.copy_from_slice(&self.shown);
        Ok(())
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        let (seen, shown) = observation.split_at_mut(self.seen);
        self.inner.restart(rng, seen)?;
        shown.copy_from_slice(&self.shown);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let (seen, shown) = observation.split_at_mut(self.seen);
        shown.copy_from_slice(&self.shown);
        self.inner.step(action, rng, seen)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.inner.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.inner.restore(from)?;
        self.read();
        Ok(())
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.inner.parameter(name)
    }
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::env::parameter::Distribution;
    use crate::env::{Action, Env, Registry, Snapshot, Spec};
    use crate::error::Result;
    use crate::seed::Stream;

    fn build(text: &str) -> Result<Box<dyn Env>> {
        let registry = Registry::standard();
        registry.build(&Spec::from_ron(&registry, "test", text)?)
    }

    #[test]
    fn what_was_drawn_is_shown_in_every_step_and_after_a_restore() {
        let family = "(simulator: \"tasks/navigation\", objective: (goal_x: Uniform(1, 3)), wrappers: [ShowParameters({\"goal_x\": Uniform(1, 3)})])";
        let mut env = build(family).unwrap();
        let (mut rng, mut seen) = (Stream::Env(0).under(4), [0.0; 3]);
        let mut last = f64::NAN;
        for _ in 0..5 {
            env.reset(&mut rng, &mut seen).unwrap();
            let goal = env.parameter("goal_x").unwrap();
            assert_eq!(seen[2], goal - 2.0);
            assert!(seen[2].abs() <= 1.0 && seen[2] != last);
            last = seen[2];
            env.step(Action::Continuous(&[0.1, 0.0]), &mut rng, &mut seen).unwrap();
            assert_eq!(seen[2], last);
        }
        let mut snapshot = Snapshot::default();
        env.snapshot(&mut snapshot);
        let mut other = build(family).unwrap();
        let mut from = Snapshot::from_numbers(snapshot.numbers().to_vec());
        other.restore(&mut from).unwrap();
        other.step(Action::Continuous(&[0.0, 0.0]), &mut rng, &mut seen).unwrap();
        assert_eq!(seen[2], last);
    }

    #[test]
    fn a_fixed_parameter_is_shown_too_and_one_that_is_not_there_is_refused() {
        let fixed = |ends: &str| build(&format!("(simulator: \"classic/cartpole\", wrappers: [ShowParameters({{{ends}}})])"));
        let mut env = fixed("\"gravity\": Uniform(0, 19.6)").unwrap();
        let mut seen = [f64::NAN; 5];
        env.reset(&mut Stream::Env(0).under(0), &mut seen).unwrap();
        assert!(seen[4].abs() < 1e-12, "{seen:?}");
        let refused = |ends: &str| fixed(ends).err().unwrap().message().to_owned();
        assert_eq!(refused("\"gravty\": Uniform(0, 1)"), "there is no parameter `gravty` to show");
        assert_eq!(refused("\"gravity\": Uniform(2, 1)"), "`gravity` cannot be shown over Uniform(2, 1)");
        assert_eq!(refused("\"gravity\": LogUniform(0, 1)"), "`gravity` cannot be shown over LogUniform(0, 1)");
        assert_eq!(refused("\"gravity\": Uniform(0, inf)"), "`gravity` cannot be shown over Uniform(0, inf)");
        assert_eq!(refused("\"gravity\": Choice([])"), "`gravity` cannot be shown over Choice([])");
    }

    #[test]
    fn a_logarithmic_law_is_shown_by_its_logarithm() {
        let law = Distribution::LogUniform(0.01, 100.0);
        let places = [0.01, 1.0, 100.0].map(|value| place(&law, value));
        assert!(places.iter().zip([-1.0, 0.0, 1.0]).all(|(place, expected)| (place - expected).abs() < 1e-12), "{places:?}");
        assert_eq!(place(&Distribution::Choice(vec![3.0]), 3.0), 0.0);
    }
}
