//! What an instance may take of the host's memory.

use crate::limits;
use crate::rewrite::Pages;
use wasmtime::ResourceLimiter;

/// Refuses memory and tables beyond the limits, and any growth after the setup.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    /// Where the memory has a fixed size: the pages that the module has and may have.
    fixed: Option<Pages>,
    /// Whether `fx_create` has returned.
    is_sealed: bool,
    /// Whether growth was refused after `fx_create`.
    refused_growth: bool,
}

impl Limiter {
    pub(crate) fn new(memory_mib: u32, fixed: Option<Pages>) -> Self {
        Self {
            memory_bytes_max: (memory_mib as usize) << 20,
            fixed,
            is_sealed: false,
            refused_growth: false,
        }
    }

    /// Pages of a memory of a fixed size that the module has.
    pub(crate) fn pages(&self) -> Option<u32> {
        self.fixed.map(|pages| pages.min)
    }

    /// `memory.grow` in a memory of a fixed size: the pages before, or -1.
    pub(crate) fn grow(&mut self, pages: u32) -> i32 {
        const REFUSED: i32 = -1;
        let Some(Pages { min: before, max }) = self.fixed else { return REFUSED };
        let after = before.saturating_add(pages);
        if pages > 0 && !(self.may_grow_to(bytes(after)) && after <= max) {
            return REFUSED;
        }
        self.fixed = Some(Pages { min: after, max });
        before.cast_signed()
    }

    fn may_grow_to(&mut self, bytes: usize) -> bool {
        self.refused_growth |= self.is_sealed;
        !self.is_sealed && bytes <= self.memory_bytes_max
    }

    /// From here on nothing grows.
    pub(crate) fn seal(&mut self) {
        self.is_sealed = true;
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// Whether the module asked for memory after `fx_create`.
    pub(crate) fn refused_growth(&self) -> bool {
        self.refused_growth
    }
}

/// Bytes of pages.
pub(crate) fn bytes(pages: u32) -> usize {
    (pages as usize) << 16
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // One of a fixed size is as large as the sandbox reserves; what of it the module has is counted by `grow`.
        Ok(self.fixed.is_some() || self.may_grow_to(desired))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(!self.is_sealed && desired <= limits::TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}
