//! The valley that the mountain cars drive in, as one sees it: ground, car and flag.
//!
//! The height is Gymnasium's `0.45 sin(3 x) + 0.55`, of which gravity feels the slope.

use crate::env::scene::{Part, Role, Scene};

/// How many straight pieces the ground is drawn with.
const PIECES: u32 = 96;

/// A valley between two positions, with a flag at the goal.
pub(super) struct Hill {
    /// Waves of the ground, in rad/m.
    pub(super) frequency: f64,
    /// Where the ground begins.
    pub(super) left: f64,
    /// Where it ends.
    pub(super) right: f64,
    /// Where the flag stands.
    pub(super) goal: f64,
}

impl Hill {
    fn height(&self, x: f64) -> f64 {
        0.45 * (self.frequency * x).sin() + 0.55
    }

    /// The valley with a car at `position`; `push` between -1 and 1 is drawn as an arrow.
    pub(super) fn scene(&self, position: f64, push: f64) -> Scene {
        let width = self.right - self.left;
        let ground = (0..=PIECES).map(|piece| self.left + width * f64::from(piece) / f64::from(PIECES)).map(|x| [x, self.height(x)]);
        let slope = 0.45 * self.frequency * (self.frequency * position).cos();
        let (along, up) = ([1.0, slope].map(|part| part / slope.hypot(1.0)), [-slope, 1.0].map(|part| part / slope.hypot(1.0)));
        // A point of the car: so far along the ground from its middle, so far above the ground.
        let car = |x: f64, y: f64| [position + x * along[0] + y * up[0], self.height(position) + x * along[1] + y * up[1]];
        let wheel = |x: f64| Part::Circle { centre: car(x, 0.025), radius: 0.025, role: Role::Joint };
        let pole = [self.goal, self.height(self.goal)];
        let top = pole[1] + 0.2;
        let flag = vec![[self.goal, top], [self.goal + 0.1, top - 0.03], [self.goal, top - 0.06]];
        let mut parts = vec![
            Part::Line { points: ground.collect(), role: Role::Ground },
            Part::Line { points: vec![pole, [self.goal, top]], role: Role::Goal },
            Part::Polygon { points: flag, role: Role::Goal },
            Part::Polygon { points: vec![car(-0.06, 0.03), car(0.06, 0.03), car(0.06, 0.08), car(-0.06, 0.08)], role: Role::Body },
            wheel(-0.035),
            wheel(0.035),
        ];
        if push != 0.0 {
            parts.extend(Part::arrow(car(0.0, 0.055), car(0.15 * push, 0.055), 0.012));
        }
        Scene { view: [self.left - 0.1, -0.1, self.right + 0.15, 1.4], parts }
    }
}
