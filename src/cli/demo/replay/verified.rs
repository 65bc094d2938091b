//! As recorded: is it still what it was?

use super::{Asked, compared};
use crate::cli::arguments::pool;
use crate::cli::terminal::{self, Bar, Ending, count};
use crate::cli::watch::{check_page, write_page};
use crate::demo::filmed;
use crate::demo::replay::{Divergence, Finding, Replayed, replay};
use crate::demo::stage::Stage;
use crate::env::Spec;
use crate::error::{Error, Result};
use crate::report::watch::{self, Credits};
use std::path::Path;

/// Divergences that the terminal lists.
const MOST_ROWS: usize = 20;

pub(super) fn run(asked: &Asked<'_>) -> Result<Ending> {
    let (arguments, set) = (asked.arguments, &asked.set);
    let stage = Stage::new(asked.registry, set.header(), None).map_err(|error| error.at(set.path().display()))?;
    if let Some(name) = &arguments.expected {
        refuse_another(stage.recorded(), &asked.registry.resolve(name)?, name)?;
    }
    let today = today(asked, stage.recorded());
    let page = arguments.html.as_ref().map(|page| page.clone().unwrap_or_else(|| Path::new("demos").join(format!("{}.html", set.name()))));
    page.as_deref().map_or(Ok(()), check_page)?;
    let bar = Bar::of("episodes", asked.count, arguments.json);
    let workers = pool(arguments.threads)?;
    let replayed = replay(set, &asked.selection, &stage, arguments.tolerance, (&workers, asked.stop), |_| bar.add(1));
    bar.finish();
    let replayed = replayed.map_err(|error| error.at(set.path().display()))?;
    let found = Found::new(&replayed);
    if found.without_start == replayed.len() && page.is_none() {
        return Err(Error::artefact("no episode says where it began, and the channels do not show all of the state")
            .at(set.path().display())
            .hint("an import has no start: play it in an environment's own start with --in ENV, or look at it with --html"));
    }
    let written = page.as_ref().map(|page| write(asked, &stage, &found, page)).transpose()?;
    show(asked, &found, today.as_deref(), page.as_deref());
    if let Some(written) = written.filter(|_| !arguments.json) {
        terminal::say(&written);
    }
    Ok(if found.differing.is_empty() { Ending::Done } else { Ending::Found(3) })
}

/// What all episodes come to.
struct Found<'a> {
    episodes: usize,
    steps: u64,
    identical: usize,
    without_start: usize,
    differing: Vec<(u64, &'a Divergence)>,
}

impl<'a> Found<'a> {
    fn new(replayed: &'a [Replayed]) -> Self {
        let count = |finding: &Finding| replayed.iter().filter(|replayed| replayed.finding == *finding).count();
        let differing = |replayed: &'a Replayed| match &replayed.finding {
            Finding::Differs(divergence) => Some((replayed.episode, divergence)),
            _ => None,
        };
        Self {
            episodes: replayed.len(),
            steps: replayed.iter().map(|replayed| replayed.steps as u64).sum(),
            identical: count(&Finding::Identical),
            without_start: count(&Finding::NoStart),
            differing: replayed.iter().filter_map(differing).collect(),
        }
    }

    fn sentence(&self, tolerance: f64) -> String {
        let all = format!("{} episodes, {} steps", count(self.episodes as u64), count(self.steps));
        let same = if tolerance == 0.0 { "identical, bit for bit".to_owned() } else { format!("the same within {tolerance}") };
        let unknown = match self.without_start {
            0 => String::new(),
            unknown => format!("; {} cannot be replayed: where they began is not known", count(unknown as u64)),
        };
        match self.differing.first() {
            None if self.identical == self.episodes => format!("{all}: {same}"),
            None => format!("{all}: {} {same}{unknown}", count(self.identical as u64)),
            Some((episode, divergence)) => format!(
                "{all}: {} differ, first episode {episode} in step {} at `{}`{unknown}",
                count(self.differing.len() as u64),
                divergence.step,
                divergence.channel
            ),
        }
    }
}

