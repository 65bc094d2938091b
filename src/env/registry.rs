//! Names to constructors, and short names to environment files.
//!
//! Filled with ours by [`Registry::standard`], extended by a user's crate with [`Registry::add`].

use super::episode::Episode;
use super::parameter::{Parameter, Quantity, Values};
use super::randomized::Randomized;
use super::rooted::{Root, Rooted};
use super::sim::gymnasium;
use super::spec::{self, Spec};
use super::wrap::Wrapper;
use super::{Env, LostEpisodes, sim};
use crate::error::{Error, Result, did_you_mean};
use crate::file::ron::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment files that travel inside the program.
static BUILT_IN: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/envs");

type Build = dyn Fn(&Values, &Values) -> Result<Box<dyn Env>> + Send + Sync;
type BuildEpisode = dyn Fn(&Values, &Values, Option<usize>) -> Result<Box<dyn Env>> + Send + Sync;

/// What steps the physics: a name, its parameters, and how to build one from their values.
pub struct Simulator {
    /// Its name in RON: `classic/cartpole`.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Parameters of the dynamics.
    pub context: Vec<Parameter>,
    /// Parameters of reward, termination and start law.
    pub objective: Vec<Parameter>,
    /// Where episodes are cut unless an environment file says otherwise.
    pub max_episode_steps: Option<usize>,
    /// The environment alone, to be wrapped.
    build: Box<Build>,
    /// The environment in its [`Episode`], which knows its type.
    build_episode: Box<BuildEpisode>,
}

impl Simulator {
    /// A simulator without parameters. Add them, and a step limit, by setting the fields.
    ///
    /// `build` is given one value for every parameter of the context and of the objective.
    #[must_use]
    pub fn new<E: Env + 'static>(name: &str, about: &str, build: impl Fn(&Values, &Values) -> Result<E> + Send + Sync + 'static) -> Self {
        let build = Arc::new(build);
        let alone = Arc::clone(&build);
        Self {
            name: name.to_owned(),
            about: about.to_owned(),
            context: Vec::new(),
            objective: Vec::new(),
            max_episode_steps: None,
            build: Box::new(move |context, objective| Ok(Box::new(alone(context, objective)?))),
            build_episode: Box::new(move |context, objective, limit| Ok(Box::new(Episode::new(build(context, objective)?, limit)))),
        }
    }

    pub(super) fn build(&self, context: &Values, objective: &Values) -> Result<Box<dyn Env>> {
        (self.build)(context, objective)
    }
}

/// Where an environment file was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) source: Source,
    /// Its short name: the file's stem.
    pub(super) name: String,
    /// The folder whose files it may extend beside the standard ones.
    pub(super) folder: Option<PathBuf>,
}

/// All simulators and environment files there are.
#[derive(Clone)]
pub struct Registry {
    simulators: BTreeMap<String, Arc<Simulator>>,
    /// Python processes, and on whose word they run.
    python: Arc<gymnasium::Host>,
    lost: LostEpisodes,
}

impl Registry {
    /// With the simulators and environment files of this crate.
    #[must_use]
    pub fn standard() -> Self {
        let mut registry = Self { simulators: BTreeMap::new(), python: Arc::default(), lost: LostEpisodes::default() };
        for simulator in sim::all() {
            registry.add(simulator);
        }
        registry
    }

    /// Adds a simulator; its name is then an environment too, with default parameters.
    pub fn add(&mut self, simulator: Simulator) {
        self.simulators.insert(simulator.name.clone(), Arc::new(simulator));
    }

    /// The simulators, by name.
    pub fn simulators(&self) -> impl Iterator<Item = &Simulator> {
        self.simulators.values().map(Arc::as_ref)
    }

    /// The simulator of this name.
    ///
    /// # Errors
    /// Lists the nearest names.
    pub fn simulator(&self, name: &str) -> Result<&Arc<Simulator>> {
        self.simulators.get(name).ok_or_else(|| {
            Error::usage(format!("there is no simulator `{name}`")).hint(did_you_mean(name, self.simulators.keys().map(String::as_str)))
        })
    }

    /// The simulator of an environment: one of these, or that of a robot of the user's own.
    ///
    /// # Errors
    /// As [`Registry::simulator`].
    pub fn simulator_of<'a>(&'a self, spec: &'a Spec) -> Result<&'a Arc<Simulator>> {
        spec.own.as_ref().map_or_else(|| self.simulator(&spec.simulator), |own| Ok(&own.simulator))
    }

