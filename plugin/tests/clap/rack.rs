//! The rack in a CLAP host.

use crate::chain::{EIGHT, Step, assert_same_bits, blocks, noise, run, state};
use crate::host::{Host, Running, STEREO, Stream, entry, load, rack, save};
use crate::window::{Embedded, color_count, is_inside, music, skip_graphics};
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;
use std::io::Cursor;

/// A state as CLAP has it: its length comes first.
fn stored(text: &[u8]) -> Vec<u8> {
    [&u64::try_from(text.len()).unwrap().to_le_bytes()[..], text].concat()
}

fn with(steps: &[Step<'_>]) -> PluginInstance<Host> {
    let mut instance = rack();
    assert!(load(&mut instance, &stored(state(steps).to_string().as_bytes())));
    instance
}

/// Plays the signal in blocks of many sizes.
fn play(running: &mut Running, signal: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut output = vec![Vec::new(); signal.len()];
    for range in blocks(signal[0].len()) {
        let planes: Vec<&[f32]> = signal.iter().map(|plane| &plane[range.clone()]).collect();
        running.process(&planes, None);
        for (output, plane) in output.iter_mut().zip(running.output()) {
            output.extend_from_slice(plane);
        }
    }
    output
}

#[test]
fn library_has_both_plugins() {
    let entry = entry();
    let factory = entry.get_plugin_factory().unwrap();
    let ids: Vec<_> =
        factory.plugin_descriptors().map(|one| one.id().unwrap().to_owned()).collect();
    assert_eq!(ids, [c"org.wavemill.wavemill".to_owned(), c"org.wavemill.rack".to_owned()]);
}

#[test]
fn empty_rack_passes_every_bit() {
    let signal = noise(2, 10_000);
    let mut running = Running::with(rack(), STEREO);
    assert_same_bits(&play(&mut running, &signal), &signal, "empty");
    running.stop();
}

#[test]
fn chain_of_eight_is_that_of_a_run_live_and_offline() {
    for (rate_hz, sample_rate_hz) in [(44_100, 44_100.0), (48_000, 48_000.0), (192_000, 192_000.0)]
    {
        let signal = noise(2, 20_000);
        let expected = run(&EIGHT, rate_hz, &signal);
        for is_offline in [false, true] {
            let stream = Stream { sample_rate_hz, is_offline, ..STEREO };
            let mut running = Running::with(with(&EIGHT), stream);
            let played = play(&mut running, &signal);
            assert_same_bits(&played, &expected, &format!("{rate_hz} Hz, offline {is_offline}"));
            running.reset();
            let again = play(&mut running, &signal);
            assert_same_bits(&again, &expected, "after a reset");
            running.stop();
        }
    }
}

#[test]
fn every_effect_in_mono_and_surround_is_that_of_a_run() {
    let modules = wavemill_runtime::bundled::MODULES.iter().map(|module| module.name);
    for name in modules {
        for channel_count in [1, 6] {
            let module = wavemill_pipelines::Effects::new(None).load(name).unwrap();
            if module.suits(&wavemill_core::audio::StreamSpec::new(48_000, channel_count)).is_err()
            {
                continue;
            }
            let signal = noise(channel_count, 6_000);
            let steps: [Step<'_>; 1] = [(name, &[])];
            let mut running = Running::with(with(&steps), Stream { channel_count, ..STEREO });
            let played = play(&mut running, &signal);
            assert_same_bits(&played, &run(&steps, 48_000, &signal), name);
            running.stop();
        }
    }
}

/// Names and flags of the parameters that a host shows.
fn shown(instance: &mut PluginInstance<Host>) -> Vec<String> {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = ParamInfoBuffer::new();
    let count = params.count(&handle);
    assert_eq!(count, 1 + 8 * 131);
    let infos = (0..count).filter_map(|index| {
        let info = params.get_info(&handle, index, &mut buffer)?;
        let is_shown = !info.flags.contains(ParamInfoFlags::IS_HIDDEN);
        is_shown.then(|| String::from_utf8_lossy(info.name).into_owned())
    });
    infos.collect()
}

#[test]
fn parameters_are_called_as_the_effects_call_them() {
    let mut instance = with(&[("gain", &[]), ("compressor", &[])]);
    let running = Running::with(instance, STEREO);
    instance = running.stop();
    let names = shown(&mut instance);
    for name in ["Bypass", "Slot 1 bypass", "Slot 8 wet", "1 Gain", "2 Threshold"] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let id = crate::host::param(&mut instance, "1 Gain");
    let handle = instance.plugin_handle();
    let mut text = [0; 64];
    let text = params.value_to_text(&handle, id, 0.5, &mut text).unwrap();
    assert_eq!(text, b"0 dB");
    assert_eq!(params.text_to_value(&handle, id, c"-48 dB"), Some(0.25));
}

#[test]
fn parameter_changes_at_its_frame() {
    let mut running = Running::with(with(&[("stereo-width", &[])]), STEREO);
    let module = wavemill_pipelines::Effects::new(None).load("stereo-width").unwrap();
    let params = &module.description().params;
    let side = params.iter().find(|param| param.key == "side_db").unwrap();
    let name = format!("1 {}", side.name);
    let signal = noise(2, 4096);
    running.set_at(1000, &name, 0.0);
    running.process(&signal, None);
    let output = running.output();
    assert_eq!(output[0][..1000], signal[0][..1000]);
    assert_ne!(output[0][1000..1100], signal[0][1000..1100]);
    running.stop();
}

#[test]
fn state_comes_back_with_every_digit() {
    let mut instance = with(&EIGHT);
    let running = Running::with(instance, STEREO);
    instance = running.stop();
    let saved = save(&mut instance);
    let text = String::from_utf8_lossy(&saved);
    assert!(text.contains("-27.123456789"), "{text}");
    let mut other = rack();
    assert!(load(&mut other, &saved));
    let signal = noise(2, 8_000);
    let mut running = Running::with(other, STEREO);
    assert_same_bits(&play(&mut running, &signal), &run(&EIGHT, 48_000, &signal), "loaded");
    running.stop();
}

#[test]
fn nonsense_in_a_state_is_an_empty_or_a_dry_slot() {
    let signal = noise(2, 2_000);
    let good = state(&EIGHT).to_string();
    for seed in 0..300u64 {
        let mut bytes = good.clone().into_bytes();
        let mut random = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for _ in 0..=(seed % 7) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(random >> 33).unwrap() % bytes.len();
            bytes[at] = u8::try_from(random >> 24 & 0x7f).unwrap();
        }
        let mut instance = rack();
        let handle = instance.plugin_handle();
        let plugin_state = handle.get_extension::<clack_extensions::state::PluginState>().unwrap();
        let _ = plugin_state.load(&handle, &mut Cursor::new(stored(&bytes)));
        let mut running = Running::with(instance, STEREO);
        let output = play(&mut running, &signal);
        assert!(output.iter().flatten().all(|sample| sample.is_finite()), "seed {seed}");
        running.stop();
    }
}

/// A rack with a few effects in its window; the picture is looked at where pictures are kept.
#[test]
fn window_shows_slots_and_controls() {
    if !is_inside("rack::window_shows_slots_and_controls") {
        return;
    }
    let steps: &[Step<'_>] = &[
        ("high-pass", &[("cutoff_hz", 31.7)]),
        ("compressor", &[("threshold_db", -24.0), ("lookahead_ms", 3.0)]),
        ("parametric-eq", &[("band_1_gain_db", 3.3)]),
        ("/nowhere/mine.wasm", &[]),
        ("limit", &[]),
    ];
    for (name, size) in [("rack", (960, 600)), ("rack-small", (600, 400))] {
        let mut value = state(steps);
        value["fields"]["view"] =
            serde_json::json!({ "window": size, "zoom": 1.0 }).to_string().into();
        let mut instance = rack();
        assert!(load(&mut instance, &stored(value.to_string().as_bytes())));
        let Some(mut editor) = Embedded::open(Running::with(instance, STEREO), size) else {
            skip_graphics();
            return;
        };
        editor.wait_for_a_picture();
        editor.click(60, 115);
        editor.play(2.0, music());
        editor.keep(name);
        assert!(color_count(&editor.picture()) > 20);
        editor.close();
    }
}
