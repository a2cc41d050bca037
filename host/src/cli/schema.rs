//! `wavemill schema`: the JSON schema of pipeline files, for editors.

use super::{CliError, Context, Exit, Run};
use wavemill_pipelines::schema;

/// Print the JSON schema of pipeline files, for editors that complete and check TOML
#[derive(Debug, clap::Args)]
pub(super) struct Schema {}

impl Run for Schema {
    const NAME: &'static str = "schema";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        context.document(&schema::json_schema(&context.effects))?;
        Ok(Exit::Done)
    }
}
