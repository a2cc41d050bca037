//! `wavemill formats`: what is read and written.

use super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone};
use serde_json::{Value, json};
use wavemill_core::decode::{self, ReadFormat};
use wavemill_core::encode::{self, BitRates, FormatDescriptor};
use wavemill_core::suggestion::did_you_mean;

/// List the formats that are read and written, or describe one
#[derive(Debug, clap::Args)]
pub(super) struct Formats {
    /// Name of a format
    name: Option<String>,
}

impl Run for Formats {
    const NAME: &'static str = "formats";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let asked = self.name.as_deref();
        let is_asked = |name: &str| asked.is_none_or(|asked| names(asked, name));
        let read: Vec<_> = decode::FORMATS
            .iter()
            .filter(|f| asked.is_none_or(|asked| asked == f.name || reads(f, asked)))
            .collect();
        let written: Vec<_> =
            encode::FORMATS.iter().copied().filter(|f| is_asked(f.name)).collect();
        let missing: Vec<_> =
            encode::missing_formats().filter(|(name, _)| is_asked(name)).collect();
        if let (Some(name), true, true, true) =
            (&self.name, read.is_empty(), written.is_empty(), missing.is_empty())
        {
            return Err(unknown(name));
        }
        let paint = context.report.paint();
        if context.is_json() {
            let not_built =
                missing.iter().map(|(name, feature)| json!({ "name": name, "feature": feature }));
            context.document(&json!({
                "version": JSON_VERSION,
                "read": read.iter().map(|format| read_object(format)).collect::<Vec<_>>(),
                "write": written.iter().map(|format| write_object(format)).collect::<Vec<_>>(),
                "not_built": not_built.collect::<Vec<_>>(),
            }))?;
        } else if self.name.is_some() {
            let sheets = read.iter().map(|format| read_sheet(format, paint));
            let sheets = sheets.chain(written.iter().map(|format| write_sheet(format, paint)));
            let sheets = sheets.chain(missing.iter().map(|one| missing_sheet(*one, paint)));
            for (index, sheet) in sheets.enumerate() {
                if index > 0 {
                    context.lines([""])?;
                }
                context.lines(sheet)?;
            }
        } else {
            context.lines(lists(&read, &written, &missing, paint))?;
        }
        Ok(Exit::Done)
    }
}

/// Whether this word is another one for a format that is written, built in or not.
fn names(word: &str, format: &str) -> bool {
    let built = encode::format(word).map(|known| known.name);
    built.or(encode::missing_format(word).map(|(name, _)| name)) == Some(format)
}

/// Whether files of this container hold what is asked for: its codec or its extension.
fn reads(format: &ReadFormat, name: &str) -> bool {
    format.codecs.contains(&name) || format.extensions.contains(&name)
}

/// What is said of a format whose writer is not in this program.
fn missing_sheet((name, feature): (&str, &str), paint: Paint) -> Vec<String> {
    vec![format!(
        "{}, written: not by this build; build it with `--features {feature}`",
        paint.tone(Tone::Name, name)
    )]
}

fn unknown(name: &str) -> CliError {
    let mut names: Vec<_> = decode::FORMATS.iter().map(|format| format.name).collect();
    names.extend(encode::FORMATS.iter().map(|format| format.name));
    names.extend(encode::missing_formats().map(|(name, _)| name));
    names.sort_unstable();
    names.dedup();
    let help = did_you_mean(name, "formats", names.into_iter());
    CliError::usage(format!("unknown format `{name}`; {help}"))
}

fn lists(
    read: &[&ReadFormat],
    written: &[&FormatDescriptor],
    missing: &[(&str, &str)],
    paint: Paint,
) -> Vec<String> {
    let mut lines = vec![paint.tone(Tone::Strong, "Read")];
    let mut table = Table::new(&[("", Align::Left); 3]);
    for format in read {
        table.toned([
            (format!("  {}", format.name), Some(Tone::Name)),
            (extensions(format), Some(Tone::Faint)),
            (format.summary.to_owned(), None),
        ]);
    }
    lines.extend(table.lines(paint));
    lines.extend([String::new(), paint.tone(Tone::Strong, "Written")]);
    let mut table = Table::new(&[("", Align::Left); 3]);
    for format in written {
        table.toned([
            (format!("  {}", format.name), Some(Tone::Name)),
            (format!(".{}", format.extension), Some(Tone::Faint)),
            (format.summary.to_owned(), None),
        ]);
    }
    for (name, feature) in missing {
        table.toned([
            (format!("  {name}"), Some(Tone::Faint)),
            (String::new(), None),
            (format!("Not in this build: needs `--features {feature}`."), None),
        ]);
    }
    lines.extend(table.lines(paint));
    lines
}

