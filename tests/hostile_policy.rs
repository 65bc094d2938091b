//! Whoever wrote a shared policy may be hostile: opening it ends in one clear error, with nothing else changed and little memory taken.
//!
//! `HEIRLOOM_MUTATIONS` sets how many random mutations are tried (2,000; the long form 10,000).

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod program;

use heirloom::error::Kind;
use heirloom::nn::{Activation, ActorCritic, Head, Moments, Normalizer};
use heirloom::policy::{Card, Policy, Provenance, store};
use heirloom::seed::Stream;
use program::Program;
use std::path::Path;

fn policy() -> Policy {
    let shape = ActorCritic {
        inputs: 4,
        joined: 0,
        memory: 0,
        outputs: 2,
        actor: vec![8],
        critic: vec![8],
        activation: Activation::Tanh,
        head: Head::Categorical,
    };
    let spaces = heirloom::env::Registry::standard();
    let spaces = spaces.build(&spaces.resolve("cartpole").unwrap()).unwrap().spaces().clone();
    let mut moments = Moments::new(4);
    moments.push(&[1.0, 2.0, 3.0, 4.0]);
    moments.push(&[2.0, 2.5, 3.0, 5.0]);
    Policy {
        params: shape.init(0),
        shape,
        spaces,
        normalizer: Some(Normalizer::new(moments.clone())),
        return_moments: Some(Moments::new(1)),
        inner_rates: None,
    }
}

/// A sound policy folder, as the program writes it.
fn sound(folder: &Path) -> (String, Vec<u8>) {
    let card = Card::new(&policy(), Provenance { command: "heirloom pretrain cartpole".into(), ..Provenance::default() }, Vec::new());
    store::save(folder, &policy(), &card).unwrap();
    (std::fs::read_to_string(folder.join(store::CARD)).unwrap(), std::fs::read(folder.join(store::WEIGHTS)).unwrap())
}

/// The peak of this process's memory in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A safetensors file with this header and some bytes behind it.
fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0_u8; data]].concat()
}

