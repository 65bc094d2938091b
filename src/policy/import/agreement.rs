//! Whether an imported policy does what the other one was recorded to do.
//!
//! Recorded actions are what the weights mean, computed in double precision by what they were trained with. Ours are computed so as well: two
//! programs that sum in single precision, in whatever order, may differ by more than a wrong weight would show.

use super::{Exported, Outputs};
use crate::env::{Action, ActionSpace, Channel};
use crate::error::{Error, Result};
use crate::file::tensors::{self, take_f64, take_u64};
use crate::file::{digest, disk};
use crate::nn::autograd::exact_outputs;
use crate::nn::{Head, Network, Workspace};
use crate::policy::store::HEADER_ROOM;
use crate::policy::{Binding, Policy};
use std::path::Path;

/// A continuous action agrees up to this, in units of half its range where it has bounds, else in its own; a discrete one when its logit, or
/// value, is the greatest up to this.
pub const TOLERANCE: f64 = 1e-6;

/// How well recorded actions were done again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Recorded pairs.
    pub rows: usize,
    /// The greatest difference of all, in the units of [`TOLERANCE`], as the weights mean it.
    pub exact: f64,
    /// The same for what is really done: networks act in single precision.
    pub acting: f64,
}

/// What was seen and done.
struct Pairs {
    /// `[rows, O]`.
    observation: Vec<f64>,
    action: Recorded,
}

enum Recorded {
    /// `[rows]`.
    Discrete(Vec<usize>),
    /// `[rows, A]`, in the environment's units.
    Continuous(Vec<f64>),
}

/// Reads the recorded pairs and does them again.
pub(super) fn check(path: &Path, exported: &Exported, policy: &Policy) -> Result<Agreement> {
    let pairs = Pairs::read(path, exported)?;
    let (shape, rows) = (&policy.shape, exported.rows);
    let binding = Binding::new(&policy.spaces, &policy.spaces)?;
    let mut seen = vec![0.0; rows * shape.inputs];
    for (seen, observation) in seen.chunks_exact_mut(shape.inputs).zip(pairs.observation.chunks_exact(shape.inputs)) {
        binding.see(policy.normalizer.as_ref(), observation, seen);
    }
    let outputs = exact_outputs(shape, &policy.params, &seen);
    let network = Network::new(shape, &policy.params);
    let mut workspace = Workspace::new(shape);
    let mut chosen = vec![0.0; shape.head.action_width(shape.outputs)];
    let (mut values, mut room) = (vec![0.0; shape.outputs], binding.action_room());
    let (mut exact, mut acting) = (Vec::with_capacity(rows), 0.0_f64);
    for (row, (outputs, seen)) in outputs.chunks_exact(shape.outputs).zip(seen.chunks_exact(shape.inputs)).enumerate() {
        let action = meant(&shape.head, outputs, &policy.spaces.action, &mut values);
        exact.push(pairs.action.apart(row, action, outputs, &policy.spaces.action));
        workspace.input_row(0).copy_from_slice(seen);
        network.forward_actor(1, &mut workspace);
        shape.head.mode(workspace.outputs(0), &mut chosen);
        let acted = binding.act(&shape.head, &chosen, &mut room);
        let apart = pairs.action.apart(row, acted, outputs, &policy.spaces.action);
        if !apart.is_finite() {
            return Err(Error::artefact(format!("in 32 bits, as a policy acts, the action of row {row} is no number"))
                .hint("a weight or an observation is too large: export a policy that acts in 32 bits"));
        }
        acting = acting.max(apart);
    }
    let differs = |apart: &f64| apart.is_nan() || *apart > TOLERANCE;
    let most = (0..rows).max_by(|a, b| exact[*a].total_cmp(&exact[*b])).unwrap_or(0);
    if differs(&exact[most]) {
        let count = exact.iter().filter(|apart| differs(apart)).count();
        return Err(Error::artefact(format!(
            "{count} of {rows} actions differ from the recorded ones by more than {TOLERANCE:e}, most in row {most}, by {:.2e}",
            exact[most]
        ))
        .hint("a weight, the activation, the head or the normaliser is not what the actions were recorded with: export the policy again"));
    }
    Ok(Agreement { rows, exact: exact[most], acting })
}

