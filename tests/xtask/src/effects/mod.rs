//! Builds the effect modules of `effects/modules/` into `effects/bundled/`.

mod compiler;
mod source;
mod sums;

use crate::root;
use anyhow::{Context, Result, bail};
use compiler::Compilers;
use source::Source;
use std::path::{Path, PathBuf};

pub(crate) use compiler::wasm_toolchain;

/// `cargo xtask effects [NAME...]`: builds all modules, or these, and writes their hashes. A module
/// whose compiler is not at hand keeps its bundled file.
///
/// # Errors
/// When a module does not compile, or none could be built.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    let bundled = bundled();
    std::fs::create_dir_all(&bundled)?;
    let sources: Vec<Source> =
        Source::all()?.into_iter().filter(|source| is_asked(source, names)).collect();
    let missing = names.iter().find(|name| !sources.iter().any(|source| source.name == **name));
    if let Some(name) = missing {
        bail!("there is no `effects/modules/{name}`");
    }
    let built = build(&sources, &bundled)?;
    sums::write(&bundled)?;
    if built.is_empty() {
        bail!("no module could be built; see the reasons above");
    }
    Ok(())
}

fn is_asked(source: &Source, names: &[&str]) -> bool {
    names.is_empty() || names.contains(&source.name.as_str())
}

/// Where [`rebuild`] puts modules.
pub(crate) fn rebuilt() -> PathBuf {
    root().join("target/effects/rebuilt")
}

/// `cargo xtask effects --rebuild`: builds what this machine can into [`rebuilt`], for the tests
/// that compare it with the bundled modules. Returns the folder.
///
/// # Errors
/// When a module does not compile.
pub(crate) fn rebuild() -> Result<PathBuf> {
    let folder = rebuilt();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let sources = Source::all()?;
    let compilers = Compilers::find();
    compilers.start_anew()?;
    for source in &sources {
        match compilers.of(source.language) {
            Ok(compiler) => compiler.build(source, &folder.join(source.file()))?,
            Err(reason) => println!("skipped: rebuilding effect modules, because {reason}"),
        }
    }
    Ok(folder)
}

/// `cargo xtask effects --check`: rebuilds, and compares with the bundled modules: equal bytes, or
/// else equal behavior, since another version of a compiler writes other bytes.
///
/// # Errors
/// When a module does not compile or behaves otherwise.
pub(crate) fn check() -> Result<()> {
    let folder = rebuild()?;
    let status = std::process::Command::new(crate::cargo())
        .current_dir(root())
        // The workspace as in the gate: for one package alone, all would be compiled anew.
        .args(["test", "--locked", "--workspace", "--test", "modules"])
        .args(["rebuilt", "--", "--show-output"])
        .env(REBUILT_VARIABLE, &folder)
        .status()
        .context("cargo test")?;
    if !status.success() {
        bail!("a rebuilt module is not like the bundled one");
    }
    Ok(())
}

/// Says to the tests where the rebuilt modules are.
pub(crate) const REBUILT_VARIABLE: &str = "WAVEMILL_REBUILT_EFFECTS";

fn build(sources: &[Source], folder: &Path) -> Result<Vec<String>> {
    let compilers = Compilers::find();
    compilers.start_anew()?;
    let mut built = Vec::new();
    for source in sources {
        match compilers.of(source.language) {
            Ok(compiler) => {
                let file = folder.join(source.file());
                compiler.build(source, &file)?;
                make_plain(&file)?;
                let bytes = std::fs::metadata(&file)?.len();
                println!("{}: {bytes} bytes, by {compiler}", source.file());
                built.push(source.name.clone());
            }
            Err(reason) => println!("skipped: {}, because {reason}", source.file()),
        }
    }
    Ok(built)
}

/// Takes away the right to be executed, which linkers give.
fn make_plain(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644))?;
    Ok(())
}

fn bundled() -> PathBuf {
    root().join("effects/bundled")
}
