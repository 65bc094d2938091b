//! A pole on a cart, as one sees it: track, cart and pole.

use crate::env::scene::{Part, Role, Scene, rectangle};

/// A cart on its track.
pub(super) struct Cart {
    /// How far the track reaches to either side.
    pub(super) limit: f64,
    /// From the joint to the pole's centre.
    pub(super) pole_length: f64,
}

impl Cart {
    /// The cart at `position` with its pole leaning by `angle` to the right; `push` between -1 and 1 is drawn as an arrow.
    pub(super) fn scene(&self, position: f64, angle: f64, push: f64) -> Scene {
        let (limit, reach) = (self.limit, 2.0 * self.pole_length);
        let joint = [position, 0.15];
        let tip = [position + reach * angle.sin(), 0.15 + reach * angle.cos()];
        let mut parts = vec![
            Part::Line { points: vec![[-limit, 0.0], [limit, 0.0]], role: Role::Ground },
            Part::Polygon { points: rectangle([position, 0.0], 0.5, 0.3), role: Role::Body },
            Part::Capsule { from: joint, to: tip, width: 0.1, role: Role::Limb },
            Part::Circle { centre: joint, radius: 0.05, role: Role::Joint },
        ];
        if push != 0.0 {
            let side = 0.25_f64.copysign(push);
            parts.extend(Part::arrow([position + side, 0.0], [position + side + 0.3 * push, 0.0], 0.04));
        }
        Scene { view: [-1.2 * limit, -0.6, 1.2 * limit, (1.2 * reach).max(1.2)], parts }
    }
}
