//! `[[export]]`: the audio files a pipeline makes.

use super::lossy;
use super::step::DECODE;
use super::template;
use crate::ceiling;
use crate::model::{After, Dither, Export, OnConflict, Step};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::scalar::{as_integer, wrong_type};
use crate::reader::{CHANNEL_COUNT_MAX, Key, Kind};
use crate::template::Template;
use toml::Spanned;
use toml::de::DeValue;
use wavemill_core::audio::{PcmFormat, SampleFormat};
use wavemill_core::encode::{self, FormatDescriptor};
use wavemill_core::limits::{SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN};
use wavemill_core::suggestion::did_you_mean;
use wavemill_core::units::SampleRate;

/// Bit depths by number and by name.
#[rustfmt::skip]
pub(super) const BIT_DEPTH_NAMES: &[(&str, PcmFormat)] = &[
    ("PCM_16", PcmFormat::int(16)),
    ("PCM_24", PcmFormat::int(24)),
    ("PCM_32", PcmFormat::int(32)),
    ("FLOAT", PcmFormat::FLOAT),
];

pub(super) const BIT_DEPTHS: [u16; 3] = [16, 24, 32];

pub(super) const KEYS: &[Key] = &[
    Key::required("format", Kind::Text, "as in format = \"flac\"; `wavemill formats` lists them"),
    Key::required("path", Kind::Text, "as in path = \"outbox/{stem}.{ext}\""),
    Key::optional(
        "after",
        Kind::Text,
        "Where to take the signal: after the step with this id, or \"decode\"; default: after the \
        last step.",
    ),
    Key::optional(
        "bit_depth",
        Kind::BitDepth,
        "Bits per sample; default: as in the source (24 for lossy sources).",
    ),
    Key::optional(
        "sample_format",
        Kind::Word(&["int", "float"]),
        "Integers or floats; default: as in the source.",
    ),
    Key::optional(
        "dither",
        Kind::Word(&["none", "tpdf", "triangular", "shaped"]),
        "Dither when the bit depth is reduced; `tpdf` (`triangular`) by default. `shaped` moves \
        the noise to less audible frequencies, at 44.1 to 192 kHz: at 44.1 kHz, 16 dB less from 2 \
        to 5 kHz, 8 dB more in total. Dither starts at the first sample that needs rounding and stops after \
        8192 in a row that do not, such as digital silence.",
    ),
    Key::optional(
        "channels",
        Kind::Integer { min: 1, max: CHANNEL_COUNT_MAX },
        "Number of channels; default: as in the signal. Refused if the mix exceeds the ceiling of \
        an earlier `loudness`, `limit` or `peak-normalize` step.",
    ),
    Key::optional(
        "compression_level",
        Kind::Integer { min: 0, max: 12 },
        "Effort of lossless compression; higher is smaller and slower.",
    ),
    Key::optional(
        "on_conflict",
        Kind::Word(ON_CONFLICT),
        "What to do if a file of that name exists.",
    ),
    Key::optional(
        "keep_mtime",
        Kind::Bool,
        "Whether the export gets the modification time of the source.",
    ),
    Key::optional(
        "replay_gain",
        Kind::Bool,
        "Whether to write ReplayGain 2.0 tags, measured on the stored file: gain to -18 LUFS and \
        true peak. After a `loudness` or `measure` step with `group`, album tags too.",
    ),
    Key::optional(
        "sample_rate_hz",
        Kind::Integer { min: SAMPLE_RATE_HZ_MIN as i64, max: SAMPLE_RATE_HZ_MAX as i64 },
        "Sample rate; default: as in the signal. Converted with the best quality. If that raises \
        peaks above the ceiling of an earlier step, the export gets less gain and the report says \
        how much.",
    ),
    Key::optional(
        "bit_rate_kbps",
        Kind::Integer { min: 6, max: 2048 },
        "Bit rate of a lossy format, for all channels together; default for stereo: MP3 192, Opus \
        128. Vorbis uses quality 5 by default.",
    ),
    Key::optional(
        "bit_rate_mode",
        Kind::Word(&["constant", "average"]),
        "Constant or average bit rate. MP3 has both, constant by default; Opus both, average by \
        default; Vorbis only average; AAC only constant.",
    ),
    Key::optional(
        "vbr_quality",
        Kind::Integer { min: 0, max: 10 },
        "Variable bit rate of a lossy format, by quality. MP3: 0 (best) to 9; Vorbis: 10 (best) to \
        0; AAC: 5 (best) to 1.",
    ),
];

