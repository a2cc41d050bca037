//! Notifies other programs of the ends of jobs and batches: an HTTP request or a command.
//!
//! Notices are in the store with the change they are about (`store/notices`), so they survive the daemon. A
//! thread for each hook sends them, one after the other; no job waits for that.

mod command;
mod message;
mod notifier;
mod webhook;

pub use message::Message;
pub(crate) use notifier::Notifiers;
pub use webhook::{Secret, is_url};

use std::time::Duration;
use wavemill_store::{HookRecord, Occasion};

/// Longest that a receiver may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A receiver to be notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Names it in messages and in the store.
    pub name: String,
    /// What it is notified of.
    pub on: Vec<Occasion>,
    /// Of which pipelines; empty is all.
    pub pipelines: Vec<String>,
    /// How.
    pub target: Target,
}

/// How a hook is notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A POST request.
    Webhook {
        /// Where to, `http` or `https`.
        url: String,
        /// What requests are signed with.
        secret: Option<Secret>,
    },
    /// A program and its arguments; the message is on its standard input.
    Command(Vec<String>),
}

/// Why a receiver could not be notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The receiver cannot be notified now.
    Unwell(String),
    /// The receiver does not take this message.
    Refused(String),
}

impl Failure {
    /// One line.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unwell(reason) | Self::Refused(reason) => reason,
        }
    }
}

impl Hook {
    /// What the store has to know.
    pub(crate) fn record(&self) -> HookRecord {
        HookRecord { on: self.on.clone(), pipelines: self.pipelines.clone() }
    }

    /// Sends it a message, and waits until it was taken: at most seconds.
    ///
    /// # Errors
    /// When it could not be notified.
    pub fn notify(&self, message: &Message) -> Result<(), Failure> {
        match &self.target {
            Target::Webhook { url, secret } => webhook::post(url, secret.as_ref(), message),
            Target::Command(words) => command::run(words, message),
        }
    }
}
