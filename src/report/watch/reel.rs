//! A film as the page's script plays it: places in the units of the drawing, rounded to what a screen shows; what stands still, once.

use crate::env::{ActionSpace, Part, Role};
use crate::rollout::Film;
use crate::rollout::film::{Episode, Frame};
use serde_json::{Value, json};

/// Width of the drawing; about two units for each pixel of a screen.
const WIDTH: f64 = 2000.0;
/// Least and greatest height.
const HEIGHT: [f64; 2] = [500.0, 1600.0];
/// Channels that are plotted; more do not help anybody.
const MOST_CHANNELS: usize = 32;
/// Time of a frame where nobody says: Gymnasium's usual 50 frames a second.
const SECONDS_PER_STEP: f64 = 0.02;

/// `{size, seconds, channels, actions, discrete, episodes: [{layouts, frames, observations, actions, rewards}]}`. A frame is the index of
/// its layout (shapes and roles, back to front) and each part's numbers, or 0 where the part is as in the frame before.
pub(super) fn reel(film: &Film, seconds_per_step: Option<f64>) -> Value {
    let view = film.episodes.first().and_then(|episode| episode.frames.first()).map_or([0.0; 4], |frame| frame.scene.view);
    let size = size(view);
    let channels = film.spaces.observation.iter().take(MOST_CHANNELS).map(|channel| channel.name.as_str());
    json!({
        "size": size,
        "seconds": seconds_per_step.filter(|seconds| seconds.is_finite() && *seconds > 0.0).unwrap_or(SECONDS_PER_STEP),
        "channels": channels.collect::<Vec<_>>(),
        "more": film.spaces.observation.len().saturating_sub(MOST_CHANNELS),
        "actions": film.spaces.action.names(),
        "discrete": matches!(film.spaces.action, ActionSpace::Discrete(_)),
        "episodes": film.episodes.iter().map(|episode| self::episode(episode, size)).collect::<Vec<_>>(),
    })
}

