//! `[[step]]`: what is done to the audio, in order.

use super::effect;
use crate::model::{Defaults, Step, Task, When};
use crate::profiles;
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::scalar;
use crate::reader::{CHANNEL_COUNT_MAX, Key, Kind};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeTable;
use wavemill_core::descriptor::{
    ParamDefault, ParamDescriptor, ParamValue, Params, StepDescriptor,
};
use wavemill_core::processors;
use wavemill_core::suggestion::{did_you_mean, nearest};
use wavemill_core::tags::Field;

/// The name of the decoded signal in `after`; a step cannot take it.
pub(super) const DECODE: &str = "decode";

const LONGEST: Duration = Duration::from_hours(100);

pub(super) const KEYS: &[Key] = &[
    Key::optional("id", Kind::Text, "Name for `after` in exports."),
    Key::optional("use", Kind::Text, "The step: a name from `wavemill steps`."),
    effect::EFFECT,
    Key::optional("with", Kind::Params, "Its parameters."),
    effect::PRESET,
    effect::SHA256,
    effect::MAX_MEMORY_MIB,
    effect::KEEP_LENGTH,
    Key::optional("when", Kind::Table(WHEN_KEYS), "Conditions; the step runs if all of them hold."),
];

const WHEN_KEYS: &[Key] = &[
    Key::optional(
        "min_duration",
        Kind::Duration { min: Duration::ZERO, max: LONGEST },
        "Shortest duration of the source.",
    ),
    Key::optional(
        "max_duration",
        Kind::Duration { min: Duration::ZERO, max: LONGEST },
        "Longest duration of the source.",
    ),
    Key::optional(
        "channels",
        Kind::Integers { min: 1, max: CHANNEL_COUNT_MAX },
        "Channel counts of the source.",
    ),
    Key::optional(
        "min_lufs",
        Kind::Number { unit: "LUFS", min: -70.0, max: 10.0 },
        "Lowest integrated loudness of the source.",
    ),
    Key::optional(
        "max_lufs",
        Kind::Number { unit: "LUFS", min: -70.0, max: 10.0 },
        "Highest integrated loudness of the source.",
    ),
    Key::optional("tag", Kind::TextMap, "Tags of the source, such as { genre = \"Podcast\" }."),
];

/// A step that was read; `step` is `None` where it is turned off or wrong.
pub(super) struct ParsedStep {
    pub(super) id: Option<Spanned<String>>,
    pub(super) step: Option<Step>,
}

pub(super) fn read(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    defaults: &Defaults,
    folder: &Path,
    finder: &mut effect::Finder<'_>,
) -> ParsedStep {
    let id = values.text("id");
    let when = values.table("when").map(|when| read_when(sink, when)).unwrap_or_default();
    let task = read_task(sink, values, defaults, folder, finder);
    let step = task.map(|task| {
        let id = id.as_ref().map(|id| id.get_ref().clone());
        Step { id, task, when }
    });
    let is_off = |step: &Step| !defaults.normalize && step.aims_at_loudness();
    ParsedStep { id, step: step.filter(|step| !is_off(step)) }
}

fn read_task(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    defaults: &Defaults,
    folder: &Path,
    finder: &mut effect::Finder<'_>,
) -> Option<Task> {
    match (values.written("use"), values.written("effect")) {
        (Some(_), None) => {
            effect::refuse_keys(sink, values);
            read_built_in(sink, values, defaults, folder)
        }
        #[cfg(feature = "effects")]
        (None, Some(_)) => effect::read(sink, values, finder).map(Task::Effect),
        #[cfg(not(feature = "effects"))]
        (None, Some(_)) => effect::read(sink, values, finder).map(|never| match never {}),
        (Some(_), Some(span)) => {
            sink.error("contradiction", span, "a step cannot have both `use` and `effect`")
                .help("write two steps, or remove one of the keys");
            None
        }
        (None, None) => {
            sink.error("missing-key", values.span.clone(), "[[step]] has no `use`").help(
                "add `use`: the name of a step, as in use = \"loudness\"; or `effect`: the name or \
                 path of a module",
            );
            None
        }
    }
}

fn read_built_in(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    defaults: &Defaults,
    folder: &Path,
) -> Option<Task> {
    let (descriptor, span) = read_use(sink, values)?;
    let with = values.raw_table(sink, "with");
    let mut params = read_params(sink, descriptor, with, span, defaults)?;
    if let Some(key) = descriptor.audio_file() {
        let value = with.and_then(|with| with.get(key));
        place_file(
            sink,
            &mut params,
            key,
            folder,
            value.map_or(values.span.clone(), Spanned::span),
        )?;
    }
    Some(Task::BuiltIn { descriptor, params })
}

