//! Where recorded actions are done again: the environment that they were recorded in, or another one, at the start of an episode.
//!
//! As recorded: the environment is restored, its stream sought to where it was. Elsewhere: the other environment resets itself on the
//! same stream (its parameters and its sensors are its own), and its simulator is put into the recorded state. That needs the same
//! simulator, or two that show all of their state under the same names.

use super::episode::Episode;
use super::header::Header;
use crate::env::{ActionSpace, Env, Registry, Root, Snapshot, Spaces, Spec, Step};
use crate::error::{Error, Result};
use crate::seed::{Rng, Stream};
use std::ops::ControlFlow;

/// The recorded environment, and the one to play in.
pub struct Stage<'a> {
    registry: &'a Registry,
    recorded: Built,
    elsewhere: Option<Built>,
}

/// What is known of an environment before it is begun.
struct Built {
    spec: Spec,
    spaces: Spaces,
    /// Numbers of its simulator's state.
    state: usize,
    /// What the simulator shows is its state, number by number: the names.
    visible: Option<Vec<String>>,
}

/// How an episode begins on the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beginning {
    /// In the recorded state, in every bit of it.
    Recorded,
    /// In the state that the first observation shows.
    Shown,
    /// In a state of the environment's own.
    Own,
}

/// An environment at the start of an episode.
pub struct Begun {
    env: Box<dyn Env>,
    rng: Rng,
    /// How it begins.
    pub beginning: Beginning,
    /// `[O]`: what is seen first; unknown where a start is not the first of its stream.
    pub observation: Option<Vec<f64>>,
}

impl<'a> Stage<'a> {
    /// The environment of a set of demonstrations, and another one where `elsewhere` says so.
    ///
    /// # Errors
    /// Exit 3 when the recorded environment cannot be built or is not what the set says, 2 when the other one takes other actions or
    /// has no channel in common.
    pub fn new(registry: &'a Registry, header: &Header, elsewhere: Option<Spec>) -> Result<Self> {
        let recorded = Built::new(registry, header.spec(registry)?)?;
        let same_kind = std::mem::discriminant(&recorded.spaces.action) == std::mem::discriminant(&header.spaces.action);
        if names(&recorded.spaces) != names(&header.spaces) || !same_kind || recorded.spaces.action.size() != header.spaces.action.size() {
            return Err(
                Error::artefact("the environment in the header does not have the set's channels and actions").at(&header.environment)
            );
        }
        let elsewhere = elsewhere.map(|spec| Built::new(registry, spec)).transpose()?;
        if let Some(other) = &elsewhere {
            check_fits(&recorded, other)?;
        }
        Ok(Self { registry, recorded, elsewhere })
    }

    /// The environment that was recorded.
    #[must_use]
    pub const fn recorded(&self) -> &Spec {
        &self.recorded.spec
    }

    /// Its channels and actions.
    #[must_use]
    pub const fn spaces(&self) -> &Spaces {
        &self.recorded.spaces
    }

    /// The other environment.
    #[must_use]
    pub fn elsewhere(&self) -> Option<&Spec> {
        self.elsewhere.as_ref().map(|other| &other.spec)
    }

    /// The channels and actions of the environment that is played in.
    #[must_use]
    pub fn played(&self) -> &Spaces {
        &self.elsewhere.as_ref().unwrap_or(&self.recorded).spaces
    }

    /// An episode's start in the recorded environment; `None` where it is not known, and not to be seen either.
    ///
    /// # Errors
    /// Exit 3 when the start is not one of this environment.
    pub fn as_recorded(&self, number: u64, episode: &Episode) -> Result<Option<Begun>> {
        let mut rng = stream(number, episode);
        let Some(start) = &episode.start else {
            let Some(root) = self.root(episode).filter(|_| self.recorded.spec.wrappers.is_empty()) else { return Ok(None) };
            let mut env = self.registry.build_at(&self.recorded.spec, root)?;
            let observation = reset(&mut *env, &mut rng)?;
            return Ok(Some(Begun { env, rng, beginning: Beginning::Shown, observation: Some(observation) }));
        };
        let mut env = self.registry.build(&self.recorded.spec)?;
        // A start that is the first of its stream is drawn again, and with it the first observation.
        let observation = reset(&mut *env, &mut rng)?;
        let again = rng.position() == start.position && same_bits(snapshot(&*env).numbers(), &start.snapshot);
        let mut recorded = start.to_snapshot();
        env.restore(&mut recorded)?;
        recorded.finish()?;
        rng.seek(start.position);
        Ok(Some(Begun { env, rng, beginning: Beginning::Recorded, observation: again.then_some(observation) }))
    }

    /// An episode's start in the other environment.
    ///
    /// # Errors
    /// When an environment fails, or the recorded state is none of its.
    pub fn elsewhere_at(&self, number: u64, episode: &Episode) -> Result<Begun> {
        let other = self.elsewhere.as_ref().unwrap_or(&self.recorded);
        let mut rng = stream(number, episode);
        let (mut env, beginning) = match self.root(episode).filter(|_| self.is_shared(other)) {
            Some(root) => {
                let beginning = if episode.start.is_some() { Beginning::Recorded } else { Beginning::Shown };
                (self.registry.build_at(&other.spec, root)?, beginning)
            }
            None => (self.registry.build(&other.spec)?, Beginning::Own),
        };
        let observation = reset(&mut *env, &mut rng)?;
        Ok(Begun { env, rng, beginning, observation: Some(observation) })
    }

