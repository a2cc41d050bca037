//! Everything Wavemill measures, fed with one pass over the samples.
//!
//! The same code for files, for samples in memory, for pipelines and for a plugin. Only the groups
//! asked for are computed. Results do not depend on how the signal was cut into blocks.

use crate::features::{FeatureMeter, FeatureReport};
use crate::loudness::{LoudnessMeter, LoudnessReport, MonoMode, Piece};
use crate::measure::{
    BandReport, BandsMeter, FrameBatch, HarmonicMeter, HarmonicReport, LevelMeter, LevelReport,
    Meter, Needs, Setup, Shapes, SpectrumMeter, SpectrumReport, StereoMeter, StereoReport, Stft,
    TransientMeter, TransientReport, WholeSpectrum,
};
use crate::music::{
    Chord, ChordMeter, RhythmMeter, RhythmOptions, RhythmReport, TonalityMeter, TonalityReport,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wavemill_audio::limits::BLOCK_FRAMES;
use wavemill_audio::units::Frames;
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// Version of what is measured and how: raised whenever the same samples give other numbers, so that
/// results kept from before are measured anew. A test holds it against known numbers.
pub const VERSION: u32 = 10;

/// Writes what follows from the list of groups.
macro_rules! groups {
    ($($group:ident: $key:ident, $meter:ty => $report:ty, $summary:literal;)*) => {
        /// A group of measures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum MeasureGroup {
            $(#[doc = $summary] $group,)*
        }

        impl MeasureGroup {
            /// All of them, in the order of reports.
            pub const ALL: &'static [Self] = &[$(Self::$group),*];

            /// Its key in reports, and what one types to ask for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$group => stringify!($key),)*
                }
            }

            /// Whether it is measured where nobody says what to measure.
            pub fn is_usual(self) -> bool {
                match self {
                    $(Self::$group => <$meter as Meter>::IS_USUAL,)*
                }
            }

            /// What it measures, in a few words for people.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$group => $summary,)*
                }
            }
        }

        /// What was asked for; groups that were not are absent.
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct Analysis {
            $(
                #[doc = $summary]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $key: Option<$report>,
            )*
        }

        /// The meters of the groups asked for.
        #[derive(Debug)]
        struct Meters {
            $($key: Option<$meter>,)*
        }

        impl Meters {
            fn new(spec: &StreamSpec, setup: Setup, groups: &[MeasureGroup]) -> Self {
                Self {
                    $($key: groups
                        .contains(&MeasureGroup::$group)
                        .then(|| <$meter as Meter>::new(spec, setup)),)*
                }
            }

            fn needs(&self) -> Needs {
                let mut needs = Needs::Samples;
                $(if self.$key.is_some() {
                    needs = needs.max(<$meter as Meter>::NEEDS);
                })*
                needs
            }

            fn push_spectra(&mut self, frames: FrameBatch<'_>) {
                $(if let Some(meter) = &mut self.$key {
                    Meter::push_spectra(meter, frames);
                })*
            }

            fn push(&mut self, block: &Block) {
                $(if let Some(meter) = &mut self.$key {
                    Meter::push(meter, block);
                })*
            }

            fn push_last_spectra(&mut self, frames: FrameBatch<'_>) {
                $(if let Some(meter) = &mut self.$key {
                    Meter::push_last_spectra(meter, frames);
                })*
            }

            fn finish(self, shapes: &Shapes) -> Analysis {
                Analysis { $($key: self.$key.map(|meter| Meter::finish(meter, shapes)),)* }
            }
        }
    };
}

// Every group: its key, its meter, its report. Adding one: its file in `measure`, and a line here.
groups! {
    Loudness: loudness, LoudnessMeter => LoudnessReport, "Program loudness and true peak";
    Level: level, LevelMeter => LevelReport, "RMS, crest factor, dynamic range, clipping";
    Spectrum: spectrum, WholeSpectrum => SpectrumReport, "Centroid, bandwidth, rolloff, flatness";
    Stereo: stereo, StereoMeter => StereoReport, "Width, correlation, balance";
    Bands: bands, BandsMeter => Vec<BandReport>, "Level, crest factor, width and spectrum of five \
        bands";
    Transient: transient, TransientMeter => TransientReport, "Attack time, onsets per second, \
        transient content";
    Harmonic: harmonic, HarmonicMeter => HarmonicReport, "Distortion of a test tone, harmonic \
        share of energy";
    Rhythm: rhythm, RhythmMeter => RhythmReport, "Tempo, beats, bars";
    Tonality: tonality, TonalityMeter => TonalityReport, "Key, tuning, key changes";
    Chords: chords, ChordMeter => Vec<Chord>, "Chords over time; only where asked for";
    Features: features, FeatureMeter => FeatureReport, "Statistics for finding similar music; only \
        where asked for";
}

