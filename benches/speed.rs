//! How fast we are, one measurement a process, one JSON line in the peers' form (`benches/peers/common.py`): `benches/side_by_side.py` runs
//! ours and theirs in turn and prints ratios. `cargo bench --bench speed -- TASK [--threads N] [--steps N] [--envs N] [--setting a|b] [--env NAME]`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "counts become rates")]

#[path = "speed/demonstrations.rs"]
mod demonstrations;
#[path = "speed/meta.rs"]
mod meta;
#[path = "speed/sac.rs"]
mod sac;

use heirloom::env::{Action, ActionSpace, Registry};
use heirloom::learn::Learner;
use heirloom::learn::Schedule;
use heirloom::learn::ppo::{Config, Ppo, Start};
use heirloom::nn::{Activation, ActorCritic, Head, Network, Workspace, autograd, kernel::CHUNK};
use heirloom::parallel::Pool;
use heirloom::rollout::{Environments, MakeEnv, default_shards, shard_range};
use heirloom::seed::Stream;
use heirloom::stop::Stop;
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

struct Arguments {
    task: String,
    setting: String,
    /// A short name, where the task can be done in any.
    env: String,
    threads: usize,
    steps: u64,
    envs: usize,
    seed: u64,
    target: f64,
    /// For what is written and read.
    folder: std::path::PathBuf,
}

fn main() {
    autograd::configure_process();
    // Cargo adds `--bench`; it says nothing to us.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let option = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let number = |name: &str, default: f64| option(name).map_or(default, |text| text.parse().expect(name));
    let arguments = Arguments {
        task: words.first().cloned().unwrap_or_default(),
        setting: option("--setting").cloned().unwrap_or_else(|| "a".into()),
        env: option("--env").cloned().unwrap_or_else(|| "cartpole".into()),
        threads: number("--threads", 2.0) as usize,
        steps: number("--steps", 1e6) as u64,
        envs: number("--envs", 0.0) as usize,
        seed: number("--seed", 1.0) as u64,
        target: number("--target", 0.0),
        folder: std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demonstrations"),
    };
    match arguments.task.as_str() {
        "env-step" => env_step(&arguments),
        "bare-loop" => bare_loop(&arguments),
        "ppo" => ppo(&arguments),
        "infer" => infer(&arguments),
        "memory" => memory(&arguments),
        "cloning" => demonstrations::cloning(&arguments),
        "demo-load" => demonstrations::load(&arguments),
        "demo-record" => demonstrations::record(&arguments),
        "maml" => meta::maml(&arguments),
        "sac" => sac::sac(&arguments),
        other => {
            eprintln!("there is no task `{other}`: env-step, bare-loop, ppo, infer, memory, cloning, demo-load, demo-record, maml, sac");
        }
    }
}

/// CPU seconds of this process, user and system.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

struct Clock(Instant, f64);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu_seconds())
    }

    fn report(&self, arguments: &Arguments, task: &str, steps: u64, mut extra: serde_json::Value) {
        let (seconds, cpu) = (self.0.elapsed().as_secs_f64(), cpu_seconds() - self.1);
        extra["peer"] = "heirloom".into();
        extra["task"] = task.into();
        extra["steps"] = steps.into();
        extra["seconds"] = seconds.into();
        extra["cpu_seconds"] = cpu.into();
        extra["steps_per_second"] = (steps as f64 / seconds).into();
        extra["threads"] = arguments.threads.into();
        println!("{extra}");
    }
}

fn pool(threads: usize) -> Arc<Pool> {
    Arc::new(Pool::new(threads, autograd::use_one_thread).unwrap())
}

fn maker(env: &str) -> MakeEnv {
    let registry = Registry::standard();
    let spec = registry.resolve(env).unwrap();
    Arc::new(move || registry.build(&spec))
}

