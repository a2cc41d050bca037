//! `wavemill steps`: the manual of processing steps, from their descriptors.

use super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone};
use serde_json::{Value, json};
use wavemill_core::descriptor::{ParamDefault, ParamDescriptor, ParamKind, StepDescriptor};
use wavemill_core::processors;
use wavemill_core::suggestion::did_you_mean;

/// List the processing steps, or print the manual of one
#[derive(Debug, clap::Args)]
pub(super) struct Steps {
    /// Name of a step
    name: Option<String>,
}

impl Run for Steps {
    const NAME: &'static str = "steps";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let Some(name) = &self.name else {
            list(processors::STEPS, context)?;
            return Ok(Exit::Done);
        };
        let step = processors::step(name).ok_or_else(|| unknown(name))?;
        if context.is_json() {
            context.document(&json!({ "version": JSON_VERSION, "steps": [object(step)] }))?;
        } else {
            context.lines(manual(step, context.report.paint()))?;
        }
        Ok(Exit::Done)
    }
}

fn unknown(name: &str) -> CliError {
    let help = did_you_mean(name, "steps", processors::STEPS.iter().map(|step| step.name));
    CliError::usage(format!("unknown step `{name}`; {help}"))
}

fn list(steps: &[&'static StepDescriptor], context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        let steps: Vec<_> = steps.iter().map(|step| object(step)).collect();
        return context.document(&json!({ "version": JSON_VERSION, "steps": steps }));
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for step in steps {
        table.toned([(step.name.to_owned(), Some(Tone::Name)), (step.summary.to_owned(), None)]);
    }
    context.lines(table.lines(context.report.paint()))?;
    context.report.note("\nThe manual of one: wavemill steps NAME");
    context.report.note("Effects can be used as steps too: wavemill effects list");
    Ok(())
}

fn manual(step: &StepDescriptor, paint: Paint) -> Vec<String> {
    let mut lines = vec![
        format!("{}: {}", paint.tone(Tone::Name, step.name), step.summary),
        String::new(),
        "    [[step]]".to_owned(),
        format!("    use = \"{}\"", step.name),
    ];
    lines.extend(example(step));
    if !step.params.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Keys under `with`")]);
    }
    for param in step.params {
        let key = paint.tone(Tone::Name, param.key);
        lines.push(format!("  {key}  {}, {}", values(param.kind), default(param)));
        lines.extend(wrap(param.summary, "      "));
    }
    if !step.manual.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Notes")]);
        lines.extend(wrap(step.manual, "  "));
    }
    lines
}

/// A `with` line that names every key that has a value by default or must have one.
fn example(step: &StepDescriptor) -> Option<String> {
    let pairs: Vec<_> = step
        .params
        .iter()
        .filter_map(|param| Some(format!("{} = {}", param.key, example_value(param)?)))
        .collect();
    (!pairs.is_empty()).then(|| format!("    with = {{ {} }}", pairs.join(", ")))
}

fn example_value(param: &ParamDescriptor) -> Option<String> {
    match param.default {
        ParamDefault::Required { example } => Some(example.to_owned()),
        ParamDefault::Absent => None,
        ParamDefault::Number(value) => Some(format!("{value:?}")),
        ParamDefault::Integer(value) => Some(value.to_string()),
        ParamDefault::Bool(value) => Some(value.to_string()),
        ParamDefault::Choice(value) => Some(format!("\"{value}\"")),
    }
}

/// `number from -96 to 96 dB`.
fn values(kind: ParamKind) -> String {
    let unit_of = |unit: &str| if unit.is_empty() { String::new() } else { format!(" {unit}") };
    match kind {
        ParamKind::Number { unit, min, max } => format!("{min} to {max}{}", unit_of(unit)),
        ParamKind::Integer { unit, min, max } => {
            format!("integer, {min} to {max}{}", unit_of(unit))
        }
        ParamKind::Bool => "true or false".to_owned(),
        ParamKind::Choice(words) => {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
        }
        ParamKind::AudioFile => "path of an audio file".to_owned(),
    }
}

