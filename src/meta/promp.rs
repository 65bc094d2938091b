//! Proximal meta-policy search (Rothfuss et al. 2019): MAML whose inner loss is the ratio of probabilities, so that the second derivative knows
//! how what is sampled depends on the start, at low variance; outside, several clipped steps on the same episodes (their equation 10), which
//! is why it needs fewer of them.

use super::{Adapts, Config, Inner, Order, Outer, Recipe};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    let outer = Outer::Ppo(config.clipped);
    Recipe { adapts: Adapts::All, inner: Inner::Ratio, order: Order::Second, learns_rates: false, outer }
}
