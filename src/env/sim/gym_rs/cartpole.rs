//! gym-rs' CartPole, with its own equations of motion (see [`super`]).

use super::ordered;
use crate::env::sim::cart::Cart;
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;
use gym_rs::core::Env as _;
use gym_rs::envs::classical_control::cartpole::{CartPoleEnv, CartPoleObservation};
use gym_rs::spaces::BoxR;
use gym_rs::utils::renderer::RenderMode;
use std::f64::consts::PI;

const CONTEXT: [Parameter; 6] = [
    Parameter::new("gravity", 9.8, [0.0, 1e3], "m/s²", "acceleration of free fall"),
    Parameter::new("cart_mass", 1.0, [1e-3, 1e3], "kg", "mass of the cart"),
    Parameter::new(
        "pole_mass",
        0.1,
        [1e-3, 1e3],
        "kg",
        "mass of the pole, which this simulator adds to its length where it should multiply",
    ),
    Parameter::new("pole_length", 0.5, [1e-2, 1e2], "m", "from the joint to the pole's centre"),
    Parameter::new("force", 10.0, [0.0, 1e4], "N", "push of an action"),
    Parameter::new("time_step", 0.02, [1e-4, 1.0], "s", "time between two states (Euler)"),
];

const OBJECTIVE: [Parameter; 3] = [
    Parameter::new("position_limit", 2.4, [1e-2, 1e6], "m", "the task ends when the cart is further from the middle"),
    Parameter::new("angle_limit", 12.0 * 2.0 * PI / 360.0, [1e-2, 1e6], "rad", "the task ends when the pole leans further"),
    Parameter::new("start_range", 0.05, [1e-6, 10.0], "", "every component of the start state is uniform within this of zero"),
];

/// `gym_rs/cartpole`: push left or right with the whole force.
pub(super) fn simulator() -> Simulator {
    let about = "Balance a pole on a cart in gym-rs, whose physics differ";
    let mut simulator = Simulator::new("gym_rs/cartpole", about, |context, objective| Ok(CartPole::new(context, objective)));
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(500);
    simulator
}

struct CartPole {
    spaces: Spaces,
    inner: CartPoleEnv,
    start_range: f64,
}

/// Position, velocity, angle, angular velocity.
fn state([position, velocity, angle, angular_velocity]: [f64; 4]) -> CartPoleObservation {
    CartPoleObservation::new(ordered(position), ordered(velocity), ordered(angle), ordered(angular_velocity))
}

impl CartPole {
    fn new(context: &Values, objective: &Values) -> Self {
        let (position_limit, angle_limit, start_range) = (objective["position_limit"], objective["angle_limit"], objective["start_range"]);
        // Twice the limit holds the last observation of an episode too, as in Gymnasium; a start may lie anywhere.
        let within = |name, limit: f64| Channel::new(name, -(2.0 * limit).max(start_range), (2.0 * limit).max(start_range));
        let observation = vec![
            within("cart_position", position_limit),
            Channel::unbounded("cart_velocity"),
            within("pole_angle", angle_limit),
            Channel::unbounded("pole_angular_velocity"),
        ];
        let mut inner = CartPoleEnv::new(RenderMode::None);
        inner.gravity = ordered(context["gravity"]);
        inner.masscart = ordered(context["cart_mass"]);
        inner.masspole = ordered(context["pole_mass"]);
        inner.length = ordered(context["pole_length"]);
        inner.force_mag = ordered(context["force"]);
        inner.tau = ordered(context["time_step"]);
        inner.x_threshold = ordered(position_limit);
        inner.theta_threshold_radians = ordered(angle_limit);
        // A new one has drawn its state from the operating system's entropy.
        inner.state = state([0.0; 4]);
        let action = ActionSpace::Discrete(vec!["left".into(), "right".into()]);
        Self { spaces: Spaces { observation, action }, inner, start_range }
    }

    fn state(&self) -> Vec<f64> {
        // The only way that it lets anyone read its state.
        Vec::from(self.inner.state)
    }
}

impl Env for CartPole {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        let range = state([self.start_range; 4]);
        self.inner.reset(Some(rng.next_u64()), false, Some(BoxR::new(-range, range)));
        observation.copy_from_slice(&self.state());
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let outcome = self.inner.step(action.index()?);
        observation.copy_from_slice(&self.state());
        Ok(Step { reward: outcome.reward.into_inner(), terminated: outcome.done, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.state());
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        let mut numbers = [0.0; 4];
        from.take_all(&mut numbers)?;
        self.inner.state = state(numbers);
        // Otherwise an episode that had ended here would take the reward from the one that goes on.
        self.inner.steps_beyond_terminated = None;
        Ok(())
    }

    fn scene(&self) -> Scene {
        let state = self.state();
        let cart = Cart { limit: self.inner.x_threshold.into_inner(), pole_length: self.inner.length.into_inner() };
        cart.scene(state[0], state[2], 0.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Action, Registry, Snapshot};
    use crate::seed::Stream;

    /// From (0.01, 0.02, 0.03, 0.04), pushed to the right.
    fn next_state(simulator: &str) -> [f64; 4] {
        let registry = Registry::standard();
        let mut env = registry.build(&registry.resolve(simulator).unwrap()).unwrap();
        env.restore(&mut Snapshot::from_numbers(vec![0.0, 1.0, 0.01, 0.02, 0.03, 0.04])).unwrap();
        let mut observation = [0.0; 4];
        env.step(Action::Discrete(1), &mut Stream::Env(0).under(0), &mut observation).unwrap();
        observation
    }

    /// The equations of motion with 0.6 where mass times length is 0.05: a mended gym-rs would be no second simulator.
    #[test]
    fn it_adds_where_it_should_multiply() {
        let (sin, cos) = 0.03_f64.sin_cos();
        let pushed = (10.0 + 0.6 * 0.04 * 0.04 * sin) / 1.1;
        let angular = (9.8 * sin - cos * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        let linear = pushed - 0.6 * angular * cos / 1.1;
        let [_, velocity, _, angular_velocity] = next_state("gym_rs/cartpole");
        assert!((velocity - (0.02 + 0.02 * linear)).abs() < 1e-12, "{velocity}");
        assert!((angular_velocity - (0.04 + 0.02 * angular)).abs() < 1e-12, "{angular_velocity}");
        let [_, classic, ..] = next_state("classic/cartpole");
        assert!((classic - 0.214_679_195_748).abs() < 1e-12, "{classic}");
        assert!(velocity - classic > 0.1, "gym-rs {velocity}, classic {classic}");
    }
}
