//! The flags of `export` that make steps. What a flag takes, its help and its default are those of the step's
//! descriptor. **Adding one: a line in [`EDITS`] or [`LEVELS`].**

use crate::commands::CliError;
use crate::commands::clock_time::parse_time;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::fmt::Write as _;
use wavemill_core::descriptor::{ParamDefault, ParamDescriptor, ParamKind, StepDescriptor};
use wavemill_core::processors;
use wavemill_pipelines::profiles;
use wavemill_pipelines::toml_text::{Pair, number, quoted};

/// A flag and what it says of a step.
pub(in crate::commands) struct StepFlag {
    /// Without the dashes.
    pub(in crate::commands) name: &'static str,
    /// The steps that it may be about: that of the pipeline is the first that others do not rule out.
    pub(in crate::commands) steps: &'static [&'static str],
    takes: FlagMeaning,
    /// Flags that it means nothing without.
    requires: &'static [&'static str],
    /// Its help, where it means something else than its key.
    about: Option<&'static str>,
}

/// What a flag stands for.
enum FlagMeaning {
    /// A value of this key.
    Key(&'static str),
    /// A time of this key, in seconds or as 1:30.
    Time(&'static str),
    /// A word of this key; the second is meant where none is given.
    WordOr(&'static str, &'static str),
    /// Nothing: this word of this key.
    Word(&'static str, &'static str),
    /// The path of a file for this key, relative to the working folder.
    File(&'static str),
    /// Nothing: the step as it is.
    Step,
}

impl StepFlag {
    /// The key of its step, if it has one.
    pub(in crate::commands) fn key(&self) -> Option<&'static str> {
        match self.takes {
            FlagMeaning::Key(key)
            | FlagMeaning::Time(key)
            | FlagMeaning::WordOr(key, _)
            | FlagMeaning::Word(key, _)
            | FlagMeaning::File(key) => Some(key),
            FlagMeaning::Step => None,
        }
    }

    fn step(&self) -> &'static StepDescriptor {
        processors::step(self.steps[0]).expect("a test looks for the step of each flag")
    }

    fn param(&self) -> Option<&'static ParamDescriptor> {
        let key = self.key()?;
        self.step().params.iter().find(|param| param.key == key)
    }

    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name).long(self.name).requires_all(self.requires);
        let Some(param) = self.param() else {
            return arg.action(ArgAction::SetTrue).help(self.step().summary.trim_end_matches('.'));
        };
        let has_default = !self.requires.is_empty() || self.steps.len() > 1;
        let arg = arg.help(self.about.map_or_else(|| help(param, has_default), str::to_owned));
        match (&self.takes, param.kind) {
            (FlagMeaning::Word(..), _) | (_, ParamKind::Bool) => arg.action(ArgAction::SetTrue),
            (FlagMeaning::Time(_), _) => arg.value_name("TIME").value_parser(parse_time),
            (FlagMeaning::WordOr(_, word), ParamKind::Choice(_)) => arg
                .value_name("WORD")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value(*word),
            (_, ParamKind::Choice(_)) => arg.value_name("WORD"),
            (_, ParamKind::AudioFile) => arg.value_name("FILE").value_parser(parse_file),
            (_, ParamKind::Integer { unit, .. }) => {
                arg.value_name(value_name(unit)).value_parser(value_parser!(i64))
            }
            // A negative number out of range is better refused than taken for a flag.
            (_, ParamKind::Number { unit, .. }) => arg
                .value_name(value_name(unit))
                .value_parser(parse_number)
                .allow_negative_numbers(true),
        }
    }

    /// What it gives its step, as TOML; `None` where it was not given.
    fn value(&self, matches: &ArgMatches) -> Option<FlagValue> {
        let word = |text: &String| quoted(text);
        let value = match (&self.takes, self.param().map(|param| param.kind)) {
            (FlagMeaning::Step, _) => {
                return matches.get_flag(self.name).then_some(FlagValue::Step);
            }
            (FlagMeaning::Word(_, word), _) => matches.get_flag(self.name).then(|| quoted(word)),
            (_, Some(ParamKind::Bool)) => matches.get_flag(self.name).then(|| "true".to_owned()),
            (_, Some(ParamKind::Integer { .. })) => {
                matches.get_one::<i64>(self.name).map(ToString::to_string)
            }
            (_, Some(ParamKind::Number { .. })) => {
                matches.get_one::<f64>(self.name).map(|value| number(*value))
            }
            (_, Some(ParamKind::Choice(_) | ParamKind::AudioFile) | None) => {
                matches.get_one::<String>(self.name).map(word)
            }
        };
        Some(FlagValue::Pair((self.key()?, value?)))
    }
}

