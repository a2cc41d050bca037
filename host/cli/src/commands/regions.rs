//! `wavemill regions`: parts of files on tracks, and what a track sounds like.

use super::answers::with_version;
use super::clock_time::parse_time;
use super::confinement::before_mixing;
use super::output_file::{self, Output};
use super::paths::absolute_text;
use super::{CliError, Context, Exit, Run};
use crate::analysis;
use crate::report::{Align, JSON_VERSION, Table, Tone, duration, one_line, shown};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_api::types::{AddRegionRequest, RegionFilter, RegionList, RemoveRegionsRequest};
use wavemill_core::audio::{Block, ChannelLayout, PcmFormat, Samples, StreamSpec};
use wavemill_core::decode::{Decoder, StreamInfo};
use wavemill_core::encode::{self, EncodeSettings};
use wavemill_core::tags::Tags;
use wavemill_core::units::SampleRate;
use wavemill_pipelines::mixdown::{MixPart, Mixdown};

/// Frames that are written at once.
const BLOCK_FRAMES: usize = 4096;

/// Put parts of files on tracks, and mix a track to a file
#[derive(Debug, clap::Args)]
pub(super) struct Regions {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    /// List regions by track and start
    List {
        /// Only those of this track
        track: Option<String>,
    },
    /// Delete regions; their files stay
    Delete {
        /// Their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    Render(Render),
}

/// Add a region to a track
#[derive(Debug, clap::Args)]
struct Add {
    /// The track; any name, such as intro
    track: String,

    /// The file, or the id of an upload; without it the region is silent
    file: Option<PathBuf>,

    /// Start on the track: seconds, or such as 1:30
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "0")]
    at: f64,

    /// Length [default: that of the file]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    duration: Option<f64>,

    /// What to call it
    #[arg(long)]
    name: Option<String>,

    /// Gain as a factor: 0.5 is -6 dB
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    gain: f64,
}

/// Mix a track, or one region of it, to a 32-bit float WAV file
#[derive(Debug, clap::Args)]
struct Render {
    /// The track
    track: String,

    /// The WAV file
    #[arg(value_name = "OUT.wav")]
    output: PathBuf,

    /// Only this region
    #[arg(long, value_name = "ID")]
    region: Option<String>,

    /// Sample rate of the mix, Hz [default: that of the first file]
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1000..=655_350))]
    rate: Option<u32>,

    /// Channels of the mix [default: those of the file that has most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=24))]
    channels: Option<u16>,

    /// Replace the output if it exists
    #[arg(long)]
    force: bool,
}

impl Run for Regions {
    const NAME: &'static str = "regions";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        match self.action {
            Action::Add(add) => add.run(context)?,
            Action::List { track } => {
                let list = context.settings.client()?.regions(&RegionFilter { track })?;
                print(&list, context)?;
            }
            Action::Delete { ids } => {
                let request = RemoveRegionsRequest { ids };
                print(&context.settings.client()?.remove_regions(&request)?, context)?;
            }
            Action::Render(render) => render.run(context)?,
        }
        Ok(Exit::Done)
    }
}

impl Add {
    fn run(self, context: &Context) -> Result<(), CliError> {
        let file_id = self.file.as_deref().map(|file| {
            if file.exists() { absolute_text(file) } else { Ok(file.display().to_string()) }
        });
        let request = AddRegionRequest {
            track_id: self.track,
            file_id: file_id.transpose()?,
            start_time: self.at,
            duration: self.duration,
            name: self.name,
            gain: Some(self.gain),
        };
        let region = context.settings.client_or_new()?.add_region(&request)?;
        print(&RegionList { regions: vec![region] }, context)
    }
}

fn print(list: &RegionList, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(list)?);
    }
    if list.regions.is_empty() {
        context.report.note("no regions; `wavemill regions add TRACK FILE` adds one");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("TRACK", Align::Left),
        ("START", Align::Right),
        ("LENGTH", Align::Right),
        ("GAIN", Align::Right),
        ("NAME", Align::Left),
        ("FILE", Align::Left),
        ("ID", Align::Left),
    ]);
    for region in &list.regions {
        let file = region.path.as_deref().map(|path| Path::new(path).file_name());
        let file = file.flatten().map(|name| name.to_string_lossy().into_owned());
        table.toned([
            (one_line(&region.track_id), Some(Tone::Name)),
            (format!("{:.3} s", region.start_time), None),
            (region.duration.map_or_else(|| "file".to_owned(), duration), None),
            (format!("{:.3}", region.gain), None),
            (one_line(region.name.as_deref().unwrap_or_default()), None),
            (one_line(&file.unwrap_or_else(|| "silence".to_owned())), None),
            (region.id.clone(), Some(Tone::Faint)),
        ]);
    }
    context.lines(table.lines(context.report.paint()))
}

