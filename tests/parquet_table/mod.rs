//! Parts of a set, written by hand with the Parquet crate: sound ones, which can then be spoiled column by column, and footers that lie.

use heirloom::demo::{Episode, Header};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// The values of a column, absent ones left out.
#[derive(Clone)]
pub(crate) enum Values {
    Long(Vec<i64>),
    Int(Vec<i32>),
    Double(Vec<f64>),
    Single(Vec<f32>),
    Flag(Vec<bool>),
    Text(Vec<&'static str>),
}

/// A column: optional where it has definition levels, a list where it has repetition levels.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) values: Values,
    pub(crate) definition: Option<Vec<i16>>,
    pub(crate) repetition: Option<Vec<i16>>,
}

/// A part.
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) compression: Compression,
    pub(crate) dictionary: bool,
    /// Row groups, each with all rows.
    pub(crate) groups: usize,
}

impl Table {
    /// The part that holds these episodes; what it says beside its columns is taken from the one that the program wrote.
    pub(crate) fn of(header: &Header, episodes: &[Episode], written: &[u8]) -> Self {
        let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(written)).unwrap();
        let keys = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let keys = keys.iter().map(|pair| (pair.key.clone(), pair.value.clone().unwrap())).collect();
        let required = |name: String, values: Values| Column { name, values, definition: None, repetition: None };
        let levels: Vec<i16> = episodes.iter().flat_map(|episode| std::iter::repeat_n(1, episode.len()).chain([0])).collect();
        let optional = |name: String, values: Values| Column { definition: Some(levels.clone()), ..required(name, values) };
        let rows = |episode: &Episode| 0..=i32::try_from(episode.len()).unwrap();
        let numbers = (0..).zip(episodes).flat_map(|(number, episode)| rows(episode).map(move |_| number)).collect();
        let mut columns = vec![
            required("episode".into(), Values::Long(numbers)),
            required("step".into(), Values::Int(episodes.iter().flat_map(rows).collect())),
        ];
        for (index, channel) in header.spaces.observation.iter().enumerate() {
            let values = episodes.iter().flat_map(|episode| episode.channel(index).to_vec()).collect();
            columns.push(required(format!("observation.{}", channel.name), Values::Double(values)));
        }
        #[expect(clippy::cast_possible_truncation, reason = "an index")]
        let actions = episodes.iter().flat_map(|episode| episode.actions.iter().map(|action| *action as i32)).collect();
        columns.push(optional("action".into(), Values::Int(actions)));
        columns.push(optional("reward".into(), Values::Double(episodes.iter().flat_map(|episode| episode.rewards.clone()).collect())));
        for (name, flag) in
            [("terminated", (|episode| episode.terminated) as fn(&Episode) -> bool), ("truncated", |episode| episode.truncated)]
        {
            let flags = |episode: &Episode| (1..=episode.len()).map(|step| step == episode.len() && flag(episode)).collect::<Vec<_>>();
            columns.push(optional(name.into(), Values::Flag(episodes.iter().flat_map(flags).collect())));
        }
        columns.push(optional("info.log_prob".into(), Values::Double(episodes.iter().flat_map(|episode| episode.info.clone()).collect())));
        columns.push(snapshots(episodes));
        Self { columns, keys, compression: Compression::UNCOMPRESSED, dictionary: false, groups: 1 }
    }

    pub(crate) fn column(&mut self, name: &str) -> &mut Column {
        self.columns.iter_mut().find(|column| column.name == name).unwrap()
    }

    /// One episode of so many steps in the place of all others, in which nothing changes: nothing folds into less.
    pub(crate) fn repeat(&mut self, steps: usize) {
        let entry = format!("[{{\"episode\":0,\"steps\":{steps},\"crc32c\":0,\"terminated\":true,\"truncated\":false}}]");
        self.keys[1].1 = entry;
        for column in &mut self.columns {
            let count = if column.definition.is_some() { steps } else { steps + 1 };
            let last = i32::try_from(steps).unwrap();
            column.values = match (&column.values, column.name.as_str()) {
                (_, "episode") => Values::Long(vec![0; count]),
                (_, "step") => Values::Int((0..=last).collect()),
                (_, "snapshot") => Values::Double(Vec::new()),
                (_, "terminated") => Values::Flag((1..=steps).map(|step| step == steps).collect()),
                (Values::Flag(_), _) => Values::Flag(vec![false; count]),
                (Values::Int(_), _) => Values::Int(vec![0; count]),
                _ => Values::Double(vec![0.0; count]),
            };
            let levels = if column.repetition.is_some() { vec![0; steps + 1] } else { [vec![1; steps], vec![0]].concat() };
            column.definition = column.definition.is_some().then_some(levels);
            column.repetition = column.repetition.is_some().then(|| vec![0; steps + 1]);
        }
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let keys = self.keys.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
        let properties = WriterProperties::builder()
            .set_compression(self.compression)
            .set_dictionary_enabled(self.dictionary)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(keys))
            .set_offset_index_disabled(true)
            .build();
        let fields = self.columns.iter().map(Column::schema).collect();
        let schema = Type::group_type_builder("schema").with_fields(fields).build().unwrap();
        let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
        for _ in 0..self.groups {
            let mut group = file.next_row_group().unwrap();
            self.columns.iter().for_each(|column| column.write(&mut group));
            group.close().unwrap();
        }
        file.into_inner().unwrap()
    }
}

