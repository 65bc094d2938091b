//! Demonstrations are replayed: what was recorded comes again bit for bit, what was changed is found, and what comes elsewhere is measured.

mod program;

use heirloom::demo::{Demonstrations, Recording};
use program::Program;
use serde_json::Value;

/// A set of the built-in policy for an environment.
fn record(program: &Program, environment: &str, episodes: u64, out: &str) {
    program.ok(&format!("demo record {environment} {environment} --episodes {episodes} --out {out}"));
}

/// The set once more, with a change.
fn rewrite(program: &Program, from: &str, to: &str, change: impl Fn(u64, &mut heirloom::demo::Episode)) {
    let set = Demonstrations::open(&program.path(from)).unwrap();
    let mut recording = Recording::create(&program.path(to), set.header().clone()).unwrap();
    for episode in set.episodes() {
        let (number, mut episode) = episode.unwrap();
        change(number, &mut episode);
        recording.append(episode).unwrap();
    }
    recording.finish().unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_was_recorded_comes_again() {
    let program = Program::new();
    for environment in ["cartpole", "pendulum"] {
        record(&program, environment, 3, environment);
        let said = program.ok(&format!("demo replay {environment}"));
        assert!(said.contains("3 episodes") && said.contains("identical, bit for bit"), "{said}");
    }
    let found = json(&program.ok("demo replay cartpole --episodes 0,2 --threads 2 --env cartpole --json"));
    assert_eq!((&found["episodes"], &found["identical"], &found["environment_now"]), (&2.into(), &2.into(), &Value::Null));
    program.run("demo replay cartpole --episodes 2-7").refused(2, &["there is no episode 7", "0 to 2"]);
    program.run("demo replay cartpole --episodes x").refused(2, &["`x` does not name episodes", "0-9,12"]);
    program.run("demo replay nothing").refused(2, &["there are no demonstrations"]);
}

#[test]
fn a_changed_number_is_found_where_it_stands() {
    let program = Program::new();
    record(&program, "cartpole", 4, "set");
    rewrite(&program, "set", "changed", |number, episode| {
        if number == 2 {
            // Channel 2 is the pole's angle.
            let rows = episode.len() + 1;
            let angle = &mut episode.observations[2 * rows + 7];
            *angle = f64::from_bits(angle.to_bits() ^ 1);
        }
    });
    let ended = program.run("demo replay changed");
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("1 differ, first episode 2 in step 7 at `pole_angle`"), "{}", ended.stdout);
    let ended = program.run("demo replay changed --json");
    let first = &json(&ended.stdout)["differing"][0];
    assert_eq!((&first["episode"], &first["step"], &first["channel"]), (&2.into(), &7.into(), &"pole_angle".into()));
    assert!(first["difference"].as_f64().unwrap() > 0.0 && first["difference"].as_f64().unwrap() < 1e-15);
    program.ok("demo replay changed --tolerance 1e-12");
    program.ok("demo replay changed --episodes 0-1,3");
    program.run("demo replay changed --tolerance -1").refused(2, &["--tolerance"]);
}

#[test]
fn an_environment_that_is_not_the_recorded_one_is_refused_with_what_differs() {
    let program = Program::new();
    program.write("envs/lab.ron", "(extends: \"cartpole\", context: (gravity: 9.8))");
    program.ok("demo record cartpole lab --episodes 2 --out set");
    program.ok("demo replay set --env lab");
    program.write("envs/lab.ron", "(extends: \"cartpole\", context: (gravity: 9.81))");
    program.run("demo replay set --env lab").refused(2, &["gravity 9.81 against 9.8 recorded", "--in lab"]);
    // Plain, it is what was recorded that is replayed, and the other one is mentioned.
    let ended = program.run("demo replay set");
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stdout.contains("identical") && ended.stderr.contains("lab is another environment now: gravity 9.81 against 9.8"),
        "{}",
        ended.stderr
    );
    // On purpose, the drift is small at first and grows.
    let drift = json(&program.ok("demo replay set --in lab --json"));
    let distance = |step: usize| drift["steps"][step]["distance"]["median"].as_f64().unwrap();
    assert_eq!(distance(0), 0.0);
    assert!(distance(1) > 0.0 && distance(1) < 0.01 && distance(40) > 10.0 * distance(1), "{} {}", distance(1), distance(40));
    assert_eq!(drift["differences"][0]["name"], "gravity");
}

#[test]
fn elsewhere_it_drifts_and_a_page_shows_it() {
    let program = Program::new();
    record(&program, "cartpole", 3, "set");
    let said = program.ok("demo replay set --in cartpole_moon");
    for words in ["gravity", "1.62", "half are more than 0.1 sd apart", "demos/set-in-cartpole_moon.html"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let page = String::from_utf8(program.read("demos/set-in-cartpole_moon.html")).unwrap();
    for words in [
        "How far they drift apart",
        "open loop",
        "heirloom judge",
        "id=\"beside\"",
        "Content-Security-Policy",
        "the same actions in cartpole_moon",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("NaN"));
    program.run("demo replay set --in pendulum").refused(2, &["torque", "left, right", "as they are"]);
    program.run("demo replay set --in cartpole_mon").refused(2, &["did you mean `cartpole_moon`"]);
}

#[test]
fn a_page_plays_what_was_recorded_alone_or_beside_others() {
    let program = Program::new();
    record(&program, "mountain_car", 2, "car");
    program.ok("demo replay car --html");
    let page = String::from_utf8(program.read("demos/car.html")).unwrap();
    let reel = page.split("id=\"film\">").nth(1).unwrap().split("</script>").next().unwrap();
    let reel = json(reel);
    assert_eq!(reel["episodes"].as_array().unwrap().len(), 2);
    // A frame for every observation, each with something to draw.
    let episode = &reel["episodes"][0];
    let frames = episode["frames"].as_array().unwrap();
    assert_eq!(frames.len(), episode["rewards"].as_array().unwrap().len() + 1);
    assert!(frames.iter().all(|frame| frame.as_array().unwrap().len() > 2));
    assert!(page.contains("identical, bit for bit") && page.contains("<kbd>Space</kbd>") && !page.contains("id=\"beside\""));
    record(&program, "cartpole", 1, "cart");
    program.ok("demo replay car --html both.html --beside cart");
    let page = String::from_utf8(program.read("both.html")).unwrap();
    assert!(page.contains("id=\"beside\"") && page.contains("car beside cart"));
    assert_eq!(program.run("demo replay car --beside cart").code, Some(2));
    program.run("demo replay car --html car.txt").refused(2, &["is not the name of a page"]);
}

#[test]
fn a_set_without_starts_is_replayed_where_all_of_the_state_is_seen() {
    let program = Program::new();
    for environment in ["cartpole", "pendulum"] {
        record(&program, environment, 2, environment);
        rewrite(&program, environment, &format!("{environment}_import"), |_, episode| episode.start = None);
    }
    assert!(program.ok("demo replay cartpole_import").contains("identical"));
    program.run("demo replay pendulum_import").refused(3, &["no episode says where it began", "--in ENV"]);
    // A page plots it without a scene; elsewhere it begins in a start of that environment's own.
    program.ok("demo replay pendulum_import --html page.html");
    assert!(String::from_utf8(program.read("page.html")).unwrap().contains("There is nothing to draw"));
    let said = program.ok("demo replay pendulum_import --in pendulum");
    assert!(said.contains("beware: 2 of 2 episodes begin in a start state that pendulum drew itself"), "{said}");
}