fn episode(episode: &Episode, size: [f64; 2]) -> Value {
    let mut layouts: Vec<Value> = Vec::new();
    let mut before: Option<(usize, Vec<Vec<i64>>)> = None;
    let mut frames = Vec::with_capacity(episode.frames.len());
    for frame in &episode.frames {
        let camera = Camera::new(frame.scene.view, size);
        let (names, parts): (Vec<Value>, Vec<Vec<i64>>) = frame.scene.parts.iter().map(|part| camera.part(part)).unzip();
        let names = Value::from(names);
        let layout = layouts.iter().position(|known| *known == names).unwrap_or_else(|| {
            layouts.push(names);
            layouts.len() - 1
        });
        let still = |index: usize| before.as_ref().is_some_and(|(known, drawn)| *known == layout && drawn[index] == parts[index]);
        let mut entry = vec![json!(layout)];
        entry.extend(parts.iter().enumerate().map(|(index, part)| if still(index) { json!(0) } else { json!(part) }));
        frames.push(Value::from(entry));
        before = Some((layout, parts));
    }
    let channel = |index: usize| episode.frames.iter().map(|frame: &Frame| short(frame.observation[index])).collect::<Vec<_>>();
    let channels = episode.frames.first().map_or(0, |frame| frame.observation.len().min(MOST_CHANNELS));
    let widths = episode.actions.first().map_or(0, Vec::len).min(MOST_CHANNELS);
    json!({
        "layouts": layouts,
        "frames": frames,
        "observations": (0..channels).map(channel).collect::<Vec<_>>(),
        "actions": (0..widths).map(|index| episode.actions.iter().map(|action| short(action[index])).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "rewards": episode.rewards.iter().map(|reward| short(*reward)).collect::<Vec<_>>(),
    })
}

/// Five digits: more than a plot shows, fewer than a state has.
fn short(value: f64) -> Value {
    let rounded: f64 = format!("{value:.4e}").parse().unwrap_or(0.0);
    // Whole numbers without their point.
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 { json!(rounded as i64) } else { json!(rounded) }
}

fn size([left, bottom, right, top]: [f64; 4]) -> [f64; 2] {
    let height = WIDTH * (top - bottom) / (right - left);
    [WIDTH, if height.is_finite() && height > 0.0 { height.clamp(HEIGHT[0], HEIGHT[1]).round() } else { WIDTH / 2.0 }]
}

/// From metres, y upwards, to the drawing's units, y downwards: as large as fits, in the middle.
struct Camera {
    scale: f64,
    origin: [f64; 2],
}

impl Camera {
    fn new([left, bottom, right, top]: [f64; 4], [width, height]: [f64; 2]) -> Self {
        let sound = left < right && bottom < top && (right - left).is_finite() && (top - bottom).is_finite();
        let [left, bottom, right, top] = if sound { [left, bottom, right, top] } else { [-1.0, -1.0, 1.0, 1.0] };
        let scale = (width / (right - left)).min(height / (top - bottom));
        let margin = [(width - scale * (right - left)) / 2.0, (height - scale * (top - bottom)) / 2.0];
        Self { scale, origin: [margin[0] - scale * left, margin[1] + scale * top] }
    }

    fn point(&self, [x, y]: [f64; 2]) -> [i64; 2] {
        [whole(self.origin[0] + self.scale * x), whole(self.origin[1] - self.scale * y)]
    }

    fn length(&self, length: f64) -> i64 {
        whole(self.scale * length)
    }

    /// What a part is, and its numbers.
    fn part(&self, part: &Part) -> (Value, Vec<i64>) {
        match part {
            Part::Circle { centre, radius, role } => {
                let [x, y] = self.point(*centre);
                (named("circle", *role), vec![x, y, self.length(*radius)])
            }
            Part::Capsule { from, to, width, role } => {
                let numbers = [self.point(*from), self.point(*to)].concat();
                (named("capsule", *role), [numbers, vec![self.length(*width).max(1)]].concat())
            }
            Part::Polygon { points, role } => (named("polygon", *role), points.iter().flat_map(|point| self.point(*point)).collect()),
            Part::Line { points, role } => (named("line", *role), points.iter().flat_map(|point| self.point(*point)).collect()),
        }
    }
}

fn named(shape: &str, role: Role) -> Value {
    json!([shape, role])
}

#[expect(clippy::cast_possible_truncation, reason = "a place on the paper or near it")]
fn whole(value: f64) -> i64 {
    value.clamp(-1e5, 1e5).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Channel, Scene, Spaces};

    fn frame(x: f64) -> Frame {
        let parts = vec![
            Part::Line { points: vec![[-1.0, 0.0], [1.0, 0.0]], role: Role::Ground },
            Part::Circle { centre: [x, 0.5], radius: 0.1, role: Role::Body },
        ];
        Frame { scene: Scene { view: [-1.0, 0.0, 1.0, 1.0], parts }, observation: vec![x, 1.0 / 3.0] }
    }

    fn film() -> Film {
        let spaces = Spaces {
            observation: vec![Channel::unbounded("x"), Channel::unbounded("third")],
            action: ActionSpace::Discrete(vec!["left".into(), "right".into()]),
        };
        let (frames, actions) = (vec![frame(0.0), frame(0.5)], vec![vec![1.0]]);
        let episode = Episode { number: 0, frames, actions, rewards: vec![1.0], terminated: true, truncated: false };
        Film { spaces, episodes: vec![episode] }
    }

    #[test]
    fn a_reel_is_this_json() {
        let expected = r#"{"actions":["left","right"],"channels":["x","third"],"discrete":true,"episodes":[{"actions":[[1]],"frames":[[0,[0,1000,2000,1000],[1000,500,100]],[0,0,[1500,500,100]]],"layouts":[[["line","ground"],["circle","body"]]],"observations":[[0,0.5],[0.33333,0.33333]],"rewards":[1]}],"more":0,"seconds":0.02,"size":[2000.0,1000.0]}"#;
        assert_eq!(reel(&film(), None).to_string(), expected);
    }

    #[test]
    fn a_part_that_comes_and_goes_makes_a_layout_of_its_own() {
        let mut film = film();
        film.episodes[0].frames[1].scene.parts.pop();
        let reel = reel(&film, Some(0.05));
        assert_eq!(reel["episodes"][0]["frames"][1].to_string(), "[1,[0,1000,2000,1000]]");
        assert_eq!(reel["seconds"], 0.05);
    }

    #[test]
    fn views_that_are_none_are_survived() {
        for view in [[0.0; 4], [f64::NAN; 4], [1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 1e-9, 1e9]] {
            let mut film = film();
            film.episodes[0].frames.iter_mut().for_each(|frame| frame.scene.view = view);
            film.episodes[0].frames[0].scene.parts.push(Part::Circle {
                centre: [f64::NAN, 1e300],
                radius: f64::INFINITY,
                role: Role::Goal,
            });
            assert!(!reel(&film, Some(f64::NAN)).to_string().contains("null"), "{view:?}");
        }
        assert_eq!(size([-3.0, -0.6, 3.0, 1.2]), [2000.0, 600.0]);
    }
}