    /// Short names of all environments: files under `./envs`, built-in files, and simulators added by the user.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let is_ron = |path: &Path| path.extension().is_some_and(|extension| extension == "ron");
        let families = BUILT_IN.dirs().flat_map(include_dir::Dir::files);
        let mut names: Vec<String> = BUILT_IN.files().chain(families).filter_map(|file| stem(file.path())).collect();
        if let Ok(entries) = crate::file::disk::list(Path::new("envs")) {
            names.extend(entries.iter().filter(|path| is_ron(path)).filter_map(|path| stem(path)));
        }
        names.extend(self.simulators.keys().filter(|name| !name.contains('/') && *name != gymnasium::NAME).cloned());
        // A build without gym-rs has its environment files, but nothing that could run them.
        names.retain(|name| cfg!(feature = "gym_rs") || !name.starts_with("gym_rs_"));
        names.sort();
        names.dedup();
        names
    }

    /// The family that a built-in environment belongs to: the folder of its file under `envs`, such as `off_dynamics`.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&'static str> {
        BUILT_IN.dirs().find(|family| built_in(family, name).is_some()).and_then(|family| family.path().to_str())
    }

    /// The environment of this short name or path, with everything it extends resolved and checked. It is named by the person at the keyboard:
    /// if it is one of Gymnasium's, Python may run it from now on.
    ///
    /// # Errors
    /// Exit 2: no such environment, a typo or a value out of range in its file, a circle of `extends`.
    pub fn resolve(&self, name_or_path: &str) -> Result<Spec> {
        let spec = self.look_up(name_or_path)?;
        if let Some(task) = &spec.gymnasium {
            self.python.agree(task);
        }
        Ok(spec)
    }

    /// As [`Registry::resolve`], for a name that stands in a file: nothing runs on its word.
    ///
    /// # Errors
    /// As [`Registry::resolve`].
    pub fn look_up(&self, name_or_path: &str) -> Result<Spec> {
        if let Some(id) = name_or_path.strip_prefix(gymnasium::PREFIX) {
            return Ok(Spec::of_gymnasium(self.simulator(gymnasium::NAME)?, self.gymnasium(id)?));
        }
        if let Some(simulator) = self.simulators.get(name_or_path) {
            return Ok(Spec::of_simulator(simulator));
        }
        spec::resolve(self, self.find(name_or_path, None)?)
    }

    /// The Gymnasium environment of an id.
    pub(super) fn gymnasium(&self, id: &str) -> Result<gymnasium::Task> {
        self.with_names(gymnasium::Task::named(id)?)
    }

    /// A checked Gymnasium environment; where it says no names of channels and actions and we have the same task, with ours.
    pub(super) fn with_names(&self, mut task: gymnasium::Task) -> Result<gymnasium::Task> {
        task.check()?;
        // A robot's twin needs MuJoCo here, which the other process has on its own: without, channels are numbered.
        if let Some(twin) =
            task.twin().map(|twin| self.simulator(twin)).transpose()?.and_then(|twin| self.alone(&Spec::of_simulator(twin)).ok())
        {
            let spaces = twin.spaces().clone();
            if task.observation.is_empty() {
                task.observation = spaces.observation.iter().map(|channel| channel.name.clone()).collect();
            }
            if task.action.is_empty() {
                task.action = spaces.action.names().into_iter().map(str::to_owned).collect();
            }
        }
        Ok(task)
    }

    /// The interpreter of Gymnasium environments, whatever their files say.
    pub fn set_python(&self, python: &str) {
        self.python.set_python(python);
    }

    /// What happened to Python processes since this was last asked, one sentence each.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        self.python.take_notes()
    }

    /// The count of episodes that are lost in its environments.
    #[must_use]
    pub fn lost_episodes(&self) -> LostEpisodes {
        self.lost.clone()
    }

    /// The same, with a count of lost episodes that is its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { lost: LostEpisodes::default(), ..self.clone() }
    }

    /// Builds an environment: simulator, randomization, wrappers, and the episode's rules around them.
    ///
    /// # Errors
    /// When a wrapper does not fit the spaces, or the simulator refuses.
    pub fn build(&self, spec: &Spec) -> Result<Box<dyn Env>> {
        if spec.gymnasium.is_none() && spec.wrappers.is_empty() && spec.context.are_fixed() && spec.objective.are_fixed() {
            let (context, objective) = (spec.context.each(Quantity::least), spec.objective.each(Quantity::least));
            let built = (self.simulator_of(spec)?.build_episode)(&context, &objective, spec.max_episode_steps);
            return built.map_err(|error| error.at(spec.place()));
        }
        wrapped(self.bare(spec)?, spec)
    }

    /// As [`Registry::build`], but every episode begins in this state.
    ///
    /// # Errors
    /// As [`Registry::build`]; a state that is not the simulator's is refused at the reset.
    pub fn build_at(&self, spec: &Spec, root: Root) -> Result<Box<dyn Env>> {
        wrapped(Box::new(Rooted::new(self.bare(spec)?, root)), spec)
    }

    /// The simulator, randomization included, without wrappers and rules.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub fn bare(&self, spec: &Spec) -> Result<Box<dyn Env>> {
        if let Some(task) = &spec.gymnasium {
            let member = gymnasium::Member::new(&self.python, &self.lost, task, &spec.context, spec.max_episode_steps.is_some());
            // An environment that was named by its id is its own place.
            let placed = |error: Error| if spec.place().starts_with(gymnasium::PREFIX) { error } else { error.at(spec.place()) };
            return Ok(Box::new(member.map_err(placed)?));
        }
        let simulator = self.simulator_of(spec)?;
        // What is to be shown must be known.
        let shown = spec.wrappers.iter().any(|wrapper| matches!(wrapper, Wrapper::ShowParameters(_)));
        let built: Result<Box<dyn Env>> = if spec.context.are_fixed() && spec.objective.are_fixed() && !shown {
            simulator.build(&spec.context.each(Quantity::least), &spec.objective.each(Quantity::least))
        } else {
            Randomized::new(Arc::clone(simulator), spec.context.clone(), spec.objective.clone())
                .map(|drawn| Box::new(drawn) as Box<dyn Env>)
        };
        built.map_err(|error| error.at(spec.place()))
    }

    /// The simulator alone, with the least of every parameter.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub fn alone(&self, spec: &Spec) -> Result<Box<dyn Env>> {
        if spec.gymnasium.is_some() {
            return self.bare(spec);
        }
        let built = self.simulator_of(spec)?.build(&spec.context.each(Quantity::least), &spec.objective.each(Quantity::least));
        built.map_err(|error| error.at(spec.place()))
    }

    /// A file by path, or by short name: beside the file that extends it, under `./envs`, then built in.
    pub(super) fn find(&self, name_or_path: &str, beside: Option<&Path>) -> Result<Found> {
        let is_path = is_path(name_or_path);
        if is_path && beside.is_none() {
            let path = Path::new(name_or_path);
            if !path.exists() {
                return Err(Error::usage(format!("there is no environment file `{name_or_path}`")).hint(self.hint(name_or_path)));
            }
            return found_file(path);
        }
        let plain = name_or_path.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) && !name_or_path.contains("..");
        if plain {
            for folder in beside.into_iter().chain([Path::new("envs")]) {
                let path = folder.join(format!("{name_or_path}.ron"));
                if path.is_file() {
                    return found_file(&path);
                }
            }
            let file = std::iter::once(&BUILT_IN).chain(BUILT_IN.dirs()).find_map(|folder| built_in(folder, name_or_path));
            if let Some((file, text)) = file.and_then(|file| Some((file, file.contents_utf8()?))) {
                let source = Source { name: format!("envs/{}", file.path().display()), text: text.to_owned() };
                return Ok(Found { source, name: name_or_path.to_owned(), folder: None });
            }
        }
        Err(Error::usage(format!("there is no environment `{name_or_path}`")).hint(self.hint(name_or_path)))
    }

    fn hint(&self, name: &str) -> String {
        let names = self.names();
        format!(
            "{}; `heirloom envs` describes them, and a path to a .ron file is taken too",
            did_you_mean(name, names.iter().map(String::as_str))
        )
    }
}

