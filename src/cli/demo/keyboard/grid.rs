//! A screenful of characters, each with its style.

use anstyle::Style;

/// One character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub(super) glyph: char,
    pub(super) style: Style,
}

/// What a screen is to show.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    columns: usize,
    cells: Vec<Cell>,
}

impl Grid {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, cells: vec![Cell { glyph: ' ', style: Style::new() }; columns * rows] }
    }

    /// The rows, from above.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.columns.max(1))
    }

    /// Sets a character; outside there is nothing to be set.
    pub(super) fn set(&mut self, column: usize, row: usize, glyph: char, style: Style) {
        if column < self.columns
            && let Some(cell) = self.cells.get_mut(row * self.columns + column)
        {
            // Names come from files: nothing in them may move the cursor.
            *cell = Cell { glyph: if glyph.is_control() { ' ' } else { glyph }, style };
        }
    }

    /// Writes a text; gives the column behind it.
    pub(super) fn write(&mut self, column: usize, row: usize, text: &str, style: Style) -> usize {
        let mut at = column;
        for glyph in text.chars() {
            self.set(at, row, glyph, style);
            at += 1;
        }
        at
    }

    /// Writes a text in the middle of a row.
    pub(super) fn write_centred(&mut self, row: usize, text: &str, style: Style) {
        let column = self.columns.saturating_sub(text.chars().count()) / 2;
        self.write(column, row, text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut() {
        let mut grid = Grid::new(4, 2);
        assert_eq!(grid.write(2, 0, "long\u{1b}", Style::new()), 7);
        grid.write_centred(1, "ab", Style::new());
        grid.write(0, 9, "below", Style::new());
        let text = |row: &[Cell]| row.iter().map(|cell| cell.glyph).collect::<String>();
        assert_eq!(grid.rows().map(text).collect::<Vec<_>>(), ["  lo", " ab "]);
    }
}
