//! `wavemill log`: what the running daemon logs from now on.

use super::{CliError, Context, Exit, Run};
use wavemill_api::types::LogLevel;

/// Change the log level of the running daemon
#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// error, warn, info, debug, trace, or filters such as `wavemill_daemon=debug`
    level: String,
}

impl Run for Log {
    const NAME: &'static str = "log";
    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let level = LogLevel { level: self.level };
        let level = context.settings.client()?.set_log_level(&level)?;
        context.report.note(&format!("the daemon now logs `{}`", level.level));
        Ok(Exit::Done)
    }
}
