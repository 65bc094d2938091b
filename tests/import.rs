//! Policies that another program trained (`golden/import/record.py`): they come in doing what they did, whoever wrote the folder may be hostile,
//! and nobody counts steps that nobody knows.

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod program;

use heirloom::env::{Action, Registry, Spaces};
use heirloom::error::Kind;
use heirloom::file::digest;
use heirloom::file::tensors::{self, Array, Data, Tensors};
use heirloom::policy::import::{MANIFEST, PAIRS, TOLERANCE, import};
use heirloom::policy::store;
use heirloom::rollout::Actor;
use heirloom::rollout::collect::Choice;
use heirloom::seed::Stream;
use program::Program;
use std::path::{Path, PathBuf};

/// What was recorded, and the environment that it is for.
const RECORDED: [(&str, &str); 4] = [("ppo", "pendulum"), ("sac", "pendulum"), ("dqn", "cartpole"), ("cleanrl", "mountain_car_continuous")];

fn recorded(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/import/data")).join(name)
}

fn spaces(environment: &str) -> Spaces {
    let registry = Registry::standard();
    registry.build(&registry.resolve(environment).unwrap()).unwrap().spaces().clone()
}

/// A copy of what was recorded, to be damaged.
struct Export {
    folder: tempfile::TempDir,
    environment: &'static str,
}

impl Export {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in [MANIFEST, store::WEIGHTS, PAIRS] {
            std::fs::copy(recorded(name).join(file), folder.path().join(file)).unwrap();
        }
        let (_, environment) = RECORDED.into_iter().find(|(known, _)| *known == name).unwrap();
        Self { folder, environment }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }

    fn manifest(&self) -> String {
        String::from_utf8(self.read(MANIFEST)).unwrap()
    }

    /// Puts other bytes in a file's place.
    fn put(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.path(file), bytes).unwrap();
    }

    /// The same, with a manifest that vouches for them: what is behind the checksum must hold on its own.
    fn vouch(&self, file: &str, bytes: &[u8]) {
        let vouched = self.manifest().replace(&digest::of_bytes(&self.read(file)), &digest::of_bytes(bytes));
        self.put(file, bytes);
        self.put(MANIFEST, vouched.as_bytes());
    }

    /// Changes tensors of a file, with a manifest that vouches for it.
    fn change(&self, file: &str, change: impl FnOnce(&mut Tensors)) {
        let mut tensors = tensors::from_bytes(&self.read(file)).unwrap();
        change(&mut tensors);
        self.vouch(file, &tensors::to_bytes(&tensors));
    }

    /// Expects a refusal in one clear sentence that names the folder.
    fn refused(&self, what: &str) -> String {
        let error = import(self.folder.path(), &spaces(self.environment)).map(|_| ()).expect_err(what);
        assert_eq!(error.kind(), Kind::Artefact, "{what}: {error}");
        let text = error.to_string();
        assert!(text.contains(&self.folder.path().display().to_string()), "{what}: {text}");
        assert!(!text.contains(['\n', '\u{1b}', '\u{0}']) && text.len() < 2000, "{what}: {text:?}");
        text
    }
}

fn f32s<'a>(tensors: &'a mut Tensors, name: &str) -> &'a mut Vec<f32> {
    match &mut tensors.get_mut(name).unwrap().data {
        Data::F32(values) => values,
        _ => panic!("{name} is of another type"),
    }
}

fn f64s<'a>(tensors: &'a mut Tensors, name: &str) -> &'a mut Vec<f64> {
    match &mut tensors.get_mut(name).unwrap().data {
        Data::F64(values) => values,
        _ => panic!("{name} is of another type"),
    }
}

#[test]
fn what_others_trained_comes_in_and_does_what_it_did() {
    for (name, environment) in RECORDED {
        let imported = import(&recorded(name), &spaces(environment)).unwrap();
        let agreement = imported.agreement;
        assert!(agreement.rows == 200 && agreement.exact <= TOLERANCE && agreement.acting <= 2e-6, "{name}: {agreement:?}");
        // As another program would use it, observation by observation.
        let mut pairs = tensors::read(&recorded(name).join(PAIRS)).unwrap();
        let observations = f64s(&mut pairs, "observation").clone();
        let inputs = imported.policy.shape.inputs;
        let mut actor = Actor::new(&imported.policy, Choice::Mode, 0).unwrap();
        for (row, observation) in observations.chunks_exact(inputs).enumerate() {
            match (actor.act(observation).unwrap(), &pairs["action"].data) {
                (Action::Discrete(index), Data::U64(recorded)) => assert_eq!(index as u64, recorded[row], "{name}, row {row}"),
                (Action::Continuous(values), Data::F64(recorded)) => {
                    assert!((values[0] - recorded[row]).abs() < 4e-6, "{name}, row {row}: {} {}", values[0], recorded[row]);
                }
                _ => panic!("{name} has another kind of action"),
            }
        }
    }
}

