//! Demonstrations come in and go out: other programs' numbers arrive as they are, ours come back bit for bit, and what is cut and joined
//! still begins where it began.

mod program;

use heirloom::demo::{Demonstrations, Episode};
use program::Program;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn golden(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/minari/data").join(inside)
}

/// What the recording script says of its data sets.
fn expected(name: &str) -> Vec<Value> {
    let text = std::fs::read(golden("expected.json")).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()[name].as_array().unwrap().clone()
}

/// Python's `float.hex`.
fn hex(value: &Value) -> f64 {
    let text = value.as_str().unwrap();
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
    let (digits, power) = text.strip_prefix("0x").unwrap().split_once('p').unwrap();
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa = u64::from_str_radix(&format!("{whole}{part}"), 16).unwrap();
    let power: i32 = power.parse().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let mantissa = mantissa as f64;
    sign * mantissa * 2_f64.powi(power - 4 * i32::try_from(part.len()).unwrap())
}

fn episodes(path: &Path) -> Vec<Episode> {
    Demonstrations::open(path).unwrap().episodes().map(|episode| episode.unwrap().1).collect()
}

/// Holds episodes against what the script says: the same steps and ends, the same numbers.
fn assert_recorded(found: &[Episode], expected: &[Value]) {
    assert_eq!(found.len(), expected.len());
    for (episode, expected) in found.iter().zip(expected) {
        assert_eq!(episode.len() as u64, expected["steps"].as_u64().unwrap());
        assert_eq!((episode.terminated, episode.truncated), (expected["terminated"] == true, expected["truncated"] == true));
        let channels = episode.observations.len() / (episode.len() + 1);
        let (mut first, mut last) = (vec![0.0; channels], vec![0.0; channels]);
        episode.observation(0, &mut first);
        episode.observation(episode.len(), &mut last);
        let row = |key: &str| expected[key].as_array().unwrap().iter().map(hex).collect::<Vec<_>>();
        assert_eq!((first, last), (row("first"), row("last")));
        // Sums are of numbers in another order: what they may differ by is rounding.
        let close = |found: f64, key: &str| assert!((found - hex(&expected[key])).abs() < 1e-9, "{key}: {found}");
        close(episode.total(), "return");
        close(episode.actions.iter().sum(), "actions");
        close(episode.observations.iter().sum(), "observations");
        assert!(episode.start.is_none(), "nobody knows where a foreign episode can be begun again");
        if !expected["noise"].is_null() {
            close(episode.info.iter().sum(), "noise");
        }
    }
}

#[test]
fn a_data_set_of_minari_arrives_as_it_is() {
    let program = Program::new();
    for name in ["cartpole", "pendulum", "half_cheetah", "hopper"] {
        let expected = expected(name);
        for inside in ["", "/data"] {
            let path = golden(&format!("minari/{name}/random-v0{inside}"));
            let said = program.ok(&format!("demo import minari {} --env {name} --out {name}{inside} --json", path.display()));
            assert_recorded(&episodes(&program.path(&format!("{name}{inside}"))), &expected);
            let said: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(said["episodes"].as_u64().unwrap(), expected.len() as u64);
        }
        program.ok(&format!("demo inspect {name}/data"));
    }
    // As those who come from Minari use them.
    program.ok("imitate hopper/data hopper --method td3+bc --steps 20 --episodes 1 --evaluations 1 --out learned --json");
    let said = program.ok(&format!("demo import minari {} --env cartpole", golden("minari/cartpole/random-v0").display()));
    assert!(said.contains("`infos/pair` is left out") && said.contains("demos/random-v0-in-cartpole"), "{said}");
    let set = Demonstrations::open(&program.path("cartpole/data")).unwrap();
    assert_eq!(set.header().info, ["noise"]);
    assert_eq!(set.header().recorders[0].to_string(), "imported from minari `cartpole/random-v0`");
}

#[test]
fn an_archive_of_numpy_arrives_as_it_is() {
    let program = Program::new();
    program.ok(&format!("demo import npz {} --env cartpole --out flat", golden("cartpole.npz").display()));
    assert_recorded(&episodes(&program.path("flat")), &expected("cartpole"));
    // Without what follows the last step, the last step goes, and is told.
    let said = program.ok(&format!("demo import npz {} --env cartpole --out starts", golden("starts.npz").display()));
    assert!(said.contains("no next_observations") && said.contains("`note` is left out"), "{said}");
    for (whole, cut) in episodes(&program.path("flat")).iter().zip(episodes(&program.path("starts"))) {
        assert_eq!(cut.len(), whole.len() - 1);
        assert_eq!(cut.channel(2), &whole.channel(2)[..whole.len()]);
        assert_eq!(cut.actions, whole.actions[..whole.len() - 1]);
        assert!(!cut.terminated && !cut.truncated);
    }
}

