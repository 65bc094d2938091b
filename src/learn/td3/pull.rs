//! What holds the actor near what was done (Fujimoto & Gu 2021, "A Minimalist Approach to Offline Reinforcement Learning"): cloning beside the
//! climb, `min E[(π(s) - a)² - λ Q(s, π(s))]` with `λ = α / E|Q|` (eq. 3 to 5).

use super::gradient::Weights;

/// How strongly, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pull {
    /// What values weigh beside cloning, whatever their size, alpha.
    pub alpha: f64,
    /// Environment steps after which cloning weighs half as much: once the learner acts itself, what was demonstrated is no longer all
    /// there is (Beeson & Montana 2022, "Improving TD3-BC", section 4.2, let it fade exponentially as well).
    pub half_life: f64,
}

impl Pull {
    /// The weights of both after so many environment steps, where the values of a batch are of this size on average.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "learning is f32, steps stay below 2^53")]
    pub fn weights(&self, size: f64, steps: u64) -> Weights<f32> {
        let value = self.alpha / size.max(f64::from(f32::MIN_POSITIVE));
        Weights { value: value as f32, clone: (-(steps as f64) / self.half_life).exp2() as f32 }
    }
}