    /// Whether a state of the recorded simulator means the same in the other one.
    fn is_shared(&self, other: &Built) -> bool {
        self.recorded.spec.simulator == other.spec.simulator || (other.visible.is_some() && other.visible == self.recorded.visible)
    }

    /// The simulator's state at an episode's start, and what it shows there before any wrapper.
    fn root(&self, episode: &Episode) -> Option<Root> {
        let bare = self.recorded.spec.wrappers.is_empty();
        let first = || {
            let mut first = vec![0.0; self.recorded.spaces.observation.len()];
            episode.observation(0, &mut first);
            first
        };
        let Some(start) = &episode.start else {
            return self.recorded.visible.as_ref().filter(|_| bare).map(|_| Root { state: first(), observation: first() });
        };
        let state = start.snapshot.get(start.snapshot.len().checked_sub(self.recorded.state)?..)?.to_vec();
        if self.recorded.visible.is_some() {
            return Some(Root { observation: state.clone(), state });
        }
        if bare {
            return Some(Root { state, observation: first() });
        }
        // Behind wrappers: the start is drawn again without them, and is the recorded one or of no use.
        let mut env = self.registry.bare(&self.recorded.spec).ok()?;
        let observation = reset(&mut *env, &mut Stream::DemonstrationEnv(start.stream).under(start.seed)).ok()?;
        snapshot(&*env).numbers().ends_with(&state).then_some(Root { state, observation })
    }
}

impl Built {
    fn new(registry: &Registry, spec: Spec) -> Result<Self> {
        let spaces = registry.build(&spec)?.spaces().clone();
        let mut alone = registry.alone(&spec)?;
        let shown = reset(&mut *alone, &mut Stream::DemonstrationEnv(0).under(0))?;
        let state = snapshot(&*alone);
        let visible = same_bits(state.numbers(), &shown).then(|| names(alone.spaces()).into_iter().map(str::to_owned).collect());
        Ok(Self { spec, spaces, state: state.numbers().len(), visible })
    }
}

impl Begun {
    /// Does what was done, step by step, until the actions run out, the episode ends, or `seen` has seen enough. It is shown the step's
    /// index, what came of it, the observation then, `[O]`, and the environment.
    ///
    /// # Errors
    /// When the environment fails.
    pub fn perform(
        &mut self,
        episode: &Episode,
        space: &ActionSpace,
        mut seen: impl FnMut(usize, Step, &[f64], &dyn Env) -> ControlFlow<()>,
    ) -> Result<()> {
        let (mut room, mut observation) = (Vec::new(), vec![0.0; self.env.spaces().observation.len()]);
        for index in 0..episode.len() {
            let action = episode.action(index, space, &mut room);
            let step = self.env.step(action, &mut self.rng, &mut observation).map_err(|error| error.at(format!("step {index}")))?;
            if seen(index, step, &observation, &*self.env).is_break() || step.ended() {
                break;
            }
        }
        Ok(())
    }

    /// What there is to see.
    #[must_use]
    pub fn scene(&self) -> crate::env::Scene {
        self.env.scene()
    }
}

fn check_fits(recorded: &Built, other: &Built) -> Result<()> {
    let (one, two) = (&recorded.spaces, &other.spaces);
    let same_kind = std::mem::discriminant(&one.action) == std::mem::discriminant(&two.action);
    if !same_kind || one.action.names() != two.action.names() {
        let list = |space: &ActionSpace| {
            let kind = if matches!(space, ActionSpace::Discrete(_)) { "one of" } else { "a number each for" };
            format!("{kind} {}", space.names().join(", "))
        };
        let message = format!("takes {}; recorded were actions of {}", list(&two.action), list(&one.action));
        return Err(Error::usage(message)
            .at(&other.spec.name)
            .hint("actions are replayed as they are: take an environment that understands them"));
    }
    let theirs = names(two);
    if names(one).iter().any(|name| theirs.contains(name)) {
        return Ok(());
    }
    let message = format!("shows {}, of which nothing was recorded: {}", theirs.join(", "), names(one).join(", "));
    Err(Error::usage(message).at(&other.spec.name).hint("channels are compared by name"))
}

/// The stream of an episode's environment; of an import, one of its own.
fn stream(number: u64, episode: &Episode) -> Rng {
    match &episode.start {
        Some(start) => Stream::DemonstrationEnv(start.stream).under(start.seed),
        None => Stream::DemonstrationEnv(number).under(0),
    }
}

fn names(spaces: &Spaces) -> Vec<&str> {
    spaces.observation.iter().map(|channel| channel.name.as_str()).collect()
}

fn reset(env: &mut dyn Env, rng: &mut Rng) -> Result<Vec<f64>> {
    let mut observation = vec![0.0; env.spaces().observation.len()];
    env.reset(rng, &mut observation)?;
    Ok(observation)
}

fn snapshot(env: &dyn Env) -> Snapshot {
    let mut snapshot = Snapshot::default();
    env.snapshot(&mut snapshot);
    snapshot
}

fn same_bits(one: &[f64], two: &[f64]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.to_bits() == two.to_bits())
}
