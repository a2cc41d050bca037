//! Compilers of modules: which are at hand, and how they are called.

use super::source::{Language, Source};
use crate::root;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";

/// Names the folder of a toolchain made by `cargo xtask wasm-toolchain`.
const TOOLCHAIN_VARIABLE: &str = "WAVEMILL_WASM_TOOLCHAIN";

/// The compiler of `AssemblyScript` that the bundled modules were built with.
const ASSEMBLYSCRIPT: &str = "assemblyscript@0.28.20";

/// Where that compiler is looked for, below the root.
const ASSEMBLYSCRIPT_FOLDER: &str = "target/assemblyscript";

const RUST_MISSING: &str = "no Rust compiler for wasm is at hand (`rustup target add \
    wasm32-unknown-unknown`, or where rustup cannot reach its servers `cargo xtask wasm-toolchain DIR` \
    and WAVEMILL_WASM_TOOLCHAIN=DIR)";
const C_MISSING: &str = "no C compiler for wasm is at hand (`apt-get install clang lld`, or `pip \
    install ziglang`)";

/// Unrolls short loops, which spares the host's checks at their ends. Only for modules whose manifest
/// says so, because they were measured to gain by it.
const UNROLL: [&str; 3] = [
    "-Cllvm-args=-unroll-runtime",
    "-Cllvm-args=-unroll-allow-partial",
    "-Cllvm-args=-unroll-count=8",
];

/// All compilers of this machine.
pub(crate) struct Compilers {
    rust: Option<Compiler>,
    c: Option<Compiler>,
    assemblyscript: Option<Compiler>,
}

/// One compiler.
pub(crate) enum Compiler {
    /// The workspace's own, with the wasm target.
    Rustup,
    /// A folder with an `env.sh`.
    Toolchain(PathBuf),
    /// `clang` with `wasm-ld`.
    Clang,
    /// A command that is Zig.
    Zig(Vec<&'static str>),
    /// `asc`.
    Asc(PathBuf),
}

impl fmt::Display for Compiler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rustup => "rustc",
            Self::Toolchain(_) => "the rustc of WAVEMILL_WASM_TOOLCHAIN",
            Self::Clang => "clang",
            Self::Zig(_) => "zig",
            Self::Asc(_) => "asc",
        })
    }
}

impl Compilers {
    /// Looks for them.
    pub(crate) fn find() -> Self {
        Self { rust: find_rust(), c: find_c(), assemblyscript: find_assemblyscript() }
    }

    /// Removes what other compilers may have built. Cargo knows a compiler by its version, not by its
    /// libraries: it would hand out modules that were built with another toolchain's.
    pub(crate) fn start_anew(&self) -> Result<()> {
        let built = cargo_folder().join(TARGET);
        if self.rust.is_some() && built.exists() {
            std::fs::remove_dir_all(&built)
                .with_context(|| format!("removing {}", built.display()))?;
        }
        Ok(())
    }

    /// The compiler of a language, or why there is none.
    pub(crate) fn of(&self, language: Language) -> Result<&Compiler, String> {
        match language {
            Language::Rust => self.rust.as_ref().ok_or_else(|| RUST_MISSING.to_owned()),
            Language::C => self.c.as_ref().ok_or_else(|| C_MISSING.to_owned()),
            Language::AssemblyScript => self.assemblyscript.as_ref().ok_or_else(|| {
                format!(
                    "no AssemblyScript compiler is at hand (`npm install --prefix \
                     {ASSEMBLYSCRIPT_FOLDER} {ASSEMBLYSCRIPT}`)"
                )
            }),
        }
    }
}

fn find_rust() -> Option<Compiler> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .current_dir(root())
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let folder = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    if folder.is_some_and(|folder| has_core(Path::new(folder.trim()))) {
        return Some(Compiler::Rustup);
    }
    let folder = PathBuf::from(std::env::var_os(TOOLCHAIN_VARIABLE)?);
    folder.join("env.sh").exists().then_some(Compiler::Toolchain(folder))
}

/// Whether this is a folder of compiled libraries.
fn has_core(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn find_c() -> Option<Compiler> {
    if runs(&["clang", "--version"]) && runs(&["wasm-ld", "--version"]) {
        return Some(Compiler::Clang);
    }
    find_zig().map(Compiler::Zig)
}

/// The command that is Zig.
pub(crate) fn find_zig() -> Option<Vec<&'static str>> {
    let commands: [&[&str]; 2] = [&["zig"], &["python3", "-m", "ziglang"]];
    let found = commands.into_iter().find(|command| runs(&[*command, &["version"]].concat()));
    found.map(<[&str]>::to_vec)
}

