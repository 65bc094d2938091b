//! A Minari data set, brought in episode by episode: never more than one of them is in memory.

use super::gymnasium::Task;
use super::metadata::Metadata;
use super::{DATA, MAIN, METADATA, space};
use crate::demo::array::{self, Array, Kind};
use crate::demo::episode::{Episode, by_channel};
use crate::demo::header::Recorder;
use crate::demo::import::{Import, Target, keeps_info};
use crate::demo::making::{Made, check_free};
use crate::env::Spaces;
use crate::error::{Error, Kind as Failure, Result};
use crate::file::{digest, disk};
use hdf5_pure::{DType, Dataset, File, Group, ReadSeekSource};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A larger file is refused unread.
const CAP: u64 = 64 << 30;
/// An episode may have so many numbers whatever the size of its file, and as many more as the file has bytes: what is compressed may
/// unfold, but a small file does not fill the memory.
const FREE_NUMBERS: u64 = 1 << 20;

/// Imports the data set in a folder, or in its `data` folder.
///
/// # Errors
/// Exit 2 when there is nothing at `path` or something at the target; exit 3 with file, episode and step when the data is damaged, does
/// not fit the environment or contradicts itself. Nothing is then written.
pub fn import(path: &Path, target: Target<'_>) -> Result<Made> {
    check_free(target.out)?;
    let folder = folder(path)?;
    let metadata = Metadata::read(&folder)?;
    let file = folder.join(MAIN);
    fits(&metadata, &target).map_err(|error| error.at(folder.join(METADATA).display()))?;
    let note = environment_note(&metadata, &target);
    let refused = |error: Error| if error.kind() == Failure::Io && !file.exists() { error.as_kind(Failure::Artefact) } else { error };
    let plain = disk::open(&file, CAP).map_err(refused)?;
    // The crate reads foreign bytes: what it does not foresee must not end the program.
    let read = catch_unwind(AssertUnwindSafe(|| read(plain, &metadata, target, note)));
    read.unwrap_or_else(|_| Err(Error::artefact("is not a sound HDF5 file"))).map_err(|error| error.at(file.display()))
}

/// The data folder.
fn folder(path: &Path) -> Result<PathBuf> {
    let inner = path.join(DATA);
    match (path.is_dir(), inner.is_dir()) {
        (true, true) => Ok(inner),
        (true, false) => Ok(path.to_owned()),
        (false, _) => Err(Error::usage("there is no folder").at(path.display()).hint(format!("name a folder with `{DATA}/{MAIN}`"))),
    }
}

/// Fails where the metadata tells of other spaces.
fn fits(metadata: &Metadata, target: &Target<'_>) -> Result<()> {
    let hinted = |error: Error| match metadata.gymnasium_id.as_deref().and_then(Task::named) {
        Some(task) if !task.is(target.registry, target.spec) => {
            error.hint(format!("it was recorded in {}: try --env {}", task.id, task.environment))
        }
        _ => error,
    };
    if let Some(text) = &metadata.observation_space {
        space::check_observation(text, target.spaces).map_err(|error| hinted(error.at("observation_space")))?;
    }
    if let Some(text) = &metadata.action_space {
        space::check_action(text, &target.spaces.action).map_err(|error| hinted(error.at("action_space")))?;
    }
    Ok(())
}

/// Tells when the data names another environment than the user.
fn environment_note(metadata: &Metadata, target: &Target<'_>) -> Option<String> {
    let (id, name) = (metadata.gymnasium_id.as_deref()?, &target.spec.name);
    match Task::named(id) {
        Some(task) if task.is(target.registry, target.spec) => None,
        Some(task) => Some(format!("the data names {id}, which is `{}` here; it was imported as `{name}`", task.environment)),
        None => Some(format!("the data names the environment {id}, which is none of ours; it was imported as `{name}`")),
    }
}

fn damaged(error: hdf5_pure::Error) -> Error {
    Error::artefact(format!("is not a sound HDF5 file: {}", error.to_string().escape_debug())).caused_by(error)
}

