//! Whoever wrote a foreign data set may be hostile: an import ends in one clear error, with nothing else changed and little memory taken.
//!
//! `HEIRLOOM_MUTATIONS` sets how many random mutations are tried for each format (300; the long form 10,000).

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

use hdf5_pure::{AttrValue, EnumTypeBuilder, FileBuilder, GroupBuilder, make_i8_type};
use heirloom::demo::import::Target;
use heirloom::demo::making::Made;
use heirloom::demo::{minari, npz};
use heirloom::env::{Registry, Spaces, Spec};
use heirloom::error::{Kind, Result};
use heirloom::seed::{Rng, Stream};
use heirloom::stop::Stop;
use npyz::WriterBuilder;
use std::path::{Path, PathBuf};

/// A place to import from and to.
struct Scene {
    folder: tempfile::TempDir,
    registry: Registry,
    spec: Spec,
    spaces: Spaces,
    stop: Stop,
}

impl Scene {
    fn new(environment: &str) -> Self {
        let registry = Registry::standard();
        let spec = registry.resolve(environment).unwrap();
        let spaces = registry.build(&spec).unwrap().spaces().clone();
        Self { folder: tempfile::tempdir().unwrap(), registry, spec, spaces, stop: Stop::new() }
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn import(&self, import: fn(&Path, Target<'_>) -> Result<Made>, from: &str) -> Result<Made> {
        let out = self.path("out/new/set");
        let target = Target { registry: &self.registry, spec: &self.spec, spaces: &self.spaces, out: &out, stop: &self.stop };
        import(&self.path(from), target)
    }

    /// Imports and expects a refusal in one line that names the file, and nothing left of the attempt.
    fn refused(&self, import: fn(&Path, Target<'_>) -> Result<Made>, from: &str, name: &str) -> String {
        let error = self.import(import, from).map(|made| made.set.steps()).expect_err(name);
        assert_eq!(error.kind(), Kind::Artefact, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(from), "{name}: {text}");
        assert!(!text.contains(['\n', '\u{1b}', '\u{0}']) && text.len() < 1500, "{name}: {text:?}");
        assert!(!self.path("out").exists(), "{name}: something is left");
        text
    }

    /// Imports what may be sound or not; nothing is left either way.
    fn harmless(&self, import: fn(&Path, Target<'_>) -> Result<Made>, from: &str, name: &str) {
        match self.import(import, from) {
            Ok(_) => std::fs::remove_dir_all(self.path("out")).unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Artefact, "{name}: {error}");
                let text = error.to_string();
                assert!(text.contains(from) && !text.contains(['\n', '\u{1b}']), "{name}: {text:?}");
            }
        }
        assert!(!self.path("out").exists(), "{name}: something is left");
    }
}

/// The peak of this process's memory in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Damages bytes here and there.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.below(bytes.len());
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
            2 => bytes[at] = 0xff,
            3 => drop(bytes.remove(at)),
            4 => bytes.insert(at, b"0\"[](){},:9\xff"[rng.below(12)]),
            _ => bytes.truncate(at.max(1)),
        }
    }
}

