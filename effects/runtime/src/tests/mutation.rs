//! Damaged modules, and modules that say anything, are refused or run; nothing else happens.
//!
//! `PROPTEST_CASES=100000 cargo test --package wavemill-runtime mutation` makes a fuzzer of these.

use super::fixtures::{Source, half, short};
use crate::budgets::Budgets;
use crate::sandbox::{Mode, Sandbox};
use crate::{Settings, limits};
use proptest::prelude::*;
use std::sync::LazyLock;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};

/// A damaged loop is often endless: such calls end after a few ticks.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let budgets = Budgets { describe: 3, create: 3, call: 3, ..short() };
    Sandbox::with_budgets(Mode::File, None, budgets).unwrap()
});

/// Loads, describes, instantiates and runs; what went wrong on the way.
fn fate(wasm: &[u8]) -> Option<String> {
    let module = match SANDBOX.load(wasm, limits::MEMORY_MIB) {
        Ok(module) => module,
        Err(error) => return Some(error.to_string()),
    };
    let settings = Settings::defaults(module.description());
    let mut effect = match module.instantiate(&StreamSpec::new(48_000, 2), &settings, 64) {
        Ok(effect) => effect,
        Err(error) => return Some(error.to_string()),
    };
    let mut block = Block::from_planes(&[[0.5; 64], [-0.5; 64]]);
    for _ in 0..2 {
        if effect.process(&mut block) == Status::Failed {
            return effect.failure();
        }
    }
    effect.reset();
    block.planes().flatten().any(|sample| !sample.is_finite()).then(|| "a NaN came out".into())
}

#[test]
fn undamaged_modules_run() {
    assert_eq!(fate(&half()), None);
    assert_eq!(fate(&Source::new().wasm()), None);
}

/// Numbers a module may return, many of them at an edge of something.
fn number() -> impl Strategy<Value = i32> {
    let edges = vec![-1, 0, 1, 2, 3, 16, 65_536, 327_680, 33 * 65_536 - 256, 33 * 65_536, i32::MIN];
    prop_oneof![any::<i32>(), 0..33 * 65_536_i32, prop::sample::select(edges)]
}

/// An export that ignores its parameters and returns a number.
fn constant(name: &str, params: &str, value: i32) -> String {
    format!("(func (export {name:?}) {params} (result i32) (i32.const {value}))")
}

proptest! {
    #[test]
    fn modules_that_say_anything_are_contained(
        numbers in prop::collection::vec(prop::option::weighted(0.3, number()), 8),
        json in prop::option::weighted(0.2, ".{0,60}"),
    ) {
        let exports = [
            ("fx_describe", ""), ("fx_create", "(param f64 i32 i32)"), ("fx_in", "(param i32)"),
            ("fx_out", "(param i32)"), ("fx_process", "(param i32)"), ("fx_latency", ""),
            ("fx_tail", ""), ("fx_error", ""),
        ];
        let mut source = Source::new();
        for ((name, params), value) in exports.iter().zip(numbers) {
            if let Some(value) = value {
                source = source.part(name, &constant(name, params, value));
            }
        }
        let source = match json {
            Some(json) => source.json(&json),
            None => source,
        };
        if let Some(fate) = fate(&source.wasm()) {
            prop_assert!(!fate.contains('\n') && fate != "a NaN came out", "{fate}");
        }
    }

    #[test]
    fn damaged_modules_are_contained(
        which in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut wasm = if which { half() } else { Source::new().wasm() };
        for (index, byte) in damage {
            // The first eight bytes say that it is a module.
            let at = 8 + index.index(wasm.len() - 8);
            wasm[at] = byte;
        }
        if let Some(cut) = cut {
            wasm.truncate(8 + cut.index(wasm.len() - 8));
        }
        if let Some(fate) = fate(&wasm) {
            prop_assert!(!fate.contains('\n') && fate != "a NaN came out", "{fate}");
        }
    }
}
