//! How files are run.

use wavemill_pipelines::publishing::Memory;
use wavemill_store::cache::Outputs;

/// How files are run.
pub(super) struct RunOptions {
    /// Whether only what would come out is said.
    pub(super) is_dry: bool,
    /// Whether other files that have the names of outputs are replaced.
    pub(super) replaces: bool,
    /// What was made before and may be replaced.
    pub(super) memory: Option<Outputs>,
    /// What to do about a name that is taken, as the end of a sentence.
    pub(super) advice: &'static str,
}

impl RunOptions {
    /// What was made before.
    pub(super) fn memory(&self) -> Option<&dyn Memory> {
        self.memory.as_ref().map(|outputs| outputs as &dyn Memory)
    }
}
