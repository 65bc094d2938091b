//! From keys to actions.
//!
//! A discrete action is taken while its key is down. A continuous value is a lever with a spring: a key that is down pulls it towards a
//! bound, otherwise it goes back to rest. Most terminals do not tell when a key is released: there a press counts for some steps, and
//! the keyboard's repetition renews it. A terminal that does tell (kitty's protocol) shows it by the first release.

use crate::env::{Action, ActionSpace, Channel};
use crate::error::{Error, Result};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a person wants, beside acting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To hold on.
    Pause,
    /// To begin this episode once more.
    Again,
    /// To end.
    Quit,
    /// To end, as Ctrl-C does.
    Interrupt,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pull {
    /// Takes a discrete action.
    Take(usize),
    /// Pulls a channel's value down (-1) or up (1).
    Lever(usize, f64),
    /// Brings everything to rest.
    Rest,
}

/// A key that is down, or counts as if it were.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Down {
    pull: Pull,
    /// For so many steps more, where releases are not told.
    steps: usize,
}

/// The levers' keys: down, up.
const LEVERS: [[char; 2]; 6] = [['a', 'd'], ['s', 'w'], ['j', 'l'], ['k', 'i'], ['f', 'h'], ['g', 't']];
/// Names of an action that does nothing.
const IDLE: [&str; 2] = ["idle", "noop"];

/// The keys that are down, and what follows from them.
pub(super) struct Keys {
    space: ActionSpace,
    /// The latest last.
    down: Vec<Down>,
    /// The terminal tells when a key is released.
    releases: bool,
    /// How many steps a press counts for otherwise; a lever gets from rest to its bound in as many.
    hold: usize,
    /// The discrete action that was taken last.
    taken: usize,
    /// `[A]`: the levers.
    values: Vec<f64>,
}

impl Keys {
    /// Keys for these actions.
    ///
    /// # Errors
    /// When there are more actions than keys.
    pub(super) fn new(space: ActionSpace, hold: usize) -> Result<Self> {
        let most = if matches!(space, ActionSpace::Discrete(_)) { 10 } else { LEVERS.len() };
        if space.size() > most {
            return Err(Error::usage(format!("the keyboard has keys for {most} actions, this environment takes {}", space.size()))
                .hint("record a policy instead: heirloom demo record POLICY ENV"));
        }
        let mut keys = Self { space, down: Vec::new(), releases: false, hold: hold.max(1), taken: 0, values: Vec::new() };
        keys.rest();
        Ok(keys)
    }

    /// Nothing is down and nothing was done yet, as at the beginning of an episode.
    pub(super) fn rest(&mut self) {
        self.down.clear();
        self.taken = self.idle().unwrap_or(0);
        self.values = self.channels().iter().map(at_rest).collect();
    }

    /// Hears of a key.
    pub(super) fn hear(&mut self, event: KeyEvent) -> Option<Wish> {
        let code = match event.code {
            KeyCode::Char(letter) => KeyCode::Char(letter.to_ascii_lowercase()),
            other => other,
        };
        let pressed = event.kind != KeyEventKind::Release;
        self.releases |= !pressed;
        if event.modifiers.contains(KeyModifiers::CONTROL) {
            return (pressed && code == KeyCode::Char('c')).then_some(Wish::Interrupt);
        }
        if let Some(pull) = self.pull(code) {
            self.down.retain(|down| down.pull != pull);
            match pull {
                Pull::Rest if pressed => self.rest(),
                pull if pressed => self.down.push(Down { pull, steps: self.hold }),
                _ => {}
            }
            return None;
        }
        match code {
            KeyCode::Char('p') => Some(Wish::Pause),
            KeyCode::Char('r') => Some(Wish::Again),
            KeyCode::Char('q') | KeyCode::Esc => Some(Wish::Quit),
            _ => None,
        }
        .filter(|_| event.kind == KeyEventKind::Press)
    }