const ON_CONFLICT: &[&str] = &["error", "skip", "suffix", "replace"];

/// An export that was read; `path` is where its template was written.
pub(super) struct ParsedExport {
    pub(super) export: Export,
    pub(super) path: Spanned<Template>,
}

/// Ids of the steps in order, each with the number of steps that run up to it (some are turned off).
pub(super) type StepIds = Vec<(Option<String>, usize)>;

pub(super) fn read(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    ids: &StepIds,
    steps: &[Step],
) -> Option<ParsedExport> {
    let format = read_format(sink, values);
    let path = values.text("path").and_then(|path| template::read(sink, &path, template::EXPORT));
    let after = read_after(sink, values, ids);
    // Lossy formats have no bits to choose; that they were written is reported with the bit rate.
    let (bit_depth, sample_format) = match format {
        Some(format) if !format.is_lossless() => (None, None),
        _ => read_bits(sink, values, format),
    };
    let channels = values.integer("channels");
    if let (Some(format), Some(channels)) = (format, &channels)
        && usize::try_from(*channels.get_ref()).is_ok_and(|count| count > format.channel_count_max)
    {
        let message = format!("{} cannot store {} channels", format.name, channels.get_ref());
        sink.error("unsupported", channels.span(), message)
            .help(format!("it stores at most {}", format.channel_count_max));
    }
    if let Some(channels) = &channels {
        warn_of_late_mix(sink, channels, after, steps);
    }
    let sample_rate_hz = read_rate(sink, values, format);
    check_steps(sink, values, format, steps_before(after, steps));
    let compression_level = read_level(sink, values, format);
    let quality = lossy::read(sink, values, format);
    let (format, path) = (format?, path?);
    let export = Export {
        after,
        format,
        sample_format,
        bit_depth,
        dither: values.word("dither").map(|dither| match dither.into_inner() {
            "none" => Dither::None,
            "shaped" => Dither::Shaped,
            _ => Dither::Tpdf,
        }),
        channels: channels.and_then(|channels| usize::try_from(channels.into_inner()).ok()),
        sample_rate_hz,
        compression_level,
        quality,
        replay_gain: values.flag("replay_gain"),
        keep_mtime: values.flag("keep_mtime"),
        path: path.get_ref().clone(),
        on_conflict: match values.word("on_conflict").map(Spanned::into_inner) {
            Some("skip") => OnConflict::Skip,
            Some("suffix") => OnConflict::Suffix,
            Some("replace") => OnConflict::Replace,
            _ => OnConflict::Error,
        },
    };
    Some(ParsedExport { export, path })
}

/// The steps whose output an export takes.
fn steps_before(after: After, steps: &[Step]) -> &[Step] {
    match after {
        After::Decode => &[],
        After::Step(step) => &steps[..=step],
        After::Last => steps,
    }
}

