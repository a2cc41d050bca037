//! The rack in a VST3 host.

use crate::chain::{EIGHT, assert_is_run, blocks, noise, run, state};
use crate::component::{Component, Mode, RACK};
use nice_plug::wrapper::vst3::vst3::Steinberg::kResultOk;

#[test]
fn vst3_chain_of_eight_is_that_of_a_run_live_and_offline() {
    let signal = noise(2, 20_000);
    let expected = run(&EIGHT, 48_000, &signal);
    for mode in [Mode::RealTime, Mode::Offline] {
        let component = Component::of(RACK);
        component.load(&state(&EIGHT));
        component.restart(mode);
        let mut played = vec![Vec::new(); 2];
        for range in blocks(signal[0].len()) {
            let input: Vec<Vec<f32>> =
                signal.iter().map(|plane| plane[range.clone()].to_vec()).collect();
            let (output, result) = component.process(&input, 2, mode);
            assert_eq!(result, kResultOk);
            for (played, plane) in played.iter_mut().zip(output) {
                played.extend(plane);
            }
        }
        assert_is_run((&played, component.latency()), &expected, &format!("{mode:?}"));
    }
}
