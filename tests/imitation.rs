//! It learns from demonstrations: shipped policies are recorded through the library and imitated; the last policy, never the best, over 100
//! episodes.
//!
//! Results are deterministic on one kind of machine; on another one the odds below are the chance that a correct build fails.

mod lessons;
mod program;

use heirloom::choose::{Job, Lessons, Method, Source};
use heirloom::env::Registry;
use heirloom::error::Result;
use heirloom::learn::sac::Temperature;
use heirloom::parallel::Pool;
use heirloom::run::checkpoint::Position;
use heirloom::run::{Event, Listener, Outcome, drive};
use heirloom::stop::Stop;
use lessons::{job, lessons};
use program::Program;
use std::sync::Arc;

/// Hears what each evaluation measured, and when.
struct Curve(Vec<(u64, f64)>);

impl Listener for Curve {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Evaluated { evaluation, .. } = event {
            self.0.push((evaluation.steps, evaluation.interval().mean));
        }
        Ok(())
    }
}

/// Steps and mean returns of a run's evaluations, the last one at its end.
fn curve(job: &Job) -> Vec<(u64, f64)> {
    heirloom::nn::autograd::use_one_thread();
    let (registry, pool) = (Registry::standard(), Arc::new(Pool::inline()));
    let mut learner = job.learner(&registry, &pool, &Stop::new()).unwrap();
    let mut curve = Curve(Vec::new());
    let evaluator = job.evaluator(&registry, &pool);
    let outcome = drive(learner.as_mut(), &job.plan(), &evaluator, None, Position::default(), &Stop::new(), &mut curve).unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    curve.0
}

/// Final returns of three seeds, the middle one in the middle.
fn finals(environment: &str, method: Method, lessons: &Lessons, steps: u64) -> [f64; 3] {
    let mut finals = [0, 1, 2].map(|seed| {
        let mut job = job(environment, method, Some(lessons.clone()), steps, seed);
        if method == Method::Dagger {
            job.source = Some(Source::load(environment).unwrap());
        }
        curve(&job).last().unwrap().1
    });
    finals.sort_by(f64::total_cmp);
    finals
}

/// Of 10 seeds none ended below 500: below 1 in 1,000.
#[test]
fn bc_from_ten_episodes_balances_the_pole() {
    let finals = finals("cartpole", Method::Bc, &lessons("cartpole", 10, 1), 4000);
    assert!(finals[1] >= 475.0 && finals[0] >= 400.0, "{finals:?}");
}

/// Of 10 seeds the worst ended at -237, the middle one at -174: below 1 in 1,000.
#[test]
fn bc_from_ten_episodes_swings_the_pendulum_up() {
    let finals = finals("pendulum", Method::Bc, &lessons("pendulum", 10, 1), 8000);
    assert!(finals[1] >= -300.0 && finals[0] >= -450.0, "{finals:?}");
}

/// Of 10 seeds the worst one of `DAgger` ended at -100, the best clone at -133: below 1 in 10,000.
#[test]
fn dagger_goes_where_a_clone_of_the_same_episode_does_not() {
    let lessons = lessons("mountain_car", 1, 1);
    let [clone, dagger] =
        [(Method::Bc, 8000), (Method::Dagger, 4096)].map(|(method, steps)| finals("mountain_car", method, &lessons, steps));
    assert!(dagger[0] > clone[1] && dagger[1] >= -110.0, "{dagger:?} against {clone:?}");
}

/// Of 10 seeds all of GAIL's ended at 500, the clones between 26 and 493 (Ho & Ermon 2016, figure 1): below 1 in 1,000.
#[test]
fn gail_recovers_from_25_steps_what_a_clone_cannot() {
    let lessons = lessons("cartpole", 1, 20);
    let [clone, gail] = [(Method::Bc, 8000), (Method::Gail, 30_000)].map(|(method, steps)| finals("cartpole", method, &lessons, steps));
    assert!(gail[1] > clone[1] && gail[1] >= 475.0, "{gail:?} against {clone:?}");
}