/// Holds the rate and the channels that the last steps make of any signal against the format, where the
/// export converts neither.
fn check_steps(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
    before: &[Step],
) {
    let (Some(format), Some(written)) = (format, values.text("format")) else { return };
    let last = |key| before.iter().rev().find_map(|step| Some((step.name(), step.integer(key)?)));
    let rate =
        last("sample_rate_hz").and_then(|(step, rate)| Some((step, u32::try_from(rate).ok()?)));
    if let Some((step, rate)) = rate.filter(|(_, rate)| !format.stores_rate(SampleRate(*rate)))
        && values.written("sample_rate_hz").is_none()
    {
        let message = format!("{} cannot store {rate} Hz, the output of `{step}`", format.name);
        let error = sink.error("unsupported", written.span(), message);
        if let Some(nearest) = format.rate_near(SampleRate(rate)) {
            error.help(format!("set `sample_rate_hz = {nearest}`"));
        }
    }
    let channels =
        last("channels").and_then(|(step, count)| Some((step, usize::try_from(count).ok()?)));
    if let Some((step, count)) = channels.filter(|(_, count)| *count > format.channel_count_max)
        && values.written("channels").is_none()
    {
        let message =
            format!("{} cannot store {count} channels, the output of `{step}`", format.name);
        sink.error("unsupported", written.span(), message)
            .help(format!("it stores at most {}", format.channel_count_max));
    }
}

/// Mixing channels adds their peaks up: a ceiling that was kept before may be exceeded then.
fn warn_of_late_mix(sink: &mut Sink<'_>, channels: &Spanned<i64>, after: After, steps: &[Step]) {
    let before = steps_before(after, steps);
    let ceiling = before.iter().rfind(|step| ceiling::of_step(step).is_some());
    let is_mixed_before =
        before.iter().any(|step| step.integer("channels") == Some(*channels.get_ref()));
    if let Some(step) = ceiling.filter(|_| !is_mixed_before) {
        let message = "the channels of this export are mixed after the ceiling";
        sink.warning("late-mix", channels.span(), message)
            .help(format!("put a `remix` step before `{}`", step.name()));
    }
}

fn read_rate(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
) -> Option<u32> {
    let written = values.integer("sample_rate_hz")?;
    let rate = u32::try_from(*written.get_ref()).ok()?;
    if let Some(format) = format.filter(|format| !format.stores_rate(SampleRate(rate))) {
        let message = format!("{} cannot store {rate} Hz", format.name);
        let help = match format.sample_rates_hz.zip(format.rate_near(SampleRate(rate))) {
            Some((rates, near)) => {
                let list: Vec<String> = rates.iter().map(ToString::to_string).collect();
                format!("use `sample_rate_hz = {near}`; it stores {} Hz", list.join(", "))
            }
            None => format!("it stores at most {} Hz", format.sample_rate_hz_max),
        };
        sink.error("unsupported", written.span(), message).help(help);
    }
    Some(rate)
}

fn read_format(sink: &mut Sink<'_>, values: &Values<'_>) -> Option<&'static FormatDescriptor> {
    let name = values.text("format")?;
    let format = encode::format(name.get_ref());
    if format.is_none() {
        let (span, name) = (name.span(), name.into_inner());
        let names = encode::FORMATS.iter().map(|format| format.name);
        let list = names.collect::<Vec<_>>().join(", ");
        let (message, nearest) = match encode::missing_format(&name) {
            Some((name, feature)) => {
                let message = format!(
                    "this program was built without `{name}`; build it with `--features {feature}`"
                );
                (message, None)
            }
            None => (
                format!("unknown format `{name}`"),
                wavemill_core::suggestion::nearest(&name, encode::format_words()),
            ),
        };
        let help = match nearest {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("this program writes {list}"),
        };
        sink.error("unknown-format", span, message).help(help);
    }
    format
}

fn read_after(sink: &mut Sink<'_>, values: &Values<'_>, steps: &StepIds) -> After {
    let Some(after) = values.text("after") else { return After::Last };
    if after.get_ref() == DECODE {
        return After::Decode;
    }
    let known = || steps.iter().filter_map(|(id, _)| id.as_deref()).filter(|id| *id != DECODE);
    match steps.iter().find(|(id, _)| id.as_deref() == Some(after.get_ref())) {
        Some((_, 0)) => After::Decode,
        Some((_, count)) => After::Step(count - 1),
        None => {
            let names: Vec<&str> = std::iter::once(DECODE).chain(known()).collect();
            let message = format!("no step has the id `{}`", after.get_ref());
            sink.error("unknown-after", after.span(), message).help(did_you_mean(
                after.get_ref(),
                "known",
                names.iter().copied(),
            ));
            After::Last
        }
    }
}

