//! The classic control tasks do what Gymnasium 1.4.0's do: single steps, whole episodes with their ends, and the law of the start.
//!
//! Golden data and the script that records it lie in `golden/gymnasium`; `HEIRLOOM_GOLDEN` names a folder with another recording, such
//! as the long one of 200,000 steps. Figures are those of RELIABILITY.md, section 2; what is not exact is printed (`--nocapture`).

use heirloom::env::{Action, ActionSpace, Env, Registry, Snapshot, Step};
use heirloom::file::digest;
use heirloom::seed::{Rng, Stream};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TASKS: [&str; 5] = ["cartpole", "mountain_car", "mountain_car_continuous", "pendulum", "acrobot"];

#[derive(Deserialize)]
struct Manifest {
    gymnasium: String,
    files: BTreeMap<String, Layout>,
}

/// How a file is laid out.
#[derive(Deserialize)]
struct Layout {
    columns: Vec<(String, String)>,
    rows: usize,
    sha256: String,
}

/// Rows of numbers with named columns.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    fn read(task: &str, part: &str) -> Self {
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gymnasium/data");
        let folder = std::env::var_os("HEIRLOOM_GOLDEN").map_or(built_in, PathBuf::from);
        let manifest: Manifest = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest.gymnasium, "1.4.0");
        let name = format!("{task}.{part}");
        let Layout { columns, rows, sha256 } = &manifest.files[&name];
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        assert_eq!(digest::of_bytes(&bytes), *sha256, "{name}");
        let mut rest = bytes.as_slice();
        let mut take = |kind: &str| match kind {
            "f64" => f64::from_le_bytes(front(&mut rest)),
            "f32" => f64::from(f32::from_le_bytes(front(&mut rest))),
            "u16" => f64::from(u16::from_le_bytes(front(&mut rest))),
            _ => panic!("{name} has a column of {kind}"),
        };
        let rows = (0..*rows).map(|_| columns.iter().map(|(_, kind)| take(kind)).collect()).collect();
        assert!(rest.is_empty(), "{name} is longer than its rows");
        Self { names: columns.iter().map(|(name, _)| name.clone()).collect(), rows }
    }

    fn column(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap()
    }
}

fn front<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (first, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    *first
}

/// One of our environments, with its state laid open.
struct Ours {
    env: Box<dyn Env>,
    rng: Rng,
    observation: Vec<f64>,
    discrete: bool,
    /// Whether it remembers the precision of its state.
    has_precision: bool,
}

impl Ours {
    fn new(name: &str) -> Self {
        let registry = Registry::standard();
        let env = registry.build(&registry.resolve(name).unwrap()).unwrap();
        let observation = vec![0.0; env.spaces().observation.len()];
        let discrete = matches!(env.spaces().action, ActionSpace::Discrete(_));
        Self { env, rng: Stream::Env(0).under(0), observation, discrete, has_precision: name == "mountain_car_continuous" }
    }

    fn set(&mut self, elapsed: f64, state: &[f64], single: f64) {
        let precision = if self.has_precision { vec![single] } else { Vec::new() };
        let numbers = [&[elapsed, 1.0], state, &precision].concat();
        self.env.restore(&mut Snapshot::from_numbers(numbers)).unwrap();
    }

    fn state(&self) -> Vec<f64> {
        let mut snapshot = Snapshot::default();
        self.env.snapshot(&mut snapshot);
        let numbers = snapshot.numbers();
        numbers[2..numbers.len() - usize::from(self.has_precision)].to_vec()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "recorded as an index")]
    fn step(&mut self, action: f64) -> Step {
        let values = [action];
        let action = if self.discrete { Action::Discrete(action as usize) } else { Action::Continuous(&values) };
        self.env.step(action, &mut self.rng, &mut self.observation).unwrap()
    }
}

