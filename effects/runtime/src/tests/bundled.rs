//! The effects that come with Wavemill keep to the contract as strangers' do.

use super::fixtures::{run, sandbox};
use crate::bundled::MODULES;
use crate::{Settings, limits};
use wavemill_core::audio::StreamSpec;
use wavemill_core::processor::Processor as _;

#[test]
fn bundled_effects_do_not_depend_on_blocks_and_reset_to_fresh() {
    // A burst and what follows it.
    let sample = |index: usize| match index {
        0..4000 => ((index * 7919) % 2003) as f32 / 1001.5 - 1.0,
        _ => 0.0,
    };
    let plane: Vec<f32> = (0..12_000).map(sample).collect();
    let input = [plane.clone(), plane.iter().map(|sample| 0.5 - sample).collect()];
    let sandbox = sandbox();
    for bundled in MODULES {
        let module = sandbox.load(bundled.bytes, limits::MEMORY_MIB).unwrap();
        let settings = Settings::defaults(module.description());
        let spec = StreamSpec::new(48_000, 2);
        let mut effect = module.instantiate(&spec, &settings, 4096).unwrap();
        let whole = run(&mut effect, &input, &[4096]);
        effect.reset();
        assert!(run(&mut effect, &input, &[1, 7, 64, 333, 1024]) == whole, "{}", bundled.name);
        assert!(!effect.asked_for_memory(), "{}", bundled.name);
        let mut small = module.instantiate(&spec, &settings, 64).unwrap();
        assert!(run(&mut small, &input, &[500]) == whole, "{}", bundled.name);
    }
}