fn mutations() -> usize {
    std::env::var("HEIRLOOM_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// An array of NumPy, whatever its header says.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len() + 1).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), b"\n", data].concat()
}

fn header(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The checksum of zip archives.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// An archive of stored entries: `claim` may say another size, another checksum or another method.
fn zip(entries: &[(&str, Vec<u8>)], claim: impl Fn(&str, &mut u32, &mut u32, &mut u16)) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let (mut size, mut crc, mut method) = (u32::try_from(data.len()).unwrap(), crc32(data), 0_u16);
        let stored = size;
        claim(name, &mut size, &mut crc, &mut method);
        let offset = u32::try_from(file.len()).unwrap();
        let mut fixed = vec![20, 0, 0, 0];
        fixed.extend(method.to_le_bytes());
        fixed.extend([0, 0, 0x21, 0]);
        fixed.extend(crc.to_le_bytes());
        fixed.extend(stored.to_le_bytes());
        fixed.extend(size.to_le_bytes());
        fixed.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fixed.extend([0, 0]);
        file.extend([&b"PK\x03\x04"[..], &fixed, name.as_bytes(), data].concat());
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &fixed, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let place = u32::try_from(file.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    [&file[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &place, &[0, 0]].concat()
}

fn sound_zip(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip(entries, |_, _, _, _| {})
}

/// Six steps of `CartPole` in two episodes.
fn sound_arrays() -> Vec<(&'static str, Vec<u8>)> {
    let rows: Vec<f32> = (0_u8..7).flat_map(|row| [0.1, 0.2, 0.3, 0.01 * f32::from(row)]).collect();
    let after: Vec<f32> = [&rows[4..12], &[9.0; 4], &rows[16..]].concat();
    vec![
        ("observations.npy", npy(&header("<f4", "(6, 4)"), &floats(&rows[..24]))),
        ("actions.npy", npy(&header("|i1", "(6,)"), &[0, 1, 1, 0, 1, 0])),
        ("rewards.npy", npy(&header("<f4", "(6,)"), &floats(&[1.0; 6]))),
        ("terminals.npy", npy(&header("|b1", "(6,)"), &[0, 0, 1, 0, 0, 0])),
        ("timeouts.npy", npy(&header("|b1", "(6,)"), &[0, 0, 0, 0, 0, 1])),
        ("next_observations.npy", npy(&header("<f4", "(6, 4)"), &floats(&after))),
    ]
}

/// The sound arrays with one of them exchanged.
fn with(name: &str, array: Vec<u8>) -> Vec<u8> {
    let mut arrays = sound_arrays();
    match arrays.iter_mut().find(|(other, _)| *other == name) {
        Some((_, old)) => *old = array,
        None => panic!("no array {name}"),
    }
    sound_zip(&arrays)
}

/// The sound arrays with bytes of one of them exchanged behind its header.
fn with_bytes(name: &str, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut array = sound_arrays().into_iter().find(|(other, _)| *other == name).unwrap().1;
    let begin = array.iter().position(|byte| *byte == b'\n').unwrap() + 1 + at;
    array[begin..begin + bytes.len()].copy_from_slice(bytes);
    with(name, array)
}

fn without(names: &[&str]) -> Vec<u8> {
    sound_zip(&sound_arrays().into_iter().filter(|(name, _)| !names.contains(name)).collect::<Vec<_>>())
}

/// Zeros that fold to almost nothing.
fn bomb(numbers: u64) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = npyz::npz::NpzWriter::new(&mut bytes);
    for name in ["observations", "actions", "rewards", "terminals"] {
        let shape = if name == "observations" { vec![numbers, 4] } else { vec![numbers] };
        let writer = archive.array::<f32>(name, npyz::zip::write::FileOptions::default()).unwrap();
        let mut writer = writer.default_dtype().shape(&shape).begin_nd().unwrap();
        for _ in 0..shape.iter().product::<u64>() {
            writer.push(&0.0).unwrap();
        }
        writer.finish().unwrap();
    }
    drop(archive);
    bytes.into_inner()
}

/// Archives, made by hand, that are all wrong in another way.
fn hostile_archives() -> Vec<(&'static str, Vec<u8>)> {
    let good = sound_zip(&sound_arrays());
    let array = |descr: &str, shape: &str, data: &[u8]| npy(&header(descr, shape), data);
    let observations = |shape: &str| with("observations.npy", array("<f4", shape, &[0; 96]));
    let raw = |header: &str| with("observations.npy", npy(header, &[0; 96]));
    let plain = sound_arrays()[0].1.clone();
    let claims = |wrong: fn(&mut u32, &mut u32, &mut u16)| {
        zip(&sound_arrays(), |name, size, crc, method| {
            if name == "rewards.npy" {
                wrong(size, crc, method);
            }
        })
    };
    let extra = |name: &'static str, array: Vec<u8>| sound_zip(&[sound_arrays(), vec![(name, array)]].concat());
    let version = |major: u8| {
        let mut array = plain.clone();
        array[6] = major;
        with("observations.npy", array)
    };
    let long_header = [b"\x93NUMPY\x02\x00", &u32::MAX.to_le_bytes()[..], &plain[10..]].concat();
    vec![
        ("empty", Vec::new()),
        ("text", b"observations".repeat(30)),
        ("a pickle", b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.".to_vec()),
        ("a single array", plain.clone()),
        ("an HDF5 file", [b"\x89HDF\r\n\x1a\n".to_vec(), vec![0; 200]].concat()),
        ("an empty archive", sound_zip(&[])),
        ("no central directory", good[..good.len() - 22].to_vec()),
        ("half an archive", good[good.len() / 2..].to_vec()),
        ("a directory elsewhere", [&good[..good.len() - 6], &u32::MAX.to_le_bytes(), &[0, 0]].concat()),
        ("more entries than there are", {
            let mut bytes = good.clone();
            let at = bytes.len() - 14;
            bytes[at..at + 4].fill(0xff);
            bytes
        }),
        ("a size of 4 GiB", claims(|size, _, _| *size = u32::MAX - 1)),
        ("a size of nothing", claims(|size, _, _| *size = 0)),
        ("another checksum", claims(|_, crc, _| *crc ^= 1)),
        ("an unknown method", claims(|_, _, method| *method = 99)),
        ("a method that it is not", claims(|_, _, method| *method = 8)),
        ("no observations", without(&["observations.npy"])),
        ("no actions", without(&["actions.npy"])),
        ("no rewards", without(&["rewards.npy"])),
        ("no ends", without(&["terminals.npy", "timeouts.npy"])),
        ("actions under two names", extra("acts.npy", array("|i1", "(6,)", &[0; 6]))),
        ("an array that stands twice", extra("rewards.npy", array("<f4", "(6,)", &[0; 24]))),
        ("not an array", with("observations.npy", b"not an array of numbers".to_vec())),
        ("a cut header", with("observations.npy", plain[..40].to_vec())),
        ("a header of 4 GiB", with("observations.npy", long_header)),
        ("an unknown version", version(9)),
        ("a header of version 3 that is one of 1", version(3)),
        ("objects", with("observations.npy", array("|O", "(6, 4)", b"\x80\x04\x8c\x05posix\x8c\x06system\x93."))),
        ("objects among the further numbers", extra("infos/x.npy", array("|O", "(6,)", b"\x80\x04."))),
        ("records", raw("{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (6, 2), }")),
        ("text in an array", raw(&header("<U4", "(6, 1)"))),
        ("complex numbers", raw(&header("<c8", "(6, 2)"))),
        ("times", raw(&header("<M8[s]", "(6, 2)"))),
        ("half precision", raw(&header("<f2", "(6, 8)"))),
        ("a type of a gigabyte", raw(&header("|V1000000000", "(6, 4)"))),
        ("a shape that overflows", observations("(4294967296, 4294967296, 4294967296)")),
        ("a shape of terabytes", observations("(1000000000000, 4)")),
        ("a shape beyond 64 bits", observations("(99999999999999999999999999, 4)")),
        ("a negative shape", observations("(-6, 4)")),
        ("a shape with a fraction", observations("(6.0, 4)")),
        ("a shape that is a number", observations("6")),
        ("a shape of many dimensions", observations(&format!("({})", "1, ".repeat(2000)))),
        ("a shape nested deeply", observations(&"(".repeat(4000))),
        ("a shape that is longer than the data", observations("(7, 4)")),
        ("a shape that is shorter than the data", observations("(5, 4)")),
        ("another width", observations("(4, 6)")),
        ("three dimensions", observations("(6, 2, 2)")),
        ("no shape", raw("{'descr': '<f4', 'fortran_order': False, }")),
        ("no type", raw("{'fortran_order': False, 'shape': (6, 4), }")),
        ("a header that is code", raw("__import__('os').system('true')")),
        ("a header that is a list", raw("[1, 2, 3]")),
        ("a header of nothing", raw("")),
        ("a header that is not UTF-8", with("observations.npy", [b"\x93NUMPY\x01\x00\x04\x00\xff\xfe\xff\n", &[0; 96][..]].concat())),
        ("a NaN", with_bytes("observations.npy", 20, &f32::NAN.to_le_bytes())),
        ("an infinite reward", with_bytes("rewards.npy", 8, &f32::INFINITY.to_le_bytes())),
        ("an action that does not exist", with_bytes("actions.npy", 2, &[2])),
        ("an action below zero", with_bytes("actions.npy", 2, &[0xff])),
        ("a flag that is 2", with("terminals.npy", array("|u1", "(6,)", &[0, 0, 2, 0, 0, 0]))),
        ("actions that are numbers", with("actions.npy", array("<f4", "(6,)", &[0; 24]))),
        ("too few actions", with("actions.npy", array("|i1", "(5,)", &[0; 5]))),
        ("too many flags", with("timeouts.npy", array("|b1", "(7,)", &[0; 7]))),
        ("no steps", {
            let mut arrays = sound_arrays();
            arrays.retain(|(name, _)| *name != "next_observations.npy");
            for (name, array) in &mut arrays {
                *array = if *name == "observations.npy" {
                    npy(&header("<f4", "(0, 4)"), &[])
                } else {
                    npy(&header(if *name == "actions.npy" { "|i1" } else { "<f4" }, "(0,)"), &[])
                };
            }
            sound_zip(&arrays)
        }),
        ("what does not continue", with_bytes("next_observations.npy", 0, &5_f32.to_le_bytes())),
        ("a start in the middle that no end precedes", extra("dones.npy", array("|b1", "(6,)", &[0, 0, 0, 0, 0, 1]))),
        ("a first row that begins nothing", extra("episode_starts.npy", array("|b1", "(6,)", &[0, 0, 0, 1, 0, 0]))),
        ("a bomb", bomb(3_000_000)),
    ]
}

#[test]
fn hostile_archives_are_refused_with_little_memory() {
    let scene = Scene::new("cartpole");
    let good = sound_zip(&sound_arrays());
    std::fs::write(scene.path("data.npz"), &good).unwrap();
    assert_eq!(scene.import(npz::import, "data.npz").unwrap().set.len(), 2);
    std::fs::remove_dir_all(scene.path("out")).unwrap();
    let cases = hostile_archives();
    assert!(cases.len() >= 40);
    let before = peak();
    for (name, bytes) in cases {
        std::fs::write(scene.path("data.npz"), &bytes).unwrap();
        scene.refused(npz::import, "data.npz", name);
    }
    for length in (0..good.len()).step_by(5) {
        std::fs::write(scene.path("data.npz"), &good[..length]).unwrap();
        scene.refused(npz::import, "data.npz", &format!("cut at {length}"));
    }
    let mut rng = Stream::Bootstrap(9).under(4);
    for index in 0..mutations() {
        let mut bytes = good.clone();
        mutate(&mut bytes, &mut rng);
        std::fs::write(scene.path("data.npz"), &bytes).unwrap();
        scene.harmless(npz::import, "data.npz", &format!("mutation {index}"));
    }
    // With checksums that vouch for what was damaged: the checks behind them must hold on their own.
    for index in 0..mutations() {
        let mut arrays = sound_arrays();
        let one = rng.below(arrays.len());
        mutate(&mut arrays[one].1, &mut rng);
        std::fs::write(scene.path("data.npz"), sound_zip(&arrays)).unwrap();
        scene.harmless(npz::import, "data.npz", &format!("vouched mutation {index}"));
    }
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}

#[test]
fn names_without_end_are_left_out() {
    let scene = Scene::new("cartpole");
    let names: Vec<String> =
        (0..300).map(|number| format!("infos/{number}{}.npy", "x".repeat(if number < 20 { 60_000 } else { 0 }))).collect();
    let number = npy(&header("<f4", "(6,)"), &floats(&[0.5; 6]));
    let mut arrays = sound_arrays();
    arrays.extend(names.iter().map(|name| (name.as_str(), number.clone())));
    std::fs::write(scene.path("data.npz"), sound_zip(&arrays)).unwrap();
    let made = scene.import(npz::import, "data.npz").unwrap();
    assert_eq!((made.set.header().info.len(), made.notes.len()), (256, 44));
}

#[test]
fn an_archive_says_where_it_is_wrong() {
    let scene = Scene::new("cartpole");
    let said = |bytes: Vec<u8>| {
        std::fs::write(scene.path("data.npz"), bytes).unwrap();
        scene.refused(npz::import, "data.npz", "said")
    };
    assert!(
        said(with_bytes("observations.npy", 64, &f32::NAN.to_le_bytes()))
            .contains("episode 1, rows 3 to 5: step 1: the observation `cart_position` is NaN")
    );
    assert!(said(with_bytes("actions.npy", 5, &[7])).contains("episode 1, rows 3 to 5: step 2: there is no action 7"));
    assert!(said(with_bytes("next_observations.npy", 16, &[0; 4])).contains("row 1: `cart_position` is 0 after the step"));
}

fn golden(inside: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/minari/data/minari").join(inside)).unwrap()
}

const METADATA: &str = r#"{"total_episodes": 2, "total_steps": 5, "data_format": "hdf5", "dataset_id": "a-v0"}"#;

/// An episode of `steps` steps of Pendulum.
fn pendulum(group: &mut GroupBuilder, number: u64, steps: usize) {
    let rows = u64::try_from(steps).unwrap();
    group.set_attr("id", AttrValue::U64(number));
    group.set_attr("total_steps", AttrValue::U64(rows));
    group.create_dataset("observations").with_f64_data(&vec![0.5; 3 * (steps + 1)]).with_shape(&[rows + 1, 3]);
    group.create_dataset("actions").with_f32_data(&vec![1.0; steps]).with_shape(&[rows, 1]);
    group.create_dataset("rewards").with_f64_data(&vec![-1.0; steps]);
    flags(group, "terminations", &vec![0; steps]);
    flags(group, "truncations", &[vec![0; steps.saturating_sub(1)], vec![1]].concat()[..steps]);
}

fn flags(group: &mut GroupBuilder, name: &str, flags: &[u8]) {
    let boolean = EnumTypeBuilder::with_base(make_i8_type()).value("FALSE", 0).value("TRUE", 1).build().unwrap();
    group.create_dataset(name).with_enum_u8_data(boolean, flags);
}

/// A file of two episodes: the first has 3 steps, the second is made by `second`.
fn file(second: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    file_of(&["episode_0", "episode_1"], second)
}

fn file_of(names: &[&str], last: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    let mut file = FileBuilder::new();
    let (end, before) = names.split_last().unwrap();
    for (number, name) in (0..).zip(before) {
        let mut group = file.create_group(name);
        pendulum(&mut group, number, 3);
        file.add_group(group.finish());
    }
    let mut group = file.create_group(end);
    last(&mut group);
    file.add_group(group.finish());
    file.finish().unwrap()
}

/// A second episode with one of its arrays made otherwise.
fn otherwise(name: &'static str, make: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    file(|group| {
        group.set_attr("id", AttrValue::U64(1));
        group.set_attr("total_steps", AttrValue::U64(2));
        if name != "observations" {
            group.create_dataset("observations").with_f64_data(&[0.5; 9]).with_shape(&[3, 3]);
        }
        if name != "actions" {
            group.create_dataset("actions").with_f32_data(&[1.0; 2]).with_shape(&[2, 1]);
        }
        if name != "rewards" {
            group.create_dataset("rewards").with_f64_data(&[-1.0; 2]);
        }
        for flag in ["terminations", "truncations"] {
            if name != flag {
                flags(group, flag, &[0, 0]);
            }
        }
        make(group);
    })
}

/// HDF5 files, made by hand, that are all wrong in another way.
fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let good = file(|group| pendulum(group, 1, 2));
    let observations = |values: Vec<f64>, shape: &[u64]| {
        let shape = shape.to_vec();
        otherwise("observations", move |group| {
            group.create_dataset("observations").with_f64_data(&values).with_shape(&shape);
        })
    };
    let attribute = |name: &'static str, value: AttrValue| {
        file(move |group| {
            pendulum(group, 1, 2);
            group.set_attr(name, value);
        })
    };
    vec![
        ("empty", Vec::new()),
        ("text", b"episode_0".repeat(100)),
        ("a zip archive", b"PK\x03\x04\x14\x00".repeat(50)),
        ("only the signature", good[..8].to_vec()),
        ("half a file", good[..good.len() / 2].to_vec()),
        ("a root elsewhere", {
            let mut bytes = good.clone();
            bytes[24..48].fill(0xfe);
            bytes
        }),
        ("no episodes", FileBuilder::new().finish().unwrap()),
        ("one episode too few", file_of(&["episode_0"], |group| pendulum(group, 0, 5))),
        ("one episode too many", file_of(&["episode_0", "episode_1", "episode_2"], |group| pendulum(group, 2, 2))),
        ("a gap", file_of(&["episode_0", "episode_2"], |group| pendulum(group, 2, 2))),
        ("a number with a zero before it", file_of(&["episode_0", "episode_01"], |group| pendulum(group, 1, 2))),
        ("a number that overflows", file_of(&["episode_0", "episode_99999999999999999999"], |group| pendulum(group, 1, 2))),
        ("something beside the episodes", file_of(&["episode_0", "system"], |group| pendulum(group, 1, 2))),
        ("a name that moves the cursor", file_of(&["episode_0", "\u{1b}[2J"], |group| pendulum(group, 1, 2))),
        ("an episode with nothing in it", file(|_| {})),
        ("an episode of no steps", file(|group| pendulum(group, 1, 0))),
        ("other steps than the metadata says", file(|group| pendulum(group, 1, 4))),
        ("another id", attribute("id", AttrValue::U64(0))),
        ("an id that is text", attribute("id", AttrValue::AsciiString("one".into()))),
        ("a negative number of steps", attribute("total_steps", AttrValue::I64(-2))),
        ("another number of steps", attribute("total_steps", AttrValue::U64(1 << 60))),
        ("a seed that is text", attribute("seed", AttrValue::AsciiString("\u{1b}".into()))),
        ("no observations", otherwise("observations", |_| {})),
        ("no rewards", otherwise("rewards", |_| {})),
        ("observations of no more rows than steps", observations(vec![0.5; 6], &[2, 3])),
        ("observations of another width", observations(vec![0.5; 12], &[3, 4])),
        ("observations in a row", observations(vec![0.5; 9], &[9])),
        ("observations of three dimensions", observations(vec![0.5; 9], &[3, 3, 1])),
        ("a NaN", observations([vec![0.5; 8], vec![f64::NAN]].concat(), &[3, 3])),
        ("an infinity", observations([vec![f64::INFINITY], vec![0.5; 8]].concat(), &[3, 3])),
        (
            "observations that are text",
            otherwise("observations", |group| {
                group.create_dataset("observations").with_vlen_strings(&["a", "b", "c"]);
            }),
        ),
        (
            "observations that are a group",
            otherwise("observations", |group| {
                let inner = group.create_group("observations").finish();
                group.add_group(inner);
            }),
        ),
        (
            "rewards that are a group",
            otherwise("rewards", |group| {
                let inner = group.create_group("rewards").finish();
                group.add_group(inner);
            }),
        ),
        (
            "actions that are integers",
            otherwise("actions", |group| {
                group.create_dataset("actions").with_i64_data(&[0, 1]);
            }),
        ),
        (
            "actions outside",
            otherwise("actions", |group| {
                group.create_dataset("actions").with_f64_data(&[0.0, 2.5]).with_shape(&[2, 1]);
            }),
        ),
        (
            "too many actions",
            otherwise("actions", |group| {
                group.create_dataset("actions").with_f64_data(&[0.0; 3]).with_shape(&[3, 1]);
            }),
        ),
        (
            "a flag that is 7",
            otherwise("terminations", |group| {
                group.create_dataset("terminations").with_u8_data(&[0, 7]);
            }),
        ),
        ("an end in the middle", otherwise("terminations", |group| flags(group, "terminations", &[1, 0]))),
        ("too few flags", otherwise("truncations", |group| flags(group, "truncations", &[0]))),
        (
            "a bomb of zeros",
            otherwise("observations", |group| {
                let zeros = vec![0.0; 9_000_000];
                group
                    .create_dataset("observations")
                    .with_f64_data(&zeros)
                    .with_shape(&[3_000_000, 3])
                    .with_chunks(&[100_000, 3])
                    .with_deflate(9);
            }),
        ),
    ]
}

