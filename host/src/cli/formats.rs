//! `wavemill formats`: what is read and written.

use super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone};
use serde_json::{Value, json};
use wavemill_core::decode::{self, ReadFormat};
use wavemill_core::encode::{self, FormatDescriptor};

/// List the formats that are read and written, or describe one
#[derive(Debug, clap::Args)]
pub(super) struct Formats {
    /// Name of a format
    name: Option<String>,
}

impl Run for Formats {
    const NAME: &'static str = "formats";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let is_asked = |name: &str| self.name.as_ref().is_none_or(|asked| asked == name);
        let read: Vec<_> = decode::FORMATS.iter().filter(|f| is_asked(f.name)).collect();
        let written: Vec<_> =
            encode::FORMATS.iter().copied().filter(|f| is_asked(f.name)).collect();
        if let (Some(name), true, true) = (&self.name, read.is_empty(), written.is_empty()) {
            return Err(unknown(name));
        }
        let paint = context.report.paint();
        if context.is_json() {
            context.document(&json!({
                "version": JSON_VERSION,
                "read": read.iter().map(|format| read_object(format)).collect::<Vec<_>>(),
                "write": written.iter().map(|format| write_object(format)).collect::<Vec<_>>(),
            }))?;
        } else if self.name.is_some() {
            context.lines(read.iter().flat_map(|format| read_sheet(format, paint)))?;
            if !read.is_empty() && !written.is_empty() {
                context.lines([""])?;
            }
            context.lines(written.iter().flat_map(|format| write_sheet(format, paint)))?;
        } else {
            context.lines(lists(&read, &written, paint))?;
        }
        Ok(Exit::Done)
    }
}

fn unknown(name: &str) -> CliError {
    let mut names: Vec<_> = decode::FORMATS.iter().map(|format| format.name).collect();
    names.extend(encode::FORMATS.iter().map(|format| format.name));
    names.sort_unstable();
    names.dedup();
    let help = match super::nearest(name, &names) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("formats are {}", names.join(", ")),
    };
    CliError::usage(format!("there is no format `{name}`; {help}"))
}

fn lists(read: &[&ReadFormat], written: &[&FormatDescriptor], paint: Paint) -> Vec<String> {
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
        format!("  channels           up to {}", format.channel_count_max),
        format!("  sample rate        {rates}"),
        format!("  keeps every sample {}", if format.is_lossless() { "yes" } else { "no" }),
    ];
    match &format.lossy {
        None => lines.insert(2, format!("  samples            {}", list(format.formats))),
        Some(lossy) => {
            lines.push(format!("  bit_rate_kbps      {}", list(lossy.bit_rates_kbps)));
            if let Some((best, smallest)) = lossy.vbr_qualities {
                lines.push(format!("  vbr_quality        {best} (best) to {smallest} (smallest)"));
            }
            lines.push(format!("  default            {}", lossy.default));
        }
    }
    if let Some(levels) = format.compression_levels {
        let (min, max, default) = (levels.min, levels.max, levels.default);
        lines.push(format!("  compression_level  {min} (fastest) to {max}, default {default}"));
    }
    lines
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
        "bit_rates_kbps": format.lossy.as_ref().map(|lossy| lossy.bit_rates_kbps),
        "vbr_qualities": format
            .lossy
            .as_ref()
            .and_then(|lossy| lossy.vbr_qualities)
            .map(|(best, smallest)| json!({ "best": best, "smallest": smallest })),
    })
}
