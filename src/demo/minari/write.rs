//! A set as Minari reads it: `DIR/NAME/data`, so that `MINARI_DATASETS_PATH=DIR` and `minari.load_dataset(NAME)` find it.
//!
//! All numbers are f64 and the spaces say so, so that nothing is lost; Gymnasium's own spaces are float32. `infos` have a number for each
//! step and none for the reset. The seed of an episode is ours, with the `stream` that was drawn from: Gymnasium's `reset(seed)` starts
//! elsewhere. What an import gave no start has no seed.

use super::gymnasium::Task;
use super::{DATA, MAIN, METADATA, space};
use crate::demo::dataset::Demonstrations;
use crate::demo::episode::Episode;
use crate::demo::header::Header;
use crate::env::{ActionSpace, Registry};
use crate::error::{Error, Result};
use crate::file::disk::{self, Staged};
use crate::stop::Stop;
use hdf5_pure::{AttrValue, Datatype, EnumTypeBuilder, FileBuilder, GroupBuilder, make_i8_type};
use std::path::{Path, PathBuf};

/// The version of Minari whose layout is written.
const VERSION: &str = "0.5.4";

/// What was exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The data set's folder.
    pub path: PathBuf,
    /// Its name in Minari.
    pub name: String,
    /// The Gymnasium environment that `recover_environment` makes, where ours is one unchanged.
    pub gymnasium_id: Option<&'static str>,
}

/// Fails unless Minari takes this as the name of a data set: words of letters, digits, `-` and `_` between slashes, `-v0` behind the last.
///
/// # Errors
/// Exit 2 with the name.
pub fn check_name(name: &str) -> Result<()> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let version = name.rsplit_once("-v").map(|(before, version)| (before, version.parse::<u32>()));
    match version {
        Some((before, Ok(_))) if before.split('/').all(word) && name.split('/').count() <= 8 => Ok(()),
        _ => Err(Error::usage(format!("`{}` is no name of a Minari data set", name.escape_debug()))
            .hint("letters, digits, - and _ between slashes, with a version behind: cartpole/expert-v0")),
    }
}

/// Bytes of memory that an export takes: HDF5 is built as a whole, from all episodes, before its first byte is written.
#[must_use]
pub fn memory(set: &Demonstrations) -> u64 {
    let header = set.header();
    let numbers = (header.spaces.observation.len() + header.spaces.action.width() + 1 + header.info.len()) as u64;
    // What is built, and the file made of it; groups and their attributes.
    2 * ((8 * numbers + 2) * (set.steps() + set.len()) + 4096 * set.len())
}

/// Fails where there is not as much memory.
fn check_memory(set: &Demonstrations, needed: u64, available: Option<u64>) -> Result<()> {
    match available {
        Some(available) if needed > available => {
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
            let message = format!("an export of all of it takes {} of memory, {} are free", gigabytes(needed), gigabytes(available));
            Err(Error::usage(message)
                .at(set.path().display())
                .hint("export less at a time: heirloom demo filter DEMOS --episodes 0-999 --out PART"))
        }
        _ => Ok(()),
    }
}

