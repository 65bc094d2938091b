//! The benchmarks of meta-learning: small problems whose parameters are what differs from task to task.
//!
//! Reward and goal cannot be seen in any observation: a task is known only by what was earned in it.

mod bandit;
mod mdp;
mod navigation;

use crate::env::Simulator;

/// All of them.
pub(super) fn all() -> Vec<Simulator> {
    let bandits = [5, 10, 50].map(bandit::simulator);
    [navigation::simulator(), mdp::simulator()].into_iter().chain(bandits).collect()
}
