//! Demonstrations: cloning, reading and recording them. The peers are `benches/peers/bc.py`, `benches/peers/read_table.py` and our own
//! rollout.

use crate::{Arguments, Clock, cpu_seconds, pool};
use heirloom::choose::Source;
use heirloom::demo::record::{self, Ask};
use heirloom::demo::{Demonstrations, Episode, Header, Recorder, Recording};
use heirloom::env::{ActionSpace, Channel, Registry, Spaces};
use heirloom::imitate::Pairs;
use heirloom::imitate::cloning::{Cloning, Lesson, Weights};
use heirloom::nn::{Activation, ActorCritic, Head};
use heirloom::policy::Policy;
use heirloom::rollout::collect::Choice;
use heirloom::rollout::{MakeEnv, evaluate};
use heirloom::seed::{Rng, Stream};
use heirloom::stop::Stop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const INPUTS: usize = 17;
const ACTIONS: usize = 6;

fn spaces() -> Spaces {
    let channels = |name: &str, count: usize, bound: f64| (0..count).map(|k| Channel::new(format!("{name}_{k}"), -bound, bound)).collect();
    Spaces { observation: channels("x", INPUTS, f64::INFINITY), action: ActionSpace::Continuous(channels("u", ACTIONS, 1.0)) }
}

/// Behaviour cloning of 100,000 random pairs by a 17-256-256-6 `ReLU` MLP, minibatches of 256: what `benches/peers/bc.py` does. A step is a
/// sample.
pub(crate) fn cloning(arguments: &Arguments) {
    const PAIRS: usize = 100_000;
    let head = Head::DiagonalGaussian { initial_log_std: 0.0 };
    let layers = vec![256, 256];
    let (actor, critic) = (layers.clone(), layers);
    let shape = ActorCritic { inputs: INPUTS, joined: 0, memory: 0, outputs: ACTIONS, actor, critic, activation: Activation::Relu, head };
    let params = shape.init(arguments.seed);
    let policy = Policy { params, shape, spaces: spaces(), normalizer: None, return_moments: None, inner_rates: None };
    let mut rng = Stream::Env(0).under(arguments.seed);
    let mixing: Vec<f64> = (0..ACTIONS * ACTIONS).map(|_| rng.normal()).collect();
    let mut pairs = Pairs::empty(INPUTS, ACTIONS);
    for _ in 0..PAIRS {
        let observation: [f64; INPUTS] = std::array::from_fn(|_| rng.normal());
        let mixed = |action: usize| (0..ACTIONS).map(|k| observation[k] * mixing[ACTIONS * k + action]).sum::<f64>().tanh();
        pairs.add(&observation, &std::array::from_fn::<_, ACTIONS, _>(|action| mixed(action) as f32), 0);
    }
    let seen = pairs.seen(None);
    let lesson = Lesson { pairs: &pairs, seen: &seen };
    let rates = vec![1.0; policy.params.layout().entries().len()];
    let mut cloning = Cloning::new(policy, &rates, 256, 1e-3, Weights { entropy: 1e-3, l2: 0.0 });
    let (pool, stop) = (pool(arguments.threads), Stop::new());
    let mut order = pairs.pairs.clone();
    let mut steps = |count: usize, rng: &mut Rng| {
        let (mut left, mut losses) = (count, None);
        while left > 0 {
            rng.shuffle(&mut order);
            let part = left.min(PAIRS);
            losses = Some(cloning.steps(&lesson, &order[..part], &pool, &stop).unwrap());
            left -= part;
        }
        losses
    };
    steps(20 * 256, &mut rng);
    let clock = Clock::start();
    let losses = steps(arguments.steps as usize, &mut rng);
    let loss = losses.map(|losses| losses.nll);
    let digest = cloning.policy().digest();
    clock.report(arguments, "bc", arguments.steps, serde_json::json!({"batch": 256, "nll": loss, "digest": digest}));
}

