//! From the names of effects in one pipeline to their modules.

use super::{EffectError, Effects, Lock, is_path};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use wavemill_runtime::{Module, bundled, limits};

/// Finds the modules of one pipeline. Each file is read once, so that a module that is replaced
/// meanwhile is the old one everywhere or the new one everywhere.
pub(crate) struct Resolver<'e> {
    effects: &'e Effects,
    lock: Option<Result<Option<Lock>, EffectError>>,
    bytes: BTreeMap<String, Result<Cow<'static, [u8]>, EffectError>>,
}

impl<'e> Resolver<'e> {
    pub(crate) fn new(effects: &'e Effects) -> Self {
        Self { effects, lock: None, bytes: BTreeMap::new() }
    }

    /// Whether there are no effects here, whatever their names.
    pub(crate) fn is_absent(&self) -> bool {
        self.effects.is_absent
    }

    /// The folder that relative paths are in.
    pub(crate) fn folder(&self) -> &'e Path {
        self.effects.folder()
    }

    /// The module that a pipeline calls `name`, and whether the lock file names it.
    pub(crate) fn resolve(
        &mut self,
        name: &str,
        memory_mib: u32,
    ) -> Result<(Module, bool), EffectError> {
        let expected = self.pinned(name)?;
        let folder = &self.effects.folder;
        let bytes = self.bytes.entry(name.to_owned()).or_insert_with(|| bytes_of(folder, name));
        let bytes = bytes.as_ref().map_err(Clone::clone)?;
        let module = self.effects.modules.load(name, bytes, memory_mib)?;
        match expected {
            Some(expected) if expected != module.sha256() => Err(EffectError::NotPinned {
                name: name.to_owned(),
                expected,
                actual: module.sha256().to_owned(),
            }),
            expected => Ok((module, expected.is_some())),
        }
    }

    /// What the folder's lock file says about `name`.
    fn pinned(&mut self, name: &str) -> Result<Option<String>, EffectError> {
        if self.effects.is_unlocked {
            return Ok(None);
        }
        let folder = &self.effects.folder;
        let lock = self.lock.get_or_insert_with(|| {
            Lock::read(folder).map_err(|error| EffectError::Lock { reason: error.to_string() })
        });
        let lock = lock.as_ref().map_err(Clone::clone)?;
        let pin = lock.as_ref().and_then(|lock| lock.effects.get(name));
        Ok(pin.map(|pin| pin.sha256.clone()))
    }
}

pub(super) fn bytes_of(folder: &Path, name: &str) -> Result<Cow<'static, [u8]>, EffectError> {
    if !is_path(name) {
        return bundled::bundled(name).map(|found| Cow::Borrowed(found.bytes)).ok_or_else(|| {
            EffectError::Unknown { name: name.to_owned(), help: help_for_unknown(name) }
        });
    }
    let unreadable = |reason: String| EffectError::Unreadable { name: name.to_owned(), reason };
    match read(&folder.join(name)) {
        Ok(bytes) if bytes.len() > limits::MODULE_BYTES_MAX => Err(unreadable(format!(
            "is larger than {} bytes, the limit for modules",
            limits::MODULE_BYTES_MAX
        ))),
        Ok(bytes) => Ok(Cow::Owned(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(unreadable("does not exist".to_owned()))
        }
        Err(error) => Err(unreadable(format!("cannot be read: {error}"))),
    }
}

/// At most one byte more than a module may have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limits::MODULE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn help_for_unknown(name: &str) -> String {
    let names = bundled::MODULES.iter().map(|module| module.name);
    let help = wavemill_core::suggestion::did_you_mean(name, "bundled effects", names);
    format!("{help}; for a module of your own, write its path, such as \"fx/{name}.wasm\"")
}