/// The largest `|a - b| / max(1, |b|)`.
fn error(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

/// What is seen of a state.
fn seen(task: &str, state: &[f64]) -> Vec<f64> {
    match (task, state) {
        ("pendulum", [angle, velocity]) => vec![angle.cos(), angle.sin(), *velocity],
        ("acrobot", [one, two, velocity_1, velocity_2]) => vec![one.cos(), one.sin(), two.cos(), two.sin(), *velocity_1, *velocity_2],
        _ => state.to_vec(),
    }
}

/// Both tell the same end. Gymnasium's limit also truncates what terminates in the same step; here termination outranks.
fn same_end(ours: Step, terminated: f64, truncated: f64) -> bool {
    let (terminated, truncated) = (terminated != 0.0, truncated != 0.0);
    ours.terminated == terminated && ours.truncated == (truncated && !terminated)
}

#[test]
fn a_single_step_is_gymnasiums() {
    for task in TASKS {
        let table = Table::read(task, "steps");
        let mut ours = Ours::new(task);
        let (single, action, reward) = (table.column("single"), table.column("action"), table.column("reward"));
        let (mut largest, mut exact) = (0.0_f64, 0);
        let (mut terminated, mut truncated) = (0, 0);
        for (index, row) in table.rows.iter().enumerate() {
            ours.set(row[0], &row[1..single], row[single]);
            let step = ours.step(row[action]);
            let next = &row[action + 1..reward];
            let apart = [error(&ours.state(), next), error(&ours.observation, &seen(task, next)), error(&[step.reward], &[row[reward]])];
            let apart = apart.into_iter().fold(0.0, f64::max);
            assert!(apart <= 1e-12, "{task}: row {index} is {apart:e} apart: {row:?} became {:?}, {step:?}", ours.state());
            assert!(same_end(step, row[reward + 1], row[reward + 2]), "{task}: row {index} ends otherwise: {row:?}, {step:?}");
            largest = largest.max(apart);
            exact += usize::from(apart == 0.0);
            terminated += usize::from(step.terminated);
            truncated += usize::from(step.truncated);
        }
        let rows = table.rows.len();
        println!("{task}: {rows} steps, {exact} exact, largest error {largest:.1e}; {terminated} terminated, {truncated} truncated");
        assert!(truncated > 10 && (terminated > 10 || task == "pendulum"), "{task}: the rows try no ends");
    }
}

#[test]
fn an_episode_is_gymnasiums_from_its_start_to_its_end() {
    for task in TASKS {
        let table = Table::read(task, "episodes");
        // Two links that swing over are chaotic: a rounding grows tenfold in some ten steps.
        let (compared, tolerance) = if task == "acrobot" { (100.0, 1e-6) } else { (200.0, 1e-9) };
        let (action, reward) = (table.column("action"), table.column("reward"));
        let mut ours = Ours::new(task);
        let (mut largest, mut ended) = (0.0_f64, true);
        let mut ends = BTreeMap::new();
        for row in &table.rows {
            let (episode, step) = (row[0], row[1]);
            if step == 0.0 {
                assert!(ended, "{task}: the episode before {episode} goes on here");
                ours.set(0.0, &row[action + 1..reward], 0.0);
                ended = false;
                continue;
            }
            assert!(!ended, "{task}: episode {episode} ends here before step {step}");
            let outcome = ours.step(row[action]);
            if step <= compared {
                let apart = error(&ours.state(), &row[action + 1..reward]);
                assert!(apart <= tolerance, "{task}: episode {episode} is {apart:e} apart after {step} steps");
                largest = largest.max(apart);
            }
            assert!(error(&[outcome.reward], &[row[reward]]) <= tolerance.max(1e-12), "{task}: episode {episode}, reward of step {step}");
            assert!(same_end(outcome, row[reward + 1], row[reward + 2]), "{task}: episode {episode} ends otherwise at step {step}");
            ended = outcome.ended();
            if ended {
                *ends
                    .entry(if outcome.terminated { format!("terminated at {step}") } else { format!("truncated at {step}") })
                    .or_insert(0) += 1;
            }
        }
        assert!(ended, "{task}: the last episode goes on here");
        println!("{task}: largest error in the first {compared} steps {largest:.1e}; episodes {ends:?}");
        let limit = match task {
            "cartpole" | "acrobot" => 500,
            "mountain_car_continuous" => 999,
            _ => 200,
        };
        assert!(ends.contains_key(&format!("truncated at {limit}")), "{task}: no episode reached the limit");
    }
}

#[test]
fn starts_follow_gymnasiums_law() {
    for task in TASKS {
        let table = Table::read(task, "resets");
        let mut ours = Ours::new(task);
        let starts: Vec<Vec<f64>> = (0..table.rows.len())
            .map(|_| {
                ours.env.reset(&mut ours.rng, &mut ours.observation).unwrap();
                ours.state()
            })
            .collect();
        for (component, name) in table.names.iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "recorded in single precision")]
            let mut here: Vec<f64> = starts.iter().map(|start| f64::from(start[component] as f32)).collect();
            here.sort_by(f64::total_cmp);
            let there: Vec<f64> = table.rows.iter().map(|row| row[component]).collect();
            let p = same_law(&here, &there);
            println!("{task}: start {name}, Kolmogorov-Smirnov p = {p:.3}");
            // One seed, so this never flickers; another seed would fail a correct build once in 1e4 components.
            assert!(p > 1e-4, "{task}: the start's {name} has another law, p = {p:e}");
        }
    }
}

