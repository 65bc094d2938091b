//! What learning from demonstrations computes, against PyTorch: `tests/golden/imitate/record.py` is the other side.

mod golden;

use golden::{Golden, Stream, relative};
use heirloom::env::{ActionSpace, Channel, Spaces};
use heirloom::imitate::cloning::{self, Weights};
use heirloom::imitate::discriminator::{self, Batch as Transitions, Form, RewardSign};
use heirloom::imitate::{Pairs, behaviour_regularised, dapg};
use heirloom::learn::{Batch, LossTerm, Schedule};
use heirloom::nn::{Activation, ActorCritic, Head, Params, actor_critic::is_critic, autograd};
use heirloom::policy::Policy;
use std::sync::Arc;
use tch::{Kind, Tensor};

fn spaces(inputs: usize, outputs: usize) -> Spaces {
    let channel = |index: usize| Channel { name: format!("x{index}"), low: -1.0, high: 1.0 };
    Spaces { observation: (0..inputs).map(channel).collect(), action: ActionSpace::Continuous((0..outputs).map(channel).collect()) }
}

/// A policy with drawn weights; numbers in the order in which `record.py` draws them.
fn policy(s: &mut Stream, [inputs, outputs]: [usize; 2], hidden: &[usize], activation: Activation, head: Head) -> Policy {
    let (actor, critic) = (hidden.to_vec(), hidden.to_vec());
    let shape = ActorCritic { inputs, joined: 0, memory: 0, outputs, actor, critic, activation, head };
    let mut params = Params::zeros(shape.layout());
    params.values = s.numbers(params.values.len());
    Policy { shape, spaces: spaces(inputs, outputs), params, normalizer: None, return_moments: None, inner_rates: None }
}

const HEADS: [Head; 3] =
    [Head::Categorical, Head::DiagonalGaussian { initial_log_std: 0.0 }, Head::SquashedGaussian { initial_log_std: 0.0 }];

fn actions(s: &mut Stream, rows: usize, outputs: usize, head: &Head) -> Vec<f32> {
    match head {
        Head::Categorical => (0..rows).map(|_| s.index(outputs)).collect(),
        _ => s.numbers(rows * outputs).into_iter().map(|number| number * 2.0).collect(),
    }
}

fn pairs(observation: &[f32], action: &[f32], inputs: usize) -> Pairs {
    let width = action.len() * inputs / observation.len();
    let mut pairs = Pairs::empty(inputs, width);
    for (observation, action) in observation.chunks_exact(inputs).zip(action.chunks_exact(width)) {
        let observation: Vec<f64> = observation.iter().map(|value| f64::from(*value)).collect();
        pairs.add(&observation, action, 0);
    }
    pairs
}

fn numbers(tensors: &[Tensor]) -> Vec<f64> {
    tensors.iter().flat_map(|tensor| Vec::<f64>::try_from(tensor.to_kind(Kind::Double).view([-1])).unwrap()).collect()
}

/// Value and gradient; what a loss does not depend on has none.
fn value_and_gradient(loss: &Tensor, leaves: &[Tensor]) -> Vec<f64> {
    for leaf in leaves {
        let mut gradient = leaf.grad();
        if gradient.defined() {
            let _ = gradient.zero_();
        }
    }
    loss.backward();
    let gradient = leaves.iter().map(|leaf| if leaf.grad().defined() { leaf.grad() } else { leaf.zeros_like() });
    [vec![loss.double_value(&[])], numbers(&gradient.collect::<Vec<_>>())].concat()
}

