//! How a policy adapts by inner steps: as its card says.

use super::{Configuration, Method};
use crate::file::ron;
use crate::meta::adapt;
use crate::policy::Card;

/// What the card of a meta-learned policy says of a step; the defaults for any other.
#[must_use]
pub fn adaptation_of(card: &Card) -> adapt::Config {
    let parsed = Method::parse(&card.provenance.method)
        .ok()
        .zip(ron::Source { name: "configuration".into(), text: card.provenance.configuration.clone() }.parse::<Configuration>().ok());
    let learned = parsed.and_then(|(method, configuration)| {
        if method == Method::Adapt {
            return configuration.adapt;
        }
        let meta = configuration.meta?;
        let recipe = method.recipe(&meta)?;
        Some(adapt::Config::of(&meta, recipe.inner))
    });
    learned.unwrap_or_default()
}
