//! What there is to see, as data: shapes and poses that a page, a picture or a terminal draws in its own way.

use serde::Serialize;

/// Shapes in metres, x to the right, y upwards.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scene {
    /// The part of the world to show: left, bottom, right, top.
    pub view: [f64; 4],
    /// Back to front.
    pub parts: Vec<Part>,
}

/// One shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Part {
    /// A disc.
    Circle {
        /// Its centre.
        centre: [f64; 2],
        /// Its radius.
        radius: f64,
        /// What it stands for.
        role: Role,
    },
    /// A thick line with round ends: a link, a pole.
    Capsule {
        /// One end.
        from: [f64; 2],
        /// The other end.
        to: [f64; 2],
        /// Its thickness.
        width: f64,
        /// What it stands for.
        role: Role,
    },
    /// A filled polygon: a cart, a flag.
    Polygon {
        /// Its corners.
        points: Vec<[f64; 2]>,
        /// What it stands for.
        role: Role,
    },
    /// A thin line: ground, track.
    Line {
        /// Its points.
        points: Vec<[f64; 2]>,
        /// What it stands for.
        role: Role,
    },
}

impl Part {
    /// A force from its point of attack to where it points: shaft and head.
    #[must_use]
    pub fn arrow(from: [f64; 2], to: [f64; 2], width: f64) -> [Self; 2] {
        let [along_x, along_y] = [to[0] - from[0], to[1] - from[1]];
        let length = along_x.hypot(along_y).max(f64::MIN_POSITIVE);
        let [x, y] = [along_x / length * 2.0 * width, along_y / length * 2.0 * width];
        let head = vec![[to[0] + x, to[1] + y], [to[0] - y, to[1] + x], [to[0] + y, to[1] - x]];
        [Self::Capsule { from, to, width, role: Role::Force }, Self::Polygon { points: head, role: Role::Force }]
    }
}

/// What a shape stands for, so that whoever draws picks the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What moves.
    Body,
    /// A second moving thing, told apart from the first.
    Limb,
    /// Where things turn.
    Joint,
    /// Ground, rail, track.
    Ground,
    /// Where to go.
    Goal,
    /// The force that acts.
    Force,
}

/// The corners of a rectangle around `centre`.
#[must_use]
pub fn rectangle(centre: [f64; 2], width: f64, height: f64) -> Vec<[f64; 2]> {
    [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(x, y)| [centre[0] + x * width, centre[1] + y * height]).to_vec()
}
