//! A file of a capture: its samples, when they were played, and how loud they are.

use super::wav::{Wav, WriteSeek};
use std::io;
use std::sync::Arc;
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};
use wavemill_core::encode::EncodeSettings;
use wavemill_core::limits::SAMPLE_MAGNITUDE_MAX;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::tags::{Broadcast, BroadcastLoudness, Recording, Tags};

/// Frames measured at once.
const BLOCK_FRAMES: usize = 4096;

/// What is known of a part when it begins.
#[derive(Clone, Debug)]
pub(super) struct PartFacts {
    /// What it is called.
    pub(super) name: String,
    /// When its first frame came.
    pub(super) at: jiff::Zoned,
    /// The place of its first frame in the song, in frames; `None` where the DAW does not say, and before its start.
    pub(super) time_reference: Option<u64>,
}

/// A file that is written and measured.
pub(super) struct Part {
    wav: Wav,
    settings: EncodeSettings,
    facts: PartFacts,
    meter: LoudnessMeter,
    block: Block,
}

impl Part {
    /// Begins a file of these channels.
    pub(super) fn begin(
        file: Box<dyn WriteSeek>,
        spec: &StreamSpec,
        facts: PartFacts,
    ) -> io::Result<Self> {
        let settings = EncodeSettings {
            spec: spec.clone(),
            format: PcmFormat::FLOAT,
            frame_count: None,
            compression_level: None,
            quality: None,
            tags: Arc::new(tags(&facts, BroadcastLoudness::default())),
        };
        Ok(Self {
            wav: Wav::begin(file, &settings)?,
            meter: LoudnessMeter::new(spec, MonoMode::Single),
            block: Block::new(spec.channel_count(), BLOCK_FRAMES),
            settings,
            facts,
        })
    }

    /// Bytes of samples so far.
    pub(super) fn bytes(&self) -> u64 {
        self.wav.bytes()
    }

    /// Writes interleaved samples.
    pub(super) fn write(&mut self, samples: &[f32]) -> io::Result<()> {
        let result = self.wav.write(samples);
        self.measure(samples);
        result
    }

    /// Brings everything to the disk, and the header up to date.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.wav.flush()
    }

    /// The same, with the loudness of all of it. Nothing follows.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let report = self.meter.finish();
        let loudness = BroadcastLoudness {
            integrated: report.integrated_lufs,
            range: report.loudness_range_lu,
            true_peak: report.true_peak_dbtp,
            momentary_max: report.momentary_max_lufs,
            short_term_max: report.short_term_max_lufs,
        };
        self.settings.tags = Arc::new(tags(&self.facts, loudness));
        self.wav.finish(&self.settings)
    }

    /// What no meter can measure counts as silence, as in the window.
    fn measure(&mut self, samples: &[f32]) {
        let channel_count = self.settings.spec.channel_count();
        for frames in samples.chunks(BLOCK_FRAMES * channel_count) {
            self.block.set_frame_count(frames.len() / channel_count);
            for (channel, plane) in self.block.planes_mut().enumerate() {
                let samples = frames.iter().skip(channel).step_by(channel_count);
                for (kept, &sample) in plane.iter_mut().zip(samples) {
                    *kept = if sample.abs() <= SAMPLE_MAGNITUDE_MAX { sample } else { 0.0 };
                }
            }
            self.meter.push(&self.block);
        }
    }
}

/// What the file says of itself. Source: EBU Tech 3285 v2, `bext`; Gallery UK, "iXML Specification", 2.10.
fn tags(facts: &PartFacts, loudness: BroadcastLoudness) -> Tags {
    let broadcast = Broadcast {
        description: Some(facts.name.clone()),
        originator: Some("Wavemill".to_owned()),
        reference: None,
        date: Some(facts.at.strftime("%Y-%m-%d").to_string()),
        time: Some(facts.at.strftime("%H:%M:%S").to_string()),
        time_reference: facts.time_reference,
        coding_history: None,
        loudness: Some(loudness),
    };
    let recording = facts
        .time_reference
        .map(|time| Recording { time_reference: Some(time), ..Recording::default() });
    Tags { broadcast: Some(broadcast), recording, ..Tags::default() }
}
