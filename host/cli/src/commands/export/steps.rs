//! The steps that the flags of `export` ask for.

use super::super::CliError;
use super::super::waveform::parse_time;
use super::{Pair, number, quoted};

/// What becomes of the signal.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Edits, in this order")]
pub(super) struct Edits {
    /// Begin there: seconds, or as 1:30
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) start: Option<f64>,

    /// End there
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) end: Option<f64>,

    /// Take one side of a stereo file: left, right
    #[arg(long, value_name = "SIDE")]
    pub(super) from: Option<String>,

    /// Exchange left and right
    #[arg(long)]
    pub(super) swap: bool,

    /// Invert the polarity of all channels, or of: left, right
    #[arg(long, value_name = "CHANNEL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "all")]
    pub(super) invert: Option<String>,

    /// Remove silence at both ends
    #[arg(long)]
    pub(super) trim_silence: bool,

    /// What counts as silence, in dBFS [default: -60]
    #[arg(long, value_name = "DBFS", allow_negative_numbers = true, requires = "trim_silence")]
    pub(super) silence_threshold: Option<f64>,

    /// Silence shorter than this stays, in seconds [default: 0]
    #[arg(long, value_name = "S", requires = "trim_silence")]
    pub(super) silence_min_length: Option<f64>,

    /// What stays of longer silence, in seconds [default: 0]
    #[arg(long, value_name = "S", requires = "trim_silence")]
    pub(super) silence_pad: Option<f64>,

    /// Remove a constant offset
    #[arg(long)]
    pub(super) dc_remove: bool,

    /// Remove what lies below a frequency
    #[arg(long, value_name = "HZ")]
    pub(super) high_pass: Option<f64>,

    /// Remove what lies above a frequency
    #[arg(long, value_name = "HZ")]
    pub(super) low_pass: Option<f64>,

    /// Length of the fade-in, in seconds
    #[arg(long, value_name = "S")]
    pub(super) fade_in: Option<f64>,

    /// Length of the fade-out, in seconds
    #[arg(long, value_name = "S")]
    pub(super) fade_out: Option<f64>,

    /// linear, equal-power, cosine [default: linear]
    #[arg(long, value_name = "SHAPE")]
    pub(super) fade_shape: Option<String>,

    /// Silence added before the beginning, in seconds
    #[arg(long, value_name = "S")]
    pub(super) pad_start: Option<f64>,

    /// Silence added after the end, in seconds
    #[arg(long, value_name = "S")]
    pub(super) pad_end: Option<f64>,

    /// Frames a second [default: the source's]
    #[arg(long, value_name = "HZ")]
    pub(super) sample_rate: Option<u32>,

    /// How exact that conversion is: fast, high, best [default: best]
    #[arg(long, value_name = "QUALITY", requires = "sample_rate")]
    pub(super) sample_rate_quality: Option<String>,
}

/// How loud it becomes.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Level")]
pub(super) struct Levels {
    /// Bring soft and loud phrases of speech towards each other first
    #[arg(long)]
    pub(super) speech_level: bool,

    /// A fixed gain, in dB
    #[arg(long, value_name = "DB", allow_negative_numbers = true, group = "level")]
    pub(super) gain: Option<f64>,

    /// Largest sample afterwards, in dBFS
    #[arg(long, value_name = "DBFS", allow_negative_numbers = true, group = "level")]
    pub(super) peak: Option<f64>,

    /// Integrated loudness afterwards, in LUFS
    #[arg(long, value_name = "LUFS", allow_negative_numbers = true, group = "level")]
    pub(super) loudness: Option<f64>,

    /// Turn down what would exceed the ceiling, instead of the whole file
    #[arg(long)]
    pub(super) limit: bool,

    /// True peak of --loudness and --limit, in dBTP [default: -1]
    #[arg(long, value_name = "DBTP", allow_negative_numbers = true)]
    pub(super) ceiling: Option<f64>,

    /// The most that --loudness with --limit turns down, in dB [default: 6]
    #[arg(long, value_name = "DB", requires = "loudness", requires = "limit")]
    pub(super) max_reduction: Option<f64>,

    /// Leave a file that is so near to --loudness as it is, in LU
    #[arg(long, value_name = "LU", requires = "loudness")]
    pub(super) skip_within: Option<f64>,

