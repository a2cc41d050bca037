//! What placeholders stand for in one job.

use super::Placeholder;
use crate::error::RunError;
use crate::job::Job;
use jiff::Zoned;
use std::borrow::Cow;
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
    pub(crate) fn of_job(
        pipeline: &str,
        timezone: Option<&str>,
        job: &Job,
    ) -> Result<Self, RunError> {
        let part = |part: Option<&OsStr>| part.map(os_bytes).unwrap_or_default();
        let found = if job.name == Path::new("") { &job.input } else { &job.name };
        let folders = job.reldir.components().filter_map(|component| match component {
            Component::Normal(folder) => Some(os_bytes(folder)),
            _ => None,
        });
        Ok(Self {
            stem: part(found.file_stem()),
            name: part(found.file_name()),
            reldir: folders.collect(),
            date: date(&job.created, timezone)?,
            job_id: job.id.clone(),
            hash8: job.hash.chars().take(8).collect(),
            pipeline: pipeline.to_owned(),
            ext: source_extension(found),
            tags: Tags::default(),
            lufs: None,
            true_peak: None,
        })
    }

    /// With the extension of the file to write.
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
    pub(super) fn bytes(&self, placeholder: &Placeholder) -> Cow<'_, [u8]> {
        let number = |number: Option<String>| Cow::Owned(number.unwrap_or_default().into_bytes());
        match placeholder {
            Placeholder::Stem => Cow::Borrowed(&self.stem),
            Placeholder::Name => Cow::Borrowed(&self.name),
            // These two have parts of their own and never come here.
            Placeholder::Reldir | Placeholder::Date(_) => Cow::Borrowed(&[]),
            Placeholder::Ext => text(&self.ext),
            Placeholder::JobId => text(&self.job_id),
            Placeholder::Hash8 => text(&self.hash8),
            Placeholder::Pipeline => text(&self.pipeline),
            Placeholder::Title => tag(self.tags.title.as_ref()),
            Placeholder::Artist => tag(self.tags.artist.as_ref()),
            Placeholder::Album => tag(self.tags.album.as_ref()),
            Placeholder::Genre => tag(self.tags.genre.as_ref()),
            Placeholder::Year => number(self.tags.year.map(|year| year.to_string())),
            Placeholder::Track => number(self.tags.track.map(|track| format!("{track:02}"))),
            Placeholder::Lufs => number(self.lufs.map(|lufs| format!("{:.1}", lufs.0))),
            Placeholder::TruePeak => number(self.true_peak.map(|peak| format!("{:.1}", peak.0))),
        }
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
        .map_err(|error| refused(format!("the job's date `{created}` is invalid: {error}")))?;
    match timezone {
        None => Ok(date),
        Some(name) => date
            .in_tz(name)
            .map_err(|error| refused(format!("unknown time zone `{name}`: {error}"))),
    }
}

fn text(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

fn tag(tag: Option<&String>) -> Cow<'_, [u8]> {
    text(tag.map(String::as_str).unwrap_or_default())
}

#[cfg(unix)]
fn os_bytes(text: &OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec()
}

#[cfg(not(unix))]
fn os_bytes(text: &OsStr) -> Vec<u8> {
    text.to_string_lossy().into_owned().into_bytes()
}
