//! What is known of an upload: reports of jobs, made when somebody asks for the first time.

use crate::app::App;
use crate::work::Work;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wavemill_api::background;
use wavemill_api::types::Problem;
use wavemill_pipelines::publishing::create_dirs;
use wavemill_store::{ServiceRecord, UploadRecord};

/// How much a report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// Format, tags, loudness.
    Metadata,
    /// Every measure.
    Analysis,
}

impl ReportKind {
    fn file_name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata.json",
            Self::Analysis => "analysis.json",
        }
    }

    /// The pipeline that makes it: a report and nothing else.
    fn toml(self) -> String {
        let (name, priority, measure) = match self {
            Self::Metadata => ("http-metadata", 100, ""),
            Self::Analysis => ("http-analysis", 50, "measure = [\"all\", \"features\"]\n"),
        };
        format!(
            "version = 1\n[pipeline]\nname = \"{name}\"\npriority = {priority}\n[report]\njson = \"{}\"\n{measure}",
            self.file_name()
        )
    }
}

impl App {
    /// The upload with an id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn upload(&self, id: &str) -> Result<UploadRecord, Problem> {
        self.record(id).await
    }

    /// The record with an id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn record<R: ServiceRecord>(&self, id: &str) -> Result<R, Problem> {
        let (app, id) = (self.clone(), id.to_owned());
        background(move || {
            let record = app.service.store().service::<R>(&id)?;
            record.ok_or_else(|| {
                Problem::new(404, "not found", format!("no {} has the id `{id}`", R::NAME))
            })
        })
        .await
    }

    /// A report on an upload; made now if there is none.
    ///
    /// # Errors
    /// When the file cannot be read as audio.
    pub(crate) async fn report(
        &self,
        id: &str,
        file: &Path,
        kind: ReportKind,
    ) -> Result<Value, Problem> {
        let folder = self.results_of(id);
        let path = folder.join(kind.file_name());
        let _turn = self.turn(&path.display().to_string()).await;
        if let Some(report) = read(path.clone()).await? {
            return Ok(report);
        }
        let made = folder.clone();
        background(move || create_dirs(&made).map_err(|error| io_problem(&error))).await?;
        let file = file.to_owned();
        self.work(Work { toml: kind.toml(), file, output_root: folder }).await?;
        let report = read(path).await?;
        report.ok_or_else(|| Problem::new(500, "internal error", "the report is not there"))
    }

    /// A report on an upload, if it was made.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn known_report(
        &self,
        id: &str,
        kind: ReportKind,
    ) -> Result<Option<Value>, Problem> {
        read(self.results_of(id).join(kind.file_name())).await
    }

    /// The folder of an upload's reports.
    pub(crate) fn results_of(&self, id: &str) -> PathBuf {
        self.results_dir.join(id)
    }
}

/// A report that was made.
async fn read(path: PathBuf) -> Result<Option<Value>, Problem> {
    background(move || match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Problem::new(500, "internal error", error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_problem(&error)),
    })
    .await
}

/// A disk that fails or is full. Where it is stays unsaid: clients are no administrators.
pub(crate) fn io_problem(error: &io::Error) -> Problem {
    tracing::error!(%error, "A request failed.");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::new(507, "disk full", "the server has no room for this")
        }
        _ => Problem::new(500, "store failed", "the server cannot read or write its files"),
    }
}
