//! One environment of a vector, as the contract has it.

use super::host::Host;
use super::lock;
use super::task::Task;
use super::vector::{Episode, Vector};
use crate::env::parameter::{Quantities, Quantity};
use crate::env::scene::{Part, Role, rectangle};
use crate::env::{Action, ActionSpace, Env, LostEpisodes, Scene, Snapshot, Spaces, Step, Values};
use crate::error::{Error, Result};
use crate::seed::Rng;
use std::sync::{Arc, Mutex};

/// Where environments meet that one thread steps side by side: those that can, share a process.
#[derive(Default)]
pub struct Company(Option<Arc<Mutex<Vector>>>);

impl Company {
    /// Whether anybody in it would rather be told its action before the others step.
    #[must_use]
    pub const fn listens(&self) -> bool {
        self.0.is_some()
    }
}

pub(in crate::env) struct Member {
    host: Arc<Host>,
    lost: LostEpisodes,
    task: Arc<Task>,
    own_limit: bool,
    spaces: Spaces,
    context: Quantities,
    /// What was drawn for this episode.
    values: Values,
    /// Room for an action.
    action: Vec<f64>,
    /// The process and the seat in it, from the first reset on.
    seat: Option<(Arc<Mutex<Vector>>, usize)>,
}

/// A seed of an episode is smaller: many libraries keep theirs in 32 bits, some with a sign.
const SEEDS: u64 = 1 << 31;

impl Member {
    /// An environment that is made at its first reset. Its spaces are asked for now, once for all of its kind. With a limit of our own,
    /// Gymnasium's is left away. Episodes that are lost are counted in `lost`.
    pub(in crate::env) fn new(host: &Arc<Host>, lost: &LostEpisodes, task: &Task, context: &Quantities, own_limit: bool) -> Result<Self> {
        let values = context.each(Quantity::least);
        let spaces = host.spaces(task, own_limit, &values)?;
        let action = vec![0.0; spaces.action.width()];
        let (host, task) = (Arc::clone(host), Arc::new(task.clone()));
        Ok(Self { host, lost: lost.clone(), task, own_limit, spaces, context: context.clone(), values, action, seat: None })
    }

    fn sit(&mut self) -> Result<(Arc<Mutex<Vector>>, usize)> {
        if self.seat.is_none() {
            let vector = Arc::new(Mutex::new(self.vector()?));
            let seat = lock(&vector).sit(self.values.clone());
            self.seat = Some((vector, seat));
        }
        let (vector, seat) = self.seat.as_ref().expect("just made");
        Ok((Arc::clone(vector), *seat))
    }

    fn vector(&self) -> Result<Vector> {
        Vector::new(&self.host, self.lost.clone(), &self.task, self.own_limit, [self.action.len(), self.spaces.observation.len()])
    }

    fn begin(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        let seed = rng.next_u64() % SEEDS;
        let (vector, seat) = self.sit()?;
        lock(&vector).reset(seat, seed, &self.values, observation)
    }

    /// The seed that the next episode will be given, if nobody else draws before it: then it can begin with the end of this one.
    fn next_seed(&self, rng: &Rng) -> Option<u64> {
        self.context.are_fixed().then(|| rng.clone().next_u64() % SEEDS)
    }

    fn write(&mut self, action: Action<'_>) {
        match action {
            #[expect(clippy::cast_precision_loss, reason = "an action's number is small")]
            Action::Discrete(index) => self.action[0] = index as f64,
            Action::Continuous(values) => self.action.copy_from_slice(values),
        }
    }

    /// Whether it is an action of this environment, as the memory has it.
    fn is_action(&self, numbers: &[f64]) -> bool {
        match &self.spaces.action {
            #[expect(clippy::cast_precision_loss, reason = "an action's number is small")]
            ActionSpace::Discrete(names) => (0..names.len()).any(|index| index as f64 == numbers[0]),
            ActionSpace::Continuous(_) => true,
        }
    }
}

