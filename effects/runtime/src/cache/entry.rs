//! One entry: compiled code with the description, under a hash.

use wasmtime::{Engine, Module};

/// First bytes of the file; the digit is the version of this format.
const MAGIC: &[u8; 8] = b"WMFXCOD1";

const HASH_BYTES: usize = 32;

/// Where the hashed part begins.
const HASHED_FROM: usize = MAGIC.len() + HASH_BYTES;

/// Bytes before the description: magic, hash of all that follows, keys of engine and module, length of
/// the description.
const HEADER_BYTES: usize = HASHED_FROM + 2 * HASH_BYTES + 8;

/// Compiled code and the description that the module gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What the module's `fx_describe` returned.
    pub(crate) description: Vec<u8>,
    /// The engine's artifact begins here in `bytes`.
    code_at: usize,
    bytes: Vec<u8>,
}

impl Entry {
    /// The entry of a compiled module.
    ///
    /// # Errors
    /// When the engine cannot write it.
    pub(crate) fn of(code: &Module, description: &[u8]) -> wasmtime::Result<Self> {
        Ok(Self { description: description.to_vec(), code_at: 0, bytes: code.serialize()? })
    }

    /// An entry of any bytes.
    #[cfg(test)]
    pub(super) fn with_code(description: &[u8], code: &[u8]) -> Self {
        Self { description: description.to_vec(), code_at: 0, bytes: code.to_vec() }
    }

    /// An entry from its file; `None` when it is another's, or not as it was written.
    pub(super) fn read(bytes: Vec<u8>, engine: &[u8; 32], module: &[u8; 32]) -> Option<Self> {
        let (head, hashed) = bytes.split_at_checked(HASHED_FROM)?;
        let hash = blake3::hash(hashed);
        if head != [&MAGIC[..], hash.as_bytes()].concat() {
            return None;
        }
        if bytes.get(HASHED_FROM..HEADER_BYTES - 8)? != [&engine[..], module].concat() {
            return None;
        }
        let length = bytes.get(HEADER_BYTES - 8..HEADER_BYTES)?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let code_at = HEADER_BYTES.checked_add(length)?;
        let description = bytes.get(HEADER_BYTES..code_at)?.to_vec();
        Some(Self { description, code_at, bytes })
    }

    /// The file of this entry.
    pub(super) fn bytes(&self, engine: &[u8; 32], module: &[u8; 32]) -> Vec<u8> {
        let length = (self.description.len() as u64).to_le_bytes();
        let hashed =
            [&engine[..], module, &length, &self.description, &self.bytes[self.code_at..]].concat();
        let hash = blake3::hash(&hashed);
        [&MAGIC[..], hash.as_bytes(), &hashed].concat()
    }

    /// The compiled module; `None` when the engine refuses it after all.
    #[expect(unsafe_code, reason = "compiled code can only be loaded on trust")]
    pub(crate) fn module(&self, engine: &Engine) -> Option<Module> {
        // SAFETY: the bytes are what `Module::serialize` gave for an engine of the same compatibility
        // hash: this process made them, or they come from a folder that only this user can write to,
        // under our magic, with a hash over code and keys that was just checked.
        unsafe { Module::deserialize(engine, &self.bytes[self.code_at..]) }.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGINE: [u8; 32] = [1; 32];
    const MODULE: [u8; 32] = [2; 32];

    fn file() -> Vec<u8> {
        Entry::with_code(b"{}", b"code").bytes(&ENGINE, &MODULE)
    }

    #[test]
    fn entry_returns_as_it_was_written() {
        let entry = Entry::read(file(), &ENGINE, &MODULE).unwrap();
        assert_eq!(entry.description, b"{}");
        assert_eq!(&entry.bytes[entry.code_at..], b"code");
    }

    #[test]
    fn entry_with_any_flipped_bit_is_refused() {
        for index in 0..file().len() {
            let mut flipped = file();
            flipped[index] ^= 1;
            assert_eq!(Entry::read(flipped, &ENGINE, &MODULE), None, "byte {index}");
        }
    }

    #[test]
    fn entry_cut_anywhere_is_refused() {
        for length in 0..file().len() {
            assert_eq!(Entry::read(file()[..length].to_vec(), &ENGINE, &MODULE), None, "{length}");
        }
    }

    #[test]
    fn entry_of_another_module_or_engine_is_refused() {
        assert_eq!(Entry::read(file(), &ENGINE, &ENGINE), None);
        assert_eq!(Entry::read(file(), &MODULE, &MODULE), None);
    }
}
