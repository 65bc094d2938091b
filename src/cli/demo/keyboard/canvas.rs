//! A scene in Braille characters: each is a cell of two by four dots, so that a terminal of 80 by 24 draws 160 by 96.
//!
//! A cell has one colour, that of the foremost shape in it. Shapes with an area stand in a thin empty rim, so that a pole is seen in
//! front of its cart where there are no colours.

use crate::env::{Part, Role, Scene};

/// Dots of a cell, across and down.
const DOTS: [usize; 2] = [2, 4];
/// The bit of each dot in a Braille character, by row and column.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Half the thickness of the thinnest stroke that is seen everywhere.
const HAIR: f64 = 0.5;
/// The empty rim around a shape.
const RIM: f64 = 1.2;

/// A point, in dots from the upper left corner.
type Point = [f64; 2];

/// A picture of so many cells.
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<(u8, Role)>,
}

impl Canvas {
    /// Draws a scene as large as it fits, in the middle.
    pub(super) fn of(scene: &Scene, columns: usize, rows: usize) -> Self {
        let mut canvas = Self { columns, rows, cells: vec![(0, Role::Ground); columns * rows] };
        let [left, bottom, right, top] = scene.view;
        let [width, height] = canvas.size();
        let scale = (width / (right - left)).min(height / (top - bottom));
        let place = |[x, y]: [f64; 2]| {
            [width / 2.0 + (x - f64::midpoint(left, right)) * scale, height / 2.0 - (y - f64::midpoint(bottom, top)) * scale]
        };
        for part in &scene.parts {
            canvas.draw(part, scale, place);
        }
        canvas
    }

    /// The character of a cell and what it shows; nothing where the cell is empty.
    pub(super) fn cell(&self, column: usize, row: usize) -> Option<(char, Role)> {
        let (dots, role) = self.cells[row * self.columns + column];
        let glyph = char::from_u32(0x2800 + u32::from(dots)).filter(|_| dots != 0)?;
        Some((glyph, role))
    }

    /// In dots.
    #[expect(clippy::cast_precision_loss, reason = "a terminal's size")]
    fn size(&self) -> Point {
        [(self.columns * DOTS[0]) as f64, (self.rows * DOTS[1]) as f64]
    }

    fn draw(&mut self, part: &Part, scale: f64, place: impl Fn([f64; 2]) -> Point) {
        match part {
            Part::Circle { centre, radius, role } => {
                let (centre, radius) = (place(*centre), (radius * scale).max(HAIR));
                self.fill(&[centre], radius, *role, |dot| length(between(centre, dot)) - radius);
            }
            Part::Capsule { from, to, width, role } => {
                let (from, to, radius) = (place(*from), place(*to), (width * scale / 2.0).max(HAIR));
                self.fill(&[from, to], radius, *role, |dot| to_segment(dot, from, to) - radius);
            }
            Part::Polygon { points, role } => {
                let corners: Vec<Point> = points.iter().map(|point| place(*point)).collect();
                self.fill(&corners, HAIR, *role, |dot| if encloses(&corners, dot) { 0.0 } else { to_edges(dot, &corners) - HAIR });
            }
            Part::Line { points, role } => {
                for pair in points.windows(2) {
                    let (from, to) = (place(pair[0]), place(pair[1]));
                    self.dots(&[from, to], HAIR, |dot, cell, bit| {
                        if to_segment(dot, from, to) <= HAIR {
                            *cell = (cell.0 | bit, *role);
                        }
                    });
                }
            }
        }
    }

    /// Sets the dots that are no further than nought, and empties those of a rim around them.
    fn fill(&mut self, points: &[Point], reach: f64, role: Role, distance: impl Fn(Point) -> f64) {
        self.dots(points, reach + RIM, |dot, cell, bit| {
            let distance = distance(dot);
            if distance <= 0.0 {
                *cell = (cell.0 | bit, role);
            } else if distance <= RIM {
                cell.0 &= !bit;
            }
        });
    }

    /// Visits every dot within `reach` of the box around some points: its middle, its cell, its bit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "clamped to the canvas")]
    fn dots(&mut self, points: &[Point], reach: f64, mut visit: impl FnMut(Point, &mut (u8, Role), u8)) {
        if points.iter().flatten().any(|number| !number.is_finite()) {
            return;
        }
        let size = self.size();
        let range = |axis: usize| {
            let low = points.iter().map(|point| point[axis]).fold(f64::INFINITY, f64::min) - reach;
            let high = points.iter().map(|point| point[axis]).fold(f64::NEG_INFINITY, f64::max) + reach;
            low.clamp(0.0, size[axis]).floor() as usize..high.clamp(0.0, size[axis]).ceil() as usize
        };
        let (across, down) = (range(0), range(1));
        for y in down {
            for x in across.clone() {
                let cell = &mut self.cells[y / DOTS[1] * self.columns + x / DOTS[0]];
                visit([x as f64 + 0.5, y as f64 + 0.5], cell, BITS[y % DOTS[1]][x % DOTS[0]]);
            }
        }
    }
}

