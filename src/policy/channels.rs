//! Matching a policy's channels with an environment's, by name.

use crate::env::{Action, ActionSpace, Channel, Spaces};
use crate::error::{Error, Result};
use crate::nn::{Head, Normalizer};

/// Where each of a policy's channels is found in an environment's observation, and where each of its actions goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// For each channel of the policy, the environment's.
    observation: Vec<usize>,
    /// For each action of the policy, the environment's.
    action: Vec<usize>,
    /// The policy's own actions: their bounds are its unit.
    policy_action: ActionSpace,
    /// The environment's bounds; empty for a discrete space.
    bounds: Vec<[f64; 2]>,
}

impl Binding {
    /// Binds a policy to an environment; channels that the environment has beyond those of the policy are not looked at.
    ///
    /// # Errors
    /// Exit 3 with every channel and action that does not match.
    pub fn new(policy: &Spaces, env: &Spaces) -> Result<Self> {
        Self::matched(policy, env, ["policy", "environment"]).map_err(|missing| {
            Error::artefact(format!("the policy does not fit the environment: {}", missing.join("; ")))
                .hint("wrap the environment (RenameChannels, ...) or transfer with `--method reset-head`, which learns new actions")
        })
    }

    /// Binds a policy to the spaces of demonstrations, to be taught by them.
    ///
    /// # Errors
    /// Exit 3 with every channel and action that does not match.
    pub fn to_demonstrations(policy: &Spaces, demonstrations: &Spaces) -> Result<Self> {
        Self::matched(policy, demonstrations, ["environment", "demonstrations"]).map_err(|missing| {
            Error::artefact(format!("the demonstrations do not fit the environment: {}", missing.join("; ")))
                .hint("record or import them in an environment with these channels and actions")
        })
    }

    /// Every channel of one side on the other, whose names are for what does not match.
    fn matched(policy: &Spaces, env: &Spaces, [one, other]: [&str; 2]) -> std::result::Result<Self, Vec<String>> {
        let mut missing = Vec::new();
        let observation = match_names(&names(&policy.observation), &names(&env.observation), "channel", &mut missing);
        let kinds_differ = std::mem::discriminant(&policy.action) != std::mem::discriminant(&env.action);
        if kinds_differ {
            let kind = |space: &ActionSpace| if matches!(space, ActionSpace::Discrete(_)) { "discrete" } else { "continuous" };
            missing.push(format!("actions are {} in the {one} and {} in the {other}", kind(&policy.action), kind(&env.action)));
        }
        let action = match_names(&policy.action.names(), &env.action.names(), "action", &mut missing);
        if env.action.size() != policy.action.size() && !kinds_differ {
            let extra: Vec<&str> = env.action.names().into_iter().filter(|name| !policy.action.names().contains(name)).collect();
            if !extra.is_empty() {
                missing.push(format!("the {one} does not know the actions {}", extra.join(", ")));
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let bounds = match &env.action {
            ActionSpace::Discrete(_) => Vec::new(),
            ActionSpace::Continuous(channels) => channels.iter().map(|channel| [channel.low, channel.high]).collect(),
        };
        Ok(Self { observation, action, policy_action: policy.action.clone(), bounds })
    }

    /// Writes an environment's observation as the policy's network sees it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "networks see f32")]
    pub fn see(&self, normalizer: Option<&Normalizer>, observation: &[f64], seen: &mut [f32]) {
        match normalizer {
            Some(normalizer) => {
                for (channel, (seen, from)) in seen.iter_mut().zip(&self.observation).enumerate() {
                    *seen = normalizer.normalize(channel, observation[*from]);
                }
            }
            None => {
                for (seen, from) in seen.iter_mut().zip(&self.observation) {
                    *seen = observation[*from] as f32;
                }
            }
        }
    }

    /// Writes an environment's raw observation in the policy's order.
    #[inline]
    pub fn gather(&self, observation: &[f64], gathered: &mut [f64]) {
        for (gathered, from) in gathered.iter_mut().zip(&self.observation) {
            *gathered = observation[*from];
        }
    }

    /// What the environment is given for an action of the policy; `values` is room for a continuous action.
    // Inlined, or the action comes back through memory in two halves and is read as one: the load then waits for every store before it,
    // those into a recording too, which takes 50 ns a step.
    #[inline(always)]
    pub fn act<'a>(&self, head: &Head, action: &[f32], values: &'a mut ActionRoom) -> Action<'a> {
        match head.to_env(action, &self.policy_action, &mut values.policy) {
            Action::Discrete(index) => Action::Discrete(self.action[index]),
            Action::Continuous(policy) => {
                for (value, to) in policy.iter().zip(&self.action) {
                    let [low, high] = self.bounds[*to];
                    values.env[*to] = value.clamp(low, high);
                }
                Action::Continuous(&values.env)
            }
        }
    }

