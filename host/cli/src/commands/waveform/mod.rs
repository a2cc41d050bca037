//! `wavemill waveform`: how a file looks, as data or as a picture.

use super::clock_time::parse_time;
use super::confinement::before_rendering;
use super::{CliError, Context, Exit, Run, output_file};
use crate::analysis::{self, AnalyzeError};
use crate::report::{JSON_VERSION, one_line, shown, size};
use flags::{Flags, Format};
use serde_json::json;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use wavemill_core::units::Seconds;

mod flags;
mod render;
mod scan;

/// Write a file's waveform: data for players (JSON, audiowaveform) or a picture (PNG, SVG)
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WaveformOf {
    /// Audio file
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// Output file; its extension sets the format [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Replace the output if it exists
    #[arg(long)]
    force: bool,

    /// Start: seconds, or such as 1:30 [default: the file's start]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<f64>,

    /// End [default: the file's end]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<f64>,

    #[command(flatten)]
    flags: Flags,
}

const AFTER_HELP: &str = "\
Formats:  json                 minimum, maximum and RMS from -1 to 1, at one or several resolutions
          dat                  data file of the program audiowaveform, version 2
          audiowaveform-json   the same as JSON
          png, svg             peaks, RMS, clipping and loudness over time";

impl Run for WaveformOf {
    const NAME: &'static str = "waveform";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let extension = self.output.as_deref().and_then(Path::extension).and_then(OsStr::to_str);
        let format = self.flags.format(extension)?;
        self.flags.check(format)?;
        let output = self.output.as_deref().filter(|path| *path != Path::new("-"));
        match output {
            Some(path) => output_file::check(path, &self.input, self.force)?,
            None => check_standard_output(format, context)?,
        }
        before_rendering(context, &self.input, output)?;
        let rendered = self.render(format).map_err(|error| match error {
            scan::ScanError::NoTime { .. } => CliError::usage(error.to_string()),
            other => {
                let reason = one_line(&other.to_string());
                CliError::failed(format!("{} {reason}", shown(&self.input)))
            }
        })?;
        let Some(path) = output else {
            context.report.bytes(&rendered.bytes).map_err(CliError::Output)?;
            return Ok(Exit::Done);
        };
        output_file::write(path, &rendered.bytes, self.force)?;
        let size_bytes = rendered.bytes.len() as u64;
        if context.is_json() {
            context.document(&json!({
                "version": JSON_VERSION,
                "path": self.input.to_string_lossy(),
                "output": path.to_string_lossy(),
                "format": format.name(),
                "points": rendered.point_counts,
                "size_bytes": size_bytes,
            }))?;
        } else {
            let arrow = context.report.paint().arrow();
            let (input, path) = (shown(&self.input), shown(path));
            context.lines([format!("{input} {arrow} {path} ({})", size(size_bytes))])?;
        }
        Ok(Exit::Done)
    }
}

impl WaveformOf {
    fn render(&self, format: Format) -> Result<render::Rendering, scan::ScanError> {
        let decoder = analysis::open(&self.input).map_err(scan::ScanError::File)?;
        let range =
            scan::Range { from: Seconds(self.from.unwrap_or(0.0)), to: self.to.map(Seconds) };
        render::render(&self.input, decoder, range, format, &self.flags)
    }
}

fn check_standard_output(format: Format, context: &Context) -> Result<(), CliError> {
    let name = format.name();
    if context.is_json() && !format.is_json() {
        return Err(CliError::usage(format!(
            "`--json` prints JSON: write the {name} to a file with -o"
        )));
    }
    if format.is_binary() && io::stdout().is_terminal() {
        return Err(CliError::usage(format!(
            "a terminal cannot show {name}: write it to a file with -o"
        )));
    }
    Ok(())
}
