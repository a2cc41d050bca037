//! How modules are compiled and what they may use.

use crate::limits;
use crate::sandbox::Mode;
use wasmtime::{Config, Engine, OptLevel, Strategy, WasmFeatures};

/// What effects may use beyond the first version of WebAssembly.
const FEATURES_ON: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::SIMD);

/// What the engine would allow and the contract does not. NaN bits and relaxed SIMD differ between
/// machines, growing by 64 bits costs bounds checks, and the rest is of no use to an effect.
const FEATURES_OFF: WasmFeatures = WasmFeatures::RELAXED_SIMD
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::EXTENDED_CONST);

/// The engine of a mode, for modules of at most so much memory; `effects/decisions/0002-the-sandbox.md` says why
/// so.
pub(crate) fn engine(mode: Mode, memory_mib: u32) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(false)
        .epoch_interruption(true)
        .consume_fuel(matches!(mode, Mode::Metered))
        // A DAW's process has signal handlers of its own.
        .signals_based_traps(mode != Mode::Live)
        .max_wasm_stack(limits::STACK_BYTES_MAX)
        // Collecting one costs allocations in the moment of a trap, and no user reads it.
        .wasm_backtrace_max_frames(None)
        .wasm_features(FEATURES_ON, true)
        .wasm_features(FEATURES_OFF, false);
    if mode == Mode::Live {
        // Without signals every access is checked, whatever surrounds the memory; what does not move is checked
        // faster. Nothing is reserved that no instance may use.
        config
            .memory_reservation(u64::from(memory_mib) << 20)
            .memory_may_move(false)
            .memory_guard_size(0)
            .guard_before_linear_memory(false);
    }
    Engine::new(&config)
}

/// Prepares the calling thread for calls of modules: the engine allocates once a thread, with its first call or here.
/// Not real-time the first time, and nothing afterwards.
pub fn prepare_thread() {
    Engine::tls_eager_initialize();
}