fn find_assemblyscript() -> Option<Compiler> {
    let below = root().join(ASSEMBLYSCRIPT_FOLDER).join("node_modules/.bin/asc");
    if below.exists() {
        return Some(Compiler::Asc(below));
    }
    runs(&["asc", "--version"]).then(|| Compiler::Asc("asc".into()))
}

fn runs(command: &[&str]) -> bool {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}

impl Compiler {
    /// Builds a module into `file`.
    pub(crate) fn build(&self, source: &Source, file: &Path) -> Result<()> {
        match self {
            Self::Rustup => build_rust(Command::new(crate::cargo()), source, file),
            Self::Toolchain(folder) => build_rust(in_toolchain(folder), source, file),
            Self::Clang => {
                let mut clang = Command::new("clang");
                // With the stack first, an overflow traps instead of overwriting data; Zig does
                // that by itself.
                clang.arg("-Wl,--stack-first");
                build_c(clang, "wasm32", source, file)
            }
            Self::Zig(command) => {
                let mut zig = Command::new(command[0]);
                zig.args(&command[1..]).args(["cc", "-fno-sanitize=undefined"]);
                build_c(zig, "wasm32-freestanding", source, file)
            }
            Self::Asc(program) => build_assemblyscript(program, source, file),
        }
    }
}

/// Cargo with the variables of a toolchain's `env.sh`.
fn in_toolchain(folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-ec", ". \"$0/env.sh\"; exec \"$@\""]).arg(folder).arg(crate::cargo());
    shell
}

/// Where cargo builds modules.
fn cargo_folder() -> PathBuf {
    root().join("target/effects")
}

fn build_rust(mut cargo: Command, source: &Source, file: &Path) -> Result<()> {
    let package = format!("effect-{}", source.name);
    let target = cargo_folder();
    let root = root().canonicalize()?;
    let mut flags = vec![
        "-Ctarget-feature=+simd128".to_owned(),
        // Panics name their place; it must not depend on where the repository lies.
        format!("--remap-path-prefix={}=wavemill", root.display()),
    ];
    if source.do_unroll {
        flags.extend(UNROLL.map(str::to_owned));
    }
    cargo
        .current_dir(&root)
        .args(["build", "--quiet", "--locked", "--profile", "effect", "--target", TARGET])
        .args(["--package", &package])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env_remove("RUSTFLAGS");
    succeed(&mut cargo, source)?;
    let name = format!("effect_{}.wasm", source.name.replace('-', "_"));
    let built = target.join(TARGET).join("effect").join(name);
    std::fs::copy(&built, file).with_context(|| format!("copying {}", built.display()))?;
    Ok(())
}

fn build_c(mut compiler: Command, target: &str, source: &Source, file: &Path) -> Result<()> {
    compiler
        .args(["-target", target, "-std=c11", "-O3", "-msimd128", "-ffreestanding", "-nostdlib"])
        // A fused multiply-add would give other bits than the two operations.
        .args(["-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-Werror"])
        .arg("-I")
        .arg(root().join("effects/include"))
        // Not all is stripped: clang runs wasm-opt where that is installed, which must find the list of features.
        .args(["-Wl,--no-entry", "-Wl,-z,stack-size=65536", "-Wl,--strip-debug"])
        .arg("-o")
        .arg(file)
        .args(source.c_files()?);
    succeed(&mut compiler, source)
}

fn build_assemblyscript(program: &Path, source: &Source, file: &Path) -> Result<()> {
    let mut compiler = Command::new(program);
    compiler
        .current_dir(&source.folder)
        .args(["effect.ts", "-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"])
        .args(["--use", "abort=", "--outFile"])
        .arg(file);
    succeed(&mut compiler, source)
}

fn succeed(command: &mut Command, source: &Source) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| program.clone())?;
    if !status.success() {
        bail!("effects/modules/{} does not compile ({program}: {status})", source.name);
    }
    Ok(())
}

/// `cargo xtask wasm-toolchain DIR`: makes a Rust compiler for wasm from Debian's packages, for
/// machines where rustup cannot add the target.
///
/// # Errors
/// When the script fails.
pub(crate) fn wasm_toolchain(folder: &str) -> Result<()> {
    let script = root().join("effects/tools/wasm-toolchain.sh");
    let status = Command::new("sh").arg(script).arg(folder).status().context("sh")?;
    if !status.success() {
        bail!("the toolchain could not be made ({status})");
    }
    Ok(())
}
