//! The terminal while somebody plays: taken as a whole, given back in every case.
//!
//! Drawn on stderr, since stdout is for the result. Whoever ends the program past this type's `drop` calls [`restore`]: the hook of a
//! panic, which would otherwise speak to a screen that goes away, and the second signal.

use super::grid::{Cell, Grid};
use crate::error::{Error, Kind, Result};
use anstyle::Style;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags};
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{Command, execute, terminal};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _, stderr};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, taken.
pub(super) struct Screen {
    colour: bool,
    /// What the terminal shows.
    shown: Option<Grid>,
}

impl Screen {
    /// Fails where there is no terminal to play in.
    ///
    /// # Errors
    /// Exit 2.
    pub(super) fn check() -> Result<()> {
        let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        if io::stdin().is_terminal() && stderr().is_terminal() && !dumb {
            return Ok(());
        }
        Err(Error::usage("there is no terminal to play in: keys are read from stdin, the scene is drawn on stderr")
            .hint("start it in a terminal, or record a policy: heirloom demo record POLICY ENV"))
    }

    /// Takes the terminal.
    pub(super) fn take() -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                before(panic);
            }));
        });
        TAKEN.store(true, Ordering::SeqCst);
        let screen = Self { colour: anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never, shown: None };
        // Not asked first whether it is understood: a terminal that does not answer would be waited for.
        let releases = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES | KeyboardEnhancementFlags::REPORT_EVENT_TYPES;
        let taken = terminal::enable_raw_mode()
            .and_then(|()| execute!(stderr(), EnterAlternateScreen, Hide, PushKeyboardEnhancementFlags(releases)));
        taken.map(|()| screen).map_err(|error| refused(&error))
    }

    /// Its size now, columns and rows.
    pub(super) fn size() -> [usize; 2] {
        // A size of nought is what a terminal says that does not know its own.
        let (columns, rows) = terminal::size().ok().filter(|(columns, rows)| columns * rows > 0).unwrap_or((80, 24));
        [columns, rows].map(usize::from)
    }

    /// Draws everything anew the next time: the terminal has another size.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// Draws what differs from what is shown.
    pub(super) fn draw(&mut self, grid: Grid) -> Result<()> {
        let mut text = String::new();
        ansi(&mut text, BeginSynchronizedUpdate);
        let shown = self.shown.take();
        if shown.is_none() {
            ansi(&mut text, Clear(ClearType::All));
        }
        let mut shown = shown.iter().flat_map(Grid::rows);
        for (row, cells) in (0_u16..).zip(grid.rows()) {
            self.draw_row(&mut text, row, cells, shown.next().unwrap_or(&[]));
        }
        ansi(&mut text, EndSynchronizedUpdate);
        self.shown = Some(grid);
        let mut terminal = stderr().lock();
        terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush()).map_err(|error| refused(&error))
    }

    fn draw_row(&self, text: &mut String, row: u16, cells: &[Cell], shown: &[Cell]) {
        let differs = |column: usize| cells.get(column).is_some_and(|cell| shown.get(column) != Some(cell));
        let mut style = Style::new();
        let mut behind = None;
        for (column, cell) in (0_u16..).zip(cells) {
            // Moving the cursor takes longer than some characters that are there already.
            let reach = if behind == Some(column) { 4 } else { 1 };
            if !(usize::from(column)..).take(reach).any(differs) {
                continue;
            }
            if behind != Some(column) {
                ansi(text, MoveTo(column, row));
            }
            if self.colour && cell.style != style {
                let _ = write!(text, "{}{}", style.render_reset(), cell.style.render());
                style = cell.style;
            }
            text.push(cell.glyph);
            behind = Some(column + 1);
        }
        let _ = write!(text, "{}", style.render_reset());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, if it was taken.
pub(in crate::cli) fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody to tell that it is gone.
        let _ = terminal::disable_raw_mode();
        let _ = execute!(stderr(), PopKeyboardEnhancementFlags, Show, LeaveAlternateScreen);
    }
}

fn ansi(text: &mut String, command: impl Command) {
    let _ = command.write_ansi(text);
}

/// The terminal's fault.
pub(super) fn refused(error: &io::Error) -> Error {
    Error::new(Kind::Io, format!("the terminal cannot be used: {error}"))
}
