//! Where a slot's part comes from, and whether it may run.

use super::folders;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use wavemill_core::processors;
use wavemill_pipelines::Effects;
use wavemill_pipelines::effects::EffectError;
use wavemill_rack::Part;
use wavemill_runtime::bundled;

/// What a slot says whose module nobody here ever chose.
pub(crate) const ASK: &str = "This module came with the project and never ran here. It runs in a sandbox: it sees \
    samples and nothing else. Click \"Run it\" to use it.";

/// What a slot holds, by name, and by hash where it is a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// As pipelines have it: the name of a step or a bundled effect, or the path of a module.
    pub(crate) name: String,
    /// SHA-256 of the module as 64 hexadecimal digits; `None` for a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// The module itself, where it is a file: it travels with the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<Bytes>,
}

/// A module's bytes; base64 in a state. Clones are cheap.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(Arc<[u8]>);

impl Bytes {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // What was damaged is no module, which its hash says.
        Ok(Self(STANDARD.decode(text).unwrap_or_default().into()))
    }
}

/// What was found of a saved project's part.
#[derive(Clone)]
pub(crate) enum Found {
    /// It plays; perhaps with something that the user should know.
    Part(Part, Option<String>),
    /// It waits for the user's consent.
    Asked,
}

/// A module that could be loaded.
struct Candidate {
    bytes: Cow<'static, [u8]>,
    sha256: String,
    note: Option<String>,
}

/// What loads modules: one sandbox for all racks of the process. It ends with the last one, and its thread with it: the
/// DAW may unload the code then.
pub(crate) fn effects() -> Arc<Effects> {
    static SHARED: Mutex<Weak<Effects>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock();
    if let Some(effects) = shared.upgrade() {
        return effects;
    }
    let effects = Arc::new(Effects::live(folders::cache()));
    *shared = Arc::downgrade(&effects);
    effects
}

/// Names of all that a slot can hold and that comes with Wavemill: effects, then steps that can be played.
pub(crate) fn names() -> &'static [&'static str] {
    static NAMES: OnceLock<Vec<&str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let steps = wavemill_rack::steps();
        let steps = steps.iter().map(|step| step.name);
        bundled::MODULES.iter().map(|module| module.name).chain(steps).collect()
    })
}

impl Source {
    /// Finds what the user chose, and trusts it.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn choose(name: &str) -> Result<(Self, Part), String> {
        Self::load(name).inspect(|(source, _)| source.allow())
    }

    /// Loads what is there under a name.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn load(name: &str) -> Result<(Self, Part), String> {
        if let Some(step) = processors::step(name) {
            let part = Part::step(step);
            return Ok((Self::of(&part), part));
        }
        let bytes = effects().read(name).map_err(|error| words(&error))?;
        let part = part(name, &bytes)?;
        let mut source = Self::of(&part);
        if source.file().is_some() {
            source.bytes = Some(Bytes(bytes.into()));
        }
        Ok((source, part))
    }

    /// It may run on this machine from now on.
    pub(crate) fn allow(&self) {
        if let Some(sha256) = &self.sha256 {
            trusted().add(sha256);
        }
    }

    /// That of a part.
    pub(crate) fn of(part: &Part) -> Self {
        let sha256 = part.module().map(|module| module.sha256().to_owned());
        Self { name: part.name().to_owned(), sha256, bytes: None }
    }

    /// Whether it is a file, which may change.
    pub(crate) fn file(&self) -> Option<&Path> {
        let is_file =
            processors::step(&self.name).is_none() && bundled::bundled(&self.name).is_none();
        is_file.then(|| Path::new(&self.name))
    }

    /// Finds what a saved project names. A module that nobody here ever chose is not loaded.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn find(&self) -> Result<Found, String> {
        if let Some(step) = processors::step(&self.name) {
            return Ok(Found::Part(Part::step(step), None));
        }
        let Candidate { bytes, sha256, note } = self.candidate()?;
        if !trusted().has(&sha256) {
            return Ok(Found::Asked);
        }
        Ok(Found::Part(part(&self.name, &bytes)?, note))
    }

    /// Trusts the module that would be loaded.
    pub(crate) fn trust(&self) {
        if let Ok(candidate) = self.candidate() {
            trusted().add(&candidate.sha256);
        }
    }

    /// The module of the project: from its file, the state, or those that come with Wavemill; else what the file is
    /// now.
    fn candidate(&self) -> Result<Candidate, String> {
        let read = effects().read(&self.name).map_err(|error| words(&error));
        let read = read.map(|bytes| (wavemill_runtime::sha256(&bytes), bytes));
        let is_wanted = |sha256: &str| self.sha256.as_deref().is_none_or(|wanted| wanted == sha256);
        let plays = |note: &str| Some(note.to_owned());
        match read {
            Ok((sha256, bytes)) if self.file().is_none() || is_wanted(&sha256) => {
                Ok(Candidate { bytes, sha256, note: None })
            }
            read => {
                let saved = self.bytes.as_ref().map(|bytes| bytes.0.to_vec());
                let saved = saved.map(|bytes| (wavemill_runtime::sha256(&bytes), bytes));
                if let Some((sha256, bytes)) = saved.filter(|(sha256, _)| is_wanted(sha256)) {
                    let note = match read {
                        Ok(_) => plays(
                            "Its file is another module now; the one saved with the project plays.",
                        ),
                        Err(_) => {
                            plays("Its file is not there; the module saved with the project plays.")
                        }
                    };
                    return Ok(Candidate { bytes: bytes.into(), sha256, note });
                }
                if let Some(own) =
                    bundled::MODULES.iter().find(|own| self.sha256.as_deref() == Some(own.sha256))
                {
                    let sha256 = own.sha256.to_owned();
                    return Ok(Candidate { bytes: own.bytes.into(), sha256, note: None });
                }
                let (sha256, bytes) = read?;
                let note =
                    plays("Its file is another module than the one the project was made with.");
                Ok(Candidate { bytes, sha256, note })
            }
        }
    }
}

/// What is wrong, and what to do.
fn words(error: &EffectError) -> String {
    error.help().map_or_else(|| error.to_string(), |help| format!("{error}: {help}"))
}

/// A module of these bytes, with its defaults.
///
/// # Errors
/// One line: what is wrong with it.
pub(crate) fn part(name: &str, bytes: &[u8]) -> Result<Part, String> {
    let module = effects().load_bytes(name, bytes).map_err(|error| words(&error))?;
    Part::effect(name, module, None).map_err(|error| error.to_string())
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
        bundled::MODULES.iter().any(|module| module.sha256 == sha256)
            || self.0.lock().contains(sha256)
    }

    fn add(&self, sha256: &str) {
        if self.has(sha256) || !self.0.lock().insert(sha256.to_owned()) {
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
    Some(folders::data()?.join("trusted-effects"))
}
