//! The names and types of the contract, and whether a module has them.

use crate::description::Description;
use crate::limits;
use crate::load::LoadError;
use crate::rewrite::{MEMORY_MODULE, Pages};
use std::fmt::Write as _;
use wasmtime::{ExternType, FuncType, ValType};

/// Name of the marker of the version that this runtime knows.
const MARKER: &str = "fx_abi_1";

/// What markers begin with.
const MARKER_PREFIX: &str = "fx_abi_";

/// A function of the contract.
struct Function {
    name: &'static str,
    /// As in `effects/ABI.md`.
    signature: &'static str,
    is_required: bool,
}

const fn required(name: &'static str, signature: &'static str) -> Function {
    Function { name, signature, is_required: true }
}

const fn optional(name: &'static str, signature: &'static str) -> Function {
    Function { name, signature, is_required: false }
}

/// Functions a module exports.
const EXPORTS: &[Function] = &[
    required(MARKER, "() -> ()"),
    required("fx_describe", "() -> i32"),
    required("fx_create", "(f64, i32, i32) -> i32"),
    required("fx_in", "(i32) -> i32"),
    required("fx_out", "(i32) -> i32"),
    required("fx_process", "(i32) -> i32"),
    optional("fx_set_param", "(i32, f64) -> ()"),
    optional("fx_reset", "() -> ()"),
    optional("fx_latency", "() -> i32"),
    optional("fx_tail", "() -> i32"),
    optional("fx_error", "() -> i32"),
    optional("fx_meter", METER.signature),
    optional("_initialize", "() -> ()"),
];

/// Functions a module may import: module, name, signature.
const IMPORTS: &[(&str, &str, &str)] =
    &[("fx", "log", "(i32, i32, i32) -> ()"), ("env", "abort", "(i32, i32, i32, i32) -> ()")];

/// Exported by modules with parameters.
const SET_PARAM: Function = required("fx_set_param", "(i32, f64) -> ()");

/// Exported by modules with meters.
const METER: Function = required("fx_meter", "(i32) -> f32");

/// Whether the module keeps to the contract as far as can be seen without running it.
/// `pages` are those of a module whose memory has a fixed size.
pub(crate) fn verify(
    module: &wasmtime::Module,
    memory_mib: u32,
    pages: Option<Pages>,
) -> Result<(), LoadError> {
    verify_marker(module)?;
    let is_ours = |from: &str| pages.is_some() && from == MEMORY_MODULE;
    for import in module.imports().filter(|import| !is_ours(import.module())) {
        verify_import(import.module(), import.name(), &import.ty())?;
    }
    for function in EXPORTS {
        verify_function(module, function)?;
    }
    verify_memory(module, memory_mib, pages)?;
    verify_tables(module)
}

/// Whether a module has the functions that its description speaks of.
pub(crate) fn verify_described(
    module: &wasmtime::Module,
    description: &Description,
) -> Result<(), LoadError> {
    if !description.params.is_empty() {
        verify_function(module, &SET_PARAM)?;
    }
    if description.meters.is_empty() { Ok(()) } else { verify_function(module, &METER) }
}

fn verify_marker(module: &wasmtime::Module) -> Result<(), LoadError> {
    if module.get_export(MARKER).is_some() {
        return Ok(());
    }
    let other = module.exports().find(|export| export.name().starts_with(MARKER_PREFIX));
    Err(other.map_or(LoadError::NoMarker, |export| LoadError::OtherVersion {
        marker: export.name().chars().filter(|c| !c.is_control()).take(32).collect(),
    }))
}

fn verify_import(module: &str, name: &str, kind: &ExternType) -> Result<(), LoadError> {
    if matches!(kind, ExternType::Memory(_)) {
        return Err(LoadError::ImportedMemory { module: shown(module), name: shown(name) });
    }
    let known = IMPORTS.iter().find(|(from, known, _)| *from == module && *known == name);
    let Some((_, _, expected)) = known else {
        return Err(LoadError::UnknownImport {
            module: shown(module),
            name: shown(name),
            advice: advice(module),
        });
    };
    let actual = written(kind);
    if actual == *expected {
        return Ok(());
    }
    Err(LoadError::WrongImport { module: shown(module), name: shown(name), expected, actual })
}

