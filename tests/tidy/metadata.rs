//! What `cargo metadata` says about the resolved graph.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The whole graph: every package of `Cargo.lock` that this machine can see.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// Whether packages of other platforms are among them.
    #[serde(skip)]
    pub(crate) is_complete: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it comes from; none for a path.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Dependency {
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Metadata {
    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }
}

/// The workspace's top-level folder.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests lies in the workspace").to_path_buf()
}

/// Reads the graph once, with what the gate builds on request only. Without a network, packages of
/// other platforms may be missing: then only this platform's are read, and the caller says so.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| read_all(&["--features", "wavemill/fdk-aac"]))
}

/// The graph of a build without any feature that must be asked for.
pub(crate) fn default_metadata() -> Metadata {
    read_all(&[])
}

/// The graph of a build with nothing that is copyleft.
pub(crate) fn permissive_metadata() -> Metadata {
    read_all(&["--no-default-features"])
}

fn read_all(features: &[&str]) -> Metadata {
    let with = |arguments: &[&str]| read(&[arguments, features].concat());
    with(&["--locked"])
        .map(|metadata| Metadata { is_complete: true, ..metadata })
        .or_else(|_| with(&["--locked", "--offline", "--filter-platform", &host()]))
        .unwrap_or_else(|error| panic!("cargo metadata failed: {error}"))
}

fn read(arguments: &[&str]) -> Result<Metadata, String> {
    let output = Command::new(cargo())
        .current_dir(root())
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// This machine's target triple.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs where cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("rustc -vV names its host").to_owned()
}