impl Env for Member {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        let takes = company.0.as_ref().is_some_and(|vector| lock(vector).takes(&self.task, self.own_limit));
        if !takes {
            company.0 = Some(Arc::new(Mutex::new(self.vector()?)));
        }
        let vector = company.0.as_ref().expect("just made");
        let seat = lock(vector).sit(self.values.clone());
        self.seat = Some((Arc::clone(vector), seat));
        Ok(())
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        self.write(action);
        let seed = self.next_seed(rng);
        if let Some((vector, seat)) = &self.seat {
            lock(vector).announce(*seat, &self.action, seed);
        }
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        if !self.context.are_fixed() {
            self.values = self.context.draw(rng);
        }
        self.begin(rng, observation)
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.begin(rng, observation)
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.write(action);
        let seed = self.next_seed(rng);
        let Some((vector, seat)) = &self.seat else { return Err(Error::environment("step without a running episode")) };
        lock(vector).step(*seat, &self.action, seed, observation)
    }

    /// How the episode came where it is: there is no other way to keep what Python holds.
    fn snapshot(&self, into: &mut Snapshot) {
        let kept = self.seat.as_ref().map(|(vector, seat)| {
            let vector = lock(vector);
            let (episode, shown) = vector.state(*seat);
            (episode.cloned(), shown.to_vec())
        });
        let (episode, shown) = kept.unwrap_or_else(|| (None, vec![0.0; self.spaces.observation.len()]));
        into.put_flag(episode.is_some());
        let Episode { seed, actions } = episode.unwrap_or(Episode { seed: 0, actions: None });
        into.put_count(usize::try_from(seed).unwrap_or(0));
        into.put_all(&self.values.0.values().copied().collect::<Vec<_>>());
        into.put_flag(actions.is_some());
        let actions = actions.unwrap_or_default();
        into.put_count(actions.len() / self.action.len());
        into.put_all(&actions);
        into.put_all(&shown);
    }

    /// Does again what led there. Where that does not show the same, or it was too long to be kept, the episode is lost, as its next step says.
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        let open = from.take_flag()?;
        let seed = from.take_count()? as u64;
        if seed >= SEEDS {
            return Err(Error::artefact(format!("the snapshot's seed {seed} is not one of an episode")));
        }
        for (value, (name, quantity)) in self.values.0.values_mut().zip(&self.context.0) {
            *value = from.take()?;
            if !quantity.can_be(*value) {
                return Err(Error::artefact(format!("the snapshot's `{name}` is {value}, this environment's is {quantity}")));
            }
        }
        let kept = from.take_flag()?;
        let steps = from.take_count()?;
        let mut actions = Vec::new();
        for _ in 0..steps {
            from.take_all(&mut self.action)?;
            if !self.is_action(&self.action) {
                return Err(Error::artefact("the snapshot holds an action that this environment does not have"));
            }
            actions.extend_from_slice(&self.action);
        }
        let mut shown = vec![0.0; self.spaces.observation.len()];
        from.take_all(&mut shown)?;
        if open {
            let (vector, seat) = self.sit()?;
            let episode = Episode { seed, actions: kept.then_some(actions) };
            lock(&vector).take_up(seat, episode, &self.values, &shown)?;
        }
        Ok(())
    }

    /// The channels as bars: what there is to draw of an environment that is known by its numbers alone.
    #[expect(clippy::cast_precision_loss, reason = "some dozen channels")]
    fn scene(&self) -> Scene {
        const MOST_BARS: usize = 64;
        let shown = self.seat.as_ref().map(|(vector, seat)| lock(vector).state(*seat).1.to_vec()).unwrap_or_default();
        let bars = shown.len().clamp(1, MOST_BARS) as f64;
        let mut parts = vec![Part::Line { points: vec![[0.0, 0.0], [2.0, 0.0]], role: Role::Ground }];
        for (index, value) in shown.iter().take(MOST_BARS).enumerate().filter(|(_, value)| value.is_finite()) {
            // Of any size, between -1 and 1, and the sign kept.
            let height = value / (1.0 + value.abs());
            let centre = [(index as f64 + 0.5) * 2.0 / bars, height / 2.0];
            let role = if index % 2 == 0 { Role::Body } else { Role::Limb };
            parts.push(Part::Polygon { points: rectangle(centre, 1.4 / bars, height.abs()), role });
        }
        Scene { view: [-0.1, -1.1, 2.1, 1.1], parts }
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.values.0.get(name).copied()
    }
}
