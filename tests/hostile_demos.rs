//! Whoever wrote a shared set of demonstrations may be hostile: looking at it ends in one clear error, with nothing changed and little memory
//! taken.
//!
//! `HEIRLOOM_MUTATIONS` sets how many random mutations are tried (600; the long form 10,000).

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod parquet_table;
mod program;

use heirloom::demo::{Demonstrations, Episode, Header, Recorder, Recording, Start, inspect};
use heirloom::env::Registry;
use heirloom::error::{Kind, Result};
use heirloom::file::digest;
use heirloom::seed::Stream;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet_table::{Table, Values, relabelled};
use program::Program;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const MANIFEST: &str = "demonstrations.ron";
const PART: &str = "part-00000.parquet";
const JOURNAL: &str = "journal";

fn header() -> Header {
    let registry = Registry::standard();
    let spec = registry.resolve("cartpole").unwrap();
    let spaces = registry.build(&spec).unwrap().spaces().clone();
    Header::new(&spec, &spaces, vec!["log_prob".into()], Recorder::Keyboard { seed: 0 })
}

/// Three episodes of 2, 3 and 4 steps.
fn episodes() -> Vec<Episode> {
    let episode = |number: u32| {
        let steps = number as usize + 2;
        let value = |index: usize| f64::from(number) + f64::from(u32::try_from(index).unwrap()) / 8.0;
        Episode {
            start: Some(Start { seed: 1, stream: number.into(), position: 8, snapshot: vec![0.0, 1.0, value(1), 2.0, value(3)] }),
            observations: (0..4 * (steps + 1)).map(value).collect(),
            actions: (0..steps).map(|step| f64::from(u8::from(step % 2 == 0))).collect(),
            rewards: (0..steps).map(value).collect(),
            info: (0..steps).map(|step| -value(step)).collect(),
            terminated: number != 1,
            truncated: number == 1,
        }
    };
    (0..3).map(episode).collect()
}

/// A sound set in a folder, finished or not, and a way to spoil it.
struct Set {
    path: PathBuf,
    manifest: String,
    part: Vec<u8>,
    journal: Vec<u8>,
}

impl Set {
    fn finished(folder: &Path) -> Self {
        Self::record(folder.join("finished"), true)
    }

    fn unfinished(folder: &Path) -> Self {
        Self::record(folder.join("unfinished"), false)
    }

    fn record(path: PathBuf, finished: bool) -> Self {
        let mut recording = Recording::create(&path, header()).unwrap();
        for episode in episodes() {
            recording.append(episode).unwrap();
        }
        if finished {
            recording.finish().unwrap();
        }
        let read = |name: &str| std::fs::read(path.join(name)).unwrap_or_default();
        let manifest = String::from_utf8(read(MANIFEST)).unwrap();
        let (part, journal) = (read(PART), read(JOURNAL));
        assert_eq!(looked_at(&path).unwrap(), episodes());
        Self { path, manifest, part, journal }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path.join(name), bytes).unwrap();
    }

    /// Writes a part, and a manifest that vouches for it.
    fn write_part(&self, part: &[u8]) {
        self.write(PART, part);
        self.write(MANIFEST, self.manifest.replace(&digest::of_bytes(&self.part), &digest::of_bytes(part)).as_bytes());
    }

    /// What was there before.
    fn mend(&self) {
        self.write(MANIFEST, self.manifest.as_bytes());
        for (name, bytes) in [(PART, &self.part), (JOURNAL, &self.journal)] {
            if !bytes.is_empty() {
                self.write(name, bytes);
            }
        }
    }

    /// Expects an error of this text that names a file; what is wrong instead is said at the end, all together.
    fn refuses(&self, name: &str, part: &str) {
        let (wrong, text) = match looked_at(&self.path) {
            Ok(_) => (true, "is believed".to_owned()),
            Err(error) => {
                let text = error.to_string();
                let named = ["/demonstrations.ron", "/part-0", "/journal"].iter().any(|file| text.contains(file));
                (error.kind() != Kind::Artefact || !named || !text.contains(part) || text.len() > 2000, text)
            }
        };
        if wrong {
            WRONG.lock().unwrap().push(format!("{name}: {text}"));
        }
    }
}

