//! Everything Wavemill measures, fed with one pass over the samples.
//!
//! The same code for files, for samples in memory, for pipelines and for a plugin. Only the groups
//! asked for are computed. Results do not depend on how the signal was cut into blocks.

use crate::loudness::{LoudnessMeter, LoudnessReport, MonoMode, Piece};
use crate::measure::{
    BandReport, BandsMeter, HarmonicMeter, HarmonicReport, LevelMeter, LevelReport, SpectrumMeter,
    SpectrumReport, StereoMeter, StereoReport, Stft, TransientMeter, TransientReport,
};
use serde::Serialize;
use thiserror::Error;
use wavemill_audio::limits::BLOCK_FRAMES;
use wavemill_audio::units::Frames;
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// Version of what is measured and how: raised whenever the same samples give other numbers, so that
/// results kept from before are measured anew. A test holds it against known numbers.
pub const VERSION: u32 = 5;

/// A group of measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Programme loudness and true peak.
    Loudness,
    /// RMS, crest factor, clipping.
    Level,
    /// Where the energy lies in frequency.
    Spectrum,
    /// How left and right relate.
    Stereo,
    /// What each of five bands holds.
    Bands,
    /// How things begin.
    Transient,
    /// Distortion of tones, and what sounds steadily.
    Harmonic,
}

impl Group {
    /// All of them, in the order of reports.
    pub const ALL: &'static [Self] = &[
        Self::Loudness,
        Self::Level,
        Self::Spectrum,
        Self::Stereo,
        Self::Bands,
        Self::Transient,
        Self::Harmonic,
    ];

    /// Its key in reports, and what one types to ask for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loudness => "loudness",
            Self::Level => "level",
            Self::Spectrum => "spectrum",
            Self::Stereo => "stereo",
            Self::Bands => "bands",
            Self::Transient => "transient",
            Self::Harmonic => "harmonic",
        }
    }

    /// What it measures, in a few words for people.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Loudness => "Programme loudness and true peak",
            Self::Level => "RMS, crest factor, dynamic range, clipping",
            Self::Spectrum => "Centroid, bandwidth, rolloff, flatness",
            Self::Stereo => "Width, correlation, balance",
            Self::Bands => "Level, crest factor, width and spectrum of five bands",
            Self::Transient => "Attack, onsets a second, how much attack is left",
            Self::Harmonic => "Distortion of a test tone, harmonic share of the energy",
        }
    }
}

/// What to measure, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The groups to compute; repetitions mean nothing.
    pub groups: Vec<Group>,
    /// How a mono file's loudness counts.
    pub mono: MonoMode,
}

impl Default for Options {
    fn default() -> Self {
        Self { groups: Group::ALL.to_vec(), mono: MonoMode::Single }
    }
}

/// What was asked for; groups that were not are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Analysis {
    /// Programme loudness and true peak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<LoudnessReport>,
    /// RMS, crest factor, clipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelReport>,
    /// Where the energy lies in frequency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<SpectrumReport>,
    /// How left and right relate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stereo: Option<StereoReport>,
    /// What each of five bands holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bands: Option<Vec<BandReport>>,
    /// How things begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transient: Option<TransientReport>,
    /// Distortion of tones, and what sounds steadily.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harmonic: Option<HarmonicReport>,
}

/// A sample that is not a number or infinite: nothing can be measured from there on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("frame {} has a sample that is not a finite number", frame.0)]
pub struct NonFinite {
    /// The first such frame.
    pub frame: Frames,
}