impl Column {
    fn schema(&self) -> TypePtr {
        let physical = match self.values {
            Values::Long(_) => Physical::INT64,
            Values::Int(_) => Physical::INT32,
            Values::Double(_) => Physical::DOUBLE,
            Values::Single(_) => Physical::FLOAT,
            Values::Flag(_) => Physical::BOOLEAN,
            Values::Text(_) => Physical::BYTE_ARRAY,
        };
        let plain = |name: &str, repetition| Type::primitive_type_builder(name, physical).with_repetition(repetition).build().unwrap();
        if self.repetition.is_some() {
            let element = Arc::new(plain("element", Repetition::REQUIRED));
            let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]).build().unwrap();
            let group = Type::group_type_builder(&self.name).with_repetition(Repetition::OPTIONAL);
            return Arc::new(group.with_logical_type(Some(LogicalType::List)).with_fields(vec![Arc::new(list)]).build().unwrap());
        }
        Arc::new(plain(&self.name, if self.definition.is_some() { Repetition::OPTIONAL } else { Repetition::REQUIRED }))
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) {
        match &self.values {
            Values::Long(values) => self.write_as::<Int64Type>(group, values),
            Values::Int(values) => self.write_as::<Int32Type>(group, values),
            Values::Double(values) => self.write_as::<DoubleType>(group, values),
            Values::Single(values) => self.write_as::<FloatType>(group, values),
            Values::Flag(values) => self.write_as::<BoolType>(group, values),
            Values::Text(values) => {
                self.write_as::<ByteArrayType>(group, &values.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>());
            }
        }
    }

    fn write_as<T: DataType>(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T]) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, self.definition.as_deref(), self.repetition.as_deref()).unwrap();
        column.close().unwrap();
    }
}

fn snapshots(episodes: &[Episode]) -> Column {
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for episode in episodes {
        let snapshot = &episode.start.as_ref().unwrap().snapshot;
        values.extend_from_slice(snapshot);
        definition.extend([vec![2; snapshot.len()], vec![0; episode.len()]].concat());
        repetition.extend([vec![0], vec![1; snapshot.len() - 1], vec![0; episode.len()]].concat());
    }
    Column { name: "snapshot".into(), values: Values::Double(values), definition: Some(definition), repetition: Some(repetition) }
}

/// The same data under another description of its row group.
pub(crate) fn relabelled(part: &[u8], lie: &dyn Fn(RowGroupMetaData) -> RowGroupMetaData) -> Vec<u8> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::copy_from_slice(part)).unwrap();
    let mut builder = metadata.into_builder();
    let groups = builder.take_row_groups().into_iter().map(lie).collect();
    let metadata = builder.set_row_groups(groups).build();
    let footer = u32::from_le_bytes(part[part.len() - 8..part.len() - 4].try_into().unwrap()) as usize;
    let mut bytes = part[..part.len() - 8 - footer].to_vec();
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
    bytes
}