/// What was not refused as it should be.
static WRONG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What `demo inspect` does, with all episodes: no panic, a second and little memory per megabyte, nothing changed.
fn looked_at(path: &Path) -> Result<Vec<Episode>> {
    let before = files(path);
    let (began, panics) = (Instant::now(), PANICS.load(Ordering::SeqCst));
    // The peak begins anew here.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let resident = memory("VmRSS");
    let looked_at = (|| {
        let set = Demonstrations::open(path)?;
        set.verify()?;
        inspect::summarize(&set)?;
        set.episodes().map(|episode| episode.map(|(_, episode)| episode)).collect()
    })();
    let size: u64 = before.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    assert!(began.elapsed() < Duration::from_secs(1 + size / 1_000_000), "{:?} for {size} bytes", began.elapsed());
    let taken = memory("VmHWM").saturating_sub(resident);
    assert!(taken < (64 << 20) + 2 * size, "{taken} bytes of memory for {size} of files");
    if PANICS.load(Ordering::SeqCst) != panics {
        WRONG.lock().unwrap().push(format!("a panic was caught, but its message was shown: {looked_at:?}"));
    }
    assert!(files(path) == before, "the folder is another");
    looked_at
}

/// How many panics there were, caught or not.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(panic);
    }));
}

/// Every plain file of a folder, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries.filter(|entry| entry.file_type().unwrap().is_file()).map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect()
}

