//! The states of a job.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a job is in its life.
///
/// `Ready -> Running -> Prepared -> Published -> Done`, with the exits `Retry`, `Rejected`, `Failed`,
/// `Skipped` and `Canceled`. A state is on disk before its effect can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Waits for a worker.
    Ready,
    /// A worker has it; its temporary files are known.
    Running,
    /// Every output is complete, synced and verified under its temporary name.
    Prepared,
    /// Every output has its final name; the source still has to be moved.
    Published,
    /// Waits for another attempt after an error that may pass.
    Retry,
    /// Finished and delivered.
    Done,
    /// The pipeline's gates refused the file; only its report was delivered.
    Rejected,
    /// The file or the pipeline is at fault, or the attempts are used up.
    Failed,
    /// Every output was left out because its name was taken, or the file is a duplicate.
    Skipped,
    /// It no longer has to run: the file changed, or newer content took its place.
    Canceled,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub(crate) const ALL: [Self; 10] = [
        Self::Ready,
        Self::Running,
        Self::Prepared,
        Self::Published,
        Self::Retry,
        Self::Done,
        Self::Rejected,
        Self::Failed,
        Self::Skipped,
        Self::Canceled,
    ];

    /// The state's name, as in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Prepared => "prepared",
            Self::Published => "published",
            Self::Retry => "retry",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing more happens to a job in this state.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Rejected | Self::Failed | Self::Skipped | Self::Canceled)
    }

    /// Whether a job in this state waits for a worker.
    pub fn waits(self) -> bool {
        matches!(self, Self::Ready | Self::Retry)
    }

    /// Whether a worker or the publisher holds a job in this state.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Running | Self::Prepared | Self::Published)
    }

    /// The number under which the store keeps this state; never reused for another one.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Running => 1,
            Self::Prepared => 2,
            Self::Published => 3,
            Self::Retry => 4,
            Self::Done => 5,
            Self::Rejected => 6,
            Self::Failed => 7,
            Self::Skipped => 8,
            Self::Canceled => 9,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for JobState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|state| state.name()).collect();
            format!("unknown job state `{text}`; use one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_names_parse_back() {
        for state in JobState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    #[test]
    fn state_codes_are_distinct() {
        let mut codes: Vec<_> = JobState::ALL.iter().map(|state| state.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), JobState::ALL.len());
    }
}