/// The parallel vector with random actions: resets, time limits, checks, streams and all.
fn env_step(arguments: &Arguments) {
    let envs = if arguments.envs == 0 { 1024 } else { arguments.envs };
    let make = maker(&arguments.env);
    let shards = default_shards(envs);
    let mut parts: Vec<(Environments, heirloom::seed::Rng)> = (0..shards)
        .map(|index| {
            let range = shard_range(envs, shards, index);
            (
                Environments::start(&make, range, arguments.seed, Stream::Env).unwrap(),
                Stream::ActionNoise(index as u64).under(arguments.seed),
            )
        })
        .collect();
    let pool = pool(arguments.threads);
    let space = make().unwrap().spaces().action.clone();
    let rounds = arguments.steps / envs as u64;
    let clock = Clock::start();
    pool.each(&mut parts, |_, (environments, noise)| {
        let mut values = vec![0.0; space.width()];
        for _ in 0..rounds {
            for index in 0..environments.len() {
                let action = match &space {
                    ActionSpace::Discrete(_) => Action::Discrete(usize::from(noise.unit_f32() < 0.5)),
                    ActionSpace::Continuous(channels) => {
                        let drawn = channels.iter().map(|channel| channel.low + (channel.high - channel.low) * f64::from(noise.unit_f32()));
                        values.iter_mut().zip(drawn).for_each(|(value, drawn)| *value = drawn);
                        Action::Continuous(&values)
                    }
                };
                environments.step(index, action).unwrap();
            }
            environments.finished.clear();
        }
    });
    clock.report(arguments, &format!("env-step:{}", arguments.env), rounds * envs as u64, serde_json::json!({"envs": envs}));
}

