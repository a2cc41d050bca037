//! `cargo xtask fuzz`: tests that damage their input at random, for as long as one likes.

use anyhow::{Context, bail, ensure};
use std::process::Command;

/// A fuzzer: its name, where cargo finds it, and the test that reads `WAVEMILL_FUZZ_SECONDS` and
/// `WAVEMILL_FUZZ_SEED`.
struct Target {
    name: &'static str,
    place: &'static [&'static str],
    test: &'static str,
}

/// Built as the gate builds it, so that nothing is compiled twice.
const FORMATS: &[&str] = &["--workspace", "--test", "fuzz"];

/// The configuration, which only the program knows.
const HOST: &[&str] = &["--workspace", "--lib"];

/// Records of the store, under whatever reads them.
const STORE: &[&str] = &["--workspace", "--test", "damage"];

const TARGETS: &[Target] = &[
    Target {
        name: "effects",
        place: &["--package", "wavemill-runtime", "--lib"],
        test: "tests::fuzz::",
    },
    Target { name: "containers", place: FORMATS, test: "containers::damaged" },
    Target { name: "tags", place: FORMATS, test: "tags::damaged" },
    Target { name: "encoders", place: FORMATS, test: "encoders::random" },
    Target { name: "pipelines", place: FORMATS, test: "pipelines::damaged" },
    Target { name: "templates", place: FORMATS, test: "templates::expanded" },
    Target { name: "api", place: FORMATS, test: "api::damaged" },
    Target { name: "streams", place: FORMATS, test: "streams::damaged" },
    Target { name: "config", place: HOST, test: "config::damage::" },
    Target { name: "store", place: STORE, test: "damaged_record" },
];

/// Time where none is given.
const SECONDS: u64 = 60;

/// Runs a fuzzer by name: `effects --seconds 60`, or `effects --seed 17` for one input again.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let (name, options) = words.split_first().with_context(|| format!("usage: {USAGE}"))?;
    let target = TARGETS.iter().find(|target| target.name == *name);
    let target = target.with_context(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("there is no fuzzer `{name}`; there is {}", names.join(", "))
    })?;
    let (seconds, seed) = read(options)?;
    let mut command = Command::new(crate::cargo());
    command.current_dir(crate::root()).args(["test", "--locked"]).args(target.place);
    command.args([target.test, "--", "--nocapture"]);
    if let Some(seconds) = seconds {
        command.env("WAVEMILL_FUZZ_SECONDS", seconds.to_string());
    }
    if let Some(seed) = seed {
        command.env("WAVEMILL_FUZZ_SEED", seed.to_string());
    }
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "the fuzzer found something: {status}");
    Ok(())
}

const USAGE: &str = "cargo xtask fuzz NAME [--seconds N] [--seed N]";

/// Seconds and first seed. A seed alone means that one.
fn read(mut options: &[&str]) -> anyhow::Result<(Option<u64>, Option<u64>)> {
    let (mut seconds, mut seed) = (None, None);
    while let [option, value, rest @ ..] = options {
        let number = value.parse().with_context(|| format!("`{value}` is no whole number"))?;
        match *option {
            "--seconds" => seconds = Some(number),
            "--seed" => seed = Some(number),
            _ => bail!("`{option}` is not known; usage: {USAGE}"),
        }
        options = rest;
    }
    ensure!(options.is_empty(), "{options:?} is not known; usage: {USAGE}");
    let is_single = seed.is_some() && seconds.is_none();
    Ok((if is_single { None } else { Some(seconds.unwrap_or(SECONDS)) }, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzer_runs_a_minute_or_as_asked_and_a_seed_alone_once() {
        assert_eq!(read(&[]).unwrap(), (Some(SECONDS), None));
        assert_eq!(read(&["--seconds", "5"]).unwrap(), (Some(5), None));
        assert_eq!(read(&["--seed", "17"]).unwrap(), (None, Some(17)));
        assert_eq!(read(&["--seed", "17", "--seconds", "5"]).unwrap(), (Some(5), Some(17)));
        assert!(read(&["--seconds"]).is_err() && read(&["--minutes", "1"]).is_err());
    }
}
