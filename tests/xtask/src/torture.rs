//! `cargo xtask torture` and `soak`: the host is broken on purpose, for as long as one likes, and it is recorded.

use anyhow::{Context, bail, ensure};
use std::path::PathBuf;
use std::process::Command;

const USAGE: &str = "cargo xtask torture [--minutes N] [--seed N] [--only WORDS]";

/// Time where none is given.
const MINUTES: &str = "60";

/// Runs the long forms of the product test of that name.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let parts = ["fault_at_any_call", "anything_killed"];
    test(&parts, &variables(words)?)
}

/// Files of a soak where no number is given.
const FILES: &str = "10000";

/// Runs the soak: `cargo xtask soak [--files N] [--seed N]`.
pub(crate) fn soak(words: &[&str]) -> anyhow::Result<()> {
    test(&["files_of_many_formats"], &soak_variables(words)?)
}

fn soak_variables<'w>(mut words: &[&'w str]) -> anyhow::Result<Vec<(&'static str, &'w str)>> {
    let mut variables = vec![("WAVEMILL_SOAK_FILES", FILES)];
    while let [option, value, rest @ ..] = words {
        let name = match *option {
            "--files" => "WAVEMILL_SOAK_FILES",
            "--seed" => "WAVEMILL_TORTURE_SEED",
            _ => bail!("`{option}` is not known; usage: cargo xtask soak [--files N] [--seed N]"),
        };
        value.parse::<u64>().with_context(|| format!("`{value}` is no whole number"))?;
        variables.push((name, value));
        words = rest;
    }
    ensure!(words.is_empty(), "{words:?} is not known");
    Ok(variables)
}

/// Runs parts of the product test; the program is the one of `WAVEMILL_BIN`, or built.
fn test(parts: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let given = std::env::var_os("WAVEMILL_BIN").map(PathBuf::from);
    let program = given.map_or_else(crate::ci::built_program, Ok)?;
    let mut command = Command::new(crate::cargo());
    // Built as the gate builds it, so that nothing is compiled twice.
    command.current_dir(crate::root()).args(["test", "--locked", "--workspace"]);
    // One part after the other: each uses all cores.
    command.args(["--test", "torture", "--", "--nocapture", "--test-threads=1"]).args(parts);
    command.envs(variables.iter().copied()).env("WAVEMILL_BIN", program);
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "something was violated: {status}");
    Ok(())
}

/// What the test reads.
fn variables<'w>(mut words: &[&'w str]) -> anyhow::Result<Vec<(&'static str, &'w str)>> {
    let mut variables = vec![("WAVEMILL_TORTURE_MINUTES", MINUTES)];
    while let [option, value, rest @ ..] = words {
        let name = match *option {
            "--minutes" => "WAVEMILL_TORTURE_MINUTES",
            "--seed" => "WAVEMILL_TORTURE_SEED",
            "--only" => "WAVEMILL_TORTURE_ONLY",
            _ => bail!("`{option}` is not known; usage: {USAGE}"),
        };
        if *option != "--only" {
            value.parse::<u64>().with_context(|| format!("`{value}` is no whole number"))?;
        }
        variables.push((name, value));
        words = rest;
    }
    ensure!(words.is_empty(), "{words:?} is not known; usage: {USAGE}");
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torture_takes_an_hour_or_as_asked() {
        assert_eq!(variables(&[]).unwrap(), [("WAVEMILL_TORTURE_MINUTES", MINUTES)]);
        let asked = variables(&["--minutes", "5", "--seed", "7", "--only", "kill at"]).unwrap();
        assert_eq!(asked[1], ("WAVEMILL_TORTURE_MINUTES", "5"));
        assert_eq!(asked[3], ("WAVEMILL_TORTURE_ONLY", "kill at"));
        assert_eq!(soak_variables(&["--files", "9"]).unwrap()[1], ("WAVEMILL_SOAK_FILES", "9"));
        assert!(soak_variables(&["--minutes", "1"]).is_err());
        assert!(variables(&["--minutes"]).is_err() && variables(&["--minutes", "x"]).is_err());
    }
}
