//! A plugin that was exported for one effect, in a CLAP host.

use crate::chain::{assert_is_run, noise, run};
use crate::host::{Host, Running, STEREO, Stream, exported, info, load, save, set_inactive, value};
use crate::rack::{latency, play};
use crate::window::{Embedded, color_count, is_inside, music, skip_graphics};
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_host::prelude::*;
use std::path::{Path, PathBuf};

/// The plugin with an effect that comes with Wavemill.
pub(crate) fn export(folder: &Path, effect: &str, damage: impl Fn(&mut Vec<u8>)) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    // Cargo puts the library beside the tests that it is built for.
    let plugin = std::fs::read(tests.with_file_name("libwavemill_plugin.so")).unwrap();
    let module = wavemill_runtime::bundled(effect).unwrap();
    let mut bytes = wavemill_rack::export(plugin, module.bytes).unwrap();
    damage(&mut bytes);
    let path = folder.join(format!("{effect}.clap"));
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &bytes).unwrap();
    path
}

fn names(instance: &mut PluginInstance<Host>) -> Vec<String> {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = ParamInfoBuffer::new();
    let infos = 0..params.count(&handle);
    infos
        .map(|index| {
            let info = params.get_info(&handle, index, &mut buffer).unwrap();
            String::from_utf8_lossy(info.name).into_owned()
        })
        .collect()
}

#[test]
fn exported_effect_is_the_only_plugin_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = export(folder.path(), "compressor", |_| {});
    // SAFETY: the library is that of the plugin.
    let entry = unsafe { PluginEntry::load(&path) }.unwrap();
    let factory = entry.get_plugin_factory().unwrap();
    assert_eq!(factory.plugin_count(), 1);
    let descriptor = factory.plugin_descriptor(0).unwrap();
    assert_eq!(descriptor.id().unwrap(), c"wavemill.compressor");
    assert_eq!(descriptor.name().unwrap(), c"Compressor");
    assert_eq!(descriptor.vendor().unwrap(), c"wavemill");
    let module = wavemill_pipelines::Effects::new(None).load("compressor").unwrap();
    let description = module.description();
    assert_eq!(descriptor.version().unwrap().to_str().unwrap(), description.version);
    let rack = PluginInstance::<Host>::new(
        |()| crate::host::Shared::default(),
        |_| crate::host::MainThread,
        &entry,
        c"org.wavemill.rack",
        &info(),
    );
    assert!(rack.is_err(), "the rack is offered");
    let expected = description.params.iter().map(|param| param.name.clone());
    let expected: Vec<_> = std::iter::once("Bypass".to_owned()).chain(expected).collect();
    assert_eq!(names(&mut exported(&path, c"wavemill.compressor")), expected);
}

#[test]
fn exported_effect_plays_the_samples_of_a_run_with_its_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = export(folder.path(), "compressor", |_| {});
    let signal = noise(2, 20_000);
    for is_offline in [false, true] {
        let stream = Stream { is_offline, ..STEREO };
        let mut running = Running::with(exported(&path, c"wavemill.compressor"), stream);
        let played = play(&mut running, &signal);
        let late = latency(&mut running);
        assert_is_run((&played, late), &run(&[("compressor", &[])], 48_000, &signal), "defaults");
        running.set("Threshold", 0.0);
        running.process(&[[0.0f32; 64], [0.0; 64]], None);
        let mut instance = running.stop();
        let state = save(&mut instance);
        // Another one that gets the state, played from its first frame on.
        let mut other = exported(&path, c"wavemill.compressor");
        assert!(load(&mut other, &state));
        assert_eq!(value(&mut other, "Threshold").to_bits(), 0.0f64.to_bits());
        let mut running = Running::with(other, stream);
        let played = play(&mut running, &signal);
        let module = wavemill_pipelines::Effects::new(None).load("compressor").unwrap();
        let params = &module.description().params;
        let threshold = params.iter().find(|param| param.name == "Threshold").unwrap();
        let steps = [("compressor", &[(threshold.key.as_str(), threshold.min)][..])];
        assert_is_run((&played, late), &run(&steps, 48_000, &signal), "a threshold");
        running.stop();
    }
}

#[test]
fn damaged_effect_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
        |bytes: &mut Vec<u8>| {
            let at = bytes.len() - 1000;
            bytes[at] ^= 1;
        },
    ] {
        let path = export(folder.path(), "gate", damage);
        // SAFETY: the library is that of the plugin.
        let entry = unsafe { PluginEntry::load(&path) }.unwrap();
        assert_eq!(entry.get_plugin_factory().unwrap().plugin_count(), 0);
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn value_that_a_host_sets_while_nothing_plays_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = export(folder.path(), "stereo-width", |_| {});
    let mut instance = exported(&path, c"wavemill.stereo-width");
    let name = names(&mut instance)[1].clone();
    set_inactive(&mut instance, &name, 0.123);
    let state = save(&mut instance);
    let mut other = exported(&path, c"wavemill.stereo-width");
    assert!(load(&mut other, &state));
    assert!((value(&mut other, &name) - 0.123).abs() < 1e-6);
}

#[test]
fn window_shows_the_controls_of_the_effect_alone() {
    if !is_inside("exported::window_shows_the_controls_of_the_effect_alone") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = export(folder.path(), "compressor", |_| {});
    let running = Running::with(exported(&path, c"wavemill.compressor"), STEREO);
    let Some(mut editor) = Embedded::open(running, (640, 480)) else {
        skip_graphics();
        return;
    };
    editor.wait_for_a_picture();
    editor.play(4.0, music());
    editor.keep("exported");
    assert!(color_count(&editor.picture()) > 20);
    editor.close();
}