/// Makes the path of an audio file one from the root on, unless it names a genre profile; `None` where there is no
/// such file or profile.
fn place_file(
    sink: &mut Sink<'_>,
    params: &mut Params,
    key: &str,
    folder: &Path,
    span: Range<usize>,
) -> Option<()> {
    let reference = params.optional_choice(key)?;
    match profiles::of_reference(reference) {
        Some(Ok(_)) => return Some(()),
        Some(Err(reason)) => {
            sink.error("unknown-profile", span, reason);
            return None;
        }
        None => {}
    }
    let path = folder.join(reference);
    if !path.is_file() {
        let message = format!("the file {} does not exist", path.display());
        sink.error("missing-file", span, message)
            .help(format!("`{key}` is the path of an audio file, relative to the pipeline file"));
        return None;
    }
    params.set(key, ParamValue::Choice(path.to_str()?.to_owned()));
    Some(())
}

fn read_use(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
) -> Option<(&'static StepDescriptor, Range<usize>)> {
    let name = values.text("use")?;
    let descriptor = processors::step(name.get_ref());
    if descriptor.is_none() {
        let names = processors::STEPS.iter().map(|step| step.name);
        sink.error("unknown-step", name.span(), format!("unknown step `{}`", name.get_ref()))
            .help(did_you_mean(name.get_ref(), "steps", names));
    }
    Some((descriptor?, name.span()))
}

fn read_params(
    sink: &mut Sink<'_>,
    descriptor: &'static StepDescriptor,
    with: Option<&DeTable<'_>>,
    use_span: Range<usize>,
    defaults: &Defaults,
) -> Option<Params> {
    let mut given = Params::default();
    let mut written = BTreeSet::new();
    let mut is_right = true;
    for (key, value) in with.into_iter().flatten() {
        let Some(param) = descriptor.param(key.get_ref()) else {
            is_right = false;
            let names = descriptor.params.iter().map(|param| param.key);
            let message = format!("step `{}` has no key `{}`", descriptor.name, key.get_ref());
            sink.error("unknown-key", key.span(), message).help(did_you_mean(
                key.get_ref(),
                "known keys",
                names.clone(),
            ));
            // As for other keys: misspelled is not missing as well.
            written.extend(nearest(key.get_ref(), names));
            continue;
        };
        written.insert(param.key);
        let expected = (param.key, param.kind.describe());
        match scalar::param(sink, expected, value, |given| param.check(given)) {
            Some(value) => given.set(param.key, value),
            None => is_right = false,
        }
    }
    if descriptor.aims_at_loudness()
        && !written.contains("target_lufs")
        && let Some(target_lufs) = defaults.target_lufs
    {
        given.set("target_lufs", ParamValue::Number(target_lufs));
        written.insert("target_lufs");
    }
    for param in descriptor.params.iter().filter(|param| !written.contains(param.key)) {
        is_right &= !is_missing(sink, descriptor, param, use_span.clone());
    }
    if !is_right {
        return None;
    }
    descriptor
        .complete(&given)
        .map_err(|errors| {
            for error in errors {
                sink.error("bad-step", use_span.clone(), error.to_string()).maybe(None);
            }
        })
        .ok()
}

/// Notes a key that must be given and is not.
fn is_missing(
    sink: &mut Sink<'_>,
    descriptor: &StepDescriptor,
    param: &ParamDescriptor,
    span: Range<usize>,
) -> bool {
    let is_target = descriptor.aims_at_loudness() && param.key == "target_lufs";
    let is_missing = match param.default {
        ParamDefault::Required { .. } => true,
        ParamDefault::Absent => is_target,
        _ => false,
    };
    if is_missing {
        let help = if is_target {
            "add with = { target_lufs = -16.0 }, or set WAVEMILL_TARGET_LUFS".to_owned()
        } else {
            format!("add `{}` under `with`: {}", param.key, param.summary)
        };
        let message = format!("step `{}` needs the key `{}`", descriptor.name, param.key);
        sink.error("missing-key", span, message).help(help);
    }
    is_missing
}

fn read_when(sink: &mut Sink<'_>, values: &Values<'_>) -> When {
    let tag = values.text_map("tag").map(Spanned::into_inner).unwrap_or_default();
    for (name, _) in tag.iter().filter(|(name, _)| Field::named(name).is_none()) {
        let span = values.written("tag").unwrap_or_else(|| values.span.clone());
        sink.error("unknown-key", span, format!("conditions cannot use the tag `{name}`"))
            .help(did_you_mean(name, "tags", Field::ALL.into_iter().map(|(name, _)| name)));
    }
    let when = When {
        min_duration: values.duration("min_duration").map(Spanned::into_inner),
        max_duration: values.duration("max_duration").map(Spanned::into_inner),
        channels: values.numbers("channels", |count| usize::try_from(count).ok()),
        min_lufs: values.number("min_lufs").map(Spanned::into_inner),
        max_lufs: values.number("max_lufs").map(Spanned::into_inner),
        tag,
    };
    let never = matches!((when.min_duration, when.max_duration), (Some(min), Some(max)) if min > max)
        || matches!((when.min_lufs, when.max_lufs), (Some(min), Some(max)) if min > max);
    if never {
        sink.error("contradiction", values.span.clone(), "`when` is never true")
            .help("the minimum must not exceed the maximum");
    }
    when
}
