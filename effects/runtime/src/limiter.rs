//! What an instance may take of the host's memory.

use crate::limits;
use wasmtime::ResourceLimiter;

/// Refuses memory and tables beyond the limits, and any growth after the setup.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    /// Whether `fx_create` has returned.
    is_sealed: bool,
    /// Whether growth was refused after `fx_create`.
    refused_growth: bool,
}

impl Limiter {
    pub(crate) fn new(memory_mib: u32) -> Self {
        Self {
            memory_bytes_max: (memory_mib as usize) << 20,
            is_sealed: false,
            refused_growth: false,
        }
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

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.refused_growth |= self.is_sealed;
        Ok(!self.is_sealed && desired <= self.memory_bytes_max)
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
