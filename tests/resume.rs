//! A run that was stopped, anywhere and by anything, and then resumed is the run that was not: the same state, the same logs, bit for
//! bit, with any number of threads.

mod lessons;
mod program;

use heirloom::Result;
use heirloom::choose::{Configuration, Job, Method, Source};
use heirloom::env::Registry;
use heirloom::learn::{Learner, Schedule, State, dqn, sac, td3};
use heirloom::nn::{Activation, Head};
use heirloom::parallel::Pool;
use heirloom::seed::Stream;
use heirloom::stop::Stop;
use lessons::small_jobs;
use program::Program;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// Small learners that between them use everything a state must hold.
fn jobs() -> Vec<(&'static str, Job)> {
    let small = |configuration: &mut Configuration| {
        configuration.ppo.environments = 6;
        configuration.ppo.steps = 24;
        configuration.ppo.minibatch = 50;
        configuration.ppo.shards = Some(3);
        configuration.ppo.actor = vec![16, 16];
        configuration.ppo.critic = vec![16];
    };
    let job = |environment: &str, method: Method, change: &dyn Fn(&mut Configuration)| {
        let mut configuration = method.configuration(heirloom::learn::ppo::Config::default(), None);
        small(&mut configuration);
        change(&mut configuration);
        let usual = Job::new(Registry::standard().resolve(environment).unwrap(), method, configuration, 144 * 12, 5);
        Job { evaluations: 3, evaluation_episodes: 2, evaluation_seed: 1, checkpoint_every: Some(1), ..usual }
    };
    let normalised = |configuration: &mut Configuration| {
        configuration.ppo.normalize_observations = true;
        configuration.ppo.normalize_returns = true;
        configuration.ppo.clip_schedule = Schedule::Linear;
        configuration.ppo.target_kl = Some(0.003);
        configuration.ppo.value_clip = Some(0.2);
    };
    let gaussian = |configuration: &mut Configuration| {
        normalised(configuration);
        configuration.ppo.head = Some(Head::SquashedGaussian { initial_log_std: -0.5 });
    };
    let libtorch = |configuration: &mut Configuration| configuration.ppo.activation = Activation::Silu;
    vec![
        ("plain", job("cartpole", Method::Scratch, &|_| {})),
        ("normalised, scheduled, stopped early by KL", job("cartpole", Method::Scratch, &normalised)),
        ("continuous", job("classic/cartpole_continuous", Method::Scratch, &gaussian)),
        ("through libtorch", job("cartpole", Method::Scratch, &libtorch)),
        (
            "frozen layers",
            transferred(job("cartpole", Method::FeatureExtraction, &normalised), &job("cartpole", Method::Scratch, &normalised)),
        ),
        ("critic warm-up", transferred(job("cartpole", Method::FineTune, &normalised), &job("cartpole", Method::Scratch, &normalised))),
    ]
}

/// The same for what learns from a replay buffer, which wraps in the second half of the run.
fn replaying() -> Vec<(&'static str, Job)> {
    let job = |environment: &str, method: Method, change: &dyn Fn(&mut Configuration)| {
        let environment = Registry::standard().resolve(environment).unwrap();
        let (mut configuration, _) = heirloom::choose::catalogue::known(method, &environment.simulator);
        change(&mut configuration);
        Job {
            evaluations: 3,
            evaluation_episodes: 2,
            evaluation_seed: 1,
            checkpoint_every: Some(1),
            ..Job::new(environment, method, configuration, 1200, 5)
        }
    };
    let sac = |change: &dyn Fn(&mut sac::Config)| {
        job("pendulum", Method::Sac, &|configuration| {
            let base =
                sac::Config { warm_up: 150, buffer: 700, minibatch: 200, actor: vec![16, 16], critic: vec![24], ..sac::Config::default() };
            change(configuration.sac.insert(base));
        })
    };
    let td3 = job("pendulum", Method::Td3, &|configuration| {
        let base = td3::Config {
            warm_up: 150,
            buffer: 700,
            minibatch: 64,
            actor: vec![16],
            critic: vec![24, 8],
            n_step: 2,
            ..td3::Config::default()
        };
        configuration.td3 = Some(base);
    });
    let dqn = |double: bool, dueling: bool| {
        job("cartpole", Method::Dqn, &|configuration| {
            let base =
                dqn::Config { buffer: 700, layers: vec![16, 16], target_every: 70, double, dueling, n_step: 3, ..dqn::Config::default() };
            configuration.dqn = Some(base);
        })
    };
    vec![
        ("sac", sac(&|_| {})),
        (
            "sac as redq, with four environments, held noise, normalised critics",
            sac(&|config| {
                (config.critics, config.target_subset, config.actor_every) = (4, Some(2), 3);
                (config.environments, config.steps, config.hold_noise, config.layer_norm, config.n_step) = (4, 25, 7, true, 3);
                config.temperature = sac::Temperature::Fixed(0.1);
            }),
        ),
        ("td3", td3),
        ("dqn", dqn(false, false)),
        ("dqn, double and dueling", dqn(true, true)),
    ]
}

