//! `wavemill effects`: what effect modules there are, what they say of themselves, what pins them.
//! Adding a subcommand: a file here, its `mod` line and its line in [`COMMANDS`].

mod bench;
mod check;
mod describe;
mod export_clap;
mod list;
mod lock;
mod new;
mod play;
mod template;

use super::{CliError, Context, Entry, Exit, Run, entry};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use wavemill_pipelines::effects::EffectError;

/// Every subcommand, in the order of the help.
#[rustfmt::skip]
const COMMANDS: &[Entry] = &[
    entry::<list::List>(),
    entry::<describe::Describe>(),
    entry::<new::New>(),
    entry::<check::Check>(),
    entry::<bench::Bench>(),
    entry::<play::Play>(),
    entry::<export_clap::ExportClap>(),
    entry::<lock::LockOf>(),
];

/// The group: which subcommand was typed, and its arguments.
#[derive(Debug)]
pub(super) struct Effects {
    name: String,
    arguments: ArgMatches,
}

impl Run for Effects {
    const NAME: &'static str = "effects";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let found = COMMANDS.iter().find(|command| command.name == self.name);
        let command = found
            .ok_or_else(|| CliError::usage(format!("unknown command `effects {}`", self.name)))?;
        (command.run)(&self.arguments, context)
    }
}

impl FromArgMatches for Effects {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, arguments) = matches
            .subcommand()
            .ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        Ok(Self { name: name.to_owned(), arguments: arguments.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Effects {
    fn augment_args(command: Command) -> Command {
        command
            .about("List, describe, check, create, play, export, benchmark and pin effect modules")
            .subcommand_required(true)
            .arg_required_else_help(true)
            .disable_help_subcommand(true)
            .subcommands(COMMANDS.iter().map(|entry| (entry.command)()))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// A module that cannot be used, as the end of a command.
fn refused(error: &EffectError) -> CliError {
    let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
    CliError::failed(format!("{error}{help}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_have_help_and_unique_names() {
        let command = Effects::augment_args(Command::new(Effects::NAME));
        let mut names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        assert!(command.get_subcommands().all(|sub| sub.get_about().is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
    }
}