/// The action that the outputs `[A]` of one row mean.
fn meant<'a>(head: &Head, outputs: &[f64], space: &ActionSpace, values: &'a mut [f64]) -> Action<'a> {
    match space {
        ActionSpace::Discrete(_) => Action::Discrete((0..outputs.len()).max_by(|a, b| outputs[*a].total_cmp(&outputs[*b])).unwrap_or(0)),
        ActionSpace::Continuous(channels) => {
            for ((value, output), channel) in values.iter_mut().zip(outputs).zip(channels) {
                *value = head.exact_to_env(*output, channel);
            }
            Action::Continuous(values)
        }
    }
}

impl Pairs {
    /// Reads the file that a manifest describes.
    fn read(path: &Path, exported: &Exported) -> Result<Self> {
        let (rows, discrete) = (exported.rows, exported.head == Outputs::Categorical);
        let columns = exported.inputs + if discrete { 1 } else { exported.outputs };
        let bytes = disk::read(path, 8 * (rows * columns) as u64 + HEADER_ROOM)?;
        if digest::of_bytes(&bytes) != exported.pairs {
            return Err(Error::artefact("is not the file that the manifest describes: its SHA-256 differs").hint("export the policy again"));
        }
        let mut left = tensors::from_bytes(&bytes)?;
        let mut numbers = |name: &str, size: usize| {
            let values = take_f64(&mut left, name, &[rows, size])?;
            match values.iter().position(|value| !value.is_finite()) {
                Some(at) => Err(Error::artefact(format!("row {} holds a number that is not finite", at / size)).at(name)),
                None => Ok(values),
            }
        };
        let observation = numbers("observation", exported.inputs)?;
        let action = if discrete {
            let indices = take_u64(&mut left, "action", rows)?;
            let known = |index: u64| usize::try_from(index).ok().filter(|index| *index < exported.outputs);
            let indices: Option<Vec<usize>> = indices.into_iter().map(known).collect();
            Recorded::Discrete(indices.ok_or_else(|| Error::artefact("holds an action that the policy does not have").at("action"))?)
        } else {
            Recorded::Continuous(numbers("action", exported.outputs)?)
        };
        match left.keys().next() {
            Some(name) => Err(Error::artefact("is a tensor that does not belong here").at(name.escape_debug())),
            None => Ok(Self { observation, action }),
        }
    }
}

impl Recorded {
    /// How far an action is from the recorded one of its row, in the units of [`TOLERANCE`]; `outputs` `[A]` are what the row's weights mean.
    fn apart(&self, row: usize, action: Action<'_>, outputs: &[f64], space: &ActionSpace) -> f64 {
        match (self, action, space) {
            (Self::Continuous(recorded), Action::Continuous(values), ActionSpace::Continuous(channels)) => {
                let recorded = &recorded[row * values.len()..][..values.len()];
                let apart =
                    values.iter().zip(recorded).zip(channels).map(|((value, recorded), channel)| (value - recorded).abs() / unit(channel));
                apart.max_by(f64::total_cmp).unwrap_or(0.0)
            }
            (Self::Discrete(recorded), Action::Discrete(index), _) => (outputs[index] - outputs[recorded[row]]).abs(),
            _ => unreachable!("pairs are read by the policy's own kind of action"),
        }
    }
}

/// Half the range of an action, where it has one.
fn unit(channel: &Channel) -> f64 {
    let reach = 0.5 * (channel.high - channel.low);
    if reach.is_finite() && reach > 0.0 { reach } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuous_action_is_measured_in_half_its_range_and_a_discrete_one_by_its_logit() {
        let channels = vec![Channel::new("wide", -10.0, 30.0), Channel::unbounded("free")];
        let space = ActionSpace::Continuous(channels);
        let recorded = Recorded::Continuous(vec![0.0, 0.0, 12.0, 1.0]);
        assert_eq!(recorded.apart(1, Action::Continuous(&[10.0, 1.05]), &[], &space), 0.1);
        assert!((recorded.apart(1, Action::Continuous(&[12.0, 1.05]), &[], &space) - 0.05).abs() < 1e-12);
        let names = ActionSpace::Discrete(vec!["a".into(), "b".into()]);
        assert_eq!(Recorded::Discrete(vec![0]).apart(0, Action::Discrete(1), &[1.0, 1.5], &names), 0.5);
        assert_eq!(Recorded::Discrete(vec![1]).apart(0, Action::Discrete(1), &[1.0, 1.5], &names), 0.0);
    }
}
