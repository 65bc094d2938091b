//! Pages are what they promise: one file, inert, whole, and unimpressed by hostile names and by numbers that are none.

#![expect(clippy::cast_precision_loss, reason = "a handful of seeds and targets")]

use heirloom::choose::{Method, Source};
use heirloom::env::{Registry, Spec};
use heirloom::file::ron::Source as Text;
use heirloom::learn::ppo::{self, Start};
use heirloom::policy::{Ancestor, Card, Provenance};
use heirloom::report;
use heirloom::report::watch::Credits;
use heirloom::rollout::MakeEnv;
use heirloom::rollout::collect::Choice;
use heirloom::stop::Stop;
use heirloom::study::cell::{FORMAT, Point};
use heirloom::study::gathered::{Gathered, GatheredArm};
use heirloom::study::stages::Trial;
use heirloom::study::{CellResult, Changes, Definition, Origin, Results};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "]]></title></style><b>",
    "&lt;&amp;&#60;",
    "\u{0}\u{8}\u{202e}gnirts",
];

/// A study of one policy in some targets, from which `values(target, method, seed, evaluation)` came.
struct Fixture {
    registry: Registry,
    definition: Definition,
    results: Results,
}

const TARGET: &str = "(name: \"NAME\", source: Environment(name: \"cartpole\", steps: 100), target: \"cartpole\", steps: 40000),";

impl Fixture {
    fn new(name: &str, targets: usize, seeds: u64, values: impl Fn(usize, Method, u64, u64) -> f64) -> Self {
        let registry = Registry::standard();
        let home = registry.resolve("cartpole").unwrap();
        let pairs: String = (0..targets).map(|index| TARGET.replace("NAME", &format!("pair{index}"))).collect();
        let methods = Method::TRANSFER.map(|method| format!("\"{}\"", method.name())).join(", ");
        let text = format!("(about: \"x\", pairs: [{pairs}], methods: [{methods}], seeds: {seeds})");
        let text = Text { name: "study".into(), text };
        let mut definition = Definition::of(name.to_owned(), text, &registry, &Changes::default()).unwrap();
        definition.about = format!("about {name}");
        definition.text = format!("(about: \"{name}\")");
        for (index, pair) in definition.pairs.iter_mut().enumerate() {
            pair.origin = Origin::Policy(Box::new(source(name, &registry, &home)));
            (pair.target.name, pair.target.about) = (format!("{name}{index}"), name.to_owned());
            pair.target.context.0.insert("gravity".to_owned(), heirloom::env::Quantity::Number(5.0 + index as f64));
        }
        let gathered = (0..targets).map(|target| {
            let arm = |method: &Method| GatheredArm {
                method: *method,
                factor: 0.3,
                trials: vec![Trial { factor: 0.3, values: vec![1.0, f64::NEG_INFINITY] }, Trial { factor: 1.0, values: vec![0.5, 0.1] }],
                cells: (0..seeds).map(|seed| cell(*method, seed, |index| values(target, *method, seed, index))).collect(),
            };
            Gathered {
                sources: vec![source(name, &registry, &home)],
                random: vec![1.0, 2.0],
                action: registry.build(&home).unwrap().spaces().action.clone(),
                reference: (0..2)
                    .map(|seed| cell(Method::Scratch, seed + 100, |index| values(target, Method::Scratch, seed, index)))
                    .collect(),
                arms: definition.methods.iter().map(arm).collect(),
                control: (0..seeds)
                    .map(|seed| cell(Method::Scratch, seed + 200, |index| values(target, Method::Scratch, seed, index)))
                    .collect(),
                best: Some(Method::FineTune),
            }
        });
        let gathered = gathered.collect();
        Self { registry, results: Results::new(&definition, gathered), definition }
    }

    fn page(&self) -> String {
        report::study::page(&self.definition, &self.results, Some("<b>looked</b> before"), &self.registry)
    }

    fn picture(&self) -> String {
        report::study::picture(&self.definition, &self.results)
    }
}

fn cell(method: Method, seed: u64, mean: impl Fn(u64) -> f64) -> CellResult {
    let evaluations = if method.learns() { 21 } else { 1 };
    let point = |index| Point {
        steps: index * 2_000,
        mean: mean(index),
        sampled: mean(index) / 2.0,
        entropy: 0.01,
        divergence: method.needs_source().then_some(0.2),
        explained_variance: (index > 0).then_some(0.5),
    };
    CellResult {
        format: FORMAT,
        cell: String::new(),
        policy: format!("{method:?} {}", seed / 2),
        evaluations: (0..evaluations).map(point).collect(),
        failed: matches!(seed, 5 | 101).then(|| "diverged".to_owned()),
        checksum: String::new(),
    }
}

