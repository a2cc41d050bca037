//! What hooks are to be notified of: written with the change it is about, kept until it was delivered.

use super::records::{BatchRecord, JobRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{Store, StoreError};
use crate::{Clock, JobState};
use serde::{Deserialize, Serialize};

/// Longest that a notice is put off, ms: a day, after which it is given up.
const PUT_OFF_MAX_MS: u64 = 24 * 3_600_000;

/// What a hook can be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// A job was delivered.
    Done,
    /// A job failed for good.
    Failed,
    /// A gate refused what a job made.
    Rejected,
    /// Nothing was made: all names were taken, or the file is a duplicate.
    Skipped,
    /// Someone canceled a job.
    Canceled,
    /// The last job of a batch has ended.
    BatchDone,
}

impl Occasion {
    /// All, by the names they have in the configuration file.
    pub const ALL: [(&'static str, Self); 6] = [
        ("done", Self::Done),
        ("failed", Self::Failed),
        ("rejected", Self::Rejected),
        ("skipped", Self::Skipped),
        ("canceled", Self::Canceled),
        ("batch-done", Self::BatchDone),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, occasion)| *occasion == self).map_or("", |(name, _)| *name)
    }

    fn of(state: JobState) -> Option<Self> {
        match state {
            JobState::Done => Some(Self::Done),
            JobState::Failed => Some(Self::Failed),
            JobState::Rejected => Some(Self::Rejected),
            JobState::Skipped => Some(Self::Skipped),
            JobState::Canceled => Some(Self::Canceled),
            _ => None,
        }
    }
}

/// A hook, as far as the store has to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRecord {
    /// What it is notified of.
    pub on: Vec<Occasion>,
    /// Of which pipelines; empty is all.
    pub pipelines: Vec<String>,
}

/// A hook and how much it was not notified of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookBacklog {
    /// Its name.
    pub name: String,
    /// What it is notified of.
    pub hook: HookRecord,
    /// Notices that wait.
    pub waiting: u64,
    /// Why sending failed last.
    pub reason: Option<String>,
}

/// Something that a hook is to be notified of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecord {
    /// What happened.
    pub occasion: Occasion,
    /// Id of the job or batch.
    pub subject: String,
    /// Its pipeline.
    pub pipeline: String,
    /// When it happened, milliseconds since 1970.
    pub happened_ms: u64,
    /// How often sending it failed.
    pub tries: u32,
    /// When it is sent next, milliseconds since 1970; 0 is at once.
    pub due_ms: u64,
    /// Why sending failed last.
    pub reason: Option<String>,
}

/// How much a hook was not notified of yet. Kept with every change of its notices, of which there may be very
/// many after a receiver was away for long; counted anew whenever a daemon starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Backlog {
    /// Its notices.
    waiting: u64,
    /// Those of which sending failed.
    failed: u64,
    /// Why sending one of those failed last.
    reason: Option<String>,
}

impl Backlog {
    fn add(&mut self, notice: &NoticeRecord) {
        self.waiting += 1;
        if notice.reason.is_some() {
            self.failed += 1;
            self.reason.clone_from(&notice.reason);
        }
    }

    fn remove(&mut self, notice: &NoticeRecord) {
        self.waiting = self.waiting.saturating_sub(1);
        self.failed = self.failed.saturating_sub(u64::from(notice.reason.is_some()));
        if self.failed == 0 {
            self.reason = None;
        }
    }
}

impl NoticeRecord {
    fn new(occasion: Occasion, subject: &str, pipeline: &str, happened_ms: Option<u64>) -> Self {
        Self {
            occasion,
            subject: subject.to_owned(),
            pipeline: pipeline.to_owned(),
            happened_ms: happened_ms.unwrap_or_else(Clock::now_ms),
            tries: 0,
            due_ms: 0,
            reason: None,
        }
    }

    /// That a batch is over.
    pub(super) fn of_batch(batch: &BatchRecord) -> Self {
        Self::new(Occasion::BatchDone, &batch.id, &batch.pipeline, batch.finished_ms)
    }

    /// Names it; a batch that is over once more has another.
    pub fn id(&self) -> String {
        format!("{}-{}", self.subject, self.happened_ms)
    }
}

