//! `wavemill man`: the manual pages.

use super::{CliError, Context, Exit, Run};
use std::path::PathBuf;

/// Write the manual pages to a folder: `wavemill man ~/.local/share/man/man1`
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder; created if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Run for Man {
    const NAME: &'static str = "man";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let failed = |error| CliError::path(&self.folder, error);
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(super::command(), &self.folder).map_err(failed)?;
        let folder = crate::report::shown(&self.folder);
        context.report.note(&format!("the manual pages are in {folder}; show one with `man -l`"));
        Ok(Exit::Done)
    }
}
