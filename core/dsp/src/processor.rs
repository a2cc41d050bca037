//! The trait of every processing step, whether built in or loaded as an effect.

use crate::loudness::{GroupLoudness, LoudnessReport, Piece};
use crate::matching::Reference;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use thiserror::Error;
use wavemill_audio::units::{Decibels, Frames, Lufs};
use wavemill_audio::{Block, StreamSpec};

/// What a block's processing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Status {
    /// Go on.
    Continue,
    /// All further output is silent as long as the input is.
    Silent,
    /// The step cannot go on; [`Processor::report`] says why.
    Failed,
}

/// How long a step sounds after its input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// This many frames; usually zero.
    Frames(Frames),
    /// For ever (a feedback that never decays); the executor caps it and says so.
    Infinite,
}

impl Tail {
    /// No sound after the input's end.
    pub const NONE: Self = Self::Frames(Frames::ZERO);
}

impl Default for Tail {
    fn default() -> Self {
        Self::NONE
    }
}

/// What became of a ceiling that was to be lowered; see [`WholeFile::lower_ceiling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeilingChange {
    /// The step limits nothing: it stays as it is.
    Nothing,
    /// The ceiling is lower, and the loudness within reach.
    Done,
    /// The ceiling is lower; the loudness is out of reach below it.
    Bound,
}

/// What a step is like to whoever runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Frames by which output lags behind input.
    pub latency: Frames,
    /// Input frames that it may keep until more come, beyond its latency; zero unless it works in
    /// blocks of its own.
    pub held_back: Frames,
    /// How long it sounds after the input's end.
    pub tail: Tail,
    /// Whether it returns every sample unchanged, so that integers keep their own values and no dither
    /// is added; it may still drop frames, add silent ones or exchange channels.
    pub is_transparent: bool,
    /// Whether it must know the input's number of frames before it begins.
    pub needs_length: bool,
}

/// The part of a file that a step delivers, without its tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSpan {
    /// The frame of the input that is the first of the output, negative where the output begins
    /// earlier; `None` where the rate is another one.
    pub first_frame: Option<i64>,
    /// Frames of output.
    pub length: Frames,
}

/// What a step found and did; complete after the last block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// For the report of a run.
    pub findings: Vec<Finding>,
    /// Why `process` returned [`Status::Failed`].
    pub failure: Option<String>,
}

impl From<Vec<Finding>> for StepReport {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, failure: None }
    }
}

/// A step that changes audio block by block, in place.
///
/// Life of an instance: built for one [`StreamSpec`]; what [`WholeFile`] asks for, if it is one; `begin`
/// once; `process` for every block. `reset` brings it back to the state after `begin`.
///
/// The executor compensates latency: it feeds silence for `latency + tail + held_back` frames at the
/// end, drops the first `latency` frames of output, and delivers exactly `span(input).length + tail`
/// frames.
pub trait Processor: Send {
    /// Processes one block in place; it may have any number of frames from 0 to the capacity.
    ///
    /// Real-time: does not allocate, lock, log, block or panic. The output over a whole file does
    /// not depend on how the file was cut into blocks.
    fn process(&mut self, block: &mut Block) -> Status;

    /// Forgets the signal so far. Real-time.
    fn reset(&mut self);

    /// Ends the setup, before the first `process`. `length` is the exact number of input frames; it is
    /// known whenever the step needs the length or the samples.
    ///
    /// # Errors
    /// When what was observed cannot be processed as asked.
    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        Ok(())
    }

    /// The stream this step delivers when it is fed `input`.
    fn output_spec(&self, input: &StreamSpec) -> StreamSpec {
        input.clone()
    }

    /// The most frames `process` leaves in a block that held `input_frames`, and the capacity it needs.
    fn max_output_frames(&self, input_frames: usize) -> usize {
        input_frames
    }

    /// What it delivers of a file of `input` frames; valid after `begin`.
    fn span(&self, input: Frames) -> OutputSpan {
        OutputSpan { first_frame: Some(0), length: input }
    }

    /// Latency, tail and the like; valid after `begin`. Real-time.
    fn properties(&self) -> Properties {
        Properties::default()
    }

    /// What it found and did, and why it failed.
    fn report(&self) -> StepReport {
        StepReport::default()
    }
}

/// A step that decides by the whole file, or by all files that belong together.
///
/// Before [`Processor::begin`]: `join_group` if the file belongs to a group; if it needs the samples,
/// `observe` for every block, and again as long as `observes_again` says so.
pub trait WholeFile: Processor {
    /// Whether it must see every sample, in a pass of their own, before its first output frame.
    fn needs_samples(&self) -> bool;

    /// Sees a block of that pass.
    fn observe(&mut self, _block: &Block) {}

    /// Called when it has observed every block: whether it must see all of them once more, to try on
    /// them what it will do. Each time is a pass, so it asks for few.
    fn observes_again(&mut self) -> bool {
        false
    }