fn built_in<'a>(folder: &'a include_dir::Dir<'a>, name: &str) -> Option<&'a include_dir::File<'a>> {
    folder.get_file(folder.path().join(format!("{name}.ron")))
}

/// Wrappers and the episode's rules around a simulator. The limit of steps is the outermost episode's or, where there is a trial, that of
/// the episodes in it.
fn wrapped(mut env: Box<dyn Env>, spec: &Spec) -> Result<Box<dyn Env>> {
    let mut limit = spec.max_episode_steps;
    for (index, wrapper) in spec.wrappers.iter().enumerate() {
        if matches!(wrapper, Wrapper::Trial { .. }) {
            env = Box::new(Episode::new(env, limit.take()));
        }
        env = wrapper.around(env).map_err(|error| error.at(spec.place_of_wrapper(index)))?;
    }
    Ok(Box::new(Episode::new(env, limit)))
}

/// Whether it is meant as a path, and not as a short name.
pub(super) fn is_path(name_or_path: &str) -> bool {
    name_or_path.contains(['/', '\\']) || Path::new(name_or_path).extension().is_some_and(|extension| extension == "ron")
}

fn found_file(path: &Path) -> Result<Found> {
    let source = Source::read(path).map_err(|error| match error.kind() {
        crate::error::Kind::Io => error,
        _ => error.as_kind(crate::error::Kind::Usage),
    })?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(Found { source, name, folder: path.parent().map(Path::to_owned) })
}
