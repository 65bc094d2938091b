//! A part: sealed episodes as one Apache Parquet file.
//!
//! One row per observation: `episode`, `step`, `observation.NAME`, then what came of the action taken there: `action` (an index) or
//! `action.NAME`, `reward`, `terminated`, `truncated`, `info.NAME`. The last row of an episode is what it ended with: nothing was done
//! there, so these are null. `snapshot` is the simulator's state, in the first row. Numbers are f64, PLAIN and not compressed: floats
//! of a simulator hardly shrink, and a file that is what it says cannot unfold into more memory than it has bytes.

use super::episode::{Episode, Start};
use super::header::Header;
use super::journal::checksum;
use crate::env::ActionSpace;
use crate::error::{Error, Result};
use crate::file::ron;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{BoolType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, KeyValue};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Rows of a part: what reading takes at a time; recording keeps up to three in memory.
pub(super) const ROWS: usize = 1 << 17;
/// More rows are refused: one episode may be longer than [`ROWS`], but not for ever.
const MOST_ROWS: usize = 1 << 24;
/// Larger files are refused unread.
pub(super) const CAP: u64 = 8 << 30;

const HEADER: &str = "heirloom";
const EPISODES: &str = "heirloom.episodes";

/// What a part says of each of its episodes beside its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    episode: u64,
    steps: usize,
    /// Of everything about the episode.
    crc32c: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<EntryStart>,
    terminated: bool,
    truncated: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryStart {
    seed: u64,
    stream: u64,
    position: u64,
}

type Outcome<T> = std::result::Result<T, ParquetError>;

/// The names of the columns of an action.
fn action_columns(space: &ActionSpace) -> Vec<String> {
    match space {
        ActionSpace::Discrete(_) => vec!["action".to_owned()],
        ActionSpace::Continuous(channels) => channels.iter().map(|channel| format!("action.{}", channel.name)).collect(),
    }
}

fn schema(header: &Header) -> Outcome<TypePtr> {
    let column = |name: &str, physical: Physical, repetition: Repetition| {
        Type::primitive_type_builder(name, physical).with_repetition(repetition).build().map(Arc::new)
    };
    let (required, optional) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let mut fields = vec![column("episode", Physical::INT64, required)?, column("step", Physical::INT32, required)?];
    for channel in &header.spaces.observation {
        fields.push(column(&format!("observation.{}", channel.name), Physical::DOUBLE, required)?);
    }
    let action = if matches!(header.spaces.action, ActionSpace::Discrete(_)) { Physical::INT32 } else { Physical::DOUBLE };
    for name in action_columns(&header.spaces.action) {
        fields.push(column(&name, action, optional)?);
    }
    fields.push(column("reward", Physical::DOUBLE, optional)?);
    fields.push(column("terminated", Physical::BOOLEAN, optional)?);
    fields.push(column("truncated", Physical::BOOLEAN, optional)?);
    for name in &header.info {
        fields.push(column(&format!("info.{name}"), Physical::DOUBLE, optional)?);
    }
    let element = column("element", Physical::DOUBLE, required)?;
    let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]).build()?;
    let snapshot = Type::group_type_builder("snapshot")
        .with_repetition(optional)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(list)])
        .build()?;
    fields.push(Arc::new(snapshot));
    Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
}

/// The bytes of a part: the same for the same episodes, every time. `first` is the number of its first episode; `room` is memory that the
/// bytes may take, so that a recording asks the system for it once.
///
/// # Panics
/// Never: writing to memory does not fail.
pub(super) fn to_bytes(header: &Header, first: u64, episodes: &[Episode], room: Vec<u8>) -> Vec<u8> {
    write(header, first, episodes, room).expect("sound episodes fit their columns")
}

