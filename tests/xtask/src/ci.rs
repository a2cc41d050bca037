//! The gate: what a change must pass, on any machine, in one command.

use crate::stage::Gate;
use crate::{bundle, effects, root, tools};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// AAC by Fraunhofer's library, which is in no build that did not ask for it. Chosen within the whole workspace, so that
/// the packages it is built with have the features that they have anyway: only core is built once more.
const FDK: [&str; 9] = [
    "--workspace",
    "--features",
    "wavemill-core/fdk-aac",
    "--test",
    "encode_aac",
    "--test",
    "chapters",
    "--test",
    "tag_table",
];

/// Runs every stage and says at the end what failed and what could not run.
///
/// # Errors
/// When a stage fails or a needed tool is missing.
pub(crate) fn run() -> Result<()> {
    let mut gate = Gate::new();
    tools::prepare(&mut gate)?;
    gate.stage("format", &mut cargo(&["fmt", "--all", "--check"]));
    gate.stage(
        "lints",
        cargo(&["clippy", "--locked", "--workspace", "--all-targets"]).args(["--", "-Dwarnings"]),
    );
    // Building everything at once unifies features, so a missing one shows only here.
    gate.stage(
        "core without features",
        &mut cargo(&["check", "--locked", "-p", "wavemill-core", "--no-default-features"]),
    );
    // Lints, since code that only lacks effects is seen by no other stage.
    gate.stage(
        "pipelines without effects",
        cargo(&["clippy", "--locked", "-p", "wavemill-pipelines", "--no-default-features"]).args([
            "--all-targets",
            "--",
            "-Dwarnings",
        ]),
    );
    // What is under the LGPL is left out, and what the program asks of its dependencies shows here too.
    gate.stage(
        "program without LAME",
        &mut cargo(&["check", "--locked", "-p", "wavemill", "--no-default-features"]),
    );
    // Authors of effects build with it alone.
    gate.stage("kit for effects", &mut cargo(&["check", "--locked", "-p", "wavemill-effect"]));
    let plugin = ["check", "--locked", "-p", "wavemill-plugin"];
    if let Some(reason) = bundle::standalone_obstacle() {
        gate.skip(&format!("the plugin as a program, because {reason}"));
        gate.skip(&format!("playing on an audio device, because {reason}"));
        gate.stage("plugin on its own", &mut cargo(&plugin));
    } else {
        let program = &mut cargo(&plugin);
        gate.stage("plugin as a program", program.args(["--features", "standalone"]));
        // Within the workspace, so that only the program is built once more.
        gate.stage(
            "playing on an audio device",
            cargo(&["clippy", "--locked", "--workspace", "--bin", "wavemill"]).args([
                "--features",
                "wavemill/sound",
                "--",
                "-Dwarnings",
            ]),
        );
    }
    // For those who change the code: private items too, and links to them.
    gate.stage(
        "documentation",
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-Dwarnings -Arustdoc::private_intra_doc_links"),
    );
    // The tests that run the program find it there.
    gate.stage("program", &mut cargo(&["build", "--locked", "--workspace", "--bin", "wavemill"]));
    // The tests compare them with those that are checked in.
    gate.stage("effects", &mut cargo(&["xtask", "effects", "--rebuild"]));
    gate.stage(
        "tests",
        cargo(&["test", "--locked", "--workspace", "--no-fail-fast"])
            .args(["--", "--show-output"])
            .env("WAVEMILL_BIN", program()?)
            .env(effects::REBUILT_VARIABLE, effects::rebuilt()),
    );
    // After the rest, whose builds it takes.
    gate.stage("tests with FDK AAC", cargo(&["test", "--locked"]).args(FDK));
    gate.stage(
        "lints with FDK AAC",
        cargo(&["clippy", "--locked"]).args(FDK).args(["--", "-Dwarnings"]),
    );
    gate.finish()
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(crate::cargo());
    command.current_dir(root()).args(arguments);
    // What is built once needs no data for building it again, which is half of the disk.
    if std::env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Builds the program as the tests want it, and says where it is.
pub(crate) fn built_program() -> Result<PathBuf> {
    let arguments = ["build", "--locked", "--workspace", "--bin", "wavemill"];
    let status = cargo(&arguments).status()?;
    anyhow::ensure!(status.success(), "the program cannot be built");
    program()
}

/// Where `cargo build` puts the program.
fn program() -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().context("no target directory")?;
    Ok(Path::new(target).join("debug").join(format!("wavemill{}", std::env::consts::EXE_SUFFIX)))
}

fn metadata() -> Result<serde_json::Value> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps"]).output()?;
    serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")
}