/// The same physics in a plain loop: what the vector is measured against.
fn bare_loop(arguments: &Arguments) {
    let mut rng = Stream::Env(0).under(arguments.seed);
    let mut state = [0.0_f64; 4];
    let (mut steps_in_episode, mut sum) = (0, 0.0);
    let clock = Clock::start();
    for _ in 0..arguments.steps {
        let force = if rng.unit_f32() < 0.5 { 10.0 } else { -10.0 };
        let [x, x_dot, theta, theta_dot] = state;
        let (sin, cos) = theta.sin_cos();
        let pushed = (force + 0.05 * theta_dot * theta_dot * sin) / 1.1;
        let angular = (9.8 * sin - cos * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        let linear = pushed - 0.05 * angular * cos / 1.1;
        state = [x + 0.02 * x_dot, x_dot + 0.02 * linear, theta + 0.02 * theta_dot, theta_dot + 0.02 * angular];
        steps_in_episode += 1;
        if state[0].abs() > 2.4 || state[2].abs() > 0.209_439_510_239_319_53 || steps_in_episode == 500 {
            state = std::array::from_fn(|_| rng.uniform(-0.05, 0.05));
            steps_in_episode = 0;
        }
        sum += state[0];
    }
    black_box(sum);
    clock.report(arguments, "bare-loop:CartPole-v1", arguments.steps, serde_json::json!({}));
}

/// Settings a and b of `benches/peers/common.py`.
fn setting(env: &str, name: &str) -> Config {
    let base =
        Config { learning_rate_schedule: Schedule::Constant, entropy_coefficient: 0.0, value_coefficient: 0.25, ..Config::default() };
    let robot = Config { learning_rate: 3e-4, normalize_observations: true, normalize_returns: true, ..base.clone() };
    match (env, name) {
        ("half_cheetah", "b") => Config { environments: 64, steps: 64, minibatch: 1024, ..robot },
        ("half_cheetah", _) => Config { environments: 1, steps: 2048, minibatch: 64, epochs: 10, ..robot },
        (_, "b") => Config { environments: 1024, steps: 32, minibatch: 8192, learning_rate: 3e-3, ..base },
        _ => Config { environments: 8, steps: 128, minibatch: 256, learning_rate: 1e-3, ..base },
    }
}

fn learner(arguments: &Arguments) -> (Ppo, Config) {
    let config = setting(&arguments.env, &arguments.setting);
    let make = maker(&arguments.env);
    let start = Start::fresh(&config, make().unwrap().spaces(), arguments.seed).unwrap();
    (Ppo::new(config.clone(), start, &make, &[], arguments.steps, arguments.seed, pool(arguments.threads)).unwrap(), config)
}

/// PPO; with `--target`, until the mean of the last 100 training episodes reaches it. Counts the operations of the update's
/// matrix products, for the share of the machine's sgemm.
fn ppo(arguments: &Arguments) {
    let (mut learner, config) = learner(arguments);
    let stop = Stop::new();
    if arguments.target == 0.0 {
        learner.advance(&stop).unwrap();
    }
    let warm = learner.steps();
    let (mut update_seconds, mut updates) = (0.0, 0_u64);
    let mut last: VecDeque<f64> = VecDeque::new();
    let mut reached = None;
    let clock = Clock::start();
    while learner.steps() - warm < arguments.steps && reached.is_none() {
        learner.collect(&stop).unwrap();
        let began = Instant::now();
        let progress = learner.update(&stop).unwrap();
        update_seconds += began.elapsed().as_secs_f64();
        updates += 1;
        last.extend(progress.episodes.iter().map(|episode| episode.total));
        while last.len() > 100 {
            last.pop_front();
        }
        let mean = last.iter().sum::<f64>() / last.len().max(1) as f64;
        if arguments.target > 0.0 && last.len() == 100 && mean >= arguments.target {
            reached = Some(clock.0.elapsed().as_secs_f64());
        }
    }
    let shape = learner.policy().shape;
    let row = [shape.actor_mlp(), shape.critic_mlp()].iter().map(|mlp| mlp.forward_flops() + mlp.backward_flops()).sum::<usize>();
    let flops = row as u64 * config.rollout_steps() * config.epochs as u64 * updates;
    let extra = serde_json::json!({
        "setting": arguments.setting,
        "seconds_to_target": reached,
        "final_return": last.iter().sum::<f64>() / last.len().max(1) as f64,
        "update_s": update_seconds,
        "update_gflops": flops as f64 / update_seconds / 1e9,
        "flops_per_row_and_epoch": row,
    });
    clock.report(arguments, &format!("{}-ppo/{}", arguments.env, arguments.setting), learner.steps() - warm, extra);
}

/// One policy step of a 17-64-64-6 tanh MLP: array in, array out.
fn infer(arguments: &Arguments) {
    let batch = arguments.envs.max(1);
    let head = Head::DiagonalGaussian { initial_log_std: 0.0 };
    let shape = ActorCritic {
        inputs: 17,
        joined: 0,
        memory: 0,
        outputs: 6,
        actor: vec![64, 64],
        critic: vec![],
        activation: Activation::Tanh,
        head,
    };
    let network = Network::new(&shape, &shape.init(arguments.seed));
    let mut workspace = Workspace::new(&shape);
    let mut rng = Stream::Env(0).under(arguments.seed);
    let inputs: Vec<Vec<f32>> = (0..64).map(|_| (0..17 * batch).map(|_| rng.normal() as f32).collect()).collect();
    let mut output = vec![0.0_f32; 6 * batch];
    let mut times = Vec::with_capacity(arguments.steps as usize);
    let clock = Clock::start();
    for call in 0..arguments.steps as usize {
        let began = Instant::now();
        let input = black_box(&inputs[call % 64]);
        for start in (0..batch).step_by(CHUNK) {
            let rows = CHUNK.min(batch - start);
            for row in 0..rows {
                workspace.input_row(row).copy_from_slice(&input[17 * (start + row)..][..17]);
            }
            network.forward_actor(rows, &mut workspace);
            for row in 0..rows {
                output[6 * (start + row)..][..6].copy_from_slice(workspace.outputs(row));
            }
        }
        black_box(&output);
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    clock.report(arguments, &format!("infer-b{batch}"), arguments.steps, serde_json::json!({"p50_us": at(0.5), "p99_us": at(0.99)}));
}

/// Resident memory over a long run: its slope after the first tenth, in bytes per 100,000 steps.
fn memory(arguments: &Arguments) {
    let (mut learner, _) = learner(arguments);
    let stop = Stop::new();
    let mut points: Vec<(f64, f64)> = Vec::new();
    let clock = Clock::start();
    while learner.steps() < arguments.steps {
        learner.advance(&stop).unwrap();
        if learner.steps() >= arguments.steps / 10 {
            points.push((learner.steps() as f64, resident_bytes()));
        }
    }
    let count = points.len() as f64;
    let (mean_x, mean_y) =
        (points.iter().map(|point| point.0).sum::<f64>() / count, points.iter().map(|point| point.1).sum::<f64>() / count);
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>()
        / points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
    clock.report(
        arguments,
        "memory",
        learner.steps(),
        serde_json::json!({"bytes_per_100k_steps": slope * 1e5, "resident_bytes": resident_bytes()}),
    );
}

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}