    /// Make nothing louder
    #[arg(long, requires = "loudness")]
    pub(super) lower_only: bool,

    /// Count a mono file as heard from two loudspeakers
    #[arg(long, requires = "loudness")]
    pub(super) dual_mono: bool,
}

/// A step and what it is given.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) with: Vec<Pair>,
}

/// A key and its value in TOML, if there is one.
type Maybe = (&'static str, Option<String>);

/// A step that is wanted, or that was given something.
fn step<const N: usize>(name: &'static str, is_on: bool, with: [Maybe; N]) -> Option<Step> {
    let with: Vec<Pair> = with.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    (is_on || !with.is_empty()).then_some(Step { name, with })
}

fn numbered(value: Option<f64>) -> Option<String> {
    value.map(number)
}

fn word(value: Option<&str>) -> Option<String> {
    value.map(quoted)
}

fn flag(is_on: bool) -> Option<String> {
    is_on.then(|| "true".to_owned())
}

/// All steps, in the order of the help.
pub(super) fn steps(
    edits: &Edits,
    levels: &Levels,
    channels: Option<u32>,
) -> Result<Vec<Step>, CliError> {
    let Edits { start, end, from, swap, invert, trim_silence, .. } = edits;
    let from = from.as_deref();
    let steps = [
        step("range", false, [("start_s", numbered(*start)), ("end_s", numbered(*end))]),
        step(
            "remix",
            false,
            [("channels", from.map(|_| channels.unwrap_or(1).to_string())), ("from", word(from))],
        ),
        step("swap", *swap, []),
        step("invert", false, [("channel", word(invert.as_deref()))]),
        step(
            "trim-silence",
            *trim_silence,
            [
                ("threshold_dbfs", numbered(edits.silence_threshold)),
                ("min_length_s", numbered(edits.silence_min_length)),
                ("pad_s", numbered(edits.silence_pad)),
            ],
        ),
        step("dc-remove", edits.dc_remove, []),
        step("high-pass", false, [("cutoff_hz", numbered(edits.high_pass))]),
        step("low-pass", false, [("cutoff_hz", numbered(edits.low_pass))]),
        fade(edits)?,
        step(
            "pad",
            false,
            [("start_s", numbered(edits.pad_start)), ("end_s", numbered(edits.pad_end))],
        ),
        step(
            "resample",
            false,
            [
                ("sample_rate_hz", edits.sample_rate.map(|rate| rate.to_string())),
                ("quality", word(edits.sample_rate_quality.as_deref())),
            ],
        ),
        step("speech-level", levels.speech_level, []),
        step("gain", false, [("gain_db", numbered(levels.gain))]),
        step("peak-normalize", false, [("target_dbfs", numbered(levels.peak))]),
        last(levels)?,
    ];
    Ok(steps.into_iter().flatten().collect())
}

fn fade(edits: &Edits) -> Result<Option<Step>, CliError> {
    let Edits { fade_in, fade_out, fade_shape, .. } = edits;
    if fade_shape.is_some() && fade_in.is_none() && fade_out.is_none() {
        return Err(CliError::usage(
            "--fade-shape is the shape of --fade-in or --fade-out: add one",
        ));
    }
    let with = [
        ("in_s", numbered(*fade_in)),
        ("out_s", numbered(*fade_out)),
        ("shape", word(fade_shape.as_deref())),
    ];
    Ok(step("fade", false, with))
}

/// What keeps the ceiling.
fn last(levels: &Levels) -> Result<Option<Step>, CliError> {
    let ceiling = ("ceiling_dbtp", numbered(levels.ceiling));
    match levels.loudness {
        Some(target) => Ok(step(
            "loudness",
            true,
            [
                ("target_lufs", Some(number(target))),
                ceiling,
                ("mode", levels.limit.then(|| quoted("limit"))),
                ("max_reduction_db", numbered(levels.max_reduction)),
                ("skip_within_lu", numbered(levels.skip_within)),
                ("lower_only", flag(levels.lower_only)),
                ("mono", levels.dual_mono.then(|| quoted("dual"))),
            ],
        )),
        None if levels.limit => Ok(step("limit", true, [ceiling])),
        None if levels.ceiling.is_some() => {
            Err(CliError::usage("--ceiling is the ceiling of --loudness or --limit: add one"))
        }
        None => Ok(None),
    }
}
