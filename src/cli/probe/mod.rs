//! `heirloom probe`: JSON in, JSON out, so that anyone can check our arithmetic from outside. Floats are written with as many digits as it
//! takes to read the same bits back.

mod adam;
mod gae;
mod interval;
mod loss;
mod maml_grad;
mod normalizer;
mod step;
mod verdict;

use super::terminal::Ending;
use crate::env::Registry;
use crate::error::{Error, Result};
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;

/// Longer inputs are refused.
const CAP: u64 = 256 << 20;

const INPUTS_AND_OUTPUTS: &str = "\
Shapes are in brackets: T steps, N environments, B rows, C channels, P parameters.

step        one environment step from each given state
  in   {\"environment\": NAME, \"cases\": [{\"state\": [NUMBERS], \"action\": INDEX or [VALUES]}, ...]}
  out  {\"cases\": [{\"state\": [...], \"observation\": [...], \"reward\": r, \"terminated\": b, \"truncated\": b}, ...]}
  The state is what the simulator itself keeps (CartPole: x, x_dot, theta, theta_dot). An environment with wrappers or drawn
  parameters is refused.

gae         generalised advantage estimation
  in   {\"cases\": [{\"reward\": [T][N], \"value\": [T][N], \"next_value\": [T][N], \"terminated\": [T][N], \"truncated\": [T][N],
       \"discount\": g, \"lambda\": l}, ...]}; next_value is the value of the next state, of the cut-off one where truncated
  out  {\"cases\": [{\"f64\": [T][N], \"f32\": [T][N]}, ...]}

adam        steps of Adam, or of AdamW where weight_decay is not 0
  in   {\"parameters\": [P], \"gradients\": [STEPS][P], \"learning_rate\", \"beta1\", \"beta2\", \"epsilon\", \"weight_decay\"}
  out  {\"f64\": [STEPS][P], \"f32\": [STEPS][P]}, the parameters after each step

loss        PPO's losses and their gradients, in f64
  in   {\"log_prob\": [B], \"old_log_prob\": [B], \"advantage\": [B], \"value\": [B], \"old_value\": [B], \"returns\": [B],
       \"clip\": c, \"value_clip\": c or null}
  out  {\"surrogate\", \"value_loss\", \"approx_kl\", \"clip_fraction\", \"d_log_prob\": [B], \"d_value\": [B]}

normalizer  running moments, and values normalised by them
  in   {\"shards\": [S][ROWS][C], \"values\": [V][C]}: rows that each shard saw, then values to normalise
  out  {\"mean\": [C], \"variance\": [C], \"normalized\": [V][C]}; normalized as f32, clipped to +-10

interval    mean with Student's t-interval, and interquartile mean
  in   {\"cases\": [{\"values\": [N], \"level\": 0.95}, ...]}
  out  {\"cases\": [{\"mean\", \"low\", \"high\", \"iqm\", \"standard_deviation\"}, ...]}; null where two values are needed

verdict     the verdicts of a study, from the measure of each run; all comparisons are one family
  in   {\"comparisons\": [{\"arm\": [N], \"scratch\": [M], \"random\": r, \"reference\": R}, ...]}
  out  {\"comparisons\": [{\"verdict\": helped | hurt | equivalent | undecided, \"difference\", \"interval\": [low, high] (holds
       for all comparisons together), \"holm_interval\" (excludes 0 where it helped or hurt), \"p\", \"adjusted_p\", \"margin\", \"seeds_to_decide\", \"normalized\": [arm, scratch], \"iqm\": [arm, scratch],
       \"probability_of_improvement\"}, ...]}; verdict, intervals and p are
  null below three values, normalized where the reference is not above random

maml-grad   the meta-gradient of MAML through its inner steps, in f64: of mean(-exp(log p - old log p) A) after them
  in   {\"sizes\": [inputs, hidden ..., outputs], \"activation\": Tanh | Relu, \"discrete\": b, \"parameters\": [P], \"rate\": r,
       \"inner\": LogProb | Ratio, \"before\": [ROWS of each inner step], \"after\": ROWS}; parameters are weight [outputs][inputs] and bias of
       each layer, then the log-std where actions are not discrete; ROWS are {\"inputs\": [B][O], \"actions\": [B][A],
       \"advantages\": [B], \"log_probs\": [B]}, log_probs those of the actions when they were taken
  out  {\"adapted\": [P], \"loss\", \"second_order\": [P], \"first_order\": [P]}

Example:
  echo '{\"environment\": \"cartpole\", \"cases\": [{\"state\": [0.01, 0.02, 0.03, 0.04], \"action\": 1}]}' | heirloom probe step";

/// Feed recorded cases to one computation and read its exact answers: JSON on stdin, JSON on stdout.
///
/// Floats are written with as many digits as it takes to read the same bits back.
#[derive(Args)]
#[command(after_help = INPUTS_AND_OUTPUTS)]
pub(super) struct Probe {
    /// The computation
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Single environment steps from given states
    Step,
    /// Generalised advantage estimation
    Gae,
    /// Steps of Adam or `AdamW`
    Adam,
    /// PPO's losses and their gradients
    Loss,
    /// Running moments and normalised values
    Normalizer,
    /// Mean with t-interval, and interquartile mean
    Interval,
    /// The verdicts of a study from its runs' values
    Verdict,
    /// The meta-gradient of MAML through its inner steps
    MamlGrad,
}

impl Probe {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.what {
            What::Step => answer(|input| step::answer(registry, input)),
            What::Gae => answer(|input| gae::answer(&input)),
            What::Adam => answer(|input| adam::answer(&input)),
            What::Loss => answer(|input| loss::answer(&input)),
            What::Normalizer => answer(|input| normalizer::answer(&input)),
            What::Interval => answer(|input| interval::answer(&input)),
            What::Verdict => answer(|input| verdict::answer(&input)),
            What::MamlGrad => answer(maml_grad::answer),
        }
    }
}

fn answer<I: DeserializeOwned, O: Serialize>(compute: impl FnOnce(I) -> Result<O>) -> Result<Ending> {
    let mut text = String::new();
    std::io::stdin().take(CAP).read_to_string(&mut text).map_err(|error| Error::usage(format!("cannot read stdin: {error}")))?;
    let input = serde_json::from_str(&text)
        .map_err(|error| Error::usage(error.to_string()).at("stdin").hint("`heirloom probe --help` describes every input"))?;
    let output = serde_json::to_string(&compute(input)?).map_err(|error| Error::usage(error.to_string()))?;
    super::terminal::say(&output);
    Ok(Ending::Done)
}

/// Fails unless all lists have one length.
fn same_length(lists: &[(&str, usize)]) -> Result<usize> {
    let (first, length) = lists[0];
    match lists.iter().find(|(_, other)| *other != length) {
        Some((name, other)) => Err(Error::usage(format!("`{first}` has {length} entries, `{name}` {other}")).at("stdin")),
        None => Ok(length),
    }
}

/// Flattens `[T][N]` and gives `N`.
fn flat<T: Copy>(name: &str, rows: &[Vec<T>]) -> Result<(Vec<T>, usize)> {
    let columns = rows.first().map_or(0, Vec::len);
    if columns == 0 || rows.iter().any(|row| row.len() != columns) {
        return Err(Error::usage(format!("`{name}` is empty or its rows differ in length")).at("stdin"));
    }
    Ok((rows.concat(), columns))
}