/// Measures block by block.
///
/// ```
/// use wavemill_dsp::analysis::{Analyzer, Options};
/// use wavemill_audio::{Block, PcmFormat, StreamSpec};
///
/// let spec = StreamSpec::new(48_000, 2);
/// let mut analyzer = Analyzer::new(&spec, PcmFormat::FLOAT, &Options::default());
/// let mut block = Block::new(2, 512);
/// block.set_frame_count(512);
/// for _ in 0..200 {
///     block.plane_mut(0).fill(0.1);
///     block.plane_mut(1).fill(-0.1);
///     analyzer.push(&block)?;
/// }
/// assert_eq!(analyzer.frame_count().0, 200 * 512);
/// let stereo = analyzer.finish().stereo.expect("everything was asked for");
/// assert_eq!(stereo.width, Some(1.0));
/// # Ok::<(), wavemill_dsp::analysis::NonFinite>(())
/// ```
#[derive(Debug)]
pub struct Analyzer {
    frame_count: Frames,
    loudness: Option<LoudnessMeter>,
    level: Option<LevelMeter>,
    /// Shared by all meters that look at short-time spectra.
    stft: Option<Stft>,
    /// Measures bands too.
    spectrum: Option<SpectrumMeter>,
    has_spectrum: bool,
    stereo: Option<StereoMeter>,
    bands: Option<BandsMeter>,
    transient: Option<TransientMeter>,
    harmonic: Option<HarmonicMeter>,
}

impl Analyzer {
    /// An analyzer for a stream whose samples are stored as `format`.
    pub fn new(spec: &StreamSpec, format: PcmFormat, options: &Options) -> Self {
        let has = |group| options.groups.contains(&group);
        let has_shapes = has(Group::Spectrum) || has(Group::Bands);
        let has_spectra = has_shapes || has(Group::Transient) || has(Group::Harmonic);
        Self {
            frame_count: Frames::ZERO,
            loudness: has(Group::Loudness).then(|| LoudnessMeter::new(spec, options.mono)),
            level: has(Group::Level).then(|| LevelMeter::new(spec, format)),
            stft: has_spectra.then(Stft::new),
            spectrum: has_shapes.then(|| SpectrumMeter::new(spec.sample_rate)),
            has_spectrum: has(Group::Spectrum),
            stereo: has(Group::Stereo).then(|| StereoMeter::new(spec)),
            bands: has(Group::Bands).then(|| BandsMeter::new(spec)),
            transient: has(Group::Transient).then(|| TransientMeter::new(spec)),
            harmonic: has(Group::Harmonic).then(|| HarmonicMeter::new(spec)),
        }
    }

    /// Makes the loudness meter keep its history; see [`Self::loudness_mut`].
    #[must_use]
    pub fn with_history(mut self) -> Self {
        self.loudness = self.loudness.map(LoudnessMeter::with_history);
        self
    }

    /// The loudness meter, where loudness is measured: for its reading, history and distribution.
    pub fn loudness_mut(&mut self) -> Option<&mut LoudnessMeter> {
        self.loudness.as_mut()
    }

    /// Measures further frames.
    ///
    /// # Errors
    /// When a sample is not finite; nothing of the block was measured then.
    pub fn push(&mut self, block: &Block) -> Result<(), NonFinite> {
        if let Some(index) = block.first_non_finite() {
            return Err(NonFinite { frame: self.frame_count + Frames(index as u64) });
        }
        if let Some(meter) = &mut self.loudness {
            meter.push(block);
        }
        if let Some(meter) = &mut self.level {
            meter.push(block);
        }
        if let Some(stft) = &mut self.stft {
            stft.push(block, |frames| {
                if let Some(meter) = &mut self.spectrum {
                    meter.push(frames);
                }
                if let Some(meter) = &mut self.transient {
                    meter.push_spectra(frames);
                }
                if let Some(meter) = &mut self.harmonic {
                    meter.push_spectra(frames);
                }
            });
        }
        if let Some(meter) = &mut self.stereo {
            meter.push(block);
        }
        if let Some(meter) = &mut self.bands {
            meter.push(block);
        }
        if let Some(meter) = &mut self.transient {
            meter.push(block);
        }
        if let Some(meter) = &mut self.harmonic {
            meter.push(block);
        }
        self.frame_count += Frames(block.frame_count() as u64);
        Ok(())
    }

    /// Frames measured so far.
    pub fn frame_count(&self) -> Frames {
        self.frame_count
    }

    /// What was measured.
    pub fn finish(self) -> Analysis {
        self.finish_as_piece().0
    }