/// Of 10 seeds nine ended at 500, one at 473: below 1 in 1,000.
#[test]
fn airl_balances_the_pole() {
    let finals = finals("cartpole", Method::Airl, &lessons("cartpole", 1, 20), 30_000);
    assert!(finals[1] >= 400.0, "{finals:?}");
}

/// From eight steps of one episode. Of 6 seeds DAPG stood above 88 after 6,144 steps at the latest, PPO after 8,192 at the earliest: below 1
/// in 1,000.
#[test]
fn dapg_reaches_the_flag_in_fewer_steps_than_ppo() {
    let lessons = lessons("mountain_car_continuous", 1, 20);
    let first_at = |method: Method, lessons: Option<&Lessons>| {
        let mut firsts = [0, 1, 5].map(|seed| {
            let mut job = job("mountain_car_continuous", method, lessons.cloned(), 12_000, seed);
            (job.evaluations, job.evaluation_episodes) = (6, 20);
            curve(&job).iter().find(|(_, mean)| *mean >= 88.0).map_or(u64::MAX, |(steps, _)| *steps)
        });
        firsts.sort_unstable();
        firsts
    };
    let (dapg, ppo) = (first_at(Method::Dapg, Some(&lessons)), first_at(Method::Scratch, None));
    assert!(dapg[1] < ppo[1] && dapg[2] < u64::MAX, "{dapg:?} against {ppo:?}");
}

/// The clone's return, through the critic's warm-up and behind it. Of 10 seeds none fell below 500 at any time: below 1 in 100.
#[test]
fn behaviour_regularised_ppo_keeps_what_the_clone_can_do() {
    let mut job = job("cartpole", Method::BehaviourRegularised, Some(lessons("cartpole", 5, 1)), 8000, 0);
    (job.evaluations, job.evaluation_episodes) = (4, 20);
    job.configuration.after_cloning.as_mut().unwrap().cloning_steps = 4000;
    let curve = curve(&job);
    assert!(curve.iter().all(|(_, mean)| *mean >= 450.0), "{curve:?}");
}

/// Learns on a reward that a run of its own recovered, from nothing. Observations are normalised: a reward that hung on the normaliser of the
/// policy that it was recovered with would be another one for a policy that begins anew.
fn learns_on_the_reward_of(method: &str) {
    let program = Program::new();
    program.ok("demo record cartpole cartpole --episodes 1 --out demos --json");
    let normalised = "--set ppo.normalize_observations=true --json --episodes 20 --evaluations 1";
    program.ok(&format!("imitate demos cartpole --method {method} --every 20 --steps 20000 {normalised} --out recovered"));
    let learned = format!("imitate cartpole --method learned-reward --reward recovered --steps 20000 {normalised} --out learned");
    let said: serde_json::Value = serde_json::from_str(&program.ok(&learned)).unwrap();
    assert!(said["mean"].as_f64().unwrap() >= 100.0, "{said}");
    let (_, card) = heirloom::policy::store::load(&program.path("learned/best")).unwrap();
    let kept = card.provenance.reward.unwrap();
    assert_eq!((kept.path.as_path(), kept.digest.len()), (std::path::Path::new("recovered"), 64));
    goes_on_with_its_own_reward(&program);
    program.run("imitate mountain_car --method learned-reward --reward recovered").refused(3, &["recovered", "other channels or actions"]);
}

/// A run is gone on with on the reward that it began with, wherever that lies now, and on no other.
#[expect(clippy::disallowed_methods, reason = "what takes the place of a run does it in place")]
fn goes_on_with_its_own_reward(program: &Program) {
    let run = |reward: &str| {
        format!("imitate cartpole --method learned-reward --reward {reward} --steps 6144 --json --episodes 2 --evaluations 1 --out again")
    };
    program.ok(&format!("{} --stop-after-updates 1", run("recovered")));
    let [recovered, moved] = ["recovered", "moved"].map(|name| program.path(name));
    std::fs::rename(&recovered, &moved).unwrap();
    // Another run in its place.
    program.ok("imitate demos cartpole --method gail --steps 4096 --seed 9 --json --episodes 2 --evaluations 1 --out recovered");
    let resumed = |reward: &str| program.run(&format!("{} --resume", run(reward)));
    resumed("recovered").refused(3, &["recovered", "not the reward that the run began with", "--reward"]);
    assert_eq!(resumed("moved").code, Some(0));
    std::fs::remove_dir_all(&recovered).unwrap();
    std::fs::rename(&moved, &recovered).unwrap();
}