fn read_bits(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
) -> (Option<u16>, Option<SampleFormat>) {
    let word = values.word("sample_format").map(|word| match word.into_inner() {
        "float" => SampleFormat::Float,
        _ => SampleFormat::Int,
    });
    let depth = values.raw("bit_depth").and_then(|value| {
        let span = value.span();
        read_bit_depth(sink, &Spanned::new(span.clone(), (*value.get_ref()).clone()))
            .map(|(bits, named)| (bits, named, span))
    });
    let Some((bits, named, span)) = depth else {
        check_sample_format(sink, values, format, word);
        return (None, word);
    };
    if let (Some(named), Some(word)) = (named, word)
        && named != word
    {
        sink.error("contradiction", span, "`bit_depth` and `sample_format` contradict each other")
            .help("remove `sample_format`");
        return (None, None);
    }
    let sample_format = named.or(word);
    if let Some(format) = format
        && !format.formats.iter().any(|stored| {
            stored.bit_depth == bits
                && sample_format.is_none_or(|wanted| stored.sample_format == wanted)
        })
    {
        let list: Vec<String> = format.formats.iter().map(ToString::to_string).collect();
        let kind = if sample_format == Some(SampleFormat::Float) { " float" } else { "" };
        sink.error("unsupported", span, format!("{} cannot store {bits}-bit{kind}", format.name))
            .help(format!("it stores {}", list.join(", ")));
    }
    (Some(bits), sample_format)
}

/// Bits, and what a name says about integers and floats.
fn read_bit_depth(
    sink: &mut Sink<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Option<(u16, Option<SampleFormat>)> {
    if let Some(name) = value.get_ref().as_str() {
        let known = BIT_DEPTH_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if known.is_none() {
            let names = BIT_DEPTH_NAMES.iter().map(|(name, _)| *name);
            sink.error("unknown-choice", value.span(), format!("unknown bit depth \"{name}\""))
                .help(did_you_mean(name, "possible", names));
        }
        return known.map(|(_, format)| (format.bit_depth, Some(format.sample_format)));
    }
    if value.get_ref().as_integer().is_none() {
        wrong_type(sink, "bit_depth", value, "a whole number or a name");
        return None;
    }
    let bits = as_integer(value.get_ref())
        .and_then(|bits| u16::try_from(bits).ok())
        .filter(|bits| BIT_DEPTHS.contains(bits));
    if bits.is_none() {
        let written = sink.text(value.span()).to_owned();
        sink.error("out-of-range", value.span(), format!("`bit_depth` is {written}"))
            .help("it must be 16, 24 or 32, or one of PCM_16, PCM_24, PCM_32, FLOAT");
    }
    bits.map(|bits| (bits, None))
}

fn check_sample_format(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
    wanted: Option<SampleFormat>,
) {
    let (Some(format), Some(wanted), Some(word)) = (format, wanted, values.word("sample_format"))
    else {
        return;
    };
    if !format.formats.iter().any(|stored| stored.sample_format == wanted) {
        let message = format!("{} cannot store {} samples", format.name, word.get_ref());
        sink.error("unsupported", word.span(), message).help("remove `sample_format`");
    }
}

fn read_level(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
) -> Option<u8> {
    let level = values.integer("compression_level")?;
    let number = u8::try_from(*level.get_ref()).ok()?;
    let Some(format) = format else { return Some(number) };
    match &format.compression_levels {
        Some(levels) if number >= levels.min && number <= levels.max => {}
        Some(levels) => sink
            .error("out-of-range", level.span(), format!("`compression_level` is {number}"))
            .help(format!("{} has {} to {}", format.name, levels.min, levels.max)),
        None => sink
            .error("unsupported", level.span(), format!("{} has no compression level", format.name))
            .help("remove `compression_level`"),
    }
    Some(number)
}
