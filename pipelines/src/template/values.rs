//! What placeholders stand for in one job.

use super::Placeholder;
use crate::execution::{Job, RunError};
use crate::model::Pipeline;
use jiff::Zoned;
use std::ffi::OsStr;
use std::path::{Component, Path};
use wavemill_core::tags::Tags;
use wavemill_core::units::{Dbtp, Lufs};

/// What placeholders stand for in one job.
#[derive(Clone, Debug)]
pub struct Values {
    stem: Vec<u8>,
    name: Vec<u8>,
    pub(super) reldir: Vec<Vec<u8>>,
    pub(super) date: Zoned,
    job_id: String,
    hash8: String,
    pipeline: String,
    ext: String,
    tags: Tags,
    lufs: Option<Lufs>,
    true_peak: Option<Dbtp>,
}

impl Values {
    /// What is known before the file is opened; `{ext}` is the source's until it is set.
    ///
    /// # Errors
    /// [`RunError::Refused`] when the job's date or the pipeline's time zone cannot be understood.
    pub fn of_job(pipeline: &Pipeline, job: &Job) -> Result<Self, RunError> {
        let part = |part: Option<&OsStr>| part.map(os_bytes).unwrap_or_default();
        let folders = job.reldir.components().filter_map(|component| match component {
            Component::Normal(folder) => Some(os_bytes(folder)),
            _ => None,
        });
        Ok(Self {
            stem: part(job.input.file_stem()),
            name: part(job.input.file_name()),
            reldir: folders.collect(),
            date: date(&job.created, pipeline.timezone.as_deref())?,
            job_id: job.id.clone(),
            hash8: job.hash.chars().take(8).collect(),
            pipeline: pipeline.name.clone(),
            ext: source_extension(&job.input),
            tags: Tags::default(),
            lufs: None,
            true_peak: None,
        })
    }

    /// With the extension of the file that is made.
    #[must_use]
    pub fn with_extension(mut self, extension: &str) -> Self {
        extension.clone_into(&mut self.ext);
        self
    }

    /// With the file's tags.
    #[must_use]
    pub fn with_tags(mut self, tags: &Tags) -> Self {
        // Pictures name nothing and may be large.
        self.tags = Tags { pictures: Vec::new(), ..tags.clone() };
        self
    }

    /// With the file's loudness and true peak.
    #[must_use]
    pub fn with_measures(mut self, lufs: Option<Lufs>, true_peak: Option<Dbtp>) -> Self {
        self.lufs = lufs;
        self.true_peak = true_peak;
        self
    }

    /// A placeholder's value before it is sanitized; empty where it has none.
    pub(super) fn bytes(&self, placeholder: &Placeholder) -> Vec<u8> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let text = match placeholder {
            Placeholder::Stem => return self.stem.clone(),
            Placeholder::Name => return self.name.clone(),
            // These two have parts of their own and never come here.
            Placeholder::Reldir | Placeholder::Date(_) => String::new(),
            Placeholder::Ext => self.ext.clone(),
            Placeholder::JobId => self.job_id.clone(),
            Placeholder::Hash8 => self.hash8.clone(),
            Placeholder::Pipeline => self.pipeline.clone(),
            Placeholder::Title => text(&self.tags.title),
            Placeholder::Artist => text(&self.tags.artist),
            Placeholder::Album => text(&self.tags.album),
            Placeholder::Genre => text(&self.tags.genre),
            Placeholder::Year => self.tags.year.map(|year| year.to_string()).unwrap_or_default(),
            Placeholder::Track => {
                self.tags.track.map(|track| format!("{track:02}")).unwrap_or_default()
            }
            Placeholder::Lufs => self.lufs.map(|lufs| format!("{:.1}", lufs.0)).unwrap_or_default(),
            Placeholder::TruePeak => {
                self.true_peak.map(|peak| format!("{:.1}", peak.0)).unwrap_or_default()
            }
        };
        text.into_bytes()
    }
}

fn source_extension(input: &Path) -> String {
    input.extension().map(|ext| ext.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The job's date in the pipeline's zone, else in the zone it was frozen with.
fn date(created: &str, timezone: Option<&str>) -> Result<Zoned, RunError> {
    let refused = |reason: String| RunError::Refused { reason };
    let date = created
        .parse::<Zoned>()
        .or_else(|_| {
            jiff::fmt::temporal::DateTimeParser::new()
                .parse_timestamp(created)
                .map(|timestamp| timestamp.to_zoned(jiff::tz::TimeZone::UTC))
        })
        .map_err(|error| refused(format!("the job's date `{created}` is none: {error}")))?;
    match timezone {
        None => Ok(date),
        Some(name) => date
            .in_tz(name)
            .map_err(|error| refused(format!("the time zone `{name}` is not known: {error}"))),
    }
}

#[cfg(unix)]
fn os_bytes(text: &OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec()
}

#[cfg(not(unix))]
fn os_bytes(text: &OsStr) -> Vec<u8> {
    text.to_string_lossy().into_owned().into_bytes()
}
