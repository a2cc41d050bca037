//! Why a module is not loaded.

use crate::description::DescriptionError;
use thiserror::Error;

/// Why bytes are not a module that can be used.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the messages say")]
pub enum LoadError {
    /// More than [`limits::MODULE_BYTES_MAX`](crate::limits::MODULE_BYTES_MAX).
    #[error("the module has {bytes} bytes; at most {max} are allowed")]
    TooLarge { bytes: usize, max: usize },
    /// Other bytes.
    #[error("this is not a WebAssembly module: it does not begin with `\\0asm`")]
    NotWasm,
    /// The text format.
    #[error("this is WebAssembly text; assemble it to a .wasm file first")]
    Text,
    /// A component or a module of another binary version.
    #[error("this is a WebAssembly component; an effect is a core module (build without WIT)")]
    Component,
    /// Wasm that does not validate, or uses features that are off.
    #[error("the module is not valid: {reason}")]
    Invalid { reason: String },
    /// Compiling took more than its time.
    #[error("compiling the module took more than {limit_s} s; split its largest functions")]
    SlowCompile { limit_s: f64 },
    /// The compiler gave up.
    #[error("the module cannot be compiled: {reason}")]
    Compiler { reason: String },
    /// No marker of any version.
    #[error("the module exports no `fx_abi_1`, so it is not an effect (see effects/ABI.md)")]
    NoMarker,
    /// A version that this runtime does not know.
    #[error("the module follows `{marker}` only; this Wavemill knows `fx_abi_1`")]
    OtherVersion { marker: String },
    /// A memory from outside.
    #[error("the module imports its memory `{module}.{name}`; an effect exports its own `memory`")]
    ImportedMemory { module: String, name: String },
    /// An import that the contract does not know.
    #[error("the module imports `{module}.{name}`, which does not exist: {advice}")]
    UnknownImport { module: String, name: String, advice: &'static str },
    /// A known import of another type.
    #[error("the import `{module}.{name}` is {actual}; it must be {expected}")]
    WrongImport { module: String, name: String, expected: &'static str, actual: String },
    /// Something required is not there.
    #[error("the module does not export `{name}`: {expected}")]
    MissingExport { name: &'static str, expected: &'static str },
    /// An export of another type.
    #[error("the export `{name}` is {actual}; it must be {expected}")]
    WrongExport { name: &'static str, expected: &'static str, actual: String },
    /// The memory it begins with is beyond what it may have.
    #[error("the module needs {mib} MiB of memory; it may have {max_mib} (`max_memory_mib`)")]
    MemoryTooLarge { mib: u64, max_mib: u32 },
    /// A pipeline asks for memory that no effect gets.
    #[error("an effect may have 1 to {max} MiB of memory, not {given}")]
    MemoryOutOfRange { given: u32, max: u32 },
    /// Several tables.
    #[error("the module has {count} tables; one is allowed")]
    SeveralTables { count: u32 },
    /// A table beyond the limit.
    #[error("the module's table has {elements} elements; at most {max} are allowed")]
    TableTooLarge { elements: u64, max: usize },
    /// It failed before it could describe itself.
    #[error("the module failed: {reason}{}", said.as_ref().map_or(String::new(), |said| format!("; it said: {said}")))]
    Failed { reason: String, said: Option<String> },
    /// Its description is not as it must be.
    #[error("the description of the module is wrong: {0}")]
    Description(#[from] DescriptionError),
}
