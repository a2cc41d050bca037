//! `wavemill hooks`: who is notified of the ends of jobs and batches.

use super::{CliError, Context, Exit, Run, status};
use crate::report::JSON_VERSION;
use clap::Subcommand;
use serde_json::json;
use wavemill_api::types::HookView;
use wavemill_daemon::hooks::{Hook, Message};
use wavemill_store::Clock;

/// List and test notifications of finished jobs
#[derive(Debug, clap::Args)]
pub(super) struct Hooks {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the hooks of the configuration file, and undelivered notifications
    List,
    /// Send a test message to a hook
    Test {
        /// The hook
        name: String,
    },
}

impl Run for Hooks {
    const NAME: &'static str = "hooks";
    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        match self.command {
            Command::List => list(context),
            Command::Test { name } => test(&name, context),
        }
    }
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let known = context.settings.client()?.status()?.hooks;
    let hooks: Vec<_> = context.settings.hooks.iter().map(|hook| view(hook, &known)).collect();
    if context.is_json() {
        context.document(&json!({ "version": JSON_VERSION, "hooks": hooks }))?;
    } else if hooks.is_empty() {
        context.report.note("no hooks; add a [[hook]] to the configuration file");
    } else {
        context.lines(status::hooks(&hooks).lines(context.report.paint()))?;
    }
    Ok(Exit::Done)
}

/// A hook as configured, with what the store knows of it.
fn view(hook: &Hook, known: &[HookView]) -> HookView {
    let known = known.iter().find(|view| view.name == hook.name);
    HookView {
        name: hook.name.clone(),
        on: hook.on.clone(),
        pipelines: hook.pipelines.clone(),
        waiting: known.map_or(0, |view| view.waiting),
        reason: known.and_then(|view| view.reason.clone()),
    }
}

fn test(name: &str, context: &Context) -> Result<Exit, CliError> {
    let hooks = &context.settings.hooks;
    let Some(hook) = hooks.iter().find(|hook| hook.name == name) else {
        let names: Vec<_> = hooks.iter().map(|hook| hook.name.as_str()).collect();
        let known = match names.len() {
            0 => "the configuration file has none".to_owned(),
            _ => format!("hooks are {}", names.join(", ")),
        };
        return Err(CliError::usage(format!("unknown hook `{name}`; {known}")));
    };
    hook.notify(&Message::trial(Clock::now_ms()))
        .map_err(|failure| CliError::failed(format!("hook {name}: {}", failure.reason())))?;
    context.report.note(&format!("hook {name}: delivered"));
    Ok(Exit::Done)
}