fn write(header: &Header, first: u64, episodes: &[Episode], mut room: Vec<u8>) -> Outcome<Vec<u8>> {
    let entries: Vec<Entry> = (first..).zip(episodes).map(|(number, episode)| entry(number, episode)).collect();
    let value = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let entries = serde_json::to_string(&entries).map_err(|error| ParquetError::General(error.to_string()))?;
    let whole = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(None)
        .set_column_encoding(whole("episode"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(whole("step"), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(vec![value(HEADER, ron::to_text(header)), value(EPISODES, entries)]))
        .set_created_by(format!("heirloom {}", env!("CARGO_PKG_VERSION")))
        .set_offset_index_disabled(true)
        .build();
    let size: usize = episodes.iter().map(|episode| 8 * (episode.observations.len() + episode.actions.len() + episode.rewards.len())).sum();
    room.clear();
    room.reserve(size + size / 8 + 4096);
    let mut file = SerializedFileWriter::new(room, schema(header)?, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    let rows = |episode: &Episode| 0..=i32::try_from(episode.len()).unwrap_or(i32::MAX);
    let numbers: Vec<i64> =
        (first..).zip(episodes).flat_map(|(number, episode)| rows(episode).map(move |_| number.cast_signed())).collect();
    column::<Int64Type>(&mut group, &numbers, None)?;
    let steps: Vec<i32> = episodes.iter().flat_map(rows).collect();
    column::<Int32Type>(&mut group, &steps, None)?;
    let mut values = Vec::with_capacity(numbers.len());
    for channel in 0..header.spaces.observation.len() {
        values.clear();
        for episode in episodes {
            values.extend_from_slice(episode.channel(channel));
        }
        column::<DoubleType>(&mut group, &values, None)?;
    }
    // What came of an action: null in the last row of an episode.
    let levels: Vec<i16> = episodes.iter().flat_map(|episode| std::iter::repeat_n(1, episode.len()).chain([0])).collect();
    let levels = Some(&levels[..]);
    for channel in 0..header.spaces.action.width() {
        gather(episodes, channel, |episode| &episode.actions, &mut values);
        if matches!(header.spaces.action, ActionSpace::Discrete(_)) {
            #[expect(clippy::cast_possible_truncation, reason = "an index of a few actions")]
            let indices: Vec<i32> = values.iter().map(|value| *value as i32).collect();
            column::<Int32Type>(&mut group, &indices, levels)?;
        } else {
            column::<DoubleType>(&mut group, &values, levels)?;
        }
    }
    gather(episodes, 0, |episode| &episode.rewards, &mut values);
    column::<DoubleType>(&mut group, &values, levels)?;
    for flag in [|episode: &Episode| episode.terminated, |episode: &Episode| episode.truncated] {
        let flags: Vec<bool> =
            episodes.iter().flat_map(|episode| (1..=episode.len()).map(move |step| step == episode.len() && flag(episode))).collect();
        column::<BoolType>(&mut group, &flags, levels)?;
    }
    for channel in 0..header.info.len() {
        gather(episodes, channel, |episode| &episode.info, &mut values);
        column::<DoubleType>(&mut group, &values, levels)?;
    }
    snapshots(&mut group, episodes)?;
    group.close()?;
    file.into_inner()
}

fn entry(number: u64, episode: &Episode) -> Entry {
    Entry {
        episode: number,
        steps: episode.len(),
        crc32c: checksum(episode),
        start: episode.start.as_ref().map(|start| EntryStart { seed: start.seed, stream: start.stream, position: start.position }),
        terminated: episode.terminated,
        truncated: episode.truncated,
    }
}

fn gather(episodes: &[Episode], channel: usize, of: impl Fn(&Episode) -> &[f64], values: &mut Vec<f64>) {
    values.clear();
    for episode in episodes {
        values.extend_from_slice(&of(episode)[channel * episode.len()..][..episode.len()]);
    }
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T], levels: Option<&[i16]>) -> Outcome<()> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("no column is left".into()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// A list in the first row of an episode, null elsewhere.
fn snapshots(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, episodes: &[Episode]) -> Outcome<()> {
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for episode in episodes {
        match &episode.start {
            Some(start) if !start.snapshot.is_empty() => {
                values.extend_from_slice(&start.snapshot);
                definition.extend(std::iter::repeat_n(2, start.snapshot.len()));
                repetition.push(0);
                repetition.extend(std::iter::repeat_n(1, start.snapshot.len() - 1));
            }
            start => {
                definition.push(i16::from(start.is_some()));
                repetition.push(0);
            }
        }
        definition.extend(std::iter::repeat_n(0, episode.len()));
        repetition.extend(std::iter::repeat_n(0, episode.len()));
    }
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("no column is left".into()))?;
    column.typed::<DoubleType>().write_batch(&values, Some(&definition), Some(&repetition))?;
    column.close()
}

/// Reads a part, all of it checked: schema, sizes, order, flags, and every episode against its checksum.
///
/// # Errors
/// Exit 3 with what is wrong, and the episode and row where there is one.
pub(super) fn from_bytes(bytes: Vec<u8>, header: &Header, first: u64) -> Result<Vec<Episode>> {
    // The crate reads foreign bytes: what it does not foresee must not end the program.
    let read = catch_unwind(AssertUnwindSafe(|| read(Bytes::from(bytes), header, first)));
    read.unwrap_or_else(|_| Err(Error::artefact("is not a sound Parquet file")))
}

fn read(bytes: Bytes, header: &Header, first: u64) -> Result<Vec<Episode>> {
    let damaged = |error: ParquetError| Error::artefact(format!("is not a sound Parquet file: {error}"));
    let size = bytes.len();
    let file = SerializedFileReader::new(bytes).map_err(damaged)?;
    let metadata = file.metadata();
    let text = |key: &str| {
        let pairs = metadata.file_metadata().key_value_metadata();
        let value = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == key)).and_then(|pair| pair.value.as_deref());
        value.ok_or_else(|| Error::artefact(format!("is no part of a set of demonstrations: the key `{key}` is missing")))
    };
    if text(HEADER)? != ron::to_text(header) {
        return Err(Error::artefact("belongs to another set: its header is not the one of the manifest"));
    }
    let expected = schema(header).map_err(damaged)?;
    if metadata.file_metadata().schema() != expected.as_ref() {
        return Err(Error::artefact("its columns are not those that the header describes"));
    }
    let entries: Vec<Entry> =
        serde_json::from_str(text(EPISODES)?).map_err(|error| Error::artefact(format!("the list of episodes does not parse: {error}")))?;
    let rows = rows_of(&entries, first)?;
    // Every observation takes eight bytes: no more memory is taken than the file is long.
    if rows.saturating_mul(8 * header.spaces.observation.len()) > size {
        return Err(Error::artefact(format!("claims {rows} rows; {size} bytes cannot hold as many")));
    }
    if metadata.num_row_groups() != 1 || usize::try_from(metadata.row_group(0).num_rows()) != Ok(rows) {
        return Err(Error::artefact(format!("its {rows} rows are not in one group")));
    }
    let most_values = rows + size / 8;
    if let Some(column) = metadata.row_group(0).columns().iter().find(|column| !is_plain(column, size, most_values)) {
        let name = column.column_path().string();
        return Err(Error::artefact(format!("the column `{name}` is compressed, or claims more than the file holds")));
    }
    let group = file.get_row_group(0).map_err(damaged)?;
    let episodes = Reading { group: group.as_ref(), rows, most_values, entries: &entries }.episodes(header)?;
    for (entry, episode) in entries.iter().zip(&episodes) {
        let place = || format!("episode {}", entry.episode);
        episode.check(&header.spaces, &header.info).map_err(|error| error.at(place()))?;
        if checksum(episode) != entry.crc32c {
            return Err(Error::artefact("is damaged: its checksum is not the one that was written").at(place()));
        }
    }
    Ok(episodes)
}