fn read(mut plain: std::fs::File, metadata: &Metadata, target: Target<'_>, note: Option<String>) -> Result<Made> {
    let unread = |error: std::io::Error| Error::new(Failure::Io, format!("cannot read: {error}"));
    let sha256 = digest::of_reader(&mut plain).map_err(unread)?;
    let source = ReadSeekSource::new(plain).map_err(|error| damaged(error.into()))?;
    let file = File::from_source(source).map_err(damaged)?;
    let groups = groups(&file.root(), metadata.total_episodes)?;
    let bytes = file.file_size();
    let room = Room { numbers: FREE_NUMBERS.saturating_add(bytes), bytes };
    let mut notes: Vec<String> = note.into_iter().collect();
    let (info, left_out) = match groups.first() {
        Some(group) => find_info(group).map_err(|error| error.at("episode 0"))?,
        None => (Vec::new(), Vec::new()),
    };
    notes.extend(left_out.into_iter().map(|name| format!("`infos/{name}` is left out: it has not one number a step")));
    let reading = Reading { spaces: target.spaces, info, room };
    let recorder = Recorder::Import { format: "minari".into(), name: metadata.dataset_id.clone(), sha256 };
    let mut import = Import::begin(target, reading.info.clone(), recorder)?;
    let mut steps = 0;
    for (number, group) in groups.iter().enumerate() {
        let place = |error: Error| error.at(format!("episode {number}"));
        let episode = reading.episode(group, number as u64).map_err(place)?;
        steps += episode.len() as u64;
        import.append(episode).map_err(place)?;
    }
    if steps != metadata.total_steps {
        return Err(Error::artefact(format!("holds {steps} steps; `{METADATA}` says {}", metadata.total_steps)));
    }
    import.finish(notes)
}

/// The groups of the episodes, in order: from 0 on without a gap, and nothing beside them.
fn groups(root: &Group, expected: u64) -> Result<Vec<Group>> {
    let mut groups = BTreeMap::new();
    for (name, group) in root.iter_groups().map_err(damaged)? {
        let number = name.strip_prefix("episode_").and_then(|number| number.parse::<u64>().ok());
        let number = number.filter(|number| name == format!("episode_{number}"));
        let number = number.ok_or_else(|| Error::artefact(format!("holds `{}`, which is no episode", shown(&name))))?;
        if groups.insert(number, group).is_some() {
            return Err(Error::artefact(format!("holds episode {number} twice")));
        }
    }
    if let Some(missing) = (0..).zip(groups.keys()).find_map(|(number, found)| (number != *found).then_some(number)) {
        return Err(Error::artefact(format!("episode {missing} is missing")).hint("episodes are numbered from 0 without a gap"));
    }
    if groups.len() as u64 != expected {
        return Err(Error::artefact(format!("holds {} episodes; `{METADATA}` says {expected}", groups.len())));
    }
    Ok(groups.into_values().collect())
}

fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}

/// How episodes are read.
struct Reading<'a> {
    spaces: &'a Spaces,
    /// Names of further numbers, which all episodes have.
    info: Vec<String>,
    /// What an episode may have.
    room: Room,
}

/// How much may be read, and how long the file is.
#[derive(Clone, Copy)]
struct Room {
    numbers: u64,
    bytes: u64,
}