/// This process's memory in bytes: `VmRSS` now, `VmHWM` at its peak.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// One test after the other: memory and panics are the whole process's.
#[test]
fn hostile_sets_are_refused_with_little_memory() {
    count_panics();
    let folder = tempfile::tempdir().unwrap();
    let set = Set::finished(folder.path());
    manifests(&set);
    raw_parts(&set);
    tables(&set);
    labels(&set);
    other_kinds_of_files(&set, folder.path());
    let unfinished = Set::unfinished(folder.path());
    journals(&unfinished);
    let (harmless, mutations) = mutations(&set, &unfinished);
    println!("{harmless} of {mutations} mutations were harmless");
    let wrong = std::mem::take(&mut *WRONG.lock().unwrap());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn manifests(set: &Set) {
    let good = &set.manifest;
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1)
    };
    let part = |fields: &str| {
        let at = good.find("parts:").unwrap();
        format!("{}parts: [{fields}],\n)\n", &good[..at])
    };
    let sha = digest::of_bytes(&set.part);
    let sealed = |episodes: &str, steps: &str| format!("(episodes: {episodes}, steps: {steps}, sha256: \"{sha}\")");
    let many_channels = (0..2000).map(|i| format!("(name:\"c{i}\",low:0,high:1)")).collect::<Vec<_>>().join(",");
    let cases: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("only a bracket", "(".into()),
        ("nested deeply", "(".repeat(100_000)),
        ("a comment without end", format!("/* {good}")),
        ("too long", format!("{good}{}", " ".repeat(300_000))),
        ("no UTF-8 in its names", swap("cart_position", "\u{fffd}")),
        ("of another format", swap("format: 1", "format: 2")),
        ("a format that overflows", swap("format: 1", "format: 99999999999999999999")),
        ("a field that does not exist", swap("parts:", "run: \"rm -rf /\", parts:")),
        ("a field that stands twice", swap("format: 1,", "format: 1, format: 1,")),
        ("a part elsewhere", swap("sha256:", "file: \"../../../etc/passwd\", sha256:")),
        ("a part too many", part(&format!("{0}, {0}", sealed("3", "9")))),
        ("thousands of parts", part(&vec![sealed("3", "9"); 1500].join(","))),
        ("an episode too many", part(&sealed("4", "9"))),
        ("an episode too few", part(&sealed("2", "9"))),
        ("a step too many", part(&sealed("3", "10"))),
        ("numbers that overflow", part(&format!("{0}, {0}", sealed("18446744073709551615", "9")))),
        ("steps that overflow", part(&format!("{0}, {0}", sealed("3", "18446744073709551615")))),
        ("negative numbers", part(&sealed("-3", "9"))),
        ("another digest", swap(&sha, &sha.replace(|c: char| c.is_ascii_digit(), "e"))),
        ("no digest", swap(&sha, "")),
        ("another environment", swap("environment: \"cartpole\"", "environment: \"../../cartpole\"")),
        ("another environment's physics", swap("9.8", "9.9")),
        ("another recorder", swap("Keyboard(", "Keyboards(")),
        ("another seed", swap("seed: 0", "seed: 7")),
        ("a channel less", swap("\"cart_position\"", "\"\"")),
        ("two channels of one name", swap("cart_velocity", "cart_position")),
        ("two numbers of a step of one name", swap("[\"log_prob\"]", "[\"log_prob\", \"log_prob\"]")),
        ("bounds out of order", swap("low: -4.8", "low: 48.0")),
        ("bounds that are not numbers", swap("low: -4.8", "low: NaN")),
        ("thousands of channels", swap("observation: [", &format!("observation: [{many_channels},"))),
        ("no actions", swap("[\"left\", \"right\"]", "[]")),
        ("other actions", swap("\"left\"", "\"lift\"")),
        ("actions of another kind", swap("Discrete([\"left\", \"right\"])", "Continuous([(name: \"push\", low: -1, high: 1)])")),
        ("names of terminal codes", swap("cart_position", "\\u{1b}[2Jx")),
    ];
    for (name, text) in cases {
        set.write(MANIFEST, text.as_bytes());
        set.refuses(name, "");
    }
    set.write(MANIFEST, &[good.as_bytes(), b"\xff"].concat());
    set.refuses("not UTF-8", "UTF-8");
    set.mend();
}

fn raw_parts(set: &Set) {
    let good = &set.part;
    let footer = |length: u32| [&good[..good.len() - 8], &length.to_le_bytes(), b"PAR1"].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("three bytes", b"PAR".to_vec()),
        ("two magics", b"PAR1PAR1".to_vec()),
        ("no footer", b"PAR1\0\0\0\0PAR1".to_vec()),
        ("a footer of 4 GiB", footer(u32::MAX)),
        ("a footer of 2 GiB", footer(i32::MAX.unsigned_abs())),
        ("a footer longer than the file", footer(u32::try_from(good.len()).unwrap())),
        ("a footer of no bytes", footer(0)),
        ("encrypted", [&good[..good.len() - 4], b"PARE"].concat()),
        ("bytes behind", [good, &[0_u8; 9][..]].concat()),
        ("a zip archive", b"PK\x03\x04\x14\x00\x00\x00\x08\x00rewards.npy".to_vec()),
        ("HDF5", b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0".to_vec()),
        ("JSON", b"{\"episodes\": []}".to_vec()),
        ("zeros", vec![0; 1 << 20]),
        ("a set's manifest", set.manifest.clone().into_bytes()),
    ];
    for (name, bytes) in cases {
        set.write(PART, &bytes);
        set.refuses(name, "SHA-256");
        set.write_part(&bytes);
        set.refuses(name, "");
    }
    for length in (0..good.len()).step_by(13) {
        set.write_part(&good[..length]);
        set.refuses(&format!("cut at {length}"), "");
    }
    set.mend();
}

/// Changes the numbers of a column.
fn doubles(table: &mut Table, column: &str, change: fn(&mut Vec<f64>)) {
    match &mut table.column(column).values {
        Values::Double(values) => change(values),
        _ => panic!("{column} holds no doubles"),
    }
}

