//! Random tabular decision processes: ten states and five actions whose rewards and transitions nobody knows (Duan et al. 2016, RL²,
//! section 3.2; Osband, Russo & Van Roy 2013).
//!
//! One number names a whole process, its `world`: the tables are drawn from a stream of its own.

use crate::env::scene::{Part, Role};
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::{Rng, Stream};
use std::f64::consts::PI;

const STATES: usize = 10;
const ACTIONS: usize = 5;

const OBJECTIVE: [Parameter; 1] =
    [Parameter::new("world", 0.0, [0.0, 1e15], "", "names the tables of rewards and transitions: every number is another process")];

/// `tasks/mdp`: the state is seen as ten numbers of which one is 1.
pub(super) fn simulator() -> Simulator {
    let about = "Earn rewards in ten states whose five actions each lead somewhere by chance";
    let mut simulator = Simulator::new("tasks/mdp", about, |_, objective| Ok(Tabular::new(objective["world"])));
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(10);
    simulator
}

/// The tables of one process, `[STATES][ACTIONS]`.
struct World {
    /// Mean rewards, each drawn from N(1, 1).
    rewards: [[f64; ACTIONS]; STATES],
    /// Probabilities of the next state, each row drawn from the flat Dirichlet law; summed up from the first state on.
    reached: [[[f64; STATES]; ACTIONS]; STATES],
}

impl World {
    fn new(world: f64) -> Self {
        let mut rng = Stream::World.under(world.to_bits());
        let rewards = std::array::from_fn(|_| std::array::from_fn(|_| 1.0 + rng.normal()));
        let reached = std::array::from_fn(|_| std::array::from_fn(|_| cumulated(flat_dirichlet(&mut rng))));
        Self { rewards, reached }
    }
}

/// Uniform among all probabilities of ten states: exponential draws over their sum.
fn flat_dirichlet(rng: &mut Rng) -> [f64; STATES] {
    let draws: [f64; STATES] = std::array::from_fn(|_| -(1.0 - rng.unit()).ln());
    let sum: f64 = draws.iter().sum();
    draws.map(|draw| draw / sum)
}

fn cumulated(probabilities: [f64; STATES]) -> [f64; STATES] {
    let mut sum = 0.0;
    probabilities.map(|probability| {
        sum += probability;
        sum
    })
}

struct Tabular {
    spaces: Spaces,
    world: World,
    state: usize,
}

impl Tabular {
    fn new(world: f64) -> Self {
        let observation = (0..STATES).map(|state| Channel::new(format!("state_{state}"), 0.0, 1.0)).collect();
        let action = ActionSpace::Discrete((0..ACTIONS).map(|action| format!("action_{action}")).collect());
        Self { spaces: Spaces { observation, action }, world: World::new(world), state: 0 }
    }

    fn see(&self, observation: &mut [f64]) {
        observation.fill(0.0);
        observation[self.state] = 1.0;
    }
}

impl Env for Tabular {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, _rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.state = 0;
        self.see(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let action = action.index()?;
        let reward = self.world.rewards[self.state][action] + rng.normal();
        let (reached, chance) = (&self.world.reached[self.state][action], rng.unit());
        // The sum may fall short of 1 by a rounding: then it is the last state.
        self.state = reached.iter().position(|reached| chance < *reached).unwrap_or(STATES - 1);
        self.see(observation);
        Ok(Step { reward, terminated: false, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_count(self.state);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.state = from.take_count()?;
        if self.state < STATES { Ok(()) } else { Err(Error::artefact(format!("there is no state {}", self.state))) }
    }

    #[expect(clippy::cast_precision_loss, reason = "ten states")]
    fn scene(&self) -> Scene {
        let at = |state: usize| {
            let (sin, cos) = (2.0 * PI * state as f64 / STATES as f64).sin_cos();
            [sin, cos]
        };
        let role = |state| if state == self.state { Role::Body } else { Role::Ground };
        let parts = (0..STATES).map(|state| Part::Circle { centre: at(state), radius: 0.15, role: role(state) });
        Scene { view: [-1.3, -1.3, 1.3, 1.3], parts: parts.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_its_number_and_no_other() {
        let world = |number: f64| World::new(number).rewards.concat();
        assert_eq!(world(7.0), world(7.0));
        assert_ne!(world(7.0), world(8.0));
        assert_ne!(world(0.25), world(0.0));
    }

    #[test]
    fn tables_follow_the_laws_of_the_paper() {
        let worlds: Vec<World> = (0..400).map(|world| World::new(f64::from(world))).collect();
        let rewards: Vec<f64> = worlds.iter().flat_map(|world| world.rewards.concat()).collect();
        let count = 400.0 * 50.0;
        let mean = rewards.iter().sum::<f64>() / count;
        let variance = rewards.iter().map(|reward| (reward - mean).powi(2)).sum::<f64>() / count;
        // Standard errors 0.0071 and 0.01: 6 sd.
        assert!((mean - 1.0).abs() < 0.043 && (variance - 1.0).abs() < 0.06, "{mean} {variance}");
        // Of the flat law over ten states, a probability has the mean 1/10 and the variance (1/10)(9/10)/11.
        let first: Vec<f64> = worlds.iter().flat_map(|world| world.reached.concat().into_iter().map(|reached| reached[0])).collect();
        let mean = first.iter().sum::<f64>() / count;
        let variance = first.iter().map(|first| (first - mean).powi(2)).sum::<f64>() / count;
        // Standard errors: 0.0905 / sqrt(20,000) and about 2.3 times 0.00818 / sqrt(20,000).
        assert!((mean - 0.1).abs() < 0.0039 && (variance - 0.09 / 11.0).abs() < 0.0008, "{mean} {variance}");
        assert!(worlds.iter().all(|world| world.reached.concat().iter().all(|reached| (reached[9] - 1.0).abs() < 1e-12)));
    }

    #[test]
    fn steps_happen_as_often_as_the_tables_say() {
        let mut env = Tabular::new(3.0);
        let (mut rng, mut seen) = (Stream::Env(0).under(0), [0.0; STATES]);
        let (mut reached, mut earned) = ([0.0; STATES], 0.0);
        for _ in 0..40_000 {
            env.reset(&mut rng, &mut seen).unwrap();
            assert_eq!((seen[0], seen.iter().sum::<f64>()), (1.0, 1.0));
            earned += env.step(Action::Discrete(2), &mut rng, &mut seen).unwrap().reward / 40_000.0;
            reached.iter_mut().zip(seen).for_each(|(reached, seen)| *reached += seen / 40_000.0);
        }
        // Standard errors 0.005 and at most 0.0025: 6 sd.
        assert!((earned - env.world.rewards[0][2]).abs() < 0.03, "{earned}");
        for (frequency, sum) in cumulated(reached).into_iter().zip(env.world.reached[0][2]) {
            assert!((frequency - sum).abs() < 0.015, "{frequency} where {sum} belongs");
        }
    }

    #[test]
    fn a_state_that_is_none_is_refused() {
        let mut env = Tabular::new(0.0);
        assert!(env.restore(&mut Snapshot::from_numbers(vec![9.0])).is_ok());
        assert!(env.restore(&mut Snapshot::from_numbers(vec![10.0])).is_err());
    }
}