/// Of 4 seeds the worst ended at 146, from nothing it is 9 to 50: below 1 in 100.
#[test]
fn a_reward_that_gail_recovered_is_learned_from() {
    learns_on_the_reward_of("gail");
}

/// Of 4 seeds the worst ended at 136: below 1 in 100.
#[test]
fn a_reward_that_airl_recovered_is_learned_from() {
    learns_on_the_reward_of("airl");
}

/// Final returns of three seeds from ten good episodes of a pendulum and thirty of chance, with small networks.
fn from_rewards((method, steps): (Method, u64)) -> [f64; 3] {
    let (mut lessons, chance) = (lessons::noisy_lessons("pendulum", 10, 0.01), lessons::noisy_lessons("pendulum", 30, 20.0));
    Arc::make_mut(&mut lessons.chosen).episodes.extend(chance.chosen.episodes.iter().cloned());
    let mut finals = [0, 1, 2].map(|seed| {
        let mut job = job("pendulum", method, Some(lessons.clone()), steps, seed);
        if let Some(iql) = &mut job.configuration.iql {
            (iql.actor, iql.value, iql.critic) = (vec![64, 64], vec![64, 64], vec![64, 64]);
        }
        if let Some(td3) = &mut job.configuration.td3 {
            (td3.actor, td3.critic) = (vec![64, 64], vec![64, 64]);
        }
        curve(&job).last().unwrap().1
    });
    finals.sort_by(f64::total_cmp);
    finals
}

/// Three seeds of each ended at -1217 to -1193 (clones), -169 to -155 (IQL), -970 to -856 (TD3+BC, which weighs values by their size, and here all
/// are large and far from 0): too few to name odds.
#[test]
fn iql_and_td3_bc_tell_good_from_bad_by_the_rewards_and_a_clone_does_not() {
    let [clone, iql, td3_bc] = [(Method::Bc, 5000), (Method::Iql, 5000), (Method::Td3Bc, 20_000)].map(from_rewards);
    assert!(iql[1] >= -300.0 && td3_bc[1] > clone[1] + 100.0, "clone {clone:?}, IQL {iql:?}, TD3+BC {td3_bc:?}");
}

/// SAC with small networks and little noise, beside a demonstration of five episodes or alone: final returns of three seeds.
fn finds_the_flag(method: Method, lessons: Option<&Lessons>) -> [f64; 3] {
    let mut finals = [0, 1, 2].map(|seed| {
        let mut job = job("mountain_car_continuous", method, lessons.cloned(), 4000, seed);
        let sac = job.configuration.sac.as_mut().unwrap();
        (sac.actor, sac.critic, sac.minibatch, sac.learning_rate) = (vec![64, 64], vec![64, 64], 64, 1e-3);
        (sac.warm_up, sac.train_every, sac.updates, sac.actor_every, sac.hold_noise) = (200, 1, 5, 1, 1);
        (sac.temperature, sac.discount) = (Temperature::Fixed(0.02), 0.99);
        curve(&job).last().unwrap().1
    });
    finals.sort_by(f64::total_cmp);
    finals
}

/// Nothing is paid before the flag. Of 4 seeds all of RLPD's ended above 93, all of SAC's with the same settings at 0, where nothing is tried: too few to
/// name odds.
#[test]
fn rlpd_finds_the_flag_that_sac_never_sees() {
    let alone = finds_the_flag(Method::Sac, None);
    let shown = finds_the_flag(Method::Rlpd, Some(&lessons("mountain_car_continuous", 5, 1)));
    assert!(shown[0] >= 90.0 && alone[2] <= 10.0, "{shown:?} against {alone:?}");
}