/// What a flag gives its step.
#[derive(Clone, Debug, PartialEq)]
enum FlagValue {
    /// Nothing but that it is wanted.
    Step,
    Pair(Pair),
}

/// A path that means the same in any folder.
fn parse_file(text: &str) -> Result<String, String> {
    if let Some(profile) = profiles::of_reference(text) {
        return profile.map(|_| text.to_owned());
    }
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    path.into_os_string().into_string().map_err(|_| "is not valid UTF-8".to_owned())
}

fn parse_number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

fn value_name(unit: &'static str) -> &'static str {
    if unit.is_empty() { "N" } else { unit }
}

/// What a flag sets, the words it takes, and, where another flag asks for its step, what holds without it.
fn help(param: &ParamDescriptor, has_default: bool) -> String {
    let mut text = param.summary.trim_end_matches('.').to_owned();
    if let ParamKind::Choice(words) = param.kind {
        let _ = write!(text, ": {}", words.join(", "));
    }
    let default = match param.default {
        ParamDefault::Number(value) => Some(value.to_string()),
        ParamDefault::Integer(value) => Some(value.to_string()),
        ParamDefault::Choice(value) => Some(value.to_owned()),
        ParamDefault::Required { .. } | ParamDefault::Absent | ParamDefault::Bool(_) => None,
    };
    if let Some(default) = default.filter(|_| has_default) {
        let _ = write!(text, " [default: {default}]");
    }
    text
}

const fn row(name: &'static str, steps: &'static [&'static str], takes: FlagMeaning) -> StepFlag {
    StepFlag { name, steps, takes, requires: &[], about: None }
}

impl StepFlag {
    const fn with(self, requires: &'static [&'static str]) -> Self {
        Self { requires, ..self }
    }

    const fn about(self, about: &'static str) -> Self {
        Self { about: Some(about), ..self }
    }
}

/// What becomes of the signal. Steps come in this order.
#[rustfmt::skip]
pub(in crate::commands) static EDITS: &[StepFlag] = &[
    row("start", &["range"], FlagMeaning::Time("start_s")),
    row("end", &["range"], FlagMeaning::Time("end_s")),
    row("from", &["remix"], FlagMeaning::Key("from")),
    row("swap", &["swap"], FlagMeaning::Step),
    row("invert", &["invert"], FlagMeaning::WordOr("channel", "all")),
    row("trim-silence", &["trim-silence"], FlagMeaning::Step),
    row("silence-threshold", &["trim-silence"], FlagMeaning::Key("threshold_dbfs")).with(&["trim-silence"]),
    row("silence-min-length", &["trim-silence"], FlagMeaning::Key("min_length_s")).with(&["trim-silence"]),
    row("silence-pad", &["trim-silence"], FlagMeaning::Key("pad_s")).with(&["trim-silence"]),
    row("dc-remove", &["dc-remove"], FlagMeaning::Step),
    row("high-pass", &["high-pass"], FlagMeaning::Key("cutoff_hz")),
    row("low-pass", &["low-pass"], FlagMeaning::Key("cutoff_hz")),
    row("fade-in", &["fade"], FlagMeaning::Key("in_s")),
    row("fade-out", &["fade"], FlagMeaning::Key("out_s")),
    row("fade-shape", &["fade"], FlagMeaning::Key("shape")),
    row("pad-start", &["pad"], FlagMeaning::Key("start_s")),
    row("pad-end", &["pad"], FlagMeaning::Key("end_s")),
    row("sample-rate", &["resample"], FlagMeaning::Key("sample_rate_hz")),
    row("sample-rate-quality", &["resample"], FlagMeaning::Key("quality")).with(&["sample-rate"]),
];

/// How loud it becomes. `--limit` is the mode of `loudness`, or the step `limit`.
#[rustfmt::skip]
pub(in crate::commands) static LEVELS: &[StepFlag] = &[
    row("speech-level", &["speech-level"], FlagMeaning::Step),
    row("gain", &["gain"], FlagMeaning::Key("gain_db")),
    row("peak", &["peak-normalize"], FlagMeaning::Key("target_dbfs")),
    row("match", &["match"], FlagMeaning::File("reference"))
        .about("Audio file to match, or a genre profile, such as \"profile:techno-deep\""),
    row("match-amount", &["match"], FlagMeaning::Key("amount")).with(&["match"]),
    row("match-max-eq", &["match"], FlagMeaning::Key("max_eq_db")).with(&["match"]),
    row("match-phase", &["match"], FlagMeaning::Key("phase")).with(&["match"]),
    row("match-character", &["match"], FlagMeaning::Key("character")).with(&["match"]),
    row("match-max-reduction", &["match"], FlagMeaning::Key("max_reduction_db")).with(&["match"]),
    row("loudness", &["loudness"], FlagMeaning::Key("target_lufs")),
    row("limit", &["limit"], FlagMeaning::Step),
    row("ceiling", &["loudness", "limit", "match"], FlagMeaning::Key("ceiling_dbtp")),
    row("character", &["loudness", "limit"], FlagMeaning::Key("character")).with(&["limit"]),
    row("release", &["loudness", "limit"], FlagMeaning::Key("release_ms")).with(&["limit"]),
    row("max-reduction", &["loudness"], FlagMeaning::Key("max_reduction_db")).with(&["loudness", "limit"]),
    row("skip-within", &["loudness"], FlagMeaning::Key("skip_within_lu")).with(&["loudness"]),
    row("lower-only", &["loudness"], FlagMeaning::Key("lower_only")).with(&["loudness"]),
    row("dual-mono", &["loudness"], FlagMeaning::Word("mono", "dual")).with(&["loudness"])
        .about("Measure a mono file as played by two loudspeakers: 3 LU louder"),
];

/// A step and what it is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) with: Vec<Pair>,
}