/// Whether a column lies within a file of this size, cannot unfold, and claims no more values than there can be.
fn is_plain(column: &ColumnChunkMetaData, size: usize, most_values: usize) -> bool {
    let number = |number: i64| usize::try_from(number).ok();
    let end = number(column.data_page_offset()).zip(number(column.compressed_size())).and_then(|(start, length)| start.checked_add(length));
    column.compression() == Compression::UNCOMPRESSED
        && column.dictionary_page_offset().is_none()
        && end.is_some_and(|end| end <= size)
        && number(column.uncompressed_size()).is_some_and(|unfolded| unfolded <= size)
        && number(column.num_values()).is_some_and(|values| values <= most_values)
}

/// How many rows the episodes have; their numbers must follow each other.
fn rows_of(entries: &[Entry], first: u64) -> Result<usize> {
    let mut rows = 0_usize;
    for (number, entry) in (first..).zip(entries) {
        if entry.episode != number {
            return Err(Error::artefact(format!("episode {} stands where {number} belongs", entry.episode)));
        }
        if entry.steps == 0 {
            return Err(Error::artefact("the episode has no steps").at(format!("episode {number}")));
        }
        rows = rows.saturating_add(entry.steps.saturating_add(1));
    }
    if rows == 0 || rows > MOST_ROWS {
        return Err(Error::artefact(format!("has {rows} rows; 1 to {MOST_ROWS} are read")));
    }
    Ok(rows)
}

