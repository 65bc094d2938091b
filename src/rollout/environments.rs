//! A shard's environments: each steps on its own stream and starts again in the step in which its episode ends.

use super::MakeEnv;
use crate::env::{Action, Company, Env, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::file::tensors::{Array, Tensors, take_f64, take_u64};
use crate::seed::{Rng, Stream};

/// An episode that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// The sum of its rewards.
    pub total: f64,
    /// How many steps it had.
    pub length: u64,
}

/// Episodes of an environment that may be lost before one comes to its end.
const MOST_LOST: u32 = 3;

/// Some environments of a vector, by their index in the whole.
pub struct Environments {
    envs: Vec<Box<dyn Env>>,
    /// Whether one of them would rather be told its action before the others step.
    listening: bool,
    rngs: Vec<Rng>,
    /// The seed of their streams, and whose they are.
    streams: (u64, fn(u64) -> Stream),
    spaces: Spaces,
    /// Which ones of the whole vector.
    indices: Vec<u64>,
    /// `[N, O]`: what each environment shows now.
    observation: Vec<f64>,
    /// `[O]`: what the environment that ended last showed at its end.
    ended: Vec<f64>,
    running: Vec<Finished>,
    /// How often in a row the episode of each was lost.
    lost: Vec<u32>,
    /// Episodes that ended since this was last emptied.
    pub finished: Vec<Finished>,
}

impl Environments {
    /// Builds and resets the environments of these indices; environment `k` has the stream `stream(k)` under `seed`.
    ///
    /// # Errors
    /// When one cannot be built or reset.
    pub fn start(make: &MakeEnv, indices: impl IntoIterator<Item = usize>, seed: u64, stream: fn(u64) -> Stream) -> Result<Self> {
        let indices: Vec<u64> = indices.into_iter().map(|index| index as u64).collect();
        let mut envs = indices.iter().map(|_| make()).collect::<Result<Vec<_>>>()?;
        let mut company = Company::default();
        envs.iter_mut().try_for_each(|env| env.join(&mut company))?;
        let spaces = match envs.first() {
            Some(env) => env.spaces().clone(),
            None => make()?.spaces().clone(),
        };
        let size = spaces.observation.len();
        let mut environments = Self {
            rngs: indices.iter().map(|k| stream(*k).under(seed)).collect(),
            streams: (seed, stream),
            observation: vec![0.0; envs.len() * size],
            ended: vec![0.0; size],
            running: vec![Finished { total: 0.0, length: 0 }; envs.len()],
            lost: vec![0; envs.len()],
            finished: Vec::new(),
            envs,
            listening: company.listens(),
            spaces,
            indices,
        };
        for index in 0..environments.len() {
            environments.reset(index)?;
        }
        Ok(environments)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envs.is_empty()
    }

    /// The index of each in the whole vector.
    pub fn indices(&self) -> impl Iterator<Item = u64> {
        self.indices.iter().copied()
    }

    /// The index of environment `index` in the whole vector.
    #[must_use]
    pub fn index(&self, index: usize) -> u64 {
        self.indices[index]
    }

    /// Their spaces.
    #[must_use]
    pub const fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    /// What environment `index` shows now, `[O]`.
    #[inline]
    #[must_use]
    pub fn observation(&self, index: usize) -> &[f64] {
        let size = self.spaces.observation.len();
        &self.observation[index * size..][..size]
    }

    /// What the environment that ended last showed at its end, before it started again, `[O]`.
    #[inline]
    #[must_use]
    pub fn ended_observation(&self) -> &[f64] {
        &self.ended
    }

    /// The episode that environment `index` is in, so far.
    #[must_use]
    pub fn running(&self, index: usize) -> Finished {
        self.running[index]
    }