/// Loss and gradient of a step as it is made: the fused path for tanh and rectifiers, libtorch's for the rest; and in f64.
#[test]
fn cloning_is_pytorchs() {
    let mut golden = Golden::read("imitate/cloning.f64");
    let mut paths = [0, 0];
    for seed in 0..120 {
        let mut s = Stream(seed);
        let (inputs, outputs, rows) = (1 + s.below(6), 1 + s.below(4), 2 + s.below(150));
        let hidden = [vec![], vec![5], vec![17, 8], vec![16]][s.below(4)].clone();
        let activation = [Activation::Tanh, Activation::Relu, Activation::Silu][s.below(3)];
        let head = HEADS[s.below(3)];
        let weights = Weights { entropy: [0.0, 0.01, 0.5][s.below(3)], l2: [0.0, 0.1][s.below(2)] };
        let policy = policy(&mut s, [inputs, outputs], &hidden, activation, head);
        let observation = s.numbers(rows * inputs);
        let action = actions(&mut s, rows, outputs, &head);
        let expected = golden.take(3 + policy.params.values.len());

        let pairs = pairs(&observation, &action, inputs);
        let (losses, gradient) = cloning::gradient(&policy, weights, &pairs).unwrap();
        for (found, expected) in [losses.nll, losses.entropy, losses.agreement].iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "case {seed}: {losses:?}");
        }
        // Demonstrations say nothing of the critic: it is neither descended on nor decayed.
        let entries = policy.params.layout().entries().iter().filter(|entry| !is_critic(&entry.name));
        let spoken_of: Vec<usize> = entries.flat_map(|entry| entry.range.clone()).collect();
        let gradient: Vec<f64> = spoken_of.iter().map(|at| f64::from(gradient[*at])).collect();
        let expected_gradient: Vec<f64> = spoken_of.iter().map(|at| expected[3 + at]).collect();
        let error = relative(&gradient, &expected_gradient);
        assert!(error <= 1e-5, "case {seed}, {head:?} {activation:?}: gradient off by {error:e}");
        paths[usize::from(policy.shape.is_fused())] += 1;

        let leaves = autograd::leaves(&policy.params, Kind::Double);
        let matrix = |values: &[f32]| autograd::matrix(values, rows, values.len() / rows).to_kind(Kind::Double);
        let (y, _) = autograd::forward(&policy.shape, &leaves, &matrix(&observation));
        let [nll, entropy] = cloning::loss(&head, &y, autograd::log_std(&policy.shape, &leaves), &matrix(&action));
        let squares = leaves.iter().fold(Tensor::from(0.0), |sum, leaf| sum + leaf.square().sum(Kind::Double));
        let found = value_and_gradient(&(&nll - &entropy * weights.entropy + squares * (0.5 * weights.l2)), &leaves);
        assert!((nll.double_value(&[]) - expected[0]).abs() <= 1e-9 * expected[0].abs().max(1.0));
        let error = relative(&found[1..], &expected[3..]);
        assert!(error <= 1e-9, "case {seed} in f64: gradient off by {error:e}");
    }
    assert!(paths.iter().all(|count| *count > 20), "{paths:?}");
    golden.finish();
}

/// Logits, the three rewards, what is recovered, cross-entropy and gradient penalty, each with its gradient, of GAIL and both forms of AIRL.
#[test]
fn discriminators_are_pytorchs() {
    for (kind, tolerance) in [(Kind::Double, 1e-9), (Kind::Float, 1e-5)] {
        let mut golden = Golden::read("imitate/discriminator.f64");
        for seed in 0..60 {
            let mut s = Stream(seed);
            let (inputs, width, rows) = (1 + s.below(5), 1 + s.below(3), 2 + s.below(20));
            let hidden = [vec![5], vec![8, 4]][s.below(2)].clone();
            let form = [Form::Gail, Form::Airl { state_only: true }, Form::Airl { state_only: false }][s.below(3)];
            let mut params = Params::zeros(Arc::new(discriminator::layout(form, inputs, width, &hidden)));
            params.values = s.numbers(params.values.len());
            let leaves = autograd::leaves(&params, kind);
            let mut draw = || {
                let mut matrix = |columns: usize| autograd::matrix(&s.numbers(rows * columns), rows, columns).to_kind(kind);
                let (state, action, next) = (matrix(inputs), matrix(width), matrix(inputs));
                let goes_on: Vec<f32> = (0..rows).map(|_| s.index(2)).collect();
                let column = |values: &[f32]| Tensor::from_slice(values).to_kind(kind);
                Transitions { state, action, next, goes_on: column(&goes_on), log_prob: column(&s.numbers(rows)) }
            };
            let (expert, own) = (draw(), draw());
            let along: Vec<f32> = s.numbers(rows).into_iter().map(f32::abs).collect();
            let along = Tensor::from_slice(&along).to_kind(kind);

            let logit = |batch: &Transitions| discriminator::logit(form, &leaves, batch, 0.9);
            let (expert_logit, own_logit) = (logit(&expert), logit(&own));
            let signs = [RewardSign::Positive, RewardSign::Negative, RewardSign::Both].map(|sign| sign.of(&own_logit));
            let values = [&expert_logit, &own_logit].into_iter().chain(&signs).map(Tensor::copy);
            let mut found = numbers(&values.collect::<Vec<_>>());
            found.extend(numbers(&[discriminator::recovered(form, &leaves, &own)]));
            for (found, expected) in found.iter().zip(golden.take(6 * rows)) {
                assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "case {seed} {form:?}: {found} {expected}");
            }
            let cross_entropy = discriminator::cross_entropy(&expert_logit, &own_logit);
            let penalty = discriminator::gradient_penalty(form, &leaves, &expert, &own, &along, 0.9);
            let values = golden.take(2);
            for (loss, value) in [&cross_entropy, &penalty].into_iter().zip(values) {
                let expected = golden.take(params.values.len());
                let found = value_and_gradient(loss, &leaves);
                assert!((found[0] - value).abs() <= tolerance * value.abs().max(1.0), "case {seed} {form:?}: {} {value}", found[0]);
                let error = relative(&found[1..], &expected);
                assert!(error <= tolerance, "case {seed} {form:?} in {kind:?}: gradient off by {error:e}");
            }
        }
        golden.finish();
    }
}