/// The same for everything that learns from demonstrations.
fn imitations() -> Vec<(&'static str, Job)> {
    let (_, scratch) = jobs().swap_remove(1);
    small_jobs(&scratch.configuration.ppo, scratch.steps)
}

/// A transfer whose source is what another job has learned after two updates.
fn transferred(job: Job, source: &Job) -> Job {
    let mut learner = learner(source, 1);
    for _ in 0..2 {
        learner.advance(&Stop::new()).unwrap();
    }
    let policy = learner.policy();
    let card = heirloom::policy::Card::new(&policy, source.provenance(), Vec::new());
    Job { source: Some(Source { path: "source".into(), policy, card }), ..job }
}

fn learner(job: &Job, threads: usize) -> Box<dyn Learner> {
    heirloom::nn::autograd::use_one_thread();
    let pool = Arc::new(Pool::new(threads, heirloom::nn::autograd::use_one_thread).unwrap());
    job.learner(&Registry::standard(), &pool, &Stop::new()).unwrap()
}

/// The digest after every update of an uninterrupted run.
fn straight(job: &Job) -> Vec<String> {
    let mut learner = learner(job, 1);
    (0..12)
        .map(|_| {
            learner.advance(&Stop::new()).unwrap();
            learner.state().digest()
        })
        .collect()
}

#[test]
fn a_learner_restored_anywhere_goes_on_as_if_nothing_happened() {
    let mut rng = Stream::Bootstrap(0).under(1);
    for (name, job) in jobs().into_iter().chain(replaying()).chain(imitations()) {
        let digests = straight(&job);
        for _ in 0..20 {
            // Two stops: the second one in a run that was resumed itself, with other thread counts.
            let first = rng.below(10);
            let second = first + 1 + rng.below(11 - first);
            let mut state = None;
            let mut done = 0;
            for stop in [first, second, 12] {
                let threads = [1, 2, 3, 8][rng.below(4)];
                let mut learner = learner(&job, threads);
                if let Some(state) = &state {
                    learner.restore(state).unwrap();
                }
                while done < stop {
                    learner.advance(&Stop::new()).unwrap();
                    done += 1;
                    assert_eq!(learner.state().digest(), digests[done - 1], "{name}: update {done} after stops at {first} and {second}");
                }
                state = Some(learner.state());
            }
        }
    }
}

/// A signal in the middle of an iteration: the learner is torn, the state kept from its beginning is not.
#[test]
fn an_iteration_that_is_broken_off_is_done_again() {
    let mut rng = Stream::Bootstrap(1).under(1);
    for (name, job) in jobs().into_iter().chain(replaying()) {
        let digests = straight(&job);
        let mut broken_off = 0;
        let began = Instant::now();
        learner(&job, 2).advance(&Stop::new()).unwrap();
        let usual = began.elapsed();
        // A signal may come too late; on an idle machine most do not, and on a busy one some do not.
        for _ in 0..5000 {
            if broken_off == 10 {
                break;
            }
            let mut current = learner(&job, 2);
            let at = rng.below(11);
            for _ in 0..at {
                current.advance(&Stop::new()).unwrap();
            }
            let kept: State = current.state();
            match break_off(current.as_mut(), usual.mul_f64(rng.unit())) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error.kind(), heirloom::error::Kind::Stopped);
                    broken_off += 1;
                    current = learner(&job, 1);
                    current.restore(&kept).unwrap();
                    current.advance(&Stop::new()).unwrap();
                }
            }
            assert_eq!(current.state().digest(), digests[at], "{name}: update {}", at + 1);
        }
        assert!(broken_off == 10, "{name}: {broken_off} of 5000 signals came in time");
    }
}

