//! Weak, reversed and broken motors are one thing: what each outer action becomes inside.

use super::action_index;
use super::layer::{Layer, wrap};
use crate::env::{Action, ActionSpace, Env};
use crate::error::{Error, Result, did_you_mean};
use crate::seed::Rng;

struct ActionMap {
    /// Discrete: the inner action of each outer one.
    indices: Vec<usize>,
    /// Continuous: what each channel is multiplied by, and what is then added.
    factors: Vec<(f64, f64)>,
    mapped: Vec<f64>,
}

/// A continuous action times a factor.
pub(super) fn scale(inner: Box<dyn Env>, factor: f64) -> Result<Box<dyn Env>> {
    match &inner.spaces().action {
        ActionSpace::Continuous(channels) => {
            let factors = vec![(factor, 0.0); channels.len()];
            Ok(around(inner, Vec::new(), factors))
        }
        ActionSpace::Discrete(_) => {
            Err(Error::usage("discrete actions cannot be scaled").hint("change the force in the environment's `context` instead"))
        }
    }
}

/// Order turned around, or values mirrored in the middle of their bounds.
pub(super) fn reverse(inner: Box<dyn Env>) -> Box<dyn Env> {
    let (indices, factors) = match &inner.spaces().action {
        ActionSpace::Discrete(names) => ((0..names.len()).rev().collect(), Vec::new()),
        ActionSpace::Continuous(channels) => {
            let middle = |sum: f64| if sum.is_finite() { sum } else { 0.0 };
            (Vec::new(), channels.iter().map(|channel| (-1.0, middle(channel.low + channel.high))).collect())
        }
    };
    around(inner, indices, factors)
}

/// One action that does nothing, or what another does.
pub(super) fn broken(inner: Box<dyn Env>, name: &str, instead: Option<&str>) -> Result<Box<dyn Env>> {
    let space = &inner.spaces().action;
    let broken = action_index(space, name)?;
    let mut indices: Vec<usize> = (0..space.size()).collect();
    let mut factors = vec![(1.0, 0.0); space.size()];
    match (space, instead) {
        (ActionSpace::Continuous(_), None) => factors[broken] = (0.0, 0.0),
        (ActionSpace::Discrete(_), Some(instead)) => indices[broken] = action_index(space, instead)?,
        (ActionSpace::Continuous(_), Some(_)) => {
            return Err(Error::usage("a broken continuous action does nothing; it takes no `instead`"));
        }
        (ActionSpace::Discrete(names), None) => {
            let hint = format!("add `instead: \"...\"`: {}", did_you_mean("", names.iter().map(String::as_str)));
            return Err(Error::usage("what does the broken action do instead?").hint(hint));
        }
    }
    Ok(around(inner, indices, factors))
}

fn around(inner: Box<dyn Env>, indices: Vec<usize>, factors: Vec<(f64, f64)>) -> Box<dyn Env> {
    let spaces = inner.spaces().clone();
    let mapped = vec![0.0; factors.len()];
    wrap(inner, spaces, ActionMap { indices, factors, mapped })
}

impl Layer for ActionMap {
    const KEEPS_ACTIONS: bool = false;

    fn act<'a>(&'a mut self, action: Action<'a>, _rng: &mut Rng) -> Action<'a> {
        match action {
            Action::Discrete(index) => Action::Discrete(self.indices[index]),
            Action::Continuous(values) => {
                for ((mapped, value), (factor, added)) in self.mapped.iter_mut().zip(values).zip(&self.factors) {
                    *mapped = value * factor + added;
                }
                Action::Continuous(&self.mapped)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn discrete_actions_change_order_or_place() {
        let shown = |mut env: Box<dyn Env>| {
            echo::observations(&mut *env, &echo::indices([0, 1, 2])).iter().skip(1).map(|seen| seen[1]).collect::<Vec<_>>()
        };
        assert_eq!(shown(reverse(echo::discrete())), [2.0, 1.0, 0.0]);
        assert_eq!(shown(broken(echo::discrete(), "c", Some("a")).unwrap()), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn continuous_actions_change_size_and_sign() {
        let shown = |mut env: Box<dyn Env>| echo::observations(&mut *env, &[Action::Continuous(&[0.5, -1.0])])[1][1..].to_vec();
        assert_eq!(shown(scale(echo::continuous(), 0.5).unwrap()), [0.25, -0.5]);
        assert_eq!(shown(reverse(echo::continuous())), [-0.5, 1.0]);
        assert_eq!(shown(broken(echo::continuous(), "left", None).unwrap()), [0.0, -1.0]);
    }

    /// A throttle between 0 and 1 is never pulled below nothing.
    #[test]
    fn reversed_actions_stay_within_bounds_that_are_not_symmetric() {
        let mut env = reverse(echo::within(0.0, 1.0));
        let actions = [0.0, 0.25, 1.0].map(|value| [value, value]);
        let seen = echo::observations(&mut *env, &actions.each_ref().map(|values| Action::Continuous(values)));
        assert_eq!(seen[1..].iter().map(|seen| seen[1]).collect::<Vec<_>>(), [1.0, 0.75, 0.0]);
    }

    #[test]
    fn what_a_space_cannot_do_is_refused_with_a_remedy() {
        assert!(scale(echo::discrete(), 0.5).err().unwrap().remedy().unwrap().contains("context"));
        assert!(broken(echo::discrete(), "c", None).err().unwrap().remedy().unwrap().contains("a, b, c"));
        assert!(broken(echo::discrete(), "d", Some("a")).err().unwrap().remedy().unwrap().contains("a, b, c"));
        assert!(broken(echo::continuous(), "left", Some("right")).is_err());
    }
}
