//! Flags of every command.

use std::path::PathBuf;

/// Flags of every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(clippy::doc_markdown, reason = "clap prints these comments as they are")]
pub(crate) struct GlobalArgs {
    /// Folder of the job store, socket and spool [default: $XDG_STATE_HOME/wavemill]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    pub state: Option<PathBuf>,

    /// Base folder of relative paths in pipelines [default: the current folder]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    pub root: Option<PathBuf>,

    /// Configuration file [default: $XDG_CONFIG_HOME/wavemill/config.toml]
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    pub config: Option<PathBuf>,

    /// Print results as JSON; streams as one object per line
    #[arg(long, global = true, help_heading = HEADING)]
    pub json: bool,

    /// Print only results and errors
    #[arg(long, short, global = true, help_heading = HEADING)]
    pub quiet: bool,

    /// What to log on standard error: error, warn, info, debug, trace, or filters such as wavemill_daemon=debug
    #[arg(long, value_name = "LEVEL", global = true, help_heading = HEADING)]
    pub log: Option<String>,
}

const HEADING: &str = "Global options";