/// The p-value of the two-sample Kolmogorov-Smirnov test for two sorted samples of one size (asymptotic; Press et al. 2007, eq. 14.3.18).
#[expect(clippy::cast_precision_loss, reason = "samples are small")]
fn same_law(one: &[f64], two: &[f64]) -> f64 {
    assert_eq!(one.len(), two.len());
    let up_to = |sample: &[f64], value: f64| sample.partition_point(|other| *other <= value) as f64 / sample.len() as f64;
    let distance = one.iter().chain(two).map(|value| (up_to(one, *value) - up_to(two, *value)).abs()).fold(0.0, f64::max);
    let half = (one.len() as f64 / 2.0).sqrt();
    let scaled = (half + 0.12 + 0.11 / half) * distance;
    if scaled < 0.2 {
        return 1.0;
    }
    let term = |k: f64| 2.0 * (-1.0_f64).powf(k - 1.0) * (-2.0 * k * k * scaled * scaled).exp();
    (1..=100).map(|k| term(f64::from(k))).sum::<f64>().clamp(0.0, 1.0)
}

#[test]
fn the_law_test_tells_laws_apart() {
    let grid = |shift: f64| (0..10_000).map(|k| (f64::from(k) + 0.5) / 10_000.0 + shift).collect::<Vec<f64>>();
    assert!(same_law(&grid(0.0), &grid(0.0)) > 0.999_999);
    assert!(same_law(&grid(0.0), &grid(0.02)) > 0.03);
    assert!(same_law(&grid(0.0), &grid(0.04)) < 1e-5);
}

#[test]
fn a_cart_that_is_pushed_gets_this_fast() {
    let mut ours = Ours::new("cartpole");
    ours.set(0.0, &[0.01, 0.02, 0.03, 0.04], 0.0);
    ours.step(1.0);
    assert!((ours.observation[1] - 0.214_679_195_748).abs() < 1e-12, "{}", ours.observation[1]);
}

#[test]
fn a_full_continuous_force_is_the_discrete_one_bit_for_bit() {
    let (mut discrete, mut continuous) = (Ours::new("cartpole"), Ours::new("cartpole_continuous"));
    let mut choice = Stream::ActionNoise(0).under(0);
    for _ in 0..200 {
        discrete.env.reset(&mut discrete.rng, &mut discrete.observation).unwrap();
        continuous.env.reset(&mut continuous.rng, &mut continuous.observation).unwrap();
        loop {
            let right = choice.below(2) == 1;
            let steps = [discrete.step(f64::from(u8::from(right))), continuous.step(if right { 1.0 } else { -1.0 })];
            assert_eq!(steps[0], steps[1]);
            assert_eq!(
                discrete.observation.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                continuous.observation.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            );
            if steps[0].ended() {
                break;
            }
        }
    }
}
