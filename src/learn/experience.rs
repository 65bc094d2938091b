//! Acting off policy: environments that are stepped together and fill a replay buffer, beside demonstrations where there are some.

use super::replay::{Batch, Replay, Size};
use super::{Prior, State};
use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Result};
use crate::file::Tensors;
use crate::nn::Head;
use crate::policy::Binding;
use crate::policy::channels::ActionRoom;
use crate::rollout::environments::Finished;
use crate::rollout::{Environments, MakeEnv};
use crate::seed::{Rng, Stream};

/// Environments, the buffer that they fill, and how a policy's channels are found in them.
pub struct Experience {
    environments: Environments,
    binding: Binding,
    /// Actions are kept in units of their bounds, or as an index: what they are before a head makes something else of them.
    head: Head,
    room: ActionRoom,
    /// The transitions.
    replay: Replay,
    prior: Option<Prior>,
    /// `[N, O]`: what each environment shows now.
    seen: Vec<f32>,
    /// `[N, W]`: what is done next.
    actions: Vec<f32>,
    /// `[O]`: what was cut off last.
    cut_off: Vec<f32>,
    steps: u64,
}

impl Experience {
    /// Builds and resets the environments for a policy of these spaces, which may have something to learn from before.
    ///
    /// # Errors
    /// When the policy does not fit, or an environment cannot be built or reset.
    pub fn start(make: &MakeEnv, spaces: &Spaces, environments: usize, capacity: usize, prior: Option<Prior>, seed: u64) -> Result<Self> {
        let environments = Environments::start(make, 0..environments, seed, Stream::Env)?;
        let binding = Binding::new(spaces, environments.spaces())?;
        let observation = binding.inputs();
        let size = Size { observation, action: spaces.action.width(), capacity, environments: environments.len() };
        let mut experience = Self {
            head: Head::of_space(&spaces.action, 0.0),
            room: binding.action_room(),
            replay: Replay::new(size, Stream::Replay.under(seed)),
            prior,
            seen: vec![0.0; environments.len() * observation],
            actions: vec![0.0; environments.len() * size.action],
            cut_off: vec![0.0; observation],
            steps: 0,
            environments,
            binding,
        };
        for index in 0..experience.len() {
            experience.show(index)?;
        }
        Ok(experience)
    }