/// Metadata, made by hand, that is all wrong in another way.
fn hostile_metadata() -> Vec<(&'static str, Vec<u8>)> {
    let swap = |from: &str, to: &str| METADATA.replace(from, to).into_bytes();
    let space = |key: &str, space: &str| swap("{", &format!("{{\"{key}\": {},", serde_json::Value::from(space)));
    vec![
        ("empty", Vec::new()),
        ("a list", b"[]".to_vec()),
        ("nested deeply", b"[".repeat(100_000)),
        ("not UTF-8", b"{\"total_episodes\": \"\xff\"}".to_vec()),
        ("too long", vec![b' '; 2 << 20]),
        ("other episodes", swap("\"total_episodes\": 2", "\"total_episodes\": 3")),
        ("episodes beyond 64 bits", swap("\"total_episodes\": 2", "\"total_episodes\": 99999999999999999999")),
        ("no episodes", swap("total_episodes", "total")),
        ("negative steps", swap("5", "-5")),
        ("another format", swap("hdf5", "arrow")),
        ("a format with a path", swap("hdf5", "../../etc")),
        ("a box of another shape", space("observation_space", r#"{"type": "Box", "shape": [99999999999], "low": [], "high": []}"#)),
        ("a space that does not parse", space("observation_space", "{\u{1b}")),
        ("a space nested deeply", space("action_space", &"{\"a\":".repeat(10_000))),
        ("a discrete action space", space("action_space", r#"{"type": "Discrete", "n": 2, "start": 0}"#)),
        ("a space of another kind", space("action_space", r#"{"type": "Tuple", "subspaces": []}"#)),
        ("actions in other bounds", space("action_space", r#"{"type": "Box", "shape": [1], "low": [-1.0], "high": [1.0]}"#)),
    ]
}

#[test]
fn hostile_data_sets_of_minari_are_refused_with_little_memory() {
    let scene = Scene::new("pendulum");
    std::fs::create_dir_all(scene.path("set/data")).unwrap();
    let (main, metadata) = (scene.path("set/data/main_data.hdf5"), scene.path("set/data/metadata.json"));
    let good = file(|group| pendulum(group, 1, 2));
    std::fs::write(&main, &good).unwrap();
    scene.refused(minari::import, "set", "no metadata");
    std::fs::write(&metadata, METADATA).unwrap();
    assert_eq!(scene.import(minari::import, "set").unwrap().set.steps(), 5);
    std::fs::remove_dir_all(scene.path("out")).unwrap();
    let cases = hostile_files();
    assert!(cases.len() >= 25);
    let before = peak();
    for (name, bytes) in cases {
        std::fs::write(&main, &bytes).unwrap();
        scene.refused(minari::import, "set", name);
    }
    std::fs::write(&main, &good).unwrap();
    for (name, text) in hostile_metadata() {
        std::fs::write(&metadata, &text).unwrap();
        scene.refused(minari::import, "set", name);
    }
    // A name in the metadata is a name, and leads nowhere.
    std::fs::write(&metadata, METADATA.replace("a-v0", "../../../etc/\\u001b")).unwrap();
    let name = scene.import(minari::import, "set").unwrap().set.header().recorders[0].to_string();
    assert!(name.contains("../../../etc") && !name.contains('\u{1b}'), "{name}");
    std::fs::remove_dir_all(scene.path("out")).unwrap();
    std::fs::write(&metadata, METADATA).unwrap();
    std::fs::remove_file(&main).unwrap();
    scene.refused(minari::import, "set", "no data");
    std::fs::create_dir(&main).unwrap();
    scene.refused(minari::import, "set", "a folder where the data belongs");
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}

#[test]
fn mutated_data_sets_of_minari_are_refused_or_harmless() {
    let scene = Scene::new("cartpole");
    std::fs::create_dir_all(scene.path("set/data")).unwrap();
    let (main, metadata) = (scene.path("set/data/main_data.hdf5"), scene.path("set/data/metadata.json"));
    let good = golden("cartpole/random-v0/data/main_data.hdf5");
    let text = golden("cartpole/random-v0/data/metadata.json");
    std::fs::write(&metadata, &text).unwrap();
    let before = peak();
    for length in (0..good.len()).step_by(good.len() / 150) {
        std::fs::write(&main, &good[..length]).unwrap();
        scene.harmless(minari::import, "set", &format!("cut at {length}"));
    }
    let mut rng = Stream::Bootstrap(9).under(5);
    // Most bytes are numbers or nothing: what is damaged is where the structure lies.
    let structure: Vec<usize> =
        (0..good.len()).filter(|at| good[at.saturating_sub(8)..(at + 8).min(good.len())].iter().any(|b| *b != 0)).collect();
    for index in 0..mutations() {
        let mut bytes = good.clone();
        for _ in 0..=rng.below(3) {
            let at = structure[rng.below(structure.len())];
            match rng.below(4) {
                0 => bytes[at] ^= 1 << rng.below(8),
                1 => bytes[at] = 0xff,
                2 => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
                _ => bytes[at..(at + 8).min(good.len())].fill(0xff),
            }
        }
        std::fs::write(&main, &bytes).unwrap();
        scene.harmless(minari::import, "set", &format!("mutation {index}"));
    }
    std::fs::write(&main, &good).unwrap();
    for index in 0..mutations() {
        let mut damaged = text.clone();
        mutate(&mut damaged, &mut rng);
        std::fs::write(&metadata, &damaged).unwrap();
        scene.harmless(minari::import, "set", &format!("mutation {index} of the metadata"));
    }
    assert!(peak() - before < 64 << 20, "{} bytes more", peak() - before);
}