fn between(from: Point, to: Point) -> Point {
    [to[0] - from[0], to[1] - from[1]]
}

fn length([x, y]: Point) -> f64 {
    x.hypot(y)
}

fn to_segment(dot: Point, from: Point, to: Point) -> f64 {
    let ([along_x, along_y], [x, y]) = (between(from, to), between(from, dot));
    let square = along_x * along_x + along_y * along_y;
    let share = if square > 0.0 { ((x * along_x + y * along_y) / square).clamp(0.0, 1.0) } else { 0.0 };
    length([x - share * along_x, y - share * along_y])
}

fn edges(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    corners.iter().copied().zip(corners.iter().copied().cycle().skip(1))
}

fn to_edges(dot: Point, corners: &[Point]) -> f64 {
    edges(corners).map(|(from, to)| to_segment(dot, from, to)).fold(f64::INFINITY, f64::min)
}

/// Whether a ray from the dot meets an odd number of edges.
fn encloses(corners: &[Point], [x, y]: Point) -> bool {
    let met = edges(corners)
        .filter(|(from, to)| (from[1] > y) != (to[1] > y) && x < from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
    met.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Registry;
    use crate::env::scene::rectangle;
    use crate::seed::Stream;

    fn text(canvas: &Canvas) -> String {
        let glyph = |column, row| canvas.cell(column, row).map_or(' ', |(glyph, _)| glyph);
        let line = |row| (0..canvas.columns).map(|column| glyph(column, row)).collect::<String>().trim_end().to_owned();
        (0..canvas.rows).map(|row| line(row) + "\n").collect()
    }

    #[test]
    fn the_foremost_shape_has_the_cell() {
        let ground = Part::Polygon { points: rectangle([2.0, 2.0], 4.0, 4.0), role: Role::Ground };
        let ball = Part::Circle { centre: [1.0, 3.0], radius: 1.0, role: Role::Body };
        let canvas = Canvas::of(&Scene { view: [0.0, 0.0, 4.0, 4.0], parts: vec![ground, ball] }, 4, 2);
        assert_eq!(canvas.cell(0, 0).map(|(_, role)| role), Some(Role::Body));
        assert_eq!(canvas.cell(3, 1), Some(('⣿', Role::Ground)));
    }

    #[test]
    fn what_lies_outside_or_is_no_number_is_not_drawn() {
        let line = |to| Part::Line { points: vec![[0.0, 0.0], to], role: Role::Goal };
        for to in [[f64::NAN, 0.0], [f64::INFINITY, 1.0]] {
            assert_eq!(text(&Canvas::of(&Scene { view: [0.0, 0.0, 1.0, 1.0], parts: vec![line(to)] }, 3, 1)), "\n");
        }
        let far = Part::Circle { centre: [1e300, -1e300], radius: 1.0, role: Role::Body };
        assert_eq!(text(&Canvas::of(&Scene { view: [0.0, 0.0, 1.0, 1.0], parts: vec![far] }, 3, 1)), "\n");
        for view in [[0.0; 4], [f64::NAN; 4], [1.0, 1.0, -1.0, -1.0]] {
            let _ = Canvas::of(&Scene { view, parts: vec![line([1.0, 1.0])] }, 3, 1);
        }
        let _ = Canvas::of(&Scene { view: [0.0, 0.0, 1.0, 1.0], parts: vec![line([1.0, 1.0])] }, 0, 0);
    }

    #[test]
    fn the_classic_tasks_are_to_be_recognised() {
        let registry = Registry::standard();
        let drawn = ["cartpole", "mountain_car", "acrobot", "pendulum"].map(|name| {
            let mut env = registry.build(&registry.resolve(name).unwrap()).unwrap();
            let mut observation = vec![0.0; env.spaces().observation.len()];
            env.reset(&mut Stream::Env(0).under(0), &mut observation).unwrap();
            text(&Canvas::of(&env.scene(), 48, 12))
        });
        insta::assert_snapshot!(drawn.join("---\n"));
    }
}
