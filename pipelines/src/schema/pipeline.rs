//! `[pipeline]`: name, order and retries.

use crate::hours::Hours;
use crate::model::{Pipeline, Retry};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use std::time::Duration;
use toml::Spanned;

/// Longest name of a pipeline; it becomes a folder's name through `{pipeline}`.
const NAME_BYTES_MAX: usize = 64;

/// Most jobs of one pipeline at once; a machine has fewer cores than this.
const CONCURRENCY_MAX: i64 = 256;

/// Most attempts of one job.
const ATTEMPTS_MAX: i64 = 100;

/// Bounds of a worker's memory in MiB: less than the first no file gets by with, more than the second
/// no machine has.
const MEMORY_MIB_MIN: i64 = 64;
const MEMORY_MIB_MAX: i64 = 1 << 24;

/// Bounds of a worker's open files: with fewer than the first a pipeline of a few exports does not run, and more than
/// the second no usual Linux allows (`fs.nr_open`).
const OPEN_FILES_MIN: i64 = 64;
const OPEN_FILES_MAX: i64 = 1 << 20;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// Longest `keep_for`: a hundred years.
const KEEP_FOR_MAX: Duration = Duration::from_hours(24 * 36_525);

pub(super) const KEYS: &[Key] = &[
    Key::required(
        "name",
        Kind::Text,
        "letters, digits, `-`, `_` and `.`; jobs are identified by this name",
    ),
    Key::optional("description", Kind::Text, "One sentence for people."),
    Key::optional(
        "concurrency",
        Kind::Integer { min: 1, max: CONCURRENCY_MAX },
        "Maximum number of concurrent jobs of this pipeline.",
    ),
    Key::optional(
        "priority",
        Kind::Integer { min: -1000, max: 1000 },
        "Jobs with a higher priority run first; 0 by default.",
    ),
    Key::optional(
        "timeout",
        Kind::Duration { min: SECOND, max: Duration::from_hours(7 * 24) },
        "Time limit of an attempt, such as \"30m\"; \"6h\" by default.",
    ),
    Key::optional(
        "max_memory_mib",
        Kind::Integer { min: MEMORY_MIB_MIN, max: MEMORY_MIB_MAX },
        "Memory limit of an attempt of `watch`, in MiB; 2048 by default.",
    ),
    Key::optional(
        "max_open_files",
        Kind::Integer { min: OPEN_FILES_MIN, max: OPEN_FILES_MAX },
        "Maximum number of open files of a worker of `watch`; 512 by default.",
    ),
    Key::optional(
        "timezone",
        Kind::Text,
        "IANA time zone, such as \"Europe/Berlin\"; default: that of the machine.",
    ),
    Key::optional(
        "hours",
        Kind::Texts,
        "When its jobs may start, such as \"22:00-06:00\" or [\"mon-fri 20:00-06:00\", \
        \"sat-sun\"]; default: always.",
    ),
    Key::optional(
        "keep_for",
        Kind::Duration { min: Duration::from_hours(1), max: KEEP_FOR_MAX },
        "Age at which `watch` deletes files that it made and nobody changed, such as \"90d\"; \
        default: never.",
    ),
    Key::optional("retry", Kind::Table(RETRY_KEYS), "Retries after transient errors."),
];

const RETRY_KEYS: &[Key] = &[
    Key::optional(
        "attempts",
        Kind::Integer { min: 1, max: ATTEMPTS_MAX },
        "Maximum number of attempts; 3 by default.",
    ),
    Key::optional(
        "backoff",
        Kind::DurationRange { min: Duration::ZERO, max: DAY },
        "First and longest wait between attempts, such as \"30s..10m\"; the wait doubles each \
        time.",
    ),
];

pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>, pipeline: &mut Pipeline) {
    if let Some(name) = values.text("name") {
        if !is_name(name.get_ref()) {
            sink.error(
                "bad-name",
                name.span(),
                format!("`{}` is not a valid pipeline name", name.get_ref()),
            )
            .help(format!(
                "use letters, digits, `-`, `_` and `.`, a letter or digit first, at most \
                {NAME_BYTES_MAX}"
            ));
        }
        pipeline.name = name.into_inner();
    }
    if let Some(description) = values.text("description") {
        pipeline.description = description.into_inner();
    }
    if let Some(count) = values.integer("concurrency") {
        pipeline.concurrency = usize::try_from(*count.get_ref()).unwrap_or(1);
    }
    if let Some(priority) = values.integer("priority") {
        pipeline.priority = i32::try_from(*priority.get_ref()).unwrap_or(0);
    }
    if let Some(timeout) = values.duration("timeout") {
        pipeline.timeout = timeout.into_inner();
    }
    if let Some(mib) = values.integer("max_memory_mib") {
        pipeline.memory_bytes_max = u64::try_from(*mib.get_ref()).ok().map(|mib| mib << 20);
    }
    if let Some(count) = values.integer("max_open_files") {
        pipeline.open_files_max = u64::try_from(*count.get_ref()).ok();
    }
    if let Some(keep_for) = values.duration("keep_for") {
        pipeline.keep_for = Some(keep_for.into_inner());
    }
    if let Some(retry) = values.table("retry") {
        pipeline.retry = read_retry(retry, pipeline.retry);
    }
    read_timezone(sink, values, pipeline);
    for text in values.texts("hours").map(Spanned::into_inner).unwrap_or_default() {
        match Hours::parse(text.get_ref()) {
            Ok(hours) => pipeline.hours.push(hours),
            Err(reason) => {
                sink.error("bad-hours", text.span(), format!("`{}` {reason}", text.get_ref())).help(
                    "write days, times or both, such as \"22:00-06:00\", \"sat-sun\" or \"mon-fri \
                    20:00-24:00\"",
                );
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn read_retry(values: &Values<'_>, default: Retry) -> Retry {
    let mut retry = default;
    if let Some(attempts) = values.integer("attempts") {
        retry.attempts = u32::try_from(*attempts.get_ref()).unwrap_or(1);
    }
    if let Some((min, max)) = values.duration_range("backoff") {
        (retry.backoff_min, retry.backoff_max) = (min, max);
    }
    retry
}

fn read_timezone(sink: &mut Sink<'_>, values: &Values<'_>, pipeline: &mut Pipeline) {
    let Some(timezone) = values.text("timezone") else { return };
    let name = timezone.get_ref();
    if jiff::tz::TimeZone::get(name).is_ok() {
        pipeline.timezone = Some(name.clone());
        return;
    }
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = wavemill_core::suggestion::nearest(name, known.iter().map(String::as_str));
    sink.error("unknown-timezone", timezone.span(), format!("unknown time zone `{name}`")).help(
        match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write an IANA name such as Europe/Berlin, or remove the key".to_owned(),
        },
    );
}