/// DAPG's term in iteration 3 of 10, and the divergence from a clone a quarter of the way through a run: terms are f32.
#[test]
fn terms_are_pytorchs() {
    let mut golden = Golden::read("imitate/terms.f64");
    for seed in 0..60 {
        let mut s = Stream(seed);
        let (inputs, outputs, rows, shown) = (1 + s.below(6), 1 + s.below(4), 2 + s.below(20), 1 + s.below(40));
        let hidden = [vec![], vec![5], vec![17, 8]][s.below(3)].clone();
        let head = HEADS[s.below(3)];
        let learner = policy(&mut s, [inputs, outputs], &hidden, Activation::Tanh, head);
        let clone = policy(&mut s, [inputs, outputs], &hidden, Activation::Tanh, head);
        let (observation, advantage) = (s.numbers(rows * inputs), s.numbers(rows));
        let demonstrated = s.numbers(shown * inputs);
        let pairs = pairs(&demonstrated, &actions(&mut s, shown, outputs, &head), inputs);
        let empty = || Tensor::zeros([0], (Kind::Float, tch::Device::Cpu));
        let batch = |share: f64| Batch {
            observation: autograd::matrix(&observation, rows, inputs),
            action: empty(),
            log_prob: empty(),
            value: empty(),
            returns: empty(),
            advantage: Tensor::from_slice(&advantage),
            share,
            greatest_advantage: f64::from(advantage.iter().copied().fold(f32::NEG_INFINITY, f32::max)),
        };
        let dapg = dapg::term(&dapg::Config::default(), &pairs, None, 10.0, seed);
        let config = behaviour_regularised::Config { weight: 2.0, schedule: Schedule::Linear };
        let near = behaviour_regularised::term(&config, &clone);
        let leaves = autograd::leaves(&learner.params, Kind::Float);
        for (make, fraction) in [(dapg, 0.3), (near, 0.25)] {
            let loss = |index: usize, count: usize, share: f64| {
                let term: Box<dyn LossTerm> = make(index, count);
                value_and_gradient(&(term.loss(&learner.shape, &leaves, &batch(share), fraction) * share), &leaves)
            };
            let found = loss(0, 1, 1.0);
            // Three shards, each with its part: the same in all.
            let parts: Vec<Vec<f64>> = (0..3).map(|index| loss(index, 3, [0.5, 0.3, 0.2][index])).collect();
            let summed: Vec<f64> = (0..found.len()).map(|at| parts.iter().map(|part| part[at]).sum()).collect();
            let error = relative(&summed, &found);
            assert!(error <= 1e-5 || found.iter().all(|value| *value == 0.0), "case {seed} in parts: off by {error:e}");
            let expected = golden.take(1 + learner.params.values.len());
            assert!((found[0] - expected[0]).abs() <= 1e-5 * expected[0].abs().max(1.0), "case {seed}: {} {}", found[0], expected[0]);
            let error = relative(&found[1..], &expected[1..]);
            // Where every advantage is negative there is no pull at all.
            assert!(error <= 1e-5 || expected[1..].iter().all(|value| *value == 0.0), "case {seed} {head:?}: gradient off by {error:e}");
        }
    }
    golden.finish();
}