/// Changes the list of episodes.
fn replaced(table: &mut Table, from: &str, to: &str) {
    let text = &mut table.keys[1].1;
    assert!(text.contains(from), "{from} in {text}");
    *text = text.replacen(from, to, 1);
}

/// Parts that are sound Parquet and wrong in another way.
fn tables(set: &Set) {
    type Spoil<'a> = &'a dyn Fn(&mut Table);
    let table = || Table::of(&header(), &episodes(), &set.part);
    set.write_part(&table().bytes());
    assert_eq!(looked_at(&set.path).unwrap(), episodes(), "what the test writes is what the program does");
    let cases: Vec<(&str, &str, Spoil<'_>)> = vec![
        ("no header", "`heirloom` is missing", &|table| drop(table.keys.remove(0))),
        ("another header", "another set", &|table| table.keys[0].1.push(' ')),
        ("no list of episodes", "`heirloom.episodes` is missing", &|table| drop(table.keys.remove(1))),
        ("a list that is no JSON", "does not parse", &|table| table.keys[1].1 = "[(episode: 0)]".into()),
        ("an empty list", "has 0 rows", &|table| table.keys[1].1 = "[]".into()),
        ("JSON nested deeply", "does not parse", &|table| table.keys[1].1 = "[".repeat(100_000)),
        ("a field that does not exist", "does not parse", &|table| replaced(table, "\"steps\"", "\"run\":1,\"steps\"")),
        ("numbers of another type", "does not parse", &|table| replaced(table, "\"steps\":2", "\"steps\":2.5")),
        ("negative steps", "does not parse", &|table| replaced(table, "\"steps\":2", "\"steps\":-2")),
        ("numbers beyond all", "does not parse", &|table| replaced(table, "\"steps\":2", "\"steps\":1e400")),
        ("no steps", "no steps", &|table| replaced(table, "\"steps\":2", "\"steps\":0")),
        ("more steps than there are", "rows are not in one group", &|table| replaced(table, "\"steps\":2", "\"steps\":3")),
        ("steps that overflow", "rows", &|table| replaced(table, "\"steps\":2", "\"steps\":18446744073709551615")),
        ("steps of terabytes", "rows", &|table| replaced(table, "\"steps\":2", "\"steps\":16000000")),
        ("lengths that were exchanged", "belongs", &|table| {
            replaced(table, "\"steps\":2", "\"steps\":7");
            replaced(table, "\"steps\":3", "\"steps\":2");
            replaced(table, "\"steps\":7", "\"steps\":3");
        }),
        ("an episode that stands twice", "episode 0 stands where 1", &|table| replaced(table, "\"episode\":1", "\"episode\":0")),
        ("an episode out of order", "episode 2 stands where 0", &|table| replaced(table, "\"episode\":0", "\"episode\":2")),
        ("another start", "checksum", &|table| replaced(table, "\"position\":8", "\"position\":9")),
        ("no start", "snapshot", &|table| replaced(table, "\"start\":{\"seed\":1,\"stream\":0,\"position\":8},", "")),
        ("another end", "terminated", &|table| replaced(table, "\"terminated\":true", "\"terminated\":false")),
        ("a column of another name", "columns", &|table| table.column("reward").name = "rewards".into()),
        ("a missing column", "columns", &|table| table.columns.retain(|column| column.name != "reward")),
        ("a column too many", "columns", &|table| table.columns.push(table.columns[2].clone())),
        ("columns in another order", "columns", &|table| table.columns.swap(2, 3)),
        ("single precision", "columns", &|table| table.column("observation.cart_position").values = Values::Single(vec![0.0; 12])),
        ("texts", "columns", &|table| table.column("observation.cart_position").values = Values::Text(vec!["0"; 12])),
        ("actions of another type", "columns", &|table| table.column("action").values = Values::Double(vec![0.0; 9])),
        ("numbers of episodes of another type", "columns", &|table| table.column("episode").values = Values::Int(vec![0; 12])),
        ("observations that may be absent", "columns", &|table| {
            let column = table.column("observation.cart_position");
            column.definition = Some(vec![1; 12]);
        }),
        ("rewards that may not", "columns", &|table| {
            let column = table.column("reward");
            column.definition = None;
            column.values = Values::Double(vec![0.0; 12]);
        }),
        ("a row that stands twice", "episode 0, row 1", &|table| {
            table.column("step").values = Values::Int(vec![0, 0, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4]);
        }),
        ("rows out of the order of time", "episode 1, row 3", &|table| {
            table.column("step").values = Values::Int(vec![0, 1, 2, 3, 2, 1, 0, 0, 1, 2, 3, 4]);
        }),
        ("a gap in time", "episode 2, row 9", &|table| table.column("step").values = Values::Int(vec![0, 1, 2, 0, 1, 2, 3, 0, 1, 3, 4, 5])),
        ("negative time", "episode 0, row 0", &|table| {
            table.column("step").values = Values::Int(vec![-1, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3, 4]);
        }),
        ("episodes that are mixed", "episode 0, row 2", &|table| {
            table.column("episode").values = Values::Long(vec![0, 0, 1, 0, 1, 1, 1, 2, 2, 2, 2, 2]);
        }),
        ("negative episodes", "episode 0, row 0", &|table| {
            table.column("episode").values = Values::Long(vec![-1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        }),
        ("a NaN", "`cart_velocity` is NaN", &|table| doubles(table, "observation.cart_velocity", |values| values[4] = f64::NAN)),
        ("an infinite reward", "step 1: the reward", &|table| doubles(table, "reward", |values| values[3] = f64::INFINITY)),
        ("a number of a step that is none", "info `log_prob`", &|table| doubles(table, "info.log_prob", |values| values[8] = f64::NAN)),
        ("an action that does not exist", "no action 2", &|table| {
            table.column("action").values = Values::Int(vec![1, 0, 1, 2, 1, 1, 0, 1, 0]);
        }),
        ("a negative action", "no action -1", &|table| table.column("action").values = Values::Int(vec![1, 0, 1, 0, 1, -1, 0, 1, 0])),
        ("another reward", "checksum", &|table| doubles(table, "reward", |values| values[3] += 1e-9)),
        ("another snapshot", "checksum", &|table| doubles(table, "snapshot", |values| values[3] += 1.0)),
        ("a reward that is absent", "episode 0, row 1: column `reward`", &|table| {
            let column = table.column("reward");
            column.definition.as_mut().unwrap()[1] = 0;
            column.values = Values::Double(vec![0.0; 8]);
        }),
        ("a reward behind the end", "episode 0, row 2: column `reward`", &|table| {
            let column = table.column("reward");
            column.definition.as_mut().unwrap()[2] = 1;
            column.values = Values::Double(vec![0.0; 10]);
        }),
        ("an end in the middle", "episode 1, step 0", &|table| {
            table.column("truncated").values = Values::Flag(vec![false, false, true, false, true, false, false, false, false]);
        }),
        ("a snapshot in the middle", "snapshot", &|table| {
            let column = table.column("snapshot");
            let definition = column.definition.as_mut().unwrap();
            definition[5] = 2;
            column.values = Values::Double(vec![1.0; 16]);
        }),
        ("no snapshots", "checksum", &|table| {
            let column = table.column("snapshot");
            (column.values, column.definition, column.repetition) =
                (Values::Double(Vec::new()), Some(vec![1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]), Some(vec![0; 12]));
        }),
        ("a snapshot of a million numbers", "checksum", &|table| {
            let column = table.column("snapshot");
            let million = 1_000_000;
            column.values = Values::Double(vec![1.0; million]);
            column.definition = Some([vec![2; million], vec![0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]].concat());
            column.repetition = Some([vec![0], vec![1; million - 1], vec![0; 11]].concat());
        }),
        ("a snapshot folded into a dictionary", "claims more than the file holds", &|table| {
            let column = table.column("snapshot");
            let many = 5_000_000;
            column.values = Values::Double(vec![1.0; many]);
            column.definition = Some([vec![2; many], vec![0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]].concat());
            column.repetition = Some([vec![0], vec![1; many - 1], vec![0; 11]].concat());
            table.dictionary = true;
        }),
        ("columns that are compressed", "compressed", &|table| table.compression = Compression::ZSTD(ZstdLevel::default())),
        ("several groups", "not in one group", &|table| table.groups = 2),
        ("no groups", "not in one group", &|table| table.groups = 0),
        ("a bomb", "rows", &|table| {
            table.compression = Compression::ZSTD(ZstdLevel::default());
            table.repeat(1_000_000);
        }),
        ("a bomb in a dictionary", "rows", &|table| {
            table.dictionary = true;
            table.repeat(1_000_000);
        }),
    ];
    for (name, part, spoil) in cases {
        let bytes = {
            let mut table = table();
            spoil(&mut table);
            table.bytes()
        };
        set.write_part(&bytes);
        set.refuses(name, part);
    }
    set.mend();
}

/// A sound part under a footer that lies.
fn labels(set: &Set) {
    type Lie<'a> = (&'a str, &'a dyn Fn(RowGroupMetaData) -> RowGroupMetaData);
    let columns = |group: RowGroupMetaData, lie: &dyn Fn(usize, ColumnChunkMetaData) -> ColumnChunkMetaData| {
        let columns = group.columns().iter().cloned().enumerate().map(|(index, column)| lie(index, column)).collect();
        group.into_builder().set_column_metadata(columns).build().unwrap()
    };
    let billions = 5_000_000_000;
    let rows = |group: RowGroupMetaData, rows: i64| group.into_builder().set_num_rows(rows).build().unwrap();
    let lies: [Lie<'_>; 13] = [
        ("billions of rows", &|group| rows(group, billions)),
        ("negative rows", &|group| rows(group, -12)),
        ("a row more", &|group| rows(group, 13)),
        ("billions of values", &|group| columns(group, &|_, column| column.into_builder().set_num_values(billions).build().unwrap())),
        ("negative values", &|group| columns(group, &|_, column| column.into_builder().set_num_values(-1).build().unwrap())),
        ("gigabytes unfolded", &|group| {
            columns(group, &|_, column| column.into_builder().set_total_uncompressed_size(billions).build().unwrap())
        }),
        ("gigabytes", &|group| columns(group, &|_, column| column.into_builder().set_total_compressed_size(billions).build().unwrap())),
        ("a negative size", &|group| columns(group, &|_, column| column.into_builder().set_total_compressed_size(-1).build().unwrap())),
        ("columns behind the end", &|group| {
            columns(group, &|_, column| column.into_builder().set_data_page_offset(billions).build().unwrap())
        }),
        ("columns before the start", &|group| columns(group, &|_, column| column.into_builder().set_data_page_offset(-4).build().unwrap())),
        ("a dictionary that overlaps", &|group| {
            columns(group, &|_, column| column.into_builder().set_dictionary_page_offset(Some(4)).build().unwrap())
        }),
        ("compression that is not there", &|group| {
            columns(group, &|_, column| column.into_builder().set_compression(Compression::SNAPPY).build().unwrap())
        }),
        ("all columns in one place", &|group| {
            let offset = group.column(4).data_page_offset();
            columns(group, &|_, column| column.into_builder().set_data_page_offset(offset).build().unwrap())
        }),
    ];
    for (name, lie) in lies {
        set.write_part(&relabelled(&set.part, lie));
        set.refuses(name, "");
    }
    set.mend();
}

fn other_kinds_of_files(set: &Set, folder: &Path) {
    let part = set.path.join(PART);
    let replace = |make: &dyn Fn(&Path)| {
        std::fs::remove_file(&part).unwrap();
        make(&part);
    };
    replace(&|_| {});
    set.refuses("a missing part", "cannot read");
    for target in ["/etc/passwd", "/dev/zero", "/proc/self/environ", "nothing", PART, "."] {
        std::os::unix::fs::symlink(target, &part).unwrap();
        set.refuses(target, "");
        std::fs::remove_file(&part).unwrap();
    }
    std::fs::create_dir(&part).unwrap();
    set.refuses("a folder", "is not a plain file");
    std::fs::remove_dir(&part).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&part).status().unwrap().success());
    set.refuses("a pipe", "is not a plain file");
    std::fs::remove_file(&part).unwrap();
    set.mend();
    // Two parts, exchanged: each is sound, and says which episodes it holds.
    let twice = Set::finished(&folder.join("twice"));
    let sha = digest::of_bytes(&twice.part);
    let one = format!("(episodes: 3, steps: 9, sha256: \"{sha}\")");
    let at = twice.manifest.find("parts:").unwrap();
    twice.write("part-00001.parquet", &twice.part);
    twice.write(MANIFEST, format!("{}parts: [{one}, {one}],\n)\n", &twice.manifest[..at]).as_bytes());
    let error = looked_at(&twice.path).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: episode 0 stands where 3 belongs", twice.path.join("part-00001.parquet").display()));
}

