//! How a robot is seen: every shape of its model, where its body is, in parallel projection.

use super::layout::object;
use super::simulation::Simulation;
use crate::env::scene::{Part, Role, Scene};

/// From where, and how much, in metres.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// From the side, along with the robot: x to the right, z upwards.
    Side { width: f64, bottom: f64, top: f64 },
    /// From above, along with the robot.
    Above { width: f64, height: f64 },
    /// From above, where it stands.
    Table { centre: [f64; 2], width: f64, height: f64 },
    /// From the side and above, along with the robot.
    Oblique { width: f64, height: f64 },
}

/// A view of one model.
pub(super) struct Camera {
    view: View,
    /// Direction of the picture's right, of its up, and towards the eye.
    axes: [[f64; 3]; 3],
    roles: Vec<Option<Role>>,
}

/// Corners of a box, and enough points of a round edge.
const ROUND: usize = 16;

impl Camera {
    pub(super) fn new(view: View, simulation: &Simulation) -> Self {
        let axes = match view {
            View::Side { .. } => [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]],
            View::Above { .. } | View::Table { .. } => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            View::Oblique { .. } => {
                // 30 degrees about the vertical, 25 above the ground.
                let ((s, c), (t, d)) = (30.0_f64.to_radians().sin_cos(), 25.0_f64.to_radians().sin_cos());
                [[c, s, 0.0], [-s * t, c * t, d], [s * d, -c * d, t]]
            }
        };
        let model = simulation.model();
        let role = |geom: usize| {
            let body = usize::try_from(model.geom_body()[geom]).unwrap_or(0);
            let invisible = model.geom_rgba()[4 * geom + 3] == 0.0;
            match (body, model.name(object::BODY, body, "body").as_str()) {
                _ if invisible || model.geom_type()[geom] == 0 => None,
                (0, _) => Some(Role::Ground),
                (_, "goal" | "target") => Some(Role::Goal),
                (1, _) => Some(Role::Body),
                _ => Some(Role::Limb),
            }
        };
        Self { view, axes, roles: (0..model.sizes().geoms).map(role).collect() }
    }

    fn project(&self, point: [f64; 3]) -> [f64; 2] {
        [dot(self.axes[0], point), dot(self.axes[1], point)]
    }

    /// What is seen now.
    pub(super) fn scene(&self, simulation: &Simulation) -> Scene {
        let view = self.frame(simulation);
        let mut shapes: Vec<(f64, Part)> = Vec::new();
        for (geom, role) in self.roles.iter().enumerate() {
            if let Some(role) = role {
                shapes.push((dot(self.axes[2], simulation.geom_position(geom)), self.shape(simulation, geom, *role)));
            }
        }
        // Far ones first; goals before all, so that they are not hidden.
        shapes.sort_by(|(one, _), (two, _)| one.total_cmp(two));
        let mut parts = self.ground(view);
        parts.extend(shapes.into_iter().map(|(_, part)| part));
        Scene { view, parts }
    }

    fn frame(&self, simulation: &Simulation) -> [f64; 4] {
        let at = simulation.body_position(1);
        match self.view {
            View::Side { width, bottom, top } => [at[0] - width / 2.0, bottom, at[0] + width / 2.0, top],
            View::Table { centre: [x, y], width, height } => [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0],
            View::Above { width, height } | View::Oblique { width, height } => {
                let [x, y] = self.project(at);
                [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
            }
        }
    }

    /// The ground with a mark at every metre, so that one sees how far the robot came.
    fn ground(&self, [left, bottom, right, top]: [f64; 4]) -> Vec<Part> {
        let line = |points: Vec<[f64; 2]>| Part::Line { points, role: Role::Ground };
        let metres = |from: f64, to: f64| std::iter::successors(Some(from.ceil()), |x| Some(x + 1.0)).take_while(move |x| *x <= to);
        match self.view {
            View::Side { .. } => {
                let marks = metres(left, right).map(|x| line(vec![[x, 0.0], [x, -0.12]]));
                std::iter::once(line(vec![[left, 0.0], [right, 0.0]])).chain(marks).collect()
            }
            View::Above { .. } => {
                let upright = metres(left, right).map(|x| line(vec![[x, bottom], [x, top]]));
                upright.chain(metres(bottom, top).map(|y| line(vec![[left, y], [right, y]]))).collect()
            }
            View::Table { .. } => Vec::new(),
            View::Oblique { .. } => {
                // The middle of the picture, put down on the ground; around it a grid of nine by nine metres.
                let (u, v) = (left.midpoint(right), bottom.midpoint(top));
                let [[a, b, _], [c, d, _], _] = self.axes;
                let determinant = a * d - b * c;
                let (x, y) = ((u * d - b * v) / determinant, (a * v - c * u) / determinant);
                let flat = |x: f64, y: f64| self.project([x, y, 0.0]);
                let near = |at: f64| metres(at - 4.0, at + 4.0);
                let along = near(y).map(|row| line(vec![flat(x - 4.0, row), flat(x + 4.0, row)]));
                along.chain(near(x).map(|column| line(vec![flat(column, y - 4.0), flat(column, y + 4.0)]))).collect()
            }
        }
    }

    fn shape(&self, simulation: &Simulation, geom: usize, role: Role) -> Part {
        let (at, rotation) = (simulation.geom_position(geom), simulation.geom_rotation(geom));
        let model = simulation.model();
        let [a, b, c] = [0, 1, 2].map(|axis| model.geom_size()[3 * geom + axis]);
        // A point of the shape's own frame in the world, then in the picture.
        let world = |[x, y, z]: [f64; 3]| {
            std::array::from_fn(|row| at[row] + rotation[3 * row] * x + rotation[3 * row + 1] * y + rotation[3 * row + 2] * z)
        };
        let seen = |point: [f64; 3]| self.project(world(point));
        let ring = |radii: [f64; 2], height: f64| {
            (0..ROUND).map(move |step| {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let (sin, cos) = (std::f64::consts::TAU * step as f64 / ROUND as f64).sin_cos();
                [radii[0] * cos, radii[1] * sin, height]
            })
        };
        let hull = |points: Vec<[f64; 2]>| Part::Polygon { points: convex_hull(points), role };
        match model.geom_type()[geom] {
            2 => Part::Circle { centre: self.project(at), radius: a, role },
            3 => Part::Capsule { from: seen([0.0, 0.0, -b]), to: seen([0.0, 0.0, b]), width: 2.0 * a, role },
            4 => {
                let layers = [-0.9_f64, -0.5, 0.0, 0.5, 0.9].into_iter().flat_map(|height| {
                    let share = (1.0 - height * height).sqrt();
                    ring([a * share, b * share], c * height)
                });
                hull(layers.map(seen).collect())
            }
            5 => hull(ring([a, a], -b).chain(ring([a, a], b)).map(seen).collect()),
            7 => hull(model.geom_mesh(geom).chunks_exact(3).map(|corner| seen([corner[0], corner[1], corner[2]].map(f64::from))).collect()),
            _ => hull(
                (0..8)
                    .map(|corner| {
                        seen([
                            if corner & 1 == 0 { a } else { -a },
                            if corner & 2 == 0 { b } else { -b },
                            if corner & 4 == 0 { c } else { -c },
                        ])
                    })
                    .collect(),
            ),
        }
    }
}

fn dot(one: [f64; 3], two: [f64; 3]) -> f64 {
    one[0] * two[0] + one[1] * two[1] + one[2] * two[2]
}

/// The smallest convex polygon around the points (Andrew 1979, monotone chain).
fn convex_hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|one, two| one[0].total_cmp(&two[0]).then(one[1].total_cmp(&two[1])));
    let turns_left = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0.0;
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut hull: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while hull.len() >= 2 && !turns_left(hull[hull.len() - 2], hull[hull.len() - 1], point) {
                hull.pop();
            }
            hull.push(point);
        }
        hull.pop();
        hull
    };
    let mut hull = chain(&mut points.iter().copied());
    hull.extend(chain(&mut points.iter().rev().copied()));
    hull
}

#[cfg(test)]
mod tests {
    use super::convex_hull;

    #[test]
    fn a_hull_keeps_the_corners_and_drops_what_is_inside() {
        let corners = [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]];
        let inside = [[1.0, 0.5], [0.5, 0.25], [1.0, 0.0]];
        assert_eq!(convex_hull([&corners[..], &inside].concat()), corners);
        assert!(convex_hull(vec![[1.0, 1.0]]).is_empty());
    }
}
