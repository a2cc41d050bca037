//! The command line. Adding a command: a file here, its `mod` line and its line in [`COMMANDS`].

mod analyze;
mod answers;
mod batches;
mod check;
mod clock_time;
mod completions;
mod confinement;
mod context;
mod doctor;
mod dry_run;
mod effects;
mod events;
mod export;
mod files;
mod flags;
mod formats;
mod global_args;
mod grouped;
mod hooks;
mod how;
mod http;
mod jobs;
mod log;
mod low_space;
mod man;
mod outcome;
mod output_file;
mod parallel;
mod paths;
mod pipeline_files;
mod plan;
mod progress;
mod references;
mod regions;
mod reload;
mod run;
mod schema;
mod settings;
mod signals;
mod status;
mod steps;
mod tags;
mod targets;
mod watch;
mod waveform;
mod worker;

use crate::exit::{CliError, Exit};
pub(crate) use context::Context;
pub(crate) use global_args::GlobalArgs;
pub(crate) use settings::Settings;

use crate::report::{Report, one_line};
use clap::{ArgMatches, Args, FromArgMatches};
use std::process::ExitCode;

/// Every command, in the order of the help.
#[rustfmt::skip]
const COMMANDS: &[Entry] = &[
    entry::<watch::Watch>(),
    entry::<run::RunFiles>(),
    entry::<export::ExportOne>(),
    entry::<check::Check>(),
    entry::<plan::PlanOf>(),
    entry::<analyze::Analyze>(),
    entry::<waveform::WaveformOf>(),
    entry::<targets::Targets>(),
    entry::<references::References>(),
    entry::<regions::Regions>(),
    entry::<tags::TagsOf>(),
    entry::<jobs::Jobs>(),
    entry::<files::Files>(),
    entry::<status::StatusArgs>(),
    entry::<doctor::Doctor>(),
    entry::<log::Log>(),
    entry::<hooks::Hooks>(),
    entry::<steps::Steps>(),
    entry::<effects::Effects>(),
    entry::<formats::Formats>(),
    entry::<schema::Schema>(),
    entry::<completions::Completions>(),
    entry::<man::Man>(),
    entry::<worker::Worker>(),
];

/// A command: its arguments (whose doc comment is its help) and what it does.
trait Run: Args {
    /// What one types.
    const NAME: &'static str;

    /// Whether only Wavemill itself calls it: it is left out of the help, and reads neither the
    /// configuration file nor variables, which its caller did.
    const IS_INTERNAL: bool = false;

    /// Whether it inspects or controls what is there, so that a mistake in the configuration file does not keep it from
    /// that.
    const IS_LENIENT: bool = false;

    /// Does it.
    fn run(self, context: &Context) -> Result<Exit, CliError>;
}

/// A command without its type.
struct Entry {
    name: &'static str,
    is_internal: bool,
    is_lenient: bool,
    command: fn() -> clap::Command,
    run: fn(&ArgMatches, &Context) -> Result<Exit, CliError>,
}

const fn entry<C: Run>() -> Entry {
    Entry {
        name: C::NAME,
        is_internal: C::IS_INTERNAL,
        is_lenient: C::IS_LENIENT,
        command: command_of::<C>,
        run: run_of::<C>,
    }
}

fn command_of<C: Run>() -> clap::Command {
    C::augment_args(clap::Command::new(C::NAME)).hide(C::IS_INTERNAL)
}

fn run_of<C: Run>(matches: &ArgMatches, context: &Context) -> Result<Exit, CliError> {
    let args = C::from_arg_matches(matches).map_err(|error| CliError::usage(error.to_string()))?;
    args.run(context)
}

/// The whole tree of commands and flags.
pub(crate) fn command() -> clap::Command {
    let flags = GlobalArgs::augment_args(clap::Command::new("wavemill"));
    flags
        .version(env!("CARGO_PKG_VERSION"))
        .about("Drop audio into a folder; finished files come out of another")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .max_term_width(100)
        .subcommands(COMMANDS.iter().map(|entry| (entry.command)()))
}

const AFTER_HELP: &str = "\
Settings:   flag > pipeline > environment > configuration file > default. Environment:
            WAVEMILL_TARGET_LUFS, WAVEMILL_OUTPUT_DIR; WAVEMILL_NORMALIZE=false turns off all
            `loudness` steps of pipelines
Exit codes: 0 done, 1 error, 2 usage, 3 some files failed, were rejected or miss a named target,
            10 daemon unreachable, 78 bad pipeline or configuration, 130 interrupted";

/// Parses the process' arguments, runs the command and maps its end to an exit code.
pub fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // A closed pipe while printing the help is no error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    match dispatch(&matches) {
        Ok(exit) => exit.into(),
        Err(error) => {
            Report::new(false, false).error(&one_line(&error.to_string()));
            error.exit().into()
        }
    }
}

fn dispatch(matches: &ArgMatches) -> Result<Exit, CliError> {
    let (name, sub) = matches.subcommand().ok_or_else(|| CliError::usage("no command given"))?;
    let entry = COMMANDS
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| CliError::usage(format!("unknown command `{name}`")))?;
    // The flags are global: clap hands them down, so the inner matches know them all.
    let global =
        GlobalArgs::from_arg_matches(sub).map_err(|error| CliError::usage(error.to_string()))?;
    let context = match entry {
        Entry { is_internal: true, .. } => Context::internal(),
        Entry { is_lenient: true, .. } => Context::lenient(&global),
        _ => Context::new(&global),
    }?;
    (entry.run)(sub, &context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_tree_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn global_flags_are_accepted_before_and_after_the_command() {
        for line in [&["wavemill", "--json", "steps"], &["wavemill", "steps", "--json"]] {
            let matches = command().try_get_matches_from(line).unwrap();
            let (_, sub) = matches.subcommand().unwrap();
            assert!(GlobalArgs::from_arg_matches(sub).unwrap().json);
        }
    }

    #[test]
    fn commands_have_help_and_unique_names() {
        let command = command();
        let mut names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert!(command.get_subcommands().all(|sub| sub.get_about().is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
    }

    #[test]
    fn no_command_has_a_flag_named_as_a_global_one() {
        fn own_flags(command: &clap::Command) -> Vec<String> {
            let flags = command.get_arguments().filter(|flag| !flag.is_global_set());
            let mut names: Vec<_> = flags.map(|flag| flag.get_id().to_string()).collect();
            names.extend(command.get_subcommands().flat_map(own_flags));
            names
        }
        let command = command();
        let globals: Vec<_> = command
            .get_arguments()
            .filter(|flag| flag.is_global_set())
            .map(|flag| flag.get_id().to_string())
            .collect();
        assert!(globals.contains(&"state".to_owned()));
        for name in command.get_subcommands().flat_map(own_flags) {
            assert!(!globals.contains(&name), "{name}");
        }
    }

    #[test]
    fn unknown_command_is_a_usage_error() {
        let error = command().try_get_matches_from(["wavemill", "chekc"]).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(Exit::Usage as u8));
    }
}
