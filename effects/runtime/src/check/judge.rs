//! How a check ends.

/// The end of a check; an error is a broken promise, or a budget used up.
pub(super) type Judgment = Result<Outcome, Stop>;

/// A check that found nothing broken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// What was tried or measured.
    Passed(String),
    /// What could be better, and what was tried.
    Hint(String, String),
    /// Why nothing can be said.
    NotJudged(String),
}

/// Why a check ends early.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stop {
    /// A promise is broken.
    Broke {
        /// One line an author can act on.
        reason: String,
        /// The sample that was out of bounds, where that is what happened.
        sample: Option<f32>,
        /// What `fx_create` returned, where that is what happened.
        returned: Option<i32>,
    },
    /// The fuel for all checks is used up.
    Spent,
}

impl Stop {
    /// A broken promise.
    pub(super) fn broke(reason: impl Into<String>) -> Self {
        Self::Broke { reason: reason.into(), sample: None, returned: None }
    }

    /// The same, with the circumstances in front.
    pub(super) fn at(self, circumstances: &str) -> Self {
        match self {
            Self::Broke { reason, sample, returned } => {
                Self::Broke { reason: format!("{circumstances}: {reason}"), sample, returned }
            }
            Self::Spent => Self::Spent,
        }
    }
}

/// `1 preset`, `2 presets`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
