//! Where a slot's part comes from, and whether it may run.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;
use wavemill_core::processors;
use wavemill_pipelines::Effects;
use wavemill_rack::Part;
use wavemill_runtime::bundled;

/// What a slot says whose module nobody here ever chose.
pub(crate) const ASK: &str = "This module came with the session and never ran here. It runs in a sandbox: it sees \
    samples and nothing else. Click \"Run it\" to use it.";

/// What a slot holds, by name, and by hash where it is a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// As pipelines have it: the name of a step or a bundled effect, or the path of a module.
    pub(crate) name: String,
    /// SHA-256 of the module as 64 hexadecimal digits; `None` for a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// Whether a module may run without a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Given,
    Asked,
}

/// What loads modules: one sandbox for all racks of the process.
pub(crate) fn effects() -> &'static Effects {
    static EFFECTS: OnceLock<Effects> = OnceLock::new();
    EFFECTS.get_or_init(|| Effects::live(cache_folder()))
}

/// Names of all that a slot can hold and that comes with Wavemill: effects, then steps that can be played.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    const STEPS: [&str; 6] = ["gain", "high-pass", "low-pass", "limit", "invert", "swap"];
    bundled::MODULES.iter().map(|module| module.name).chain(STEPS)
}

impl Source {
    /// Finds what the user chose, and trusts it.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn choose(name: &str) -> Result<(Self, Part), String> {
        let part = find(name)?;
        let source = Self::of(&part);
        if let Some(sha256) = &source.sha256 {
            trusted().add(sha256);
        }
        Ok((source, part))
    }

    /// That of a part.
    pub(crate) fn of(part: &Part) -> Self {
        let sha256 = part.module().map(|module| module.sha256().to_owned());
        Self { name: part.name().to_owned(), sha256 }
    }

    /// Whether it is a file, which may change.
    pub(crate) fn file(&self) -> Option<&Path> {
        let is_file = self.sha256.is_some() && bundled::bundled(&self.name).is_none();
        is_file.then(|| Path::new(&self.name))
    }

    /// Finds what a saved project names.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn find(&self) -> Result<(Part, Trust), String> {
        let part = find(&self.name)?;
        let Some(module) = part.module() else { return Ok((part, Trust::Given)) };
        if self.file().is_none() || trusted().has(module.sha256()) {
            return Ok((part, Trust::Given));
        }
        Ok((part, Trust::Asked))
    }

    /// Trusts the module that is there now.
    pub(crate) fn trust(&self) {
        if let Ok(part) = find(&self.name)
            && let Some(module) = part.module()
        {
            trusted().add(module.sha256());
        }
    }
}

fn find(name: &str) -> Result<Part, String> {
    if let Some(step) = processors::step(name) {
        return Ok(Part::step(step));
    }
    let module = effects().load(name).map_err(|error| error.to_string())?;
    Part::effect(name, module, None).map_err(|error| error.to_string())
}

/// Modules' files as they were when they were last looked at.
#[derive(Debug, Default)]
pub(crate) struct Files(HashMap<PathBuf, Option<(SystemTime, u64)>>);

impl Files {
    /// Whether a file is another one than when this was last asked.
    pub(crate) fn has_changed(&mut self, path: &Path) -> bool {
        let metadata = fs::metadata(path).ok();
        let now = metadata.and_then(|file| Some((file.modified().ok()?, file.len())));
        let before = self.0.insert(path.to_owned(), now);
        now.is_some() && before != Some(now)
    }
}

/// Modules that the user chose once, by hash.
struct Trusted(Mutex<HashSet<String>>);

fn trusted() -> &'static Trusted {
    static TRUSTED: OnceLock<Trusted> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let text = trust_file().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        Trusted(Mutex::new(text.lines().map(str::to_owned).collect()))
    })
}

impl Trusted {
    fn has(&self, sha256: &str) -> bool {
        self.0.lock().contains(sha256)
    }

    fn add(&self, sha256: &str) {
        if bundled::MODULES.iter().any(|module| module.sha256 == sha256)
            || !self.0.lock().insert(sha256.to_owned())
        {
            return;
        }
        // What cannot be written down is asked again in another session.
        let Some(file) = trust_file() else { return };
        if let Some(folder) = file.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let opened = fs::OpenOptions::new().append(true).create(true).open(file);
        let _ = opened.and_then(|mut file| writeln!(file, "{sha256}"));
    }
}

fn trust_file() -> Option<PathBuf> {
    let data = folder("XDG_DATA_HOME", ".local/share", "Library/Application Support")?;
    Some(data.join("wavemill/trusted-effects"))
}

fn cache_folder() -> Option<PathBuf> {
    Some(folder("XDG_CACHE_HOME", ".cache", "Library/Caches")?.join("wavemill/effects"))
}

/// A folder of the user's, as the system has it.
fn folder(variable: &str, below_home: &str, below_home_macos: &str) -> Option<PathBuf> {
    if let Some(local) = std::env::var_os("LOCALAPPDATA").filter(|_| cfg!(windows)) {
        return Some(PathBuf::from(local));
    }
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    if cfg!(target_os = "macos") {
        return Some(home()?.join(below_home_macos));
    }
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(home()?.join(below_home)))
}