    /// The action of the next step.
    pub(super) fn act(&mut self) -> Action<'_> {
        let taken = self.down.iter().rev().find_map(|down| if let Pull::Take(index) = down.pull { Some(index) } else { None });
        self.taken = taken.or(self.idle()).unwrap_or(self.taken);
        for index in 0..self.values.len() {
            self.values[index] = self.moved(index);
        }
        if !self.releases {
            self.down.iter_mut().for_each(|down| down.steps -= 1);
            self.down.retain(|down| down.steps > 0);
        }
        self.action()
    }

    /// The action of the last step.
    pub(super) fn action(&self) -> Action<'_> {
        match self.space {
            ActionSpace::Discrete(_) => Action::Discrete(self.taken),
            ActionSpace::Continuous(_) => Action::Continuous(&self.values),
        }
    }

    /// What there are keys for.
    pub(super) const fn space(&self) -> &ActionSpace {
        &self.space
    }

    /// Which key does what, in one line.
    pub(super) fn help(&self) -> String {
        let acting = match &self.space {
            ActionSpace::Discrete(names) => {
                let key = |index: usize| match index {
                    0 => "←".to_owned(),
                    index if index + 1 == names.len() => "→".to_owned(),
                    index if Some(index) == self.idle() => "↓".to_owned(),
                    index => ((index + 1) % 10).to_string(),
                };
                names.iter().enumerate().map(|(index, name)| format!("{} {name}", key(index))).collect::<Vec<_>>().join("   ")
            }
            ActionSpace::Continuous(channels) => {
                let key = |index: usize| match index {
                    0 => "← →".to_owned(),
                    1 => "↓ ↑".to_owned(),
                    index => LEVERS[index].iter().map(char::to_string).collect::<Vec<_>>().join(" "),
                };
                let levers = channels.iter().enumerate().map(|(index, channel)| format!("{} {}", key(index), channel.name));
                levers.chain(["space rest".to_owned()]).collect::<Vec<_>>().join("   ")
            }
        };
        format!("{acting}   p pause   r again   q end")
    }

    fn pull(&self, code: KeyCode) -> Option<Pull> {
        let letter = match code {
            KeyCode::Left => 'a',
            KeyCode::Right => 'd',
            KeyCode::Down => 's',
            KeyCode::Up => 'w',
            KeyCode::Char(letter) => letter,
            _ => return None,
        };
        match &self.space {
            ActionSpace::Discrete(names) => match letter {
                'a' => Some(0),
                'd' => Some(names.len() - 1),
                's' | ' ' => self.idle(),
                '0' => Some(9),
                digit => digit.to_digit(10).map(|digit| digit as usize - 1),
            }
            .filter(|index| *index < names.len())
            .map(Pull::Take),
            ActionSpace::Continuous(_) if letter == ' ' => Some(Pull::Rest),
            ActionSpace::Continuous(channels) => LEVERS[..channels.len()].iter().enumerate().find_map(|(index, [down, up])| {
                let towards = if letter == *down { Some(-1.0) } else { (letter == *up).then_some(1.0) };
                towards.map(|towards| Pull::Lever(index, towards))
            }),
        }
    }

    /// The discrete action that does nothing: by its name, or the middle one of three.
    fn idle(&self) -> Option<usize> {
        let ActionSpace::Discrete(names) = &self.space else { return None };
        let found = names.iter().position(|name| IDLE.contains(&name.as_str()));
        found.or_else(|| (names.len() == 3).then_some(1))
    }

    fn channels(&self) -> &[Channel] {
        match &self.space {
            ActionSpace::Continuous(channels) => channels,
            ActionSpace::Discrete(_) => &[],
        }
    }

    /// Where a lever is one step later.
    #[expect(clippy::cast_precision_loss, reason = "a few steps")]
    fn moved(&self, index: usize) -> f64 {
        let (value, channel) = (self.values[index], &self.channels()[index]);
        let ([low, high], rest) = (bounds(channel), at_rest(channel));
        let stride = (high - low) / 2.0 / self.hold as f64;
        let towards = self.down.iter().rev().find_map(|down| match down.pull {
            Pull::Lever(lever, towards) if lever == index => Some(towards),
            _ => None,
        });
        match towards {
            Some(towards) => (value + towards * stride).clamp(low, high),
            None if value > rest => (value - stride).max(rest),
            None => (value + stride).min(rest),
        }
    }
}

/// Between which values a lever moves: one unit either way where there is no bound.
pub(super) fn bounds(channel: &Channel) -> [f64; 2] {
    let [low, high] = [channel.low.max(-1e300), channel.high.min(1e300)];
    match [channel.low.is_finite(), channel.high.is_finite()] {
        [true, true] => [low, high],
        [true, false] => [low, low.max(0.0) + 1.0],
        [false, true] => [high.min(0.0) - 1.0, high],
        [false, false] => [-1.0, 1.0],
    }
}