fn source(name: &str, registry: &Registry, home: &Spec) -> Source {
    let spaces = registry.build(home).unwrap().spaces().clone();
    let policy = Start::fresh(&ppo::Config::default(), &spaces, 0).unwrap().policy;
    let grandparent = Ancestor {
        name: name.to_owned(),
        digest: name.to_owned(),
        method: name.to_owned(),
        environment: name.to_owned(),
        steps: Some(7),
        seed: 7,
        parents: Vec::new(),
    };
    let parent = Ancestor { parents: vec![grandparent.clone()], ..grandparent };
    let provenance = Provenance {
        command: name.to_owned(),
        method: name.to_owned(),
        environment: name.to_owned(),
        environment_ron: home.to_ron(),
        steps: Some(0),
        ..Provenance::default()
    };
    let card = Card::new(&policy, provenance, vec![parent]);
    Source { path: name.into(), policy, card }
}

fn plausible(target: usize, method: Method, seed: u64, evaluation: u64) -> f64 {
    let rank = if method == Method::FeatureExtraction { 0.2 } else { method as usize as f64 + 1.0 };
    let height = 40.0 * rank * (target as f64 + 1.0);
    height * evaluation as f64 / 21.0 + seed as f64 * 3.0 + if method.learns() { 0.0 } else { 100.0 }
}

/// What XML asks of a text: tags that close, attributes once and in quotes, nothing bare. `<style>` is the one element that is text.
fn check_xml(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let allowed = |letter: char| !letter.is_control() || letter == '\n' || letter == '\t';
    assert!(text.chars().all(|letter| allowed(letter) && !matches!(letter, '\u{fffe}' | '\u{ffff}')), "a character that XML cannot hold");
    while let Some(start) = rest.find('<') {
        assert_entities(&rest[..start]);
        let end = start + tag_length(&rest[start..]);
        let tag = &rest[start + 1..end - 1];
        rest = &rest[end..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric()), "<{tag}>");
        check_attributes(&tag[name.len()..]);
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "not closed");
}

/// Up to the `>` that stands outside of quotes.
fn tag_length(text: &str) -> usize {
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return at + 1,
            _ => {}
        }
    }
    panic!("a tag does not end: {}", &text[..text.len().min(80)]);
}

fn check_attributes(text: &str) {
    let mut names = BTreeSet::new();
    let mut rest = text.trim_end_matches('/').trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("attributes: {rest}"));
        let (value, after) = value.split_once('"').unwrap();
        assert!(names.insert(name) && !name.contains([' ', '<', '\'']) && !value.contains('<'), "attribute {name}={value}");
        assert_entities(value);
        rest = after.trim_start();
    }
}

fn assert_entities(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known = ["&lt;", "&gt;", "&amp;", "&quot;"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)), "a bare ampersand: {text}");
    }
}

/// What stands between `before` and `after`, each time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|part| part.split_once(after).map_or(part, |(inside, _)| inside)).collect()
}

fn check_page(page: &str) {
    let ids = between(page, " id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice");
    let labels = between(page, "aria-labelledby=\"", "\"").into_iter().flat_map(|ids| ids.split(' '));
    let links = between(page, "href=\"#", "\"");
    for id in between(page, "url(#", ")").into_iter().chain(labels).chain(links) {
        assert!(unique.contains(id), "there is no #{id}");
    }
    for address in between(page, "href=\"", "\"").into_iter().chain(between(page, "src=\"", "\"")) {
        assert!(address.starts_with('#') || address == "data:,", "{address}");
    }
    assert!(!page.contains("url(http") && !page.contains("@import") && !page.contains("style=\""));
    for none in ["NaN", "inf,", "\"inf", "-inf"] {
        assert_eq!(
            page.find(none).map(|at| page[..at].chars().rev().take(80).collect::<String>().chars().rev().collect::<String>()),
            None,
            "before {none}"
        );
    }
    check_policy(page);
}