/// Bytes of memory that the system can give, where it says so.
fn available_memory() -> Option<u64> {
    let text = disk::read(Path::new("/proc/meminfo"), 1 << 20).ok()?;
    let line = String::from_utf8_lossy(&text).lines().find_map(|line| line.strip_prefix("MemAvailable:").map(str::to_owned))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Writes a set to `out/name`. The whole of it is in memory while it is written ([`memory`]).
///
/// # Errors
/// Exit 2 when the name is none, something is there already, there is nothing to export, or more than memory holds; exit 3 when the set is
/// damaged. Nothing is then written.
pub fn export(registry: &Registry, set: &Demonstrations, out: &Path, name: &str, stop: &Stop) -> Result<Export> {
    check_name(name)?;
    let path = out.join(name);
    if path.exists() {
        return Err(Error::usage("is there already").at(path.display()).hint("pass another --out or --name"));
    }
    if set.is_empty() {
        return Err(Error::usage("there are no episodes to export").at(set.path().display()));
    }
    check_memory(set, memory(set), available_memory())?;
    let task = set.header().spec(registry).ok().and_then(|spec| Task::of(registry, &spec));
    let boolean = EnumTypeBuilder::with_base(make_i8_type()).value("FALSE", 0).value("TRUE", 1).build();
    let boolean = boolean.map_err(|error| unwritten(error.into()))?;
    let mut file = FileBuilder::new();
    for episode in set.episodes() {
        let (number, episode) = episode?;
        stop.check_unarmed()?;
        let mut group = file.create_group(&format!("episode_{number}"));
        write_episode(&mut group, number, &episode, set.header(), &boolean);
        file.add_group(group.finish());
    }
    let bytes = file.finish().map_err(unwritten)?;
    let metadata = metadata(set, name, task, bytes.len()).to_string();
    let staged = Staged::begin(&path)?;
    let data = staged.folder().join(DATA);
    disk::create_folder(&data)?;
    disk::write(&data.join(MAIN), &bytes)?;
    disk::write(&data.join(METADATA), metadata.as_bytes())?;
    staged.appear()?;
    Ok(Export { path, name: name.to_owned(), gymnasium_id: task.map(|task| task.id) })
}

fn unwritten(error: hdf5_pure::Error) -> Error {
    Error::artefact(format!("cannot be written as HDF5: {error}")).caused_by(error)
}

fn write_episode(group: &mut GroupBuilder, number: u64, episode: &Episode, header: &Header, boolean: &Datatype) {
    let steps = episode.len();
    group.set_attr("id", AttrValue::U64(number));
    group.set_attr("total_steps", AttrValue::U64(steps as u64));
    if let Some(start) = &episode.start {
        group.set_attr("seed", AttrValue::U64(start.seed));
        group.set_attr("stream", AttrValue::U64(start.stream));
    }
    let spaces = &header.spaces;
    let rows = by_row(&episode.observations, steps + 1);
    group.create_dataset("observations").with_f64_data(&rows).with_shape(&[steps as u64 + 1, spaces.observation.len() as u64]);
    match &spaces.action {
        ActionSpace::Discrete(_) => {
            #[expect(clippy::cast_possible_truncation, reason = "an index, checked when it was read")]
            let indices: Vec<i64> = episode.actions.iter().map(|action| *action as i64).collect();
            group.create_dataset("actions").with_i64_data(&indices);
        }
        ActionSpace::Continuous(channels) => {
            let rows = by_row(&episode.actions, steps);
            group.create_dataset("actions").with_f64_data(&rows).with_shape(&[steps as u64, channels.len() as u64]);
        }
    }
    group.create_dataset("rewards").with_f64_data(&episode.rewards);
    for (name, flag) in [("terminations", episode.terminated), ("truncations", episode.truncated)] {
        let mut flags = vec![0; steps];
        flags[steps - 1] = u8::from(flag);
        group.create_dataset(name).with_enum_u8_data(boolean.clone(), &flags);
    }
    let mut infos = group.create_group("infos");
    for (name, values) in header.info.iter().zip(episode.info.chunks_exact(steps)) {
        infos.create_dataset(&name.replace('/', "_")).with_f64_data(values);
    }
    group.add_group(infos.finish());
}

/// `[N, rows]` as `[rows, N]`.
fn by_row(values: &[f64], rows: usize) -> Vec<f64> {
    let channels = values.len() / rows;
    (0..rows).flat_map(|row| (0..channels).map(move |channel| values[channel * rows + row])).collect()
}

fn metadata(set: &Demonstrations, name: &str, task: Option<Task>, size: usize) -> serde_json::Value {
    let header = set.header();
    let recorders = header.recorders.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    #[expect(clippy::cast_precision_loss, reason = "in megabytes, with one digit, as Minari has it")]
    let megabytes = (size as f64 / 1e5).round() / 10.0;
    let mut json = serde_json::json!({
        "total_episodes": set.len(),
        "total_steps": set.steps(),
        "data_format": "hdf5",
        "jpeg_encoding": false,
        "observation_space": space::observation_json(&header.spaces),
        "action_space": space::action_json(&header.spaces.action),
        "dataset_id": name,
        "minari_version": VERSION,
        "dataset_size": megabytes,
        "algorithm_name": recorders,
        "author": ["heirloom"],
        "author_email": [],
        "code_permalink": format!("heirloom {}", header.heirloom),
        "description": format!("{} episodes in the environment `{}` of heirloom.", set.len(), header.environment),
        "heirloom": { "environment": header.environment, "environment_ron": header.environment_ron, "digest": set.digest() },
    });
    if let Some(task) = task {
        json["env_spec"] = task.to_json().into();
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{Recorder, Recording};

    #[test]
    fn names_are_those_that_minari_takes() {
        for name in ["a-v0", "cartpole/expert-v12", "A_b/c-d/e-v1"] {
            check_name(name).unwrap();
        }
        for name in ["", "a", "a-v", "-v0", "../a-v0", "/a-v0", "a//b-v0", "a b-v0", "a-v0/", "ä-v0", "a-v-1", "a-v99999999999"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn more_than_memory_holds_is_refused_with_both_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::standard();
        let spec = registry.resolve("cartpole").unwrap();
        let spaces = registry.build(&spec).unwrap().spaces().clone();
        let path = folder.path().join("set");
        Recording::create(&path, Header::new(&spec, &spaces, Vec::new(), Recorder::Keyboard { seed: 0 })).unwrap().finish().unwrap();
        let set = Demonstrations::open(&path).unwrap();
        let error = check_memory(&set, 3_000_000_000, Some(1_200_000_000)).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (crate::error::Kind::Usage, "an export of all of it takes 3.0 GB of memory, 1.2 GB are free")
        );
        check_memory(&set, 3_000_000_000, Some(3_000_000_000)).unwrap();
        check_memory(&set, u64::MAX, None).unwrap();
    }

    #[test]
    fn channels_become_rows() {
        assert_eq!(by_row(&[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], 3), [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
    }
}
