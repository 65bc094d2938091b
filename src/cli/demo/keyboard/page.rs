//! What a player sees: the scene, how the episode stands, what is being done, which keys there are.

use super::canvas::Canvas;
use super::grid::Grid;
use super::keys::{Keys, bounds};
use crate::cli::terminal::number;
use crate::env::{Action, ActionSpace, Channel, Role, Scene};
use anstyle::{AnsiColor, Style};

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const TAKEN: Style = AnsiColor::Red.on_default().bold();
/// Rows that are not the scene's: the title above; how it stands, the action and the keys below.
const MARGIN: usize = 4;
/// Characters of a lever.
const LEVER: usize = 17;

/// What is on a page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) about: &'a str,
    pub(super) scene: &'a Scene,
    /// How the episode stands.
    pub(super) status: &'a str,
    pub(super) keys: &'a Keys,
    /// What is said while nothing moves.
    pub(super) notice: &'a [String],
}

impl Page<'_> {
    /// Lays it out.
    pub(super) fn lay_out(&self, columns: usize, rows: usize) -> Grid {
        let mut grid = Grid::new(columns, rows);
        let behind = grid.write(1, 0, self.title, BOLD);
        grid.write(behind + 2, 0, &shortened(self.about, columns.saturating_sub(behind + 3)), FAINT);
        let canvas_rows = rows.saturating_sub(MARGIN);
        let canvas = Canvas::of(self.scene, columns, canvas_rows);
        for row in 0..canvas_rows {
            for column in 0..columns {
                if let Some((glyph, role)) = canvas.cell(column, row) {
                    grid.set(column, 1 + row, glyph, colour(role));
                }
            }
        }
        let below = 1 + canvas_rows;
        grid.write(1, below, self.status, PLAIN);
        show_action(self.keys, &mut grid, below + 1);
        grid.write(1, below + 2, &self.keys.help(), FAINT);
        for (row, line) in (2..).zip(self.notice) {
            grid.write_centred(row, &format!("  {line}  "), BOLD);
        }
        grid
    }
}

fn colour(role: Role) -> Style {
    let colour = match role {
        Role::Body => AnsiColor::BrightBlue,
        Role::Limb => AnsiColor::Yellow,
        Role::Joint => AnsiColor::White,
        Role::Ground => AnsiColor::BrightBlack,
        Role::Goal => AnsiColor::Green,
        Role::Force => AnsiColor::Red,
    };
    colour.on_default()
}

/// A text that fits so many columns.
fn shortened(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns { text.to_owned() } else { text.chars().take(columns.saturating_sub(1)).chain(['…']).collect() }
}

/// The names of all actions with the one that was taken in brackets, or every lever where it stands.
fn show_action(keys: &Keys, grid: &mut Grid, row: usize) {
    let mut at = 1;
    match (keys.space(), keys.action()) {
        (ActionSpace::Discrete(names), Action::Discrete(taken)) => {
            for (index, name) in names.iter().enumerate() {
                let (text, style) = if index == taken { (format!("[{name}]"), TAKEN) } else { (format!(" {name} "), FAINT) };
                at = 1 + grid.write(at, row, &text, style);
            }
        }
        (ActionSpace::Continuous(channels), Action::Continuous(values)) => {
            for (channel, value) in channels.iter().zip(values) {
                at = 1 + grid.write(at, row, &channel.name, PLAIN);
                let mark = at + position(channel, *value);
                at = 1 + grid.write(at, row, &"─".repeat(LEVER), FAINT);
                grid.set(mark, row, '●', TAKEN);
                at = 3 + grid.write(at, row, &format!("{:<6}", number(*value)), PLAIN);
            }
        }
        _ => {}
    }
}

/// Where a value stands on its lever.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "within the lever")]
fn position(channel: &Channel, value: f64) -> usize {
    let [low, high] = bounds(channel);
    let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
    (share * (LEVER - 1) as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Part, scene::rectangle};

    fn text(grid: &Grid) -> String {
        grid.rows().map(|row| row.iter().map(|cell| cell.glyph).collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn a_page_of_levers() {
        let space = ActionSpace::Continuous(vec![Channel::new("push", -1.0, 1.0), Channel::unbounded("turn")]);
        let mut keys = Keys::new(space, 4).unwrap();
        keys.hear(crossterm::event::KeyCode::Right.into());
        keys.act();
        let scene =
            Scene { view: [0.0, 0.0, 4.0, 1.0], parts: vec![Part::Polygon { points: rectangle([2.0, 0.5], 2.0, 0.5), role: Role::Body }] };
        let notice = ["Episode 2 of 5: press a key".to_owned()];
        let page = Page { title: "cart", about: "Push it", scene: &scene, status: "step 1", keys: &keys, notice: &notice };
        insta::assert_snapshot!(text(&page.lay_out(60, 10)));
        for (columns, rows) in [(0, 0), (1, 1), (3, 2), (500, 3)] {
            page.lay_out(columns, rows);
        }
    }
}