impl Reading<'_> {
    fn episode(&self, group: &Group, number: u64) -> Result<Episode> {
        let mut room = self.room;
        let mut take = |name: &str| {
            let dataset = group.dataset(name).map_err(|error| absent(group, name, error))?;
            numbers(&dataset, &mut room).map_err(|error| error.at(name))
        };
        let (observations, actions, rewards) = (take("observations")?, take("actions")?, take("rewards")?);
        let (terminations, truncations) = (take("terminations")?, take("truncations")?);
        let steps = rewards.rows(1, "there is one reward a step:").map_err(|error| error.at("rewards"))?;
        if steps == 0 {
            return Err(Error::artefact("the episode has no steps"));
        }
        check_attributes(group, number, steps)?;
        let rows = [
            ("observations", observations.as_observations(self.spaces), steps + 1),
            ("actions", actions.as_actions(&self.spaces.action), steps),
            ("terminations", terminations.as_flags().map(|flags| flags.len()), steps),
            ("truncations", truncations.as_flags().map(|flags| flags.len()), steps),
        ];
        for (name, found, expected) in rows {
            let found = found.map_err(|error| error.at(name))?;
            if found != expected {
                let message = format!("has {found} rows; {steps} steps have {expected}");
                return Err(Error::artefact(message).at(name));
            }
        }
        let [terminated, truncated] = [last_flag("terminations", &terminations)?, last_flag("truncations", &truncations)?];
        Ok(Episode {
            start: None,
            observations: by_channel(&observations.values, steps + 1),
            actions: by_channel(&actions.values, steps),
            info: self.info_of(group, steps, &mut room)?,
            rewards: rewards.values,
            terminated,
            truncated,
        })
    }

    /// `[I, T]`. Where the reset has a number too, `[T + 1]`, that one belongs to no step.
    fn info_of(&self, group: &Group, steps: usize, room: &mut Room) -> Result<Vec<f64>> {
        let mut info = Vec::with_capacity(self.info.len() * steps);
        for name in &self.info {
            let place = |error: Error| error.at(format!("infos/{}", shown(name)));
            let infos = group.group("infos").map_err(|error| absent(group, "infos", error))?;
            let dataset = infos.dataset(name).map_err(|_| place(Error::artefact("is missing here and there in other episodes")))?;
            let values = numbers(&dataset, room).map_err(place)?;
            let rows = values.rows(1, "there is one number a step:").map_err(place)?;
            let values = match rows.checked_sub(steps) {
                Some(before @ (0 | 1)) => &values.values[before..],
                _ => return Err(place(Error::artefact(format!("has {rows} rows; {steps} steps have {steps} or {}", steps + 1)))),
            };
            info.extend_from_slice(values);
        }
        Ok(info)
    }
}

/// The further numbers of a step that an episode has, and what it has beside them.
fn find_info(group: &Group) -> Result<(Vec<String>, Vec<String>)> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    let Ok(infos) = group.group("infos") else { return Ok((kept, left_out)) };
    let rewards = group.dataset("rewards").and_then(|rewards| rewards.shape()).map_err(damaged)?;
    for (name, dataset) in infos.iter_datasets().map_err(damaged)? {
        let one_a_step = dataset.shape().is_ok_and(|shape| {
            let rows = shape.first().copied().unwrap_or(0);
            let steps = rewards.first().copied().unwrap_or(0);
            matches!(shape[..], [_] | [_, 1]) && (rows == steps || rows == steps.saturating_add(1))
        });
        let numeric = dataset.dtype().is_ok_and(|dtype| kind(&dtype).is_some());
        if one_a_step && numeric && keeps_info(&name, kept.len()) { kept.push(name) } else { left_out.push(shown(&name)) }
    }
    left_out.extend(infos.groups().map_err(damaged)?.iter().map(|name| shown(name)));
    kept.sort();
    left_out.sort();
    Ok((kept, left_out))
}

/// Why there is no such data set of numbers.
fn absent(group: &Group, name: &str, error: hdf5_pure::Error) -> Error {
    if group.group(name).is_ok() {
        return Error::artefact("is a group (a Dict or Tuple space); one Box or Discrete is read").at(name);
    }
    damaged(error).at(name)
}

