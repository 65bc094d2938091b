//! Bernoulli bandits: every arm pays 1 with a probability of its own (Duan et al. 2016, RL², section 3.1).
//!
//! There is nothing to see: the observation is a constant. An episode is as many pulls as `max_episode_steps` allows.

use crate::env::scene::{Part, Role, rectangle};
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;
use std::sync::LazyLock;

/// The greatest number of arms that any of them has.
const MOST_ARMS: usize = 50;

/// `arm_1` and so on: names of parameters live as long as the program.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| (1..=MOST_ARMS).map(|arm| format!("arm_{arm}")).collect());

/// `tasks/bandit_5` and its like: the actions are the arms.
pub(super) fn simulator(arms: usize) -> Simulator {
    let about = format!("Find the best of {arms} arms, each of which pays with a probability of its own");
    let build = move |_: &Values, objective: &Values| Ok(Bandit::new(NAMES[..arms].iter().map(|name| objective[name.as_str()]).collect()));
    let mut simulator = Simulator::new(&format!("tasks/bandit_{arms}"), &about, build);
    let mean = |name: &'static String| Parameter::new(name, 0.5, [0.0, 1.0], "", "with which probability this arm pays 1");
    simulator.objective = NAMES[..arms].iter().map(mean).collect();
    simulator.max_episode_steps = Some(10);
    simulator
}

struct Bandit {
    spaces: Spaces,
    means: Vec<f64>,
    /// The last arm pulled, to be drawn.
    pulled: Option<usize>,
}

impl Bandit {
    fn new(means: Vec<f64>) -> Self {
        let action = ActionSpace::Discrete(NAMES[..means.len()].to_vec());
        Self { spaces: Spaces { observation: vec![Channel::new("bias", 0.0, 1.0)], action }, means, pulled: None }
    }
}

impl Env for Bandit {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, _rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.pulled = None;
        observation.fill(1.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let arm = action.index()?;
        self.pulled = Some(arm);
        observation.fill(1.0);
        let pays = rng.unit() < self.means[arm];
        Ok(Step { reward: f64::from(u8::from(pays)), terminated: false, truncated: false })
    }

    fn snapshot(&self, _into: &mut Snapshot) {}

    fn restore(&mut self, _from: &mut Snapshot) -> Result<()> {
        self.pulled = None;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "fifty arms")]
    fn scene(&self) -> Scene {
        let arms = self.means.len() as f64;
        let mut parts = vec![Part::Line { points: vec![[0.0, 0.0], [2.0, 0.0]], role: Role::Ground }];
        for (index, mean) in self.means.iter().enumerate() {
            let (width, role) = (2.0 / arms, if self.pulled == Some(index) { Role::Force } else { Role::Body });
            let centre = [(index as f64 + 0.5) * width, mean / 2.0];
            parts.push(Part::Polygon { points: rectangle(centre, 0.7 * width, *mean), role });
        }
        Scene { view: [-0.1, -0.1, 2.1, 1.1], parts }
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Action, Registry, Spec};
    use crate::seed::Stream;

    #[test]
    fn every_arm_pays_as_often_as_it_says() {
        let registry = Registry::standard();
        let text = "(simulator: \"tasks/bandit_10\", objective: (arm_1: 0, arm_2: 1, arm_10: 0.3), max_episode_steps: 1000000)";
        let mut env = registry.build(&Spec::from_ron(&registry, "test", text).unwrap()).unwrap();
        let (mut rng, mut seen) = (Stream::Env(0).under(0), [0.0]);
        env.reset(&mut rng, &mut seen).unwrap();
        assert_eq!(seen, [1.0]);
        let mut paid = |arm: usize| -> f64 {
            (0..20_000).map(|_| env.step(Action::Discrete(arm), &mut rng, &mut seen).unwrap().reward).sum::<f64>() / 20_000.0
        };
        assert_eq!((paid(0), paid(1)), (0.0, 1.0));
        // A frequency of 20,000 pulls is known to 0.0035: 6 sd.
        for (arm, mean) in [(2, 0.5), (9, 0.3)] {
            let frequency = paid(arm);
            assert!((frequency - mean).abs() < 0.021, "arm {arm}: {frequency}");
        }
    }

    #[test]
    fn a_probability_beyond_one_is_refused() {
        let text = "(simulator: \"tasks/bandit_5\", objective: (arm_5: 1.5))";
        let error = Spec::from_ron(&Registry::standard(), "test", text).unwrap_err();
        assert_eq!(error.message(), "`arm_5` cannot be 1.5");
        assert!(Spec::from_ron(&Registry::standard(), "test", "(simulator: \"tasks/bandit_5\", objective: (arm_6: 1))").is_err());
    }
}
