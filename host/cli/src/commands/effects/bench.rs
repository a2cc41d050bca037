//! `wavemill effects bench`: what a module costs, in time on this machine and in fuel on any.

use super::super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Table, shown};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor as _, Status};
use wavemill_pipelines::effects;
use wavemill_runtime::limits::{MEMORY_MIB_MAX, MODULE_BYTES_MAX};
use wavemill_runtime::{Effect, Mode, Module, Sandbox, Settings, bundled};

/// Benchmark an effect: time and fuel per frame, by block size
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// Name of a bundled effect, or the path of a .wasm file
    #[arg(value_name = "NAME|FILE")]
    effect: String,

    /// Preset to measure with, or a .toml file with one [default: the defaults of all parameters]
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,

    /// Sample rate in Hz
    #[arg(long, value_name = "HZ", default_value_t = 48_000)]
    rate: u32,

    /// Number of channels [default: 2, or what the effect supports]
    #[arg(long, value_name = "NUMBER")]
    channels: Option<u32>,
}

impl Run for Bench {
    const NAME: &'static str = "bench";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let bytes = read(&self.effect)?;
        let timed = Measurements::of(&bytes, &self)?;
        if context.is_json() {
            context.document(&timed.document(&self))?;
        } else {
            context.lines(timed.lines(&self, context))?;
            if let Some(project) = project_of(Path::new(&self.effect)) {
                let cd = format!("cd {} && ", shown(&project));
                let cd = if project == Path::new(".") { "" } else { &cd };
                context.report.note(&format!(
                    "\nThe native build, to compare: {cd}cargo run --release --example speed"
                ));
            }
        }
        Ok(Exit::Done)
    }
}

/// Frames of a block: of a DAW, of a file.
const BLOCKS_FRAMES: [usize; 4] = [64, 256, 1_024, 4_096];

/// Frames between two looks at the clock.
const FRAMES: usize = 16_384;

/// Time for one block size. A slow effect is measured less often.
const TIME_MAX: Duration = Duration::from_millis(500);

/// Most rounds for one block size.
const ROUNDS_MAX: usize = 200;

/// What was measured.
struct Measurements {
    module: Module,
    spec: StreamSpec,
    compiled: Duration,
    created: Duration,
    rows: Vec<Row>,
}

/// One block size.
struct Row {
    block_frames: usize,
    /// The fastest round: other programs only ever slow one down.
    ns_per_frame: f64,
    ns_per_frame_median: f64,
    fuel_per_frame: Option<f64>,
}

impl Row {
    /// How many times faster than the audio plays.
    fn real_time_factor(&self, spec: &StreamSpec) -> f64 {
        1e9 / (self.ns_per_frame * f64::from(spec.sample_rate.0))
    }
}

impl Measurements {
    fn of(bytes: &[u8], asked: &Bench) -> Result<Self, CliError> {
        let start = Instant::now();
        let module = load(Mode::File, bytes)?;
        let compiled = start.elapsed();
        let metered = load(Mode::Metered, bytes)?;
        let (min, max) = module.description().channels;
        let channels = asked.channels.unwrap_or_else(|| 2.clamp(min, max));
        let spec = StreamSpec::new(asked.rate, channels as usize);
        let settings = settings(&module, asked.preset.as_deref())?;
        let mut measured =
            Self { module, spec, compiled, created: Duration::ZERO, rows: Vec::new() };
        for block_frames in BLOCKS_FRAMES {
            let start = Instant::now();
            let effect = create(&measured.module, &measured.spec, &settings, block_frames)?;
            measured.created = start.elapsed();
            let mut row = time(effect, &measured.spec, block_frames)?;
            let effect = create(&metered, &measured.spec, &settings, block_frames)?;
            row.fuel_per_frame = fuel(effect, &measured.spec, block_frames)?;
            measured.rows.push(row);
        }
        Ok(measured)
    }

    fn lines(&self, asked: &Bench, context: &Context) -> Vec<String> {
        let description = self.module.description();
        let preset = asked.preset.as_ref().map(|name| format!(", preset {name}"));
        let mut lines = vec![
            format!(
                "{} {}: {} channels at {} Hz{}",
                description.name,
                description.version,
                self.spec.channel_count(),
                self.spec.sample_rate.0,
                preset.unwrap_or_default()
            ),
            format!(
                "{} bytes; compiled in {:.1} ms without the cache, created in {:.2} ms",
                self.module.size_bytes(),
                1e3 * self.compiled.as_secs_f64(),
                1e3 * self.created.as_secs_f64()
            ),
            String::new(),
        ];
        let mut table = Table::new(&[
            ("block", Align::Right),
            ("ns a frame", Align::Right),
            ("times real time", Align::Right),
            ("fuel a frame", Align::Right),
        ]);
        for row in &self.rows {
            table.toned([
                (row.block_frames.to_string(), None),
                (format!("{:.2}", row.ns_per_frame), None),
                (format!("{:.0}", row.real_time_factor(&self.spec)), None),
                (row.fuel_per_frame.map_or_else(String::new, |fuel| format!("{fuel:.1}")), None),
            ]);
        }
        lines.extend(table.lines(context.report.paint()));
        lines
    }

