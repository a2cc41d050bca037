//! `wavemill effects list`: the bundled effects, and those that pipelines use.

use super::super::pipeline_files::{self, PipelineFile};
use super::super::{CliError, Context, Exit, Run};
use super::refused;
use crate::report::{Align, JSON_VERSION, Table, Tone, one_line, shown};
use serde_json::{Value, json};
use std::path::PathBuf;
use wavemill_runtime::{Module, bundled};

/// List the bundled effects, or those that pipelines use
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Pipeline files or folders [default: the bundled effects]
    #[arg(value_name = "PIPELINE|DIR")]
    pipelines: Vec<PathBuf>,
}

/// An effect with the name that a pipeline gives it.
struct ListedEffect {
    name: String,
    module: Module,
    used: Option<PipelineUse>,
}

/// Where an effect is used.
struct PipelineUse {
    pipeline: PathBuf,
    /// Whether other bytes would be refused.
    is_pinned: bool,
}

impl Run for List {
    const NAME: &'static str = "list";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let effects = if self.pipelines.is_empty() {
            bundled_effects(context)?
        } else {
            used_effects(&pipeline_files::load_all(&self.pipelines, context)?)
        };
        if context.is_json() {
            let effects: Vec<_> = effects.iter().map(object).collect();
            context.document(&json!({ "version": JSON_VERSION, "effects": effects }))?;
            return Ok(Exit::Done);
        }
        if effects.is_empty() {
            let nobody = if self.pipelines.is_empty() {
                "this program has no bundled effects"
            } else {
                "these pipelines use no effects"
            };
            context.report.note(nobody);
            return Ok(Exit::Done);
        }
        context.lines(table(&effects).lines(context.report.paint()))?;
        context.report.note("\nThe manual of one: wavemill effects describe NAME|FILE");
        Ok(Exit::Done)
    }
}

fn bundled_effects(context: &Context) -> Result<Vec<ListedEffect>, CliError> {
    let listed = |found: &bundled::Bundled| {
        let module = context.effects.load(found.name).map_err(|error| refused(&error))?;
        Ok(ListedEffect { name: found.name.to_owned(), module, used: None })
    };
    bundled::MODULES.iter().map(listed).collect()
}

fn used_effects(files: &[PipelineFile]) -> Vec<ListedEffect> {
    let mut listed = Vec::new();
    for file in files {
        let steps = file.pipeline.iter().flat_map(|pipeline| &pipeline.steps);
        listed.extend(steps.filter_map(|step| step.effect()).map(|effect| ListedEffect {
            name: effect.name.clone(),
            module: effect.module.clone(),
            used: Some(PipelineUse { pipeline: file.path.clone(), is_pinned: effect.is_pinned }),
        }));
    }
    listed
}

fn table(effects: &[ListedEffect]) -> Table {
    let mut table = Table::new(&[("", Align::Left); 4]);
    for effect in effects {
        let description = effect.module.description();
        let note = match &effect.used {
            Some(used) if used.is_pinned => format!("{}, pinned", shown(&used.pipeline)),
            Some(used) => shown(&used.pipeline),
            None => String::new(),
        };
        table.toned([
            (one_line(&effect.name), Some(Tone::Name)),
            (description.version.clone(), Some(Tone::Faint)),
            (one_line(&description.summary), None),
            (note, Some(Tone::Faint)),
        ]);
    }
    table
}

fn object(effect: &ListedEffect) -> Value {
    let description = effect.module.description();
    let mut object = json!({
        "name": effect.name,
        "id": description.id,
        "title": description.name,
        "version": description.version,
        "summary": description.summary,
        "sha256": effect.module.sha256(),
    });
    if let Some(used) = &effect.used {
        object["pipeline"] = json!(used.pipeline.to_string_lossy());
        object["pinned"] = json!(used.is_pinned);
    }
    object
}
