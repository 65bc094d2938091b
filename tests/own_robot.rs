//! A robot of the user's own: a model's XML and a few lines of RON, no Rust.

mod program;

use heirloom::env::{Action, Env, Part, Registry, Spec};
use heirloom::error::Result;
use heirloom::seed::Stream;
use program::Program;

const CRANE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_robot/crane.ron");

fn crane() -> (Registry, Spec) {
    let registry = Registry::standard();
    let spec = registry.resolve(CRANE).unwrap();
    (registry, spec)
}

/// Some steps with the motor at a third, from the start that is always the same.
fn rewards(env: &mut dyn Env, observation: &mut [f64]) -> Vec<f64> {
    let mut rng = Stream::Env(0).under(3);
    env.reset(&mut rng, observation).unwrap();
    (0..100).map(|_| env.step(Action::Continuous(&[0.3]), &mut rng, observation).unwrap().reward).collect()
}

#[test]
fn what_is_seen_earned_and_drawn_is_what_the_file_says() {
    let (registry, spec) = crane();
    let mut env = registry.build(&spec).unwrap();
    let names: Vec<&str> = env.spaces().observation.iter().map(|channel| channel.name.as_str()).collect();
    let expected =
        ["rail", "swing", "load", "rail_velocity", "swing_velocity", "load_velocity", "hook_to_goal_x", "hook_to_goal_y", "hook_to_goal_z"];
    assert_eq!(names, expected);
    assert_eq!(env.spaces().action.names(), ["push"]);
    let mut seen = [0.0; 9];
    let earned = rewards(env.as_mut(), &mut seen);
    let distance = (seen[6] * seen[6] + seen[7] * seen[7] + seen[8] * seen[8]).sqrt();
    assert!((earned[99] + distance + 0.01 * 0.09).abs() < 1e-6, "{} at {distance}", earned[99]);
    let parts = env.scene().parts;
    let corners = |part: &Part| if let Part::Polygon { points, .. } = part { points.len() } else { 0 };
    assert!(parts.iter().any(|part| corners(part) == 3), "the pyramid is a triangle from the side: {parts:?}");
    assert!(parts.iter().any(|part| corners(part) == 4), "the trolley is a rectangle");
}

#[test]
fn a_card_brings_the_model_along_and_a_target_extends_it() {
    let (registry, spec) = crane();
    let again = Spec::from_ron(&registry, "again", &spec.to_ron()).unwrap();
    assert_eq!((spec.differences(&again), spec.digest()), (vec![], again.digest()));
    let (mut one, mut two) = (registry.build(&spec).unwrap(), registry.build(&again).unwrap());
    assert_eq!(rewards(one.as_mut(), &mut [0.0; 9]), rewards(two.as_mut(), &mut [0.0; 9]));
    let windy = registry.resolve(&CRANE.replace("crane.ron", "crane_windy.ron")).unwrap();
    assert_eq!(windy.extends, ["crane"]);
    assert_ne!(rewards(registry.build(&windy).unwrap().as_mut(), &mut [0.0; 9]), rewards(one.as_mut(), &mut [0.0; 9]));
}