    /// What environment `index` is called in errors.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        format!("environment {}", self.indices[index])
    }

    /// Environment `index` as it is now, and how far its stream is.
    #[must_use]
    pub fn snapshot(&self, index: usize) -> (Snapshot, u64) {
        let mut snapshot = Snapshot::default();
        self.envs[index].snapshot(&mut snapshot);
        (snapshot, self.rngs[index].position())
    }

    /// What there is to see of environment `index`.
    #[must_use]
    pub fn scene(&self, index: usize) -> crate::env::Scene {
        self.envs[index].scene()
    }

    /// Whether it is worth while to announce actions ([`Environments::announce`]) before stepping.
    #[inline]
    #[must_use]
    pub const fn listening(&self) -> bool {
        self.listening
    }

    /// Says what the next step of environment `index` will do. Environments of one process, all announced, are stepped by one message.
    pub fn announce(&mut self, index: usize, action: Action<'_>) {
        self.envs[index].announce(action, &self.rngs[index]);
    }

    /// Steps environment `index`; when that ends its episode, keeps the last observation ([`Environments::ended_observation`]) and
    /// starts the next one. `None` where the episode is lost ([`Error::loses_episode`]): nothing was done, what it showed last is kept likewise, another
    /// one has begun, and it is none of [`Environments::finished`].
    ///
    /// # Errors
    /// Exit 4 with the environment's index; also when one episode after the other is lost.
    #[inline]
    pub fn step(&mut self, index: usize, action: Action<'_>) -> Result<Option<Step>> {
        let size = self.ended.len();
        let observation = &mut self.observation[index * size..][..size];
        let step = match self.envs[index].step(action, &mut self.rngs[index], observation) {
            Ok(step) => step,
            Err(error) if error.loses_episode() => return self.lose(index, error).map(|()| None),
            Err(error) => return Err(locate(self.indices[index], error)),
        };
        let running = &mut self.running[index];
        running.total += step.reward;
        running.length += 1;
        if step.ended() {
            self.ended.copy_from_slice(observation);
            self.finished.push(*running);
            *running = Finished { total: 0.0, length: 0 };
            self.lost[index] = 0;
            self.reset(index)?;
        }
        Ok(Some(step))
    }

    /// What is lost left its observation as it was.
    #[cold]
    fn lose(&mut self, index: usize, error: Error) -> Result<()> {
        self.lost[index] += 1;
        if self.lost[index] > MOST_LOST {
            return Err(locate(self.indices[index], error));
        }
        let size = self.ended.len();
        self.ended.copy_from_slice(&self.observation[index * size..][..size]);
        self.running[index] = Finished { total: 0.0, length: 0 };
        self.reset(index)
    }

    /// Makes environment `index` the one of another index in the whole vector: it starts anew, on that one's stream.
    ///
    /// # Errors
    /// When it cannot be reset.
    pub fn become_another(&mut self, index: usize, another: u64) -> Result<()> {
        let (seed, stream) = self.streams;
        self.indices[index] = another;
        self.rngs[index] = stream(another).under(seed);
        self.running[index] = Finished { total: 0.0, length: 0 };
        self.reset(index)
    }

    fn reset(&mut self, index: usize) -> Result<()> {
        let size = self.ended.len();
        let observation = &mut self.observation[index * size..][..size];
        self.envs[index].reset(&mut self.rngs[index], observation).map_err(|error| locate(self.indices[index], error))
    }

    /// Adds everything that the future depends on to a set that goes to disk.
    #[expect(clippy::cast_precision_loss, reason = "an episode's length stays below 2^53")]
    pub fn save(&self, prefix: &str, into: &mut Tensors) {
        let mut snapshot = Snapshot::default();
        let mut ends = Vec::with_capacity(self.envs.len());
        for env in &self.envs {
            env.snapshot(&mut snapshot);
            ends.push(snapshot.numbers().len() as u64);
        }
        let numbers = snapshot.numbers().to_vec();
        into.insert(format!("{prefix}snapshots"), Array::f64(&[numbers.len()], numbers));
        into.insert(format!("{prefix}snapshot_ends"), Array::u64(ends));
        into.insert(format!("{prefix}positions"), Array::u64(self.rngs.iter().map(Rng::position).collect()));
        into.insert(format!("{prefix}observations"), Array::f64(&[self.observation.len()], self.observation.clone()));
        let running = self.running.iter().flat_map(|running| [running.total, running.length as f64]).collect();
        into.insert(format!("{prefix}running"), Array::f64(&[2 * self.len()], running));
    }

    /// Continues from what [`Environments::save`] wrote, bit for bit.
    ///
    /// # Errors
    /// Exit 3 when it belongs to other environments.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "written as a counter")]
    pub fn load(&mut self, prefix: &str, from: &mut Tensors) -> Result<()> {
        let count = self.len();
        let ends = take_u64(from, &format!("{prefix}snapshot_ends"), count)?;
        let total = usize::try_from(ends.last().copied().unwrap_or(0)).unwrap_or(usize::MAX);
        let numbers = take_f64(from, &format!("{prefix}snapshots"), &[total])?;
        let mut start = 0;
        for (env, end) in self.envs.iter_mut().zip(ends) {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let part = numbers.get(start..end).ok_or_else(|| Error::artefact("the snapshots' ends are out of order"))?;
            let mut snapshot = Snapshot::from_numbers(part.to_vec());
            env.restore(&mut snapshot)?;
            snapshot.finish()?;
            start = end;
        }
        for (rng, position) in self.rngs.iter_mut().zip(take_u64(from, &format!("{prefix}positions"), count)?) {
            rng.seek(position);
        }
        self.observation = take_f64(from, &format!("{prefix}observations"), &[self.observation.len()])?;
        let running = take_f64(from, &format!("{prefix}running"), &[2 * count])?;
        self.running = running.chunks_exact(2).map(|pair| Finished { total: pair[0], length: pair[1] as u64 }).collect();
        self.finished.clear();
        Ok(())
    }
}

fn locate(index: u64, error: Error) -> Error {
    error.at(format!("environment {index}"))
}
