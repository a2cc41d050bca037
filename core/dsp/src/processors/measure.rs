//! `measure`: loudness is measured and nothing is changed.

use super::loudness::findings_of_group;
use super::mono;
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::loudness::{GroupLoudness, LoudnessMeter, LoudnessReport, MonoMode, Piece};
use crate::processor::{
    Finding, ProcessError, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use wavemill_audio::units::Frames;
use wavemill_audio::{Block, StreamSpec};

/// `measure{group, mono}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "measure",
    summary: "Measures loudness and true peak of a file or a group of files; changes nothing.",
    manual: "The results are in the report. With `group`, loudness is gated over all files of one \
        folder or one `wavemill run`, so `replay_gain` in an export also writes album gain. The \
        audio does not change.",
    params: &[
        ParamDescriptor {
            key: "group",
            summary: "Files measured together: all files of a `folder`, or of a `batch` (one \
                `wavemill run`).",
            kind: ParamKind::Choice(&["folder", "batch"]),
            default: ParamDefault::Absent,
        },
        mono::PARAM,
    ],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let mono = mono::mode(params)?;
    Ok(StepProcessor::of_whole_file(Measure {
        is_usual: mono == MonoMode::Single || spec.channel_count() != 1,
        meter: Some(Box::new(LoudnessMeter::new(spec, mono))),
        scope: params.optional_choice("group").map(str::to_owned),
        group: None,
        is_known: false,
        report: LoudnessReport::default(),
        piece: Piece::default(),
    }))
}

/// Measures.
#[derive(Debug)]
struct Measure {
    /// Whether a mono file counts as one channel.
    is_usual: bool,
    /// `None` when nothing more is to be measured.
    meter: Option<Box<LoudnessMeter>>,
    scope: Option<String>,
    group: Option<GroupLoudness>,
    /// Whether the file was measured before.
    is_known: bool,
    report: LoudnessReport,
    piece: Piece,
}

impl Processor for Measure {
    fn process(&mut self, _block: &mut Block) -> Status {
        Status::Continue
    }

    fn reset(&mut self) {}

    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        // Nobody may have asked whether the signal must come again.
        self.observes_again();
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties { is_transparent: true, ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        let Piece { integrated_lufs, true_peak_dbtp, .. } = self.piece;
        let mut findings = vec![
            Finding::number("measured_integrated_lufs", integrated_lufs.map(|lufs| lufs.0)),
            Finding::number("measured_true_peak_dbtp", true_peak_dbtp.map(|peak| peak.0)),
        ];
        if let Some((group, scope)) = self.group.as_ref().zip(self.scope.as_ref()) {
            findings.extend(findings_of_group(scope, group));
        }
        findings.into()
    }
}

impl WholeFile for Measure {
    fn needs_samples(&self) -> bool {
        self.meter.is_some()
    }

    fn observe(&mut self, block: &Block) {
        if let Some(meter) = &mut self.meter {
            meter.push(block);
        }
    }

    fn observes_again(&mut self) -> bool {
        if let Some(meter) = self.meter.take() {
            (self.report, self.piece) = meter.finish_as_piece();
        }
        false
    }

    fn observed_loudness(&self) -> Option<&LoudnessReport> {
        (self.is_usual && !self.is_known).then_some(&self.report)
    }

    fn piece(&self) -> Option<&Piece> {
        self.scope.as_ref().map(|_| &self.piece)
    }

    fn join_group(&mut self, group: &GroupLoudness, piece: Option<&Piece>) {
        if self.scope.is_none() {
            return;
        }
        self.group = Some(*group);
        if let Some(piece) = piece {
            self.piece = piece.alone();
            self.is_known = true;
            self.meter = None;
        }
    }

    fn group_behind(&self) -> Option<GroupLoudness> {
        self.group
    }
}