/// Weights, made by hand, that are all wrong in another way.
fn hostile_weights(good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let length = usize::try_from(u64::from_le_bytes(good[..8].try_into().unwrap())).unwrap();
    let header = String::from_utf8(good[8..8 + length].to_vec()).unwrap();
    let data = &good[8 + length..];
    let with_header = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat();
    let swap = |from: &str, to: &str| with_header(&header.replace(from, to));
    let claims = |length: u64| [&length.to_le_bytes()[..], &good[8..]].concat();
    let mut nan = good.to_vec();
    nan[8 + length..8 + length + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut infinite = good.to_vec();
    infinite[8 + length + 40..8 + length + 44].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let many =
        (0..5000).map(|i| format!("\"t{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}},")).collect::<Vec<_>>().concat();
    let deep = "[".repeat(100_000);
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("seven bytes", good[..7].to_vec()),
        ("a header of 2^64 - 1 bytes", claims(u64::MAX)),
        ("a header of 2^63 bytes", claims(1 << 63)),
        ("a header of a gigabyte", claims(1 << 30)),
        ("a header longer than the file", claims(good.len() as u64)),
        ("a header of no bytes", claims(0)),
        ("a header one byte short", claims(length as u64 - 1)),
        ("a header one byte long", claims(length as u64 + 1)),
        ("a byte too many", [good, &[0]].concat()),
        ("a byte too few", good[..good.len() - 1].to_vec()),
        ("a pickle", b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.".to_vec()),
        ("a zip archive", b"PK\x03\x04\x14\x00\x00\x00\x08\x00archive/data.pkl".to_vec()),
        ("a numpy file", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (100000,), }".to_vec()),
        ("text", b"weights".repeat(20)),
        ("not UTF-8", file("\u{0}", 0).iter().map(|byte| byte | 0x80).collect()),
        ("a header that is a list", file("[]", 0)),
        ("a header that is a number", file("7", 0)),
        ("a header nested deeply", file(&deep, 0)),
        ("a header that is cut", file(&header[..header.len() / 2], data.len())),
        ("no tensors", file("{}", 0)),
        ("five thousand tensors", file(&format!("{{{}}}", many.trim_end_matches(',')), 0)),
        ("a missing tensor", with_header(&header.replace("actor.0.bias", "actor.0.bia"))),
        ("an empty name", swap("actor.0.bias", "")),
        ("a name that climbs", swap("actor.0.bias", "../../etc/passwd")),
        ("a name of terminal codes", swap("actor.0.bias", "\\u001b[2J")),
        (
            "swapped names",
            with_header(
                &header.replace("actor.0.weight", "?").replace("critic.0.weight", "actor.0.weight").replace('?', "critic.0.weight"),
            ),
        ),
        ("a name that stands twice", swap("critic.0.bias", "actor.0.bias")),
        ("another shape of the same size", swap("[8,4]", "[4,8]")),
        ("a shape that broadcasts", swap("\"shape\":[8,4]", "\"shape\":[1,4]")),
        ("a flat shape", swap("\"shape\":[8,4]", "\"shape\":[32]")),
        ("a shape that overflows", swap("\"shape\":[8,4]", "\"shape\":[4294967296,4294967296]")),
        ("a negative size", swap("\"shape\":[8,4]", "\"shape\":[-8,4]")),
        ("a fraction of a size", swap("\"shape\":[8,4]", "\"shape\":[8.5,4]")),
        ("too many dimensions", swap("\"shape\":[8,4]", "\"shape\":[1,1,1,1,1,1,1,8,4]")),
        ("half precision", swap("\"F32\"", "\"F16\"")),
        ("integers", swap("\"F32\"", "\"I32\"")),
        ("an unknown type", swap("\"F32\"", "\"F33\"")),
        ("offsets that overlap", swap("\"data_offsets\":[0,", "\"data_offsets\":[4,")),
        ("offsets beyond the end", with_header(&header.replacen("\"data_offsets\":[0,", "\"data_offsets\":[99999999999,", 1))),
        ("a NaN", nan),
        ("an infinity", infinite),
    ];
    cases.push(("metadata that is no text", with_header(&header.replacen('{', "{\"__metadata__\":{\"a\":{}},", 1))));
    cases.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Cards, made by hand, that are all wrong in another way.
fn hostile_cards(good: &str) -> Vec<(String, String)> {
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1)
    };
    let cases = vec![
        ("empty", String::new()),
        ("only a bracket", "(".into()),
        ("nested deeply", "(".repeat(100_000)),
        ("a comment without end", format!("/* {good}")),
        ("long escapes", format!("(format: 1, heirloom: \"{}\")", "\\u{41}".repeat(20_000))),
        ("of another format", swap("format: 1", "format: 2")),
        ("a format that overflows", swap("format: 1", "format: 99999999999999999999")),
        ("a field that does not exist", swap("format: 1,", "format: 1, run: \"rm -rf /\",")),
        ("a field that stands twice", swap("format: 1,", "format: 1, format: 1,")),
        ("without architecture", swap("architecture:", "architectur:")),
        ("a network of no inputs", swap("inputs: 4", "inputs: 0")),
        ("a network of too many inputs", swap("inputs: 4", "inputs: 5")),
        ("layers of a terabyte", swap("actor: [8]", "actor: [65536, 65536, 65536, 65536]")),
        ("a negative layer", swap("actor: [8]", "actor: [-8]")),
        ("a layer of 2^62 units", swap("actor: [8]", "actor: [4611686018427387904]")),
        ("a hundred layers", swap("actor: [8]", &format!("actor: {:?}", vec![8; 100]))),
        ("a head that does not fit", swap("head: Categorical", "head: DiagonalGaussian(initial_log_std: 0.0)")),
        ("a head that does not exist", swap("head: Categorical", "head: Pickle(\"posix.system\")")),
        ("all inputs joined", swap("joined: 0", "joined: 4")),
        ("a memory that the weights lack", swap("joined: 0", "joined: 0, memory: 8")),
        ("a memory of fifty gigabytes", swap("joined: 0", "joined: 0, memory: 65536")),
        ("a memory beyond all bounds", swap("joined: 0", "joined: 0, memory: 18446744073709551615")),
        ("a memory with channels that joined", swap("joined: 0", "joined: 1, memory: 8")),
        ("two channels of one name", swap("cart_velocity", "cart_position")),
        ("bounds out of order", swap("low: -4.8", "low: 48.0")),
        ("bounds that are not numbers", swap("low: -4.8", "low: NaN")),
        ("another digest", swap("digest: \"", "digest: \"0")),
        ("weights of another file", swap("weights: \"", "weights: \"../")),
        ("no normaliser", swap("normalizes_observations: true", "normalizes_observations: false")),
    ];
    cases.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// Loads a folder and expects a refusal that names the file in one line.
fn refused(folder: &Path, name: &str) {
    let error = store::load(folder).map(|_| ()).expect_err(name);
    assert_eq!(error.kind(), Kind::Artefact, "{name}: {error}");
    let text = error.to_string();
    assert!(text.contains(store::CARD) || text.contains(store::WEIGHTS) || text.contains(&folder.display().to_string()), "{name}: {text}");
    assert!(!text.contains(['\n', '\u{1b}', '\u{0}']) && text.len() < 2000, "{name}: {text:?}");
}

#[test]
fn hostile_weights_and_cards_are_refused_with_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("policy");
    let (card, weights) = sound(&folder);
    store::load(&folder).unwrap();
    let before = peak();
    for (name, bytes) in hostile_weights(&weights) {
        std::fs::write(folder.join(store::WEIGHTS), &bytes).unwrap();
        refused(&folder, &name);
        // The same with a card that vouches for the file: the checks behind the checksum must hold on their own.
        let vouched = card.replace(&heirloom::file::digest::of_bytes(&weights), &heirloom::file::digest::of_bytes(&bytes));
        std::fs::write(folder.join(store::CARD), vouched).unwrap();
        refused(&folder, &name);
        std::fs::write(folder.join(store::CARD), &card).unwrap();
    }
    std::fs::write(folder.join(store::WEIGHTS), &weights).unwrap();
    for (name, text) in hostile_cards(&card) {
        std::fs::write(folder.join(store::CARD), text).unwrap();
        refused(&folder, &name);
    }
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}