#[test]
fn a_normaliser_scale_of_rewards_and_critic_come_along() {
    let imported = import(&recorded("ppo"), &spaces("pendulum")).unwrap().policy;
    let mut file = tensors::read(&recorded("ppo").join(store::WEIGHTS)).unwrap();
    let moments = &imported.normalizer.unwrap().moments;
    for channel in 0..3 {
        assert_eq!(moments.mean(channel), f64s(&mut file, "normalizer.mean")[channel]);
        assert!((moments.variance(channel) - f64s(&mut file, "normalizer.variance")[channel]).abs() < 1e-12);
    }
    assert!((imported.return_moments.unwrap().variance(0) - f64s(&mut file, "returns.variance")[0]).abs() < 1e-9);
    assert_eq!(imported.params.tensor("critic.head.weight"), f32s(&mut file, "critic.head.weight").as_slice());
    // Means that lay within +-2 are now in units of the bounds, and so is what they scatter by.
    assert_eq!(imported.params.tensor("actor.head.weight")[3], f32s(&mut file, "actor.head.weight")[3] / 2.0);
    assert!((imported.params.tensor("log_std")[0] - (f32s(&mut file, "log_std")[0] - 2.0_f32.ln())).abs() < 1e-6);
}

#[test]
fn the_card_says_imported_and_budget_unknown_wherever_it_is_shown() {
    let program = Program::new();
    let said = program.ok(&format!("policies import {} --env pendulum", recorded("ppo").display()));
    assert!(said.contains("policies/ppo: imported, budget unknown; return"), "{said}");
    let (policy, card) = store::load(&program.path("policies/ppo")).unwrap();
    assert_eq!((card.provenance.method.as_str(), card.provenance.steps, card.digest), ("imported", None, policy.digest()));
    assert!(card.provenance.configuration.contains("origin: \"Stable-Baselines3 2.9.2, ppo.zip\""), "{}", card.provenance.configuration);
    assert_eq!(card.measured.unwrap().episodes, 100);
    assert!(program.ok("policies show ppo").contains("imported, budget unknown"));
    let listed = program.ok("policies");
    let line = listed.lines().find(|line| line.starts_with("ppo ")).unwrap();
    assert!(line.contains("imported") && line.contains("unknown"), "{line}");
    let json: serde_json::Value = serde_json::from_str(&program.ok("policies show ppo --json")).unwrap();
    assert!(json["steps"].is_null() && json["method"] == "imported", "{json}");
    program.run(&format!("policies import {} --env pendulum", recorded("ppo").display())).refused(2, &["exists already"]);
    program.run("policies import nowhere --env pendulum").refused(2, &["exported.ron", "hint: tools/export_policy.py"]);
    program.ok("evaluate ppo pendulum --episodes 3");
    program.ok("policies pack ppo ppo.heirloom");
    assert!(program.ok("policies unpack ppo.heirloom again").contains("again: imported in pendulum, budget unknown, digest"));
    assert_eq!(program.ok("digest --policy again"), program.ok("digest --policy ppo"));
}

