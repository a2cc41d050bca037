//! Which contents were delivered: how duplicates are recognized, also after their job was forgotten.

use super::StoreError;
use super::records::{FileKey, JobRecord};
use super::tables::{self, ReadAccess, Tx};

/// A content that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The last job that did. It may be forgotten.
    pub(super) job: String,
    /// Its file.
    pub(super) file: FileKey,
}

/// The delivery of a content by a pipeline.
pub(super) fn delivered(
    look: &impl ReadAccess,
    pipeline: &str,
    hash: &str,
) -> Result<Option<Delivery>, StoreError> {
    let Some(bytes) = look.bytes(tables::CONTENTS, &content_key(pipeline, hash))? else {
        return Ok(None);
    };
    let damaged = || StoreError::Record { reason: format!("the delivery of content {hash}") };
    let end = bytes.iter().position(|&byte| byte == 0).ok_or_else(damaged)?;
    let job = String::from_utf8(bytes[..end].to_vec()).map_err(|_| damaged())?;
    let file = tables::key(&[pipeline.as_bytes(), &bytes[end + 1..]]);
    let file = FileKey::from_key(&file).ok_or_else(damaged)?;
    Ok(Some(Delivery { job, file }))
}

fn content_key(pipeline: &str, hash: &str) -> Vec<u8> {
    tables::key(&[pipeline.as_bytes(), hash.as_bytes()])
}

impl Tx<'_> {
    /// Enters the content that a job delivered.
    pub(super) fn enter_content(&self, job: &JobRecord) -> Result<(), StoreError> {
        let file = job.file.key();
        // The key says the pipeline.
        let file = &file[job.file.pipeline.len() + 1..];
        let delivery = tables::key(&[job.id.as_bytes(), file]);
        self.put_bytes(tables::CONTENTS, &content_key(&job.file.pipeline, &job.hash), &delivery)
    }

    /// Forgets the content of a job, unless another job has delivered it since.
    pub(super) fn forget_content(&self, job: &JobRecord) -> Result<(), StoreError> {
        let delivery = delivered(self, &job.file.pipeline, &job.hash)?;
        if delivery.is_some_and(|delivery| delivery.job == job.id) {
            self.remove(tables::CONTENTS, &content_key(&job.file.pipeline, &job.hash))?;
        }
        Ok(())
    }
}
