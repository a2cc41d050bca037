//! `wavemill schema`: JSON schemas of what is read and printed.

mod documents;

use super::{CliError, Context, Exit, Run};
use documents::{AnalysisDocument, HistoryRow, schema_of};
use wavemill_pipelines::schema;

/// Print a JSON schema: of pipeline files, for editors that complete and check TOML, or of a command's output
#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    /// What the schema describes
    #[arg(value_enum, default_value = "pipeline")]
    subject: Subject,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// Pipeline files
    Pipeline,
    /// What `analyze --json` prints
    Analysis,
    /// Each line of what `analyze --history` prints
    History,
    /// The control API of `watch` (`OpenAPI` 3.1)
    Api,
}

impl Run for Schema {
    const NAME: &'static str = "schema";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        match self.subject {
            Subject::Pipeline => context.document(&schema::json_schema(&context.effects))?,
            Subject::Analysis => context.document(&schema_of::<AnalysisDocument>())?,
            Subject::Api => {
                context.document(&wavemill_http::openapi())?;
            }
            Subject::History => context.document(&schema_of::<HistoryRow>())?,
        }
        Ok(Exit::Done)
    }
}