/// The columns of a part, one after the other.
struct Reading<'a> {
    group: &'a dyn RowGroupReader,
    rows: usize,
    /// Of one column, lists and nulls included.
    most_values: usize,
    entries: &'a [Entry],
}

impl Reading<'_> {
    fn episodes(&self, header: &Header) -> Result<Vec<Episode>> {
        self.check_order()?;
        let (channels, width, info) = (header.spaces.observation.len(), header.spaces.action.width(), header.info.len());
        let mut episodes: Vec<Episode> = self.entries.iter().map(|entry| empty(entry, channels, width, info)).collect();
        let mut next = 2..;
        let mut column = || next.next().unwrap_or(usize::MAX);
        for _ in 0..channels {
            let mut column = self.column::<DoubleType>(column())?;
            for ((entry, rows), episode) in self.ranges().zip(&mut episodes) {
                column.observed(rows.start, entry.steps + 1, &mut episode.observations)?;
            }
        }
        for _ in 0..width {
            if matches!(header.spaces.action, ActionSpace::Discrete(_)) {
                let mut column = self.column::<Int32Type>(column())?;
                let mut indices = Vec::new();
                for ((entry, rows), episode) in self.ranges().zip(&mut episodes) {
                    indices.clear();
                    column.outcomes(entry, &rows, &mut indices)?;
                    episode.actions.extend(indices.iter().map(|index| f64::from(*index)));
                }
            } else {
                self.numbers(column(), &mut episodes, |episode| &mut episode.actions)?;
            }
        }
        self.numbers(column(), &mut episodes, |episode| &mut episode.rewards)?;
        self.check_flags(column(), |entry| entry.terminated, "terminated")?;
        self.check_flags(column(), |entry| entry.truncated, "truncated")?;
        for _ in 0..info {
            self.numbers(column(), &mut episodes, |episode| &mut episode.info)?;
        }
        self.snapshots(column(), &mut episodes)?;
        Ok(episodes)
    }

    fn numbers(&self, column: usize, episodes: &mut [Episode], into: impl Fn(&mut Episode) -> &mut Vec<f64>) -> Result<()> {
        let mut column = self.column::<DoubleType>(column)?;
        self.ranges().zip(episodes).try_for_each(|((entry, rows), episode)| column.outcomes(entry, &rows, into(episode)))
    }

    fn column<T: DataType>(&self, column: usize) -> Result<Column<'_, T>> {
        Ok(Column { reading: self, index: column, reader: self.reader(column)?, levels: Vec::new() })
    }

    fn reader<T: DataType>(&self, column: usize) -> Result<ColumnReaderImpl<T>> {
        let pages = self.group.get_column_page_reader(column).map_err(|error| self.damaged(column, &error.to_string()))?;
        let description = self.group.metadata().column(column).column_descr_ptr();
        Ok(ColumnReaderImpl::new(description, Box::new(Bounded { pages, left: self.most_values })))
    }

    fn damaged(&self, column: usize, message: &str) -> Error {
        let name = self.group.metadata().column(column).column_path().string();
        Error::artefact(format!("is damaged: {message}")).at(format!("column `{name}`"))
    }

    /// Each episode with its rows.
    fn ranges(&self) -> impl Iterator<Item = (&Entry, Range<usize>)> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let rows = start..start + entry.steps + 1;
            start = rows.end;
            (entry, rows)
        })
    }

    /// Rows stand in the order of episodes and steps.
    fn check_order(&self) -> Result<()> {
        let (mut numbers, mut steps) = (Vec::with_capacity(self.rows), Vec::with_capacity(self.rows));
        self.column::<Int64Type>(0)?.observed(0, self.rows, &mut numbers)?;
        self.column::<Int32Type>(1)?.observed(0, self.rows, &mut steps)?;
        for (entry, rows) in self.ranges() {
            for (step, row) in (0_i32..).zip(rows) {
                if u64::try_from(numbers[row]) != Ok(entry.episode) || steps[row] != step {
                    let message = format!("holds episode {}, step {} where step {step} belongs", numbers[row], steps[row]);
                    return Err(Error::artefact(message)
                        .at(format!("episode {}, row {row}", entry.episode))
                        .hint("rows stand in the order of time; nothing is left out or stands twice"));
                }
            }
        }
        Ok(())
    }

    fn check_flags(&self, column: usize, last: impl Fn(&Entry) -> bool, name: &str) -> Result<()> {
        let mut column = self.column::<BoolType>(column)?;
        let mut flags = Vec::new();
        for (entry, rows) in self.ranges() {
            flags.clear();
            column.outcomes(entry, &rows, &mut flags)?;
            let wrong = flags.iter().enumerate().position(|(step, flag)| *flag != (step + 1 == entry.steps && last(entry)));
            if let Some(step) = wrong {
                let message = format!("`{name}` is {} in the middle of the episode, or not what its entry says", flags[step]);
                return Err(Error::artefact(message).at(format!("episode {}, step {step}", entry.episode)));
            }
        }
        Ok(())
    }

    fn snapshots(&self, column: usize, episodes: &mut [Episode]) -> Result<()> {
        let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
        let read = self.reader::<DoubleType>(column)?.read_records(self.rows, Some(&mut definition), Some(&mut repetition), &mut values);
        let (records, ..) = read.map_err(|error| self.damaged(column, &error.to_string()))?;
        let misplaced = |episode: u64| self.damaged(column, "a snapshot is not where the episode begins").at(format!("episode {episode}"));
        if records != self.rows || definition.len() != repetition.len() {
            return Err(self.damaged(column, &format!("{records} rows instead of {}", self.rows)));
        }
        let (mut level, mut value) = (0, 0);
        for (entry, episode) in self.entries.iter().zip(episodes) {
            let row_end = |level: usize| (level + 1..repetition.len()).find(|next| repetition[*next] == 0).unwrap_or(repetition.len());
            let end = row_end(level);
            let count = if definition.get(level) == Some(&2) { end - level } else { 0 };
            let whole = definition.get(level..end).is_some_and(|levels| levels.iter().all(|level| (*level == 2) == (count > 0)));
            let numbers = values.get(value..value + count).filter(|_| whole).ok_or_else(|| misplaced(entry.episode))?;
            value += count;
            level = end;
            for _ in 0..entry.steps {
                if definition.get(level) != Some(&0) {
                    return Err(misplaced(entry.episode));
                }
                level += 1;
            }
            match &mut episode.start {
                Some(start) => start.snapshot = numbers.to_vec(),
                None if count > 0 => return Err(misplaced(entry.episode)),
                None => {}
            }
        }
        if level == definition.len() && value == values.len() { Ok(()) } else { Err(self.damaged(column, "more rows than episodes have")) }
    }
}

