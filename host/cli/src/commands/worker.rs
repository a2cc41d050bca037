//! `wavemill worker`: a process of the daemon's, for one job.

use super::{CliError, Context, Exit, Run};
use crate::report::one_line;
use std::panic;
use wavemill_daemon::worker;

/// Work for a daemon; started by `wavemill watch` only
#[derive(Debug, clap::Args)]
pub(super) struct Worker {}

impl Run for Worker {
    const NAME: &'static str = "worker";
    const IS_INTERNAL: bool = true;

    fn run(self, _context: &Context) -> Result<Exit, CliError> {
        // The daemon logs what a worker prints line by line; a backtrace would drown the reason.
        panic::set_hook(Box::new(|info| {
            tracing::error!("{}", one_line(&info.to_string()));
        }));
        Ok(if worker::serve() == 0 { Exit::Done } else { Exit::Error })
    }
}