    /// The head's action for what was done in the environment, `[W]`: what [`Binding::act`] turns into it. Beyond the policy's own
    /// bounds it is the bound.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "networks give f32, an index is small")]
    pub fn unact(&self, head: &Head, done: Action<'_>, action: &mut [f32]) {
        match (done, &self.policy_action) {
            (Action::Discrete(index), _) => action[0] = self.action.iter().position(|to| *to == index).unwrap_or(0) as f32,
            (Action::Continuous(values), ActionSpace::Continuous(channels)) => {
                for ((action, channel), to) in action.iter_mut().zip(channels).zip(&self.action) {
                    *action = head.from_env(values[*to], channel) as f32;
                }
            }
            (Action::Continuous(_), ActionSpace::Discrete(_)) => unreachable!("a binding joins actions of one kind"),
        }
    }

    /// Room for the actions of this binding.
    #[must_use]
    pub fn action_room(&self) -> ActionRoom {
        ActionRoom { policy: vec![0.0; self.action.len()], env: vec![0.0; self.bounds.len()] }
    }

    /// How many channels the policy sees.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.observation.len()
    }
}

/// Room for one continuous action on its way from policy to environment.
#[derive(Debug, Clone)]
pub struct ActionRoom {
    policy: Vec<f64>,
    env: Vec<f64>,
}

fn names(channels: &[Channel]) -> Vec<&str> {
    channels.iter().map(|channel| channel.name.as_str()).collect()
}

fn match_names(wanted: &[&str], there: &[&str], what: &str, missing: &mut Vec<String>) -> Vec<usize> {
    let find = |name: &str| there.iter().position(|known| *known == name);
    let found = wanted.iter().map(|name| {
        find(name).unwrap_or_else(|| {
            missing.push(format!("there is no {what} `{name}`"));
            0
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces(action: ActionSpace) -> Spaces {
        Spaces { observation: vec![Channel { name: "x".into(), low: -1.0, high: 1.0 }], action }
    }

    fn continuous(channels: &[(&str, f64, f64)]) -> Spaces {
        let channel = |(name, low, high): &(&str, f64, f64)| Channel { name: (*name).into(), low: *low, high: *high };
        spaces(ActionSpace::Continuous(channels.iter().map(channel).collect()))
    }

    /// What the environment is given for the action that is found for `done`.
    fn back(binding: &Binding, head: &Head, done: &[f64]) -> Vec<f64> {
        let mut action = vec![0.0; done.len()];
        binding.unact(head, Action::Continuous(done), &mut action);
        let mut room = binding.action_room();
        match binding.act(head, &action, &mut room) {
            Action::Continuous(values) => values.to_vec(),
            Action::Discrete(_) => unreachable!("the space is continuous"),
        }
    }

    #[test]
    fn what_was_done_comes_back_through_other_orders_and_bounds() {
        let policy = continuous(&[("turn", -2.0, 6.0), ("push", -1.0, 1.0), ("free", f64::NEG_INFINITY, f64::INFINITY)]);
        let env = continuous(&[("free", f64::NEG_INFINITY, f64::INFINITY), ("push", -0.5, 3.0), ("turn", -4.0, 4.0)]);
        let gaussian = Head::DiagonalGaussian { initial_log_std: 0.0 };
        let binding = Binding::new(&policy, &env).unwrap();
        for done in [[7.5, 0.25, 3.5], [-1e3, -0.5, -2.0], [0.0, 1.0, 4.0]] {
            for (found, done) in back(&binding, &gaussian, &done).iter().zip(done) {
                assert!((found - done).abs() <= 1e-6 * done.abs().max(1.0), "{found} {done}");
            }
        }
        // Beyond what the policy can do it is the nearest that it can.
        assert_eq!(back(&binding, &gaussian, &[0.0, 3.0, -4.0]), [0.0, 1.0, -2.0]);

        let bounded = continuous(&[("turn", -2.0, 6.0), ("push", -1.0, 1.0)]);
        let squashed = Head::SquashedGaussian { initial_log_std: 0.0 };
        let binding = Binding::new(&bounded, &continuous(&[("push", -1.0, 1.0), ("turn", -2.0, 6.0)])).unwrap();
        for done in [[0.25, 3.5], [-0.9, -1.5], [1.0, 6.0], [-1.0, -2.0]] {
            for ((found, done), reach) in back(&binding, &squashed, &done).iter().zip(done).zip([1.0, 4.0]) {
                assert!((found - done).abs() <= 1.01e-4 * reach, "at a bound it is within 1e-4 of the reach: {found} {done}");
            }
        }
    }

    #[test]
    fn an_index_comes_back_by_its_name() {
        let names = |names: [&str; 3]| spaces(ActionSpace::Discrete(names.map(str::to_owned).to_vec()));
        let binding = Binding::new(&names(["left", "stay", "right"]), &names(["right", "left", "stay"])).unwrap();
        let mut room = binding.action_room();
        for (done, expected) in [(0, 2.0), (1, 0.0), (2, 1.0)] {
            let mut action = [0.0];
            binding.unact(&Head::Categorical, Action::Discrete(done), &mut action);
            assert_eq!(action, [expected]);
            assert!(matches!(binding.act(&Head::Categorical, &action, &mut room), Action::Discrete(index) if index == done));
        }
    }
}