#[test]
fn it_is_trained_on_as_any_other() {
    let program = Program::new();
    let ended = program.run(&format!("pretrain {CRANE} --steps 4000 --out run --set ppo.environments=4"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let windy = CRANE.replace("crane.ron", "crane_windy.ron");
    let ended = program.run(&format!("transfer run {windy} --method fine-tune --steps 2000 --out moved"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a scratch file")]
fn what_is_wrong_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let xml = std::fs::read_to_string(CRANE.replace(".ron", ".xml")).unwrap();
    let resolve = |xml: &str, section: &str| -> Result<Spec> {
        std::fs::write(folder.path().join("robot.xml"), xml).unwrap();
        std::fs::write(folder.path().join("robot.ron"), format!("(mujoco: ({section}), max_episode_steps: 10)")).unwrap();
        Registry::standard().resolve(folder.path().join("robot.ron").to_str().unwrap())
    };
    let whole = "xml: \"robot.xml\", observation: [Joint(\"rail\")], reward: [Alive(1)]";
    resolve(&xml, whole).unwrap();
    let broken = xml.replace("<site name=\"hook\"", "<sight name=\"hook\"");
    let without_motor = xml.replace("motor", "motr");
    for (xml, section, words) in [
        (xml.as_str(), "xml: \"absent.xml\", observation: [Joint(\"rail\")], reward: []", "absent.xml"),
        (&xml, "xml: \"../robot.xml\", observation: [Joint(\"rail\")], reward: []", "is no file beside this one"),
        (&xml, "observation: [Joint(\"rail\")], reward: []", "names no model"),
        (&broken, whole, "line 20"),
        (&without_motor, whole, "robot.xml: MuJoCo refuses the model"),
        ("<mujoco><worldbody><body><joint/><geom size='.1'/></body></worldbody></mujoco>", whole, "no actuators"),
        ("<mujoco/>", whole, "no body but the world"),
        ("<mujoco><include file='/etc/passwd'/></mujoco>", whole, "no `<include>` (line 1)"),
        (&xml, "xml: \"robot.xml\", observation: [Joint(\"rial\")], reward: []", "has no joint `rial`"),
        (&xml, "xml: \"robot.xml\", observation: [], reward: []", "nothing is observed"),
        (&xml, "xml: \"robot.xml\", observation: [Joint(\"rail\"), Joint(\"rail\")], reward: []", "`rail` is observed twice"),
        (
            &xml,
            "xml: \"robot.xml\", observation: [Joint(\"rail\")], reward: [Number(of: Joint(\"rail\"), index: 1, weight: 1)]",
            "no number 1",
        ),
        (&xml, "xml: \"robot.xml\", observation: [Joint(\"rail\")], reward: [Alive(inf)]", "`weight` cannot be inf"),
        (&xml, "xml: \"robot.xml\", frame_skip: 0, observation: [Joint(\"rail\")], reward: []", "`frame_skip` cannot be 0"),
        (&xml, "xml: \"robot.xml\", observation: [Joint(\"rail\")], reward: [Speed(1)]", "Speed"),
    ] {
        let error = resolve(xml, section).unwrap_err();
        let said = format!("{error} {}", error.remedy().unwrap_or_default());
        assert_eq!(error.kind(), heirloom::error::Kind::Usage, "{said}");
        assert!(said.contains(words) && said.contains("robot."), "{section}: {said}");
    }
}

/// A model that asks for so little memory that MuJoCo cannot go on is refused before it is built.
#[test]
#[expect(clippy::disallowed_methods, reason = "a scratch file")]
fn how_much_memory_there_is_is_not_for_a_model_to_say() {
    let program = Program::new();
    // Twelve boxes on the ground have more contacts than so little memory holds.
    let body = |index: usize| {
        format!("<body pos='{} 0 .1'><joint name='j{index}' type='free'/><geom type='box' size='.1 .1 .1'/></body>", index % 4)
    };
    let boxes = (0..12).map(body).collect::<Vec<_>>().concat();
    let xml = format!(
        "<mujoco><size memory='120K'/><worldbody><geom type='plane' size='5 5 1'/>{boxes}<body name='b' pos='0 0 3'><joint name='h'/><geom size='.1'/></body>\
         </worldbody><actuator><motor joint='h' ctrllimited='true' ctrlrange='-1 1'/></actuator></mujoco>"
    );
    std::fs::write(program.path("boxes.xml"), xml).unwrap();
    let ron = "(mujoco: (xml: \"boxes.xml\", observation: [Joint(\"h\")], reward: [Alive(1)]), max_episode_steps: 20)";
    std::fs::write(program.path("boxes.ron"), ron).unwrap();
    let ended = program.run("envs check ./boxes.ron");
    assert_eq!(ended.code, Some(2), "how much memory there is is not the file's to say: {}", ended.stderr);
}
