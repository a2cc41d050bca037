//! A module inside a plugin's own file: `wavemill effects export-clap` writes it, the plugin reads it.
//!
//! A plugin has a mark that says whether it was exported. The file of one that was ends in the module, its length in
//! bytes (64 bits, little-endian), and its SHA-256 as 64 hexadecimal digits.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use thiserror::Error;
use wavemill_runtime::limits::MODULE_BYTES_MAX;

/// The mark of a plugin that was not exported; with `1` instead of `0` it was. One plugin has one.
pub const MARK: [u8; 32] = *b"wavemill: exported effect 0\0\0\0\0\0";

/// Where `0` or `1` is.
const FLAG: usize = 26;

const LENGTH_BYTES: usize = 8;
const TRAILER_BYTES: usize = LENGTH_BYTES + 64;

/// Why a module cannot be put into a plugin, or is not found in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Bytes without the mark, or with several.
    #[error("is not Wavemill's plugin of this version, or was exported already")]
    NotThePlugin,
    /// Something was cut off or changed.
    #[error("is damaged: its effect is not the one that was exported")]
    Damaged,
    /// The disk fails.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Whether a plugin with this mark was exported.
pub fn is_exported(mark: &[u8; 32]) -> bool {
    mark[FLAG] != b'0'
}

/// A plugin that offers this module and nothing else, made of the bytes of Wavemill's.
///
/// # Errors
/// When these are not Wavemill's plugin.
pub fn export(mut plugin: Vec<u8>, module: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let mut found = plugin.windows(MARK.len()).enumerate().filter(|(_, bytes)| *bytes == MARK);
    let (Some((at, _)), None) = (found.next(), found.next()) else {
        return Err(PayloadError::NotThePlugin);
    };
    plugin[at + FLAG] = b'1';
    plugin.extend_from_slice(module);
    plugin.extend_from_slice(&(module.len() as u64).to_le_bytes());
    plugin.extend_from_slice(wavemill_runtime::sha256(module).as_bytes());
    Ok(plugin)
}

/// The module of the exported plugin in this file.
///
/// # Errors
/// When the file cannot be read, or is not as it was written.
pub fn exported_module(plugin: &Path) -> Result<Vec<u8>, PayloadError> {
    let mut file = File::open(plugin)?;
    let mut trailer = [0; TRAILER_BYTES];
    let trailer_at = back(&mut file, SeekFrom::End(0), TRAILER_BYTES as u64)?;
    file.read_exact(&mut trailer)?;
    let (length, sha256) = trailer.split_at(LENGTH_BYTES);
    let length = length.try_into().map_or(u64::MAX, u64::from_le_bytes);
    if length > MODULE_BYTES_MAX as u64 {
        return Err(PayloadError::Damaged);
    }
    back(&mut file, SeekFrom::Start(trailer_at), length)?;
    let mut module = Vec::new();
    file.take(length).read_to_end(&mut module)?;
    let is_right = wavemill_runtime::sha256(&module).as_bytes() == sha256;
    is_right.then_some(module).ok_or(PayloadError::Damaged)
}

/// Goes so many bytes before a place; returns where that is.
fn back(file: &mut File, place: SeekFrom, bytes: u64) -> Result<u64, PayloadError> {
    let at = file.seek(place)?.checked_sub(bytes).ok_or(PayloadError::Damaged)?;
    Ok(file.seek(SeekFrom::Start(at))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something with a mark.
    fn plugin() -> Vec<u8> {
        [&[7; 100][..], &MARK, &[9; 50]].concat()
    }

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        file
    }

    #[test]
    fn exported_module_is_found_and_the_plugin_knows() {
        let exported = export(plugin(), b"a module").unwrap();
        let mark: [u8; 32] = exported[100..132].try_into().unwrap();
        assert!(is_exported(&mark) && !is_exported(&MARK));
        assert_eq!(exported_module(written(&exported).path()).unwrap(), b"a module");
    }

    #[test]
    fn damage_anywhere_behind_the_plugin_is_found() {
        let exported = export(plugin(), b"a module").unwrap();
        for at in plugin().len()..exported.len() {
            let mut damaged = exported.clone();
            damaged[at] ^= 1;
            assert!(exported_module(written(&damaged).path()).is_err(), "{at}");
            let cut = exported_module(written(&exported[..at]).path());
            assert!(cut.is_err(), "{at}");
        }
        assert!(exported_module(written(b"short").path()).is_err());
    }

    #[test]
    fn only_a_plugin_that_was_not_exported_is_one() {
        let exported = export(plugin(), b"a module").unwrap();
        let twice = [plugin(), plugin()].concat();
        for wrong in [exported, twice, b"something else".to_vec()] {
            assert!(matches!(export(wrong, b"a module"), Err(PayloadError::NotThePlugin)));
        }
    }
}
