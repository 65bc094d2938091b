//! The configuration of a run: the learner's section and its method's.

use super::{Method, overrides};
use crate::env::Spaces;
use crate::error::{Error, Result};
use crate::file::ron;
use crate::imitate::{adversarial, after_cloning, bc, behaviour_regularised, dagger, dapg, td3_bc};
use crate::learn::{dqn, iql, ppo, replay, sac, td3};
use crate::meta;
use crate::transfer::{fine_tune, reset_head};
use serde::{Deserialize, Serialize};

/// What `--config` and `--set` can change; a section that the method does not have is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "configuration", deny_unknown_fields)]
pub struct Configuration {
    /// The learner.
    #[serde(default)]
    pub ppo: ppo::Config,
    /// Of `fine-tune`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tune: Option<fine_tune::Config>,
    /// Of `reset-head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_head: Option<reset_head::Config>,
    /// Wherever a policy is cloned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bc: Option<bc::Config>,
    /// Of `dagger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dagger: Option<dagger::Config>,
    /// Of `gail` and `airl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<adversarial::Config>,
    /// Where a clone is trained on: of `dapg` and `behaviour-regularised`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_cloning: Option<after_cloning::Config>,
    /// Of `dapg`, and where demonstrations are a term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dapg: Option<dapg::Config>,
    /// Of `behaviour-regularised`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour_regularised: Option<behaviour_regularised::Config>,
    /// Of those that learn a start for many tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<meta::Config>,
    /// Of `rl2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rl2: Option<meta::rl2::Config>,
    /// Of `adapt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapt: Option<meta::adapt::Config>,
    /// Of `trpo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trpo: Option<meta::trpo::Config>,
    /// Of `sac` and `rlpd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sac: Option<sac::Config>,
    /// Of `td3` and `td3+bc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub td3: Option<td3::Config>,
    /// Of `td3+bc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub td3_bc: Option<td3_bc::Config>,
    /// Of `iql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iql: Option<iql::Config>,
    /// Of `dqn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dqn: Option<dqn::Config>,
}

impl Configuration {
    /// Applies a RON text that names only what it changes: a file, or one made by [`assignment`].
    ///
    /// # Errors
    /// Exit 2 for a typo, a value out of range, or a section that the method does not have.
    pub fn apply(&self, method: Method, source: &ron::Source) -> Result<Self> {
        let changed: Self = overrides::merge(self, source)?;
        // That of PPO is always there, and not always used.
        let unused = (changed.ppo != self.ppo && !self.sections().contains(&"ppo")).then_some("ppo");
        if let Some(section) = changed.sections().into_iter().find(|section| !self.sections().contains(section)).or(unused) {
            return Err(Error::usage(format!("method `{}` has no section `{section}`", method.name()))
                .at(source.place_of(&[section]))
                .hint(format!("it has: {}", self.sections().join(", "))));
        }
        changed.checked(source)
    }

    /// The same where several methods share the text: each takes the sections that it has.
    ///
    /// # Errors
    /// Exit 2 for a typo or a value out of range.
    pub fn apply_own(&self, source: &ron::Source) -> Result<Self> {
        overrides::merge_own::<Self>(self, source)?.checked(source)
    }

    /// The learning rate of a method: that of its cloning or of its learner off policy where it has one of its own, PPO's elsewhere.
    #[must_use]
    pub fn learning_rate(&self, method: Method) -> f64 {
        *self.clone().rate(method)
    }

    /// The same configuration with that rate multiplied.
    #[must_use]
    pub fn with_rate_times(mut self, method: Method, factor: f64) -> Self {
        *self.rate(method) *= factor;
        self
    }

    fn rate(&mut self, method: Method) -> &mut f64 {
        let Self { ppo, bc, sac, td3, iql, dqn, .. } = self;
        let bc = bc.as_mut().filter(|_| method == Method::Bc).map(|bc| &mut bc.learning_rate);
        let of_sac = sac.as_mut().map(|sac| &mut sac.learning_rate);
        let of_td3 = td3.as_mut().map(|td3| &mut td3.learning_rate);
        let of_iql = iql.as_mut().map(|iql| &mut iql.learning_rate);
        let of_dqn = dqn.as_mut().map(|dqn| &mut dqn.learning_rate);
        bc.or(of_sac).or(of_td3).or(of_iql).or(of_dqn).unwrap_or(&mut ppo.learning_rate)
    }

    /// What its replay buffer holds, where it fills one.
    #[must_use]
    pub fn replay(&self, spaces: &Spaces) -> Option<replay::Size> {
        let Self { sac, td3, td3_bc, iql, dqn, .. } = self;
        // What never acts keeps nothing.
        let td3 = td3.as_ref().filter(|_| td3_bc.as_ref().is_none_or(|td3_bc| td3_bc.online_after.is_some()));
        let iql = iql.as_ref().filter(|iql| iql.online_after.is_some());
        let size = sac.as_ref().map(|sac| sac.replay(spaces));
        let size = size.or_else(|| td3.map(|td3| td3.replay(spaces)));
        size.or_else(|| iql.map(|iql| iql.replay(spaces))).or_else(|| dqn.as_ref().map(|dqn| dqn.replay(spaces)))
    }

