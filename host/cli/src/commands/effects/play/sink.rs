//! Where the sound goes.

use crate::commands::CliError;
use crate::report::Report;
use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::units::SampleRate;

/// Where the sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Target {
    /// The default audio device
    Device,
    /// Standard output, as raw interleaved 32-bit floats, little-endian, as fast as they are read
    Stdout,
    /// Nowhere, but in real time
    Null,
}

/// What takes the sound.
pub(super) trait Sink: Send {
    /// Takes a block; waits where it comes too early. Whether anybody listens any more.
    ///
    /// # Errors
    /// One line: why no more can be taken.
    fn write(&mut self, block: &Block) -> Result<bool, String>;

    /// Waits until everything sounded.
    fn finish(&mut self) {}
}

/// What takes a stream.
///
/// # Errors
/// When it cannot be opened, or does not play the stream.
pub(super) fn open<'c>(
    target: Target,
    spec: &StreamSpec,
    report: &'c Report,
) -> Result<Box<dyn Sink + 'c>, CliError> {
    match target {
        Target::Device => device(spec),
        Target::Stdout if io::stdout().is_terminal() => Err(CliError::usage(
            "--to stdout writes samples, and standard output is a terminal; pipe it to a player or a file",
        )),
        Target::Stdout => Ok(Box::new(Stdout { report, bytes: Vec::new() })),
        Target::Null => Ok(Box::new(Null { rate: spec.sample_rate, frames: 0, start: None })),
    }
}

#[cfg(feature = "sound")]
fn device<'c>(spec: &StreamSpec) -> Result<Box<dyn Sink + 'c>, CliError> {
    super::device::open(spec).map(|device| Box::new(device) as Box<dyn Sink>).map_err(|reason| {
        CliError::failed(format!(
            "audio device: {}; --to stdout needs none",
            crate::report::one_line(&reason)
        ))
    })
}

#[cfg(not(feature = "sound"))]
fn device<'c>(spec: &StreamSpec) -> Result<Box<dyn Sink + 'c>, CliError> {
    Err(CliError::usage(format!(
        "this build knows no audio device: build it with `--features sound`, or use a player, such as \
         `--to stdout | aplay -t raw -f FLOAT_LE -c {} -r {}`",
        spec.channel_count(),
        spec.sample_rate.0
    )))
}

/// Raw samples for another program.
struct Stdout<'c> {
    report: &'c Report,
    bytes: Vec<u8>,
}

impl Sink for Stdout<'_> {
    fn write(&mut self, block: &Block) -> Result<bool, String> {
        self.bytes.clear();
        for frame in 0..block.frame_count() {
            self.bytes.extend(block.planes().flat_map(|plane| plane[frame].to_le_bytes()));
        }
        self.report.bytes(&self.bytes).map_err(|error| format!("standard output: {error}"))?;
        Ok(!self.report.is_closed())
    }
}

/// A device without sound.
struct Null {
    rate: SampleRate,
    /// Taken so far.
    frames: u64,
    start: Option<Instant>,
}

impl Sink for Null {
    fn write(&mut self, block: &Block) -> Result<bool, String> {
        let start = *self.start.get_or_insert_with(Instant::now);
        self.frames += block.frame_count() as u64;
        let due = Duration::from_secs_f64(self.frames as f64 / f64::from(self.rate.0));
        while let Some(left) = due.checked_sub(start.elapsed()) {
            thread::park_timeout(left);
        }
        Ok(true)
    }
}
