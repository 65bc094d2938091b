//! Seeds are streams: one seed per run, one counter-based stream per consumer.
//!
//! The key of a stream is SHA-256(seed, consumer), its `ChaCha` stream number the index; its position is all that a checkpoint
//! must keep. [`Stream`] is the list of all consumers, so that two of them cannot share a stream by a typo. There is no global
//! generator, libtorch's included.

use rand::Rng as _;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use sha2::{Digest, Sha256};

/// A random stream: `ChaCha` with 8 rounds, 2^68 bytes long, seekable.
#[derive(Debug, Clone)]
pub struct Rng(rand_chacha::ChaCha8Rng);

/// Every consumer of randomness in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Initial weights.
    Init,
    /// Initial weights of heads that replace a source's.
    InitHead,
    /// The k-th environment of a learner: start states, drawn contexts, sensor and motor noise.
    Env(u64),
    /// Action sampling in the k-th shard of a learner.
    ActionNoise(u64),
    /// The order of minibatches.
    Minibatch,
    /// Which transitions of a replay buffer are drawn.
    Replay,
    /// What an update off policy draws: actions to be valued, members of an ensemble.
    Update,
    /// The k-th environment of an evaluation.
    EvaluationEnv(u64),
    /// Action sampling in the k-th shard of a stochastic evaluation.
    EvaluationNoise(u64),
    /// The environment of the k-th episode that is recorded.
    DemonstrationEnv(u64),
    /// Action sampling in the k-th episode that is recorded.
    DemonstrationNoise(u64),
    /// Which steps of a demonstration are kept where not all are.
    Subsample,
    /// A discriminator: its initial weights and the rows that it is shown.
    Discriminator,
    /// Whether expert or learner acts, in `DAgger`.
    Mixture,
    /// The order in which demonstrated rows stand beside minibatches.
    DemonstrationOrder,
    /// What is held out of demonstrations.
    Validation,
    /// Everything about the k-th task of a meta-learner: its episodes' streams.
    MetaTask(u64),
    /// Everything about the k-th task in which a meta-learned policy is measured.
    EvaluationTask(u64),
    /// The k-th resampling of a bootstrap.
    Bootstrap(u64),
    /// The tables of a random decision process.
    World,
    /// The k-th task of training.
    TrainTask(u64),
    /// The k-th task of validation.
    ValidationTask(u64),
    /// The k-th task of the test inside the region of training.
    TestTask(u64),
    /// The k-th task of the test outside of it.
    ExtrapolationTask(u64),
}

impl Stream {
    fn name_and_index(self) -> (&'static str, u64) {
        match self {
            Self::Init => ("init", 0),
            Self::InitHead => ("init-head", 0),
            Self::Env(k) => ("env", k),
            Self::ActionNoise(k) => ("action-noise", k),
            Self::Minibatch => ("minibatch", 0),
            Self::Replay => ("replay", 0),
            Self::Update => ("update", 0),
            Self::EvaluationEnv(k) => ("evaluation-env", k),
            Self::EvaluationNoise(k) => ("evaluation-noise", k),
            Self::DemonstrationEnv(k) => ("demonstration-env", k),
            Self::DemonstrationNoise(k) => ("demonstration-noise", k),
            Self::Subsample => ("subsample", 0),
            Self::Discriminator => ("discriminator", 0),
            Self::Mixture => ("mixture", 0),
            Self::DemonstrationOrder => ("demonstration-order", 0),
            Self::Validation => ("validation", 0),
            Self::MetaTask(k) => ("meta-task", k),
            Self::EvaluationTask(k) => ("evaluation-task", k),
            Self::Bootstrap(k) => ("bootstrap", k),
            Self::World => ("world", 0),
            Self::TrainTask(k) => ("train-task", k),
            Self::ValidationTask(k) => ("validation-task", k),
            Self::TestTask(k) => ("test-task", k),
            Self::ExtrapolationTask(k) => ("extrapolation-task", k),
        }
    }

    /// The stream of this consumer under `seed`, at its beginning.
    #[must_use]
    pub fn under(self, seed: u64) -> Rng {
        let (name, index) = self.name_and_index();
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(name.as_bytes());
        let mut rng = rand_chacha::ChaCha8Rng::from_seed(hash.finalize().into());
        rng.set_stream(index);
        Rng(rng)
    }

    /// A seed for a whole sub-run (a cell of a study, an evaluation): the first word of this consumer's stream.
    #[must_use]
    pub fn seed_under(self, seed: u64) -> u64 {
        self.under(seed).next_u64()
    }
}

impl Rng {
    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        const STEP: f64 = f64::EPSILON / 2.0;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit the mantissa")]
        let bits = (self.next_u64() >> 11) as f64;
        bits * STEP
    }

    /// Uniform in `[0, 1)` with 24 random bits, from half a word: for sampling many actions.
    pub fn unit_f32(&mut self) -> f32 {
        const STEP: f32 = f32::EPSILON / 2.0;
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit the mantissa")]
        let bits = (self.0.next_u32() >> 8) as f32;
        bits * STEP
    }

    /// Uniform in `[low, high)`, as NumPy computes it.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Uniform in `0..bound` without bias (Lemire 2019).
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "a range must hold something");
        let bound = bound as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            #[expect(clippy::cast_possible_truncation, reason = "the low half is what is compared")]
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts `items` into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// How many 32-bit words were taken: with seed and consumer, all that a checkpoint needs.
    #[must_use]
    pub fn position(&self) -> u64 {
        // 2^64 words are 2,000 years of drawing; the 68-bit counter's upper part stays zero.
        u64::try_from(self.0.get_word_pos()).unwrap_or(u64::MAX)
    }

    /// Continues from a recorded position.
    pub fn seek(&mut self, position: u64) {
        self.0.set_word_pos(u128::from(position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_seeds_and_indices_are_apart() {
        let streams = [Stream::Init, Stream::InitHead, Stream::Env(0), Stream::Env(1), Stream::ActionNoise(0), Stream::Minibatch];
        let mut firsts: Vec<u64> = streams.iter().flat_map(|stream| [0, 1, u64::MAX].map(|seed| stream.seed_under(seed))).collect();
        let count = firsts.len();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), count);
    }

    #[test]
    fn a_position_continues_the_stream() {
        let mut rng = Stream::Env(3).under(7);
        for _ in 0..5 {
            rng.normal();
            rng.unit_f32();
        }
        let mut again = Stream::Env(3).under(7);
        again.seek(rng.position());
        assert_eq!(again.next_u64(), rng.next_u64());
    }

    /// Guards the reproducibility of every shipped policy against a changed generator or distribution crate.
    #[test]
    fn the_first_draws_are_these() {
        let mut rng = Stream::Init.under(0);
        let words: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        let normals: Vec<u64> = (0..16).map(|_| rng.normal().to_bits()).collect();
        insta::assert_debug_snapshot!((words, normals));
    }

    #[test]
    fn below_is_uniform() {
        let mut rng = Stream::Minibatch.under(1);
        let mut counts = [0_u32; 5];
        for _ in 0..50_000 {
            counts[rng.below(5)] += 1;
        }
        // Each count is 10,000 +- 89; 6 sd leave a false-failure rate below 1e-8.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 540), "{counts:?}");
    }
}