    /// The loudness of what it observed, as a [`LoudnessMeter`](crate::loudness::LoudnessMeter)
    /// measures the stream with a mono file as one channel; complete after `begin`. `None` for steps
    /// that measure no such thing. Where nothing runs before the step, this is the source's loudness,
    /// and the executor needs no meter of its own.
    fn observed_loudness(&self) -> Option<&LoudnessReport> {
        None
    }

    /// What it observed, as a piece of a group; complete when `observes_again` was called. `None` for
    /// steps that treat every file by itself.
    fn piece(&self) -> Option<&Piece> {
        None
    }

    /// Hands it what was measured of the file that its key of the kind
    /// [`AudioFile`](crate::descriptor::ParamKind::AudioFile) names; called before anything else. Steps without
    /// such a key are not called.
    fn set_reference(&mut self, _reference: &Reference) {}

    /// Makes the file one of a group; called before anything else. `piece` is what was measured of the
    /// file in the same place of the same chain: with it the file need not be observed once more.
    fn join_group(&mut self, _group: &GroupLoudness, _piece: Option<&Piece>) {}

    /// Loudness and true peak of its group behind this step; valid after `begin`. `None` where the file
    /// belongs to none, or where nobody knows what the step makes of the other files.
    fn group_behind(&self) -> Option<GroupLoudness> {
        None
    }

    /// The integrated loudness that its group is to have behind this step; valid after `begin`. `None` where
    /// the file belongs to none, or the step aims at no loudness.
    fn group_goal(&self) -> Option<Lufs> {
        None
    }

    /// Lowers the true-peak ceiling that the step holds to `by` below the one it was built with, for a
    /// repeat of a pass whose exports exceeded that ceiling after encoding, and aims at a loudness `louder`
    /// than asked for, for what encoding took away.
    ///
    /// Called after [`Processor::begin`], outside of the real-time thread, and followed by
    /// [`Processor::reset`] before the next `process`. Both count from what the step was built with, so
    /// calls do not add up and zeros restore it; `by` is not negative. Properties may change; the length
    /// does not. A step that aims at a loudness chooses the gain anew, from what it measured before
    /// `begin`, so that the output reaches it below the lower ceiling too. The gain of a group follows
    /// from `by` and `louder` alone, so that it stays the same for all its files.
    fn lower_ceiling(&mut self, _by: Decibels, _louder: Decibels) -> CeilingChange {
        CeilingChange::Nothing
    }
}

/// The processor of a step. It derefs to [`Processor`].
pub enum StepProcessor {
    /// Works on the stream alone.
    Streaming(Box<dyn Processor>),
    /// Decides by the whole file.
    WholeFile(Box<dyn WholeFile>),
}

impl StepProcessor {
    /// A step that works on the stream alone.
    pub fn streaming(processor: impl Processor + 'static) -> Self {
        Self::Streaming(Box::new(processor))
    }

    /// A step that decides by the whole file.
    pub(crate) fn of_whole_file(processor: impl WholeFile + 'static) -> Self {
        Self::WholeFile(Box::new(processor))
    }

    /// The step, where it decides by the whole file.
    pub fn whole_file(&self) -> Option<&dyn WholeFile> {
        match self {
            Self::Streaming(_) => None,
            Self::WholeFile(processor) => Some(processor.as_ref()),
        }
    }

    /// The step, where it decides by the whole file.
    pub fn whole_file_mut(&mut self) -> Option<&mut dyn WholeFile> {
        match self {
            Self::Streaming(_) => None,
            Self::WholeFile(processor) => Some(processor.as_mut()),
        }
    }

    /// The step, where it must see every sample before its first output frame.
    pub fn observer(&mut self) -> Option<&mut dyn WholeFile> {
        self.whole_file_mut().filter(|processor| processor.needs_samples())
    }
}

impl Deref for StepProcessor {
    type Target = dyn Processor;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Streaming(processor) => processor.as_ref(),
            Self::WholeFile(processor) => processor.as_ref(),
        }
    }
}

impl DerefMut for StepProcessor {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Streaming(processor) => processor.as_mut(),
            Self::WholeFile(processor) => processor.as_mut(),
        }
    }
}

/// One line of a step in the report; the key carries the unit (`gain_db`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Name with unit, `snake_case`.
    pub key: Cow<'static, str>,
    /// Its value.
    pub value: FindingValue,
}

impl Finding {
    /// A number, or nothing where the value does not exist.
    pub fn number(key: &'static str, value: impl Into<Option<f64>>) -> Self {
        Self {
            key: key.into(),
            value: value.into().map_or(FindingValue::None, FindingValue::Number),
        }
    }

    /// Whether something holds.
    pub fn flag(key: &'static str, value: bool) -> Self {
        Self { key: key.into(), value: FindingValue::Bool(value) }
    }

    /// A sentence or a word.
    pub fn text(key: &'static str, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: FindingValue::Text(value.into()) }
    }
}

/// Value of a [`Finding`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FindingValue {
    /// A finite number.
    Number(f64),
    /// Whether something holds.
    Bool(bool),
    /// Text.
    Text(String),
    /// No value exists (silence).
    None,
}

/// Why a step cannot process what it observed.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{reason}")]
pub struct ProcessError {
    /// One line, lower case, that says what would be right.
    pub reason: String,
}