/// Nought, or the bound that is nearest to it.
fn at_rest(channel: &Channel) -> f64 {
    let [low, high] = bounds(channel);
    0.0_f64.clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discrete(names: &[&str]) -> Keys {
        Keys::new(ActionSpace::Discrete(names.iter().map(|name| (*name).to_owned()).collect()), 4).unwrap()
    }

    fn levers(bounds: &[[f64; 2]]) -> Keys {
        let channel = |(index, [low, high]): (usize, &[f64; 2])| Channel::new(format!("lever_{index}"), *low, *high);
        Keys::new(ActionSpace::Continuous(bounds.iter().enumerate().map(channel).collect()), 4).unwrap()
    }

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn released(code: KeyCode) -> KeyEvent {
        KeyEvent::new_with_kind(code, KeyModifiers::NONE, KeyEventKind::Release)
    }

    /// The indices of the next actions.
    fn taken<const N: usize>(keys: &mut Keys) -> [usize; N] {
        std::array::from_fn(|_| keys.act().index().unwrap())
    }

    /// The values of the first lever in the next actions.
    fn moved<const N: usize>(keys: &mut Keys) -> [f64; N] {
        std::array::from_fn(|_| keys.act().values().unwrap()[0])
    }

    #[test]
    fn a_press_counts_for_some_steps_and_then_idles() {
        let mut keys = discrete(&["left", "idle", "right"]);
        assert_eq!(taken(&mut keys), [1, 1]);
        keys.hear(key(KeyCode::Right));
        assert_eq!(taken(&mut keys), [2, 2]);
        keys.hear(key(KeyCode::Right));
        assert_eq!(taken(&mut keys), [2, 2, 2, 2, 1], "repetition renews it");
        keys.hear(key(KeyCode::Left));
        keys.hear(key(KeyCode::Char('3')));
        assert_eq!(taken(&mut keys), [2], "the latest key counts");
    }

    #[test]
    fn without_an_idle_action_the_last_one_goes_on() {
        let mut keys = discrete(&["left", "right"]);
        keys.hear(key(KeyCode::Char('D')));
        assert_eq!(taken(&mut keys), [1; 9]);
        keys.hear(key(KeyCode::Char('1')));
        assert_eq!(taken(&mut keys), [0; 9]);
        keys.hear(key(KeyCode::Down));
        assert_eq!(taken(&mut keys), [0; 2]);
    }

    #[test]
    fn where_releases_are_told_a_key_counts_until_its_own() {
        let mut keys = discrete(&["noop", "left", "main", "right"]);
        keys.hear(released(KeyCode::Enter));
        keys.hear(key(KeyCode::Right));
        assert_eq!(taken(&mut keys), [3; 9]);
        keys.hear(key(KeyCode::Char('2')));
        assert_eq!(taken(&mut keys), [1]);
        keys.hear(released(KeyCode::Char('2')));
        assert_eq!(taken(&mut keys), [3], "the other one is still down");
        keys.hear(released(KeyCode::Right));
        assert_eq!(taken(&mut keys), [0, 0]);
    }

    #[test]
    fn a_lever_is_pulled_to_its_bound_and_springs_back() {
        let mut keys = levers(&[[-2.0, 2.0], [0.5, f64::INFINITY]]);
        assert_eq!(keys.action(), Action::Continuous(&[0.0, 0.5]));
        keys.hear(key(KeyCode::Right));
        assert_eq!(moved(&mut keys), [0.5, 1.0, 1.5, 2.0, 1.5, 1.0]);
        keys.hear(key(KeyCode::Char(' ')));
        keys.hear(key(KeyCode::Up));
        assert_eq!(keys.act(), Action::Continuous(&[0.0, 0.625]));
        keys.hear(released(KeyCode::Up));
        keys.hear(key(KeyCode::Left));
        assert_eq!(moved(&mut keys), [-0.5, -1.0, -1.5, -2.0, -2.0]);
        keys.hear(key(KeyCode::Right));
        keys.hear(released(KeyCode::Right));
        assert_eq!(moved(&mut keys), [-2.0], "the other one is still down");
    }

    #[test]
    fn some_keys_are_wishes() {
        let mut keys = levers(&[[-1.0, 1.0]; 6]);
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keys.hear(control), Some(Wish::Interrupt));
        let wishes = ['p', 'R', 'q'].map(|letter| keys.hear(key(KeyCode::Char(letter))));
        assert_eq!(wishes, [Some(Wish::Pause), Some(Wish::Again), Some(Wish::Quit)]);
        assert_eq!(keys.hear(released(KeyCode::Esc)), None);
        assert_eq!(keys.hear(key(KeyCode::Esc)), Some(Wish::Quit));
        assert!(LEVERS.iter().flatten().all(|letter| !['p', 'r', 'q'].contains(letter)));
    }

    #[test]
    fn more_actions_than_keys_are_refused() {
        let names = (0..11).map(|index| format!("a{index}")).collect();
        assert!(Keys::new(ActionSpace::Discrete(names), 4).is_err());
        assert!(Keys::new(ActionSpace::Continuous(vec![Channel::unbounded("x"); 7]), 4).is_err());
        assert_eq!(discrete(&["left", "right"]).help(), "← left   → right   p pause   r again   q end");
        assert_eq!(levers(&[[-1.0, 1.0]; 3]).help(), "← → lever_0   ↓ ↑ lever_1   j l lever_2   space rest   p pause   r again   q end");
    }
}