/// A column that is read episode by episode, straight to its place.
struct Column<'a, T: DataType> {
    reading: &'a Reading<'a>,
    index: usize,
    reader: ColumnReaderImpl<T>,
    levels: Vec<i16>,
}

impl<T: DataType> Column<'_, T> {
    /// Appends `rows` rows from row `first` on, of which none is null.
    fn observed(&mut self, first: usize, rows: usize, into: &mut Vec<T::T>) -> Result<()> {
        let before = into.len();
        let read = self.reader.read_records(rows, None, None, into);
        let (records, ..) = read.map_err(|error| self.reading.damaged(self.index, &error.to_string()))?;
        if (records, into.len() - before) == (rows, rows) { Ok(()) } else { Err(self.too_few(first + records)) }
    }

    /// Appends the values of an episode's rows, of which the last one is null, and no other.
    fn outcomes(&mut self, entry: &Entry, rows: &Range<usize>, into: &mut Vec<T::T>) -> Result<()> {
        let before = into.len();
        self.levels.clear();
        let read = self.reader.read_records(rows.len(), Some(&mut self.levels), None, into);
        let (records, ..) = read.map_err(|error| self.reading.damaged(self.index, &error.to_string()))?;
        if (records, self.levels.len()) != (rows.len(), rows.len()) {
            return Err(self.too_few(rows.start + records));
        }
        // Without a branch per row; only a failure looks for the culprit.
        let all_there = self.levels[..entry.steps].iter().filter(|level| **level == 1).count() == entry.steps;
        if !all_there || self.levels[entry.steps] != 0 {
            let step = self.levels.iter().position(|level| *level != 1).unwrap_or(entry.steps);
            let what = if step == entry.steps { "a value after the episode's last step" } else { "no value" };
            return Err(self.reading.damaged(self.index, what).at(format!("episode {}, row {}", entry.episode, rows.start + step)));
        }
        if into.len() - before == entry.steps {
            Ok(())
        } else {
            Err(self.reading.damaged(self.index, "another number of values than rows"))
        }
    }

    fn too_few(&self, rows: usize) -> Error {
        self.reading.damaged(self.index, &format!("{rows} rows instead of {}", self.reading.rows))
    }
}