#[test]
fn a_changed_number_is_found_by_its_checksum_and_without_it_by_what_it_does() {
    for (name, _) in RECORDED {
        let export = Export::of(name);
        let mut bytes = export.read(store::WEIGHTS);
        *bytes.last_mut().unwrap() ^= 1;
        export.put(store::WEIGHTS, &bytes);
        assert!(export.refused(name).contains("its SHA-256 differs"));

        for weight in ["actor.0.weight", "actor.1.bias", "actor.head.weight", "actor.head.bias"] {
            let export = Export::of(name);
            if export.read(store::WEIGHTS).windows(weight.len()).any(|window| window == weight.as_bytes()) {
                export.change(store::WEIGHTS, |tensors| f32s(tensors, weight)[0] += 0.5);
                let said = export.refused(weight);
                assert!(said.contains("of 200 actions differ") && said.contains("most in row"), "{name}, {weight}: {said}");
            }
        }
    }
    let export = Export::of("ppo");
    export.change(store::WEIGHTS, |tensors| f64s(tensors, "normalizer.mean")[1] += 0.01);
    assert!(export.refused("a mean").contains("actions differ"));
    let export = Export::of("dqn");
    export.change(PAIRS, |tensors| match &mut tensors.get_mut("action").unwrap().data {
        Data::U64(indices) => indices[17] = 1 - indices[17],
        _ => panic!("an index"),
    });
    let said = export.refused("an index");
    assert!(said.contains("1 of 200 actions differ") && said.contains("most in row 17"), "{said}");
    let export = Export::of("cleanrl");
    export.put(MANIFEST, export.manifest().replace("activation: Tanh", "activation: Relu").as_bytes());
    assert!(export.refused("another activation").contains("actions differ"));
}

#[test]
fn what_does_not_fit_or_has_no_form_here_is_said() {
    let fits = |name: &str, environment: &str, part: &str| {
        let error = import(&recorded(name), &spaces(environment)).unwrap_err();
        assert!(error.kind() == Kind::Artefact && error.to_string().contains(part), "{error}");
    };
    fits("ppo", "cartpole", "the policy sees 3 numbers, the environment shows 4");
    fits("cleanrl", "mountain_car", "gives continuous actions, the environment takes discrete ones");
    fits("dqn", "cartpole_continuous", "gives discrete actions, the environment takes continuous ones");
    let with = |from: &str, to: &str| {
        let export = Export::of("ppo");
        assert!(export.manifest().contains(from), "{from}");
        export.put(MANIFEST, export.manifest().replace(from, to).as_bytes());
        export.refused(to)
    };
    assert!(with("(-2.0, 2.0)", "(-1.0, 1.0)").contains("`torque` lay between -1 and 1; in the environment it lies between -2 and 2"));
    assert!(with("clip: 10.0", "clip: 5.0").contains("clipped at 5; this program has no normaliser but one that clips at 10"));
    assert!(with("activation: Tanh", "activation: Softplus").contains("there is no `Softplus`"));
    assert!(with("format: 1", "format: 2").contains("is of format 2"));
}

