//! A rack as a pipeline file, and the other way round.

use crate::part::Part;
use crate::{SLOT_COUNT, Slots};
use std::fmt::Write as _;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::ParamValue;
use wavemill_pipelines::model::{Defaults, Task, When};
use wavemill_pipelines::{Diagnostic, Effects, load};

/// The text of a pipeline with the steps of a rack and one export: a WAV file of 32-bit floats, which holds exactly
/// what the rack plays. Characters that names of pipelines do not have become `-`.
pub fn pipeline<'p>(name: &str, parts: impl Iterator<Item = &'p Part>) -> String {
    let mut text = format!("version = 1\n\n[pipeline]\nname = \"{}\"\n", plain(name));
    for part in parts {
        text.push_str("\n[[step]]\n");
        match part.task() {
            Task::BuiltIn { descriptor, params } => {
                let _ = writeln!(text, "use = {}", quoted(descriptor.name));
                let keys = descriptor.params.iter().map(|param| param.key);
                write_values(
                    &mut text,
                    keys.filter_map(|key| Some((key, params.get(key)?.clone()))),
                );
            }
            Task::Effect(effect) => {
                let _ = writeln!(text, "effect = {}", quoted(&effect.name));
                let values = part.controls().iter().zip(part.values());
                let values = values.map(|(control, value)| {
                    let label = control.label_of(*value).map(str::to_owned);
                    (
                        control.key.as_str(),
                        label.map_or(ParamValue::Number(*value), ParamValue::Choice),
                    )
                });
                write_values(&mut text, values);
            }
        }
    }
    text.push_str(
        "\n[[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"outbox/{reldir}/{stem}.{ext}\"\n",
    );
    text
}

/// A name as pipelines have them.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).take(64).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "rack".to_owned() } else { name.to_owned() }
}

fn write_values<'k>(text: &mut String, values: impl Iterator<Item = (&'k str, ParamValue)>) {
    let mut values = values.peekable();
    if values.peek().is_some() {
        text.push_str("[step.with]\n");
    }
    for (key, value) in values {
        let value = match value {
            // With a point or an exponent: a float.
            ParamValue::Number(number) => format!("{number:?}"),
            ParamValue::Choice(word) => quoted(&word),
            other => other.to_string(),
        };
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Parts for the slots, and one line for each step that is left out or changed.
pub type Loaded = (Slots<Option<Part>>, Vec<String>);

/// What a rack plays of a pipeline, and one line for each step that it does not.
///
/// # Errors
/// Every mistake in the text.
pub fn parts(text: &str, effects: &Effects, spec: &StreamSpec) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = load(text, &Defaults::default(), effects)?;
    let mut parts: Slots<Option<Part>> = Default::default();
    let (mut count, mut notes) = (0, Vec::new());
    for step in loaded.pipeline.steps {
        let part = Part::new(step.task);
        if let Err(error) = part.build(spec, 1) {
            notes.push(format!("left out: {error}"));
            continue;
        }
        let Some(slot) = parts.get_mut(count) else {
            notes.push(format!("left out: {}: a rack has {SLOT_COUNT} slots", part.name()));
            continue;
        };
        if step.when != When::default() {
            notes.push(format!("{}: its conditions (`when`) do not hold in a rack", part.name()));
        }
        *slot = Some(part);
        count += 1;
    }
    Ok((parts, notes))
}
