//! A film: whole episodes of a policy with all that was seen, done and earned, step by step. For watching; nothing is learned from it.

use super::collect::Choice;
use super::{MakeEnv, Memories};
use crate::env::{Action, Scene, Spaces};
use crate::error::{Error, Result};
use crate::nn::{Network, Workspace};
use crate::policy::{Binding, Policy};
use crate::seed::Stream;
use crate::stop::Stop;

/// Episodes, filmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// What the environment's numbers are called.
    pub spaces: Spaces,
    /// The episodes, in their order.
    pub episodes: Vec<Episode>,
}

/// One whole episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Its number.
    pub number: u64,
    /// What was seen: one frame more than there were steps.
    pub frames: Vec<Frame>,
    /// What was done in each frame but the last, `[steps, W]`: an index, or a value for each channel.
    pub actions: Vec<Vec<f64>>,
    /// What that earned, `[steps]`.
    pub rewards: Vec<f64>,
    /// Whether the task ended.
    pub terminated: bool,
    /// Whether the time was up; an episode that is neither was broken off.
    pub truncated: bool,
}

/// A moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// What there was to see.
    pub scene: Scene,
    /// What the environment showed, `[O]`.
    pub observation: Vec<f64>,
}

/// Films episodes 0, 1, ... under `seed`: those that [`super::evaluate`] measures, state by state.
///
/// # Errors
/// When the policy does not fit the environment, or the environment fails.
pub fn film(policy: &Policy, make: &MakeEnv, episodes: usize, choice: Choice, seed: u64, stop: &Stop) -> Result<Film> {
    let spaces = make()?.spaces().clone();
    let network = Network::new(&policy.shape, &policy.params);
    let binding = Binding::new(&policy.spaces, &spaces)?;
    let mut camera = Camera { policy, network, binding, choice, seed, workspace: Workspace::new(&policy.shape) };
    let episode = |index: u64| camera.episode(make, index, stop).map_err(|error| error.at(format!("environment {index}")));
    let episodes = (0..episodes as u64).map(episode).collect::<Result<_>>()?;
    Ok(Film { spaces, episodes })
}

struct Camera<'a> {
    policy: &'a Policy,
    network: Network,
    binding: Binding,
    choice: Choice,
    seed: u64,
    workspace: Workspace,
}

impl Camera<'_> {
    fn episode(&mut self, make: &MakeEnv, index: u64, stop: &Stop) -> Result<Episode> {
        let Policy { shape, normalizer, .. } = self.policy;
        let mut env = make()?;
        let (mut rng, mut noise) = (Stream::EvaluationEnv(index).under(self.seed), Stream::EvaluationNoise(index).under(self.seed));
        let mut observation = vec![0.0; env.spaces().observation.len()];
        let (mut chosen, mut room) = (vec![0.0; shape.head.action_width(shape.outputs)], self.binding.action_room());
        env.reset(&mut rng, &mut observation)?;
        let mut memory = Memories::new(shape, 1);
        let mut episode =
            Episode { number: index, frames: Vec::new(), actions: Vec::new(), rewards: Vec::new(), terminated: false, truncated: false };
        loop {
            stop.check_unarmed()?;
            episode.frames.push(Frame { scene: env.scene(), observation: observation.clone() });
            if episode.rewards.len() >= MOST_STEPS {
                return Err(Error::usage(format!("the episode does not end within {MOST_STEPS} steps"))
                    .hint("give the environment `max_episode_steps`"));
            }
            self.binding.see(normalizer.as_ref(), &observation, self.workspace.input_row(0));
            memory.recall(&[0], &mut self.workspace);
            self.network.forward_actor(1, &mut self.workspace);
            memory.keep(&[0], &self.workspace);
            self.choice.choose(&shape.head, self.workspace.outputs(0), self.network.log_std(), &mut noise, &mut chosen);
            let action = self.binding.act(&shape.head, &chosen, &mut room);
            episode.actions.push(numbers(action));
            let outcome = env.step(action, &mut rng, &mut observation)?;
            episode.rewards.push(outcome.reward);
            if outcome.ended() {
                episode.frames.push(Frame { scene: env.scene(), observation });
                (episode.terminated, episode.truncated) = (outcome.terminated, outcome.truncated);
                return Ok(episode);
            }
        }
    }
}

/// A film of more is not watched, and does not fit a page.
const MOST_STEPS: usize = 20_000;

fn numbers(action: Action<'_>) -> Vec<f64> {
    match action {
        #[expect(clippy::cast_precision_loss, reason = "an index of a few actions")]
        Action::Discrete(index) => vec![index as f64],
        Action::Continuous(values) => values.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{ActionSpace, Registry, Spec};
    use crate::nn::{Activation, ActorCritic, Head};
    use crate::parallel::Pool;
    use crate::rollout::evaluate;
    use std::sync::Arc;

    fn fresh(simulator: &str, memory: usize) -> (Policy, MakeEnv) {
        let registry = Registry::standard();
        let mut spec = Spec::of_simulator(registry.simulator(simulator).unwrap());
        spec.max_episode_steps = Some(40);
        let make: MakeEnv = Arc::new(move || registry.build(&spec));
        let spaces = make().unwrap().spaces().clone();
        let head = match spaces.action {
            ActionSpace::Discrete(_) => Head::Categorical,
            ActionSpace::Continuous(_) => Head::DiagonalGaussian { initial_log_std: 0.0 },
        };
        let (inputs, outputs) = (spaces.observation.len(), spaces.action.size());
        let shape = ActorCritic { inputs, joined: 0, memory, outputs, actor: vec![8], critic: vec![8], activation: Activation::Tanh, head };
        (Policy { params: shape.init(3), shape, spaces, normalizer: None, return_moments: None, inner_rates: None }, make)
    }

    #[test]
    fn a_film_shows_the_episodes_that_evaluation_measures() {
        for (simulator, memory) in [("classic/cartpole", 0), ("classic/cartpole_continuous", 0), ("classic/cartpole", 6)] {
            let (policy, make) = fresh(simulator, memory);
            for choice in [Choice::Mode, Choice::Sample] {
                let film = film(&policy, &make, 6, choice, 11, &Stop::new()).unwrap();
                let measured = evaluate(&policy, &make, 6, choice, 11, &Pool::inline(), &Stop::new()).unwrap();
                for (episode, finished) in film.episodes.iter().zip(measured) {
                    assert_eq!(episode.rewards.iter().sum::<f64>().to_bits(), finished.total.to_bits());
                    assert_eq!((episode.rewards.len() as u64, episode.frames.len() as u64), (finished.length, finished.length + 1));
                    assert_eq!(episode.actions.len(), episode.rewards.len());
                    assert_eq!(episode.terminated, finished.length < 40);
                }
            }
        }
    }
}