fn journals(set: &Set) {
    let good = &set.journal;
    let frame = |body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&length, &crc32c::crc32c(&length).to_le_bytes(), &crc32c::crc32c(body).to_le_bytes(), body].concat()
    };
    let first = &good[..12 + u32::from_le_bytes(good[..4].try_into().unwrap()) as usize];
    let body = first[12..].to_vec();
    let with = |at: usize, bytes: &[u8]| {
        let mut body = body.clone();
        body[at..at + bytes.len()].copy_from_slice(bytes);
        frame(&body)
    };
    let observations = 8 + 12 + 24 + 5 * 8;
    let actions = observations + 12 * 8;
    let length = u32::MAX.to_le_bytes();
    let giant = [&length, &crc32c::crc32c(&length).to_le_bytes()[..], &[0; 64]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("garbage", (0_u8..=255).cycle().take(5000).collect()),
        ("text", b"episode 1\n".repeat(100)),
        ("an episode that stands twice", [good, first].concat()),
        ("garbage behind", [good, &b"garbage in the journal"[..]].concat()),
        ("a frame of no bytes", frame(&[])),
        ("a frame of seven bytes", frame(&[0; 7])),
        ("billions of steps", with(12, &u32::MAX.to_le_bytes())),
        ("no steps", with(12, &0_u32.to_le_bytes())),
        ("a snapshot of billions", with(16, &u32::MAX.to_le_bytes())),
        ("a NaN", with(observations + 8, &f64::NAN.to_le_bytes())),
        ("an infinity", with(observations + 8, &f64::INFINITY.to_le_bytes())),
        ("an action that does not exist", with(actions, &7.0_f64.to_le_bytes())),
        ("half an action", with(actions, &0.5_f64.to_le_bytes())),
        ("no steps at all", frame(&[&[0_u8; 44][..], &[0; 4 * 8]].concat())),
    ];
    for (name, bytes) in cases {
        set.write(JOURNAL, &bytes);
        set.refuses(name, JOURNAL);
    }
    // What a kill leaves is no damage.
    for (name, bytes, left) in [
        ("a giant that was torn", giant, 0),
        ("a torn end", good[..good.len() - 1].to_vec(), 2),
        ("nothing", Vec::new(), 0),
        ("the last place there is", with(0, &u64::MAX.to_le_bytes()), 1),
    ] {
        set.write(JOURNAL, &bytes);
        assert_eq!(looked_at(&set.path).unwrap().len(), left, "{name}");
    }
    let journal = set.path.join(JOURNAL);
    std::fs::remove_file(&journal).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &journal).unwrap();
    set.refuses("an endless journal", "is not a plain file");
    std::fs::remove_file(&journal).unwrap();
    set.write(JOURNAL, &with(0, &u64::MAX.to_le_bytes()));
    Recording::resume(&set.path, &header()).unwrap().settle_all().unwrap();
    set.mend();
}