    /// The methods' sections that it has, and whether each makes sense.
    fn of_methods(&self) -> Vec<(&'static str, Result<()>)> {
        type Checked = Option<(&'static str, Result<()>)>;
        fn of<C>(name: &'static str, section: Option<&C>, check: impl Fn(&C) -> Result<()>) -> Checked {
            section.map(|section| (name, check(section)))
        }
        let all = [
            of("fine_tune", self.fine_tune.as_ref(), |_| Ok(())),
            of("reset_head", self.reset_head.as_ref(), |_| Ok(())),
            of("bc", self.bc.as_ref(), bc::Config::check),
            of("dagger", self.dagger.as_ref(), dagger::Config::check),
            of("adversarial", self.adversarial.as_ref(), adversarial::Config::check),
            of("after_cloning", self.after_cloning.as_ref(), after_cloning::Config::check),
            of("dapg", self.dapg.as_ref(), dapg::Config::check),
            of("behaviour_regularised", self.behaviour_regularised.as_ref(), behaviour_regularised::Config::check),
            of("meta", self.meta.as_ref(), meta::Config::check),
            of("rl2", self.rl2.as_ref(), meta::rl2::Config::check),
            of("adapt", self.adapt.as_ref(), meta::adapt::Config::check),
            of("trpo", self.trpo.as_ref(), meta::trpo::Config::check),
            of("sac", self.sac.as_ref(), sac::Config::check),
            of("td3", self.td3.as_ref(), td3::Config::check),
            of("td3_bc", self.td3_bc.as_ref(), td3_bc::Config::check),
            of("iql", self.iql.as_ref(), iql::Config::check),
            of("dqn", self.dqn.as_ref(), dqn::Config::check),
        ];
        all.into_iter().flatten().collect()
    }

    /// The names of its sections: PPO's too, where nothing takes its place.
    fn sections(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.of_methods().into_iter().map(|(name, _)| name).collect();
        if !names.iter().any(|name| ["meta", "rl2", "adapt", "trpo", "sac", "td3", "iql", "dqn"].contains(name)) {
            names.insert(0, "ppo");
        }
        names
    }

    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2 with the section, the field and its range.
    pub fn check(&self) -> std::result::Result<(), (&'static str, Error)> {
        let ppo = ("ppo", self.ppo.check());
        std::iter::once(ppo).chain(self.of_methods()).try_for_each(|(section, checked)| checked.map_err(|error| (section, error)))
    }

    fn checked(self, source: &ron::Source) -> Result<Self> {
        self.check().map_err(|(section, error)| {
            // The field stands first in the message, between backticks.
            let field = error.message().split('`').nth(1).unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
            error.at(source.place_of(&[section, &field]))
        })?;
        Ok(self)
    }

    /// The configuration as RON.
    #[must_use]
    pub fn to_ron(&self) -> String {
        ron::to_text(self)
    }
}

/// `ppo.learning_rate=3e-4` as the RON text `(ppo: (learning_rate: 3e-4))`.
///
/// # Errors
/// Exit 2 when it is not an assignment.
pub fn assignment(text: &str) -> Result<ron::Source> {
    let name = format!("--set {text}");
    let (path, value) = text.split_once('=').ok_or_else(|| {
        Error::usage("is not an assignment").at(&name).hint("write --set section.field=value, for example --set ppo.learning_rate=3e-4")
    })?;
    let fields: Vec<&str> = path.trim().split('.').collect();
    let is_name = |field: &&str| !field.is_empty() && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fields.iter().all(is_name) {
        return Err(Error::usage(format!("`{path}` is not the name of a field")).at(&name));
    }
    let open = format!("({}: ", fields.join(": ("));
    Ok(ron::Source { name, text: format!("{open}{}{}", value.trim(), ")".repeat(fields.len())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Configuration {
        Method::FineTune.configuration(ppo::Config { learning_rate: 1e-3, steps: 32, ..ppo::Config::default() }, None)
    }

    fn set(text: &str) -> Result<Configuration> {
        base().apply(Method::FineTune, &assignment(text)?)
    }

    #[test]
    fn only_what_is_named_changes() {
        let changed = set("ppo.learning_rate=3e-4").unwrap();
        assert_eq!((changed.ppo.learning_rate, changed.ppo.steps), (3e-4, 32));
        let changed = set("fine_tune.critic_warm_up=0").unwrap();
        assert_eq!(changed.fine_tune.unwrap().critic_warm_up, 0);
        let changed = set("ppo.head=SquashedGaussian(initial_log_std: -1)").unwrap();
        assert_eq!(changed.ppo.head, Some(crate::nn::Head::SquashedGaussian { initial_log_std: -1.0 }));
        assert_eq!(set("ppo.target_kl=0.02").unwrap().ppo.target_kl, Some(0.02));
        assert_eq!(set("ppo.actor=[32, 32]").unwrap().ppo.actor, [32, 32]);
    }

    #[test]
    fn of_a_text_for_several_methods_each_takes_its_own_sections() {
        let shared = assignment("sac.discount=0.5").and_then(|source| base().apply_own(&source)).unwrap();
        assert_eq!(shared, base());
        let shared = assignment("fine_tune.critic_warm_up=7").and_then(|source| base().apply_own(&source)).unwrap();
        assert_eq!(shared.fine_tune.unwrap().critic_warm_up, 7);
        assert!(assignment("sac.discont=0.5").and_then(|source| base().apply_own(&source)).is_err(), "a typo is one for everybody");
    }

    #[test]
    fn typos_and_bad_values_say_what_there_is() {
        let error = set("ppo.learning_rat=1").unwrap_err();
        assert_eq!(error.place().unwrap(), "--set ppo.learning_rat=1:1:8");
        assert!(error.remedy().unwrap().starts_with("did you mean `learning_rate`?"));
        assert_eq!(set("ppo.clip=-1").unwrap_err().message(), "`clip` cannot be -1");
        assert!(set("reset_head.normalizer=Fresh").unwrap_err().message().contains("has no section"));
        for text in ["ppo", "=1", "ppo.=1", "ppo.clip=", "ppo.clip=1)(", "ppo.clip=\"x\"", "a b=1"] {
            assert!(set(text).is_err(), "{text}");
        }
    }
}
