//! The effects that come with Wavemill.

/// A module that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Its name in pipelines.
    pub name: &'static str,
    /// The `.wasm` file.
    pub bytes: &'static [u8],
    /// SHA-256 of the bytes as 64 hexadecimal digits.
    pub sha256: &'static str,
}

/// All of them, by name. Adding one: its file in `effects/bundled/` and a line here.
pub const MODULES: &[Bundled] = &[];

/// The bundled effect of a name.
pub fn bundled(name: &str) -> Option<&'static Bundled> {
    MODULES.iter().find(|module| module.name == name)
}