fn break_off(learner: &mut dyn Learner, delay: Duration) -> Result<()> {
    let stop = Arc::new(Stop::new());
    stop.arm(true);
    let signal = Arc::clone(&stop);
    let ready = Arc::new(Barrier::new(2));
    let begun = Arc::clone(&ready);
    let waiting = std::thread::spawn(move || {
        begun.wait();
        let start = Instant::now();
        while start.elapsed() < delay {
            std::hint::spin_loop();
        }
        signal.request(2);
    });
    ready.wait();
    let advanced = learner.advance(&stop).map(drop);
    waiting.join().unwrap();
    advanced
}

const RUN: &str = "pretrain cartpole --steps 12000 --seed 4 --json --episodes 3 --evaluations 4 --checkpoint-every 1";

#[test]
fn a_resumed_run_folder_is_the_uninterrupted_one() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out straight --threads 2"));
    let digest = program.ok("digest straight");
    let mut rng = Stream::Bootstrap(2).under(1);
    for _ in 0..3 {
        let (one, two) = (1 + rng.below(5), 1 + rng.below(5));
        program.ok(&format!("{RUN} --out stopped --threads 1 --stop-after-updates {one}"));
        program.ok(&format!("{RUN} --out stopped --threads 3 --resume --stop-after-updates {two}"));
        program.ok(&format!("{RUN} --out stopped --threads 2 --resume"));
        assert_eq!(program.ok("digest stopped"), digest, "stopped after {one} and {two} updates");
        for log in ["metrics.csv", "evaluations.csv"] {
            assert!(program.read(&format!("stopped/{log}")) == program.read(&format!("straight/{log}")), "{log} differs");
        }
        std::fs::remove_dir_all(program.path("stopped")).unwrap();
    }
}

#[test]
fn a_finished_run_resumed_changes_nothing_and_more_steps_extend_it() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out run"));
    let (digest, log) = (program.ok("digest run"), program.read("run/evaluations.csv"));
    program.ok(&format!("{RUN} --out run --resume"));
    assert_eq!(program.ok("digest run"), digest);
    assert_eq!(program.read("run/evaluations.csv"), log);
    program.ok("pretrain cartpole --out run --resume --steps 16000 --json");
    assert_ne!(program.ok("digest run"), digest);
    program.run("pretrain cartpole --out run --resume --steps 12000").refused(2, &["would cut it short"]);
}

#[test]
fn what_is_typed_with_resume_must_be_what_the_run_is() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out run --stop-after-updates 1"));
    program.run("pretrain cartpole --out run --resume --seed 5").refused(2, &["another seed"]);
    program.run("pretrain classic/cartpole_continuous --out run --resume").refused(2, &["another environment"]);
    program.run("pretrain cartpole --out run --resume --set ppo.clip=0.3").refused(2, &["another configuration"]);
    program.run("pretrain cartpole --out run").refused(2, &["there is a run already", "--resume"]);
    program.run("pretrain cartpole --out nothing --resume").refused(2, &["there is no run"]);
}

/// Updates were made from demonstrations alone: a counter that tells of steps would have a batch drawn from nothing.
#[test]
fn steps_that_left_no_transition_are_refused() {
    let (_, job) = imitations().into_iter().find(|(name, _)| *name == "iql").unwrap();
    let mut sound = learner(&job, 1);
    sound.advance(&Stop::new()).unwrap();
    for (name, counters) in [("environments.steps", vec![1]), ("environments.steps", vec![u64::MAX]), ("prior", vec![301, 0])] {
        let mut state = sound.state();
        state.put_counters(name, &counters);
        assert_eq!(learner(&job, 1).restore(&state).unwrap_err().kind(), heirloom::error::Kind::Artefact, "{name} {counters:?}");
    }
}