fn default(param: &ParamDescriptor) -> String {
    match param.default {
        ParamDefault::Required { .. } => "required".to_owned(),
        ParamDefault::Absent => "optional".to_owned(),
        ParamDefault::Number(value) => format!("default {value}"),
        ParamDefault::Integer(value) => format!("default {value}"),
        ParamDefault::Bool(value) => format!("default {value}"),
        ParamDefault::Choice(value) => format!("default \"{value}\""),
    }
}

/// Breaks a paragraph at blanks.
pub(super) fn wrap(text: &str, indent: &str) -> Vec<String> {
    wrap_at(text, indent, 88)
}

/// As [`wrap`], for lines of so many columns.
pub(super) fn wrap_at(text: &str, indent: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![indent.to_owned()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        if last.len() > indent.len() && last.len() + 1 + word.len() > columns {
            lines.push(format!("{indent}{word}"));
        } else {
            if last.len() > indent.len() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn object(step: &StepDescriptor) -> Value {
    json!({
        "name": step.name,
        "summary": step.summary,
        "manual": step.manual,
        "params": step.params.iter().map(param_object).collect::<Vec<_>>(),
    })
}

fn param_object(param: &ParamDescriptor) -> Value {
    let mut object = json!({ "key": param.key, "summary": param.summary });
    let extra = match param.kind {
        ParamKind::Number { unit, min, max } => {
            json!({ "type": "number", "unit": unit, "min": min, "max": max })
        }
        ParamKind::Integer { unit, min, max } => {
            json!({ "type": "integer", "unit": unit, "min": min, "max": max })
        }
        ParamKind::Bool => json!({ "type": "bool" }),
        ParamKind::Choice(words) => json!({ "type": "choice", "choices": words }),
        ParamKind::AudioFile => json!({ "type": "audio-file" }),
    };
    if let (Value::Object(object), Value::Object(extra)) = (&mut object, extra) {
        object.extend(extra);
    }
    object["required"] = json!(matches!(param.default, ParamDefault::Required { .. }));
    object["default"] = match param.default {
        ParamDefault::Required { .. } | ParamDefault::Absent => Value::Null,
        ParamDefault::Number(value) => json!(value),
        ParamDefault::Integer(value) => json!(value),
        ParamDefault::Bool(value) => json!(value),
        ParamDefault::Choice(value) => json!(value),
    };
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::descriptor::{ParamValue, Params};

    #[test]
    fn manual_of_gain_shows_a_block_that_can_be_copied_and_its_range() {
        let lines = manual(processors::step("gain").unwrap(), Paint::PLAIN);
        assert!(lines.contains(&"    use = \"gain\"".to_owned()), "{lines:?}");
        assert!(lines.contains(&"    with = { gain_db = -3.0 }".to_owned()), "{lines:?}");
        assert!(lines.contains(&"  gain_db  -96 to 96 dB, required".to_owned()), "{lines:?}");
    }

    /// `target_lufs = 0.0` was copied as it stood there.
    #[test]
    fn examples_of_required_keys_are_usual_values_that_the_step_accepts() {
        for step in processors::STEPS {
            for param in step.params {
                let ParamDefault::Required { example } = param.default else { continue };
                let value = match param.kind {
                    ParamKind::Number { .. } => ParamValue::Number(example.parse().unwrap()),
                    ParamKind::Integer { .. } => ParamValue::Integer(example.parse().unwrap()),
                    ParamKind::AudioFile => {
                        ParamValue::Choice(example.trim_matches('"').to_owned())
                    }
                    kind => panic!("{kind:?} has no example yet"),
                };
                let mut given = Params::default();
                given.set(param.key, value);
                assert_eq!(step.complete(&given).map(drop), Ok(()), "{} {}", step.name, param.key);
            }
        }
        let loudness = manual(processors::step("loudness").unwrap(), Paint::PLAIN).join("\n");
        assert!(loudness.contains("target_lufs = -16.0"), "{loudness}");
    }

    #[test]
    fn unknown_step_suggests_the_nearest() {
        assert!(unknown("gian").to_string().contains("did you mean `gain`"));
    }
}
