//! How the program stands to the target, with or without a window.

use crate::editor::{TargetState, violations};
use crate::meters::{Reading, Snapshot};
use crate::plugin::SharedState;
use parking_lot::Mutex;
use std::fmt;
use std::time::Duration;

/// How often the worker judges while the plugin is active.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// What a program can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Pass = 1,
    Fail = 2,
    /// Nothing failed, and not all that the target asks for is measured.
    Open = 3,
}

/// The latest verdict. It is found outside of the audio thread, which reads it.
#[derive(Default)]
pub(crate) struct Judge {
    /// A [`Standing`] as a number; none before there is a program, and without a target.
    standing: Reading,
    /// Passages beyond the target's limits; none where it has no limits.
    violations: Reading,
    work: Mutex<Option<Work>>,
}

/// A history at a moment, and the limits of loudness and peak it is held against.
type Subject = ((u64, usize), [Option<f32>; 2]);

struct Work {
    target: TargetState,
    history: Snapshot,
    /// What the count is of.
    counted: Option<Subject>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("standing", &self.standing).finish_non_exhaustive()
    }
}

impl Judge {
    /// A [`Standing`] as a number. Real-time.
    pub(crate) fn standing(&self) -> Option<f32> {
        self.standing.get()
    }

    /// Passages beyond the target's limits. Real-time.
    pub(crate) fn violations(&self) -> Option<f32> {
        self.violations.get()
    }

    /// Judges the readings of this moment. Not for the audio thread.
    pub(crate) fn update(&self, desk: &SharedState) {
        let mut work = self.work.lock();
        let work = work.get_or_insert_with(|| Work {
            target: TargetState::new(),
            history: Snapshot::default(),
            counted: None,
        });
        work.target.update(desk);
        let standing = work.target.judgment.as_ref().map(|judgment| match judgment.passed {
            Some(true) => Standing::Pass,
            Some(false) => Standing::Fail,
            None => Standing::Open,
        });
        self.standing.set(standing.map(|standing| f32::from(standing as u8)));
        self.count(work, desk);
    }

    fn count(&self, work: &mut Work, desk: &SharedState) {
        let limits = [work.target.loud_lufs(), work.target.peak_max_dbtp()];
        let of = (desk.shared.history_version(), limits);
        if work.counted == Some(of) {
            return;
        }
        desk.shared.read_history(&mut work.history);
        let count = violations(&work.history, &work.target);
        #[expect(clippy::cast_precision_loss, reason = "as many as the history has points")]
        let count = limits.iter().any(Option::is_some).then_some(count as f32);
        self.violations.set(count);
        work.counted = Some(of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::{HistoryWriter, Point};

    #[test]
    fn program_is_judged_without_a_window() {
        let desk = SharedState::default();
        desk.judge.update(&desk);
        assert_eq!((desk.judge.standing(), desk.judge.violations()), (None, Some(0.0)));
        desk.shared.readings.integrated_lufs.set(Some(-23.0));
        desk.shared.readings.true_peak_dbtp.set(Some(-3.0));
        desk.judge.update(&desk);
        assert_eq!(desk.judge.standing(), Some(1.0));
        let mut scribe = HistoryWriter::default();
        for index in 0..100u8 {
            let peak = if [20, 70].contains(&index) { 0.5 } else { -3.0 };
            let point = Point { true_peak_dbtp: Some(peak), ..Point::default() };
            scribe.push(&desk.shared.history, point);
        }
        desk.shared.readings.true_peak_dbtp.set(Some(0.5));
        desk.judge.update(&desk);
        assert_eq!((desk.judge.standing(), desk.judge.violations()), (Some(2.0), Some(2.0)));
        desk.params.choices.write().target = "netflix".into();
        desk.shared.readings.true_peak_dbtp.set(Some(-3.0));
        desk.judge.update(&desk);
        assert_eq!(desk.judge.standing(), Some(3.0), "dialogue is not measured");
    }
}
