//! An episode that somebody plays step by step, kept so that it can be played again bit for bit.

use super::episode::{Episode, Growing, Start};
use crate::env::{Action, Env, Scene, Snapshot, Step};
use crate::error::Result;
use crate::seed::{Rng, Stream};

/// A running episode.
pub struct Play {
    env: Box<dyn Env>,
    rng: Rng,
    observation: Vec<f64>,
    growing: Growing,
}

impl Play {
    /// Begins the episode of place `order` in a recording under `seed`, in an environment that nothing has happened in yet.
    ///
    /// # Errors
    /// When the environment fails.
    pub fn begin(mut env: Box<dyn Env>, seed: u64, order: u64) -> Result<Self> {
        let mut rng = Stream::DemonstrationEnv(order).under(seed);
        let mut observation = vec![0.0; env.spaces().observation.len()];
        env.reset(&mut rng, &mut observation)?;
        let mut snapshot = Snapshot::default();
        env.snapshot(&mut snapshot);
        let start = Start { seed, stream: order, position: rng.position(), snapshot: snapshot.numbers().to_vec() };
        let growing = Growing::new(Some(start), &observation);
        Ok(Self { env, rng, observation, growing })
    }

    /// One step further.
    ///
    /// # Errors
    /// When the environment fails, or the episode is over.
    pub fn act(&mut self, action: Action<'_>) -> Result<Step> {
        let step = self.env.step(action, &mut self.rng, &mut self.observation)?;
        self.growing.push(action, step.reward, &self.observation, &[]);
        Ok(step)
    }

    /// What there is to see.
    #[must_use]
    pub fn scene(&self) -> Scene {
        self.env.scene()
    }

    /// How many steps there were so far.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.growing.len()
    }

    /// The sum of rewards so far.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.growing.total()
    }

    /// The episode, which ended with this step.
    #[must_use]
    pub fn finish(self, last: Step) -> Episode {
        self.growing.finish(last.terminated, last.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Registry;

    /// From its start and its actions alone, every observation and reward comes again.
    #[test]
    fn what_was_played_plays_again() {
        let registry = Registry::standard();
        let spec = registry.resolve("cartpole_randomized").unwrap();
        let mut play = Play::begin(registry.build(&spec).unwrap(), 7, 3).unwrap();
        let last = loop {
            let step = play.act(Action::Discrete(play.steps() / 2 % 2)).unwrap();
            if step.ended() {
                break step;
            }
        };
        let (steps, total) = (play.steps(), play.total());
        let episode = play.finish(last);
        assert_eq!((episode.len(), episode.total()), (steps, total));
        let mut env = registry.build(&spec).unwrap();
        episode.check(env.spaces(), &[]).unwrap();
        let start = episode.start.as_ref().unwrap();
        assert_eq!((start.seed, start.stream), (7, 3));
        let mut rng = Stream::DemonstrationEnv(start.stream).under(start.seed);
        rng.seek(start.position);
        env.restore(&mut start.to_snapshot()).unwrap();
        let (mut seen, mut expected) = (vec![0.0; 4], vec![0.0; 4]);
        for step in 0..episode.len() {
            let action = if episode.actions[step] == 0.0 { Action::Discrete(0) } else { Action::Discrete(1) };
            assert_eq!(env.step(action, &mut rng, &mut seen).unwrap().reward, episode.rewards[step]);
            episode.observation(step + 1, &mut expected);
            assert_eq!(seen, expected);
        }
    }
}