#[test]
fn what_goes_out_to_minari_comes_back_bit_for_bit() {
    let program = Program::new();
    program.ok("demo record cartpole cartpole --episodes 3 --stochastic --seed 4 --out discrete --json");
    program.ok("demo record pendulum pendulum_heavy --episodes 2 --stochastic --out continuous --json");
    for (name, environment) in [("discrete", "cartpole"), ("continuous", "pendulum_heavy")] {
        program.ok(&format!("demo export minari {name} --out minari"));
        let path = format!("minari/{environment}/{name}-v0");
        program.ok(&format!("demo import minari {path} --env {environment} --out {name}-back"));
        let ours = episodes(&program.path(name));
        let back = episodes(&program.path(&format!("{name}-back")));
        let bits = |episode: &Episode| {
            let numbers = [&episode.observations, &episode.actions, &episode.rewards, &episode.info];
            (numbers.map(|numbers| numbers.iter().map(|value| value.to_bits()).collect::<Vec<_>>()), episode.terminated, episode.truncated)
        };
        assert_eq!(ours.iter().map(bits).collect::<Vec<_>>(), back.iter().map(bits).collect::<Vec<_>>());
        let metadata: Value = serde_json::from_slice(&program.read(&format!("{path}/data/metadata.json"))).unwrap();
        assert_eq!(metadata["total_episodes"].as_u64().unwrap(), ours.len() as u64);
        assert_eq!(metadata["dataset_id"], format!("{environment}/{name}-v0"));
        // Only what is Gymnasium's unchanged bears its id.
        assert_eq!(metadata["env_spec"].as_str().map(|spec| spec.contains("CartPole-v1")), (name == "discrete").then_some(true));
    }
    program.run("demo export minari discrete --out minari").refused(2, &["minari/cartpole/discrete-v0", "is there already"]);
    program.run("demo export minari discrete --out minari --name ../../x-v0").refused(2, &["no name of a Minari data set"]);
}

#[test]
fn the_wrong_environment_is_told_and_nothing_is_written() {
    let program = Program::new();
    let minari = golden("minari/cartpole/random-v0").display().to_string();
    let npz = golden("cartpole.npz").display().to_string();
    program.run(&format!("demo import minari {minari} --env pendulum")).refused(3, &["metadata.json: observation_space", "--env cartpole"]);
    program.run(&format!("demo import npz {npz} --env pendulum")).refused(3, &["cartpole.npz: array `observations`", "[29, 4]"]);
    program.run(&format!("demo import npz {npz} --env cartpole_continuous")).refused(3, &["array `actions`", "not of floating-point"]);
    program.run(&format!("demo import npz {npz} --env nowhere")).refused(2, &["nowhere"]);
    program.run(&format!("demo import minari {npz} --env cartpole")).refused(2, &["there is no folder"]);
    program.run(&format!("demo import npz {minari} --env cartpole")).refused(2, &["there is no file"]);
    assert_eq!(std::fs::read_dir(program.folder()).unwrap().count(), 0, "nothing is written");
    let said = program.ok(&format!("demo import minari {minari} --env cartpole_moon"));
    assert!(said.contains("the data names CartPole-v1, which is `cartpole` here"), "{said}");
    program.run(&format!("demo import npz {npz} --env cartpole --out demos")).refused(2, &["is there already"]);
    program.run(&format!("demo import minari {minari} --env cartpole_moon")).refused(2, &["there are demonstrations already"]);
}

/// A program with two recordings in one environment: `one` with 6 episodes, `two` with 4 and log-probabilities.
fn with_recordings() -> Program {
    let program = Program::new();
    program.ok("demo record cartpole cartpole_long_pole --episodes 6 --seed 1 --out one --json");
    program.ok("demo record cartpole cartpole_long_pole --episodes 4 --seed 2 --stochastic --out two --json");
    program
}

#[test]
fn a_filter_keeps_what_was_asked_for_and_where_it_began() {
    let program = with_recordings();
    let said = program.ok("demo filter one --episodes 1-2,5 --out some");
    assert!(said.contains("3 of 6 episodes"), "{said}");
    let (all, some) = (episodes(&program.path("one")), episodes(&program.path("some")));
    assert_eq!(some, [all[1].clone(), all[2].clone(), all[5].clone()]);
    assert!(some.iter().all(|episode| episode.start.is_some()));
    let least = all.iter().map(Episode::total).fold(f64::INFINITY, f64::min);
    program.ok(&format!("demo filter one --max-return {least} --min-length 1 --out worst --json"));
    assert!(episodes(&program.path("worst")).iter().all(|episode| episode.total() == least));
    program.run("demo filter one --min-return 1e6 --out none").refused(2, &["no episode is kept", "have returns of"]);
    program.run("demo filter one --out none").refused(2, &["every episode would be kept"]);
    program.run("demo filter one --episodes 4-6 --out none").refused(2, &["there is no episode 6", "its episodes are 0 to 5"]);
    assert_eq!(program.run("demo filter one --episodes 3-1 --out none").code, Some(2));
    program.run("demo filter one --episodes 0 --out two").refused(2, &["there are demonstrations already"]);
    assert!(!program.path("none").exists());
}

#[test]
fn a_merge_keeps_recorders_and_starts_and_tells_what_differs() {
    let program = with_recordings();
    let said = program.ok("demo merge one two --out both");
    assert!(said.contains("10 of 10 episodes") && said.contains("`info.log_prob` is left out"), "{said}");
    let both = Demonstrations::open(&program.path("both")).unwrap();
    assert_eq!(both.header().recorders.len(), 2);
    let (one, two, merged) = (episodes(&program.path("one")), episodes(&program.path("two")), episodes(both.path()));
    assert_eq!(merged[..6], one[..]);
    assert_eq!(merged[6].start, two[0].start);
    assert_eq!(merged[9].observations, two[3].observations);
    let twice = program.ok("demo merge one one --out twice");
    assert!(twice.contains("episode 6 is episode 0 once more, and 5 more stand twice"), "{twice}");
    program.ok("demo record cartpole cartpole_moon --episodes 1 --out moon --json");
    program.run("demo merge one moon --out none").refused(2, &["moon: was recorded in another environment than one", "`gravity` is"]);
    program.ok("demo record pendulum pendulum --episodes 1 --out pendulum --json");
    program.run("demo merge one pendulum --out none").refused(2, &["`simulator` is classic/pendulum, there classic/cartpole"]);
    assert_eq!(program.run("demo merge one --out none").code, Some(2));
    assert!(!program.path("none").exists());
}
