//! `wavemill completions`: what a shell needs to complete the command line.

use super::{CliError, Context, Exit, Run};
use clap_complete::Shell;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Run for Completions {
    const NAME: &'static str = "completions";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "wavemill", &mut script);
        context.lines([String::from_utf8_lossy(&script).trim_end()])?;
        Ok(Exit::Done)
    }
}