    /// What was measured, and what it contributes to the loudness of a group: nothing where no loudness is
    /// measured.
    pub fn finish_as_piece(mut self) -> (Analysis, Piece) {
        if let Some(stft) = self.stft {
            stft.finish(|frames| {
                if let Some(meter) = &mut self.spectrum {
                    meter.push(frames);
                }
                if let Some(meter) = &mut self.transient {
                    meter.push_last_spectra(frames);
                }
                if let Some(meter) = &mut self.harmonic {
                    meter.push_spectra(frames);
                }
            });
        }
        let (spectrum, shapes) = self.spectrum.map(SpectrumMeter::finish).unwrap_or_default();
        let (loudness, piece) = self.loudness.map(LoudnessMeter::finish_as_piece).unzip();
        let analysis = Analysis {
            loudness,
            level: self.level.map(LevelMeter::finish),
            spectrum: self.has_spectrum.then_some(spectrum),
            stereo: self.stereo.map(StereoMeter::finish),
            bands: self.bands.map(|meter| meter.finish(&shapes)),
            transient: self.transient.map(TransientMeter::finish),
            harmonic: self.harmonic.map(HarmonicMeter::finish),
        };
        (analysis, piece.unwrap_or_default())
    }
}

/// Analyzes samples in memory, one slice a channel: the numbers are those of a file that holds them.
///
/// ```
/// use wavemill_dsp::analysis::{self, Group, Options};
/// use wavemill_audio::{PcmFormat, StreamSpec};
///
/// // Two seconds of a square wave on the left, half of it on the right; full scale is 1.0.
/// let left: Vec<f32> = (0..96_000).map(|frame| if frame / 24 % 2 == 0 { 0.5 } else { -0.5 }).collect();
/// let right: Vec<f32> = left.iter().map(|sample| sample / 2.0).collect();
///
/// let spec = StreamSpec::new(48_000, 2);
/// let options = Options { groups: vec![Group::Loudness, Group::Level], ..Options::default() };
/// let report = analysis::analyze(&[&left, &right], &spec, PcmFormat::FLOAT, &options)?;
///
/// let loudness = report.loudness.expect("it was asked for");
/// assert!(loudness.integrated_lufs.is_some());
/// assert_eq!(report.level.expect("so was this").peak_amplitude, 0.5);
/// assert_eq!(report.stereo, None);
/// # Ok::<(), analysis::NonFinite>(())
/// ```
///
/// A stream is measured by an [`Analyzer`] as it comes, in blocks of any length.
///
/// # Errors
/// When a sample is not finite.
///
/// # Panics
/// When there is not one slice for each channel of the stream, or they differ in length: that is a
/// bug of the caller.
pub fn analyze(
    planes: &[&[f32]],
    spec: &StreamSpec,
    format: PcmFormat,
    options: &Options,
) -> Result<Analysis, NonFinite> {
    assert_eq!(planes.len(), spec.channel_count(), "one slice a channel");
    let frame_count = planes.first().map_or(0, |plane| plane.len());
    assert!(planes.iter().all(|plane| plane.len() == frame_count), "channels of one length");
    let mut analyzer = Analyzer::new(spec, format, options);
    let mut block = Block::new(planes.len(), BLOCK_FRAMES);
    for start in (0..frame_count).step_by(BLOCK_FRAMES) {
        let count = BLOCK_FRAMES.min(frame_count - start);
        block.set_frame_count(count);
        for (channel, plane) in planes.iter().enumerate() {
            block.plane_mut(channel).copy_from_slice(&plane[start..start + count]);
        }
        analyzer.push(&block)?;
    }
    Ok(analyzer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_their_keys_in_reports() {
        let spec = StreamSpec::new(48_000, 2);
        let plane = vec![0.25; 48_000];
        let report =
            analyze(&[&plane, &plane], &spec, PcmFormat::FLOAT, &Options::default()).unwrap();
        let value = serde_json::to_value(report).unwrap();
        let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let names: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
        assert_eq!(keys, names);
    }
}