/// What the flags said, in the order of the steps.
#[derive(Clone, Debug, Default)]
pub(super) struct StepFlags(Vec<(&'static str, &'static [&'static str], FlagValue)>);

impl clap::FromArgMatches for StepFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = EDITS.iter().chain(LEVELS);
        Ok(Self(
            given.filter_map(|flag| Some((flag.name, flag.steps, flag.value(matches)?))).collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for StepFlags {
    fn augment_args(command: Command) -> Command {
        command
            .next_help_heading("Edits, in this order")
            .args(EDITS.iter().map(StepFlag::arg))
            .next_help_heading("Level")
            .args(LEVELS.iter().map(StepFlag::arg))
            .group(clap::ArgGroup::new("level").args(["gain", "peak", "match", "loudness"]))
            .mut_arg("limit", |arg| arg.conflicts_with("match"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl StepFlags {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(flag, ..)| *flag == name)
    }

    /// The steps, in the order of the help.
    ///
    /// # Errors
    /// When flags mean nothing without another.
    pub(super) fn steps(&self, channels: Option<u32>) -> Result<Vec<Step>, CliError> {
        let (is_aimed, is_limited) = (self.has("loudness"), self.has("limit"));
        let is_matched = self.has("match");
        if self.has("fade-shape") && !self.has("fade-in") && !self.has("fade-out") {
            let why = "--fade-shape needs --fade-in or --fade-out";
            return Err(CliError::usage(why));
        }
        if self.has("ceiling") && !is_aimed && !is_limited && !is_matched {
            let why = "--ceiling needs --loudness, --limit or --match";
            return Err(CliError::usage(why));
        }
        let mut steps: Vec<Step> = Vec::new();
        for (_, names, given) in &self.0 {
            let name = match names {
                [_, _, third] if is_matched => third,
                [_, second, ..] if !is_aimed => second,
                names => names[0],
            };
            let given = match given {
                FlagValue::Step if name == "limit" && is_aimed => {
                    FlagValue::Pair(("mode", quoted("limit")))
                }
                given => given.clone(),
            };
            let name = if name == "limit" && is_aimed { "loudness" } else { name };
            if steps.last().is_none_or(|last| last.name != name) {
                // A side becomes a file of one channel, unless another number was asked for.
                let with = if name == "remix" {
                    vec![("channels", channels.unwrap_or(1).to_string())]
                } else {
                    Vec::new()
                };
                steps.push(Step { name, with });
            }
            if let (Some(step), FlagValue::Pair(pair)) = (steps.last_mut(), given) {
                step.with.push(pair);
            }
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_stands_for_a_step_and_a_key_that_are_there() {
        for flag in EDITS.iter().chain(LEVELS) {
            for name in flag.steps {
                let step = processors::step(name).unwrap_or_else(|| panic!("{name}"));
                let Some(key) = flag.key() else { continue };
                assert!(step.params.iter().any(|param| param.key == key), "{name} {key}");
            }
        }
    }
}
