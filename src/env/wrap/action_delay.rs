//! Slow motors: what is done now was decided some steps ago.

use super::action_index;
use super::layer::{Layer, wrap};
use crate::env::{Action, ActionSpace, Env, Snapshot};
use crate::error::{Error, Result};
use crate::seed::Rng;

/// Two rings, of which a space uses one: indices `[steps]` or values `[steps, A]`.
struct ActionDelay {
    indices: Vec<usize>,
    values: Vec<f64>,
    idle: usize,
    /// Where the action that is due stands, and the new one goes.
    due: usize,
    current: Vec<f64>,
    actions: usize,
}

pub(super) fn around(inner: Box<dyn Env>, steps: usize, idle: Option<&str>) -> Result<Box<dyn Env>> {
    let spaces = inner.spaces().clone();
    let actions = spaces.action.size();
    let (idle, indices, width) = match (&spaces.action, idle) {
        (ActionSpace::Continuous(_), Some(_)) => return Err(Error::usage("a continuous action idles at zero; it takes no `idle`")),
        (ActionSpace::Continuous(_), None) => (0, 0, actions),
        (ActionSpace::Discrete(_), Some(name)) => (action_index(&spaces.action, name)?, steps, 0),
        (ActionSpace::Discrete(names), None) => (names.len() / 2, steps, 0),
    };
    let (indices, values) = (vec![idle; indices], vec![0.0; steps * width]);
    Ok(wrap(inner, spaces, ActionDelay { indices, values, idle, due: 0, current: vec![0.0; width], actions }))
}

impl Layer for ActionDelay {
    const KEEPS_ACTIONS: bool = false;

    fn begin(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        self.indices.fill(self.idle);
        self.values.fill(0.0);
        self.due = 0;
        outer.copy_from_slice(inner);
    }

    fn act<'a>(&'a mut self, action: Action<'a>, _rng: &mut Rng) -> Action<'a> {
        let due = self.due;
        match action {
            Action::Discrete(index) => {
                self.due = (due + 1) % self.indices.len();
                Action::Discrete(std::mem::replace(&mut self.indices[due], index))
            }
            Action::Continuous(values) => {
                self.due = (due + 1) % (self.values.len() / values.len());
                let slot = &mut self.values[due * values.len()..][..values.len()];
                self.current.copy_from_slice(slot);
                slot.copy_from_slice(values);
                Action::Continuous(&self.current)
            }
        }
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.indices.iter().for_each(|index| into.put_count(*index));
        into.put_all(&self.values);
        into.put_count(self.due);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        for index in &mut self.indices {
            *index = from.take_count()?;
        }
        from.take_all(&mut self.values)?;
        self.due = from.take_count()?;
        let steps = self.indices.len().max(self.values.len() / self.current.len().max(1));
        let sound = self.due < steps && self.indices.iter().all(|index| *index < self.actions);
        if sound { Ok(()) } else { Err(Error::artefact("the snapshot's delayed actions are not this environment's")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn actions_arrive_later_and_the_idle_one_fills_the_gap() {
        let mut env = around(echo::discrete(), 2, Some("a")).unwrap();
        let seen = echo::observations(&mut *env, &echo::indices([2, 1, 2, 2]));
        assert_eq!(seen.iter().map(|seen| seen[1]).collect::<Vec<_>>(), [-1.0, 0.0, 0.0, 2.0, 1.0]);
        // The next episode begins idle again.
        assert_eq!(echo::observations(&mut *env, &echo::indices([1]))[1], [1.0, 0.0]);
    }

    #[test]
    fn without_a_name_the_middle_action_is_idle_and_a_continuous_space_idles_at_zero() {
        let mut env = around(echo::discrete(), 1, None).unwrap();
        assert_eq!(echo::observations(&mut *env, &echo::indices([2]))[1], [1.0, 1.0]);
        let mut env = around(echo::continuous(), 1, None).unwrap();
        let actions = [Action::Continuous(&[0.5, -0.5]), Action::Continuous(&[1.0, 1.0])];
        assert_eq!(echo::observations(&mut *env, &actions)[1..], [[1.0, 0.0, 0.0], [2.0, 0.5, -0.5]]);
        assert!(around(echo::continuous(), 1, Some("left")).is_err());
        assert!(around(echo::discrete(), 1, Some("d")).is_err());
    }

    #[test]
    fn a_snapshot_of_another_delay_is_refused() {
        let mut env = around(echo::discrete(), 2, None).unwrap();
        // Two delayed actions, where the next one goes, and what the inner environment keeps.
        let mut restore = |numbers: [f64; 5]| env.restore(&mut Snapshot::from_numbers(numbers.to_vec()));
        assert!(restore([1.0, 2.0, 1.0, 5.0, 0.0]).is_ok());
        assert!(restore([1.0, 3.0, 1.0, 5.0, 0.0]).is_err());
        assert!(restore([1.0, 2.0, 2.0, 5.0, 0.0]).is_err());
    }
}