impl Render {
    fn run(self, context: &Context) -> Result<(), CliError> {
        let is_wav = self.output.extension().is_some_and(|it| it.eq_ignore_ascii_case("wav"));
        if !is_wav {
            let reason =
                "a mix is a WAV file: name it .wav, and make others of it by `wavemill export`";
            return Err(CliError::usage(reason));
        }
        let parts = self.parts(context)?;
        let files: Vec<&Path> = parts.iter().map(|part| part.path.as_path()).collect();
        for file in &files {
            output_file::check(&self.output, file, self.force)?;
        }
        before_mixing(context, &files, &self.output)?;
        let spec = self.spec(&parts)?;
        let mixed = mix(parts, &spec, &self.output, self.force)?;
        let seconds = mixed as f64 / f64::from(spec.sample_rate.0);
        if context.is_json() {
            return context.document(&json!({
                "version": JSON_VERSION,
                "output": self.output.to_string_lossy(),
                "sample_rate_hz": spec.sample_rate.0,
                "channels": spec.channel_count(),
                "duration_s": seconds,
            }));
        }
        let (track, output) = (one_line(&self.track), shown(&self.output));
        let arrow = context.report.paint().arrow();
        context.lines([format!("{track} {arrow} {output} ({})", duration(seconds))])
    }

    /// What is mixed; regions without a file only lengthen it.
    fn parts(&self, context: &Context) -> Result<Vec<MixPart>, CliError> {
        let filter = RegionFilter { track: Some(self.track.clone()) };
        let regions = context.settings.client()?.regions(&filter)?.regions;
        let is_wanted = |id: &String| self.region.as_ref().is_none_or(|wanted| wanted == id);
        let regions: Vec<_> = regions.into_iter().filter(|region| is_wanted(&region.id)).collect();
        if regions.is_empty() {
            let track = one_line(&self.track);
            let reason =
                format!("track `{track}` has no such region; `wavemill regions list` shows all");
            return Err(CliError::failed(reason));
        }
        // One region alone begins at once.
        let first = if self.region.is_some() { regions[0].start_time } else { 0.0 };
        let parts: Vec<_> = regions
            .into_iter()
            .filter_map(|region| {
                Some(MixPart {
                    path: region.path?.into(),
                    start_s: region.start_time - first,
                    duration_s: region.duration,
                    gain: region.gain,
                })
            })
            .collect();
        if parts.is_empty() {
            return Err(CliError::failed("these regions have no file; there is nothing to mix"));
        }
        Ok(parts)
    }

    /// Rate and channels of the mix.
    fn spec(&self, parts: &[MixPart]) -> Result<StreamSpec, CliError> {
        let mut infos: Vec<StreamInfo> = Vec::new();
        for part in parts {
            let info = analysis::header(&part.path)
                .map_err(|error| CliError::failed(format!("{} {error}", shown(&part.path))))?;
            infos.push(info);
        }
        let rate = self.rate.map(SampleRate).or(infos.first().map(|info| info.spec.sample_rate));
        let widest = infos.iter().max_by_key(|info| info.spec.channel_count());
        let own = self.channels.map(|count| ChannelLayout::usual(usize::from(count)));
        let layout = own.or(widest.map(|info| info.spec.layout.clone()));
        match rate.zip(layout) {
            Some((sample_rate, layout)) => Ok(StreamSpec { sample_rate, layout }),
            None => Err(CliError::failed("there is nothing to mix")),
        }
    }
}

/// Mixes to a file that is complete or absent; returns its frames.
fn mix(
    parts: Vec<MixPart>,
    spec: &StreamSpec,
    path: &Path,
    is_forced: bool,
) -> Result<u64, CliError> {
    let failed = |reason: String| CliError::failed(one_line(&reason));
    let channel_count = spec.channel_count();
    let mut mixdown = Mixdown::new(parts, spec.sample_rate, channel_count).map_err(failed)?;
    let output = Output::create(path)?;
    let wav = encode::format("wav").ok_or_else(|| CliError::failed("this build writes no WAV"))?;
    let settings = EncodeSettings {
        spec: spec.clone(),
        format: PcmFormat::FLOAT,
        frame_count: None,
        compression_level: None,
        quality: None,
        tags: Arc::new(Tags::default()),
    };
    let sink = output.file().try_clone().map_err(|error| CliError::path(path, error))?;
    let mut encoder =
        (wav.create)(Box::new(sink), settings).map_err(|error| failed(error.to_string()))?;
    let mut open = |part: &MixPart| -> Result<Box<dyn Decoder>, String> {
        analysis::open(&part.path).map_err(|error| error.to_string())
    };
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    let mut frames = 0;
    while mixdown.read(&mut block, &mut open).map_err(failed)? {
        let samples = Samples::Float { planes: block.planes().map(<[f32]>::to_vec).collect() };
        encoder.write(&samples).map_err(|error| failed(error.to_string()))?;
        frames += block.frame_count() as u64;
    }
    encoder.finish().map_err(|error| failed(error.to_string()))?;
    output.publish(is_forced)?;
    Ok(frames)
}
