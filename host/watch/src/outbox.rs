//! Changes on their way to the engine, in batches.

use super::{Change, ChangeSender};
use crossbeam_channel::SendTimeoutError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Most changes in a batch, which the engine stores in one transaction.
const BATCH_MAX: usize = 4096;

/// How long a change waits for company while more are on their way.
const COMPANY: Duration = Duration::from_millis(50);

/// How often a blocked sender looks whether it is to stop.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// Collects changes.
pub(super) struct Outbox {
    index: usize,
    sender: ChangeSender,
    changes: Vec<Change>,
    oldest: Option<Instant>,
}

/// Nobody listens any more, or the watcher was asked to stop.
pub(super) struct ChannelClosed;

impl Outbox {
    pub(super) fn new(index: usize, sender: ChangeSender) -> Self {
        Self { index, sender, changes: Vec::new(), oldest: None }
    }

    /// Adds a change.
    pub(super) fn push(&mut self, change: Change) {
        self.oldest.get_or_insert_with(Instant::now);
        self.changes.push(change);
    }

    /// When the changes at hand go out at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.oldest.map(|oldest| oldest + COMPANY)
    }

    /// Sends what is ripe; everything if no more is `expected` soon.
    pub(super) fn flush(&mut self, expected: bool, stop: &AtomicBool) -> Result<(), ChannelClosed> {
        let is_ripe = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
        while self.changes.len() >= BATCH_MAX
            || (!self.changes.is_empty() && (is_ripe || !expected))
        {
            let rest = self.changes.split_off(self.changes.len().min(BATCH_MAX));
            let batch = std::mem::replace(&mut self.changes, rest);
            self.send(batch, stop)?;
        }
        if self.changes.is_empty() {
            self.oldest = None;
        }
        Ok(())
    }

    fn send(&self, batch: Vec<Change>, stop: &AtomicBool) -> Result<(), ChannelClosed> {
        let mut message = (self.index, batch);
        while !stop.load(Ordering::Acquire) {
            match self.sender.send_timeout(message, STOP_CHECK) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(back)) => message = back,
                Err(SendTimeoutError::Disconnected(_)) => return Err(ChannelClosed),
            }
        }
        Err(ChannelClosed)
    }
}
