//! What hooks are sent.

use serde_json::{Value, json};
use wavemill_api::Service;
use wavemill_api::types::JobView;
use wavemill_store::rfc3339;
use wavemill_store::{NoticeRecord, Occasion};

/// What a hook is sent, in the shape of Standard Webhooks 1.0: `type`, `timestamp`, `data`; and a line for people in
/// `text`, which is what chat programs show.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The same each time it is sent, so that a receiver can recognize it.
    pub id: String,
    /// What happened, as `job.done`.
    pub kind: String,
    /// Job or batch it is about.
    pub subject: String,
    /// Its pipeline.
    pub pipeline: String,
    /// One line for people.
    pub text: String,
    /// The job or batch as the control API shows it.
    pub data: Value,
    /// When it happened, RFC 3339.
    pub timestamp: String,
}

impl Message {
    /// The message for a notice, with what is known of its subject now.
    pub(crate) fn of(notice: &NoticeRecord, service: &Service) -> Self {
        let name = notice.occasion.name();
        let (kind, found) = if notice.occasion == Occasion::BatchDone {
            let batch = service.batch(&notice.subject);
            ("batch.done".to_owned(), batch.ok().map(|batch| (batch_text(&batch), json!(batch))))
        } else {
            let job = service.job(&notice.subject);
            (format!("job.{name}"), job.ok().map(|job| (job_text(&job), json!(job))))
        };
        // It may have been forgotten since.
        let (text, data) = found.unwrap_or_else(|| {
            let data = json!({ "id": notice.subject, "pipeline": notice.pipeline });
            (format!("{}: {name}", notice.subject), data)
        });
        Self {
            id: notice.id(),
            kind,
            subject: notice.subject.clone(),
            pipeline: notice.pipeline.clone(),
            text,
            data,
            timestamp: rfc3339(notice.happened_ms),
        }
    }

    /// One to try a hook with.
    pub fn trial(now_ms: u64) -> Self {
        Self {
            id: format!("test-{now_ms}"),
            kind: "test".to_owned(),
            subject: "test".to_owned(),
            pipeline: String::new(),
            text: "Wavemill can notify you of jobs".to_owned(),
            data: json!({}),
            timestamp: rfc3339(now_ms),
        }
    }

    /// Its JSON.
    pub(crate) fn body(&self) -> String {
        json!({
            "type": self.kind,
            "timestamp": self.timestamp,
            "text": self.text,
            "data": self.data,
        })
        .to_string()
    }
}

fn job_text(job: &JobView) -> String {
    let input = std::path::Path::new(&job.input);
    let name =
        input.file_name().map_or_else(|| job.input.clone(), |name| name.display().to_string());
    match &job.reason {
        Some(reason) => format!("{name} ({}): {}: {reason}", job.pipeline, job.state),
        None => format!("{name} ({}): {}", job.pipeline, job.state),
    }
}

fn batch_text(batch: &wavemill_api::types::BatchView) -> String {
    let counts: Vec<_> =
        batch.jobs.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let name = batch.name.as_deref().unwrap_or(&batch.id);
    format!("batch {name} ({}) is done: {}", batch.pipeline, counts.join(", "))
}
