//! `cargo xtask demo --meta`: learn to adapt in one step, on 2-D navigation, within three minutes on two cores.

use crate::child;
use crate::failure::Outcome;

/// Goals of the MAML paper's navigation, a start for all of them, and one step from there to a goal that was never trained on.
pub(crate) fn demo(arguments: &[String]) -> Outcome {
    let _ = std::fs::remove_dir_all(crate::root().join("target/demo-meta"));
    child::heading(
        "Meta-learning a start: 60 iterations of 20 goals, 20 episodes before an update and 20 after it (MAML, exact to second order)",
    );
    let run = "run --release -- meta navigation_tasks --method maml --steps 60 --evaluations 4 --set meta.splits.extrapolate=0";
    child::cargo(&format!("{run} --out target/demo-meta/start"), arguments)?;
    child::heading("From there to one goal, (0.3, 0.4), which the policy cannot see: one update on twenty episodes");
    child::cargo("run --release -- adapt target/demo-meta/start navigation --steps 1 --out target/demo-meta/adapted", &[])?;
    child::heading("The curves, and the paths before and after, are in target/demo-meta/start/adaptation.html");
    Ok(())
}