/// What to do about an import that is not known.
fn advice(module: &str) -> &'static str {
    if module.starts_with("wasi") {
        "build for `wasm32-unknown-unknown` or with `-nostdlib`: an effect has no operating system"
    } else {
        "an effect may import only `fx.log` and `env.abort`"
    }
}

fn verify_function(module: &wasmtime::Module, function: &Function) -> Result<(), LoadError> {
    let Function { name, signature: expected, is_required } = *function;
    let Some(kind) = module.get_export(name) else {
        let missing = LoadError::MissingExport { name, expected };
        return if is_required { Err(missing) } else { Ok(()) };
    };
    let actual = written(&kind);
    if actual == expected {
        return Ok(());
    }
    Err(LoadError::WrongExport { name, expected, actual })
}

fn verify_memory(
    module: &wasmtime::Module,
    memory_mib: u32,
    pages: Option<Pages>,
) -> Result<(), LoadError> {
    let Some(kind) = module.get_export("memory") else {
        return Err(LoadError::MissingExport { name: "memory", expected: "a memory" });
    };
    let ExternType::Memory(memory) = kind else {
        let actual = written(&kind);
        return Err(LoadError::WrongExport { name: "memory", expected: "a memory", actual });
    };
    if memory.is_shared() || memory.is_64() {
        let actual = if memory.is_64() { "a 64-bit memory" } else { "a shared memory" };
        return Err(LoadError::WrongExport {
            name: "memory",
            expected: "a 32-bit memory that is not shared",
            actual: actual.into(),
        });
    }
    let least = pages.map_or(memory.minimum(), |pages| u64::from(pages.min));
    let bytes = least.saturating_mul(memory.page_size());
    if bytes > u64::from(memory_mib) << 20 {
        let mib = bytes.div_ceil(1 << 20);
        return Err(LoadError::MemoryTooLarge { mib, max_mib: memory_mib });
    }
    Ok(())
}

fn verify_tables(module: &wasmtime::Module) -> Result<(), LoadError> {
    let required = module.resources_required();
    if required.num_tables > 1 {
        return Err(LoadError::SeveralTables { count: required.num_tables });
    }
    let elements = required.max_initial_table_size.unwrap_or(0);
    if elements > limits::TABLE_ELEMENTS_MAX as u64 {
        return Err(LoadError::TableTooLarge { elements, max: limits::TABLE_ELEMENTS_MAX });
    }
    Ok(())
}

/// A name of the module's as it can be shown in one line.
fn shown(name: &str) -> String {
    name.chars().take(64).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A type as `effects/ABI.md` writes it.
fn written(kind: &ExternType) -> String {
    match kind {
        ExternType::Func(function) => signature(function),
        ExternType::Memory(_) => "a memory".into(),
        ExternType::Table(_) => "a table".into(),
        ExternType::Global(_) => "a global".into(),
        ExternType::Tag(_) => "a tag".into(),
    }
}

/// A type of a function as `effects/ABI.md` writes it.
fn signature(function: &FuncType) -> String {
    /// More are cut: a signature of a thousand parameters is surely wrong, and errors are one line.
    const SHOWN_MAX: usize = 8;
    let list = |types: &mut dyn ExactSizeIterator<Item = ValType>| {
        let count = types.len();
        let mut text = String::new();
        for (index, kind) in types.take(SHOWN_MAX).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{kind}");
        }
        if count > SHOWN_MAX { text + ", ..." } else { text }
    };
    let params = list(&mut function.params());
    let results = list(&mut function.results());
    match function.results().len() {
        1 => format!("({params}) -> {results}"),
        _ => format!("({params}) -> ({results})"),
    }
}