/// Every inline style and script is one that the policy names, and nothing else is allowed.
fn check_policy(page: &str) {
    let policy = between(page, "Content-Security-Policy\" content=\"", "\"")[0];
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe") && !policy.contains("http"));
    let hash = |text: &str| {
        let bits: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat() + "00";
        let letter = |sextet: &[u8]| match u8::from_str_radix(std::str::from_utf8(sextet).unwrap(), 2).unwrap() {
            value @ 0..26 => char::from(b'A' + value),
            value @ 26..52 => char::from(b'a' + value - 26),
            value @ 52..62 => char::from(b'0' + value - 52),
            62 => '+',
            _ => '/',
        };
        format!("'sha256-{}='", bits.as_bytes().chunks(6).map(letter).collect::<String>())
    };
    let parts = |directive: &str| policy.split(directive).nth(1).unwrap().split(';').next().unwrap().to_owned();
    let styles: Vec<&str> =
        page.match_indices("<style").map(|(at, _)| page[at..].split_once('>').unwrap().1.split("</style>").next().unwrap()).collect();
    let scripts = between(page, "<script>", "</script>");
    assert_eq!((styles.len(), scripts.len()), (2, 1));
    assert!(styles.iter().all(|style| parts("style-src").contains(&hash(style))) && parts("script-src").contains(&hash(scripts[0])));
    let others: Vec<&str> = between(page, "<script", ">").into_iter().filter(|attributes| !attributes.is_empty()).collect();
    assert!(others.iter().all(|attributes| attributes.starts_with(" type=\"application/json\"")), "{others:?}");
}

/// Every drawing of a page is XML, as it stands there.
fn check_drawings(page: &str) {
    for inside in between(page, "<svg", "</svg>") {
        check_xml(&format!("<svg{inside}</svg>"));
    }
}

#[test]
fn a_page_is_one_inert_file() {
    let fixture = Fixture::new("moved", 6, 10, plausible);
    let page = fixture.page();
    check_page(&page);
    check_drawings(&page);
    assert!(page.len() < 600_000, "{} bytes", page.len());
    // Everything that was asked for has its place.
    for words in [
        "about moved",
        "moved → moved5",
        "What is different",
        "What 10 seeds can say",
        "Make it again",
        "heirloom compare studies/moved.ron",
        "acceleration of free fall",
        "feature-extraction",
        "Figure 19",
        "Table 6",
        "seed 7",
        "How the verdict is reached",
        "Holm",
        "time to threshold",
        "What it cost",
        "With every step counted",
        "counts as the worst return of all",
        "was something copied?",
        "counts there as the worst return",
        "sure of the wrong thing",
        "All budgets as a table",
    ] {
        assert!(page.contains(words), "{words}");
    }
    check_xml(&fixture.picture());
    assert!(fixture.picture().contains("xmlns=\"http://www.w3.org/2000/svg\"") && fixture.picture().contains("prefers-color-scheme:dark"));
}

#[test]
fn hostile_names_stay_names() {
    for name in HOSTILE {
        let fixture = Fixture::new(name, 2, 3, plausible);
        let page = fixture.page();
        check_page(&page);
        check_drawings(&page);
        check_xml(&fixture.picture());
        for smuggled in ["<script>alert", "<img", "<b>g", "</title></style>"] {
            assert!(!page.contains(smuggled) && !fixture.picture().contains(smuggled), "{smuggled}");
        }
    }
}

/// A return by target, method, seed and evaluation.
type Values = fn(usize, Method, u64, u64) -> f64;

#[test]
fn one_seed_no_number_and_no_rows_are_survived() {
    let one = Fixture::new("one", 1, 1, plausible);
    check_page(&one.page());
    assert!(one.page().contains("What 1 seed can say") && one.page().contains("No interval can be drawn"));
    let strange: [Values; 5] = [
        |_, _, _, _| f64::NAN,
        |_, method, _, _| if method == Method::Scratch { f64::NAN } else { 1.0 },
        |_, _, seed, evaluation| if (seed + evaluation) % 2 == 0 { f64::INFINITY } else { -1.0 },
        |_, _, seed, _| if seed == 0 { 1e308 } else { -1e308 },
        |_, _, _, _| 0.0,
    ];
    for values in strange {
        let fixture = Fixture::new("strange", 2, 3, values);
        check_page(&fixture.page());
        check_drawings(&fixture.page());
        check_xml(&fixture.picture());
    }
    let mut none = Fixture::new("none", 1, 2, plausible);
    none.results.pairs.clear();
    check_page(&none.page());
    check_xml(&none.picture());
}

