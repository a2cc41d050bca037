//! `cargo xtask torture`: the host is broken on purpose, for as long as one likes, and it is recorded.

use anyhow::{Context, bail, ensure};
use std::process::Command;

const USAGE: &str = "cargo xtask torture [--minutes N] [--seed N] [--only WORDS]";

/// Time where none is given.
const MINUTES: &str = "60";

/// Runs the long form of the product test of that name.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(crate::cargo());
    // Built as the gate builds it, so that nothing is compiled twice.
    let features = ["--workspace", "--features", "wavemill/mp3"];
    command.current_dir(crate::root()).args(["test", "--locked"]).args(features);
    // One part after the other: each uses all cores.
    command.args(["--test", "torture", "--", "--nocapture", "--test-threads=1"]);
    for (name, value) in variables(words)? {
        command.env(name, value);
    }
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
        assert!(variables(&["--minutes"]).is_err() && variables(&["--minutes", "x"]).is_err());
    }
}