/// Room for what the columns hold.
fn empty(entry: &Entry, channels: usize, width: usize, info: usize) -> Episode {
    let start = entry.start.as_ref();
    Episode {
        start: start.map(|start| Start { seed: start.seed, stream: start.stream, position: start.position, snapshot: Vec::new() }),
        observations: Vec::with_capacity(channels * (entry.steps + 1)),
        actions: Vec::with_capacity(width * entry.steps),
        rewards: Vec::with_capacity(entry.steps),
        info: Vec::with_capacity(info * entry.steps),
        terminated: entry.terminated,
        truncated: entry.truncated,
    }
}

/// Pages of a column, as long as they do not claim more values than there can be: a page may say anything of itself.
struct Bounded {
    pages: Box<dyn PageReader>,
    left: usize,
}

impl Iterator for Bounded {
    type Item = Outcome<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Bounded {
    fn get_next_page(&mut self) -> Outcome<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if matches!(page, Some(Page::DictionaryPage { .. })) {
            return Err(ParquetError::General("a page is a dictionary".into()));
        }
        let claimed = page.as_ref().map_or(0, |page| page.num_values() as usize);
        self.left =
            self.left.checked_sub(claimed).ok_or_else(|| ParquetError::General("a page claims more values than there can be".into()))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Outcome<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Outcome<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Outcome<bool> {
        self.pages.at_record_boundary()
    }
}
