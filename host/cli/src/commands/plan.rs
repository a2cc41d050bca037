//! `wavemill plan`: what a run would do with a file, without doing it.

use super::confinement::before_run;
use super::grouped::job_of;
use super::how::RunOptions;
use super::run::spool_folder;
use super::{CliError, Context, Exit, Run, pipeline_files};
use crate::report::{JSON_VERSION, one_line, shown};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use wavemill_pipelines::execution::Places;
use wavemill_pipelines::plan::{self, Plan};
use wavemill_store::JobIds;

/// Show what a pipeline would do with a file: passes, steps, outputs; writes nothing
#[derive(Debug, clap::Args)]
pub(super) struct PlanOf {
    /// A pipeline file, or NAME for pipelines/NAME.toml or the included one
    pipeline: PathBuf,

    /// An audio file
    file: PathBuf,
}

impl Run for PlanOf {
    const NAME: &'static str = "plan";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let path = pipeline_files::find_one(&self.pipeline)?;
        let files = pipeline_files::load_all(&[path], context)?;
        let Some(pipeline) = files.first().and_then(|file| file.pipeline.as_ref()) else {
            return Err(CliError::failed("no pipeline was loaded"));
        };
        let failed = |reason: String| {
            CliError::failed(format!("{}: {}", shown(&self.file), one_line(&reason)))
        };
        let spool = spool_folder(context);
        let cancel = AtomicBool::new(false);
        let output_root = context.settings.output_root();
        let files = std::slice::from_ref(&self.file);
        let how = RunOptions { is_dry: true, replaces: false, memory: None, advice: "" };
        before_run(context, pipeline, files, output_root, (&spool, &how))?;
        let job = job_of(&self.file, &JobIds::after(None)).map_err(failed)?;
        let places =
            Places { output_root, spool: &spool, cancel: &cancel, access: Places::direct() };
        let plan = plan::plan(pipeline, &job, &places, &mut |_| {})
            .map_err(|error| failed(error.to_string()))?;
        if context.is_json() {
            context.document(&document(&plan)?)?;
        } else {
            context.lines(plan.to_string().lines())?;
        }
        Ok(if plan.rejected.is_some() { Exit::SomeFailed } else { Exit::Done })
    }
}

fn document(plan: &Plan) -> Result<Value, CliError> {
    let plan = serde_json::to_value(plan).map_err(|error| CliError::failed(error.to_string()))?;
    Ok(json!({ "version": JSON_VERSION, "plan": plan }))
}