/// The numbers of a data set, which may not be more than are left.
fn numbers(dataset: &Dataset, room: &mut Room) -> Result<Array> {
    let shape = dataset.shape().map_err(damaged)?;
    let dtype = dataset.dtype().map_err(damaged)?;
    let Some(kind) = kind(&dtype) else {
        return Err(Error::artefact(format!("holds {}, where numbers belong", shown(&dtype.to_string()))));
    };
    let count = check_claims(dataset, &shape, room)?;
    room.numbers -= count;
    let values = match dtype {
        DType::I64 | DType::Enum(_) => array::exact(dataset.read_i64().map_err(damaged)?)?,
        DType::U64 => array::exact(dataset.read_u64().map_err(damaged)?)?,
        _ => dataset.read_f64().map_err(damaged)?,
    };
    let shape: Vec<usize> = shape.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX)).collect();
    if values.len() as u64 != count {
        return Err(Error::artefact(format!("holds {} numbers; its shape has {count}", values.len())));
    }
    Ok(Array { kind, shape, values })
}

/// How many numbers there are, when all that the file says of them can be true: the crate takes memory for what it is told.
fn check_claims(dataset: &Dataset, shape: &[u64], room: &Room) -> Result<u64> {
    let piece = dataset.chunk_shape().map_err(damaged)?.unwrap_or_default();
    let width = dataset.element_size().map_err(damaged)?;
    let claimed = array::product(shape).zip(array::product(&piece)).filter(|(count, piece)| count.max(piece) <= &room.numbers);
    let Some((count, _)) = claimed.filter(|_| shape.len() <= 2 && (1..=8).contains(&width)) else {
        let message = format!(
            "claims the shape {:?}, in pieces of {:?} with {width} bytes a number: more than belongs into this file",
            head(shape),
            head(&piece)
        );
        return Err(Error::artefact(message));
    };
    if dataset.is_chunked() {
        let pieces = dataset.chunks().map_err(damaged)?;
        let outside = |piece: &hdf5_pure::Chunk| piece.address.checked_add(piece.storage_size).is_none_or(|end| end > room.bytes);
        if pieces.len() as u64 > count || pieces.iter().any(outside) {
            return Err(Error::artefact("has pieces beyond the end of the file, or more pieces than numbers"));
        }
    }
    Ok(count)
}

fn head(shape: &[u64]) -> &[u64] {
    &shape[..shape.len().min(8)]
}

/// What the numbers of a type are; nothing where it has none.
fn kind(dtype: &DType) -> Option<Kind> {
    match dtype {
        DType::F32 | DType::F64 => Some(Kind::Float),
        DType::I8 | DType::I16 | DType::I32 | DType::I64 | DType::U8 | DType::U16 | DType::U32 | DType::U64 => Some(Kind::Integer),
        // h5py's booleans.
        DType::Enum(names) if names.len() == 2 && names.iter().any(|name| name == "TRUE") => Some(Kind::Flag),
        _ => None,
    }
}

/// Whether the last step has the flag; no other may.
fn last_flag(name: &str, flags: &Array) -> Result<bool> {
    let (last, before) = flags.values.split_last().map_or((0.0, &[][..]), |(last, before)| (*last, before));
    match before.iter().position(|flag| *flag != 0.0) {
        Some(step) => Err(Error::artefact("the episode goes on after it ended").at(format!("{name}, step {step}"))),
        None => Ok(last != 0.0),
    }
}

/// `id` and `total_steps` of a group, where it has them, tell of this episode; `seed` is a number.
fn check_attributes(group: &Group, number: u64, steps: usize) -> Result<()> {
    let attributes = group.attrs().map_err(damaged)?;
    let value = |key: &str| attributes.get(key).map(|value| (value.as_i64(), value.as_u64()));
    for (key, expected) in [("id", number), ("total_steps", steps as u64)] {
        match value(key) {
            None => {}
            Some((_, Some(found))) if found == expected => {}
            Some((found, wide)) => {
                let found =
                    found.map(i128::from).or(wide.map(i128::from)).map_or_else(|| "no number".to_owned(), |found| found.to_string());
                return Err(Error::artefact(format!("is {found}; the data says {expected}")).at(format!("attribute `{key}`")));
            }
        }
    }
    if value("seed") == Some((None, None)) {
        return Err(Error::artefact("is no number").at("attribute `seed`"));
    }
    Ok(())
}
