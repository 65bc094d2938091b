//! What the terminal says: errors, tables, the progress bar.

use crate::error::{Error, Kind, Result};
use crate::run::{Event, Listener};
use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a command ended, when it did not fail.
pub(super) enum Ending {
    /// It did what was asked.
    Done,
    /// A signal stopped it; a checkpoint is written.
    Signal(i32),
    /// It looked, and what it found has this exit code.
    Found(u8),
}

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Shows an error with its remedy.
pub(super) fn show_error(error: &Error) {
    eprintln!("{RED}error{RED:#}: {}", one_line(&error.to_string()));
    hint(error);
}

/// Shows something that went wrong but is survived.
pub(super) fn warn(error: &Error) {
    eprintln!("{YELLOW}warning{YELLOW:#}: {}", one_line(&error.to_string()));
    hint(error);
}

fn hint(error: &Error) {
    if let Some(remedy) = error.remedy() {
        eprintln!("{CYAN}hint{CYAN:#}: {}", one_line(remedy));
    }
}

/// A text in which nothing moves the cursor or changes colours: names in errors may come from hostile files.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Says something beside the result.
pub(super) fn note(text: &str) {
    eprintln!("{}", clean(text));
}

/// Prints a line of the result.
pub(super) fn say(text: &str) {
    print(&clean(text));
}

/// Prints a heading of the result.
pub(super) fn heading(text: &str) {
    print(&format!("{BOLD}{}{BOLD:#}", one_line(text)));
}

/// Prints a JSON document as the result.
pub(super) fn json(value: &serde_json::Value) {
    print(&format!("{value:#}"));
}

/// JSON on one line, for who reads line by line.
pub(super) fn json_line(value: &serde_json::Value) {
    print(&value.to_string());
}

/// Lines as they are, without anything that moves the cursor or changes colours.
fn clean(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n")
}

fn print(text: &str) {
    let written = writeln!(anstream::stdout().lock(), "{text}");
    // Who reads only the beginning, as `head` does, has what they want.
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        REFUSED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// What standard output refused first.
static REFUSED: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// Fails when standard output did not take all of the result.
pub(super) fn check_printed() -> Result<()> {
    let flushed = anstream::stdout().lock().flush();
    match REFUSED.lock().unwrap_or_else(PoisonError::into_inner).take().or(flushed.err()) {
        Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Kind::Io, format!("cannot print the result: {error}")).caused_by(error))
        }
        _ => Ok(()),
    }
}

/// Prints a table as the result; the columns named in `numbers` are aligned to the right.
pub(super) fn table(header: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if header.iter().any(|name| !name.is_empty()) {
        table.set_header(header.to_vec());
    }
    if !std::io::stdout().is_terminal() {
        table.set_width(200);
    }
    table.add_rows(rows.into_iter().map(|row| row.iter().map(|cell| one_line(cell)).collect::<Vec<_>>()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        print(line.trim_end());
    }
}

/// A number as a table shows it.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if !value.is_finite() || size >= 1e6 => format!("{value:.3e}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A count with thousands apart: `1 000 000`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(" ")
}

/// Bytes as people say them.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(super) fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} B"),
        1_000..1_000_000 => format!("{:.1} kB", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value as f64 / 1e6),
        _ => format!("{:.2} GB", value as f64 / 1e9),
    }
}

/// A bar over steps with rate and time left; where there is no terminal, a line a minute.
pub(super) struct Bar {
    drawn: ProgressBar,
    /// What is counted.
    unit: &'static str,
    quiet: bool,
    last_line: Mutex<Instant>,
}

impl Bar {
    pub(super) fn new(total: u64, quiet: bool) -> Self {
        Self::of("steps", total, quiet)
    }

    /// A bar over something else than steps.
    pub(super) fn of(unit: &'static str, total: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template(&format!(
            "{{elapsed_precise}} {{wide_bar:.cyan}} {{human_pos}}/{{human_len}} {unit} {{per_sec:>14}} left {{eta:>4}} {{msg}}"
        ));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { drawn: bar, unit, quiet, last_line: Mutex::new(Instant::now()) }
    }

    /// There are so many steps in all.
    pub(super) fn set_total(&self, total: u64) {
        self.drawn.set_length(total);
    }

    /// So many more steps are done.
    pub(super) fn add(&self, steps: u64) {
        self.drawn.inc(steps);
        self.line_a_minute();
    }

    /// So many steps need not be done: they say nothing of the rate.
    pub(super) fn skip(&self, steps: u64) {
        self.drawn.set_position(self.drawn.position() + steps);
        self.drawn.reset_eta();
    }

    /// What is said behind the bar.
    pub(super) fn say(&self, message: String) {
        self.drawn.set_message(message);
    }

    pub(super) fn finish(&self) {
        self.drawn.finish_and_clear();
    }

    fn line_a_minute(&self) {
        if self.quiet || std::io::stderr().is_terminal() {
            return;
        }
        let Ok(mut last) = self.last_line.try_lock() else { return };
        if last.elapsed() > Duration::from_secs(60) {
            *last = Instant::now();
            let of = count(self.drawn.length().unwrap_or(0));
            let (done, rate, unit) = (count(self.drawn.position()), self.drawn.per_sec(), self.unit);
            eprintln!("{done} of {of} {unit}, {rate:.0} {unit}/s, {}", self.drawn.message());
        }
    }
}

/// The bar of one run: with the curve of its returns.
pub(super) struct Progress {
    bar: Bar,
    steps: u64,
    curve: Vec<f64>,
    verbose: bool,
}

impl Progress {
    pub(super) fn new(unit: &'static str, quiet: bool, verbose: bool) -> Self {
        Self { bar: Bar::of(unit, 0, quiet), steps: 0, curve: Vec::new(), verbose }
    }

    fn detail(&self, text: &str) {
        if self.verbose {
            self.bar.drawn.suspend(|| eprintln!("{text}"));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish();
    }
}

impl Listener for Progress {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Started { steps, total } => {
                self.bar.drawn.set_length(*total);
                self.bar.skip(*steps);
                self.steps = *steps;
            }
            Event::Iteration { steps, .. } => {
                self.bar.add(steps - self.steps);
                self.steps = *steps;
            }
            Event::Evaluated { evaluation, .. } => {
                let mean = evaluation.interval().mean;
                self.curve.push(mean);
                self.bar.say(format!("return {} {}", number(mean), sparkline(&self.curve)));
                self.detail(&format!("evaluated after {} {}: {}", evaluation.steps, self.bar.unit, number(mean)));
            }
            Event::Checkpointed { steps, path } => self.detail(&format!("checkpoint after {steps} {}: {}", self.bar.unit, path.display())),
            Event::Warning(error) => self.bar.drawn.suspend(|| warn(error)),
        }
        Ok(())
    }
}

/// The course of some numbers in one line of block characters.
pub(super) fn sparkline(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let level = |value: &f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
        let index = (share * 7.0).round() as usize;
        BLOCKS[index.min(7)]
    };
    values.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_line() {
        assert_eq!(one_line("a\u{1b}[2J\nb é"), "a\\u{1b}[2J\\nb é");
    }

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([0.0, -113.27, 4.567, 0.01234, 1e9].map(number), ["0.00", "-113.3", "4.57", "0.012", "1.000e9"]);
        assert_eq!([7, 1_000, 1_234_567].map(count), ["7", "1 000", "1 234 567"]);
        assert_eq!([12, 1_500, 2_000_000].map(bytes), ["12 B", "1.5 kB", "2.0 MB"]);
        assert_eq!(sparkline(&[0.0, 7.0, 3.0]), "▁█▄");
    }
}