/// What stands in `ENV` and differs from what was recorded, each in words.
fn list(differences: &[(String, String, String)]) -> String {
    let text = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    let one = |(name, recorded, now): &(String, String, String)| format!("{name} {} against {}", text(now), text(recorded));
    differences.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Fails when the environment that was expected is another one, with what differs.
fn refuse_another(recorded: &Spec, expected: &Spec, typed: &str) -> Result<()> {
    let differences = recorded.differences(expected);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("is not the environment that was recorded: {} recorded", list(&differences));
    Err(Error::usage(message)
        .at(&expected.name)
        .hint(format!("replay as recorded without --env, or in the other one on purpose with --in {typed}")))
}

/// In what the environment that has this name now differs from the recorded one.
fn today(asked: &Asked<'_>, recorded: &Spec) -> Option<String> {
    let now = asked.registry.look_up(&asked.set.header().environment).ok()?;
    let differences = recorded.differences(&now);
    (!differences.is_empty()).then(|| list(&differences))
}

fn write(asked: &Asked<'_>, stage: &Stage<'_>, found: &Found<'_>, page: &Path) -> Result<String> {
    let (set, arguments) = (&asked.set, asked.arguments);
    let episodes = filmed::first(set, &asked.selection)?;
    let film = filmed::as_recorded(stage, &episodes)?;
    let mut notes = vec![format!("Recorded by {}. Replayed: {}.", recorders(asked), found.sentence(arguments.tolerance))];
    notes.extend(shortened(episodes.len(), asked.count));
    let path = page.display().to_string();
    let beside = arguments.beside.as_ref().map(|path| path.display().to_string());
    let tolerance = (arguments.tolerance > 0.0).then(|| arguments.tolerance.to_string());
    let mut credits = Credits {
        kicker: "Replay".to_owned(),
        title: format!("{}, as recorded in {}", set.name(), set.header().environment),
        about: stage.recorded().about.clone(),
        notes,
        command: asked.command(&[("--tolerance", tolerance.as_deref()), ("--html", Some(&path)), ("--beside", beside.as_deref())]),
        seconds_per_step: stage.recorded().time_step(),
    };
    let text = match &arguments.beside {
        None => watch::page(&film, &credits),
        Some(other) => compared::page(asked, &film, other, &mut credits)?,
    };
    write_page(page, &text)
}

/// Who recorded the set.
pub(super) fn recorders(asked: &Asked<'_>) -> String {
    asked.set.header().recorders.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the page does not show.
pub(super) fn shortened(shown: usize, all: u64) -> Option<String> {
    (all > shown as u64).then(|| format!("The page plays the first {shown} of {} episodes.", count(all)))
}

fn show(asked: &Asked<'_>, found: &Found<'_>, today: Option<&str>, page: Option<&Path>) {
    let (set, arguments) = (&asked.set, asked.arguments);
    if arguments.json {
        let divergence = |(episode, divergence): &(u64, &Divergence)| {
            serde_json::json!({
                "episode": episode, "step": divergence.step, "channel": divergence.channel, "recorded": divergence.recorded,
                "replayed": divergence.replayed, "difference": divergence.size(),
            })
        };
        return terminal::json(&serde_json::json!({
            "demonstrations": set.path(),
            "environment": set.header().environment,
            "episodes": found.episodes,
            "steps": found.steps,
            "identical": found.identical,
            "without_start": found.without_start,
            "differing": found.differing.iter().map(divergence).collect::<Vec<_>>(),
            "tolerance": arguments.tolerance,
            "environment_now": today,
            "page": page.map(Path::to_path_buf),
        }));
    }
    if !found.differing.is_empty() {
        let row = |(episode, divergence): &(u64, &Divergence)| {
            let numbers = [divergence.recorded, divergence.replayed, divergence.size()].map(|number| number.to_string());
            [vec![episode.to_string(), divergence.step.to_string(), divergence.channel.clone()], numbers.to_vec()].concat()
        };
        let rows = found.differing.iter().take(MOST_ROWS).map(row).collect();
        terminal::table(&["episode", "step", "channel", "recorded", "replayed", "difference"], &[0, 1], rows);
        let more = found.differing.len().saturating_sub(MOST_ROWS);
        if more > 0 {
            terminal::say(&format!("and {} more episodes", count(more as u64)));
        }
        terminal::say("");
    }
    terminal::say(&format!("{} in {}: {}", set.path().display(), set.header().environment, found.sentence(arguments.tolerance)));
    if let Some(today) = today {
        terminal::note(&format!(
            "{} is another environment now: {today} recorded; replayed is what was recorded",
            set.header().environment
        ));
    }
}
