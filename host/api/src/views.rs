//! Jobs as the control socket and the command line show them.

use super::types::{CacheView, HookView, JobView, OutputView};
use wavemill_store::{
    CacheStats, HookBacklog, JobRecord, JobState, OutputProgress, OutputRecord, SourceRecord,
    rfc3339,
};

/// A job as it is shown.
pub(crate) fn job_view(job: &JobRecord, outputs: &[OutputRecord]) -> JobView {
    let source_moved_to = match &job.source {
        SourceRecord::Moved { to } => Some(to.display().to_string()),
        _ => None,
    };
    JobView {
        id: job.id.clone(),
        pipeline: job.file.pipeline.clone(),
        input: job.input.display().to_string(),
        state: job.state,
        attempt: job.attempt,
        // Without the zone behind it, which RFC 3339 does not know.
        created: job.created.split('[').next().unwrap_or_default().to_owned(),
        started: job.started_ms.map(rfc3339),
        finished: job.finished_ms.map(rfc3339),
        retry_at: (job.state == JobState::Retry).then(|| rfc3339(job.run_at_ms)),
        reason: job.reason.clone(),
        waits: None,
        progress: None,
        outputs: outputs.iter().map(output_view).collect(),
        source_moved_to,
        retry_of: job.retry_of.clone(),
        batch: job.batch.clone(),
    }
}

/// An output as it is shown.
pub fn output_view(output: &OutputRecord) -> OutputView {
    let (size_bytes, blake3, is_published, skipped) = match &output.progress {
        OutputProgress::Planned => (None, None, false, None),
        OutputProgress::Prepared { size_bytes, blake3 } => {
            (Some(*size_bytes), Some(blake3.clone()), false, None)
        }
        OutputProgress::Published { size_bytes, blake3 } => {
            (Some(*size_bytes), Some(blake3.clone()), true, None)
        }
        OutputProgress::Skipped { reason } => (None, None, false, Some(reason.clone())),
    };
    OutputView {
        path: output.path.display().to_string(),
        kind: output.kind,
        size_bytes,
        blake3,
        is_published,
        skipped,
    }
}

impl From<HookBacklog> for HookView {
    fn from(HookBacklog { name, hook, waiting, reason }: HookBacklog) -> Self {
        Self { name, on: hook.on, pipelines: hook.pipelines, waiting, reason }
    }
}

impl From<CacheStats> for CacheView {
    fn from(CacheStats { hits, misses, evictions, used_bytes }: CacheStats) -> Self {
        Self { hits, misses, evictions, used_bytes }
    }
}