#[test]
fn hostile_exports_are_refused_with_little_memory() {
    let before = peak();
    let manifest = Export::of("ppo").manifest();
    let swap = |from: &str, to: &str| {
        assert!(manifest.contains(from), "{from} in {manifest}");
        manifest.replacen(from, to, 1)
    };
    for (what, text) in [
        ("empty", String::new()),
        ("nested deeply", "(".repeat(100_000)),
        ("long", format!("{manifest}//{}", "x".repeat(100_000))),
        ("an unknown field", swap("format: 1,", "format: 1, run: \"rm -rf /\",")),
        ("a path", swap("rows:", "path: \"../../etc/passwd\", rows:")),
        ("a field that stands twice", swap("format: 1,", "format: 1, format: 1,")),
        ("no inputs", swap("inputs: 3", "inputs: 0")),
        ("many inputs", swap("inputs: 3", "inputs: 18446744073709551615")),
        ("no outputs", swap("outputs: 1", "outputs: 0")),
        ("layers of a terabyte", swap("actor: [16, 12]", "actor: [65536, 65536, 65536, 65536]")),
        ("a layer of 2^62 units", swap("actor: [16, 12]", "actor: [4611686018427387904]")),
        ("an empty layer", swap("actor: [16, 12]", "actor: [16, 0]")),
        ("a hundred layers", swap("critic: [16, 12]", &format!("critic: {:?}", vec![8; 100]))),
        ("another layer", swap("actor: [16, 12]", "actor: [12, 16]")),
        ("no critic where there is one", swap("critic: [16, 12]", "critic: None")),
        ("a head that does not exist", swap("head: Gaussian", "head: Pickle")),
        ("a head without bounds", swap("head: Gaussian([(-2.0, 2.0)])", "head: Gaussian([])")),
        ("bounds that are no numbers", swap("(-2.0, 2.0)", "(NaN, 2.0)")),
        ("a clip that is no number", swap("clip: 10.0", "clip: NaN")),
        ("an epsilon below zero", swap("epsilon: 1e-08", "epsilon: -1.0")),
        ("an infinite epsilon", swap("return_epsilon: 1e-08", "return_epsilon: inf")),
        ("no normaliser where there is one", swap("normalizer: (clip: 10.0, epsilon: 1e-08)", "normalizer: None")),
        ("no pairs", swap("rows: 200", "rows: 0")),
        ("too many pairs", swap("rows: 200", "rows: 18446744073709551615")),
        ("other pairs", swap("rows: 200", "rows: 100")),
        ("a checksum that is none", swap("weights: \"", "weights: \"../")),
    ] {
        let export = Export::of("ppo");
        export.put(MANIFEST, text.as_bytes());
        export.refused(what);
    }

    let header = |text: &str, data: usize| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &vec![0_u8; data]].concat();
    let good = [store::WEIGHTS, PAIRS].map(|file| Export::of("ppo").read(file));
    for (file, good) in [store::WEIGHTS, PAIRS].into_iter().zip(&good) {
        for (what, bytes) in [
            ("empty", Vec::new()),
            ("a header of 2^64 - 1 bytes", [&u64::MAX.to_le_bytes()[..], &good[8..]].concat()),
            ("a byte too many", [good, &[0][..]].concat()),
            ("a byte too few", good[..good.len() - 1].to_vec()),
            ("a pickle", b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.".repeat(200)),
            ("no tensors", [header("{}", 0), vec![0; 8000]].concat()),
            (
                "a terabyte",
                header("{\"actor.0.weight\":{\"dtype\":\"F32\",\"shape\":[274877906944],\"data_offsets\":[0,1099511627776]}}", 8000),
            ),
        ] {
            let export = Export::of("ppo");
            export.vouch(file, &bytes);
            export.refused(what);
        }
    }

    let change = |what: &str, file: &str, change: fn(&mut Tensors)| {
        let export = Export::of("ppo");
        export.change(file, change);
        export.refused(what);
    };
    change("a NaN", store::WEIGHTS, |tensors| f32s(tensors, "critic.0.weight")[3] = f32::NAN);
    change("an infinity", store::WEIGHTS, |tensors| f32s(tensors, "log_std")[0] = f32::INFINITY);
    change("a variance below zero", store::WEIGHTS, |tensors| f64s(tensors, "normalizer.variance")[0] = -1.0);
    change("a variance beyond all bounds", store::WEIGHTS, |tensors| f64s(tensors, "returns.variance")[0] = 1e308);
    change("a count that is none", store::WEIGHTS, |tensors| f64s(tensors, "normalizer.count")[0] = f64::NAN);
    change("a missing tensor", store::WEIGHTS, |tensors| drop(tensors.remove("actor.0.bias")));
    change("a tensor too many", store::WEIGHTS, |tensors| drop(tensors.insert("../../x".into(), Array::f32(&[1], vec![0.0]))));
    change("another shape of the same size", store::WEIGHTS, |tensors| tensors.get_mut("actor.0.weight").unwrap().shape.reverse());
    change("an observation that is none", PAIRS, |tensors| f64s(tensors, "observation")[7] = f64::NAN);
    change("an action that is none", PAIRS, |tensors| f64s(tensors, "action")[7] = f64::INFINITY);
    change("no actions", PAIRS, |tensors| drop(tensors.remove("action")));
    change("indices for values", PAIRS, |tensors| drop(tensors.insert("action".into(), Array::u64(vec![0; 200]))));
    change("a tensor too many in the pairs", PAIRS, |tensors| drop(tensors.insert("x".into(), Array::f32(&[1], vec![0.0]))));
    let export = Export::of("dqn");
    export.change(PAIRS, |tensors| drop(tensors.insert("action".into(), Array::u64(vec![u64::MAX; 200]))));
    export.refused("an action that the policy does not have");
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}