impl Store {
    /// Takes note of the hooks there are. What was to be sent to others is forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_hooks(&self, hooks: Vec<(String, HookRecord)>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for table in [tables::HOOKS, tables::NOTICES, tables::BACKLOGS] {
                let mut gone = Vec::new();
                tx.scan(table, Scan::forward(&[]), &mut |key, _| {
                    let name = key.split(|byte| *byte == 0).next().unwrap_or_default();
                    if !hooks.iter().any(|(hook, _)| hook.as_bytes() == name) {
                        gone.push(key.to_vec());
                    }
                    Ok(true)
                })?;
                gone.iter().try_for_each(|key| tx.remove(table, key))?;
            }
            hooks.iter().try_for_each(|(name, hook)| {
                tx.put(tables::HOOKS, name.as_bytes(), hook)?;
                // A store that an earlier version wrote to has none, or an old one.
                tx.put(tables::BACKLOGS, name.as_bytes(), &count(tx, name.as_bytes())?)
            })
        })
    }

    /// What a hook is to be sent by now, the oldest job first, at most `limit`; and when the next after that is due.
    ///
    /// # Errors
    /// When the store fails.
    pub fn notices_due(
        &self,
        hook: &str,
        now_ms: u64,
        limit: usize,
    ) -> Result<(Vec<NoticeRecord>, Option<u64>), StoreError> {
        let prefix = tables::key(&[hook.as_bytes(), b""]);
        let (mut found, mut next) = (Vec::new(), None::<u64>);
        self.read()?.scan(tables::NOTICES, Scan::forward(&prefix), &mut |_, bytes| {
            let notice: NoticeRecord = tables::decode(bytes)?;
            // A time further ahead than anything is put off was chosen before the clock was set back.
            if notice.due_ms <= now_ms || notice.due_ms > now_ms.saturating_add(PUT_OFF_MAX_MS) {
                found.push(notice);
            } else {
                next = Some(next.map_or(notice.due_ms, |next| next.min(notice.due_ms)));
            }
            Ok(found.len() < limit)
        })?;
        Ok((found, next))
    }

    /// How much each hook was not notified of yet, and why sending failed last.
    ///
    /// # Errors
    /// When the store fails.
    pub fn hooks(&self) -> Result<Vec<HookBacklog>, StoreError> {
        let look = self.read()?;
        let mut hooks = Vec::new();
        for (name, hook) in look.records::<HookRecord>(tables::HOOKS, &[])? {
            let Backlog { waiting, reason, .. } = backlog(&look, &name)?;
            let name = String::from_utf8_lossy(&name).into_owned();
            hooks.push(HookBacklog { name, hook, waiting, reason });
        }
        Ok(hooks)
    }

    /// Forgets what a hook was notified of, or will not be notified of any more.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget_notice(&self, hook: &str, notice: &NoticeRecord) -> Result<(), StoreError> {
        let (hook, key) = (hook.as_bytes().to_vec(), notice_key(hook, notice));
        self.write(move |tx| {
            let Some(notice) = tx.record(tables::NOTICES, &key)? else { return Ok(()) };
            let mut backlog = backlog(tx, &hook)?;
            backlog.remove(&notice);
            tx.put(tables::BACKLOGS, &hook, &backlog)?;
            tx.remove(tables::NOTICES, &key)
        })
    }

    /// Notes that a hook could not be notified and when to try again, unless the notice was forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put_off_notice(&self, hook: &str, notice: NoticeRecord) -> Result<(), StoreError> {
        let (hook, key) = (hook.as_bytes().to_vec(), notice_key(hook, &notice));
        self.write(move |tx| {
            let Some(before) = tx.record(tables::NOTICES, &key)? else { return Ok(()) };
            let mut backlog = backlog(tx, &hook)?;
            backlog.remove(&before);
            backlog.add(&notice);
            tx.put(tables::BACKLOGS, &hook, &backlog)?;
            tx.put(tables::NOTICES, &key, &notice)
        })
    }
}

fn notice_key(hook: &str, notice: &NoticeRecord) -> Vec<u8> {
    tables::key(&[hook.as_bytes(), notice.id().as_bytes()])
}

/// How much a hook was not notified of yet.
fn backlog(look: &impl ReadAccess, hook: &[u8]) -> Result<Backlog, StoreError> {
    look.record(tables::BACKLOGS, hook)?.map_or_else(|| count(look, hook), Ok)
}

/// Counts by reading every notice of a hook.
fn count(look: &impl ReadAccess, hook: &[u8]) -> Result<Backlog, StoreError> {
    let mut backlog = Backlog::default();
    let prefix = tables::key(&[hook, b""]);
    look.scan(tables::NOTICES, Scan::forward(&prefix), &mut |_, bytes| {
        backlog.add(&tables::decode(bytes)?);
        Ok(true)
    })?;
    Ok(backlog)
}

impl Tx<'_> {
    /// Has hooks notified that a job has ended.
    pub(super) fn announce_job(&self, job: &JobRecord) -> Result<(), StoreError> {
        let Some(occasion) = Occasion::of(job.state) else { return Ok(()) };
        let pipeline = &job.file.pipeline;
        self.announce(&NoticeRecord::new(occasion, &job.id, pipeline, job.finished_ms))
    }

    /// Whether a hook is still to be notified of something about a job or batch.
    pub(super) fn has_notice(&self, subject: &str) -> Result<bool, StoreError> {
        for (hook, _) in self.records::<HookRecord>(tables::HOOKS, &[])? {
            let prefix = tables::key(&[&hook, format!("{subject}-").as_bytes()]);
            if self.has_prefix(tables::NOTICES, &prefix)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has those hooks notified that want to know.
    pub(super) fn announce(&self, notice: &NoticeRecord) -> Result<(), StoreError> {
        for (name, hook) in self.records::<HookRecord>(tables::HOOKS, &[])? {
            let is_meant = hook.pipelines.is_empty() || hook.pipelines.contains(&notice.pipeline);
            if is_meant && hook.on.contains(&notice.occasion) {
                let key = tables::key(&[&name, notice.id().as_bytes()]);
                let mut backlog = backlog(self, &name)?;
                if let Some(before) = self.record(tables::NOTICES, &key)? {
                    backlog.remove(&before);
                }
                backlog.add(notice);
                self.put(tables::BACKLOGS, &name, &backlog)?;
                self.put(tables::NOTICES, &key, notice)?;
            }
        }
        Ok(())
    }
}
