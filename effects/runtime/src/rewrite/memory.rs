//! A memory of a fixed size, in which the module grows as before.
//!
//! Without signal handlers every access is checked, and where the memory's size is a constant the check is a
//! comparison. So the memory has from the start all that it may ever have; what is not used is never made by the
//! system. `memory.size` and `memory.grow` become calls of the host, which counts pages under the same limits. An
//! address beyond the pages that the module has, but below the limit, is no error of a live module: it is zero
//! memory of its own.

use super::Reserved;
use crate::sandbox::Mode;
use wasm_encoder::reencode::Error;
use wasm_encoder::{
    EntityType, ExportKind, ExportSection, ImportSection, Instruction, MemoryType, TypeSection,
    ValType,
};
use wasmparser::{Import, Operator, TypeRef};

/// Where the calls in place of `memory.size` and `memory.grow` are imported from, and their names.
pub(crate) const MODULE: &str = "wavemill";
pub(crate) const SIZE: &str = "memory_size";
pub(crate) const GROW: &str = "memory_grow";

/// What the name of an export begins with that says what the module declared: `fx_memory_pages=MIN,MAX`.
const EXPORT: &str = "fx_memory_pages=";

/// Whether modules are given one. Windows counts all of it as used from the start, so there the size stays open.
pub(crate) fn has_fixed_memory(mode: Mode) -> bool {
    mode == Mode::Live && !cfg!(windows)
}

/// Pages of 64 KiB that a module declared for its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Pages {
    /// Of a compiled module, where its memory has a fixed size.
    pub(crate) fn of(module: &wasmtime::Module, mode: Mode) -> Option<Self> {
        if !has_fixed_memory(mode) {
            return None;
        }
        let (min, max) = module
            .exports()
            .find_map(|export| export.name().strip_prefix(EXPORT)?.split_once(','))?;
        Some(Self { min: min.parse().ok()?, max: max.parse().ok()? })
    }

    /// An export of the module itself.
    pub(super) fn pass_export(name: &str) -> Result<(), Error<Reserved>> {
        if name.starts_with(EXPORT) { Err(Error::UserError(Reserved)) } else { Ok(()) }
    }
}

/// The memory of the module being rewritten.
pub(super) struct FixedMemory {
    size: u32,
    pages: Option<Pages>,
    /// Types of the module.
    type_count: u32,
    /// Functions that the module imports.
    import_count: u32,
}

/// Functions imported in addition.
const ADDED: u32 = 2;

impl FixedMemory {
    pub(super) fn new(size: u32) -> Self {
        Self { size, pages: None, type_count: 0, import_count: 0 }
    }

    /// The memory as it will be; one that needs more than there is, or is of another kind, stays for the checks.
    pub(super) fn fix(&mut self, memory: MemoryType) -> MemoryType {
        let size = u64::from(self.size);
        let is_plain = !memory.memory64 && !memory.shared && memory.page_size_log2.is_none();
        let max = memory.maximum.unwrap_or(size).min(size);
        let (Ok(min), Ok(max)) = (u32::try_from(memory.minimum), u32::try_from(max)) else {
            return memory;
        };
        if !is_plain || min > max || self.pages.is_some() {
            return memory;
        }
        self.pages = Some(Pages { min, max });
        MemoryType { minimum: size, maximum: Some(size), ..memory }
    }

    pub(super) fn instead_of<'a>(&self, operator: &Operator<'a>) -> Option<Instruction<'a>> {
        self.pages?;
        match operator {
            Operator::MemorySize { mem: 0 } => Some(Instruction::Call(self.import_count)),
            Operator::MemoryGrow { mem: 0 } => Some(Instruction::Call(self.import_count + 1)),
            _ => None,
        }
    }

    /// The number of a function behind the imported ones.
    pub(super) fn moved(&self, function: u32) -> u32 {
        if function < self.import_count { function } else { function.saturating_add(ADDED) }
    }

    pub(super) fn add_types(&mut self, types: &mut TypeSection) {
        self.type_count = types.len();
        types.ty().function([], [ValType::I32]);
        types.ty().function([ValType::I32], [ValType::I32]);
    }

    /// An import of the module itself.
    pub(super) fn pass_import(&mut self, import: &Import<'_>) -> Result<(), Error<Reserved>> {
        self.import_count += u32::from(matches!(import.ty, TypeRef::Func(_)));
        if import.module == MODULE { Err(Error::UserError(Reserved)) } else { Ok(()) }
    }

    pub(super) fn add_imports(&self, imports: &mut ImportSection) {
        imports.import(MODULE, SIZE, EntityType::Function(self.type_count));
        imports.import(MODULE, GROW, EntityType::Function(self.type_count + 1));
    }

    pub(super) fn add_export(&self, exports: &mut ExportSection) {
        if let Some(Pages { min, max }) = self.pages {
            exports.export(&format!("{EXPORT}{min},{max}"), ExportKind::Memory, 0);
        }
    }
}
