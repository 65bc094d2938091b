//! The trial of RL² (Duan et al. 2016, section 2.2): several episodes of one task are one episode to whoever acts, who is shown what was
//! done last and what came of it, and can remember it.
//!
//! Where an inner episode ends, the next one of the same task begins in the same step, and its first observation takes the place of the
//! last one of the episode before. What the agent is after is the sum over the whole trial, behind which nothing comes: its end
//! terminates, whatever ended the last episode, and no value is to be estimated beyond it.
//!
//! The registry puts the limit of steps around what is inside of the trial, for it is the inner episode's.

use crate::env::{Action, ActionSpace, Channel, Company, Env, Scene, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::Rng;

struct Trial {
    inner: Box<dyn Env>,
    spaces: Spaces,
    episodes: usize,
    /// Which episode runs, from 0.
    episode: usize,
    /// Channels of the inner observation, `O`.
    seen: usize,
}

pub(super) fn around(inner: Box<dyn Env>, episodes: usize) -> Box<dyn Env> {
    let Spaces { observation: mut channels, action } = inner.spaces().clone();
    let seen = channels.len();
    match &action {
        ActionSpace::Discrete(names) => channels.extend(names.iter().map(|name| Channel::new(format!("last_action_{name}"), 0.0, 1.0))),
        // An action beyond its bounds is shown as it was.
        ActionSpace::Continuous(list) => {
            channels.extend(list.iter().map(|channel| Channel::unbounded(format!("last_action_{}", channel.name))));
        }
    }
    channels.extend([Channel::unbounded("last_reward"), Channel::new("done", 0.0, 1.0)]);
    Box::new(Trial { inner, spaces: Spaces { observation: channels, action }, episodes, episode: 0, seen })
}

impl Trial {
    /// Nothing was done yet: in the paper, too, the first action, reward and flag are zero.
    fn begin(&mut self, observation: &mut [f64], start: impl FnOnce(&mut dyn Env, &mut [f64]) -> Result<()>) -> Result<()> {
        self.episode = 0;
        let (seen, last) = observation.split_at_mut(self.seen);
        last.fill(0.0);
        start(&mut *self.inner, seen)
    }
}

impl Env for Trial {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        self.inner.join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        self.inner.announce(action, rng);
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.begin(observation, |inner, seen| inner.reset(rng, seen))
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.begin(observation, |inner, seen| inner.restart(rng, seen))
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let (seen, last) = observation.split_at_mut(self.seen);
        let step = self.inner.step(action, rng, seen)?;
        let over = step.ended() && self.episode + 1 == self.episodes;
        if step.ended() && !over {
            self.episode += 1;
            self.inner.restart(rng, seen)?;
        }
        let (done, reward) = (last.len() - 1, last.len() - 2);
        match action {
            Action::Discrete(index) => {
                last.fill(0.0);
                last[index] = 1.0;
            }
            Action::Continuous(values) => last[..reward].copy_from_slice(values),
        }
        last[reward] = step.reward;
        last[done] = f64::from(u8::from(step.ended()));
        Ok(Step { reward: step.reward, terminated: over, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_count(self.episode);
        self.inner.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.episode = from.take_count()?;
        if self.episode >= self.episodes {
            return Err(Error::artefact(format!("the snapshot's trial is longer than {} episodes", self.episodes)));
        }
        self.inner.restore(from)
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.inner.parameter(name)
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Action, Env, Registry, Snapshot, Spec, Step};
    use crate::seed::{Rng, Stream};

    fn build(text: &str) -> Box<dyn Env> {
        let registry = Registry::standard();
        registry.build(&Spec::from_ron(&registry, "test", text).unwrap()).unwrap()
    }

    /// Goals that are drawn, a start at the origin, two steps an episode and three episodes a trial.
    const WALK: &str = "(simulator: \"tasks/navigation\", objective: (goal_x: Uniform(1, 2)), max_episode_steps: 2, \
                        wrappers: [Trial(episodes: 3)])";

    struct Walk {
        env: Box<dyn Env>,
        rng: Rng,
        observation: Vec<f64>,
    }

    impl Walk {
        fn new(text: &str) -> Self {
            let env = build(text);
            let observation = vec![9.0; env.spaces().observation.len()];
            Self { env, rng: Stream::Env(0).under(0), observation }
        }

        fn reset(&mut self) -> &[f64] {
            self.env.reset(&mut self.rng, &mut self.observation).unwrap();
            &self.observation
        }

        fn step(&mut self, action: &[f64]) -> Step {
            self.env.step(Action::Continuous(action), &mut self.rng, &mut self.observation).unwrap()
        }
    }

    #[test]
    fn episodes_of_one_task_follow_each_other_with_what_was_done_in_sight() {
        let mut walk = Walk::new(WALK);
        let names: Vec<&str> = walk.env.spaces().observation.iter().map(|channel| channel.name.as_str()).collect();
        assert_eq!(names, ["x", "y", "last_action_velocity_x", "last_action_velocity_y", "last_reward", "done"]);
        let mut goals = Vec::new();
        for _ in 0..2 {
            assert_eq!(walk.reset(), [0.0; 6]);
            for episode in 0..3 {
                let first = walk.step(&[0.1, 0.5]);
                assert_eq!(walk.observation, [0.1, 0.1, 0.1, 0.5, first.reward, 0.0]);
                assert!(!first.ended());
                let last = walk.step(&[-0.1, 0.0]);
                // Two steps are the inner limit; the trial's own end is no truncation.
                let over = episode == 2;
                assert_eq!((last.terminated, last.truncated), (over, false));
                let shown = if over { [0.0, 0.1] } else { [0.0, 0.0] };
                assert_eq!(walk.observation, [shown[0], shown[1], -0.1, 0.0, last.reward, 1.0]);
                goals.push(first.reward.to_bits());
            }
        }
        assert!(goals[0] == goals[1] && goals[0] == goals[2], "one task");
        assert!(goals[0] != goals[3] && goals[3] == goals[5], "another task");
    }

    #[test]
    fn a_task_that_is_over_begins_again_and_a_discrete_action_is_shown_as_one_of_many() {
        let mut env = build("(simulator: \"classic/cartpole\", wrappers: [Trial(episodes: 2)])");
        let (mut rng, mut seen) = (Stream::Env(0).under(0), [0.0; 8]);
        env.reset(&mut rng, &mut seen).unwrap();
        let mut ends = Vec::new();
        for step in 1.. {
            let came = env.step(Action::Discrete(1), &mut rng, &mut seen).unwrap();
            assert_eq!(seen[4..7], [0.0, 1.0, 1.0]);
            if seen[7] == 1.0 {
                ends.push(step);
                let begins_again = seen[..4].iter().all(|state| state.abs() <= 0.05);
                assert_eq!((came.terminated, begins_again), (ends.len() == 2, ends.len() == 1));
            }
            if came.ended() {
                break;
            }
        }
        assert!(ends.len() == 2 && ends[0] < 15, "{ends:?}");
    }

    #[test]
    fn memories_of_other_wrappers_begin_anew_inside_and_last_outside() {
        let with = |wrappers: &str| Walk::new(&WALK.replace("Trial(episodes: 3)", wrappers));
        // A delayed observation inside forgets the episode before ...
        let mut inside = with("ObservationDelay(steps: 1), Trial(episodes: 3)");
        inside.reset();
        inside.step(&[0.1, 0.1]);
        inside.step(&[0.1, 0.1]);
        inside.step(&[0.1, 0.1]);
        assert_eq!(inside.observation[..2], [0.0, 0.0]);
        // ... outside it shows it.
        let mut outside = with("Trial(episodes: 3), ObservationDelay(steps: 1)");
        outside.reset();
        outside.step(&[0.1, 0.1]);
        outside.step(&[0.1, 0.1]);
        assert_eq!(outside.observation[..2], [0.1, 0.1]);
    }

    #[test]
    fn a_trial_within_a_trial_and_snapshots_beyond_it_are_refused() {
        let registry = Registry::standard();
        let refused = |wrappers: &str| {
            let spec = Spec::from_ron(&registry, "test", &WALK.replace("Trial(episodes: 3)", wrappers));
            spec.and_then(|spec| registry.build(&spec)).err().unwrap().message().to_owned()
        };
        assert_eq!(refused("Trial(episodes: 0)"), "`episodes` cannot be 0");
        assert_eq!(refused("Trial(episodes: 2), Trial(episodes: 2)"), "two channels would be called `last_action_velocity_x`");

        let mut walk = Walk::new(WALK);
        walk.reset();
        let mut snapshot = Snapshot::default();
        walk.env.snapshot(&mut snapshot);
        let mut numbers = snapshot.numbers().to_vec();
        assert!(walk.env.restore(&mut Snapshot::from_numbers(numbers.clone())).is_ok());
        // Behind the two numbers of the rules around it stands which episode runs.
        numbers[2] = 3.0;
        assert!(walk.env.restore(&mut Snapshot::from_numbers(numbers)).is_err());
    }
}
