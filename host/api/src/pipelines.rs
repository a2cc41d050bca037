//! Pipelines as clients see them: which there are, and what is wrong with a text.

use super::service::Service;
use super::types::{
    CheckAnswer, CheckRequest, MistakeView, PipelineList, PipelineText, Problem, ReloadAnswer,
};
use std::path::PathBuf;
use wavemill_pipelines::diagnostic::Severity;
use wavemill_store::cache::effects_with;

/// Longest pipeline that is checked, bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

impl Service {
    /// The pipelines that the daemon runs.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn pipelines(&self) -> Result<PipelineList, Problem> {
        let mut pipelines = Vec::new();
        for (name, current) in self.store.current_plans()? {
            let is_watched = self.live.as_ref().is_some_and(|live| live.watches_for(&name));
            let record = self.store.plan(&current.plan)?;
            let text = record.map(|record| record.text).unwrap_or_default();
            pipelines.push(PipelineText { name, plan: current.plan, is_watched, text });
        }
        Ok(PipelineList { pipelines })
    }

    /// What is wrong with a pipeline's text.
    ///
    /// # Errors
    /// When the text is too long.
    pub(crate) fn check_pipeline(&self, request: &CheckRequest) -> Result<CheckAnswer, Problem> {
        if request.toml.len() > TEXT_BYTES_MAX {
            return Err(Problem::request("`toml` is longer than 1 MiB"));
        }
        let folder = request.folder.as_ref().map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let effects = effects_with(&self.terms.state_dir).in_folder(&folder);
        let (plan, found) =
            match wavemill_pipelines::load(&request.toml, &self.defaults(), &effects) {
                Ok(loaded) => (Some(loaded.pipeline.hash.clone()), loaded.warnings),
                Err(mistakes) => (None, mistakes),
            };
        let mistakes = found.into_iter().map(|mistake| MistakeView {
            code: mistake.code.to_owned(),
            is_error: mistake.severity == Severity::Error,
            message: mistake.message,
            help: mistake.help,
            from: characters(&request.toml, mistake.span.start),
            to: characters(&request.toml, mistake.span.end),
            line: mistake.line as u64,
            column: mistake.column as u64,
        });
        Ok(CheckAnswer { plan, mistakes: mistakes.collect() })
    }

    /// Asks the daemon to read configuration and pipelines again.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn reload(&self) -> Result<ReloadAnswer, Problem> {
        self.live()?.ask_reload();
        Ok(ReloadAnswer { is_asked: true })
    }
}

/// Characters before a byte of a text.
fn characters(text: &str, bytes: usize) -> u64 {
    text.get(..bytes).map_or(0, |before| before.chars().count()) as u64
}
