//! Damaged modules are refused or run; nothing else happens.

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

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
