//! What there is to build.

use crate::root;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// A language that modules of this repository are written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    C,
    AssemblyScript,
}

/// The source of one module: a folder of `effects/modules/`.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) language: Language,
    /// Rust only: `package.metadata.effect.unroll`.
    pub(crate) do_unroll: bool,
}

impl Source {
    /// All modules, by name.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let folder = root().join("effects/modules");
        let mut sources = Vec::new();
        if !folder.exists() {
            return Ok(sources);
        }
        for entry in std::fs::read_dir(&folder).context("effects/modules")? {
            let path = entry?.path();
            if path.is_dir() {
                sources.extend(Self::of(&path)?);
            }
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sources)
    }

    /// The module of a folder; a folder that modules share code in has none.
    fn of(folder: &Path) -> Result<Option<Self>> {
        let name = folder.file_name().context("a folder has a name")?;
        let name = name.to_str().context("names of modules are ASCII")?.to_owned();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok();
        let language = if let Some(manifest) = &manifest {
            if !manifest.contains("\"cdylib\"") {
                return Ok(None);
            }
            Language::Rust
        } else if folder.join("effect.c").exists() {
            Language::C
        } else if folder.join("effect.ts").exists() {
            Language::AssemblyScript
        } else {
            bail!("effects/modules/{name} has no Cargo.toml, effect.c or effect.ts");
        };
        let do_unroll = manifest.is_some_and(|manifest| {
            let mut lines = manifest.lines();
            lines.any(|line| line == "[package.metadata.effect]")
                && lines.any(|line| line == "unroll = true")
        });
        Ok(Some(Self { name, folder: folder.to_path_buf(), language, do_unroll }))
    }

    /// Name of the module's file.
    pub(crate) fn file(&self) -> String {
        format!("{}.wasm", self.name)
    }

    /// All C files of the module.
    pub(crate) fn c_files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension() == Some("c".as_ref()) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}
