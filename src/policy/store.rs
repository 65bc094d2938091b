//! A policy as a folder: `policy.ron` (the card) and `weights.safetensors`, written whole or not at all, read with every check before any
//! tensor is believed.

use super::card::Card;
use super::{Policy, card};
use crate::error::{Error, Kind, Result};
use crate::file::tensors::{self, Tensors};
use crate::file::{digest, disk, ron};
use crate::nn::params::check_finite;
use crate::nn::{Moments, Normalizer, Params};
use std::path::Path;

/// Room for a header, and for moments and standard deviations beside the networks' numbers.
pub(super) const HEADER_ROOM: u64 = 4 << 20;

/// The card's file name.
pub const CARD: &str = "policy.ron";
/// The weights' file name.
pub const WEIGHTS: &str = "weights.safetensors";

/// The files of a policy, ready to be written. The card's digests are filled in.
#[must_use]
pub fn to_files(policy: &Policy, card: &Card) -> [(&'static str, Vec<u8>); 2] {
    let weights = tensors::to_bytes(&policy.tensors());
    let card = Card { digest: policy.digest(), weights: digest::of_bytes(&weights), ..card.clone() };
    [(CARD, ron::to_text(&card).into_bytes()), (WEIGHTS, weights)]
}

/// Writes a policy folder; one of that name is replaced in one step.
///
/// # Errors
/// Exit 6 when the disk refuses; what was there is then untouched.
pub fn save(folder: &Path, policy: &Policy, card: &Card) -> Result<()> {
    let files = to_files(policy, card);
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    disk::write_folder(folder, &files)
}

/// Reads a policy folder.
///
/// # Errors
/// Exit 3 when anything about it is not as its card says; 6 when it cannot be read.
pub fn load(folder: &Path) -> Result<(Policy, Card)> {
    if !folder.join(CARD).is_file() {
        return Err(Error::usage(format!("there is no policy: `{CARD}` is missing"))
            .at(folder.display())
            .hint("name a policy folder, a run folder, or one of `heirloom policies`"));
    }
    let card = load_card(folder)?;
    let path = folder.join(WEIGHTS);
    let read = || from_weights(&disk::read(&path, size_of_numbers(&card)?.saturating_add(HEADER_ROOM))?, &card);
    let policy = read().map_err(|error| match error.kind() {
        Kind::Io => error,
        _ => error.as_kind(Kind::Artefact).at(path.display()),
    })?;
    Ok((policy, card))
}

/// A policy as one file: its tensors as safetensors, its card as the text that they carry. Any reader of safetensors opens it.
///
/// # Errors
/// Exit 3 when the card is longer than such a text may be.
pub fn pack(policy: &Policy, card: &Card) -> Result<Vec<u8>> {
    let card = ron::to_text(card);
    if card.len() as u64 > ron::CAP {
        return Err(Error::artefact(format!("the card has {} bytes, more than a packed policy carries", card.len())));
    }
    Ok(tensors::to_bytes_with(&policy.tensors(), &card))
}

/// Reads what [`pack`] wrote, with every check of a policy's folder. `name` stands in errors.
///
/// # Errors
/// Exit 3 when anything about it is not as its card says.
pub fn unpack(bytes: &[u8], name: &str) -> Result<(Policy, Card)> {
    let read = || {
        let text = tensors::text(bytes)?;
        let card: Card = ron::Source { name: format!("the card in {name}"), text }.parse()?;
        card.check()?;
        // The same tensors without the text: the file whose digest the card has.
        let weights = tensors::to_bytes(&tensors::from_bytes(bytes)?);
        let policy = from_weights(&weights, &card)?;
        Ok((policy, card))
    };
    read().map_err(|error: Error| error.as_kind(Kind::Artefact).at(name))
}

/// Reads and checks a policy's card alone.
///
/// # Errors
/// As [`load`].
pub fn load_card(folder: &Path) -> Result<Card> {
    let path = folder.join(CARD);
    let card: Card = ron::read_artefact(&path)?;
    card.check().map_err(|error| error.at(path.display()))?;
    Ok(card)
}

fn from_weights(bytes: &[u8], card: &Card) -> Result<Policy> {
    let numbers = size_of_numbers(card)?;
    if (bytes.len() as u64) < numbers {
        return Err(Error::artefact(format!("is {} bytes long; the card describes {numbers} bytes of numbers", bytes.len())));
    }
    if digest::of_bytes(bytes) != card.weights {
        return Err(Error::artefact("is not the file that the card describes: its SHA-256 differs"));
    }
    let mut left: Tensors = tensors::from_bytes(bytes)?;
    let mut params = Params::zeros(card.architecture.layout());
    params.load("", &mut left)?;
    params.check_finite()?;
    let inputs = card.architecture.inputs;
    let normalizer = if card.normalizes_observations {
        Some(Normalizer::new(Moments::load(inputs, super::OBSERVATION_MOMENTS, &mut left)?))
    } else {
        None
    };
    let return_moments = if card.normalizes_returns { Some(Moments::load(1, super::RETURN_MOMENTS, &mut left)?) } else { None };
    let inner_rates = if card.adapts {
        let layout = card.architecture.actor_layout();
        let rates = tensors::take_f32(&mut left, super::INNER_RATES, &[layout.len()])?;
        check_finite(&layout, &rates).map_err(|error| error.at(super::INNER_RATES))?;
        Some(rates)
    } else {
        None
    };
    if let Some(name) = left.keys().next() {
        return Err(Error::artefact("is a tensor that the card does not know").at(name.escape_debug()));
    }
    let policy = Policy { shape: card.architecture.clone(), spaces: card.spaces.clone(), params, normalizer, return_moments, inner_rates };
    if policy.digest() != card.digest {
        return Err(Error::artefact("the policy's digest is not the one on its card"));
    }
    Ok(policy)
}

/// Bytes of the numbers that a card describes. Nothing is allocated by what a card says before the file is known to hold as much.
fn size_of_numbers(card: &card::Card) -> Result<u64> {
    let shape = &card.architecture;
    let numbers = |hidden: &[usize], outputs: usize| {
        let sizes = [&[shape.features()], hidden, &[outputs]].concat();
        sizes.windows(2).try_fold(0_u64, |sum, pair| sum.checked_add((pair[0] as u64 + 1).checked_mul(pair[1] as u64)?))
    };
    // Inner rates are as many as the actor's parameters.
    let actors = if card.adapts { 2 } else { 1 };
    let memory = 3_u64.checked_mul(shape.memory as u64).zip((shape.inputs as u64).checked_add(shape.memory as u64 + 2));
    let total =
        numbers(&shape.actor, shape.outputs).zip(numbers(&shape.critic, 1)).zip(memory).and_then(|((actor, critic), (rows, columns))| {
            actor.checked_mul(actors)?.checked_add(critic)?.checked_add(rows.checked_mul(columns)?)?.checked_mul(4)
        });
    total.ok_or_else(|| Error::artefact("the card's sizes overflow"))
}