#[test]
fn every_cut_and_many_mutations_are_refused_or_harmless() {
    let (spaces, whole) = (spaces("cartpole"), Export::of("dqn"));
    let expected = import(whole.folder.path(), &spaces).unwrap().policy.digest();
    let files = [MANIFEST, store::WEIGHTS, PAIRS].map(|file| (file, whole.read(file)));
    let mut rng = Stream::Bootstrap(9).under(5);
    let export = Export::of("dqn");
    for (file, good) in &files {
        for length in (0..good.len()).step_by(if *file == MANIFEST { 7 } else { 97 }) {
            export.put(file, &good[..length]);
            export.refused(&format!("{file} cut at {length}"));
        }
        for index in 0..300 {
            let mut bytes = good.clone();
            for _ in 0..=rng.below(3) {
                let at = rng.below(bytes.len());
                match rng.below(3) {
                    0 => bytes[at] ^= 1 << rng.below(8),
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"0\"[](){},:9\xff"[rng.below(12)]),
                }
            }
            for (file, good) in &files {
                export.put(file, good);
            }
            if *file == MANIFEST {
                export.put(file, &bytes);
            } else {
                export.vouch(file, &bytes);
            }
            match import(export.folder.path(), &spaces) {
                // A word of the origin, a number that no choice stands on: what comes in is a policy that chooses as recorded.
                Ok(imported) => assert!(*file != PAIRS || imported.policy.digest() == expected, "{file}, mutation {index}"),
                Err(error) => assert_eq!(error.kind(), Kind::Artefact, "{file}, mutation {index}: {error}"),
            }
        }
        export.put(file, good);
        export.put(MANIFEST, &files[0].1);
    }
}

#[test]
fn the_program_ends_with_exit_3_and_changes_nothing() {
    let program = Program::new();
    let export = Export::of("sac");
    export.put(store::WEIGHTS, b"\x80\x04pickle");
    program
        .run(&format!("policies import {} --env pendulum --out in", export.folder.path().display()))
        .refused(3, &["weights.safetensors"]);
    program
        .run(&format!("policies import {} --env cartpole --out in", recorded("sac").display()))
        .refused(3, &["exported.ron", "hint: name"]);
    std::fs::remove_file(export.path(PAIRS)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(export.path(PAIRS)).status().unwrap().success());
    std::fs::copy(recorded("sac").join(store::WEIGHTS), export.path(store::WEIGHTS)).unwrap();
    program
        .run(&format!("policies import {} --env pendulum --out in", export.folder.path().display()))
        .refused(3, &["is not a plain file"]);
    assert!(!program.path("in").exists() && !program.path("policies").exists());
}

/// Scratch with the source's steps too cannot be run where nobody knows them; everything else can.
#[test]
fn a_study_refuses_the_ledger_of_all_steps_and_judges_on_the_targets() {
    let program = Program::new();
    program.ok(&format!("policies import {} --env cartpole --out policies/foreign", recorded("dqn").display()));
    let study = |source: &str, more: &str| {
        let text = format!(
            "(about: \"\", pairs: [(name: \"moon\", source: Policy(\"{source}\"), target: \"cartpole_moon\", steps: 1500)], methods: [\"fine-tune\"], \
             seeds: 3, episodes: 3, evaluations: 4, tuning: (learning_rates: [1]), reference: (steps: 3000, seeds: 1){more})"
        );
        program.write("study.ron", &text);
    };
    let refusal = ["study.ron", "was imported: nobody knows its budget", "hint: `control: false`"];
    study("foreign", "");
    program.run("compare study.ron --out study").refused(2, &refusal);
    // So does what was made of it.
    let said = program.ok("transfer foreign cartpole_moon --steps 1000 --episodes 3 --evaluations 1 --out moved");
    assert!(said.contains("heirloom compare"), "{said}");
    assert!(program.ok("policies show moved").contains("└ foreign: imported in cartpole, budget unknown, digest"));
    study("moved", "");
    program.run("compare study.ron --out study").refused(2, &refusal);
    assert!(!program.path("study").exists());

    study("foreign", ", control: false");
    let found: serde_json::Value = serde_json::from_str(&program.ok("compare study.ron --out study --json")).unwrap();
    let pair = &found["pairs"][0];
    assert!(pair["source_steps"].is_null() && pair["control"].is_null() && pair["arms"][1]["verdict"].is_string(), "{pair}");
    let page = String::from_utf8(program.read("study/report.html")).unwrap();
    assert!(page.contains("imported in cartpole, budget unknown") && page.contains(">unknown<"));
    assert!(program.ok("study new --policy foreign --target cartpole_moon").contains("control: false"));
}

/// The peak of this process's memory in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