#[test]
fn every_cut_and_thousands_of_mutations_are_refused_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("policy");
    let (card, weights) = sound(&folder);
    let digest = policy().digest();
    let before = peak();
    for length in (0..weights.len()).step_by(7) {
        std::fs::write(folder.join(store::WEIGHTS), &weights[..length]).unwrap();
        refused(&folder, &format!("cut at {length}"));
    }
    let mutations = std::env::var("HEIRLOOM_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(2000);
    let mut rng = Stream::Bootstrap(9).under(3);
    for index in 0..mutations {
        let (mut card, mut weights) = (card.clone().into_bytes(), weights.clone());
        let target = if index % 2 == 0 { &mut card } else { &mut weights };
        for _ in 0..=rng.below(3) {
            let at = rng.below(target.len());
            match rng.below(4) {
                0 => target[at] ^= 1 << rng.below(8),
                1 => target[at] = u8::try_from(rng.below(256)).unwrap(),
                2 => drop(target.remove(at)),
                _ => target.insert(at, b"0\"[](){},:9\xff"[rng.below(12)]),
            }
        }
        if index % 2 == 1 {
            card = String::from_utf8(card)
                .unwrap()
                .replace(&heirloom::file::digest::of_bytes(&self::weights()), &heirloom::file::digest::of_bytes(&weights))
                .into_bytes();
        }
        std::fs::write(folder.join(store::CARD), &card).unwrap();
        std::fs::write(folder.join(store::WEIGHTS), &weights).unwrap();
        match store::load(&folder) {
            // A mutation may hit a comment, a name or a number that identity does not stand on; what is loaded is then the policy itself.
            Ok((loaded, _)) => assert_eq!(loaded.digest(), digest, "mutation {index}"),
            Err(error) => assert_eq!(error.kind(), Kind::Artefact, "mutation {index}: {error}"),
        }
    }
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}

fn weights() -> Vec<u8> {
    heirloom::file::tensors::to_bytes(&policy().tensors())
}

#[test]
fn the_program_ends_with_exit_3_and_changes_nothing() {
    let program = Program::new();
    let folder = program.path("policies/bad");
    std::fs::create_dir_all(program.path("policies")).unwrap();
    let (card, _) = sound(&folder);
    std::fs::write(folder.join(store::WEIGHTS), b"\x80\x04pickle").unwrap();
    for command in ["evaluate bad cartpole", "transfer bad cartpole --method fine-tune --out run", "policies show bad"] {
        program.run(command).refused(3, &["weights.safetensors"]);
    }
    assert!(!program.path("run").exists());
    std::fs::write(folder.join(store::CARD), card.replacen("format: 1", "format: 7", 1)).unwrap();
    program.run("evaluate bad cartpole").refused(3, &["policy.ron", "format 7", "hint"]);
    program.run("evaluate nothing cartpole").refused(2, &["there is no policy `nothing`"]);
    std::fs::remove_file(folder.join(store::WEIGHTS)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.join(store::WEIGHTS)).status().unwrap().success());
    std::fs::write(folder.join(store::CARD), &card).unwrap();
    program.run("evaluate bad cartpole").refused(3, &["is not a plain file"]);
    assert_eq!(std::fs::read_to_string(folder.join(store::CARD)).unwrap(), card);
}

#[test]
fn a_packed_policy_comes_out_as_it_went_in_and_a_damaged_one_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    sound(&folder.path().join("sound"));
    let (policy, card) = store::load(&folder.path().join("sound")).unwrap();
    let packed = store::pack(&policy, &card).unwrap();
    assert_eq!(packed, store::pack(&policy, &card).unwrap(), "the same bytes every time");
    assert_eq!(store::unpack(&packed, "here").unwrap(), (policy, card.clone()));
    for length in 0..packed.len() {
        assert_eq!(store::unpack(&packed[..length], "here").unwrap_err().kind(), Kind::Artefact, "{length} bytes");
    }
    let mut draws = Stream::Env(0).under(0);
    for _ in 0..2000 {
        let mut damaged = packed.clone();
        let at = draws.below(damaged.len());
        damaged[at] ^= 1 << draws.below(8);
        match store::unpack(&damaged, "here") {
            Err(error) => assert_eq!(error.kind(), Kind::Artefact, "{error}"),
            // A bit of what the card tells, but nothing that acts.
            Ok((policy, _)) => assert_eq!(policy.digest(), card.digest),
        }
    }
    let program = Program::new();
    std::fs::write(program.path("packed"), &packed[..packed.len() - 1]).unwrap();
    let ended = program.run("policies unpack packed out/policy");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(!program.path("out").exists());
    std::fs::write(program.path("packed"), &packed).unwrap();
    assert_eq!(program.run("policies unpack packed out/policy").code, Some(0));
    assert_eq!(program.run("policies pack out/policy again").code, Some(0));
    assert_eq!(std::fs::read(program.path("again")).unwrap(), packed);
    assert_eq!(program.run("policies pack out/policy again").code, Some(2), "nothing is written over");
}