    fn document(&self, asked: &Bench) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "block_frames": row.block_frames,
                "ns_per_frame": row.ns_per_frame,
                "ns_per_frame_median": row.ns_per_frame_median,
                "real_time_factor": row.real_time_factor(&self.spec),
                "fuel_per_frame": row.fuel_per_frame,
            })
        });
        json!({
            "version": JSON_VERSION,
            "effect": self.module.description().id,
            "sha256": self.module.sha256(),
            "preset": asked.preset,
            "sample_rate_hz": self.spec.sample_rate.0,
            "channels": self.spec.channel_count(),
            "size_bytes": self.module.size_bytes(),
            "compile_ms": 1e3 * self.compiled.as_secs_f64(),
            "create_ms": 1e3 * self.created.as_secs_f64(),
            "blocks": rows.collect::<Vec<_>>(),
        })
    }
}

/// A bundled module, or a file.
fn read(effect: &str) -> Result<Vec<u8>, CliError> {
    if let Some(bundled) = bundled(effect) {
        return Ok(bundled.bytes.to_vec());
    }
    let path = Path::new(effect);
    let failed = |error| CliError::path(path, error);
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > MODULE_BYTES_MAX as u64 {
        let max = MODULE_BYTES_MAX >> 20;
        return Err(CliError::failed(format!(
            "{effect}: larger than {max} MiB, the limit for modules"
        )));
    }
    std::fs::read(path).map_err(failed)
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::failed(error.to_string())
}

fn load(mode: Mode, bytes: &[u8]) -> Result<Module, CliError> {
    let sandbox = Sandbox::new(mode, None).map_err(|error| failed(&error))?;
    sandbox.load(bytes, MEMORY_MIB_MAX).map_err(|error| failed(&error))
}

fn settings(module: &Module, preset: Option<&str>) -> Result<Settings, CliError> {
    effects::settings(module.description(), preset, &BTreeMap::new(), Path::new(""))
        .map_err(|error| CliError::usage(error.to_string()))
}

fn create(
    module: &Module,
    spec: &StreamSpec,
    settings: &Settings,
    block_frames: usize,
) -> Result<Effect, CliError> {
    let mut effect =
        module.instantiate(spec, settings, block_frames).map_err(|error| failed(&error))?;
    effect.begin(None).map_err(|error| failed(&error))?;
    Ok(effect)
}

/// White noise at -6 dBFS, always the same: Knuth's linear congruential generator (MMIX).
fn noise(spec: &StreamSpec) -> Vec<Vec<f32>> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let sample = ((state >> 40) as f64 / f64::from(1 << 24) - 0.5) as f32;
        sample
    };
    (0..spec.channel_count()).map(|_| (0..FRAMES).map(|_| next()).collect()).collect()
}

/// Processes [`FRAMES`] frames in blocks.
fn process(effect: &mut Effect, block: &mut Block, input: &[Vec<f32>]) -> Result<(), CliError> {
    let capacity = block.frame_capacity();
    for start in (0..FRAMES).step_by(capacity) {
        for (plane, input) in block.planes_mut().zip(input) {
            plane.copy_from_slice(&input[start..][..capacity]);
        }
        if effect.process(block) == Status::Failed {
            return Err(CliError::failed(effect.failure().unwrap_or_default()));
        }
    }
    Ok(())
}

fn time(mut effect: Effect, spec: &StreamSpec, block_frames: usize) -> Result<Row, CliError> {
    let input = noise(spec);
    let mut block = Block::new(spec.channel_count(), block_frames);
    block.set_frame_count(block_frames);
    process(&mut effect, &mut block, &input)?;
    let mut rounds = Vec::with_capacity(ROUNDS_MAX);
    let begin = Instant::now();
    while rounds.len() < ROUNDS_MAX && (rounds.is_empty() || begin.elapsed() < TIME_MAX) {
        let start = Instant::now();
        process(&mut effect, &mut block, &input)?;
        rounds.push(start.elapsed().as_secs_f64() * 1e9 / FRAMES as f64);
    }
    rounds.sort_by(f64::total_cmp);
    Ok(Row {
        block_frames,
        ns_per_frame: rounds[0],
        ns_per_frame_median: rounds[rounds.len() / 2],
        fuel_per_frame: None,
    })
}

fn fuel(
    mut effect: Effect,
    spec: &StreamSpec,
    block_frames: usize,
) -> Result<Option<f64>, CliError> {
    let mut block = Block::new(spec.channel_count(), block_frames);
    block.set_frame_count(block_frames);
    let before = effect.fuel_used();
    process(&mut effect, &mut block, &noise(spec))?;
    let after = effect.fuel_used();
    Ok(before.zip(after).map(|(before, after)| (after - before) as f64 / FRAMES as f64))
}

/// The Rust project that a module was built in, if it has a measurement of its own.
fn project_of(module: &Path) -> Option<PathBuf> {
    let target = module.ancestors().find(|folder| folder.ends_with("target"))?;
    let project = target.parent()?;
    let is_here = project.as_os_str().is_empty();
    let project = if is_here { Path::new(".") } else { project };
    project.join("examples/speed.rs").exists().then(|| project.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_divide_the_round() {
        assert!(BLOCKS_FRAMES.iter().all(|frames| FRAMES.is_multiple_of(*frames)));
    }

    #[test]
    fn module_of_a_project_with_a_measurement_names_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("target/wasm32-unknown-unknown/release/a.wasm");
        assert_eq!(project_of(&module), None);
        std::fs::create_dir(folder.path().join("examples")).unwrap();
        std::fs::File::create_new(folder.path().join("examples/speed.rs")).unwrap();
        assert_eq!(project_of(&module), Some(folder.path().to_path_buf()));
        assert_eq!(project_of(Path::new("a.wasm")), None);
    }
}
