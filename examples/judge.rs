//! What `heirloom judge` does, with library calls: does it help to hand the shipped CartPole policy down to a motor that is wired the wrong
//! way round? Plans a study that fits a minute, runs it, prints the verdict, and writes the page.
//! `cargo run --release --example judge`

#![expect(clippy::print_stdout, reason = "a program of its own")]

use heirloom::env::Registry;
use heirloom::file::disk;
use heirloom::nn::autograd;
use heirloom::parallel::Pool;
use heirloom::report;
use heirloom::stop::Stop;
use heirloom::study::file::SourceFile;
use heirloom::study::looks;
use heirloom::study::proposal::{fitting, propose};
use heirloom::study::schedule::{self, Watch};
use heirloom::study::{Changes, Definition, Results};
use std::path::Path;
use std::time::Duration;

/// Says when the study begins; a program of your own might draw a bar.
struct Narrator;

impl Watch for Narrator {
    fn planned(&self, cells: usize, steps: u64) {
        println!("{cells} runs, {steps} environment steps");
    }
}

fn main() -> heirloom::Result<()> {
    autograd::configure_process();
    let registry = Registry::standard();
    let pool = Pool::new(2, autograd::use_one_thread)?;

    let out = Path::new("target/judge-example");
    disk::create_folder(out)?;
    let plan = out.join("study.ron");
    if !plan.exists() {
        // What fits a minute depends on the machine: a plan is made once, and kept.
        let question = propose(SourceFile::Policy("cartpole".into()), "cartpole_reversed", &registry)?;
        let proposal = fitting(&question, Duration::from_secs(60), pool.threads(), &registry)?;
        disk::write(&plan, proposal.text.as_bytes())?;
    }
    let definition = Definition::read(&plan, &registry, &Changes::default())?;

    let before = looks::before(out)?;
    let cache = schedule::shared_cache();
    let ran = pool.enter(|| schedule::run(&definition, out, cache, &registry, &pool, &Stop::new(), &Narrator))?;
    let results = Results::new(&definition, ran.expect("nobody asked it to stop"));

    for (pair, found) in definition.pairs.iter().zip(&results.pairs) {
        for arm in found.speaking() {
            println!("{}", report::words::sentence(pair, found, arm));
        }
    }
    let exploratory = before.look(out, &definition)?;
    let page = out.join("report.html");
    disk::write(&page, report::study::page(&definition, &results, exploratory.as_deref(), &registry).as_bytes())?;
    println!("{}", page.display());
    Ok(())
}
