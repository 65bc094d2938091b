//! A study whose pairs have demonstrations: one answer for each number of them, methods that need no source beside those that do.

#![expect(clippy::disallowed_methods, reason = "what takes the place of a set does it in place")]

mod program;

use program::Program;
use serde_json::Value;

/// Cloning costs no environment step, and little time here.
const STUDY: &str = "(
    about: \"from demonstrations\",
    pairs: [(
        name: \"moon\", source: Policy(\"cartpole\"), target: \"cartpole_moon\", steps: 1500,
        demonstrations: (path: \"demos\", episodes: [1, 3]),
    )],
    methods: [\"zero-shot\", \"fine-tune\", \"bc\", \"dapg\"],
    seeds: 3,
    episodes: 3,
    evaluations: 5,
    tuning: (learning_rates: [1]),
    reference: (steps: 3000, seeds: 2),
    set: [\"bc.patience=100\", \"after_cloning.cloning_steps=200\"],
)";

fn with_study() -> Program {
    let program = Program::new();
    program.ok("demo record cartpole cartpole_moon --episodes 3 --out demos --json");
    program.write("study.ron", STUDY);
    program
}

#[test]
fn every_number_of_demonstrations_is_a_pair_and_cloning_alone_a_level() {
    let program = with_study();
    let found: Value = serde_json::from_str(&program.ok("compare study.ron --out study --json")).unwrap();
    let names: Vec<&str> = found["pairs"].as_array().unwrap().iter().map(|pair| pair["pair"].as_str().unwrap()).collect();
    assert_eq!(names, ["moon_from_1", "moon_from_3"]);
    for pair in found["pairs"].as_array().unwrap() {
        let arm = |method: &str| pair["arms"].as_array().unwrap().iter().find(|arm| arm["method"] == method).unwrap();
        assert_eq!(arm("bc")["curve"].as_array().unwrap().len(), 1, "a clone is measured once, at step 0");
        assert!(arm("dapg")["curve"].as_array().unwrap().len() > 4);
        let (clone, start) = (&arm("dapg")["jumpstart"]["value"], &arm("bc")["jumpstart"]["value"]);
        assert!(clone.as_f64().is_some() && start.as_f64().is_some());
        assert_eq!(pair["copies"], Value::Array(Vec::new()));
    }
    // What learns nothing knows nothing of demonstrations: it is the same run in both pairs.
    let zero_shot = |pair: usize| found["pairs"][pair]["arms"][1]["values"].clone();
    assert_eq!(zero_shot(0), zero_shot(1));
    // Of each seed: two references in all, scratch, its control, zero-shot, and three methods from one and from three demonstrations.
    assert_eq!(std::fs::read_dir(program.path("study/cells")).unwrap().count(), 2 + 3 * (1 + 1 + 1 + 3 * 2));
    let page = String::from_utf8(program.read("study/report.html")).unwrap();
    for words in [
        "from 1 demonstration",
        "from 3 demonstrations",
        "Behaviour cloning from 1 demonstration in cartpole_moon",
        "DAPG from 3 demonstrations in cartpole_moon",
        "Fine-tuning of the policy cartpole with 3 demonstrations in cartpole_moon",
        "Zero-shot use of the policy cartpole in cartpole_moon",
        "what does not learn is a dotted level",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
    // The ledger: what has no source costs none.
    let row = |method: &str| {
        let head = format!("<th class=\"method\" scope=\"row\">{method}</th>");
        page.split(&head)
            .skip(1)
            .map(|rest| rest.split("</tr>").next().unwrap().to_owned())
            .find(|row| row.contains("data-label=\"tuning\""))
            .unwrap()
    };
    let cell = |method: &str, label: &str| {
        let row = row(method);
        row.split(&format!("data-label=\"{label}\">")).nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!([cell("bc", "target steps"), cell("bc", "source"), cell("bc", "all")], ["0", "0", "0"]);
    assert_eq!((cell("dapg", "source"), cell("dapg", "all")), ("0".to_owned(), cell("dapg", "target steps")));
    assert_eq!(cell("dapg", "warm-up"), cell("dapg", "target steps"), "the critic warms up for longer than this study lasts");
    assert_ne!(cell("fine-tune", "source"), "0");
}

#[test]
fn another_set_of_demonstrations_is_another_plan() {
    let program = with_study();
    let study = STUDY.replace("\"zero-shot\", \"fine-tune\", \"bc\", \"dapg\"", "\"bc\"").replace("[1, 3]", "[1]");
    program.write("study.ron", &study);
    let look = || serde_json::from_str::<Value>(&program.ok("compare study.ron --out study --json")).unwrap()["exploratory"].clone();
    assert_eq!(look(), Value::Null);
    assert_eq!(look(), Value::Null, "the same look again");
    std::fs::rename(program.path("demos"), program.path("before")).unwrap();
    program.ok("demo record cartpole cartpole_moon --episodes 3 --seed 7 --out demos --json");
    assert!(look().as_str().unwrap().contains("under another plan"));
}

#[test]
fn what_a_study_cannot_do_with_demonstrations_is_said_before_anything_runs() {
    let program = with_study();
    let refused = |change: [&str; 2], code: i32, parts: &[&str]| {
        assert!(STUDY.contains(change[0]), "{}", change[0]);
        program.write("wrong.ron", &STUDY.replace(change[0], change[1]));
        program.run("compare wrong.ron --out wrong").refused(code, &[&["wrong.ron"], parts].concat());
        assert!(!program.path("wrong").exists());
    };
    refused(["[1, 3]", "[1, 9]"], 2, &["demos", "has 3 episodes, 9 are to be learned from", "`episodes` of the pair's `demonstrations`"]);
    refused(["[1, 3]", "[]"], 2, &["`episodes`"]);
    refused(["[1, 3]", "[3, 3]"], 2, &["names a number twice"]);
    refused(["[1, 3]", "[0]"], 2, &["lie between 1 and 3"]);
    refused(["path: \"demos\"", "path: \"nothing\""], 2, &["there are no demonstrations"]);
    refused(["[1, 3]", "[1, 3], role: Beginning"], 2, &["Beginning"]);
    refused(["\"dapg\"", "\"dagger\""], 2, &["`dagger` is no method of a study"]);
    refused(["\"dapg\"", "\"dapgg\""], 2, &["there is no method `dapgg`", "did you mean `dapg`"]);
    refused(["demonstrations: (path: \"demos\", episodes: [1, 3]),", ""], 2, &["`bc` needs demonstrations", "demonstrations: (path:"]);
    refused(["target: \"cartpole_moon\"", "target: \"classic/cartpole_continuous\""], 3, &["actions are"]);
    refused(["bc.patience=100", "gail.patience=100"], 2, &["gail"]);
}

#[test]
fn a_pair_is_chosen_by_its_own_name_or_with_its_number_of_demonstrations() {
    let program = with_study();
    program.write("study.ron", &STUDY.replace("\"zero-shot\", \"fine-tune\", \"bc\", \"dapg\"", "\"bc\""));
    let pairs = |chosen: &str, out: &str| {
        let found: Value = serde_json::from_str(&program.ok(&format!("compare study.ron --seeds 2 {chosen} --out {out} --json"))).unwrap();
        found["pairs"].as_array().unwrap().iter().map(|pair| pair["pair"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pairs("--pair moon_from_3", "three"), ["moon_from_3"]);
    assert_eq!(pairs("--pair moon", "three"), ["moon_from_1", "moon_from_3"]);
    program.run("compare study.ron --pair moon_from_2 --out none").refused(2, &["no pair `moon_from_2`", "`moon_from_"]);
}

/// Where learning rates are tried, cloning tries its own.
#[test]
fn cloning_is_tuned_by_its_own_learning_rate() {
    let program = with_study();
    let study = STUDY.replace("\"zero-shot\", \"fine-tune\", \"bc\", \"dapg\"", "\"bc\"").replace("[1, 3]", "[3]");
    program.write("study.ron", &study.replace("(learning_rates: [1])", "(learning_rates: [1e-9, 1], seeds: 2)"));
    let found: Value = serde_json::from_str(&program.ok("compare study.ron --seeds 2 --out study --json")).unwrap();
    let arm = found["pairs"][0]["arms"].as_array().unwrap().iter().find(|arm| arm["method"] == "bc").unwrap();
    let trials = arm["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 2, "{arm}");
    assert_ne!(trials[0]["values"], trials[1]["values"], "another rate clones otherwise: {arm}");
    let page = String::from_utf8(program.read("study/report.html")).unwrap();
    assert!(page.contains("The demonstrations are counted nowhere: 3 episodes of "), "the ledger says what it leaves out");
}
