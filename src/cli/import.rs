//! `heirloom policies import DIR --env ENV`.

use super::policies::{check_new, measure, to_json};
use super::terminal::{self, Ending, count, number};
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::policy::import::{Imported, METHOD, import};
use crate::policy::{Card, Provenance, store};
use clap::Args;
use std::path::PathBuf;

/// Take over a policy that another program trained: Stable-Baselines3, or plain PyTorch.
///
/// In the Python that it was trained in, `python tools/export_policy.py --help` says how it gets out: a folder of weights and of recorded
/// observations with the actions taken. They are done again here, and all must agree to 1e-6. Channels and actions are bound to the
/// environment's in their order. How many steps the policy was trained for nobody knows: its card says so, and no study counts them.
#[derive(Args)]
#[command(
    after_help = "Example:\n  python tools/export_policy.py sb3 cheetah.zip --algorithm SAC --env HalfCheetah-v5 --out exported\n  heirloom policies import exported --env half_cheetah --out policies/cheetah\n  heirloom transfer cheetah half_cheetah_gravity_2x --method fine-tune"
)]
pub(super) struct Import {
    /// The folder that `tools/export_policy.py` wrote
    folder: PathBuf,
    /// Short name or path of the environment that it was trained in
    #[arg(long, value_name = "ENV")]
    env: String,
    /// The new folder [default: policies/NAME, where NAME is the folder's]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(self, registry: &Registry, json: bool) -> Result<Ending> {
        let spec = registry.resolve(&self.env)?;
        let Imported { policy, manifest, agreement } = import(&self.folder, registry.build(&spec)?.spaces())?;
        let out = match (self.out, self.folder.file_name()) {
            (Some(out), _) => out,
            (None, Some(name)) => PathBuf::from("policies").join(name),
            (None, None) => return Err(Error::usage("has no name").at(self.folder.display()).hint("name the new folder with --out")),
        };
        check_new(&out)?;
        let provenance = Provenance {
            command: format!("heirloom policies import {} --env {}", self.folder.display(), self.env),
            method: METHOD.to_owned(),
            configuration: manifest,
            environment: spec.name.clone(),
            environment_ron: spec.to_ron(),
            steps: None,
            numerics: crate::nn::numerics::describe(&policy.shape.activation),
            ..Provenance::default()
        };
        let measured = measure(registry, spec, &policy, None)?;
        let card = Card { measured: Some(measured.clone()), ..Card::new(&policy, provenance, Vec::new()) };
        store::save(&out, &policy, &card)?;
        if json {
            let mut json = to_json(&out.display().to_string(), &card);
            json["agreement"] = serde_json::json!({"rows": agreement.rows, "exact": agreement.exact, "acting": agreement.acting});
            terminal::json(&json);
            return Ok(Ending::Done);
        }
        terminal::say(&format!(
            "{}: imported, budget unknown; return {} [{}, {}], digest {}",
            out.display(),
            number(measured.mean),
            number(measured.interval[0]),
            number(measured.interval[1]),
            card.digest
        ));
        terminal::note(&format!(
            "all of {} recorded actions agree: they differ by {:.1e} at most, and by {:.1e} as the policy acts, in single precision",
            count(agreement.rows as u64),
            agreement.exact,
            agreement.acting
        ));
        Ok(Ending::Done)
    }
}
