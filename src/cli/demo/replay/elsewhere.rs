//! In another environment: how far do the same actions lead away from what was recorded?

use super::Asked;
use super::verified::{recorders, shortened};
use crate::cli::arguments::pool;
use crate::cli::terminal::{self, Bar, Ending, count, number};
use crate::cli::watch::{check_page, write_page};
use crate::demo::drift::{self, APART, Drift};
use crate::demo::filmed;
use crate::demo::stage::Stage;
use crate::env::Spec;
use crate::error::Result;
use crate::report;
use crate::report::watch::{self, Credits, Screening};
use std::path::{Path, PathBuf};

pub(super) fn run(asked: &Asked<'_>, other: Spec) -> Result<Ending> {
    let (arguments, set) = (asked.arguments, &asked.set);
    let page = arguments.html.clone().flatten().unwrap_or_else(|| default_page(&set.name(), &other.name));
    check_page(&page)?;
    let stage = Stage::new(asked.registry, set.header(), Some(other))?;
    let bar = Bar::of("episodes", asked.count, arguments.json);
    let workers = pool(arguments.threads)?;
    let drift = drift::measure(set, &asked.selection, &stage, (&workers, asked.stop), || bar.add(1));
    bar.finish();
    let drift = drift?;
    let written = write(asked, &stage, &drift, &page)?;
    show(asked, &stage, &drift, &page);
    if !arguments.json {
        terminal::say(&written);
    }
    Ok(Ending::Done)
}

fn default_page(name: &str, environment: &str) -> PathBuf {
    Path::new("demos").join(format!("{name}-in-{}.html", environment.replace('/', "-")))
}

/// The name of the environment that is played in.
fn there<'a>(stage: &'a Stage<'_>) -> &'a str {
    stage.elsewhere().map_or("", |spec| &spec.name)
}

fn write(asked: &Asked<'_>, stage: &Stage<'_>, drift: &Drift, page: &Path) -> Result<String> {
    let episodes = filmed::first(&asked.set, &asked.selection)?;
    let (recorded, replayed) = (filmed::as_recorded(stage, &episodes)?, filmed::in_the_other(stage, &episodes)?);
    let (here, there) = (&stage.recorded().name, there(stage));
    let different = stage.elsewhere().map_or_else(Vec::new, |other| stage.recorded().differences(other));
    let mut notes = vec![format!("Recorded by {}.", recorders(asked))];
    notes.extend(shortened(episodes.len(), asked.count));
    let file = page.display().to_string();
    let credits = Credits {
        kicker: "Replay elsewhere".to_owned(),
        title: format!("{} in {there}", asked.set.name()),
        about: format!(
            "The actions that were recorded in {here}, done again in {there} from the same start. {}",
            report::drift::sentence(drift)
        ),
        notes,
        command: asked.command(&[("--in", asked.arguments.elsewhere.as_deref()), ("--html", Some(&file))]),
        seconds_per_step: stage.recorded().time_step(),
    };
    let (left, right) = (format!("recorded in {here}"), format!("the same actions in {there}"));
    let films = [Screening { name: &left, film: &recorded }, Screening { name: &right, film: &replayed }];
    let sections = report::drift::sections(drift, here, there, &different);
    write_page(page, &watch::page_of_two(films, &credits, &sections, report::drift::STYLE))
}

fn show(asked: &Asked<'_>, stage: &Stage<'_>, drift: &Drift, page: &Path) {
    let (here, there) = (&stage.recorded().name, there(stage));
    let different = stage.elsewhere().map_or_else(Vec::new, |other| stage.recorded().differences(other));
    if asked.arguments.json {
        return terminal::json(&to_json(asked, drift, (here, there), &different, page));
    }
    terminal::heading(&format!("{}, recorded in {here}, replayed in {there}", asked.set.path().display()));
    let text = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    let rows: Vec<Vec<String>> = different.iter().map(|(name, one, two)| vec![name.clone(), text(one), text(two)]).collect();
    if rows.is_empty() {
        terminal::say(&format!("{there} is the environment that was recorded"));
    } else {
        terminal::table(&["what differs", here, there], &[], rows);
    }
    terminal::say("");
    let mut header = vec!["step", "running", "distance in sd", "quartiles"];
    header.extend(drift.channels.iter().map(|(name, _)| name.as_str()));
    let rows = drift.marks().into_iter().map(|step| {
        let at = &drift.steps[step];
        let distance = [number(at.distance.median), format!("{} to {}", number(at.distance.low), number(at.distance.high))];
        let channels = at.channels.iter().map(|spread| number(spread.median));
        [vec![count(step as u64), count(at.running as u64)], distance.to_vec(), channels.collect()].concat()
    });
    terminal::table(&header, &(0..header.len()).collect::<Vec<_>>(), rows.collect());
    terminal::say("");
    terminal::say(&report::drift::sentence(drift));
    terminal::say(&report::drift::ends(drift, there));
    for note in report::drift::notes(drift, there) {
        terminal::say(&format!("beware: {note}"));
    }
    terminal::note("the actions are done without looking: the first steps tell the gap, later ones how unstable the task is");
}

fn to_json(
    asked: &Asked<'_>,
    drift: &Drift,
    (here, there): (&str, &str),
    different: &[(String, String, String)],
    page: &Path,
) -> serde_json::Value {
    let steps = drift.steps.iter().map(|at| serde_json::json!({"running": at.running, "distance": at.distance, "channels": at.channels}));
    let pairs = drift.pairs.iter().map(|pair| {
        serde_json::json!({
            "episode": pair.episode, "beginning": format!("{:?}", pair.beginning).to_lowercase(), "steps": pair.steps, "returns": pair.returns,
            "ended": pair.ended, "apart": pair.apart,
        })
    });
    let differences = different.iter().map(|(name, one, two)| serde_json::json!({"name": name, "recorded": one, "there": two}));
    let channels = drift.channels.iter().map(|(name, deviation)| serde_json::json!({"name": name, "standard_deviation": deviation}));
    serde_json::json!({
        "demonstrations": asked.set.path(),
        "recorded_in": here,
        "replayed_in": there,
        "differences": differences.collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "left_out": drift.left_out,
        "apart": APART.iter().enumerate().map(|(index, distance)| serde_json::json!({"distance": distance, "half_by_step": drift.half(index)})).collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
        "episodes": pairs.collect::<Vec<_>>(),
        "page": page,
    })
}
