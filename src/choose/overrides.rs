//! Changing a configuration by a RON text that names only some of its fields.
//!
//! RON's own values forget the names of variants, so the text is read twice: as the configuration itself (absent fields at their
//! defaults), which says what each named field becomes, and as bare keys, which say what was named.

use crate::error::{Error, Result};
use crate::file::ron::Source;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `base` with every field that `source` names changed.
pub(super) fn merge<T: Serialize + DeserializeOwned>(base: &T, source: &Source) -> Result<T> {
    merge_some(base, source, |_| true)
}

/// The same, but for the sections that `base` does not have.
pub(super) fn merge_own<T: Serialize + DeserializeOwned>(base: &T, source: &Source) -> Result<T> {
    let own = to_json(base, source)?;
    merge_some(base, source, |section| own.get(section).is_some())
}

fn merge_some<T: Serialize + DeserializeOwned>(base: &T, source: &Source, is_wanted: impl Fn(&str) -> bool) -> Result<T> {
    let read: T = source.parse()?;
    #[expect(clippy::disallowed_types, reason = "only the keys are looked at")]
    let named: ron::Value = source.parse()?;
    let (mut merged, mut read) = (to_json(base, source)?, to_json(&read, source)?);
    if let Value::Object(sections) = &mut read {
        sections.retain(|section, _| is_wanted(section));
    }
    overwrite(&mut merged, &read, &named);
    serde_json::from_value(merged).map_err(|error| {
        // JSON has no word for them.
        let not_finite = error.to_string().contains("null");
        let message = if not_finite { "holds a number that is not finite".to_owned() } else { error.to_string() };
        Error::usage(message).at(&source.name)
    })
}

fn to_json<T: Serialize>(value: &T, source: &Source) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::usage(error.to_string()).at(&source.name))
}

#[expect(clippy::disallowed_types, reason = "only the keys are looked at")]
fn overwrite(base: &mut Value, read: &Value, named: &ron::Value) {
    let ron::Value::Map(named) = named else { return };
    let (Value::Object(base), Value::Object(read)) = (base, read) else { return };
    for (key, inside) in named.iter() {
        let ron::Value::String(key) = key else { continue };
        let Some(value) = read.get(key) else { continue };
        match base.get_mut(key) {
            // A section: go on inside. A variant's fields stand one level deeper than its keys say: it is taken whole.
            Some(section @ Value::Object(_)) if is_section(value, inside) => overwrite(section, value, inside),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[expect(clippy::disallowed_types, reason = "only the keys are looked at")]
fn is_section(value: &Value, named: &ron::Value) -> bool {
    let (Value::Object(value), ron::Value::Map(named)) = (value, named) else { return false };
    named.keys().all(|key| matches!(key, ron::Value::String(key) if value.contains_key(key)))
}
