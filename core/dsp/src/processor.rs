//! The trait of every processing step, whether built in or loaded as an effect.

use crate::loudness::{GroupLoudness, LoudnessReport, Piece};
use serde::Serialize;
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
    /// The step cannot go on; [`Processor::failure`] says why.
    Failed,
}

/// What a step must know of the whole file before its first output frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WholeFileNeed {
    /// Nothing: it streams.
    Nothing,
    /// Its number of frames.
    Length,
    /// Every sample of it: [`Processor::observe`] sees all blocks in a pass of their own.
    Samples,
}

/// How long a step sounds after its input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// This many frames; usually zero.
    Frames(Frames),
    /// For ever (a feedback that never decays); the executor caps it and says so.
    Infinite,
}

/// What became of a ceiling that was to be lowered; see [`Processor::lower_ceiling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered {
    /// The step limits nothing: it stays as it is.
    Nothing,
    /// The ceiling is lower, and the loudness within reach.
    Done,
    /// The ceiling is lower; the loudness is out of reach below it.
    Bound,
}

/// A step that changes audio block by block, in place.
///
/// Life of an instance: built for one [`StreamSpec`]; `join_group` if the file belongs to one; if it needs
/// the whole file's samples, `observe` for every block, and again as long as `observes_again` says so;
/// `begin` once; `process` for every block. `reset` brings it back to the state after `begin`.
///
/// The executor compensates latency: it feeds silence for `latency + tail + held_back` frames at the
/// end, drops the first `latency` frames of output, and delivers exactly
/// `output_length(input) + tail` frames.
pub trait Processor: Send {
    /// Processes one block in place; it may have any number of frames from 0 to the capacity.
    ///
    /// Real-time: does not allocate, lock, log, block or panic. The output over a whole file does
    /// not depend on how the file was cut into blocks.
    fn process(&mut self, block: &mut Block) -> Status;

    /// Forgets the signal so far. Real-time.
    fn reset(&mut self);

    /// The stream this step delivers when it is fed `input`.
    fn output_spec(&self, input: &StreamSpec) -> StreamSpec {
        input.clone()
    }

    /// The most frames `process` leaves in a block that held `input_frames`, and the capacity it needs.
    fn max_output_frames(&self, input_frames: usize) -> usize {
        input_frames
    }

    /// Frames by which output lags behind input.
    fn latency(&self) -> Frames {
        Frames::ZERO
    }

    /// Input frames that it may keep until more come, beyond its latency; zero unless it works in
    /// blocks of its own.
    fn held_back(&self) -> Frames {
        Frames::ZERO
    }

    /// How long it sounds after the input's end.
    fn tail(&self) -> Tail {
        Tail::Frames(Frames::ZERO)
    }

    /// Frames delivered, without tail, for a file of `input` frames; valid after `begin`.
    fn output_length(&self, input: Frames) -> Frames {
        input
    }

    /// The frame of the input that is the first of the output, negative where the output begins
    /// earlier; valid after `begin`. `None` is the first where the step keeps the length, and unknown
    /// where it does not.
    fn first_frame(&self) -> Option<i64> {
        None
    }

    /// What it must know of the whole file before it can begin.
    fn whole_file_need(&self) -> WholeFileNeed {
        WholeFileNeed::Nothing
    }

    /// Sees a block of the first pass; called only when the need is [`WholeFileNeed::Samples`].
    fn observe(&mut self, _block: &Block) {}

    /// Asked when it has observed every block: whether it must see all of them once more, to try on
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

    /// What it observed, as a piece of a group; complete when it was asked whether it observes again.
    /// `None` for steps that treat every file by itself.
    fn piece(&self) -> Option<&Piece> {
        None
    }

    /// Told before anything else that the file belongs to a group, and what was measured of the file in
    /// the same place of the same chain, if it was: then it need not be observed once more.
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

    /// Last word of the setup, before the first `process`.
    ///
    /// `length` is the exact number of input frames; it is known whenever the step said it needs
    /// the length or the samples.
    ///
    /// # Errors
    /// When what was observed cannot be processed as asked.
    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        Ok(())
    }

    /// Lowers the true-peak ceiling that the step holds to `by` below the one it was built with, for a
    /// repeat of a pass whose exports exceeded that ceiling after encoding, and aims at a loudness `louder`
    /// than asked for, for what encoding took away.
    ///
    /// Called after [`Self::begin`], outside of the real-time thread, and followed by [`Self::reset`]
    /// before the next `process`. Both count from what the step was built with, so calls do not
    /// add up and zeros restore it; `by` is not negative. `latency` and `is_transparent` may change; the
    /// length does not. A step that aims at a loudness chooses the gain anew, from what it measured
    /// before `begin`, so that the output reaches it below the lower ceiling too. The gain of a group
    /// follows from `by` and `louder` alone, so that it stays the same for all its files.
    fn lower_ceiling(&mut self, _by: Decibels, _louder: Decibels) -> Lowered {
        Lowered::Nothing
    }

    /// Whether the step will return every sample unchanged, so that integers keep their own values
    /// and no dither is added; it may still drop frames, add silent ones or exchange channels. Valid
    /// after `begin`.
    fn is_transparent(&self) -> bool {
        false
    }

    /// Why `process` returned [`Status::Failed`].
    fn failure(&self) -> Option<String> {
        None
    }

    /// What the step found and did, for the report; complete after the last block.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// One thing a step tells the report; the key carries the unit (`gain_db`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Name with unit, `snake_case`.
    pub key: &'static str,
    /// Its value.
    pub value: FindingValue,
}

impl Finding {
    /// A number, or nothing where the value does not exist.
    pub fn number(key: &'static str, value: impl Into<Option<f64>>) -> Self {
        Self { key, value: value.into().map_or(FindingValue::None, FindingValue::Number) }
    }

    /// Whether something holds.
    pub fn flag(key: &'static str, value: bool) -> Self {
        Self { key, value: FindingValue::Bool(value) }
    }

    /// A sentence or a word.
    pub fn text(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: FindingValue::Text(value.into()) }
    }
}

/// Value of a [`Finding`].
#[derive(Clone, Debug, PartialEq, Serialize)]
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
