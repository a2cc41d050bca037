//! The rack in a CLAP host.

use crate::chain::{EIGHT, Step, assert_is_run, assert_same_bits, blocks, noise, run, state};
use crate::host::{
    Host, LATENCY_CHANGES, Running, STEREO, Stream, entry, load, rack, save, set_inactive, value,
};
use crate::window::{Embedded, color_count, is_inside, music, skip_graphics};
use base64::Engine as _;
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
pub(crate) fn play(running: &mut Running, signal: &[Vec<f32>]) -> Vec<Vec<f32>> {
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

/// Frames by which it is late, as the host knows.
pub(crate) fn latency(running: &mut Running) -> usize {
    let handle = running.instance.plugin_handle();
    let latency = handle.get_extension::<PluginLatency>().unwrap().get(&handle);
    usize::try_from(latency).unwrap()
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
fn denormal_samples_become_zeros() {
    let mut running = Running::with(rack(), STEREO);
    running.process(&[[-1.0e-38f32; 64], [1.0e-40; 64]], None);
    assert!(running.output().iter().flatten().all(|sample| *sample == 0.0));
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
            let late = latency(&mut running);
            assert!(late > 1000, "{late}");
            let what = format!("{rate_hz} Hz, offline {is_offline}");
            assert_is_run((&played, late), &expected, &what);
            running.reset();
            let again = play(&mut running, &signal);
            assert_is_run((&again, late), &expected, "after a reset");
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
            let late = latency(&mut running);
            assert_is_run((&played, late), &run(&steps, 48_000, &signal), name);
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
    assert_eq!(count, 2 + 8 * 131);
    let infos = (0..count).filter_map(|index| {
        let info = params.get_info(&handle, index, &mut buffer)?;
        let is_shown = !info.flags.contains(ParamInfoFlags::IS_HIDDEN);
        is_shown.then(|| String::from_utf8_lossy(info.name).into_owned())
    });
    infos.collect()
}

#[test]
fn value_that_a_host_sets_while_nothing_plays_is_saved() {
    let mut instance = Running::with(with(&[("gain", &[])]), STEREO).stop();
    set_inactive(&mut instance, "1 Gain", 0.25);
    let state = save(&mut instance);
    let mut other = rack();
    assert!(load(&mut other, &state));
    let mut other = Running::with(other, STEREO).stop();
    assert!((value(&mut other, "1 Gain") - 0.25).abs() < 1e-6);
    assert_eq!(save(&mut other), state, "what is saved again is the same");
}

/// Source: CLAP 1.2, `ext/latency.h`: only while the plugin is activated.
#[test]
fn latency_that_changes_before_the_plugin_is_deactivated_is_reported_when_it_is_activated() {
    let mut running = Running::with(with(&[("compressor", &[])]), STEREO);
    running.set("1 Look-ahead", 1.0);
    let is_over = AtomicBool::new(false);
    let Running { instance, audio } = &mut running;
    // The framework does at once what the main thread asks for.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The engine prepares each thread once, which allocates.
            audio.processor.reset();
            while !is_over.load(Ordering::Relaxed) {
                audio.process(&[[0.0f32; 64], [0.0; 64]], None);
            }
        });
        let begin = Instant::now();
        let handle = instance.plugin_handle();
        let latency = handle.get_extension::<PluginLatency>().unwrap();
        while latency.get(&handle) == 0 && begin.elapsed() < Duration::from_mins(1) {
            std::thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(latency(&mut running) > 0, "the new instance does not come");
    let before = LATENCY_CHANGES.get();
    let mut instance = running.stop();
    instance.call_on_main_thread_callback();
    assert_eq!(LATENCY_CHANGES.get(), before);
    let running = Running::with(instance, STEREO);
    assert!(LATENCY_CHANGES.get() > before);
    running.stop();
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
fn modulation_is_heard_from_its_frame_and_leaves_the_value() {
    let mut running = Running::with(with(&[("stereo-width", &[])]), STEREO);
    let module = wavemill_pipelines::Effects::new(None).load("stereo-width").unwrap();
    let params = &module.description().params;
    let side = params.iter().find(|param| param.key == "side_db").unwrap();
    let name = format!("1 {}", side.name);
    let id = crate::host::param(&mut running.instance, &name);
    let signal = noise(2, 4096);
    running.audio.modulate(2000, id, -0.3);
    running.process(&signal, None);
    let output = running.output();
    assert_eq!(output[0][..2000], signal[0][..2000]);
    assert_ne!(output[0][2000..2100], signal[0][2000..2100]);
    let saved = save(&mut running.stop());
    let own = format!("\\\"side_db\\\":{:?}", side.default);
    let text = String::from_utf8_lossy(&saved).into_owned();
    assert!(text.contains(&own), "{own}: {text}");
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
    let played = play(&mut running, &signal);
    let late = latency(&mut running);
    assert_is_run((&played, late), &run(&EIGHT, 48_000, &signal), "loaded");
    running.stop();
}

/// As hosts do: Ardour and pedalboard load a state after they activated.
#[test]
fn state_that_is_loaded_while_it_plays_is_heard() {
    let gain =
        |gain_db: f64| stored(state(&[("gain", &[("gain_db", gain_db)])]).to_string().as_bytes());
    let empty = stored(state(&[]).to_string().as_bytes());
    for is_offline in [false, true] {
        let mut running = Running::with(rack(), Stream { is_offline, ..STEREO });
        let states = [(gain(-6.0), 0.250_594), (gain(-12.0), 0.125_594), (empty.clone(), 0.5)];
        for (state, level) in states {
            assert!(load(&mut running.instance, &state));
            if is_offline {
                running.process(&[[0.5; 2048]; 2], None);
                let last = running.output()[0][2047];
                assert!((last - level).abs() < 1e-5, "{level}: {last}");
            }
            wait_for_level(&mut running, level);
        }
        running.stop();
    }
}

/// `WAVEMILL_STATES` says how many; the gate tries some.
#[test]
fn nonsense_in_a_state_is_an_empty_or_a_dry_slot() {
    let signal = noise(2, 2_000);
    let good = state(&EIGHT).to_string();
    let count = std::env::var("WAVEMILL_STATES").map_or(300u64, |count| count.parse().unwrap());
    for seed in 0..count {
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

/// The files of a user: modules, allowed ones, and compiled code. Runs the calling test again in a process that has
/// them in a folder of its own; `Some` in that process.
fn home(test: &str) -> Option<std::path::PathBuf> {
    const HOME: &str = "WAVEMILL_TEST_HOME";
    if let Some(home) = std::env::var_os(HOME) {
        return Some(home.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(HOME, folder.path())
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .env("XDG_CACHE_HOME", folder.path().join("cache"))
        .env("LOCALAPPDATA", folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    None
}

#[expect(clippy::disallowed_methods, reason = "files of the test's own")]
fn write(path: &std::path::Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A module that multiplies by a factor.
fn gain(factor: f32) -> Vec<u8> {
    crate::module::gain_with("1.0.0", "[1,8]", &format!("(global.set $gain (f32.const {factor}))"))
}

/// Lets the user allow a module.
fn trust(home: &std::path::Path, modules: &[Vec<u8>]) {
    let hashes: String =
        modules.iter().map(|module| wavemill_runtime::sha256(module) + "\n").collect();
    write(&home.join("data/wavemill/trusted-effects"), hashes.as_bytes());
}

/// Plays until the output of a constant signal is this.
fn wait_for_level(running: &mut Running, level: f32) {
    let begin = std::time::Instant::now();
    loop {
        running.process(&[[0.5; 256]; 2], None);
        let output = running.output();
        assert!(output.iter().flatten().all(|sample| (0.0..=0.51).contains(sample)), "{output:?}");
        if output.iter().flatten().all(|sample| (sample - level).abs() < 1e-6) {
            return;
        }
        assert!(begin.elapsed().as_secs() < 60, "{level}: {output:?}");
        std::thread::yield_now();
    }
}

/// Threads of this process with this name.
#[cfg(target_os = "linux")]
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|own| own.trim() == name).count()
}

/// The DAW may unload the code then.
#[cfg(target_os = "linux")]
#[test]
fn no_thread_outlives_the_last_rack() {
    if home("rack::no_thread_outlives_the_last_rack").is_none() {
        return;
    }
    for _ in 0..3 {
        let mut running = Running::with(with(&EIGHT), STEREO);
        play(&mut running, &noise(2, 10_000));
        assert_eq!((threads("effect-ticks"), threads("wavemill")), (1, 1));
        drop(running.stop());
        for name in ["effect-ticks", "wavemill", "wavemill-disk"] {
            assert_eq!(threads(name), 0, "{name}");
        }
    }
}

/// `WAVEMILL_RELOADS` says how often; the gate tries some.
#[test]
fn module_is_reloaded_when_its_file_changes_and_a_bad_one_is_not() {
    let Some(home) = home("rack::module_is_reloaded_when_its_file_changes_and_a_bad_one_is_not")
    else {
        return;
    };
    let path = home.join("mine.wasm");
    trust(&home, &[gain(0.75)]);
    write(&path, &gain(0.75));
    let mut running = Running::with(with(&[(path.to_str().unwrap(), &[])]), STEREO);
    wait_for_level(&mut running, 0.375);
    let count = std::env::var("WAVEMILL_RELOADS").map_or(6, |count| count.parse().unwrap());
    for round in 0..count {
        // The length differs, as the time of a file may not.
        let factor = [0.5, 0.25, 0.125][round % 3];
        let mut module = gain(factor);
        module.extend(
            [vec![0, 1, 0], vec![0, 2, 1, b'x'], vec![0, 3, 2, b'y', b'z']][round % 3].clone(),
        );
        write(&path, &module);
        wait_for_level(&mut running, factor * 0.5);
        if round == 1 {
            write(&path, b"no module");
            for _ in 0..400 {
                std::thread::park_timeout(std::time::Duration::from_millis(1));
                wait_for_level(&mut running, factor * 0.5);
            }
        }
    }
    running.stop();
}

/// The render fails: a bounce never goes on without an effect.
#[test]
fn module_that_breaks_ends_a_render_with_an_error() {
    let Some(home) = home("rack::module_that_breaks_ends_a_render_with_an_error") else {
        return;
    };
    let path = home.join("mine.wasm");
    let late = "(if (i32.gt_u (global.get $frames) (i32.const 10000)) (then (unreachable)))";
    let module = crate::module::gain_with("1.0.0", "[1,8]", late);
    trust(&home, std::slice::from_ref(&module));
    write(&path, &module);
    let stream = Stream { is_offline: true, ..STEREO };
    let mut running = Running::with(with(&[(path.to_str().unwrap(), &[])]), stream);
    let ended = (0..20).find(|_| running.process_anyway(&[[0.5; 1024]; 2]).is_err());
    assert_eq!(ended, Some(9), "10,000 frames are in the tenth block");
    running.stop();
}

#[test]
fn module_that_nobody_allowed_is_dry_and_one_saved_with_the_project_plays_without_its_file() {
    let Some(home) = home(
        "rack::module_that_nobody_allowed_is_dry_and_one_saved_with_the_project_plays_without_its_file",
    ) else {
        return;
    };
    let (path, other) = (home.join("mine.wasm"), home.join("other.wasm"));
    trust(&home, &[gain(0.5)]);
    write(&path, &gain(0.5));
    write(&other, &gain(0.25));
    let names = [path.to_str().unwrap(), other.to_str().unwrap()];
    let mut running = Running::with(with(&[(names[0], &[]), (names[1], &[])]), STEREO);
    wait_for_level(&mut running, 0.25);
    let mut instance = running.stop();
    let saved = save(&mut instance);
    drop(instance);
    // As a project does that another machine made: with the module, and no file.
    let mut state: serde_json::Value = serde_json::from_slice(&saved[8..]).unwrap();
    let mut rack_state: serde_json::Value =
        serde_json::from_str(state["fields"]["rack"].as_str().unwrap()).unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.encode(gain(0.5));
    rack_state["slots"][0]["bytes"] = bytes.into();
    rack_state["slots"][0]["sha256"] = wavemill_runtime::sha256(&gain(0.5)).into();
    state["fields"]["rack"] = rack_state.to_string().into();
    std::fs::remove_file(&path).unwrap();
    let mut instance = rack();
    assert!(load(&mut instance, &stored(state.to_string().as_bytes())));
    let mut running = Running::with(instance, STEREO);
    wait_for_level(&mut running, 0.25);
    let mut instance = running.stop();
    // And it goes on with the project.
    let saved = save(&mut instance);
    let state = String::from_utf8_lossy(&saved).into_owned();
    assert!(state.contains("bytes"), "{state}");
}

const EQUALIZER: &[(&str, f64)] = &[
    ("band_1_gain_db", 3.3),
    ("band_2_frequency_hz", 320.0),
    ("band_2_gain_db", -4.5),
    ("band_2_q", 2.0),
    ("band_3_frequency_hz", 3000.0),
    ("band_3_gain_db", 2.5),
];

/// A rack with a few effects in its window; the picture is looked at where pictures are kept.
#[test]
fn window_shows_slots_and_controls() {
    if !is_inside("rack::window_shows_slots_and_controls") {
        return;
    }
    let usual: &[Step<'_>] = &[
        ("high-pass", &[("cutoff_hz", 31.7)]),
        ("compressor", &[("threshold_db", -24.0), ("lookahead_ms", 3.0)]),
        ("parametric-eq", EQUALIZER),
        ("stereo-width", &[]),
        ("limit", &[]),
    ];
    let missing: &[Step<'_>] = &[("/nowhere/mine.wasm", &[]), ("reverb", &[])];
    for (name, size, steps, row) in [
        ("rack", (960, 600), usual, 137),
        ("rack-equalizer", (960, 600), usual, 203),
        ("rack-small", (600, 400), missing, 60),
    ] {
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
        editor.click(60, row);
        editor.play(4.0, music());
        editor.keep(name);
        assert!(color_count(&editor.picture()) > 20);
        editor.close();
    }
}

/// Opening a pipe would wait for its writer for ever.
#[cfg(target_os = "linux")]
#[test]
fn module_that_is_a_pipe_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.wasm");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let mut running = Running::with(with(&[(path.to_str().unwrap(), &[]), ("gain", &[])]), STEREO);
    let signal = noise(2, 10_000);
    let expected = run(&[("gain", &[("gain_db", -3.0)])], 48_000, &signal);
    assert_same_bits(&play(&mut running, &signal), &expected, "the other slot plays");
    running.stop();
}