fn extensions(format: &ReadFormat) -> String {
    let dotted: Vec<_> = format.extensions.iter().map(|name| format!(".{name}")).collect();
    dotted.join(" ")
}

fn read_sheet(format: &ReadFormat, paint: Paint) -> Vec<String> {
    vec![
        format!("{}, read: {}", paint.tone(Tone::Name, format.name), format.summary),
        format!("  extensions         {}", extensions(format)),
        format!("  codecs             {}", format.codecs.join(", ")),
    ]
}

fn write_sheet(format: &FormatDescriptor, paint: Paint) -> Vec<String> {
    let rates = match format.sample_rates_hz {
        Some(rates) => format!("{} Hz", list(rates)),
        None => format!("up to {} Hz", format.sample_rate_hz_max),
    };
    let mut lines = vec![
        format!("{}, written: {}", paint.tone(Tone::Name, format.name), format.summary),
        format!("  extension          .{}", format.extension),
        format!("  compression        {}", compression(format)),
        format!("  channels           up to {}", format.channel_count_max),
        format!("  sample rate        {rates}"),
    ];
    if let Some(byte_count) = format.byte_count_max {
        lines.push(format!("  samples at most    {byte_count} bytes"));
    }
    match &format.lossy {
        None => lines.push(format!("  bit depth          {}", list(format.formats))),
        Some(lossy) => {
            let modes: Vec<_> = lossy.bit_rate_modes.iter().map(|mode| mode.name()).collect();
            lines.push(format!("  bit_rate_kbps      {}", lossy.bit_rates_kbps));
            lines.push(format!("  bit_rate_mode      {}", modes.join(", ")));
            if let Some((best, smallest)) = lossy.vbr_qualities {
                lines.push(format!("  vbr_quality        {best} (best) to {smallest} (smallest)"));
            }
            lines.push(format!("  default            {}", lossy.default));
            if let Some(rate) = lossy.decoded_rate_hz {
                lines.push(format!("  decodes to         {rate} Hz"));
            }
        }
    }
    if let Some(levels) = format.compression_levels {
        let (min, max, default) = (levels.min, levels.max, levels.default);
        lines.push(format!("  compression_level  {min} (fastest) to {max}, default {default}"));
    }
    lines.push(format!("  size               {}", size(format)));
    lines
}

/// What becomes of the samples.
fn compression(format: &FormatDescriptor) -> &'static str {
    match (&format.lossy, format.compression_levels) {
        (Some(_), _) => "lossy",
        (None, Some(_)) => "lossless",
        (None, None) => "none: lossless",
    }
}

/// What a minute takes.
fn size(format: &FormatDescriptor) -> String {
    let megabytes = format.bytes_a_minute() as f64 / 1e6;
    let how = if format.is_lossless() { "16 bits" } else { "the default" };
    format!("about {megabytes:.1} MB a minute of stereo at 48000 Hz and {how}")
}

fn list(values: &[impl std::fmt::Display]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn read_object(format: &ReadFormat) -> Value {
    json!({
        "name": format.name,
        "summary": format.summary,
        "extensions": format.extensions,
        "codecs": format.codecs,
    })
}

fn write_object(format: &FormatDescriptor) -> Value {
    let levels = format
        .compression_levels
        .map(|levels| json!({ "min": levels.min, "max": levels.max, "default": levels.default }));
    json!({
        "name": format.name,
        "summary": format.summary,
        "extension": format.extension,
        "lossless": format.is_lossless(),
        "samples": format.formats,
        "channel_count_max": format.channel_count_max,
        "sample_rate_hz_max": format.sample_rate_hz_max,
        "sample_rates_hz": format.sample_rates_hz,
        "compression_levels": levels,
        "byte_count_max": format.byte_count_max,
        "bytes_a_minute": format.bytes_a_minute(),
        "bit_rates_kbps": format.lossy.as_ref().map(|lossy| bit_rates(&lossy.bit_rates_kbps)),
        "bit_rate_modes": format.lossy.as_ref().map(|lossy| {
            lossy.bit_rate_modes.iter().map(|mode| mode.name()).collect::<Vec<_>>()
        }),
        "decoded_rate_hz": format.lossy.as_ref().and_then(|lossy| lossy.decoded_rate_hz),
        "vbr_qualities": format
            .lossy
            .as_ref()
            .and_then(|lossy| lossy.vbr_qualities)
            .map(|(best, smallest)| json!({ "best": best, "smallest": smallest })),
    })
}

/// A list of bit rates, or the ends of a range.
fn bit_rates(rates: &BitRates) -> Value {
    match rates {
        BitRates::Of(rates) => json!(rates),
        BitRates::Between(min, max) => json!({ "min": min, "max": max }),
    }
}