/// What to measure, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The groups to compute; repetitions mean nothing.
    pub groups: Vec<MeasureGroup>,
    /// How a mono file's loudness counts.
    pub mono: MonoMode,
    /// What is known of its tempo beforehand.
    pub rhythm: RhythmOptions,
}

impl Default for Options {
    fn default() -> Self {
        let usual = MeasureGroup::ALL.iter().copied().filter(|group| group.is_usual());
        Self { groups: usual.collect(), mono: MonoMode::Single, rhythm: RhythmOptions::default() }
    }
}

/// A sample that is not a number or infinite: nothing can be measured from there on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("frame {} has a NaN or infinite sample", frame.0)]
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
    /// Shared by all meters that look at short-time spectra.
    stft: Option<Stft>,
    /// Adds up the spectra.
    spectrum: Option<SpectrumMeter>,
    meters: Meters,
}

impl Analyzer {
    /// An analyzer for a stream whose samples are stored as `format`.
    pub fn new(spec: &StreamSpec, format: PcmFormat, options: &Options) -> Self {
        let setup = Setup { format, mono: options.mono, rhythm: options.rhythm };
        let meters = Meters::new(spec, setup, &options.groups);
        let needs = meters.needs();
        Self {
            frame_count: Frames::ZERO,
            stft: (needs >= Needs::Spectra).then(Stft::new),
            spectrum: (needs >= Needs::Shapes).then(|| SpectrumMeter::new(spec.sample_rate)),
            meters,
        }
    }

    /// Makes the loudness meter keep its history; see [`Self::loudness_mut`].
    #[must_use]
    pub fn with_history(mut self) -> Self {
        self.meters.loudness = self.meters.loudness.map(LoudnessMeter::with_history);
        self
    }

    /// The loudness meter, where loudness is measured: for its reading, history and distribution.
    pub fn loudness_mut(&mut self) -> Option<&mut LoudnessMeter> {
        self.meters.loudness.as_mut()
    }

    /// Measures further frames.
    ///
    /// # Errors
    /// When a sample is not finite; nothing of the block was measured then.
    pub fn push(&mut self, block: &Block) -> Result<(), NonFinite> {
        if let Some(index) = block.first_non_finite() {
            return Err(NonFinite { frame: self.frame_count + Frames(index as u64) });
        }
        if let Some(stft) = &mut self.stft {
            stft.push(block, |frames| {
                if let Some(spectrum) = &mut self.spectrum {
                    spectrum.push(frames);
                }
                self.meters.push_spectra(frames);
            });
        }
        self.meters.push(block);
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
                if let Some(spectrum) = &mut self.spectrum {
                    spectrum.push(frames);
                }
                self.meters.push_last_spectra(frames);
            });
        }
        let shapes = self.spectrum.map(SpectrumMeter::finish).unwrap_or_default();
        let loudness = self.meters.loudness.take();
        let (loudness, piece) = loudness.map(LoudnessMeter::finish_as_piece).unzip();
        (Analysis { loudness, ..self.meters.finish(&shapes) }, piece.unwrap_or_default())
    }
}

/// Analyzes samples in memory, one slice a channel: the numbers are those of a file that holds them.
///
/// ```
/// use wavemill_dsp::analysis::{self, MeasureGroup, Options};
/// use wavemill_audio::{PcmFormat, StreamSpec};
///
/// // Two seconds of a square wave on the left, half of it on the right; full scale is 1.0.
/// let left: Vec<f32> = (0..96_000).map(|frame| if frame / 24 % 2 == 0 { 0.5 } else { -0.5 }).collect();
/// let right: Vec<f32> = left.iter().map(|sample| sample / 2.0).collect();
///
/// let spec = StreamSpec::new(48_000, 2);
/// let options = Options { groups: vec![MeasureGroup::Loudness, MeasureGroup::Level], ..Options::default() };
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
        let options = Options { groups: MeasureGroup::ALL.to_vec(), ..Options::default() };
        let report = analyze(&[&plane, &plane], &spec, PcmFormat::FLOAT, &options).unwrap();
        let value = serde_json::to_value(report).unwrap();
        let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let names: Vec<&str> = MeasureGroup::ALL.iter().map(|group| group.name()).collect();
        assert_eq!(keys, names);
    }
}