/// How many of how many random mutations were harmless.
fn mutations(finished: &Set, unfinished: &Set) -> (usize, usize) {
    let mutations = std::env::var("HEIRLOOM_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let mut rng = Stream::Bootstrap(9).under(4);
    let mut harmless = 0;
    for index in 0..mutations {
        let mut target = match index % 3 {
            0 => finished.part.clone(),
            1 => unfinished.journal.clone(),
            _ => finished.manifest.clone().into_bytes(),
        };
        for _ in 0..=rng.below(3) {
            // The footer is where a part can lie.
            let near_end = index % 3 == 0 && rng.below(2) == 0;
            let at = if near_end { target.len() - 1 - rng.below(2000.min(target.len())) } else { rng.below(target.len()) };
            match rng.below(5) {
                0 => target[at] ^= 1 << rng.below(8),
                1 => target[at] = u8::try_from(rng.below(256)).unwrap(),
                2 => drop(target.remove(at)),
                3 => target.insert(at, b"0\"[](){},:9\xff"[rng.below(12)]),
                _ => target.truncate(at.max(1)),
            }
        }
        let set = if index % 3 == 1 { unfinished } else { finished };
        match index % 3 {
            0 => set.write_part(&target),
            1 => set.write(JOURNAL, &target),
            _ => set.write(MANIFEST, &target),
        }
        match looked_at(&set.path) {
            // A mutation may hit what nothing stands on, or tear a journal: what is shown is then what was recorded.
            Ok(shown) => {
                assert!(episodes().starts_with(&shown) && (index % 3 == 1 || shown.len() == 3), "mutation {index}");
                harmless += 1;
            }
            Err(error) if error.kind() == Kind::Artefact => {}
            Err(error) => WRONG.lock().unwrap().push(format!("mutation {index}: {error}")),
        }
        set.mend();
    }
    (harmless, mutations)
}

#[test]
fn the_program_ends_with_exit_3_and_changes_nothing() {
    let program = Program::new();
    let set = Set::finished(program.folder());
    program.ok("demo inspect finished");
    set.write(PART, &set.part[..set.part.len() / 2]);
    let before = files(&set.path);
    program.run("demo inspect finished").refused(3, &["finished/part-00000.parquet", "SHA-256"]);
    program.run("demo inspect finished --json").refused(3, &["finished/part-00000.parquet"]);
    set.write_part(&set.part[..set.part.len() / 2]);
    program.run("demo inspect finished").refused(3, &["is not a sound Parquet file"]);
    set.write(PART, &before.iter().find(|(name, _)| name.ends_with(PART)).unwrap().1);
    set.write(MANIFEST, set.manifest.replacen("format: 1", "format: 7", 1).as_bytes());
    program.run("demo inspect finished").refused(3, &["finished/demonstrations.ron", "is 7; this program reads 1"]);
    std::fs::remove_file(set.path.join(MANIFEST)).unwrap();
    program.run("demo inspect finished").refused(2, &["there are no demonstrations", "hint"]);
    assert!(std::process::Command::new("mkfifo").arg(set.path.join(MANIFEST)).status().unwrap().success());
    program.run("demo inspect finished").refused(2, &["there are no demonstrations"]);
    program.run("demo inspect nothing").refused(2, &["nothing", "there are no demonstrations"]);
}
