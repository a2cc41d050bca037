//! What is changed in a module before it is compiled: its code gets faster, and what it computes stays the same.
//!
//! Short loops are unrolled ([`unroll`]). A live module's memory gets a fixed size ([`memory`]).
//! `effects/decisions/0007-modules-are-rewritten.md` says what that brings.

mod memory;
#[cfg(test)]
mod tests;
mod unroll;

pub(crate) use memory::{GROW, MODULE as MEMORY_MODULE, Pages, SIZE, has_fixed_memory};

use memory::FixedMemory;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportSection, ImportSection, Instruction, MemoryType, Module, SectionId,
    TypeSection,
};
use wasmparser::{
    CustomSectionReader, Export, ExportSectionReader, FunctionBody, ImportSectionReader, Imports,
    MemoryType as ParsedMemory, Operator, Parser, TypeSectionReader,
};

/// Changes with what is done here: code that was compiled before is compiled anew.
pub(crate) const VERSION: u32 = 1;

/// Instructions that unrolling may add to a module: compiling them takes about a second.
const ADDED_INSTRUCTIONS_MAX: usize = 500_000;

/// Larger functions are left as they are, for they would take too much memory.
const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// A module that uses names which are ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reserved;

/// The module as it is compiled; as it is where it is not valid, so that the compiler says why. With `memory_pages` its
/// memory has as many pages of 64 KiB, in which it grows.
///
/// # Errors
/// When a module with such a memory uses names that are reserved for that.
pub(crate) fn rewritten(bytes: &[u8], memory_pages: Option<u32>) -> Result<Vec<u8>, Reserved> {
    let memory = memory_pages.map(FixedMemory::new);
    let mut rewriter = Rewriter { memory, room: ADDED_INSTRUCTIONS_MAX };
    let mut module = Module::new();
    match rewriter.parse_core_module(&mut module, Parser::new(0), bytes) {
        Ok(()) => Ok(module.finish()),
        Err(Error::UserError(reserved)) => Err(reserved),
        Err(_) => Ok(bytes.to_vec()),
    }
}

struct Rewriter {
    /// In a live sandbox.
    memory: Option<FixedMemory>,
    /// Instructions that may still be added.
    room: usize,
}

type Rewritten = Result<(), Error<Reserved>>;

impl Reencode for Rewriter {
    type Error = Reserved;

    /// Names and hints, some of which count bytes of code.
    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Rewritten {
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Rewritten {
        if body.range().len() > FUNCTION_BYTES_MAX {
            return utils::parse_function_body(self, code, body);
        }
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        let mut instructions = Vec::new();
        while !reader.eof() {
            instructions.push(self.parse_instruction(&mut reader)?);
        }
        for instruction in unroll::unrolled(&instructions, &mut self.room) {
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }

    fn memory_type(&mut self, memory: ParsedMemory) -> Result<MemoryType, Error<Reserved>> {
        let kind = utils::memory_type(self, memory);
        Ok(self.memory.as_mut().map_or(kind, |fixed| fixed.fix(kind)))
    }

    fn instruction<'a>(
        &mut self,
        operator: Operator<'a>,
    ) -> Result<Instruction<'a>, Error<Reserved>> {
        let instead = self.memory.as_ref().and_then(|memory| memory.instead_of(&operator));
        instead.map_or_else(|| utils::instruction(self, operator), Ok)
    }

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Reserved>> {
        Ok(self.memory.as_ref().map_or(index, |memory| memory.moved(index)))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_type_section(self, types, section)?;
        if let Some(memory) = &mut self.memory {
            memory.add_types(types);
        }
        Ok(())
    }

    fn parse_imports(&mut self, section: &mut ImportSection, imports: Imports<'_>) -> Rewritten {
        if let (Some(memory), Imports::Single(_, import)) = (&mut self.memory, &imports) {
            memory.pass_import(import)?;
        }
        utils::parse_imports(self, section, imports)
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Rewritten {
        utils::parse_import_section(self, imports, section)?;
        if let Some(memory) = &self.memory {
            memory.add_imports(imports);
        }
        Ok(())
    }

    /// Adds the section of imports where there is none.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Rewritten {
        if let Some(memory) = &self.memory
            && after == Some(SectionId::Type)
            && before != Some(SectionId::Import)
        {
            let mut imports = ImportSection::new();
            memory.add_imports(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Rewritten {
        if let Some(memory) = &self.memory {
            memory.add_export(exports);
        }
        utils::parse_export_section(self, exports, section)
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Rewritten {
        if self.memory.is_some() {
            Pages::pass_export(export.name)?;
        }
        utils::parse_export(self, exports, export)
    }
}
