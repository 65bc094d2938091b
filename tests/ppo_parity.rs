//! PPO losses, their gradients and Adam against PyTorch: `tests/golden/ppo/record.py` is the other side.

mod golden;

use golden::{Golden, Stream, relative};
use heirloom::learn::Batch;
use heirloom::learn::ppo::fused_gradient;
use heirloom::learn::ppo::loss::{self, Weights};
use heirloom::nn::adam::{self, Coefficients};
use heirloom::nn::{Activation, ActorCritic, Adam, Head, Layout, Params, autograd};
use heirloom::rollout::Rollout;
use std::sync::Arc;
use tch::{Kind, Tensor};

const CASES: u64 = 500;

struct Case {
    shape: ActorCritic,
    params: Params,
    columns: [Vec<f32>; 4],
    observation: Vec<f32>,
    action: Vec<f32>,
    rows: usize,
    value_clip: Option<f64>,
}

/// Draws a case in the order in which `record.py` does.
fn case(seed: u64) -> Case {
    let mut s = Stream(seed);
    let (inputs, outputs, rows) = (1 + s.below(6), 1 + s.below(4), 2 + s.below(30));
    let hidden = [vec![], vec![5], vec![17, 8], vec![16]][s.below(4)].clone();
    let activation = [Activation::Tanh, Activation::Relu][s.below(2)];
    let categorical = s.below(2) == 0;
    let value_clip = (s.below(2) == 0).then_some(0.3);
    let head = if categorical { Head::Categorical } else { Head::DiagonalGaussian { initial_log_std: 0.0 } };
    let shape = ActorCritic { inputs, joined: 0, memory: 0, outputs, actor: hidden.clone(), critic: hidden, activation, head };
    let mut params = Params::zeros(shape.layout());
    params.values = s.numbers(params.values.len());
    let observation = s.numbers(rows * inputs);
    let action = if categorical {
        (0..rows).map(|_| s.index(outputs)).collect()
    } else {
        s.numbers(rows * outputs).into_iter().map(|number| number * 2.0).collect()
    };
    let columns = [s.numbers(rows), s.numbers(rows), s.numbers(rows), s.numbers(rows)];
    Case { shape, params, columns, observation, action, rows, value_clip }
}

/// Losses and gradient of a case through autograd in `kind`.
fn autograd_of(case: &Case, kind: Kind) -> Vec<f64> {
    let column = |index: usize| Tensor::from_slice(&case.columns[index]).to_kind(kind);
    let matrix = |values: &[f32]| autograd::matrix(values, case.rows, values.len() / case.rows).to_kind(kind);
    let batch = Batch {
        observation: matrix(&case.observation),
        action: matrix(&case.action),
        log_prob: column(0),
        value: column(1),
        returns: column(2),
        advantage: column(3),
        share: 1.0,
        greatest_advantage: 0.0,
    };
    let weights = Weights { clip: 0.2, value_clip: case.value_clip, value: 0.5, entropy: 0.01 };
    let leaves = autograd::leaves(&case.params, kind);
    let [total, parts @ ..] = loss::loss(&case.shape, &leaves, &batch, &weights);
    let gradients = Tensor::run_backward(&[total], &leaves, false, false);
    let mut out: Vec<f64> = parts.iter().map(|part| part.double_value(&[])).collect();
    for gradient in gradients {
        out.extend(Vec::<f64>::try_from(gradient.to_kind(Kind::Double).view([-1])).unwrap());
    }
    out
}

#[test]
fn losses_and_gradients_are_pytorchs_in_f64_and_f32() {
    let mut golden = Golden::read("ppo/losses.f64");
    for seed in 0..CASES {
        let case = case(seed);
        let expected = golden.take(5 + case.params.values.len());
        for (kind, tolerance) in [(Kind::Double, 1e-9), (Kind::Float, 1e-5)] {
            let found = autograd_of(&case, kind);
            for part in 0..5 {
                let error = (found[part] - expected[part]).abs();
                assert!(error <= tolerance * expected[part].abs().max(1.0), "case {seed}, part {part}: {} {}", found[part], expected[part]);
            }
            let error = relative(&found[5..], &expected[5..]);
            assert!(error <= tolerance, "case {seed} in {kind:?}: gradient off by {error:e}");
        }
    }
    golden.finish();
}

#[test]
fn the_fused_update_is_pytorchs() {
    let mut golden = Golden::read("ppo/losses.f64");
    for seed in 0..CASES {
        let case = case(seed);
        let expected = golden.take(5 + case.params.values.len());
        let [log_prob, value, returns, advantage] = &case.columns;
        let mut rollout = Rollout::new(case.rows, case.shape.inputs, case.action.len() / case.rows);
        rollout.observation.clone_from(&case.observation);
        rollout.action.clone_from(&case.action);
        rollout.log_prob.clone_from(log_prob);
        rollout.value.clone_from(value);
        rollout.returns.clone_from(returns);
        rollout.advantage.clone_from(advantage);
        let weights = Weights { clip: 0.2, value_clip: case.value_clip, value: 0.5, entropy: 0.01 };
        let (terms, gradient) = fused_gradient(&case.shape, &case.params, &rollout, weights);
        let parts = [terms.surrogate, terms.value, terms.entropy, terms.approx_kl, terms.clip_fraction];
        for (part, (found, expected)) in parts.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "case {seed}, part {part}: {found} {expected}");
        }
        let gradient: Vec<f64> = gradient.iter().map(|value| f64::from(*value)).collect();
        let error = relative(&gradient, &expected[5..]);
        assert!(error <= 1e-5, "case {seed}: gradient off by {error:e}");
    }
}

/// Parameters of Adam and `AdamW` after 1, 10, 100 and 1,000 steps: the formula in f64, the optimiser in f32, each against PyTorch's own in
/// that precision.
#[test]
fn a_thousand_steps_of_adam_are_pytorchs() {
    let mut golden = Golden::read("ppo/adam.f64");
    let mut check = |found: &[f64], step: u64, tolerance: f64| {
        if [1, 10, 100, 1000].contains(&step) {
            let error = relative(found, &golden.take(16));
            assert!(error <= tolerance, "step {step}: off by {error:e}");
        }
    };
    for weight_decay in [0.0, 0.05] {
        let config = adam::Config { weight_decay, ..adam::Config::default() };
        let to_f64 = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();

        let mut s = Stream(7);
        let mut wide = to_f64(&s.numbers(16));
        let (mut first, mut second) = (vec![0.0; 16], vec![0.0; 16]);
        for step in 1..=1000 {
            let gradient = to_f64(&s.numbers(16));
            adam::update(&mut wide, &gradient, &mut first, &mut second, &Coefficients::new(&config, 3e-3, 1.0, step));
            check(&wide, step, 1e-9);
        }

        let mut s = Stream(7);
        let mut layout = Layout::default();
        layout.push("p", &[16]);
        let layout = Arc::new(layout);
        let mut narrow = Params::zeros(Arc::clone(&layout));
        narrow.values = s.numbers(16);
        let mut optimizer = Adam::new(config, &layout);
        for step in 1..=1000 {
            optimizer.step(&mut narrow, &mut s.numbers(16), 3e-3, 1e9, &[1.0]).unwrap();
            check(&to_f64(&narrow.values), step, 1e-5);
        }
    }
}