#[test]
fn a_source_whose_environment_is_unknown_shows_its_card() {
    let mut fixture = Fixture::new("lost", 1, 2, plausible);
    let Origin::Policy(source) = &mut fixture.definition.pairs[0].origin else { unreachable!() };
    source.card.provenance.environment_ron = "(simulator: \"<elsewhere>\")".to_owned();
    let page = fixture.page();
    check_page(&page);
    assert!(page.contains("does not know the environment") && page.contains("&lt;elsewhere&gt;"));
}

#[test]
fn a_film_is_one_small_inert_file() {
    let registry = Registry::standard();
    let spec = registry.resolve("cartpole").unwrap();
    let mut gentle = spec.clone();
    // Nothing ends these episodes but the time: 3 x 500 steps.
    gentle.objective.0.insert("angle_limit".to_owned(), heirloom::env::Quantity::Number(1e5));
    gentle.objective.0.insert("position_limit".to_owned(), heirloom::env::Quantity::Number(1e5));
    let source = source("x", &registry, &spec);
    let make: MakeEnv = Arc::new(move || registry.build(&gentle));
    let film = heirloom::rollout::film(&source.policy, &make, 3, Choice::Mode, 0, &Stop::new()).unwrap();
    assert!(film.episodes.iter().all(|episode| episode.rewards.len() == 500 && !episode.terminated));
    for name in ["cartpole"].iter().chain(&HOSTILE) {
        let credits = Credits {
            kicker: "Watch".to_owned(),
            title: (*name).to_owned(),
            about: (*name).to_owned(),
            notes: vec![(*name).to_owned()],
            command: (*name).to_owned(),
            seconds_per_step: Some(0.02),
        };
        let page = report::watch::page(&film, &credits);
        check_page(&page);
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
        let reel: serde_json::Value = serde_json::from_str(between(&page, "id=\"film\">", "</script>")[0]).unwrap();
        assert_eq!(reel["episodes"][2]["frames"].as_array().unwrap().len(), 501);
        assert_eq!(reel["channels"][2], "pole_angle");
    }
}

#[test]
fn two_films_and_their_drift_are_one_small_inert_file() {
    use heirloom::demo::drift::{At, Drift, Pair, Spread};
    use heirloom::demo::stage::Beginning;
    use heirloom::report::watch::Screening;
    let registry = Registry::standard();
    let spec = registry.resolve("pendulum").unwrap();
    let source = source("x", &registry, &spec);
    let make: MakeEnv = Arc::new(move || registry.build(&spec));
    let film = heirloom::rollout::film(&source.policy, &make, 20, Choice::Mode, 0, &Stop::new()).unwrap();
    for (name, distance) in ["pendulum"].iter().chain(&HOSTILE).flat_map(|name| [0.0, 1.0, 1e300].map(|distance| (name, distance))) {
        let spread = Spread { low: 0.0, median: distance, high: distance };
        let pair = |episode| Pair {
            episode,
            beginning: Beginning::Own,
            steps: [2, 1],
            returns: [1.0, distance],
            ended: true,
            apart: [Some(1), None],
        };
        let drift = Drift {
            channels: (0..9).map(|index| (format!("{name}{index}"), 1.0)).collect(),
            left_out: vec![((*name).to_owned(), "never varied")],
            steps: (0..300).map(|step| At { running: 300 - step, distance: spread, channels: vec![spread; 9] }).collect(),
            pairs: (0..3).map(pair).collect(),
        };
        let different = [((*name).to_owned(), (*name).to_owned(), String::new())];
        let sections = report::drift::sections(&drift, name, name, &different);
        let credits = Credits {
            kicker: "Replay".to_owned(),
            title: (*name).to_owned(),
            about: (*name).to_owned(),
            notes: vec![(*name).to_owned()],
            command: (*name).to_owned(),
            seconds_per_step: None,
        };
        let films = [Screening { name, film: &film }; 2];
        let page = report::watch::page_of_two(films, &credits, &sections, report::drift::STYLE);
        check_page(&page);
        check_drawings(&page);
        assert!(page.len() < 3_000_000, "{} bytes", page.len());
        assert!(
            page.contains("open loop") && page.contains("id=\"film\"") && page.contains("id=\"beside\"") && !page.contains("<script>alert")
        );
    }
}