/// Where the set of a thousand random episodes lies that [`load`] and `benches/peers/read_table.py` read.
fn set_of_a_million(arguments: &Arguments) -> PathBuf {
    let path = arguments.folder.join("million");
    if Demonstrations::open(&path).is_ok_and(|set| set.is_finished() && set.steps() == 1_000_000) {
        return path;
    }
    let _ = std::fs::remove_dir_all(&path);
    let spec = Registry::standard().resolve("cartpole").unwrap();
    let recorder = Recorder::Import { format: "random".into(), name: "benches/speed".into(), sha256: String::new() };
    let mut recording = Recording::create(&path, Header::new(&spec, &spaces(), Vec::new(), recorder)).unwrap();
    let mut rng = Stream::Env(0).under(1);
    for _ in 0..1000 {
        let mut normal = |count: usize| (0..count).map(|_| rng.normal()).collect::<Vec<_>>();
        let (observations, rewards) = (normal(INPUTS * 1001), normal(1000));
        let actions = normal(ACTIONS * 1000).iter().map(|action| action.tanh()).collect();
        let episode = Episode { start: None, observations, actions, rewards, info: Vec::new(), terminated: false, truncated: true };
        recording.append(episode).unwrap();
    }
    recording.finish().unwrap();
    path
}

/// Reads a million transitions, every check on; the median of seven.
pub(crate) fn load(arguments: &Arguments) {
    let path = set_of_a_million(arguments);
    let pool = pool(arguments.threads);
    let read = || {
        let began = Instant::now();
        let episodes = Demonstrations::open(&path).unwrap().load(&pool).unwrap();
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(episodes.iter().map(Episode::len).sum::<usize>(), 1_000_000);
        seconds
    };
    read();
    let clock = Clock::start();
    let mut times: Vec<f64> = (0..7).map(|_| read()).collect();
    times.sort_by(f64::total_cmp);
    clock.report(arguments, "demo-load", 7_000_000, serde_json::json!({"median_seconds": times[3], "least_seconds": times[0]}));
}

/// Wall and CPU seconds.
fn since((began, cpu): (Instant, f64)) -> [f64; 2] {
    [began.elapsed().as_secs_f64(), cpu_seconds() - cpu]
}

/// Recording a policy beside the same policy acting alone, in turn, as many episodes each: the cost is what acting loses.
pub(crate) fn record(arguments: &Arguments) {
    let name = if arguments.setting == "a" { "cartpole" } else { &arguments.setting };
    let registry = Registry::standard();
    let (spec, source) = (registry.resolve(name).unwrap(), Source::load(name).unwrap());
    let built = spec.clone();
    let make: MakeEnv = Arc::new(move || registry.build(&built));
    let (pool, stop, choice, seed) = (pool(arguments.threads), Stop::new(), Choice::Mode, arguments.seed);
    let act = |episodes: usize| {
        let began = (Instant::now(), cpu_seconds());
        let finished = evaluate::evaluate(&source.policy, &make, episodes, choice, seed, &pool, &stop).unwrap();
        (finished.iter().map(|episode| episode.length).sum::<u64>(), since(began))
    };
    let (steps, _) = act(256);
    let episodes = (arguments.steps * 256).div_ceil(steps);
    let path = arguments.folder.join(format!("recorded-{name}"));
    let keep = |path: &Path| {
        let _ = std::fs::remove_dir_all(path);
        let recorder = Recorder::Keyboard { seed };
        let header = Header::new(&spec, make().unwrap().spaces(), record::info(choice), recorder);
        let began = (Instant::now(), cpu_seconds());
        let mut recording = Recording::create(path, header).unwrap();
        let ask = Ask { episodes, choice, seed, min_return: None };
        record::record(&source.policy, &make, &ask, &mut recording, &pool, &stop, |_| {}).unwrap();
        recording.finish().unwrap();
        let seconds = since(began);
        (Demonstrations::open(path).unwrap().steps(), seconds)
    };
    let clock = Clock::start();
    let (mut acting, mut recording, mut steps) = (Vec::new(), Vec::new(), 0);
    let rate = |(steps, [wall, cpu]): (u64, [f64; 2])| [steps as f64 / wall, cpu / steps as f64 * 1e9];
    for _ in 0..5 {
        acting.push(rate(act(episodes as usize)));
        let kept = keep(&path);
        steps += kept.0;
        recording.push(rate(kept));
    }
    let _ = std::fs::remove_dir_all(&path);
    let median = |rates: &[[f64; 2]], which: usize| {
        let mut rates: Vec<f64> = rates.iter().map(|rate| rate[which]).collect();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let [act, keep] = [&acting, &recording].map(|rates| median(rates, 0));
    let [act_cpu, keep_cpu] = [&acting, &recording].map(|rates| median(rates, 1));
    let extra = serde_json::json!({
        "acting": act, "recording": keep, "cost": 1.0 - keep / act, "episodes": episodes,
        "acting_cpu_ns_per_step": act_cpu, "recording_cpu_ns_per_step": keep_cpu,
    });
    clock.report(arguments, &format!("demo-record/{name}"), steps, extra);
}