    /// How many environments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.environments.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.environments.is_empty()
    }

    /// Steps in all environments together.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Steps, and updates that were made without any.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.steps + self.prior.as_ref().map_or(0, Prior::made)
    }

    /// What rewards are multiplied by before they are learned from.
    #[must_use]
    pub fn reward_scale(&self) -> f32 {
        self.prior.as_ref().map_or(1.0, Prior::reward_scale)
    }

    /// Steps of each environment.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.steps / self.len() as u64
    }

    /// Whether a round of updates is due: after a warm-up of so many steps in all, every so many steps of each environment.
    #[must_use]
    pub fn is_due(&self, warm_up: u64, train_every: usize) -> bool {
        self.steps >= warm_up.max(1) && self.rounds().is_multiple_of(train_every as u64)
    }

    /// Whether the next turn is an update from demonstrations alone, and no step; then it is counted.
    pub fn takes_turn_alone(&mut self) -> bool {
        let alone = self.prior.as_mut().filter(|prior| prior.is_alone());
        alone.map(Prior::count).is_some()
    }

    /// Draws the rows of a batch.
    ///
    /// # Panics
    /// When there is nothing yet.
    pub fn draw(&mut self, discount: f64, steps: usize, batch: &mut Batch) {
        match &mut self.prior {
            Some(prior) => prior.draw(&mut self.replay, self.steps, discount, steps, batch),
            None => self.replay.draw(0..batch.rows(), discount, steps, batch),
        }
    }

    /// What environment `index` shows now, as a network sees it, `[O]`.
    #[must_use]
    pub fn seen(&self, index: usize) -> &[f32] {
        &self.seen[index * self.cut_off.len()..][..self.cut_off.len()]
    }

    /// What environment `index` is to do next, `[W]`: in units of the bounds, or an index.
    pub fn action_mut(&mut self, index: usize) -> &mut [f32] {
        let width = self.actions.len() / self.environments.len();
        &mut self.actions[index * width..][..width]
    }

    /// Does it in all environments and keeps the transitions.
    ///
    /// # Errors
    /// Exit 4 when an environment fails, 5 when an action is not finite, or something is not a number of 32 bits.
    pub fn step(&mut self) -> Result<()> {
        let actions = std::mem::take(&mut self.actions);
        let done = self.act_all(&actions);
        self.actions = actions;
        done
    }

    fn act_all(&mut self, actions: &[f32]) -> Result<()> {
        let width = actions.len() / self.environments.len();
        for (index, action) in actions.chunks_exact(width).enumerate() {
            if let Some(number) = action.iter().find(|number| !number.is_finite()) {
                return Err(Error::diverged(format!("the policy's action is {number}")).at(self.environments.name(index)));
            }
            if self.environments.listening() {
                self.environments.announce(index, self.binding.act(&self.head, action, &mut self.room));
            }
        }
        actions.chunks_exact(width).enumerate().try_for_each(|(index, action)| self.act(index, action))
    }

    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn act(&mut self, index: usize, action: &[f32]) -> Result<()> {
        let Some(step) = self.environments.step(index, self.binding.act(&self.head, action, &mut self.room))? else {
            self.replay.loses(index);
            return self.show(index);
        };
        let reward = step.reward as f32 * self.reward_scale();
        if !reward.is_finite() {
            let message = format!("the reward {} does not fit into 32 bits", step.reward);
            return Err(Error::diverged(message).at(self.environments.name(index)));
        }
        if step.terminated {
            self.replay.terminates(index, action, reward);
        } else if step.truncated {
            let normalizer = self.prior.as_ref().and_then(Prior::normalizer);
            self.binding.see(normalizer, self.environments.ended_observation(), &mut self.cut_off);
            check_finite(&self.cut_off).map_err(|error| error.at(self.environments.name(index)))?;
            self.replay.is_cut_off(index, action, reward, &self.cut_off);
        } else {
            self.replay.goes_on(index, action, reward);
        }
        self.steps += 1;
        self.show(index)
    }

    /// Looks at environment `index` and keeps what it shows.
    fn show(&mut self, index: usize) -> Result<()> {
        self.see(index)?;
        let size = self.cut_off.len();
        self.replay.shows(index, &self.seen[index * size..][..size]);
        Ok(())
    }

    fn see(&mut self, index: usize) -> Result<()> {
        let size = self.cut_off.len();
        let seen = &mut self.seen[index * size..][..size];
        let normalizer = self.prior.as_ref().and_then(Prior::normalizer);
        self.binding.see(normalizer, self.environments.observation(index), seen);
        check_finite(seen).map_err(|error| error.at(self.environments.name(index)))
    }

    /// Episodes that ended since this was last asked.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.environments.finished)
    }

    /// Adds everything that the future depends on to a state.
    pub fn save(&self, state: &mut State) {
        self.environments.save("environments.", &mut state.tensors);
        self.replay.save(state);
        if let Some(prior) = &self.prior {
            prior.save(state);
        }
        state.put_counters("environments.steps", &[self.steps]);
    }

    /// Continues from what [`Experience::save`] added, bit for bit.
    ///
    /// # Errors
    /// Exit 3 when it belongs to other environments or another buffer.
    pub fn load(&mut self, state: &State, left: &mut Tensors) -> Result<()> {
        self.environments.load("environments.", left)?;
        self.replay.load(state, left)?;
        if let Some(prior) = &mut self.prior {
            prior.load(left)?;
        }
        [self.steps] = State::take_counters(left, "environments.steps")?;
        // Every step is a transition, and what is never forgotten is the last one.
        if self.steps > u64::MAX / 4 || self.steps > 0 && !self.replay.has_transition() {
            let message = format!("{} steps, but the replay buffer holds none", self.steps);
            return Err(Error::artefact(message).at("environments.steps"));
        }
        (0..self.len()).try_for_each(|index| self.see(index))
    }
}

fn check_finite(seen: &[f32]) -> Result<()> {
    match seen.iter().position(|number| !number.is_finite()) {
        Some(channel) => Err(Error::diverged(format!("channel {channel} of the observation does not fit into 32 bits"))),
        None => Ok(()),
    }
}

/// An action drawn uniformly: in units of the bounds, or an index.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "actions are f32, an index is small")]
pub fn random_action(space: &ActionSpace, rng: &mut Rng, action: &mut [f32]) {
    match space {
        ActionSpace::Discrete(names) => action[0] = rng.below(names.len()) as f32,
        ActionSpace::Continuous(_) => action.iter_mut().for_each(|action| *action = rng.uniform(-1.0, 1.0) as f32),
    }
}
