//! An environment of one's own: a drone that holds its height in gusty wind. Every command of heirloom then knows `hover`:
//!
//!     cargo run --release -p own_env -- envs show hover
//!     cargo run --release -p own_env -- pretrain hover --out runs/hover --steps 40000
//!     cargo run --release -p own_env -- transfer runs/hover examples/own_env/envs/hover_heavy.ron --method fine-tune

use heirloom::Result;
use heirloom::env::{Action, ActionSpace, Channel, Env, Parameter, Part, Registry, Role, Scene, Simulator, Snapshot, Spaces, Step};
use heirloom::seed::Rng;

struct Hover {
    spaces: Spaces,
    mass: f64,
    gust: f64,
    /// Height above where it belongs, in m, and climb rate, in m/s.
    state: [f64; 2],
}

impl Env for Hover {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.state = [rng.uniform(-2.0, 2.0), rng.uniform(-0.5, 0.5)];
        observation.copy_from_slice(&self.state);
        Ok(())
    }
    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let thrust = 20.0 * action.values()?[0].clamp(0.0, 1.0);
        let [height, climb] = self.state;
        let climb = climb + 0.05 * (thrust / self.mass - 9.81) + self.gust * rng.normal();
        self.state = [height + 0.05 * climb, climb];
        observation.copy_from_slice(&self.state);
        Ok(Step { reward: 1.0 - self.state[0].abs() / 5.0, terminated: self.state[0].abs() > 5.0, truncated: false })
    }
    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.state);
    }
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        from.take_all(&mut self.state)
    }
    fn scene(&self) -> Scene {
        let goal = Part::Line { points: vec![[-5.0, 0.0], [5.0, 0.0]], role: Role::Goal };
        let drone = Part::Capsule { from: [-0.5, self.state[0]], to: [0.5, self.state[0]], width: 0.2, role: Role::Body };
        Scene { view: [-6.0, -6.0, 6.0, 6.0], parts: vec![goal, drone] }
    }
}

fn registry() -> Registry {
    let mut hover = Simulator::new("hover", "Hold a drone's height in gusty wind", |context, _objective| {
        let observation = vec![Channel::unbounded("height"), Channel::unbounded("climb_rate")];
        let action = ActionSpace::Continuous(vec![Channel::new("throttle", 0.0, 1.0)]);
        Ok(Hover { spaces: Spaces { observation, action }, mass: context["mass"], gust: context["gust"], state: [0.0; 2] })
    });
    hover.context = vec![
        Parameter::new("mass", 1.0, [0.1, 1.9], "kg", "mass of the drone with what it carries"),
        Parameter::new("gust", 0.05, [0.0, 1.0], "m/s", "standard deviation of the wind's push in a step"),
    ];
    hover.max_episode_steps = Some(200);
    let mut registry = Registry::standard();
    registry.add(hover);
    registry
}

fn main() -> std::process::ExitCode {
    heirloom::cli::main_with(registry())
}

#[test]
fn it_keeps_the_contract() {
    let hover = registry().resolve("hover").unwrap();
    let findings = heirloom::env::check::check(&|| registry().build(&hover)).unwrap();
    assert!(findings.iter().all(|finding| finding.broken.is_none()), "{findings:#?}");
}
